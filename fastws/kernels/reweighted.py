"""Reweighted wake-sleep: several representations of an input, each of which counts as much as generation explains.

The delta rule is that of `units`, at a rate for each sample: the learning rate times its weight.
"""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.connection import generative, hold_to_floor, of_the_row, recognition
from fastws.kernels.costs import add_layer_cost, clear_cost, total_cost
from fastws.kernels.dispatch import by_type
from fastws.kernels.elementary import exp_of_minus_magnitude
from fastws.kernels.jit import inline, inner, jit
from fastws.kernels.lanes import load, load_block, store
from fastws.kernels.layout import BLOCK, LANES
from fastws.kernels.phases import MINUS_INFINITY, fantasise, learn_recognition, recognise
from fastws.kernels.random import draw_ahead
from fastws.kernels.run import take_input
from fastws.kernels.sources import write_input
from fastws.kernels.types import Connection, Draws, Lanes, Narrow, Net, Reweighting, Room, Samples, Wide
from fastws.kernels.units import error_of_units, logits, state, update, update_biases
from fastws.kernels.wide import add_active, is_wide, list_active, update_active


@jit
def run_reweighted(
    source: object,
    net: Net,
    reweighting: Reweighting,
    draws: Draws,
    samples: Samples,
    n_examples: int,
    seen: NDArray[np.uint64],
) -> None:
    """Do what `run` does with one machine, but represent each input several times."""
    room = samples.room
    for _ in range(n_examples):
        draw = draw_ahead(draws.key, seen[0] * np.uint64(draws.an_example), draws.an_example, room.thresholds)
        write_input(source, room, 0, seen[0], draw)
        draw = draw + draws.an_input
        for k in range(samples.states.shape[0]):
            own = room_of(samples, k)
            take_input(net, own, 0)
            draw = recognise(net, own.states, own.thresholds, draw)
        write_weights(net, samples)
        learn_from_samples(net, reweighting, samples)
        if reweighting.asleep:
            fantasise(net, room.states, room.thresholds, draw)
            learn_recognition(net, reweighting.rule, room.states)
        seen[0] += np.uint64(1)


@jit
def weigh(net: Net, samples: Samples) -> None:
    """Write the weights of samples whose states are given."""
    write_weights(net, samples)


@jit
def reweighted_update(net: Net, reweighting: Reweighting, samples: Samples) -> None:
    """Learn from samples whose states are given as `run_reweighted` does awake."""
    write_weights(net, samples)
    learn_from_samples(net, reweighting, samples)


@inline
def room_of(samples: Samples, k: int) -> Room:
    """Return the room with the states of a sample."""
    return Room(samples.states[k], samples.room.inputs, samples.room.thresholds, samples.room.parts)


@inline
def write_weights(net: Net, samples: Samples) -> None:
    """Write the normalised weights of the samples: the largest ratio exp(-C(α, d)) / Q(α|d) is taken as 1 before."""
    weights, parts = samples.weights, samples.room.parts
    n_samples, n_levels = samples.states.shape[0], len(net.sizes) - 1
    least = np.inf
    for k in range(n_samples):
        clear_cost(parts)
        for level in range(n_levels):
            add_layer_cost(generative(net, level), samples.states[k], parts)
        cost = total_cost(parts)
        clear_cost(parts)
        for level in range(n_levels - 1):
            add_layer_cost(recognition(net, level), samples.states[k], parts)
        weights[0, k] = cost - total_cost(parts)
        least = min(least, weights[0, k])
    for k in range(n_samples):
        weights[0, k] -= least
    for first in range(0, n_samples, LANES):
        store(weights, 0, first, exp_of_minus_magnitude(load(weights, 0, first)))
    total = 0.0
    for k in range(n_samples):
        total += weights[0, k]
    for k in range(n_samples):
        weights[0, k] /= total


@inline
def learn_from_samples(net: Net, reweighting: Reweighting, samples: Samples) -> None:
    """Let generation learn from all samples, and recognition too if it is to."""
    rates, floor = reweighting.rule
    for level in range(len(net.sizes) - 2, -1, -1):
        if rates[level] > 0:
            learn(net.way, generative(net, level), samples, rates[level])
            if level == 0:
                hold_to_floor(generative(net, level), floor)
    if reweighting.awake:
        for level in range(len(net.sizes) - 2):
            if rates[level] > 0:
                learn(net.way, recognition(net, level), samples, rates[level])


@inner
def learn_narrow(way: Narrow, between: Connection, samples: Samples, rate: np.float32) -> None:
    """Apply the delta rule for each sample, with the probabilities that were before any of them."""
    weights, sizes, driving, driven = between
    deltas, n_samples = samples.deltas, samples.states.shape[0]
    for first in range(0, sizes[driven], LANES):
        for k in range(n_samples):
            a = logits(weights, sizes, samples.states[k], driving, first)
            store(deltas, k, 0, of_the_row(way, delta_of_sample(a, samples, k, rate, driven, first), weights, first))
        for k in range(n_samples):
            delta = load(deltas, k, 0)
            update_biases(weights, first, delta)
            for u in range(sizes[driving]):
                update(weights, u, first, state(samples.states[k], driving, u, delta), delta, MINUS_INFINITY)


@inner
def learn_either(way: Wide, between: Connection, samples: Samples, rate: np.float32) -> None:
    """Do what `learn_narrow` does, where the connection is wide by lists of the units that are on."""
    if is_wide(between):
        learn_wide(way, between, samples, rate)
    else:
        learn_narrow(way, between, samples, rate)


@inline
def learn_wide(way: Wide, between: Connection, samples: Samples, rate: np.float32) -> None:
    """Apply the delta rule for each sample to the weights from units that are on."""
    weights, sizes, driving, driven = between
    deltas, n_samples = samples.deltas, samples.states.shape[0]
    for k in range(n_samples):
        list_active(sizes[driving], samples.states[k], driving, lists_of(samples, k))
    in_blocks = sizes[driven] - sizes[driven] % BLOCK
    for first in range(0, in_blocks, BLOCK):
        for k in range(n_samples):
            a = add_active(lists_of(samples, k), weights, first, load_block(weights, 0, first))
            store(deltas, k, 0, delta_of_sample(a, samples, k, rate, driven, first))
        for k in range(n_samples):
            update_active(lists_of(samples, k), weights, first, load_block(deltas, k, 0), MINUS_INFINITY)
    for first in range(in_blocks, sizes[driven], LANES):
        for k in range(n_samples):
            a = add_active(lists_of(samples, k), weights, first, load(weights, 0, first))
            store(deltas, k, 0, of_the_row(way, delta_of_sample(a, samples, k, rate, driven, first), weights, first))
        for k in range(n_samples):
            update_active(lists_of(samples, k), weights, first, load(deltas, k, 0), MINUS_INFINITY)


learn = by_type({Narrow: learn_narrow, Wide: learn_either})


@inline
def lists_of(samples: Samples, k: int) -> Wide:
    """Return the lists of a sample."""
    return Wide(samples.active[k], samples.counts[k])


@inline
def delta_of_sample(a: Lanes, samples: Samples, k: int, rate: np.float32, driven: int, first: int) -> Lanes:
    """Return what a sample adds to the biases of a group of units with logits a."""
    # Rounded once; of a single sample it is the learning rate.
    own_rate = np.float32(np.float64(rate) * samples.weights[0, k])
    return own_rate * error_of_units(a, samples.states[k], driven, first)
