"""Simulations that are advanced, saved, loaded, copied, inspected and interrupted in any order, against a model."""

import copy
import functools
import pickle
import tempfile
from pathlib import Path

import hypothesis
import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from chance import INTERPRETED
from fastws import exact
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

TOTAL = 60
SCHEDULE = [(25, (0.3, 0.1, 0.2)), (1, 0.0), (34, (0.05, 0.2, 0.1))]
KINDS = {
    "bars": ([4, 3, 2], lambda: Bars(2, exclude=["blank"])),
    "images": ([17, 3, 2], lambda: Images(np.random.default_rng(0).integers(0, 2, (7, 17)))),
}


def new_run(kind, seed, nonnegative):
    sizes, stream = KINDS[kind]
    machine = random_machine(sizes)
    if nonnegative:
        machine.clip_input_weights()
    return Simulation(machine, stream(), SCHEDULE, nonnegative, seed)


@functools.cache
def history(kind, seed, nonnegative):
    """The model: the parameters after each example of a run that advances one example at a time."""
    run = new_run(kind, seed, nonnegative)
    return [parameter_bits(run.machine), *(parameter_bits(run.advance(1).machine) for _ in range(TOTAL))]


class Held:
    """A simulation under test, its history, and how many examples it should have seen."""

    def __init__(self, run, history, seen):
        self.run, self.history, self.seen = run, history, seen

    def check(self):
        assert self.run.examples_seen == self.seen
        np.testing.assert_array_equal(parameter_bits(self.run.machine), self.history[self.seen])


class Simulations(RuleBasedStateMachine):
    runs = Bundle("runs")
    files = Bundle("files")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.held, self.written = [], {}

    def teardown(self):
        self.folder.cleanup()

    def hold(self, run, history, seen):
        held = Held(run, history, seen)
        self.held.append(held)
        return held

    @rule(target=runs, kind=st.sampled_from(sorted(KINDS)), seed=st.integers(0, 1), nonnegative=st.booleans())
    def make(self, kind, seed, nonnegative):
        return self.hold(new_run(kind, seed, nonnegative), history(kind, seed, nonnegative), 0)

    @rule(held=runs, n=st.integers(0, 40))
    def advance(self, held, n):
        held.seen = min(held.seen + n, TOTAL)
        assert held.run.advance(n) is held.run

    @rule(held=runs)
    def advance_to_the_end(self, held):
        held.seen = TOTAL
        held.run.advance()

    @rule(held=runs, n=st.integers(1, 40))
    def interrupt(self, held, n):
        seen = []

        def stop(examples_seen):
            seen.append(examples_seen)
            raise KeyboardInterrupt

        try:
            held.run.advance(n, progress=stop)
        except KeyboardInterrupt:
            held.seen = seen[-1]
        assert held.run.examples_seen == held.seen

    @rule(held=runs)
    def compile(self, held):
        held.run.compile()

    @rule(target=files, held=runs, name=st.sampled_from("ab"))
    def save(self, held, name):
        path = Path(self.folder.name, f"{name}.npz")
        held.run.save(path)
        self.written[path] = held.history, held.seen
        return path

    @rule(target=runs, path=files)
    def load(self, path):
        past, seen = self.written[path]  # of whichever was saved there last
        return self.hold(Simulation.load(path), past, seen)

    @rule(target=runs, held=runs, way=st.sampled_from(["deepcopy", "pickle"]))
    def copy(self, held, way):
        run = copy.deepcopy(held.run) if way == "deepcopy" else pickle.loads(pickle.dumps(held.run))
        return self.hold(run, held.history, held.seen)

    @rule(held=consumes(runs))
    def forget(self, held):
        self.held.remove(held)

    @rule(held=runs, seed=st.integers(0, 3))
    def inspect(self, held, seed):
        """Looking at a simulation changes nothing; `unchanged` sees to it."""
        machine = held.run.machine
        assert f"{held.seen:,} of {TOTAL:,} examples" in repr(held.run)
        fantasies = machine.fantasies(3, seed)
        np.testing.assert_array_equal(fantasies, machine.copy().fantasies(3, seed))
        machine.representations(fantasies, seed)
        assert exact.free_energy_bits(machine, fantasies).min() > 0
        held.run.stream.distribution()
        machine.arrays()["gen_biases_0"][:] = 7

    @rule(held=runs)
    def save_the_machine_alone(self, held):
        path = Path(self.folder.name, "machine.npz")
        held.run.machine.save(path)
        np.testing.assert_array_equal(parameter_bits(Machine.load(path)), parameter_bits(held.run.machine))

    @invariant()
    def unchanged(self):
        for held in self.held:
            held.check()


TestSimulations = Simulations.TestCase
TestSimulations.settings = hypothesis.settings(
    max_examples=5 if INTERPRETED else 40, stateful_step_count=30, deadline=None
)
