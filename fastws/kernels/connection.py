"""A connection drives a layer (Eq 1) and learns (the delta rule of Eqs 4 and 7). `wide` does the same."""

import numpy as np

from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import inline, inner
from fastws.kernels.lanes import lane_numbers, load, spread, store, where
from fastws.kernels.layout import LANES, connection
from fastws.kernels.types import Connection, Floats, Lanes, Narrow, Net, Together, Wide
from fastws.kernels.units import error_of_units, logits, sample_units, state, units_a_group, update, update_biases


@inline
def generative(net: Net, level: int) -> Connection:
    """Return the generative connection of a level, which drives the layer below."""
    return Connection(connection(net.generative, level), net.sizes, level + 1, level)


@inline
def recognition(net: Net, level: int) -> Connection:
    """Return the recognition connection of a level, which drives the layer above."""
    return Connection(connection(net.recognition, level), net.sizes, level, level + 1)


@inline
def in_padding(way: Narrow, delta: Lanes, weights: Floats, first: int) -> Lanes:
    """Return deltas as they are: rows are padded, and what is beyond their units is nobody's."""
    return delta


@inline
def within_row(way: Wide, delta: Lanes, weights: Floats, first: int) -> Lanes:
    """Return deltas that leave alone what is not of the row, where rows are not padded and a vector reaches further."""
    left = weights.strides[0] // weights.itemsize - first
    if left < LANES:
        # Adding -0.0 changes no bit; nor does the floor, since the weights of the next row are not below it either.
        return where(lane_numbers(delta) < np.uint32(left), delta, -0.0)
    return delta


of_the_row = by_type({Narrow: in_padding, Wide: within_row, Together: in_padding})


@inner
def sample_layer(way: Narrow, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Draw the states of the driven layer from those of the driving one (Eq 1)."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], units_a_group(states)):
        a = logits(weights, sizes, states, driving, first)
        sample_units(a, states, driven, first, thresholds, draw)


@inner
def learn(way: Narrow, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Apply the delta rule Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7)."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], units_a_group(states)):
        a = logits(weights, sizes, states, driving, first)
        delta = of_the_row(way, rate * error_of_units(a, states, driven, first), weights, first)
        update_biases(weights, first, delta)
        for u in range(sizes[driving]):
            update(weights, u, first, state(states, driving, u, delta), delta, floor)


@inline
def hold_to_floor(between: Connection, floor: np.float32) -> None:
    """Raise the weights that are below the floor to it."""
    weights, sizes, driving, driven = between
    if floor > -np.inf:
        for u in range(sizes[driving]):
            for first in range(0, sizes[driven], LANES):
                # Where rows are not padded, the last vector reaches into the next one, which is held as well.
                w = load(weights, 1 + u, first)
                store(weights, 1 + u, first, where(w < floor, spread(floor), w))
