"""Eq 1 and the delta rule for a group of units, which is one value: neighbours of one machine, or of sixteen machines.

Two-dimensional states, thresholds and connections are those of one machine: a column is a unit. Three-dimensional ones
are those of sixteen machines that learn together: the last axis is the machine. The equations are the same. A group is
as wide as its biases: what goes with them is loaded alike.
"""

import numpy as np

from fastws.kernels.elementary import logistic
from fastws.kernels.jit import inline
from fastws.kernels.lanes import add_product, load, load_block, repeat, spread, spread_element, store, to_double, where
from fastws.kernels.layout import LANES, UNITS_TOGETHER
from fastws.kernels.types import Connection, Floats, Integers, Lanes

OFF = np.float32(0)
ON = np.float32(1)


@inline
def state(states: Floats, layer: int, u: int, like: Lanes) -> Lanes:
    """Return the state of a unit: that of one machine, as often as there are lanes, or those of sixteen machines."""
    if states.ndim == 2:
        return spread_element(states, layer, u, like)
    return repeat(load(states, layer, u), like)


@inline
def units_a_value(array: Floats) -> int:
    """Return how many units `load` takes: sixteen of one machine, or one of sixteen machines."""
    if array.ndim == 2:
        return LANES
    return 1


@inline
def units_a_group(array: Floats) -> int:
    """Return how many units are done at a time: sixteen of one machine, or four of sixteen machines."""
    if array.ndim == 2:
        return LANES
    return UNITS_TOGETHER


@inline
def biases(weights: Floats, first: int) -> Lanes:
    """Return the biases of a group of units."""
    if weights.ndim == 2:
        return load(weights, 0, first)
    return load_block(weights, 0, first)


@inline
def logits(weights: Floats, sizes: Integers, states: Floats, driving: int, first: int) -> Lanes:
    """Return b_v + sum_u s_u w_uv for a group of units v, the exponent of Eq 1.

    Four sums run side by side, since each addition waits for the one before it.
    """
    a = biases(weights, first)
    b = spread(OFF, a)
    c = spread(OFF, a)
    d = spread(OFF, a)
    n = sizes[driving]
    whole = n - n % 4
    for u in range(0, whole, 4):
        a = add_product(a, state(states, driving, u, a), load(weights, 1 + u, first, a))
        b = add_product(b, state(states, driving, u + 1, a), load(weights, 2 + u, first, a))
        c = add_product(c, state(states, driving, u + 2, a), load(weights, 3 + u, first, a))
        d = add_product(d, state(states, driving, u + 3, a), load(weights, 4 + u, first, a))
    for u in range(whole, n):
        a = add_product(a, state(states, driving, u, a), load(weights, 1 + u, first, a))
    return (a + b) + (c + d)


@inline
def logits_in_doubles(between: Connection, states: Floats, first: int) -> Lanes:
    """Return what `logits` does for sixteen units of one machine, in float64, by two sums."""
    weights, sizes, driving, _ = between
    n = sizes[driving]
    a = to_double(load(weights, 0, first))
    b = to_double(spread(OFF))
    for u in range(0, n - 1, 2):
        a = a + np.float64(states[driving, u]) * to_double(load(weights, 1 + u, first))
        b = b + np.float64(states[driving, u + 1]) * to_double(load(weights, 2 + u, first))
    if n % 2 == 1:
        a = a + np.float64(states[driving, n - 1]) * to_double(load(weights, n, first))
    return a + b


@inline
def sample_units(a: Lanes, states: Floats, driven: int, first: int, thresholds: Floats, draw: int) -> None:
    """Draw the states of a group of units with logits a (Eq 1)."""
    store(states, driven, first, where(a > load(thresholds, 0, draw + first, a), spread(ON, a), OFF))


@inline
def error_of_units(a: Lanes, states: Floats, driven: int, first: int) -> Lanes:
    """Return s_v - p_v for a group of units with logits a."""
    return load(states, driven, first, a) - logistic(a)


@inline
def update_biases(weights: Floats, first: int, delta: Lanes) -> None:
    """Add the deltas of a group of units to their biases."""
    store(weights, 0, first, load(weights, 0, first, delta) + delta)


@inline
def update(weights: Floats, u: int, first: int, on: Lanes, delta: Lanes, floor: np.float32) -> None:
    """Add the deltas of a group of units to the weights from unit u where it is on, and hold them to the floor."""
    # Of silent units, -0.0 may become 0.0.
    w = add_product(load(weights, 1 + u, first, delta), on, delta)
    store(weights, 1 + u, first, where(w < floor, spread(floor, w), w))
