"""Reweighted wake-sleep: several representations of an input, each of which counts as much as generation explains.

The delta rule is that of `units`, at a rate for each sample: the learning rate times its weight. Logits are made once,
before anything is learned, for the weights and for the delta rule of every sample.
"""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.connection import generative, hold_to_floor, of_the_row, recognition
from fastws.kernels.costs import add_costs_of_units, clear_cost, total_cost
from fastws.kernels.dispatch import by_type
from fastws.kernels.elementary import exp_of_minus_magnitude
from fastws.kernels.jit import inline, inner, jit
from fastws.kernels.lanes import load, load_block, store, to_double
from fastws.kernels.layout import BLOCK, LANES
from fastws.kernels.phases import MINUS_INFINITY, fantasise, learn_recognition, recognise
from fastws.kernels.random import draw_ahead
from fastws.kernels.run import take_input
from fastws.kernels.sources import write_input
from fastws.kernels.types import Connection, Draws, Floats, Narrow, Net, Reweighting, Room, Samples, Wide
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
    """Write the logits and the normalised weights of the samples: the largest exp(-C(α, d)) / Q(α|d) is 1 at first."""
    weights, n_samples, n_levels = samples.weights, samples.states.shape[0], len(net.sizes) - 1
    for level in range(n_levels):
        write_logits(net.way, generative(net, level), samples, samples.generative)
    for level in range(n_levels - 1):
        write_logits(net.way, recognition(net, level), samples, samples.recognition)
    least = np.inf
    for k in range(n_samples):
        weights[0, k] = cost_of_sample(net, samples.generative[k], room_of(samples, k), 0)
        weights[0, k] -= cost_of_sample(net, samples.recognition[k], room_of(samples, k), 1)
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


@inner
def cost_of_sample(net: Net, own: Floats, room: Room, lowest: int) -> float:
    """Return the cost in nats of the states of the layers from one on up, of which these are the logits (Eq 3)."""
    clear_cost(room.parts)
    for layer in range(lowest, len(net.sizes) - 1):
        for first in range(0, net.sizes[layer], LANES):
            a, on = load(own, layer, first), load(room.states, layer, first)
            add_costs_of_units(to_double(a), net.sizes[layer] - first, on, first, room.parts)
    return total_cost(room.parts)


@inline
def learn_from_samples(net: Net, reweighting: Reweighting, samples: Samples) -> None:
    """Let generation learn from all samples, and recognition too if it is to."""
    rates, floor = reweighting.rule
    for level in range(len(net.sizes) - 2, -1, -1):
        if rates[level] > 0:
            learn(net.way, generative(net, level), samples, samples.generative, rates[level])
            if level == 0:
                hold_to_floor(generative(net, level), floor)
    if reweighting.awake:
        for level in range(len(net.sizes) - 2):
            if rates[level] > 0:
                learn(net.way, recognition(net, level), samples, samples.recognition, rates[level])


@inner
def write_logits_narrow(way: Narrow, between: Connection, samples: Samples, written: Floats) -> None:
    """Write the logits of the driven layer for each sample."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], LANES):
        for k in range(samples.states.shape[0]):
            store(written[k], driven, first, logits(weights, sizes, samples.states[k], driving, first))


@inner
def write_logits_either(way: Wide, between: Connection, samples: Samples, written: Floats) -> None:
    """Do what `write_logits_narrow` does, where the connection is wide by lists of the units that are on."""
    if is_wide(between):
        write_logits_wide(between, samples, written)
    else:
        write_logits_narrow(way, between, samples, written)


@inline
def write_logits_wide(between: Connection, samples: Samples, written: Floats) -> None:
    """Write the logits of the driven layer from the units that are on."""
    weights, sizes, _, driven = between
    list_all(between, samples)
    in_blocks = sizes[driven] - sizes[driven] % BLOCK
    for first in range(0, in_blocks, BLOCK):
        for k in range(samples.states.shape[0]):
            a = add_active(lists_of(samples, k), weights, first, load_block(weights, 0, first))
            store(written[k], driven, first, a)
    for first in range(in_blocks, sizes[driven], LANES):
        for k in range(samples.states.shape[0]):
            a = add_active(lists_of(samples, k), weights, first, load(weights, 0, first))
            store(written[k], driven, first, a)


@inner
def learn_narrow(way: Narrow, between: Connection, samples: Samples, own: Floats, rate: np.float32) -> None:
    """Apply the delta rule for each sample, with the probabilities that were before any of them."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], LANES):
        for k in range(samples.states.shape[0]):
            states, a = samples.states[k], load(own[k], driven, first)
            error = error_of_units(a, states, driven, first)
            delta = of_the_row(way, rate_of_sample(samples, k, rate) * error, weights, first)
            update_biases(weights, first, delta)
            for u in range(sizes[driving]):
                update(weights, u, first, state(states, driving, u, delta), delta, MINUS_INFINITY)


@inner
def learn_either(way: Wide, between: Connection, samples: Samples, own: Floats, rate: np.float32) -> None:
    """Do what `learn_narrow` does, where the connection is wide by lists of the units that are on."""
    if is_wide(between):
        learn_wide(way, between, samples, own, rate)
    else:
        learn_narrow(way, between, samples, own, rate)


@inline
def learn_wide(way: Wide, between: Connection, samples: Samples, own: Floats, rate: np.float32) -> None:
    """Apply the delta rule for each sample to the weights from units that are on."""
    weights, sizes, _, driven = between
    list_all(between, samples)
    in_blocks = sizes[driven] - sizes[driven] % BLOCK
    for first in range(0, in_blocks, BLOCK):
        for k in range(samples.states.shape[0]):
            error = error_of_units(load_block(own[k], driven, first), samples.states[k], driven, first)
            delta = rate_of_sample(samples, k, rate) * error
            update_active(lists_of(samples, k), weights, first, delta, MINUS_INFINITY)
    for first in range(in_blocks, sizes[driven], LANES):
        for k in range(samples.states.shape[0]):
            error = error_of_units(load(own[k], driven, first), samples.states[k], driven, first)
            delta = of_the_row(way, rate_of_sample(samples, k, rate) * error, weights, first)
            update_active(lists_of(samples, k), weights, first, delta, MINUS_INFINITY)


write_logits = by_type({Narrow: write_logits_narrow, Wide: write_logits_either})
learn = by_type({Narrow: learn_narrow, Wide: learn_either})


@inline
def list_all(between: Connection, samples: Samples) -> None:
    """List the units of the driving layer that are on, for each sample."""
    for k in range(samples.states.shape[0]):
        list_active(between.sizes[between.driving], samples.states[k], between.driving, lists_of(samples, k))


@inline
def lists_of(samples: Samples, k: int) -> Wide:
    """Return the lists of a sample."""
    return Wide(samples.active[k], samples.counts[k])


@inline
def rate_of_sample(samples: Samples, k: int, rate: np.float32) -> np.float32:
    """Return the share of a learning rate that a sample has, rounded once; a single one has all of it."""
    return np.float32(np.float64(rate) * samples.weights[0, k])
