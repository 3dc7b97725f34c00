"""Simulations that are measured on the way."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from fastws.divergence import check_bits
from fastws.machine import Machine
from fastws.simulation import Simulation, advance_together

__all__ = ["WatchedRun", "train"]


@dataclass
class WatchedRun:
    """A simulation, finished or not, with what was measured on the way.

    Attributes
    ----------
    simulation : Simulation
    curve : list of (examples seen, measure, measure …)
        The last entry, of a run that is finished, is its end.
    seconds : float
        Time spent learning; of runs that learn together, each has its share.
    compile_seconds : float
        Time spent compiling, or loading what had been compiled before.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.watched import WatchedRun
    >>> run = WatchedRun(fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)]))
    >>> run.measured()
    -1
    """

    simulation: Simulation
    curve: list[tuple[float, ...]] = field(default_factory=list)
    seconds: float = 0.0
    compile_seconds: float = 0.0

    def compile(self) -> None:
        """Get the kernels ready, apart from the time that learning takes."""
        self.compile_seconds += self.simulation.compile()

    def measured(self) -> int:
        """Return how many examples had been seen at the last measurement; -1 before the first."""
        return int(self.curve[-1][0]) if self.curve else -1

    def notes(self) -> dict[str, Any]:
        """Return, for JSON, what a saved state needs beside the simulation."""
        return {"curve": self.curve, "seconds": self.seconds}

    @classmethod
    def resumed(cls, simulation: Simulation, notes: dict[str, Any]) -> Self:
        """Return the run that gave these notes."""
        return cls(simulation, [tuple(point) for point in notes["curve"]], notes["seconds"])


def train(
    runs: Sequence[WatchedRun],
    points: Iterable[int],
    measure: Callable[[Machine], tuple[float, ...]],
    check: Callable[[object], None] = lambda seen: None,
) -> None:
    """Learn up to each of these numbers of examples and measure there; what `check` raises ends it in good order.

    Points that an earlier call has measured are passed over. The first of the measures is in bits an image.

    Raises
    ------
    LearningDiverged
        If what was learned cannot be right. The run is then as it was found.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.watched import WatchedRun, train
    >>> run = WatchedRun(fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)]))
    >>> train([run], [0, 50, 90], lambda machine: tuple(fastws.exact.free_energy_bits(machine, [[0, 1, 0, 1]])))
    >>> [seen for seen, bits in run.curve]
    [0, 50, 90]
    """
    for point in points:
        due = [run for run in runs if run.measured() < point]
        started = time.perf_counter()
        try:
            advance_together([run.simulation for run in due], point, check)
        finally:
            for run in due:
                run.seconds += (time.perf_counter() - started) / len(due)
        for run in due:
            measures = measure(run.simulation.machine)
            check_bits(run.simulation, measures[0])
            run.curve.append((point, *measures))
