"""How arrays of float32 lie in memory for the vectors that kernels work with."""

import math

import numpy as np
from numpy.typing import NDArray

LANES = 16
"""Elements of a vector."""


def aligned(*shape: int) -> NDArray[np.float32]:
    """Return zeros whose last axis is rounded up to whole vectors and whose rows begin where a cache line does."""
    *outer, n_columns = shape
    whole = (*outer, -(-n_columns // LANES) * LANES)
    space = np.zeros(math.prod(whole) + LANES, np.float32)
    start = -(space.ctypes.data // 4) % LANES
    return space[start : start + math.prod(whole)].reshape(whole)
