"""One example of the loop, with a record of all that learning from it compares."""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.connection import generative, recognition
from fastws.kernels.dispatch import by_type
from fastws.kernels.elementary import logistic
from fastws.kernels.jit import inline, jit
from fastws.kernels.lanes import load, store
from fastws.kernels.layout import LANES
from fastws.kernels.phases import fantasise, learn_generative, learn_recognition, recognise
from fastws.kernels.random import draw_ahead
from fastws.kernels.run import take_input
from fastws.kernels.softmax import write_probabilities_of_groups
from fastws.kernels.sources import write_input
from fastws.kernels.types import Connection, Draws, Floats, Grouped, Narrow, Net, Record, Room, Rule, Wide
from fastws.kernels.units import logits


@jit
def step(
    source: object, net: Net, rule: Rule, draws: Draws, room: Room, record: Record, seen: NDArray[np.uint64]
) -> None:
    """Do what `run` does with one example and one machine, and write it down."""
    states, thresholds = room.states, room.thresholds
    draw = draw_ahead(draws.key, seen[0] * np.uint64(draws.an_example), draws.an_example, thresholds)
    write_input(source, room, 0, seen[0], draw)
    take_input(net, room, 0)
    draw = recognise(net, states, thresholds, draw + draws.an_input)
    record_wake(net, states, record)
    learn_generative(net, rule, states)
    fantasise(net, states, thresholds, draw)
    record_sleep(net, states, record)
    learn_recognition(net, rule, states)
    seen[0] += np.uint64(1)


@inline
def record_wake(net: Net, states: Floats, record: Record) -> None:
    """Write down the states awake, and the probabilities that Eq 4 compares them with."""
    copy_states(net, states, record.wake_states)
    for level in range(len(net.sizes) - 1):
        write_probabilities(net.way, generative(net, level), states, record.generative)


@inline
def record_sleep(net: Net, states: Floats, record: Record) -> None:
    """Write down the states asleep, and the probabilities that Eq 7 compares them with."""
    copy_states(net, states, record.sleep_states)
    for level in range(len(net.sizes) - 2):
        write_probabilities(net.way, recognition(net, level), states, record.recognition)


@inline
def copy_states(net: Net, states: Floats, copy: Floats) -> None:
    """Copy the states of all layers."""
    for layer in range(len(net.sizes) - 1):
        for first in range(0, net.sizes[layer], LANES):
            store(copy, layer, first, load(states, layer, first))


@inline
def write_probabilities_of_layer(way: Narrow, between: Connection, states: Floats, probabilities: Floats) -> None:
    """Write the probabilities of Eq 1 of the driven layer into its row."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], LANES):
        store(probabilities, driven, first, logistic(logits(weights, sizes, states, driving, first)))


@inline
def write_probabilities_of_either(way: Grouped, between: Connection, states: Floats, probabilities: Floats) -> None:
    """Do what `write_probabilities_of_layer` does, for a driven layer that may be divided into groups."""
    if way.groups[between.driven] == 1:
        write_probabilities_of_layer(way.binary, between, states, probabilities)
    else:
        write_probabilities_of_groups(way, between, states, probabilities, between.driven)


write_probabilities = by_type(
    {
        Narrow: write_probabilities_of_layer,
        Wide: write_probabilities_of_layer,
        Grouped: write_probabilities_of_either,
    }
)
