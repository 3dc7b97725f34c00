"""From the seeds that people use to the keys that the kernels draw with."""

import enum

import numpy as np
from numpy.typing import NDArray

from fastws.checks import Whole, check_integer


class Use(enum.IntEnum):
    """What the draws are for: each use of one seed has a key of its own. The numbers are part of saved results."""

    LEARNING = 0
    ORDER = 1
    FANTASIES = 2
    REPRESENTATIONS = 3
    WAKE_STEP = 4
    SLEEP_STEP = 5
    STREAM = 6
    ESTIMATES = 7
    START_UP = 8


def make_key(seed: Whole, use: Use) -> NDArray[np.uint32]:
    """Return the 128-bit key of a seed and a use, mixed by `numpy.random.SeedSequence`: adjacent seeds are unrelated.

    Raises
    ------
    ValueError
        If the seed is not a whole number of at least 0.
    """
    sequence = np.random.SeedSequence(check_integer(seed, "seed", at_least=0), spawn_key=(use,))
    return sequence.generate_state(4).astype(np.uint32)
