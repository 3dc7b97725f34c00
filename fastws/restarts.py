"""Restarts: several machines from different seeds, of which the one with the lowest free energy is kept.

Wake-sleep can end in a local optimum, and says so itself: the free energy of the training images (Eq 5), which needs no
knowledge of what made them, is then higher.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws import estimate, exact
from fastws.checks import NotFiniteError, Whole, check_integer, check_probability
from fastws.simulation import Simulation, advance_together
from fastws.streams import Stream
from fastws.threads import shares, side_by_side

__all__ = ["best_of", "lowest_free_energy", "seeds_of_restarts", "training_free_energy_bits"]

TRIAL = 0.25
_IMAGES = 1000
_SAMPLES = 20


def best_of(
    new: Callable[[int], Simulation],
    n: Whole = 3,
    seed: Whole = 0,
    trial: float = TRIAL,
    progress: Callable[[int, int], object] | None = None,
) -> Simulation:
    """Run simulations from different seeds for a trial, and the best of them to the end of its schedule.

    Parameters
    ----------
    new : callable
        Given a seed, it returns a simulation that has not begun. A stream of your own needs the training images as
        `x`, like `Images`, or a method `sample`, like `Bars`.
    n : int, default=3
        How many.
    seed : int, default=0
        The seeds are those of `seeds_of_restarts`: of two calls with different seeds below 2^32 none is shared.
    trial : float, default=0.25
        The part of its schedule after which all but the simulation of lowest free energy are given up; 1 runs all of
        them to the end.
    progress : callable, optional
        Called ten times a second with the examples seen so far, by all, and those to be seen.

    Returns
    -------
    Simulation
        The best, at the end of its schedule. Those whose parameters grow beyond 32-bit floats in the trial are given
        up, too.

    Raises
    ------
    ValueError
        If n, the seed or the trial is out of range, the stream has neither training images nor samples, or no
        simulation, or not the best one, keeps its parameters finite.
    """
    check_probability(trial, "trial")
    simulations = [new(own) for own in seeds_of_restarts(seed, n)]
    for simulation in simulations:
        _check_images(simulation.stream)
    length = trial_length(simulations[0], trial)
    total = simulations[0].total_examples + (n - 1) * length

    def watch() -> None:
        if progress is not None:
            progress(sum(simulation.examples_seen for simulation in simulations), total)

    finite = side_by_side([partial(_try_out, part, length) for part in shares(simulations)], watch=watch)
    best = lowest_free_energy([simulation for part in finite for simulation in part] or simulations)
    side_by_side([partial(advance_together, [best], None)], watch=watch)
    return best


def _try_out(simulations: Sequence[Simulation], until: int, check: Callable[[object], None]) -> list[Simulation]:
    """Let simulations learn up to a number of examples; return those whose parameters stay finite."""
    left = list(simulations)
    while left:
        try:
            advance_together(left, until, check)
            break
        except NotFiniteError:
            finite = [simulation for simulation in left if _is_finite(simulation)]
            if len(finite) == len(left):
                raise
            left = finite
    return left


def _is_finite(simulation: Simulation) -> bool:
    try:
        simulation.machine.check_finite()
    except NotFiniteError:
        return False
    return True


def seeds_of_restarts(seed: Whole, n: Whole) -> list[int]:
    """Return the seeds of n restarts: the seed itself, and others beyond 2^32.

    Raises
    ------
    ValueError
        If the seed or n is out of range.
    """
    seed = check_integer(seed, "seed", at_least=0)
    return [seed + (restart << 32) for restart in range(check_integer(n, "n"))]


def trial_length(simulation: Simulation, trial: float = TRIAL) -> int:
    """Return how many examples a part of a schedule is, at least 1."""
    return max(1, round(trial * simulation.total_examples))


def examples_of_each(total: int, n: int) -> int:
    """Return how long the schedules of n restarts may be if together they are to see no more examples than `total`."""
    return max(1, int(total / (1 + (n - 1) * TRIAL)))


def lowest_free_energy(simulations: Sequence[Simulation]) -> Simulation:
    """Return the simulation that describes its training images in the fewest bits; the first of equals."""
    return min(simulations, key=training_free_energy_bits)


def training_free_energy_bits(simulation: Simulation) -> float:
    """Return the mean free energy of training images (Eq 5), in bits.

    These are all images of a finite set, or 1,000 of a stream, the same for all simulations. The free energy is exact
    up to 14 hidden units, and sampled beyond.

    Raises
    ------
    ValueError
        If the stream has neither images nor samples, or a parameter is not finite.
    """
    machine = simulation.machine
    x = _images(simulation.stream)
    images, counts = np.unique(x, axis=0, return_counts=True)
    if sum(machine.layer_sizes[1:]) <= exact.MOST_QUICKLY_ENUMERATED:
        bits = exact.free_energy_bits(machine, images)
    else:
        bits = estimate.free_energy_bits(machine, images, _SAMPLES)
    return float(np.average(bits, weights=counts))


def _check_images(stream: Stream) -> None:
    if not (hasattr(stream, "x") or hasattr(stream, "sample")):
        raise ValueError(
            f"the stream is a {type(stream).__name__}, which has neither `x`, its images, nor a method `sample(n)`: "
            "there is nothing to compare machines by. Give it one of them."
        )


def _images(stream: Stream) -> NDArray[np.uint8]:
    _check_images(stream)
    known: Any = stream
    return known.x if hasattr(known, "x") else known.sample(_IMAGES)
