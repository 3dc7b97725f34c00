"""Eq 1 and the delta rule for a group of units, which is one value: sixteen neighbours, or one of sixteen machines.

Two-dimensional states, thresholds and connections are those of one machine: a column is a unit. Three-dimensional ones
are those of sixteen machines that learn together: the last axis is the machine. The equations are the same.
"""

import numpy as np

from fastws.kernels.elementary import logistic
from fastws.kernels.jit import inline
from fastws.kernels.lanes import load, spread, store, where
from fastws.kernels.layout import LANES
from fastws.kernels.types import Floats, Integers, Lanes

OFF = np.float32(0)
ON = np.float32(1)


@inline
def state(states: Floats, layer: int, u: int) -> Lanes:
    """Return the state of a unit: that of one machine, repeated, or those of sixteen machines."""
    if states.ndim == 2:
        return spread(states[layer, u])
    return load(states, layer, u)


@inline
def units_a_group(array: Floats) -> int:
    """Return how many units one value holds: sixteen of one machine, or one of sixteen machines."""
    if array.ndim == 2:
        return LANES
    return 1


@inline
def logits(weights: Floats, sizes: Integers, states: Floats, driving: int, first: int) -> Lanes:
    """Return b_v + sum_u s_u w_uv for a group of units v, the exponent of Eq 1.

    Four sums run side by side, since each addition waits for the one before it.
    """
    a = load(weights, 0, first)
    b = spread(OFF)
    c = spread(OFF)
    d = spread(OFF)
    n = sizes[driving]
    whole = n - n % 4
    for u in range(0, whole, 4):
        a = a + state(states, driving, u) * load(weights, 1 + u, first)
        b = b + state(states, driving, u + 1) * load(weights, 2 + u, first)
        c = c + state(states, driving, u + 2) * load(weights, 3 + u, first)
        d = d + state(states, driving, u + 3) * load(weights, 4 + u, first)
    for u in range(whole, n):
        a = a + state(states, driving, u) * load(weights, 1 + u, first)
    return (a + b) + (c + d)


@inline
def sample_units(a: Lanes, states: Floats, driven: int, first: int, thresholds: Floats, draw: int) -> None:
    """Draw the states of a group of units with logits a (Eq 1)."""
    store(states, driven, first, where(a > load(thresholds, 0, draw + first), spread(ON), OFF))


@inline
def error_of_units(a: Lanes, states: Floats, driven: int, first: int) -> Lanes:
    """Return s_v - p_v for a group of units with logits a."""
    return load(states, driven, first) - logistic(a)


@inline
def update(weights: Floats, u: int, first: int, on: Lanes, delta: Lanes, floor: np.float32) -> None:
    """Add the deltas of a group of units to the weights from unit u where it is on, and hold them to the floor."""
    # Adding -0.0 leaves every bit of a weight as it is: the rows of silent units are skipped.
    w = load(weights, 1 + u, first) + where(on, delta, -0.0)
    store(weights, 1 + u, first, where(w < floor, spread(floor), w))
