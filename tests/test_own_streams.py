"""Streams of one's own that fill rows: whatever the way they are run, the machine has seen the same rows."""

import numpy as np
import pytest

from chance import INTERPRETED
from fastws.machine import Machine
from fastws.simulation import Simulation, advance_together, load_runs, save_runs
from fastws.steps import sleep_update, wake_update
from machines import parameter_bits, random_machine

SIZES = [9, 5, 2]
RATES = (0.3, 0.05, 0.1)
# More than is filled at once.
LONG = 100 if INTERPRETED else 5000


class Rows:
    """Examples that depend on nothing but a seed and their numbers, and a note of which were asked for."""

    n_inputs = 9

    def __init__(self, seed=0):
        self.seed = seed

    def fill(self, rows, first_example):
        words = np.random.Philox(key=self.seed, counter=first_example).random_raw(4 * len(rows))
        rows[...] = words.reshape(len(rows), 4)[:, :1] >> np.arange(9, dtype=np.uint64) & np.uint64(1)


class Noted(Rows):
    def __init__(self):
        super().__init__()
        self.notes = []

    def fill(self, rows, first_example):
        assert rows.dtype == np.uint8
        assert rows.flags.c_contiguous
        super().fill(rows, first_example)
        self.notes.append((first_example, len(rows)))


def new_run(stream, seed=0, n=LONG):
    return Simulation(random_machine(SIZES, seed), stream, [(n, RATES)], True, seed)


def bits(run):
    return parameter_bits(run.machine).tolist()


def test_each_example_is_asked_for_once_and_learned_from():
    """The machine is as if each row had been learned from by the two updates of the paper."""
    stream = Noted()
    run, again = new_run(stream, n=LONG), new_run(Rows(), n=LONG)
    run.advance()
    first = 0
    for start, n in stream.notes:
        assert start == first
        first += n
    assert first == LONG
    rows = np.zeros((20, 9), np.uint8)
    Rows().fill(rows, 0)
    machine = random_machine(SIZES, 0)
    machine.clip_input_weights()
    for row in rows:
        step = again.step()
        np.testing.assert_array_equal(step.image, row)
        wake_update(machine, step.wake_states, RATES, nonnegative_input_weights=True)
        sleep_update(machine, step.sleep_states, RATES)
        assert parameter_bits(machine).tolist() == bits(again)
    assert bits(again.advance()) == bits(run)


@pytest.mark.parametrize("cut", [1, 63, 65, LONG - 1])
def test_a_run_that_is_cut_saved_and_resumed_gives_the_same_bits(cut, tmp_path):
    new_run(Rows()).advance(cut).save(tmp_path / "run.npz")
    resumed = Simulation.load(tmp_path / "run.npz", stream=Rows())
    assert resumed.examples_seen == cut
    assert bits(resumed.advance()) == bits(new_run(Rows()).advance())
    with pytest.raises(ValueError, match=r"a Rows; make one like it and give it to Simulation.load\(path, stream=…\)"):
        Simulation.load(tmp_path / "run.npz")


@pytest.mark.parametrize("shared", [True, False])
def test_together_they_learn_to_the_bits_of_alone(shared):
    stream = Noted() if shared else None
    runs = [new_run(stream or Rows(), seed, 150) for seed in range(12)]
    advance_together(runs, 70)
    advance_together(runs)
    for seed, run in enumerate(runs):
        assert run.examples_seen == 150
        assert bits(run) == bits(new_run(Rows(), seed, 150).advance())
    if shared:  # filled for all of them at once
        assert sum(n for _, n in stream.notes) == 150


def test_streams_that_differ_do_not_share_rows():
    runs = [new_run(Rows(seed % 2), seed, 30) for seed in range(20)]
    advance_together(runs)
    for seed, run in enumerate(runs):
        assert bits(run) == bits(new_run(Rows(seed % 2), seed, 30).advance())
    assert bits(runs[0]) != bits(new_run(Rows(1), 0, 30).advance())


def test_several_are_saved_in_one_file(tmp_path):
    save_runs(tmp_path / "runs.npz", [new_run(Rows(), seed).advance(10 + seed) for seed in range(3)])
    runs, _ = load_runs(tmp_path / "runs.npz", stream=Rows())
    assert [run.examples_seen for run in runs] == [10, 11, 12]
    assert [bits(run.advance(30)) for run in runs] == [
        bits(new_run(Rows(), seed).advance(40 + seed)) for seed in range(3)
    ]


def test_a_fill_that_fails_leaves_the_run_ready_to_go_on():
    class Fails(Rows):
        broken = True

        def fill(self, rows, first_example):
            if self.broken and first_example + len(rows) > 40:
                raise KeyboardInterrupt
            super().fill(rows, first_example)

    stream = Fails()
    run = new_run(stream, n=100).advance(40)
    with pytest.raises(KeyboardInterrupt):
        run.advance()
    assert run.examples_seen == 40
    stream.broken = False
    assert bits(run.advance()) == bits(new_run(Rows(), n=100).advance())


def test_rows_that_are_not_binary_are_refused():
    class Grey(Rows):
        def fill(self, rows, first_example):
            rows[...] = 0
            rows[0, 3] = 255

    run = new_run(Grey())
    before = bits(run.advance(0))
    with pytest.raises(ValueError, match="left 255 for input 3 of example 0; every input unit is 0 or 1"):
        run.advance(1)
    assert (run.examples_seen, bits(run)) == (0, before)


@pytest.mark.parametrize("stream", [np.eye(9), None, Rows, type("Empty", (), {"n_inputs": 9})()])
def test_what_is_no_stream_is_refused(stream):
    with pytest.raises(ValueError, match="give Bars, Images, or a stream of your own"):
        Simulation(Machine(SIZES), stream, [(1, 0.1)])
