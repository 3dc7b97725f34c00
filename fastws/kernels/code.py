"""Probabilities for an entropy coder. Sender and receiver must agree on them to the bit, on any two computers."""

from fastws.kernels.connection import generative, recognition
from fastws.kernels.elementary import logistic
from fastws.kernels.jit import jit
from fastws.kernels.lanes import store, to_double, where
from fastws.kernels.layout import LANES
from fastws.kernels.types import Doubles, Floats, Net
from fastws.kernels.units import logits

CODE_BITS = 22
"""A probability in a code is a whole number of 2^-22."""
CODE_ONE = 2.0**CODE_BITS


@jit
def code_probabilities(
    net: Net, upward: bool, level: int, states: Floats, probabilities: Doubles, first: int
) -> None:
    """Write the probabilities of Eq 1, each the nearest k / 2^22 with 0 < k < 2^22, for the layer that a level drives.

    Upward it is driven by recognition. They go into row 0 of `probabilities` from column `first` on; those after them,
    up to a whole vector, may change too.
    """
    between = recognition(net, level) if upward else generative(net, level)
    for unit in range(0, net.sizes[between.driven], LANES):
        p = logistic(logits(between.weights, net.sizes, states, between.driving, unit))
        # Adding 1.5 * 2^23 rounds to a whole number: it works up to 2^22 in float32, which is why there are 22 bits.
        k = (p * CODE_ONE + 12582912.0) - 12582912.0
        k = where(k > 1.0, k, 1.0)
        k = where(k < CODE_ONE - 1.0, k, CODE_ONE - 1.0)
        store(probabilities, 0, first + unit, to_double(k) * (1.0 / CODE_ONE))
