"""What all methods that learn have in common: when they are judged, and when they have learned enough."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws import estimate
from fastws.divergence import check_bits
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Images

__all__ = ["LEAST_GAIN", "RATE", "SWEEPS_A_LOOK", "Parts", "Result", "free_energy_bits", "is_over", "wake_sleep"]

RATE = 0.01
SWEEPS_A_LOOK = 5
"""After how many sweeps the validation cost is computed again."""
LEAST_GAIN = 0.002
"""A cost is better than the one before it if it is lower by more than this part of it."""

# A free energy is a mean over representations drawn, so many of all images together.
_LEAST_DRAWN = 10_000
_VALIDATING, _TESTING = 0, 1

Images_ = NDArray[np.uint8]
Check = Callable[[object], object]


class Parts(NamedTuple):
    """Images to learn from, to stop and choose by, and to test on.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws.experiments.density import Parts
    >>> x = np.eye(9, dtype=np.uint8)
    >>> [len(part) for part in Parts(x[:5], x[5:7], x[7:])]
    [5, 2, 2]
    """

    train: Images_
    validation: Images_
    test: Images_


class Result(NamedTuple):
    """What became of one method, of one size where it has a size; costs in bits an image.

    Attributes
    ----------
    validation_bits, test_bits : float
    sweeps : int
        Over the training images; 0 where nothing is repeated.
    """

    validation_bits: float
    test_bits: float
    sweeps: int = 0


def is_over(costs: Sequence[float]) -> bool:
    """Return whether learning ends: the last two validation costs were not better than those before them.

    Better is lower by more than 0.2 %. The two are each compared with their own predecessor.

    Examples
    --------
    >>> from fastws.experiments.density import is_over
    >>> is_over([30.0, 28.0, 27.0]), is_over([30.0, 28.0, 28.5, 28.5])
    (False, True)
    """
    return len(costs) > 2 and all(
        after >= before * (1 - LEAST_GAIN) for before, after in zip(costs[-3:-1], costs[-2:], strict=True)
    )


def learn(sweep: Callable[[int], object], cost: Callable[[], float]) -> list[float]:
    """Learn until it is over, and return the validation costs; `sweep` is given how many sweeps to make."""
    costs: list[float] = []
    while not is_over(costs):
        sweep(SWEEPS_A_LOOK)
        costs.append(cost())
    return costs


def free_energy_bits(machine: Machine, x: Images_, seed: int) -> float:
    """Return the mean free energy of images (Eq 5), by as many draws as it takes for it to be sharp."""
    n_samples = -(-_LEAST_DRAWN // len(x))
    return float(estimate.measures(machine, x, n_samples, seed, n_threads=1).free_energy_bits.mean())


def wake_sleep(parts: Parts, machine: Machine, seed: int, check: Check = lambda _: None) -> Result:
    """Let a machine learn by the wake-sleep algorithm, and test it.

    Raises
    ------
    LearningDiverged, NotFiniteError
        If what was learned cannot be right.
    """
    n = len(parts.train)
    # There is no end to the schedule but the rule's.
    run = Simulation(machine, Images(parts.train), [(2**62, RATE)], seed=seed)

    def cost() -> float:
        check(run.examples_seen)
        bits = free_energy_bits(run.machine, parts.validation, _VALIDATING)
        check_bits(run, bits)
        return bits

    costs = learn(lambda sweeps: run.advance(sweeps * n, check), cost)
    return Result(costs[-1], free_energy_bits(run.machine, parts.test, _TESTING), run.examples_seen // n)
