"""Figure 1: a 16-8-1 machine discovers the bars."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastws import exact
from fastws.checks import check_integer
from fastws.experiments.watched import WatchedRun
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars

PAPER_EXAMPLES = 2_000_000
PAPER_DIVERGENCE_BITS = 0.10
PAPER_KL_PENALTY_BITS = 0.08
PAPER_LARGEST_WEIGHT = 14.1
_POINTS_OF_CURVE = 40


@dataclass(frozen=True)
class Recipe:
    """How a run starts and how fast it learns.

    Attributes
    ----------
    first_hidden_bias : float
        Where the generative biases of the first hidden layer start; everything else starts at 0.
    phases : tuple of (fraction of the examples, rates)
        The rates are those of level 0, level 1 and the top layer's biases.
    """

    first_hidden_bias: float
    phases: tuple[tuple[float, tuple[float, float, float]], ...]

    def schedule(self, n_examples: int) -> list[tuple[int, tuple[float, float, float]]]:
        """Return the phases for a number of examples, those of no example left out."""
        fractions = np.cumsum([fraction for fraction, _ in self.phases])
        ends = np.rint(fractions * n_examples).astype(int)
        lengths = np.diff(ends, prepend=0)
        return [(int(n), rates) for n, (_, rates) in zip(lengths, self.phases, strict=True) if n > 0]


RECIPES = {
    # Note [15] to the letter. Its "0.2 for the weights to and from the input units" includes the biases of level 0.
    "paper": Recipe(-3.0, ((1.0, (0.2, 0.001, 0.001)),)),
    # Level 0 finds the bars before the levels above it begin to say which go together; then everything settles.
    "robust": Recipe(
        -5.0,
        (
            (0.25, (0.3, 0.0, 0.0)),
            (0.25, (0.4, 3e-4, 3e-4)),
            (0.25, (0.2, 5e-3, 5e-3)),
            (0.15, (0.1, 5e-3, 5e-3)),
            (0.10, (0.02, 1e-3, 1e-3)),
        ),
    ),
}


class BarsRun(WatchedRun):
    """One run of the bars experiment; its curve holds the asymmetric divergence and the KL penalty, exact, in bits."""

    @property
    def bars(self) -> Bars:
        """The generator of the training images."""
        stream = self.simulation.stream
        assert isinstance(stream, Bars)
        return stream

    @property
    def divergence_bits(self) -> float:
        """KL(data ‖ model) at the last evaluation."""
        return self.curve[-1][1]

    @property
    def succeeded(self) -> bool:
        """Whether the divergence is at or below the paper's."""
        return self.divergence_bits <= PAPER_DIVERGENCE_BITS

    def run(self, check: Callable[[object], None] = lambda seen: None) -> None:
        """Learn to the end of the schedule; what `check` raises ends it in good order."""
        distribution = self.bars.distribution()

        def measure(machine: Machine) -> tuple[float, float]:
            report = exact.report(machine, *distribution)
            return report.asymmetric_divergence_bits, report.kl_penalty_bits

        self.train(_evaluation_points(self.simulation.total_examples), measure, check)

    def result(self, recipe: str) -> dict[str, Any]:
        """Return what ``result.json`` says of the run."""
        examples = self.simulation.examples_seen
        return {
            "seed": self.simulation.seed,
            "recipe": recipe,
            "examples": examples,
            "asymmetric_divergence_bits": self.curve[-1][1],
            "kl_penalty_bits": self.curve[-1][2],
            "largest_weight": largest_weight(self.simulation.machine),
            "seconds": self.seconds,
            "examples_per_second": examples / self.seconds,
            "compile_seconds": self.compile_seconds,
        }


def new_run(
    seed: int = 0,
    recipe: str = "paper",
    n_examples: int = PAPER_EXAMPLES,
    bars: Bars | None = None,
    n_hidden: int | None = None,
) -> BarsRun:
    """Return a run that has not begun.

    Parameters
    ----------
    seed : int, default=0
    recipe : {"paper", "robust"}
    n_examples : int, default=2,000,000
    bars : Bars, optional
        The paper's 4 x 4 images by default.
    n_hidden : int, optional
        Units of the first hidden layer; one a bar by default. There is one unit above them.

    Raises
    ------
    ValueError
        If a number is out of range, there is no such recipe, or the machine has too many hidden units, or the images
        too many pixels, for exact evaluation.
    """
    if recipe not in RECIPES:
        raise ValueError(f"there is no recipe {recipe!r}; choose one of {', '.join(RECIPES)}.")
    bars = bars or Bars()
    n_hidden = check_integer(2 * bars.size if n_hidden is None else n_hidden, "hidden")
    machine = Machine([bars.n_inputs, n_hidden, 1])
    exact.check_size(machine)
    machine.gen_biases[1][:] = RECIPES[recipe].first_hidden_bias
    schedule = RECIPES[recipe].schedule(check_integer(n_examples, "examples"))
    return BarsRun(Simulation(machine, bars, schedule, nonnegative_input_weights=True, seed=seed))


def summary(runs: list[BarsRun], recipe: str) -> dict[str, Any]:
    """Return what ``result.json`` says of several runs."""
    return {
        "runs": [run.result(recipe) for run in runs],
        "success_rate": float(np.mean([run.succeeded for run in runs])),
        "median_asymmetric_divergence_bits": float(np.median([run.divergence_bits for run in runs])),
    }


def largest_weight(machine: Machine) -> float:
    """Return the largest magnitude in Figure 1c: generative weights to and from the first hidden layer, and biases."""
    shown = [machine.gen_biases[0], machine.gen_weights[0], machine.gen_biases[1], *machine.gen_weights[1:2]]
    return float(max(np.abs(array).max() for array in shown))


def unambiguous(images: np.ndarray) -> np.ndarray:
    """Return the images that are neither blank nor full, which may be of either orientation."""
    on = images.sum(axis=1)
    return images[(on > 0) & (on < images.shape[1])]


def _evaluation_points(n_examples: int) -> list[int]:
    """Return numbers of examples, closer together at first, when more happens, that end with n_examples."""
    return sorted({max(1, n_examples * k * k // _POINTS_OF_CURVE**2) for k in range(1, _POINTS_OF_CURVE + 1)})
