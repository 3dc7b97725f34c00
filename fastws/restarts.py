"""Restarts: several machines from different seeds, of which the one with the lowest free energy is kept.

Wake-sleep can end in a local optimum, and says so itself: the free energy of the training images (Eq 5), which needs no
knowledge of what made them, is then higher.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from fastws import estimate, exact
from fastws.checks import Whole, check_integer, check_probability
from fastws.simulation import Simulation, advance_together
from fastws.streams import Bars, Images
from fastws.threads import shares, side_by_side

__all__ = ["best_of", "lowest_free_energy", "seeds_of_restarts", "training_free_energy_bits"]

TRIAL = 0.25
_IMAGES = 1000
_MOST_ENUMERATED = 14
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
        Given a seed, it returns a simulation that has not begun.
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
        The best, at the end of its schedule.

    Raises
    ------
    ValueError
        If n, the seed or the trial is out of range.
    """
    check_probability(trial, "trial")
    simulations = [new(own) for own in seeds_of_restarts(seed, n)]
    length = trial_length(simulations[0], trial)
    total = simulations[0].total_examples + (n - 1) * length

    def watch() -> None:
        if progress is not None:
            progress(sum(simulation.examples_seen for simulation in simulations), total)

    side_by_side([partial(advance_together, part, length) for part in shares(simulations)], watch=watch)
    best = lowest_free_energy(simulations)
    side_by_side([partial(advance_together, [best], None)], watch=watch)
    return best


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
    """
    stream, machine = simulation.stream, simulation.machine
    assert isinstance(stream, Bars | Images)
    x = stream.x if isinstance(stream, Images) else stream.sample(_IMAGES)
    images, counts = np.unique(x, axis=0, return_counts=True)
    if sum(machine.layer_sizes[1:]) <= _MOST_ENUMERATED:
        bits = exact.free_energy_bits(machine, images)
    else:
        bits = estimate.free_energy_bits(machine, images, _SAMPLES)
    return float(np.average(bits, weights=counts))
