"""One step seen whole: the same bits as advance, and numbers that obey Eqs 1, 4 and 7 of an oracle in NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chance import INTERPRETED
from fastws.checks import NotFiniteError
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

NAMES = ("gen_weights", "gen_biases", "rec_weights", "rec_biases")


class Rows:
    """Examples that depend on nothing but their numbers."""

    def __init__(self, n_inputs):
        self.n_inputs = n_inputs

    def fill(self, rows, first_example):
        numbers = first_example + np.arange(len(rows))[:, np.newaxis]
        rows[...] = (numbers * 7 + np.arange(self.n_inputs) * numbers) % 5 < 2


class Halved(Bars):
    """Bars that learn half as fast."""

    def learn(self, machine, seed, n_examples, seen, rates, floor):
        super().learn(machine, seed, n_examples, seen, rates / 2, floor)


STREAMS = {
    "bars": lambda n: Bars(int(n**0.5), exclude=["blank"]),
    "images": lambda n: Images(np.random.default_rng(0).integers(0, 2, (7, n))),
    "rows": Rows,
}
# A layer, several, more than a vector of units; only own rows go into wide layers, which saves compiling.
SHAPES = st.sampled_from([[4, 1], [9, 3], [9, 5, 2], [9, 18, 1], [4, 2, 17, 3]])
SETTINGS = st.one_of(
    st.tuples(st.sampled_from(["bars", "images", "rows"]), SHAPES),
    st.just(("rows", [70, 65, 3])),
)
RATES = st.sampled_from([0.0, 0.001, 0.3, 2.0])


@st.composite
def simulations(draw):
    """Draw a function that returns the same simulation each time."""
    kind, sizes = draw(SETTINGS)
    rates = st.tuples(*[RATES] * len(sizes))
    schedule = draw(st.lists(st.tuples(st.integers(1, 30), rates), min_size=1, max_size=3))
    nonnegative, seed = draw(st.booleans()), draw(st.integers(0, 3))
    return lambda: Simulation(random_machine(sizes, seed), STREAMS[kind](sizes[0]), schedule, nonnegative, seed)


def eq_1(weights, biases, driving):
    return 1 / (1 + np.exp(-(biases + driving.astype(float) @ weights.astype(float))))


def eqs_4_and_7(before, states, probabilities, rate):
    """Return the weights and biases after the delta rule, each operation rounded to float32 as learning does."""
    weights, biases = before
    driving, driven = states
    delta = np.float32(rate) * (driven.astype(np.float32) - probabilities)
    return np.where(driving[:, np.newaxis] == 1, weights + delta, weights), biases + delta


def same_bits(a, b):
    return a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


def assert_lawful(before, after, step, nonnegative):
    """Check every number of a step from the machine before it and the one after it."""
    np.testing.assert_array_equal(step.image, step.wake_states[0])
    assert [len(states) for states in step.wake_states] == [len(states) for states in step.sleep_states]
    gen_weights = list(before.gen_weights)
    if nonnegative:
        gen_weights[0] = np.maximum(gen_weights[0], 0)
    above = [*step.wake_states[1:], np.zeros(0, np.uint8)]
    gen_weights.append(np.zeros((0, before.layer_sizes[-1]), np.float32))
    for l, (w, b) in enumerate(zip(gen_weights, before.gen_biases, strict=True)):
        p = step.generative_probabilities[l]
        np.testing.assert_allclose(p, eq_1(w, b, above[l]), rtol=0, atol=5e-6)
        new_w, new_b = eqs_4_and_7((w, b), (above[l], step.wake_states[l]), p, step.rates[l])
        assert same_bits(after.gen_biases[l], new_b)
        if l < len(after.gen_weights):
            assert same_bits(after.gen_weights[l], np.maximum(new_w, 0) if nonnegative and l == 0 else new_w)
    for l, (w, b) in enumerate(zip(before.rec_weights, before.rec_biases, strict=True)):
        q = step.recognition_probabilities[l]
        np.testing.assert_allclose(q, eq_1(w, b, step.sleep_states[l]), rtol=0, atol=5e-6)
        new_w, new_b = eqs_4_and_7((w, b), step.sleep_states[l : l + 2], q, step.rates[l])
        assert same_bits(after.rec_weights[l], new_w)
        assert same_bits(after.rec_biases[l], new_b)
    for name in NAMES:
        pairs = zip(getattr(after, name), getattr(before, name), strict=True)
        assert all(
            same_bits(change, new - old) for change, (new, old) in zip(getattr(step.changes, name), pairs, strict=True)
        )


@pytest.mark.long
@settings(max_examples=12 if INTERPRETED else 40)
@given(simulation=simulations(), parts=st.lists(st.integers(0, 20), max_size=8))
def test_any_mixture_of_steps_and_advances_is_an_advance(simulation, parts):
    """A part of 0 is a step, any other an advance."""
    run = simulation().advance(0)
    for part in parts:
        if part:
            run.advance(part)
        elif run.examples_seen < run.total_examples:
            run.step()
    alone = simulation().advance(run.examples_seen)
    assert alone.examples_seen == run.examples_seen
    assert parameter_bits(run.machine).tolist() == parameter_bits(alone.machine).tolist()


@settings(max_examples=12)
@given(simulation=simulations(), start=st.integers(0, 40))
def test_every_number_obeys_the_equations(simulation, start):
    run = simulation()
    if start:
        run.advance(start)
    ends = np.cumsum([n for n, _ in run.schedule])
    for _ in range(min(3, run.total_examples - run.examples_seen)):
        before, example = run.machine.copy(), run.examples_seen
        step = run.step()
        assert (step.example, run.examples_seen) == (example, example + 1)
        assert same_bits(step.rates, run.schedule[np.searchsorted(ends, example, "right")][1])
        assert_lawful(before, run.machine, step, run.nonnegative_input_weights)


def test_a_net_that_leaves_nothing_to_chance_does_what_can_be_said_beforehand():
    machine = Machine([2, 2])
    machine.rec_weights[0][:] = [[100, -100], [-100, 100]]
    machine.gen_biases[1][:] = [100, -100]
    machine.gen_biases[0][:] = -50
    machine.gen_weights[0][:] = [[100, 0], [0, 100]]
    step = Simulation(machine, Images([[0, 1]]), [(1, 0.5)]).step()
    assert [states.tolist() for states in step.wake_states] == [[0, 1], [0, 1]]
    assert [states.tolist() for states in step.sleep_states] == [[1, 0], [1, 0]]
    np.testing.assert_allclose(step.generative_probabilities[0], [0, 1], atol=1e-6)
    np.testing.assert_allclose(step.generative_probabilities[1], [1, 0], atol=1e-6)
    np.testing.assert_allclose(step.recognition_probabilities[0], [1, 0], atol=1e-6)
    np.testing.assert_allclose(step.changes.gen_biases[1], [-0.5, 0.5], atol=1e-5)
    for change in (*step.changes.gen_weights, *step.changes.rec_weights):
        np.testing.assert_allclose(change, 0, atol=1e-5)


def test_images_are_those_of_the_stream():
    rows = np.zeros((9, 4), np.uint8)
    Rows(4).fill(rows, 0)
    run = Simulation(Machine([4, 2]), Rows(4), [(9, 0.1)])
    assert [run.step().image.tolist() for _ in range(9)] == rows.tolist()
    images = np.eye(5, dtype=np.uint8)
    run = Simulation(Machine([5, 2]), Images(images), [(10, 0.1)])
    seen = [run.step().image.tolist() for _ in range(10)]
    assert sorted(seen[:5]) == sorted(seen[5:]) == sorted(images.tolist())


def test_what_a_step_returns_is_its_own():
    """Neither a later step nor whoever writes into it changes anything else."""
    run, other = (Simulation(random_machine([9, 5, 2]), Bars(3), [(3, 0.1)]) for _ in range(2))
    step = run.step()
    kept = [array.copy() for array in (step.image, *step.wake_states, *step.generative_probabilities)]
    run.step()
    for array, old in zip((step.image, *step.wake_states, *step.generative_probabilities), kept, strict=True):
        np.testing.assert_array_equal(array, old)
    step.rates[:] = 0
    step.image[:] = 1 - step.image
    np.testing.assert_array_equal(step.wake_states[0], kept[0])
    run.step().changes.gen_weights[0][:] = 9
    assert parameter_bits(run.machine).tolist() == parameter_bits(other.advance().machine).tolist()


def test_there_is_no_step_beyond_the_schedule():
    run = Simulation(random_machine([4, 2]), Bars(2), [(2, 0.1)]).advance()
    before = parameter_bits(run.machine).tolist()
    with pytest.raises(ValueError, match="the schedule is at its end: all of its 2 examples have been seen"):
        run.step()
    assert (run.examples_seen, parameter_bits(run.machine).tolist()) == (2, before)


def test_a_stream_that_learns_itself_has_no_steps_to_show():
    own = Rows(4)
    own.learn = lambda *arguments: None
    for stream in (Halved(2), own):
        run = Simulation(random_machine([4, 2]), stream, [(2, 0.1)])
        with pytest.raises(ValueError, match="has a `learn` of its own"):
            run.step()
        assert run.examples_seen == 0


def test_parameters_that_are_not_finite_are_refused_before_and_after():
    run = Simulation(Machine([4, 1]), Images(np.eye(4)), [(3, 3e38)])
    run.machine.gen_biases[0][1] = np.nan
    with pytest.raises(NotFiniteError, match=r"gen_biases\[0\]\[1\] is nan"):
        run.step()
    assert run.examples_seen == 0
    run.machine.rec_biases[0][:] = 100
    run.machine.gen_biases[0][:], run.machine.gen_weights[0][:] = 3e38, -3e38
    with pytest.raises(NotFiniteError, match="learning went wrong"):
        run.step()
    assert run.examples_seen == 1


def test_a_row_that_cannot_be_filled_leaves_the_run_where_it_was():
    class Bad(Rows):
        def fill(self, rows, first_example):
            rows[...] = 2 if first_example == 1 else 0

    run = Simulation(random_machine([4, 2]), Bad(4), [(3, 0.1)])
    run.step()
    before = parameter_bits(run.machine).tolist()
    with pytest.raises(ValueError, match="left 2 for input 0 of example 1"):
        run.step()
    assert (run.examples_seen, parameter_bits(run.machine).tolist()) == (1, before)
