"""The unit of work of a sweep: a group of runs that differ in their seeds only. What is here works in any process."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fastws.simulation import Simulation, advance_together
from fastws.sweep.settings import Experiment, Setting, unwritable
from fastws.threads import Stopped
from fastws.together import WORTH_TOGETHER


class Group(NamedTuple):
    """Runs of the same settings."""

    settings: dict[str, Setting]
    seeds: tuple[int, ...]


class Outcome(NamedTuple):
    """What is to be known of a run; one that failed has no measures and an error of one line."""

    seed: int
    measures: tuple[float, ...]
    seconds: float
    error: str


def grouped(settings: dict[str, Setting], seeds: Sequence[int], size: int) -> list[Group]:
    """Return the runs of one setting as groups of `size`; the rest is one more if it is worth one."""
    n_rest = len(seeds) % size
    # `advance_together` would take these one by one; as groups of their own they go side by side.
    n_alone = n_rest if n_rest < WORTH_TOGETHER else 0
    together, alone = seeds[: len(seeds) - n_alone], seeds[len(seeds) - n_alone :]
    chunks = [tuple(together[start : start + size]) for start in range(0, len(together), size)]
    return [Group(settings, chunk) for chunk in (*chunks, *((seed,) for seed in alone))]


def run_group(
    experiment: Experiment, group: Group, progress: Callable[[float], object] = lambda part: None
) -> list[Outcome]:
    """Run a group to the end; a run that fails does not take the others with it.

    `progress` is called with the part of the group's learning that is done; `Stopped`, raised in it, comes through.
    """
    simulations: list[Simulation] = []
    outcomes: list[Outcome] = []
    for seed in group.seeds:
        try:
            simulations.append(experiment.simulation(group.settings, seed))
        except Exception as error:
            outcomes.append(failed(seed, error))
    if not simulations:
        return outcomes
    total = sum(simulation.total_examples for simulation in simulations)

    def show(_: object) -> None:
        progress(sum(simulation.examples_seen for simulation in simulations) / total)

    def learn(n_examples: int | None) -> None:
        if len(simulations) == 1:
            simulations[0].advance(n_examples, show)
        else:
            advance_together(simulations, n_examples, show)

    seeds = [simulation.seed for simulation in simulations]
    started = time.perf_counter()
    try:
        learn(1)  # compiles
        started = time.perf_counter()
        learn(None)
    except Stopped:
        raise
    except Exception as error:
        if len(seeds) == 1:
            return [*outcomes, failed(seeds[0], error, time.perf_counter() - started)]
        alone = [run_group(experiment, Group(group.settings, (seed,)), progress) for seed in seeds]
        return outcomes + [outcome for run in alone for outcome in run]
    seconds = (time.perf_counter() - started) / len(simulations)
    return outcomes + [_measured(experiment, simulation, seconds) for simulation in simulations]


def failed(seed: int, error: BaseException, seconds: float = 0.0) -> Outcome:
    """Return the outcome of a run that this error ended."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    for character in unwritable(line):
        line = line.replace(character, repr(character)[1:-1])
    return Outcome(seed, (), seconds, line)


def _measured(experiment: Experiment, simulation: Simulation, seconds: float) -> Outcome:
    try:
        measures = experiment.measures(simulation)
        values = tuple(float(measures[name]) for name in experiment.measure_names)
        for name, value in zip(experiment.measure_names, values, strict=True):
            if not math.isfinite(value):
                raise ValueError(f"the measure {name} is {value}; a result is a finite number.")
    except Exception as error:
        return failed(simulation.seed, error, seconds)
    return Outcome(simulation.seed, values, seconds, "")
