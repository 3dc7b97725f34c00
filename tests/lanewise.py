"""What only kernels call, for Python to call: functions of lanes, applied to arrays, and draws."""

import numpy as np
from numba import njit

from fastws.kernels import random
from fastws.kernels.layout import LANES


@njit
def draw_thresholds(key, example, n_draws, thresholds):
    random.draw_thresholds(key, example, n_draws, thresholds)


@njit
def draw_ahead(key, first_draw, n_draws, thresholds):
    return random.draw_ahead(key, first_draw, n_draws, thresholds)


def apply(function, x):
    """Return the float32 values that a function writes, row by row, of lanes; as float64."""
    rows = np.zeros((-(-len(x) // LANES), LANES), x.dtype)
    rows.ravel()[: len(x)] = x
    out = np.empty(rows.shape, np.float32)
    function(rows, out)
    return out.ravel()[: len(x)].astype(np.float64)
