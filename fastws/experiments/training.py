"""A machine learns from images, watched: what it costs to describe them, and others that it does not learn from."""

import itertools
import numbers
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import estimate, streams
from fastws.checks import check_binary, check_contrast, check_integer
from fastws.divergence import check_bits
from fastws.experiments import watched
from fastws.machine import Machine
from fastws.simulation import Simulation

__all__ = ["TrainingRun", "new_training", "train"]

PATIENCE = 10
"""After how many sweeps without a lower free energy of the images held out `train` stops, if not told otherwise."""

DEFAULT_SWEEPS = 100
DEFAULT_RATE = 0.01

_POINTS_OF_CURVE = 25
_IMAGES_MEASURED = 1000
# Beside the seed: what is drawn by it.
_SPLIT, _CHOICE = 1, 2


@dataclass
class TrainingRun(watched.WatchedRun):
    """A training, finished or not; its curve holds the free energy (Eq 5) of training images, and of those held out.

    Attributes
    ----------
    held_out : ndarray of uint8, shape (n_held_out, n_0), or None
    patience : int
        In sweeps.
    best : Machine or None
        With images held out: a copy of the machine that had the lowest free energy of them.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.training import new_training
    >>> run = new_training(fastws.Machine([4, 2]), fastws.Bars(size=2).sample(40), [(200, 0.1)])
    >>> run.run()
    >>> run.kept_at, run.machine is run.simulation.machine
    (200, True)
    """

    held_out: NDArray[np.uint8] | None = None
    patience: int = PATIENCE
    best: Machine | None = None

    @property
    def images(self) -> NDArray[np.uint8]:
        """The training images."""
        stream = self.simulation.stream
        assert isinstance(stream, streams.Images)
        return stream.x

    @property
    def machine(self) -> Machine:
        """The machine to keep: the best one, or without images held out the last one."""
        return self.best or self.simulation.machine

    @property
    def kept_at(self) -> int:
        """After how many examples `machine` was as it is."""
        if self.held_out is None:
            return self.simulation.examples_seen
        return int(min(self.curve, key=lambda point: point[2])[0])

    @property
    def out_of_patience(self) -> bool:
        """Whether the images held out have not become cheaper for as many sweeps as patience lasts."""
        if self.held_out is None or not self.curve:
            return False
        return self.measured() - self.kept_at >= self.patience * len(self.images)

    def run(self, check: Callable[[object], None] = lambda seen: None) -> None:
        """Learn to the end of the schedule or of patience; what `check` raises ends it in good order.

        Raises
        ------
        LearningDiverged
            If what was learned cannot be right.
        """
        parts = [_some(self.images, self.simulation.seed)]
        if self.held_out is not None:
            parts.append(_some(self.held_out, self.simulation.seed))

        def measure(machine: Machine) -> tuple[float, ...]:
            return tuple(free_energy_bits(machine, part) for part in parts)

        for point in self._points():
            if point <= self.measured():
                continue
            if self.out_of_patience:
                break
            watched.train([self], [point], measure, check)
            if self.held_out is not None and self.kept_at == point:
                self.best = self.simulation.machine.copy()

    def _points(self) -> Iterable[int]:
        """Return where to measure: after every sweep if the rest depends on it, else where the curve needs it."""
        total = self.simulation.total_examples
        if self.held_out is not None:
            return itertools.chain(range(0, total, len(self.images)), [total])
        return sorted({total * k * k // _POINTS_OF_CURVE**2 for k in range(_POINTS_OF_CURVE + 1)})

    def simulations(self) -> list[Simulation]:
        """Return what a saved state is made of: the simulation, and one that only holds `best` and `held_out`."""
        if self.held_out is None:
            return [self.simulation]
        return [self.simulation, Simulation(self.machine, streams.Images(self.held_out), [(1, 0.0)])]

    def notes(self) -> dict[str, Any]:
        """Return, for JSON, what a saved state needs beside the simulations."""
        return {**super().notes(), "patience": self.patience}

    @classmethod
    def restored(cls, simulations: Sequence[Simulation], notes: dict[str, Any]) -> "TrainingRun":
        """Return the run that gave these simulations and notes."""
        run = cls.resumed(simulations[0], notes)
        run.patience = notes["patience"]
        for judge in simulations[1:]:
            assert isinstance(judge.stream, streams.Images)
            run.held_out, run.best = judge.stream.x, judge.machine
        return run

    def result(self) -> dict[str, Any]:
        """Return what ``result.json`` says of the training.

        Raises
        ------
        LearningDiverged
            If what was learned cannot be right.
        """
        free_energy = free_energy_bits(self.machine, self.images)
        check_bits(self.simulation, free_energy)
        result = {
            "seed": self.simulation.seed,
            **self.machine.made_with(),
            "n_samples": self.simulation.n_samples,
            "recognition": self.simulation.recognition,
            "examples": self.simulation.examples_seen,
            "free_energy_bits": free_energy,
            "seconds": self.seconds,
            "compile_seconds": self.compile_seconds,
        }
        if self.held_out is not None:
            result |= {
                "held_out_free_energy_bits": free_energy_bits(self.machine, self.held_out),
                "n_held_out": len(self.held_out),
                "kept_at": self.kept_at,
                "stopped_early": self.simulation.examples_seen < self.simulation.total_examples,
            }
        return result


def new_training(
    machine: Machine,
    images: ArrayLike,
    schedule: Sequence[tuple[int, Any]] | None = None,
    validation: float | ArrayLike | None = None,
    patience: int = PATIENCE,
    nonnegative_input_weights: bool = False,
    seed: int = 0,
    n_samples: int = 1,
    recognition: str = "sleep",
) -> TrainingRun:
    """Return a training that has not begun; `train` says what the arguments are.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.training import new_training
    >>> run = new_training(fastws.Machine([4, 2]), fastws.Bars(size=2).sample(40))
    >>> run.simulation.examples_seen, run.simulation.total_examples  # a hundred sweeps to come
    (0, 4000)
    """
    check_integer(patience, "patience")
    training = streams.Images(images)
    held_out = None
    if isinstance(validation, numbers.Real):
        x, held_out = hold_out(training.x, float(validation), seed)
        training = streams.Images(x)
    elif validation is not None:
        held_out = check_binary(validation, name="validation")
    check_contrast(training.x, what="training images")
    if held_out is not None and held_out.shape[1] != training.n_inputs:
        raise ValueError(
            f"the images held out have {held_out.shape[1]} pixels and the others {training.n_inputs}; they must agree."
        )
    phases = [(DEFAULT_SWEEPS * len(training), DEFAULT_RATE)] if schedule is None else schedule
    simulation = Simulation(
        machine, training, phases, nonnegative_input_weights, seed, n_samples=n_samples, recognition=recognition
    )
    return TrainingRun(simulation, held_out=held_out, patience=patience)


def train(
    machine: Machine,
    images: ArrayLike,
    schedule: Sequence[tuple[int, Any]] | None = None,
    validation: float | ArrayLike | None = None,
    patience: int = PATIENCE,
    nonnegative_input_weights: bool = False,
    seed: int = 0,
    n_samples: int = 1,
    recognition: str = "sleep",
) -> TrainingRun:
    """Let a machine learn from images, as `fastws train` does, and keep the best one.

    Parameters
    ----------
    machine : Machine
        It learns in place, and goes on from what it is.
    images : array_like of {0, 1}, shape (n, n_0)
    schedule : sequence of (n_examples, rates), optional
        As `Simulation` takes it; by default 100 sweeps over the training images at the rate 0.01.
    validation : float or array_like of {0, 1}, shape (n_held_out, n_0), optional
        Images that nothing is learned from, or which part of the images to hold out, by the seed. Their free energy is
        measured after every sweep.
    patience : int, default=10
        With images held out: how many sweeps to go on without a lower free energy of them.
    nonnegative_input_weights : bool, default=False
        As in `Simulation`.
    seed : int, default=0
    n_samples : int, default=1
    recognition : {"sleep", "wake", "both"}, default="sleep"
        As in `Simulation`.

    Returns
    -------
    TrainingRun
        `machine` of it is the one to keep: with images held out that of their lowest free energy, and else the last.
        `curve` says what was measured on the way.

    Raises
    ------
    LearningDiverged
        If parameters are no longer finite, or images cost far more than their raw pixels (`fastws.divergence`).
    ValueError
        If the images are not binary or all the same, or a number is out of range.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.training import train
    >>> x = fastws.Bars(size=2).sample(40)
    >>> run = train(fastws.Machine([4, 2]), x, schedule=[(200, 0.1)], validation=0.25)
    >>> len(run.images), len(run.held_out), round(run.curve[0][1], 6)
    (30, 10, 4.0)
    """
    run = new_training(
        machine, images, schedule, validation, patience, nonnegative_input_weights, seed, n_samples, recognition
    )
    run.run()
    return run


def hold_out(x: NDArray[np.uint8], part: float, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images to learn from and those held out, a random choice of the seed, each in their order.

    Raises
    ------
    ValueError
        If the part is not between 0 and 1, or leaves no image on either side.
    """
    if not 0 < part < 1:
        raise ValueError(f"the part to hold out is {part!r}; give one between 0 and 1, as 0.1.")
    n = round(part * len(x))
    if not 0 < n < len(x):
        raise ValueError(f"a part of {part:g} of {len(x)} images is {n}; hold out one at least, and leave one.")
    chosen = np.zeros(len(x), bool)
    chosen[_rng(seed, _SPLIT).permutation(len(x))[:n]] = True
    return x[~chosen], x[chosen]


def free_energy_bits(machine: Machine, x: NDArray[np.uint8]) -> float:
    """Return the mean free energy of images, always by the same draws."""
    return float(estimate.free_energy_bits(machine, x).mean())


def _some(x: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return images enough to measure by."""
    if len(x) <= _IMAGES_MEASURED:
        return x
    return x[np.sort(_rng(seed, _CHOICE).permutation(len(x))[:_IMAGES_MEASURED])]


def _rng(seed: int, use: int) -> np.random.Generator:
    return np.random.default_rng((check_integer(seed, "seed", at_least=0), use))
