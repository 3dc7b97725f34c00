"""A machine, a stream, a schedule and a seed: what learns, from what, how fast, and how to go on."""

import bisect
import itertools
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import Whole, check_integer, check_rates
from fastws.files import load_arrays, save_arrays
from fastws.machine import Machine, least_input_weight
from fastws.storage import LANES
from fastws.streams import Bars, Stream, stream_from_description

__all__ = ["Simulation", "advance_together", "compile_together", "load_runs", "save_runs"]

_KIND = "fastws run"
_SECONDS_A_CHUNK = 0.05
# Sixteen together take as long as this many one by one; bench/sweep.py measures it.
WORTH_TOGETHER = 9


class Simulation:
    """An online wake-sleep run: a wake step and a sleep step an example.

    The same seed gives the same bits, however the run is cut into calls of `advance`, saved and loaded.

    Parameters
    ----------
    machine : Machine
        It learns in place.
    stream : Bars or Images
    schedule : sequence of (n_examples, rates)
        What follows what: a number of examples, at least 1, and the learning rates of the levels for them, one a
        level (or a single number for all). A machine of L + 1 layers has L + 1 rates; the last is that of the top
        layer's generative biases. The paper's are ``(0.2, 0.001, 0.001)`` for 16-8-1 [15].
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs, not the biases, at zero after each update (Figure 1).
    seed : int, default=0

    Attributes
    ----------
    examples_seen : int
        How many examples the machine has learned from.
    total_examples : int
        Length of the schedule.

    Raises
    ------
    ValueError
        If the stream does not fit the machine, the schedule is empty, or a number is out of range.
    """

    def __init__(
        self,
        machine: Machine,
        stream: Stream,
        schedule: Sequence[Sequence[Any]],
        nonnegative_input_weights: bool = False,
        seed: Whole = 0,
    ) -> None:
        if stream.n_inputs != machine.layer_sizes[0]:
            raise ValueError(
                f"the stream gives {stream.n_inputs} inputs; the machine's input layer has {machine.layer_sizes[0]} "
                "units. They must agree."
            )
        self.machine = machine
        self.stream = stream
        self.schedule = _check_schedule(schedule, len(machine.layer_sizes))
        self.nonnegative_input_weights = bool(nonnegative_input_weights)
        self.seed = check_integer(seed, "seed", at_least=0)
        # Kernels count as they learn: an interrupt between two of them finds the count and the parameters in step.
        self._seen = np.zeros(1, np.uint64)

    def __repr__(self) -> str:
        return (
            f"<Simulation of {self.machine} on {self.stream}, seed {self.seed}: "
            f"{self.examples_seen:,} of {self.total_examples:,} examples>"
        )

    @property
    def examples_seen(self) -> int:
        """How many examples the machine has learned from."""
        return int(self._seen[0])

    @property
    def total_examples(self) -> int:
        """Length of the schedule."""
        return sum(n for n, _ in self.schedule)

    def advance(self, n_examples: Whole | None = None, progress: Callable[[int], object] | None = None) -> "Simulation":
        """Learn from the next examples.

        Parameters
        ----------
        n_examples : int, optional
            How many; to the end of the schedule by default, and never beyond it.
        progress : callable, optional
            Called with `examples_seen` some twenty times a second. What it raises ends the call and leaves the
            simulation ready to go on, as Ctrl-C does.

        Returns
        -------
        Simulation
            self

        Raises
        ------
        ValueError
            If n_examples is not a whole number of at least 0.
        """
        goal = self._goal(n_examples)
        if self.nonnegative_input_weights:
            self.machine.clip_input_weights()
        self._learn_until(goal, self._learn, progress)
        return self

    @property
    def _floor(self) -> np.float32:
        return least_input_weight(self.nonnegative_input_weights)

    def _learn(self, n_examples: int, rates: NDArray[np.float32]) -> None:
        self.stream.learn(self.machine, self.seed, n_examples, self._seen, rates, self._floor)

    def _goal(self, n_examples: Whole | None) -> int:
        """Return what `examples_seen` will be when `advance` is done."""
        left = self.total_examples - self.examples_seen
        if n_examples is not None:
            left = min(left, check_integer(n_examples, "n_examples", at_least=0))
        return self.examples_seen + left

    def _learn_until(
        self,
        goal: int,
        learn: Callable[[int, NDArray[np.float32]], None],
        progress: Callable[[int], object] | None,
    ) -> None:
        """Call `learn` with numbers of examples and rates until `examples_seen` has reached the goal."""
        chunk = 1024
        while self.examples_seen < goal:
            rates, segment_end = self._segment()
            started = time.perf_counter()
            learn(min(chunk, segment_end - self.examples_seen, goal - self.examples_seen), rates)
            if time.perf_counter() - started < _SECONDS_A_CHUNK / 2:
                chunk *= 2
            if progress is not None:
                progress(self.examples_seen)

    def compile(self) -> float:
        """Compile what `advance` needs, or load it from Numba's cache, without learning; return the seconds taken."""
        started = time.perf_counter()
        self._learn(0, self.schedule[0][1])
        return time.perf_counter() - started

    def _segment(self) -> tuple[NDArray[np.float32], int]:
        """Return the rates in force for the next example, and the number of the example where others follow."""
        ends = list(itertools.accumulate(n for n, _ in self.schedule))
        segment = bisect.bisect_right(ends, self.examples_seen)
        return self.schedule[segment][1], ends[segment]

    def _description(self) -> dict[str, Any]:
        """Return, for JSON, everything but arrays."""
        return {
            "layer_sizes": self.machine.layer_sizes,
            "stream": self.stream.description()[0],
            "schedule": [(n, [float(rate) for rate in rates]) for n, rates in self.schedule],
            "nonnegative_input_weights": self.nonnegative_input_weights,
            "seed": self.seed,
            "examples_seen": self.examples_seen,
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the machine, the stream and where the run is as an ``.npz`` file, atomically.

        The images of an `Images` stream are in the file, eight pixels a byte.

        Raises
        ------
        OSError
            If the file cannot be written; an earlier one is then whole.
        """
        save_runs(path, [self])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Simulation":
        """Return a saved simulation, which goes on bit for bit as it would have.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not the whole file of one simulation, or one of a later format version.
        """
        runs, _ = load_runs(path)
        if len(runs) != 1:
            raise ValueError(
                f"{os.fspath(path)} holds {len(runs)} simulations; fastws.simulation.load_runs returns them all."
            )
        return runs[0]


def advance_together(
    simulations: Sequence[Simulation],
    until: Whole | None = None,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Let simulations learn up to the same number of examples, to the same bits as by `advance`, in less time.

    Simulations of bars that differ in nothing but seed and parameters learn sixteen at a time, in one thread, which
    takes about as long as nine of them one by one; where fewer are alike they go one by one.

    Parameters
    ----------
    simulations : sequence of Simulation
    until : int, optional
        The `examples_seen` to reach; the ends of the schedules by default, and never beyond them.
    progress : callable, optional
        Called some twenty times a second with the `examples_seen` of one of them. What it raises ends the call and
        leaves the simulations ready to go on, as Ctrl-C does.

    Raises
    ------
    ValueError
        If `until` is not a whole number of at least 0.
    """
    if until is not None:
        check_integer(until, "until", at_least=0)
    left = list(simulations)
    while left:
        group = _first_group(left)
        left = [simulation for simulation in left if simulation not in group]
        n_examples = None if until is None else max(0, until - group[0].examples_seen)
        if len(group) == 1:
            group[0].advance(n_examples, progress)
        else:
            _advance_group(group, n_examples, progress)


def compile_together(simulations: Sequence[Simulation]) -> float:
    """Compile what `advance_together` needs, as `Simulation.compile` does; return the seconds taken."""
    group = _first_group(simulations)
    if len(group) == 1:
        return group[0].compile()
    started = time.perf_counter()
    _learn_together(group, 0, group[0].schedule[0][1])
    return time.perf_counter() - started


def _first_group(simulations: Sequence[Simulation]) -> Sequence[Simulation]:
    """Return the first simulation and those that it learns together with, if that is worth it.

    They differ in nothing but seed and parameters.
    """
    first = simulations[0]
    if not isinstance(first.stream, Bars):
        return [first]
    shared = _all_but_seed(first)
    alike = [simulation for simulation in simulations if _all_but_seed(simulation) == shared][:LANES]
    return alike if len(alike) >= WORTH_TOGETHER else [first]


def _all_but_seed(simulation: Simulation) -> dict[str, Any]:
    return {**simulation._description(), "seed": None}


def _advance_group(
    group: Sequence[Simulation], n_examples: Whole | None, progress: Callable[[int], object] | None
) -> None:
    goal = group[0]._goal(n_examples)
    if group[0].nonnegative_input_weights:
        for simulation in group:
            simulation.machine.clip_input_weights()
    group[0]._learn_until(goal, partial(_learn_together, group), progress)


def _learn_together(group: Sequence[Simulation], n_examples: int, rates: NDArray[np.float32]) -> None:
    stream = group[0].stream
    assert isinstance(stream, Bars)
    machines, seeds, seen = zip(*((run.machine, run.seed, run._seen) for run in group), strict=True)
    stream.learn_together(machines, seeds, n_examples, seen, rates, group[0]._floor)


def _check_schedule(schedule: Any, n_levels: int) -> list[tuple[int, NDArray[np.float32]]]:
    if not isinstance(schedule, Sequence):
        raise ValueError(f"the schedule is {schedule!r}; give a sequence of (n_examples, rates).")
    if len(schedule) == 0:
        raise ValueError("the schedule is empty; give at least one (n_examples, rates).")
    checked = []
    for i, segment in enumerate(schedule):
        if not isinstance(segment, Sequence) or len(segment) != 2:
            raise ValueError(f"schedule[{i}] is {segment!r}; give (n_examples, rates).")
        n, rates = segment
        checked.append((check_integer(n, f"schedule[{i}][0]"), check_rates(rates, n_levels, f"schedule[{i}][1]")))
    return checked


def save_runs(path: str | os.PathLike[str], runs: Sequence[Simulation], notes: dict[str, Any] | None = None) -> None:
    """Save several simulations, and what a caller has to say of them in JSON's terms, as one file, atomically."""
    arrays: dict[str, NDArray[Any]] = {}
    descriptions = []
    for i, run in enumerate(runs):
        descriptions.append(run._description())
        for name, array in {**run.machine.arrays(), **run.stream.description()[1]}.items():
            arrays[f"{i}.{name}"] = array
    save_arrays(path, _KIND, {"runs": descriptions, "notes": notes or {}}, arrays)


def load_runs(path: str | os.PathLike[str]) -> tuple[list[Simulation], dict[str, Any]]:
    """Return the simulations of a file and the notes saved with them.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not the whole file of simulations, or one of a later format version.
    """
    metadata, arrays = load_arrays(path, _KIND)
    try:
        runs = [_restore(i, description, arrays) for i, description in enumerate(metadata["runs"])]
        notes = dict(metadata["notes"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)} is damaged: its simulations cannot be restored ({error}).") from error
    return runs, notes


def _restore(i: int, description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Simulation:
    own = {name.removeprefix(f"{i}."): array for name, array in arrays.items() if name.startswith(f"{i}.")}
    machine = Machine.from_arrays(description["layer_sizes"], own)
    run = Simulation(
        machine,
        stream_from_description(description["stream"], own, machine.layer_sizes[0]),
        description["schedule"],
        description["nonnegative_input_weights"],
        description["seed"],
    )
    seen = check_integer(description["examples_seen"], "examples_seen", at_least=0)
    if seen > run.total_examples:
        raise ValueError(f"examples_seen is {seen}, beyond the end of the schedule")
    run._seen[0] = seen
    return run
