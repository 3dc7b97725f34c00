"""Sixteen machines of one shape in the lanes of a vector: the same sums in the same order and the same rule."""

import numpy as np

from fastws.kernels.jit import inline, inner
from fastws.kernels.lanes import load, spread, store
from fastws.kernels.layout import Stack
from fastws.kernels.types import Connection, Floats, Net, Together
from fastws.kernels.units import OFF, error_of_units, logits, sample_units, update


@inner
def sample_layer(way: Together, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Do what `connection.sample_layer` does."""
    row = write_logits(between, states)
    for v in range(between.sizes[between.driven]):
        sample_units(load(states, row, v), states, between.driven, v, thresholds, draw)


@inner
def learn(way: Together, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Do what `connection.learn` does."""
    weights, sizes, driving, driven = between
    row = write_logits(between, states)
    for v in range(sizes[driven]):
        delta = rate * error_of_units(load(states, row, v), states, driven, v)
        store(states, row, v, delta)
        store(weights, 0, v, load(weights, 0, v) + delta)
    for u in range(sizes[driving]):
        on = load(states, driving, u) > OFF
        for v in range(sizes[driven]):
            update(weights, u, v, on, load(states, row, v), floor)


@inline
def write_logits(between: Connection, states: Floats) -> int:
    """Write the logits of a layer into the last row of the states; return its number.

    Two units side by side share each state that is read.
    """
    weights, sizes, driving, driven = between
    row = states.shape[0] - 1
    n = sizes[driving]
    whole = n - n % 4
    even = sizes[driven] - sizes[driven] % 2
    for v in range(0, even, 2):
        a, e = load(weights, 0, v), load(weights, 0, v + 1)
        b, c, d = spread(OFF), spread(OFF), spread(OFF)
        f, g, h = spread(OFF), spread(OFF), spread(OFF)
        for u in range(0, whole, 4):
            s = load(states, driving, u)
            a, e = a + s * load(weights, 1 + u, v), e + s * load(weights, 1 + u, v + 1)
            s = load(states, driving, u + 1)
            b, f = b + s * load(weights, 2 + u, v), f + s * load(weights, 2 + u, v + 1)
            s = load(states, driving, u + 2)
            c, g = c + s * load(weights, 3 + u, v), g + s * load(weights, 3 + u, v + 1)
            s = load(states, driving, u + 3)
            d, h = d + s * load(weights, 4 + u, v), h + s * load(weights, 4 + u, v + 1)
        for u in range(whole, n):
            s = load(states, driving, u)
            a, e = a + s * load(weights, 1 + u, v), e + s * load(weights, 1 + u, v + 1)
        store(states, row, v, (a + b) + (c + d))
        store(states, row, v + 1, (e + f) + (g + h))
    for v in range(even, sizes[driven]):
        store(states, row, v, logits(weights, sizes, states, driving, v))
    return row


@inline
def move(way: Together, net: Net, home: bool) -> None:
    """Bring the parameters of sixteen machines together, or home."""
    copy(way.generative, net.generative, home)
    copy(way.recognition, net.recognition, home)


@inner
def copy(own: Stack, together: Stack, home: bool) -> None:
    """Copy the parameters of each machine from its own array into its lane of the other, or back home."""
    for level in range(len(together.places)):
        start, n_rows, n_columns = together.places[level, 0], together.places[level, 1], together.places[level, 2]
        for row in range(n_rows):
            here = start + row * n_columns
            there = own.places[level, 0] + row * own.places[level, 2]
            for machine, data in enumerate(own.data):
                for column in range(n_columns):
                    if home:
                        data[there + column] = together.data[here + column, machine]
                    else:
                        together.data[here + column, machine] = data[there + column]
