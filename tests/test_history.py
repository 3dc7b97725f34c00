"""Time travel: any example of a run again, to the bit, however far apart the snapshots are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastws.history import History, branch
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

TOTAL = 90
SCHEDULE = [(25, (0.3, 0.1, 0.2)), (1, 0.0), (64, (0.05, 0.2, 0.1))]
STREAMS = {
    "bars": ([4, 3, 2], lambda: Bars(2)),
    "images": ([17, 3, 2], lambda: Images(np.random.default_rng(0).integers(0, 2, (7, 17)))),
}


def clipped_machine(sizes):
    machine = random_machine(sizes)
    machine.clip_input_weights()
    return machine


def new_run(kind="bars", seed=0):
    sizes, stream = STREAMS[kind]
    return Simulation(clipped_machine(sizes), stream(), SCHEDULE, True, seed)


def plain(example, kind="bars", seed=0):
    return parameter_bits(new_run(kind, seed).advance(example).machine)


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(STREAMS)),
    st.integers(2, 5),
    st.lists(
        st.one_of(st.tuples(st.just("advance"), st.integers(0, 40)), st.tuples(st.just("at"), st.integers(0, TOTAL)))
    ),
)
def test_every_example_is_there_again(kind, n_snapshots, calls):
    history = History(new_run(kind), n_snapshots)
    history._distance = 4  # so that there are many
    for call, n in calls:
        if call == "advance":
            assert history.advance(n) is history
        n = min(n, history.simulation.examples_seen)
        there = history.at(n)
        assert there.examples_seen == n
        np.testing.assert_array_equal(parameter_bits(there.machine), plain(n, kind))
        assert len(history._snapshots) <= n_snapshots + 1
    seen = history.simulation.examples_seen
    np.testing.assert_array_equal(parameter_bits(history.simulation.machine), plain(seen, kind))


def test_snapshots_are_used_and_few():
    history = History(new_run(), 4)
    history._distance = 2
    history.advance()
    examples = [snapshot.example for snapshot in history._snapshots]
    assert 3 <= len(examples) <= 5
    assert max(np.diff([*examples, TOTAL])) <= history._distance < TOTAL / 2


def test_what_is_returned_is_a_run_of_its_own():
    history = History(new_run()).advance(50)
    there = history.at(20)
    np.testing.assert_array_equal(parameter_bits(there.advance().machine), plain(TOTAL))
    np.testing.assert_array_equal(parameter_bits(history.simulation.machine), plain(50))


def test_changes_by_hand_are_kept():
    def change(run):
        run.machine.gen_weights[0][1, 2] += 0.5

    expected = new_run().advance(30)
    change(expected)
    at_once = parameter_bits(expected.machine)
    later = parameter_bits(expected.advance(20).machine)

    history = History(new_run(), 2)
    history._distance = 3
    history.advance(30)
    change(history.simulation)
    np.testing.assert_array_equal(parameter_bits(history.at(30).machine), at_once)
    history.advance()
    np.testing.assert_array_equal(parameter_bits(history.at(50).machine), later)
    np.testing.assert_array_equal(parameter_bits(history.at(29).machine), plain(29))


def test_a_history_may_begin_late():
    history = History(new_run().advance(10)).advance(5)
    np.testing.assert_array_equal(parameter_bits(history.at(12).machine), plain(12))
    for wanted in (9, 16, -1, 1.5):
        with pytest.raises(ValueError, match=r"example is"):
            history.at(wanted)
    with pytest.raises(ValueError, match="n_snapshots is 1; it must be at least 2"):
        History(new_run(), 1)


def test_an_interrupted_call_loses_nothing():
    history = History(new_run())
    history._distance = 8

    def stop(seen):
        if seen > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        history.advance(progress=stop)
    seen = history.simulation.examples_seen
    assert 20 < seen < TOTAL
    np.testing.assert_array_equal(parameter_bits(history.advance().simulation.machine), plain(TOTAL))
    np.testing.assert_array_equal(parameter_bits(history.at(seen).machine), plain(seen))


def test_a_branch_without_changes_is_the_same_run():
    other = branch(new_run().advance(30))
    assert other.examples_seen == 30
    assert other.total_examples == TOTAL
    np.testing.assert_array_equal(parameter_bits(other.advance().machine), plain(TOTAL))


@pytest.mark.parametrize("example", [0, 10, 25, 26, 40])
def test_a_branch_has_other_rates_from_there_on(example):
    run = new_run().advance(example)
    other = branch(run, [(5, 0.5), (7, 0.25)])
    assert other.total_examples == example + 12
    # The whole schedule, put together by hand, from the beginning.
    rates = [rates for n, rates in SCHEDULE for _ in range(n)][:example] + [0.5] * 5 + [0.25] * 7
    again = Simulation(clipped_machine([4, 3, 2]), Bars(2), [(1, r) for r in rates], True, 0).advance()
    np.testing.assert_array_equal(parameter_bits(other.advance().machine), parameter_bits(again.machine))
    np.testing.assert_array_equal(parameter_bits(run.machine), plain(example))


def test_a_branch_has_another_stream_from_there_on():
    run = new_run().advance(30)
    other = branch(run, stream=Bars(2, p_bar=0.9))
    assert (parameter_bits(other.advance().machine) != plain(TOTAL)).any()
    with pytest.raises(ValueError, match="the stream gives 9 inputs"):
        branch(run, stream=Bars(3))
    with pytest.raises(ValueError, match=r"schedule\[\d\]"):
        branch(run, [(0, 0.1)])
