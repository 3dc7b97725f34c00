"""The two phases.

Awake, the net recognises its input, and the generative parameters learn (Eq 4). Asleep, it fantasises, and the
recognition parameters learn (Eq 7).
"""

import numpy as np

from fastws.kernels import connection, softmax, wide
from fastws.kernels.connection import generative, recognition
from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import inline
from fastws.kernels.types import Floats, Grouped, Narrow, Net, Rule, Together, Wide

MINUS_INFINITY = np.float32(-np.inf)

# A new way to go about a connection is a class in `types` and a line in each of these.
sample_layer = by_type(
    {
        Narrow: connection.sample_layer,
        Wide: wide.sample_layer,
        Grouped: softmax.sample_layer,
        Together: connection.sample_layer,
    }
)
learn = by_type(
    {
        Narrow: connection.learn,
        Wide: wide.learn,
        Grouped: softmax.learn,
        Together: connection.learn,
    }
)


@inline
def n_units(net: Net, first_layer: int) -> int:
    """Return the units of a layer and of those above it: what is drawn awake, from layer 1 on, or asleep, of all."""
    n = 0
    for layer in range(first_layer, len(net.sizes)):
        n += net.sizes[layer]
    return n


@inline
def recognise(net: Net, states: Floats, thresholds: Floats, draw: int) -> int:
    """Draw a total representation of the input in states[0], bottom-up; return the number of the next draw."""
    for level in range(len(net.sizes) - 2):
        sample_layer(net.way, recognition(net, level), states, thresholds, draw)
        draw += net.sizes[level + 1]
    return draw


@inline
def fantasise(net: Net, states: Floats, thresholds: Floats, draw: int) -> int:
    """Draw a fantasy, from the top layer down to the input; return the number of the next draw."""
    for level in range(len(net.sizes) - 2, -1, -1):
        sample_layer(net.way, generative(net, level), states, thresholds, draw)
        draw += net.sizes[level]
    return draw


@inline
def learn_generative(net: Net, rule: Rule, states: Floats) -> None:
    """Make each layer of a representation better at reconstructing the layer below (Eq 4)."""
    for level in range(len(net.sizes) - 2, -1, -1):
        least = rule.floor if level == 0 else MINUS_INFINITY
        if rule.rates[level] > 0:
            learn(net.way, generative(net, level), states, rule.rates[level], least)


@inline
def learn_recognition(net: Net, rule: Rule, states: Floats) -> None:
    """Make recognition better at recovering the causes of a fantasy (Eq 7)."""
    for level in range(len(net.sizes) - 2):
        if rule.rates[level] > 0:
            learn(net.way, recognition(net, level), states, rule.rates[level], MINUS_INFINITY)
