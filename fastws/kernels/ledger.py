"""Eq 2 unit by unit, Eqs 5 to 8 by going through all representations, and one unit's draws, for whom they are shown."""

import numpy as np

from fastws.kernels.connection import generative, recognition
from fastws.kernels.costs import add_layer_cost, clear_cost, total_cost
from fastws.kernels.elementary import exp_of_minus_magnitude, log_of_doubles, logistic
from fastws.kernels.jit import inline, jit
from fastws.kernels.lanes import load, spread, store, to_double, where
from fastws.kernels.layout import LANES
from fastws.kernels.phases import sample_layer
from fastws.kernels.random import draw_thresholds
from fastws.kernels.types import Connection, Doubles, Floats, Key, Lanes, Net, Room, States
from fastws.kernels.units import logits


@jit
def sample_unit(key: Key, net: Net, room: Room, answer: Floats, thresholds: Floats, states: States) -> None:
    """Draw the one input unit of a net, given the states of layer 1 in the room (Eq 1).

    Written in place: `answer`, its logit and its probability; its threshold of each draw, and its state.
    """
    weights, sizes, driving, _ = generative(net, 0)
    a = logits(weights, sizes, room.states, driving, 0)
    store(room.inputs, 0, 0, a)
    answer[0] = room.inputs[0, 0]
    store(room.inputs, 0, 0, logistic(a))
    answer[1] = room.inputs[0, 0]
    for draw in range(len(states)):
        draw_thresholds(key, np.uint64(draw), 1, room.thresholds)
        sample_layer(net.way, generative(net, 0), room.states, room.thresholds, 0)
        thresholds[draw] = room.thresholds[0, 0]
        states[draw] = np.uint8(room.states[0, 0])


@jit
def mean_field(net: Net, room: Room, image: States, recognised: Floats, reconstructed: Floats) -> None:
    """Write the recognition probabilities of an image, layer after layer, and those that give its pixels back (Eq 1).

    A layer is driven by the probabilities of the one below it in the place of its states; the inputs are driven by
    those of the first hidden layer.
    """
    for i in range(net.sizes[0]):
        room.states[0, i] = image[0, i]
    column = 0
    for level in range(len(net.sizes) - 2):
        column = write_layer(recognition(net, level), room, recognised, column)
    write_layer(generative(net, 0), room, reconstructed, 0)


@inline
def write_layer(between: Connection, room: Room, probabilities: Floats, column: int) -> int:
    """Let the probabilities of a layer be its states, and write them from a column on; return the next column."""
    weights, sizes, driving, driven = between
    for first in range(0, sizes[driven], LANES):
        store(room.states, driven, first, logistic(logits(weights, sizes, room.states, driving, first)))
    for v in range(sizes[driven]):
        probabilities[column + v] = room.states[driven, v]
    return column + sizes[driven]


@inline
def take_states(net: Net, states: Floats, row: States, first_layer: int) -> None:
    """Set the states of the layers from one on to those of a row, which has one layer after the other."""
    column = 0
    for layer in range(first_layer, len(net.sizes) - 1):
        for v in range(net.sizes[layer]):
            states[layer, v] = row[column]
            column += 1


@inline
def costs_of_group(between: Connection, states: Floats, first: int) -> Lanes:
    """Return the cost in nats of each of a group of units, given the layer that drives it (Eq 2), as float64 lanes."""
    weights, sizes, driving, driven = between
    a = to_double(load(weights, 0, first))
    for u in range(sizes[driving]):
        a = a + np.float64(states[driving, u]) * to_double(load(weights, 1 + u, first))
    tail = log_of_doubles(exp_of_minus_magnitude(a) + 1.0)
    return where(a > 0.0, a, 0.0) - to_double(load(states, driven, first)) * a + tail


@inline
def write_costs(between: Connection, room: Room, row: Doubles, column: int) -> int:
    """Write the costs of the units of a layer into a row from a column on; return the next column."""
    _, sizes, _, driven = between
    for first in range(0, sizes[driven], LANES):
        store(room.parts, 0, 0, costs_of_group(between, room.states, first))
        for lane in range(min(LANES, sizes[driven] - first)):
            row[column + lane] = room.parts[0, lane]
        column += min(LANES, sizes[driven] - first)
    return column


@jit
def unit_costs(net: Net, room: Room, states: States, costs: Doubles, surprises: Doubles) -> None:
    """Write what each unit costs, in nats, in total representations with their inputs: each a row of `states`.

    Written in place: `costs`, of the states of all layers under the generative model (Eq 2), and `surprises`, those of
    the hidden layers under recognition. Their sums are C(α, d) of Eq 3 and -log Q(α|d).
    """
    for row in range(states.shape[0]):
        take_states(net, room.states, states[row], 0)
        column = 0
        for level in range(len(net.sizes) - 1):
            column = write_costs(generative(net, level), room, costs[row], column)
        column = 0
        for level in range(len(net.sizes) - 2):
            column = write_costs(recognition(net, level), room, surprises[row], column)


@jit
def all_costs(net: Net, room: Room, states: States, image: States, costs: Doubles, surprises: Doubles) -> None:
    """Write the costs in nats, C(α, d) and -log Q(α|d), of all total representations α of an image.

    `states`, shape (n, H), lists the representations, and `image`, shape (1, n_0), is the image; `costs` and
    `surprises`, shape (n,), are written.
    """
    n_levels = len(net.sizes) - 1
    for i in range(net.sizes[0]):
        room.states[0, i] = image[0, i]
    for row in range(states.shape[0]):
        take_states(net, room.states, states[row], 1)
        clear_cost(room.parts)
        for level in range(n_levels):
            add_layer_cost(net.way, generative(net, level), room.states, room.parts)
        costs[row] = total_cost(room.parts)
        clear_cost(room.parts)
        for level in range(n_levels - 1):
            add_layer_cost(net.way, recognition(net, level), room.states, room.parts)
        surprises[row] = total_cost(room.parts)


@jit
def summed_costs(costs: Doubles, surprises: Doubles, space: Doubles, answer: Doubles) -> None:
    """Sum over all total representations of an image, whose costs and surprises in nats are given.

    Written in place, four numbers: the expected C(α, d) and the entropy of Q(·|d) (Eq 5), -log P(d), and KL(Q ‖ P), the
    last term of Eq 8. `space`, shape (2, 16), is room.
    """
    least = np.inf
    for row in range(len(costs)):
        least = min(least, costs[row])
    length, entropy, total, excess = 0.0, 0.0, 0.0, 0.0
    for row in range(len(costs)):
        store(space, 0, 0, exp_of_minus_magnitude(spread(surprises[row])))
        store(space, 1, 0, exp_of_minus_magnitude(spread(costs[row] - least)))
        q = space[0, 0]
        length += q * costs[row]
        entropy += q * surprises[row]
        total += space[1, 0]
        excess += q * (costs[row] - least - surprises[row])
    store(space, 0, 0, log_of_doubles(spread(total)))
    answer[0], answer[1] = length, entropy
    answer[2] = least - space[0, 0]
    answer[3] = excess + space[0, 0]
