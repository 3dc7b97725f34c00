"""Figure 1: a 16-8-1 machine discovers the bars."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from fastws import exact
from fastws.checks import check_integer
from fastws.experiments.watched import WatchedRun, train
from fastws.machine import Machine
from fastws.restarts import lowest_free_energy, seeds_of_restarts
from fastws.simulation import Simulation
from fastws.streams import MAX_ENUMERATED_SIZE, Bars

if TYPE_CHECKING:
    from fastws.sweep import Setting

__all__ = [
    "BARS",
    "RECIPES",
    "BarsExperiment",
    "BarsRun",
    "Contest",
    "Recipe",
    "learn",
    "new_contest",
    "new_run",
    "new_simulation",
]

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
    restarts : int
        With how many machines `fastws bars` begins.

    Examples
    --------
    >>> from fastws.experiments.bars import Recipe
    >>> Recipe(-3.0, ((0.5, (0.1,) * 3), (0.5, (0.01,) * 3))).schedule(1000)
    [(500, (0.1, 0.1, 0.1)), (500, (0.01, 0.01, 0.01))]
    """

    first_hidden_bias: float
    phases: tuple[tuple[float, tuple[float, float, float]], ...]
    restarts: int = 1

    def schedule(self, n_examples: int) -> list[tuple[int, tuple[float, float, float]]]:
        """Return the phases for a number of examples, those of no example left out."""
        fractions = np.cumsum([fraction for fraction, _ in self.phases])
        ends = np.rint(fractions * n_examples).astype(int)
        lengths = np.diff(ends, prepend=0)
        return [(int(n), rates) for n, (_, rates) in zip(lengths, self.phases, strict=True) if n > 0]


RECIPES = {
    # Note [15] to the letter. Its "0.2 for the weights to and from the input units" includes the biases of level 0.
    "paper": Recipe(-3.0, ((1.0, (0.2, 0.001, 0.001)),)),
    # Level 0 finds the bars before the levels above it begin to say which go together; then everything settles. Which
    # optimum a machine ends in is decided in the first quarter, and nine of ten machines are right: three are begun.
    "robust": Recipe(
        -5.0,
        (
            (0.25, (0.5, 0.0, 0.0)),
            (0.15, (0.9, 3e-4, 3e-4)),
            (0.30, (0.5, 5e-3, 5e-3)),
            (0.30, (0.01, 1e-2, 1e-2)),
        ),
        restarts=3,
    ),
}
"""The recipes by name: paper, and robust, which fails less."""


class BarsRun(WatchedRun):
    """One run of the bars experiment; its curve holds the asymmetric divergence and the KL penalty, exact, in bits.

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> run = bars.new_run(n_examples=200)
    >>> bars.learn([run])
    >>> run.succeeded, run.divergence_bits > 1
    (False, True)
    """

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


def learn(runs: Sequence[BarsRun], until: int | None = None, check: Callable[[object], None] = lambda _: None) -> None:
    """Learn from a number of examples, or to the end of the schedule; what `check` raises ends it in good order.

    The runs differ in their seeds only.

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> runs = [bars.new_run(seed, n_examples=200) for seed in range(2)]
    >>> bars.learn(runs)
    >>> [run.curve[-1][0] for run in runs]
    [200, 200]
    """
    first = runs[0]
    distribution = first.bars.distribution()

    def measure(machine: Machine) -> tuple[float, float]:
        report = exact.report(machine, *distribution)
        return report.asymmetric_divergence_bits, report.kl_penalty_bits

    points = evaluation_points(first.simulation.total_examples)
    if until is not None:
        points = [point for point in points if point < until] + [until]
    train(runs, points, measure, check)


@dataclass
class Contest:
    """The runs of one seed: one, or several until the one of lowest free energy is chosen.

    Attributes
    ----------
    seed : int
    runs : list of BarsRun
        Those that go on.
    restarts : int
        How many runs there were at first.
    given_up : int
        Examples that the others had seen.

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> contest = bars.new_contest(0, 2, lambda seed: bars.new_run(seed, n_examples=200))
    >>> bars.learn(contest.runs, until=50)
    >>> contest.choose()
    >>> len(contest.runs), contest.given_up
    (1, 50)
    """

    seed: int
    runs: list[BarsRun]
    restarts: int = 1
    given_up: int = 0

    @property
    def best(self) -> BarsRun:
        """The run that was chosen."""
        [run] = self.runs
        return run

    def choose(self) -> None:
        """Give up all runs but the one of lowest free energy."""
        best = lowest_free_energy([run.simulation for run in self.runs])
        self.given_up += sum(run.simulation.examples_seen for run in self.runs if run.simulation is not best)
        compile_seconds = sum(run.compile_seconds for run in self.runs)
        self.runs = [run for run in self.runs if run.simulation is best]
        self.best.compile_seconds = compile_seconds

    def result(self, recipe: str) -> dict[str, Any]:
        """Return what ``result.json`` says of the runs."""
        result = {**self.best.result(recipe), "seed": self.seed}
        if self.restarts > 1:
            result["restarts"] = self.restarts
            result["kept_seed"] = self.best.simulation.seed
            result["examples_of_all_restarts"] = self.best.simulation.examples_seen + self.given_up
        return result


def default_restarts(recipe: str) -> int:
    """Return with how many machines `fastws bars` begins.

    Raises
    ------
    ValueError
        If there is no such recipe.
    """
    return _recipe(recipe).restarts


def _recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]


def new_contest(seed: int, restarts: int, new: Callable[[int], BarsRun]) -> Contest:
    """Return the runs of a seed, not begun; `new` returns that of a seed.

    Raises
    ------
    ValueError
        If the seed or the number of restarts is out of range, or as `new` does.

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> contest = bars.new_contest(seed=5, restarts=3, new=bars.new_run)
    >>> len(contest.runs)
    3
    """
    return Contest(seed, [new(own) for own in seeds_of_restarts(seed, restarts)], restarts)


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

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> run = bars.new_run(seed=1, n_examples=1000)
    >>> run.simulation
    <Simulation of Machine([16, 8, 1]) on Bars(size=4, ...), seed 1: 0 of 1,000 examples>
    """
    return BarsRun(new_simulation(seed, recipe, n_examples, bars, n_hidden))


def new_simulation(
    seed: int = 0,
    recipe: str = "paper",
    n_examples: int = PAPER_EXAMPLES,
    bars: Bars | None = None,
    n_hidden: int | None = None,
    n_top: int = 1,
    first_hidden_bias: float | None = None,
    nonnegative: bool = True,
) -> Simulation:
    """Return a simulation of a recipe that has not begun.

    Parameters
    ----------
    seed, recipe, n_examples, bars, n_hidden
        As in `new_run`.
    n_top : int, default=1
        Units of the top layer.
    first_hidden_bias : float, optional
        Where the generative biases of the first hidden layer start; where the recipe says by default.
    nonnegative : bool, default=True
        Hold the generative weights to the inputs at 0 or above.

    Raises
    ------
    ValueError
        As `new_run` does.

    Examples
    --------
    >>> from fastws.experiments import bars
    >>> bars.new_simulation(n_hidden=10, n_top=2, first_hidden_bias=-4).machine
    Machine([16, 10, 2])
    """
    chosen = _recipe(recipe)
    bars = bars or Bars()
    if bars.size > MAX_ENUMERATED_SIZE:
        raise ValueError(
            f"size is {bars.size}; exact evaluation lists the images one by one, so it takes at most "
            f"{MAX_ENUMERATED_SIZE}."
        )
    n_hidden = check_integer(2 * bars.size if n_hidden is None else n_hidden, "hidden")
    machine = Machine([bars.n_inputs, n_hidden, check_integer(n_top, "top")])
    exact.check_size(machine)
    with np.errstate(over="ignore"):  # the simulation says it better
        machine.gen_biases[1][:] = chosen.first_hidden_bias if first_hidden_bias is None else first_hidden_bias
    schedule = chosen.schedule(check_integer(n_examples, "examples"))
    return Simulation(machine, bars, schedule, nonnegative, seed)


class BarsExperiment:
    """What `fastws.sweep.run` needs to know of the bars; `BARS` is the one that there is.

    Its settings are the options of `fastws bars` and six more: `top`, the units of the top layer;
    `first_hidden_bias`, None for the recipe's own; `nonnegative`; `exclude`, which is one of none, full, blank and
    full+blank; and `n_samples` and `recognition` of `Simulation`. `hidden` is None for one unit a bar.

    Examples
    --------
    >>> from fastws.experiments.bars import BARS
    >>> BARS.simulation({**BARS.defaults, "hidden": 10}, seed=0).machine
    Machine([16, 10, 1])
    """

    name = "bars"
    defaults: "Mapping[str, Setting]" = MappingProxyType(
        {
            "recipe": "paper",
            "examples": PAPER_EXAMPLES,
            "size": 4,
            "hidden": None,
            "top": 1,
            "p_vertical": 2 / 3,
            "p_bar": 0.2,
            "exclude": "none",
            "first_hidden_bias": None,
            "nonnegative": True,
            "n_samples": 1,
            "recognition": "sleep",
        }
    )
    later: Sequence[str] = ("n_samples", "recognition")
    types: Mapping[str, type] = MappingProxyType({"hidden": int, "first_hidden_bias": float})
    measure_names: Sequence[str] = (
        "asymmetric_divergence_bits",
        "kl_penalty_bits",
        "free_energy_bits",
        "largest_weight",
    )

    def simulation(self, settings: Mapping[str, Any], seed: int) -> Simulation:
        """Return a run that has not begun, of settings of which none is missing."""
        exclude = () if settings["exclude"] == "none" else settings["exclude"].split("+")
        run = new_simulation(
            seed,
            settings["recipe"],
            settings["examples"],
            Bars(settings["size"], settings["p_vertical"], settings["p_bar"], exclude),
            settings["hidden"],
            settings["top"],
            settings["first_hidden_bias"],
            settings["nonnegative"],
        )
        return Simulation(
            run.machine,
            run.stream,
            run.schedule,
            run.nonnegative_input_weights,
            seed,
            n_samples=settings["n_samples"],
            recognition=settings["recognition"],
        )

    def measures(self, simulation: Simulation) -> dict[str, float]:
        """Return exact measures, averaged over the training distribution, and the largest weight."""
        stream = simulation.stream
        assert isinstance(stream, Bars)
        report = exact.report(simulation.machine, *stream.distribution())
        return {
            "asymmetric_divergence_bits": report.asymmetric_divergence_bits,
            "kl_penalty_bits": report.kl_penalty_bits,
            "free_energy_bits": report.free_energy_bits,
            "largest_weight": largest_weight(simulation.machine),
        }


BARS = BarsExperiment()
"""The bars, for `fastws.sweep.run`."""


def summary(contests: Sequence[Contest], recipe: str) -> dict[str, Any]:
    """Return what ``result.json`` says of several seeds."""
    return {
        "runs": [contest.result(recipe) for contest in contests],
        "success_rate": float(np.mean([contest.best.succeeded for contest in contests])),
        "median_asymmetric_divergence_bits": float(np.median([contest.best.divergence_bits for contest in contests])),
    }


def largest_weight(machine: Machine) -> float:
    """Return the largest magnitude in Figure 1c: generative weights to and from the first hidden layer, and biases."""
    shown = [machine.gen_biases[0], machine.gen_weights[0], machine.gen_biases[1], *machine.gen_weights[1:2]]
    return float(np.max([np.abs(array).max() for array in shown]))  # max of Python passes over NaN


def unambiguous(images: np.ndarray) -> np.ndarray:
    """Return the images that are neither blank nor full, which may be of either orientation; all if there are none."""
    on = images.sum(axis=1)
    found = images[(on > 0) & (on < images.shape[1])]
    return found if len(found) else images


def evaluation_points(n_examples: int) -> list[int]:
    """Return numbers of examples, closer together at first, when more happens, that end with n_examples."""
    return sorted({max(1, n_examples * k * k // _POINTS_OF_CURVE**2) for k in range(1, _POINTS_OF_CURVE + 1)})
