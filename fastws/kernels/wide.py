"""Wide layers: lists of the units that are on lead to whole rows of weights.

The same sums in the same order and the same rule as in `connection`, a block of units at a time: its sums stay in
registers, and its weights near. A narrow layer is done sooner than its list is made.
"""

import numpy as np

from fastws.kernels import connection
from fastws.kernels.connection import within_row
from fastws.kernels.jit import inline, inner
from fastws.kernels.lanes import load, load_block, spread
from fastws.kernels.layout import BLOCK, LANES, WIDE
from fastws.kernels.types import Connection, Floats, Lanes, Wide
from fastws.kernels.units import OFF, ON, error_of_units, sample_units, update, update_biases


@inline
def is_wide(between: Connection) -> bool:
    """Return whether a connection is worth lists of active units."""
    return min(between.sizes[between.driving], between.sizes[between.driven]) >= WIDE


@inner
def sample_layer(way: Wide, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Do what `connection.sample_layer` does."""
    if is_wide(between):
        sample_wide_layer(way, between, states, thresholds, draw)
    else:
        connection.sample_layer(way, between, states, thresholds, draw)


@inner
def learn(way: Wide, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Do what `connection.learn` does."""
    if is_wide(between):
        learn_wide(way, between, states, rate, floor)
    else:
        connection.learn(way, between, states, rate, floor)


@inline
def sample_wide_layer(way: Wide, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Draw the states of a layer."""
    weights, sizes, driving, driven = between
    list_active(sizes[driving], states, driving, way)
    in_blocks = sizes[driven] - sizes[driven] % BLOCK
    for first in range(0, in_blocks, BLOCK):
        a = add_active(way, weights, first, load_block(weights, 0, first))
        sample_units(a, states, driven, first, thresholds, draw)
    for first in range(in_blocks, sizes[driven], LANES):
        a = add_active(way, weights, first, load(weights, 0, first))
        sample_units(a, states, driven, first, thresholds, draw)


@inline
def learn_wide(way: Wide, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Apply the delta rule to the weights from units that are on."""
    weights, sizes, driving, driven = between
    list_active(sizes[driving], states, driving, way)
    in_blocks = sizes[driven] - sizes[driven] % BLOCK
    for first in range(0, in_blocks, BLOCK):
        a = add_active(way, weights, first, load_block(weights, 0, first))
        update_active(way, weights, first, rate * error_of_units(a, states, driven, first), floor)
    for first in range(in_blocks, sizes[driven], LANES):
        a = add_active(way, weights, first, load(weights, 0, first))
        delta = within_row(way, rate * error_of_units(a, states, driven, first), weights, first)
        update_active(way, weights, first, delta, floor)


@inner
def list_active(n: int, states: Floats, driving: int, way: Wide) -> None:
    """List the units of a layer of n that are on: one list for each of the four sums of `units.logits`."""
    active, counts = way.active, way.counts
    whole = n - n % 4
    counts[:] = 0
    for u in range(n):
        part = u % 4 if u < whole else 0
        active[part, counts[part]] = u
        counts[part] += states[driving, u] > OFF


@inner
def list_by_two(n: int, states: Floats, driving: int, way: Wide) -> None:
    """List the units of a layer of n that are on: one list for each of the two sums of `costs`, even and odd."""
    active, counts = way.active, way.counts
    counts[:] = 0
    for u in range(n):
        part = u % 2
        active[part, counts[part]] = u
        counts[part] += states[driving, u] > OFF


@inline
def add_active(way: Wide, weights: Floats, first: int, biases: Lanes) -> Lanes:
    """Return what `units.logits` does, from the lists."""
    a = add_listed(way, 0, weights, first, biases)
    b = add_listed(way, 1, weights, first, spread(OFF, biases))
    c = add_listed(way, 2, weights, first, spread(OFF, biases))
    d = add_listed(way, 3, weights, first, spread(OFF, biases))
    return (a + b) + (c + d)


@inline
def add_listed(way: Wide, part: int, weights: Floats, first: int, a: Lanes) -> Lanes:
    """Add the weights from the units of a list to a sum."""
    for k in range(way.counts[part]):
        a = a + load(weights, 1 + way.active[part, k], first, a)
    return a


@inline
def update_active(way: Wide, weights: Floats, first: int, delta: Lanes, floor: np.float32) -> None:
    """Add the deltas of a group of units to their biases, and to the weights from units that are on."""
    update_biases(weights, first, delta)
    on = spread(ON, delta)
    for part in range(len(way.counts)):
        for k in range(way.counts[part]):
            update(weights, way.active[part, k], first, on, delta, floor)
