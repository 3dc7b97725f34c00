"""A fully visible belief net: each input is driven by those before it (Eq 1), and learns by the delta rule (Eq 4)."""

import numpy as np

from fastws.kernels.jit import inline, jit
from fastws.kernels.lanes import lane_numbers, load, spread, store, where
from fastws.kernels.layout import LANES
from fastws.kernels.types import Floats, Integers, Lanes, States
from fastws.kernels.units import OFF, error_of_units


@inline
def logits_by_those_before(weights: Floats, states: Floats, n_before: int, first: int) -> Lanes:
    """Return b_v + sum_u s_u w_uv for a group of units; weights from a unit to itself or to those before it are 0."""
    a = load(weights, 0, first)
    b = spread(OFF)
    even = n_before - n_before % 2
    for u in range(0, even, 2):
        a = a + spread(states[0, u]) * load(weights, 1 + u, first)
        b = b + spread(states[0, u + 1]) * load(weights, 2 + u, first)
    if even < n_before:
        a = a + spread(states[0, even]) * load(weights, n_before, first)
    return a + b


@jit
def learn_visible(images: States, order: Integers, rate: np.float32, states: Floats, weights: Floats) -> None:
    """Learn from images, one after the other, in an order.

    Written in place: `weights`, shape (1 + n, padded) with biases in row 0; those from a unit to itself or to those
    before it stay as they are. `states`, shape (1, padded), is room: columns are padded to whole groups of units.
    """
    n = images.shape[1]
    for example in order:
        for v in range(n):
            states[0, v] = images[example, v]
        for first in range(0, n, LANES):
            n_before = min(first + LANES, n) - 1
            delta = rate * error_of_units(logits_by_those_before(weights, states, n_before, first), states, 0, first)
            store(weights, 0, first, load(weights, 0, first) + delta)
            for u in range(min(first, n_before)):
                if states[0, u] > OFF:
                    store(weights, 1 + u, first, load(weights, 1 + u, first) + delta)
            for u in range(first, n_before):
                if states[0, u] > OFF:
                    later = lane_numbers(delta) > np.uint32(u - first)
                    store(weights, 1 + u, first, load(weights, 1 + u, first) + where(later, delta, -0.0))
