"""How sure a mean is."""

import math
from collections.abc import Sequence

import numpy as np


def interval(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean of draws, and half of Student's 95 % interval of it; None where one draw has none."""
    from scipy.stats import t

    n = len(values)
    if n == 1:
        return values[0], None
    return float(np.mean(values)), float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / math.sqrt(n))
