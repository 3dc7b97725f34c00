"""Single steps and updates, and what is drawn without learning."""

import numpy as np

from fastws.kernels.jit import jit
from fastws.kernels.phases import fantasise, learn_generative, learn_recognition, n_units, recognise
from fastws.kernels.random import draw_thresholds
from fastws.kernels.sources import write_bars
from fastws.kernels.types import BarsSource, Floats, Key, Net, Room, Rule, States


@jit
def wake_update(net: Net, rule: Rule, states: Floats) -> None:
    """Learn from the states of all layers as a wake step does (Eq 4)."""
    learn_generative(net, rule, states)


@jit
def sleep_update(net: Net, rule: Rule, states: Floats) -> None:
    """Learn from the states of all layers as a sleep step does (Eq 7)."""
    learn_recognition(net, rule, states)


@jit
def wake_step(key: Key, net: Net, rule: Rule, room: Room) -> None:
    """Represent the input in states[0] by recognition; the generative parameters learn (Eq 4)."""
    draw_thresholds(key, np.uint64(0), n_units(net, 1), room.thresholds)
    recognise(net, room.states, room.thresholds, 0)
    learn_generative(net, rule, room.states)


@jit
def sleep_step(key: Key, net: Net, rule: Rule, room: Room) -> None:
    """Draw a fantasy; the recognition parameters learn to recover its causes (Eq 7)."""
    draw_thresholds(key, np.uint64(0), n_units(net, 0), room.thresholds)
    fantasise(net, room.states, room.thresholds, 0)
    learn_recognition(net, rule, room.states)


@jit
def sample_fantasies(key: Key, net: Net, room: Room, fantasies: States) -> None:
    """Draw a fantasy into each row of `fantasies`, shape (n, n_0)."""
    n_draws = n_units(net, 0)
    for example in range(fantasies.shape[0]):
        draw_thresholds(key, np.uint64(example), n_draws, room.thresholds)
        fantasise(net, room.states, room.thresholds, 0)
        for v in range(net.sizes[0]):
            fantasies[example, v] = np.uint8(room.states[0, v])


@jit
def sample_representations(key: Key, net: Net, room: Room, inputs: States, representations: States) -> None:
    """Draw a total representation of each input; its layers, first to top, are a row of `representations`."""
    for example in range(inputs.shape[0]):
        draw_thresholds(key, np.uint64(example), representations.shape[1], room.thresholds)
        for i in range(net.sizes[0]):
            room.states[0, i] = inputs[example, i]
        recognise(net, room.states, room.thresholds, 0)
        column = 0
        for layer in range(1, len(net.sizes) - 1):
            for v in range(net.sizes[layer]):
                representations[example, column] = np.uint8(room.states[layer, v])
                column += 1


@jit
def sample_bars(key: Key, source: BarsSource, room: Room, samples: States) -> None:
    """Draw bars images into the rows of `samples`, shape (n, size * size)."""
    for example in range(samples.shape[0]):
        draw_thresholds(key, np.uint64(example), 1 + source.bars.shape[0], room.thresholds)
        write_bars(source, room, 0, np.uint64(example), 0)
        for i in range(samples.shape[1]):
            samples[example, i] = np.uint8(room.inputs[0, i])
