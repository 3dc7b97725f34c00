"""Logits in float64: plain products of matrices, or, where parameters are so large that these lose digits, exact sums.

A float32 is a sum of parts, each a whole number of at most 24 bits times a power of two that is fixed for that part. A
product of binary states and such parts is a sum of whole numbers below 2^53, which float64 holds as they are; so only
putting the parts together again rounds.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PART_BITS = 24
# A sum of this size a unit rounds by 2^-53 of it, 6e-14 nats.
_MODERATE = 512.0


def are_moderate(weights: Floats, biases: Floats) -> bool:
    """Return whether the largest possible logits, averaged over units, are so small that no digit lost matters."""
    return float((np.abs(weights).sum(axis=0) + np.abs(biases)).mean()) <= _MODERATE


def logits_of(states: NDArray[Any], weights: NDArray[Any], biases: NDArray[Any]) -> Floats:
    """Return b_v + sum_u s_u w_uv for each row of binary states, the exponent of Eq 1, shape (n, units)."""
    rows, weights, biases = (np.asarray(array, np.float64) for array in (states, weights, biases))
    if are_moderate(weights, biases):
        return rows @ weights + biases
    sums = ExactSums(weights, biases)
    return sums.total([rows @ of_weights + of_biases for of_weights, of_biases in sums.parts])


class ExactSums:
    """Arrays in parts, so that sums of their numbers can be made without rounding.

    Attributes
    ----------
    parts : list of list of ndarray of float64
        The parts of each array, the largest first; they sum to the arrays.
    """

    def __init__(self, *arrays: NDArray[Any]) -> None:
        rest = [np.asarray(array, np.float64) for array in arrays]
        exponent = math.frexp(max(float(np.abs(array).max()) for array in rest))[1]
        self.parts: list[list[Floats]] = []
        self._units: list[float] = []
        while any(array.any() for array in rest):
            exponent -= _PART_BITS
            unit = math.ldexp(1.0, exponent)
            parts = [np.rint(array / unit) * unit for array in rest]
            rest = [array - part for array, part in zip(rest, parts, strict=True)]
            self.parts.append(parts)
            self._units.append(unit)

    def total(self, sums: Sequence[Floats]) -> Floats:
        """Return the total of sums of each part's numbers, to the last bits of its own value.

        The sums are changed in place: to the same total in parts that do not overlap.
        """
        for k in reversed(range(1, len(sums))):
            carry = np.rint(sums[k] / self._units[k - 1]) * self._units[k - 1]
            sums[k][...] -= carry
            sums[k - 1][...] += carry
        total = np.zeros_like(sums[0])
        for part in reversed(sums):
            total += part
        return total
