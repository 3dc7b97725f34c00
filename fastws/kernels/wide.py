"""Wide layers: lists of the units that are on lead to whole rows of weights.

The same sums in the same order and the same rule as in `connection`, a whole layer at a time. A narrow layer is done
sooner than its list is made. The rows of the states after those of the layers are room for logits and deltas.
"""

import numpy as np

from fastws.kernels import connection
from fastws.kernels.connection import within_row
from fastws.kernels.jit import inline, inner
from fastws.kernels.lanes import load, spread, store
from fastws.kernels.layout import LANES, WIDE
from fastws.kernels.types import Connection, Floats, Wide
from fastws.kernels.units import OFF, ON, error_of_units, sample_units, update

ROWS_OF_ROOM = 4


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
    """Draw the states of a layer, all its logits first."""
    row, driven = write_logits(way, between, states), between.driven
    for first in range(0, between.sizes[driven], LANES):
        sample_units(load(states, row, first), states, driven, first, thresholds, draw)


@inline
def learn_wide(way: Wide, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Turn all logits into deltas, and add these to the weights from units that are on."""
    weights, sizes, _, driven = between
    row = write_logits(way, between, states)
    for first in range(0, sizes[driven], LANES):
        delta = rate * error_of_units(load(states, row, first), states, driven, first)
        delta = within_row(way, delta, weights, first)
        store(states, row, first, delta)
        store(weights, 0, first, load(weights, 0, first) + delta)
    on = spread(ON) > OFF
    for part in range(len(way.counts)):
        for k in range(way.counts[part]):
            for first in range(0, sizes[driven], LANES):
                update(weights, way.active[part, k], first, on, load(states, row, first), floor)


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
def write_logits(way: Wide, between: Connection, states: Floats) -> int:
    """Write the logits of the driven layer into a row of the states, before three of room; return its number."""
    weights, sizes, driving, driven = between
    list_active(sizes[driving], states, driving, way)
    active, row, n = way.active, states.shape[0] - ROWS_OF_ROOM, sizes[driven]
    for first in range(0, n, LANES):
        store(states, row, first, load(weights, 0, first))
        for part in range(1, len(way.counts)):
            store(states, row + part, first, spread(OFF))
    for part in range(len(way.counts)):
        count = way.counts[part]
        whole = count - count % 4
        for k in range(0, whole, 4):
            i, j, l, m = active[part, k], active[part, k + 1], active[part, k + 2], active[part, k + 3]
            for first in range(0, n, LANES):
                a = load(states, row + part, first) + load(weights, 1 + i, first)
                a = a + load(weights, 1 + j, first)
                a = a + load(weights, 1 + l, first)
                store(states, row + part, first, a + load(weights, 1 + m, first))
        for k in range(whole, count):
            u = active[part, k]
            for first in range(0, n, LANES):
                store(states, row + part, first, load(states, row + part, first) + load(weights, 1 + u, first))
    for first in range(0, n, LANES):
        a = load(states, row, first) + load(states, row + 1, first)
        store(states, row, first, a + (load(states, row + 2, first) + load(states, row + 3, first)))
    return row
