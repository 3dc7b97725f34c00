"""Restarts: several machines from different seeds, of which the one with the lowest free energy is kept.

Wake-sleep can end in a local optimum, and says so itself: the free energy of the training images (Eq 5), which needs no
knowledge of what made them, is then higher.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fastws import estimate, exact
from fastws.checks import NotFiniteError, Whole, check_binary, check_integer, check_probability
from fastws.simulation import Simulation, advance_together
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
        If n, the seed or the trial is out of range, `new` returns something else or a machine twice, the stream has no
        images to tell the best by (neither `x`, a set of them, nor `sample(n)`), or every simulation ends in parameters
        that are not finite.

    Notes
    -----
    One that ends in parameters that are not finite counts as the worst; the next best takes its place.

    Examples
    --------
    >>> import fastws
    >>> def new(seed):
    ...     return fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(400, 0.1)], seed=seed)
    >>> best = fastws.best_of(new, n=3)
    >>> best.examples_seen
    400
    """
    check_probability(trial, "trial")
    simulations = [new(own) for own in seeds_of_restarts(seed, n)]
    for simulation in simulations:
        if not isinstance(simulation, Simulation):
            raise ValueError(f"new returned {simulation!r}; it has to return a Simulation.")
        _images_of(simulation)
    if len({id(simulation.machine) for simulation in simulations}) < len(simulations):
        raise ValueError("new gives the same machine to several simulations; let it make one each time.")
    length = trial_length(simulations[0], trial)
    total = simulations[0].total_examples + (n - 1) * length

    def watch() -> None:
        if progress is not None:
            progress(sum(simulation.examples_seen for simulation in simulations), total)

    finite = side_by_side([partial(_try_out, part, length) for part in shares(simulations)], watch=watch)
    left = [simulation for part in finite for simulation in part]
    while True:
        best = lowest_free_energy(left)
        try:
            side_by_side([partial(advance_together, [best], None)], watch=watch)
            return best
        except NotFiniteError:
            left.remove(best)
            total += best.total_examples - length


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

    Examples
    --------
    >>> from fastws.restarts import seeds_of_restarts
    >>> seeds_of_restarts(7, 3)
    [7, 4294967303, 8589934599]
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
    """Return the simulation that describes its training images in the fewest bits; the first of equals.

    Raises
    ------
    ValueError
        If all have parameters that are not finite.

    Examples
    --------
    >>> import fastws
    >>> from fastws.restarts import lowest_free_energy
    >>> images = fastws.Images([[1, 1, 1, 0]])
    >>> new, old = (fastws.Simulation(fastws.Machine([4, 2]), images, [(900, 0.1)]) for _ in range(2))
    >>> lowest_free_energy([new, old.advance()]) is old
    True
    """
    finite = [simulation for simulation in simulations if _is_finite(simulation)]
    if not finite:
        raise ValueError(
            "every restart has ended in parameters that are not finite, so that none is the best. Give lower learning "
            "rates, or finite parameters to begin with."
        )
    return min(finite, key=training_free_energy_bits)


def training_free_energy_bits(simulation: Simulation) -> float:
    """Return the mean free energy of training images (Eq 5), in bits.

    These are all images of a finite set, or 1,000 of a stream, the same for all simulations. The free energy is exact
    up to 14 hidden units, and sampled beyond.

    Raises
    ------
    ValueError
        If the stream has neither `x`, a set of images, nor `sample(n)`, or a parameter is not finite.

    Examples
    --------
    >>> import fastws
    >>> from fastws.restarts import training_free_energy_bits
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(300, 0.1)])
    >>> round(training_free_energy_bits(run), 6)  # it knows nothing yet: a bit a pixel
    4.0
    """
    machine = simulation.machine
    images, counts = np.unique(_images_of(simulation), axis=0, return_counts=True)
    if exact.is_enumerable(machine, exact.MOST_QUICKLY_ENUMERATED):
        bits = exact.free_energy_bits(machine, images)
    else:
        bits = estimate.free_energy_bits(machine, images, _SAMPLES)
    return float(np.average(bits, weights=counts))


def _images_of(simulation: Simulation) -> NDArray[np.uint8]:
    """Return images that a simulation learns from."""
    stream, n_inputs = simulation.stream, simulation.machine.layer_sizes[0]
    if hasattr(stream, "x"):
        return check_binary(stream.x, n_inputs, "the stream's x")
    if hasattr(stream, "sample"):
        return check_binary(stream.sample(_IMAGES), n_inputs, "the stream's sample")
    raise ValueError(
        f"a stream of type {type(stream).__name__} shows none of its images, and the best restart is the one that "
        "describes them in the fewest bits. Give it an attribute x, its images, or a method sample(n), which returns n."
    )
