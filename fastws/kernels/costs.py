"""Eqs 2 and 3 of representations that are drawn, in float64 nats."""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels import softmax
from fastws.kernels.connection import generative, recognition
from fastws.kernels.dispatch import by_type
from fastws.kernels.elementary import LOG_2, exp_of_minus_magnitude, log_of_doubles
from fastws.kernels.jit import inline, inner, jit
from fastws.kernels.lanes import float_bits, float_from_bits, lane_numbers, load, spread, store, to_double, where
from fastws.kernels.layout import LANES
from fastws.kernels.phases import n_units, recognise
from fastws.kernels.random import draw_thresholds
from fastws.kernels.types import Connection, Doubles, Floats, Grouped, Key, Lanes, Narrow, Net, Room, States, Wide
from fastws.kernels.units import logits_in_doubles
from fastws.kernels.wide import is_wide, list_by_two

PARTS = 16
"""A cost is a sum of so many parts, whatever the width of a vector: unit v is in part v mod 16."""


@inline
def clear_cost(parts: Doubles) -> None:
    """Begin a cost: 0. It is the sum of row 0 and of the logarithms of row 1, each of which is in [1, 2)."""
    for part in range(PARTS):
        parts[0, part] = 0.0
        parts[1, part] = 1.0


@inline
def add_costs_of_layer(way: Narrow, between: Connection, states: Floats, parts: Doubles) -> None:
    """Add the cost in nats of the states of a layer, given the layer that drives it (Eq 2).

    A unit with logit a costs log(1 + exp(a)) - s a: this is max(a, 0) - s a plus the logarithm of 1 + exp(-|a|).
    """
    driven, n = between.driven, between.sizes[between.driven]
    for first in range(0, n, LANES):
        a = logits_in_doubles(between, states, first)
        add_costs_of_units(a, n - first, load(states, driven, first), first, parts)


@inner
def add_costs_by_lists(way: Wide, between: Connection, states: Floats, parts: Doubles) -> None:
    """Do what `add_costs_of_layer` does, where the connection is wide by lists of the units that are on."""
    if is_wide(between):
        add_costs_of_wide_layer(way, between, states, parts)
    else:
        add_costs_of_layer(way, between, states, parts)


@inline
def add_costs_of_wide_layer(way: Wide, between: Connection, states: Floats, parts: Doubles) -> None:
    """Add the cost of a layer by the same two sums in the same order, of the units that are on."""
    weights, sizes, driving, driven = between
    list_by_two(sizes[driving], states, driving, way)
    for first in range(0, sizes[driven], LANES):
        a = add_listed_doubles(way, 0, weights, first, to_double(load(weights, 0, first)))
        b = add_listed_doubles(way, 1, weights, first, to_double(spread(np.float32(0))))
        add_costs_of_units(a + b, sizes[driven] - first, load(states, driven, first), first, parts)


@inline
def add_listed_doubles(way: Wide, part: int, weights: Floats, first: int, a: Lanes) -> Lanes:
    """Add the weights from the units of a list to a sum of doubles."""
    for k in range(way.counts[part]):
        a = a + to_double(load(weights, 1 + way.active[part, k], first))
    return a


add_costs_of_binary_layer = by_type({Narrow: add_costs_of_layer, Wide: add_costs_by_lists})


@inline
def add_costs_of_either(way: Grouped, between: Connection, states: Floats, parts: Doubles) -> None:
    """Do what `add_costs_of_layer` does, where the driven layer is divided into groups by their costs."""
    if way.groups[between.driven] == 1:
        add_costs_of_binary_layer(way.binary, between, states, parts)
    else:
        softmax.add_costs_of_groups(way, between, states, parts)


add_layer_cost = by_type({Narrow: add_costs_of_layer, Wide: add_costs_by_lists, Grouped: add_costs_of_either})


@inline
def add_costs_of_units(a: Lanes, n: int, on: Lanes, first: int, parts: Doubles) -> None:
    """Add the costs in nats of the first n of a group of units with logits a, which are on or not."""
    part = first % PARTS
    cost, factor = load(parts, 0, part), load(parts, 1, part)
    there = lane_numbers(a) < np.uint32(min(LANES, n))
    cost = cost + where(there, where(a > 0.0, a, 0.0) - to_double(on) * a, 0.0)
    factor = factor * where(there, exp_of_minus_magnitude(a) + 1.0, 1.0)
    exponent = (float_bits(factor) >> 52) - 1023
    store(parts, 0, part, cost + to_double(exponent) * LOG_2)
    store(parts, 1, part, float_from_bits(float_bits(factor) - (exponent << 52)))


@inline
def total_cost(parts: Doubles) -> float:
    """Return a cost in nats."""
    for part in range(0, PARTS, LANES):
        store(parts, 0, part, load(parts, 0, part) + log_of_doubles(load(parts, 1, part)))
    total = 0.0
    for part in range(PARTS):
        total += parts[0, part]
    return total


@jit
def sampled_costs(
    key: Key,
    numbers: NDArray[np.uint64],
    net: Net,
    room: Room,
    inputs: States,
    costs: Doubles,
    surprises: Doubles,
) -> None:
    """Draw total representations α of each input from Q(·|d); inputs of the same number share their draws.

    Written in place, shape (n, n_samples), in nats: `costs`, the C(α, d) of Eq 3, and `surprises`, -log Q(α|d).
    """
    n_levels = len(net.sizes) - 1
    n_draws = n_units(net, 1)
    for image in range(inputs.shape[0]):
        for i in range(net.sizes[0]):
            room.states[0, i] = inputs[image, i]
        for sample in range(costs.shape[1]):
            draw = (np.uint64(sample) << np.uint64(32)) + numbers[image]
            draw_thresholds(key, draw, n_draws, room.thresholds)
            recognise(net, room.states, room.thresholds, 0)
            clear_cost(room.parts)
            for level in range(n_levels):
                add_layer_cost(net.way, generative(net, level), room.states, room.parts)
            costs[image, sample] = total_cost(room.parts)
            clear_cost(room.parts)
            for level in range(n_levels - 1):
                add_layer_cost(net.way, recognition(net, level), room.states, room.parts)
            surprises[image, sample] = total_cost(room.parts)


@jit
def average_costs(costs: Doubles, surprises: Doubles, averages: Doubles, space: Doubles) -> None:
    """Average over the representations drawn of each input, first to last; all in nats.

    Written in place, shape (3, n): the means of C(α, d) and of C(α, d) + log Q(α|d), and minus the logarithm of the
    mean weight exp(-C(α, d)) / Q(α|d). `space`, shape (2, 16), is room.
    """
    n_samples = costs.shape[1]
    for image in range(costs.shape[0]):
        lengths, energies, least = 0.0, 0.0, np.inf
        for sample in range(n_samples):
            energy = costs[image, sample] - surprises[image, sample]
            lengths += costs[image, sample]
            energies += energy
            least = min(least, energy)
        weights = 0.0
        for first in range(0, n_samples, LANES):
            n = min(LANES, n_samples - first)
            for lane in range(n):
                space[0, lane] = costs[image, first + lane] - surprises[image, first + lane] - least
            store(space, 0, 0, exp_of_minus_magnitude(load(space, 0, 0)))
            for lane in range(n):
                weights += space[0, lane]
        store(space, 0, 0, log_of_doubles(spread(weights / n_samples)))
        averages[0, image] = lengths / n_samples
        averages[1, image] = energies / n_samples
        averages[2, image] = least - space[0, 0]
