"""Softmax groups: a layer divided into groups of units, in each of which exactly one is on.

A unit v of a group is on with the probability p_v = exp(a_v) / Σ exp(a) over its group, which takes the place of Eq 1;
the delta rule and the draws stay. Each unit has its logistic variate t, as any other: σ(t) is uniform, so that
g = -log(-log σ(t)) is a Gumbel variate, and the unit on is the one with the largest a + g.
"""

import numpy as np

from fastws.kernels import connection, wide
from fastws.kernels.connection import of_the_row
from fastws.kernels.dispatch import by_type
from fastws.kernels.elementary import exp_of_minus_magnitude, log_of_doubles
from fastws.kernels.jit import inline, inner
from fastws.kernels.lanes import lane_numbers, load, spread, store, to_double, where
from fastws.kernels.layout import LANES
from fastws.kernels.types import Connection, Doubles, Floats, Grouped, Lanes, Narrow, Wide
from fastws.kernels.units import OFF, ON, logits, logits_in_doubles, state, update, update_biases

sample_binary_layer = by_type({Narrow: connection.sample_layer, Wide: wide.sample_layer})
learn_binary = by_type({Narrow: connection.learn, Wide: wide.learn})


@inner
def sample_layer(way: Grouped, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Draw the states of the driven layer from those of the driving one."""
    if way.groups[between.driven] == 1:
        sample_binary_layer(way.binary, between, states, thresholds, draw)
    else:
        sample_groups(way, between, states, thresholds, draw)


@inner
def learn(way: Grouped, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Apply the delta rule Δw_uv = ε s_u (s_v - p_v) (Eqs 4 and 7)."""
    if way.groups[between.driven] == 1:
        learn_binary(way.binary, between, states, rate, floor)
    else:
        learn_groups(way, between, states, rate, floor)


@inline
def sample_groups(way: Grouped, between: Connection, states: Floats, thresholds: Floats, draw: int) -> None:
    """Turn on the unit of each group with the largest sum of its logit and a Gumbel variate."""
    weights, sizes, driving, driven = between
    n, size, race = sizes[driven], way.groups[driven], way.numbers
    for first in range(0, n, LANES):
        a = to_double(logits(weights, sizes, states, driving, first))
        t = load(thresholds, 0, draw + first)
        # What comes after the last draw need not be a number.
        t = where(lane_numbers(t) < np.uint32(min(LANES, n - first)), t, 0.0)
        store(race, 0, first, a + gumbel_variate(to_double(t)))
    for start in range(0, n, size):
        winner = start
        for v in range(start, start + size):
            states[driven, v] = OFF
            if race[0, v] > race[0, winner]:
                winner = v
        states[driven, winner] = ON


@inline
def gumbel_variate(t: Lanes) -> Lanes:
    """Return -log(log(1 + exp(-t))), a Gumbel variate, of float64 lanes of logistic variates."""
    softplus = where(t < 0.0, t * -1.0, 0.0) + log_of_doubles(exp_of_minus_magnitude(t) + 1.0)
    return log_of_doubles(softplus) * -1.0


@inline
def learn_groups(way: Grouped, between: Connection, states: Floats, rate: np.float32, floor: np.float32) -> None:
    """Apply the delta rule to a layer of groups."""
    weights, sizes, driving, driven = between
    write_probabilities_of_groups(way, between, states, way.probabilities, 0)
    for first in range(0, sizes[driven], LANES):
        error = load(states, driven, first) - load(way.probabilities, 0, first)
        delta = of_the_row(way.binary, rate * error, weights, first)
        update_biases(weights, first, delta)
        for u in range(sizes[driving]):
            update(weights, u, first, state(states, driving, u, delta), delta, floor)


@inline
def write_probabilities_of_groups(
    way: Grouped, between: Connection, states: Floats, probabilities: Floats, row: int
) -> None:
    """Write the probabilities of the units of the driven layer into a row, and 0 from there to a whole vector."""
    weights, sizes, driving, driven = between
    n, size, numbers = sizes[driven], way.groups[driven], way.numbers
    for first in range(0, n, LANES):
        store(numbers, 0, first, to_double(logits(weights, sizes, states, driving, first)))
    subtract_largest(numbers, n, size)
    for first in range(0, n, LANES):
        store(probabilities, row, first, spread(OFF))
        store(numbers, 0, first, exp_of_minus_magnitude(load(numbers, 0, first)))
    for start in range(0, n, size):
        total = 0.0
        for v in range(start, start + size):
            total += numbers[0, v]
        for v in range(start, start + size):
            probabilities[row, v] = np.float32(numbers[0, v] / total)


@inline
def add_costs_of_groups(way: Grouped, between: Connection, states: Floats, parts: Doubles) -> None:
    """Add the cost in nats of the states of a layer: of each group the log Σ exp(a) - a of the unit that is on."""
    n, size, numbers = between.sizes[between.driven], way.groups[between.driven], way.numbers
    for first in range(0, n, LANES):
        store(numbers, 0, first, logits_in_doubles(between, states, first))
    subtract_largest(numbers, n, size)
    for first in range(0, n, LANES):
        store(numbers, 1, first, exp_of_minus_magnitude(load(numbers, 0, first)))
    for group in range(n // size):
        total = 0.0
        for v in range(group * size, (group + 1) * size):
            total += numbers[1, v]
            if states[between.driven, v] > OFF:
                parts[0, group % parts.shape[1]] -= numbers[0, v]
        # Nothing reads any more what this takes the place of.
        numbers[1, group] = total
    for first in range(0, n // size, LANES):
        store(numbers, 1, first, log_of_doubles(load(numbers, 1, first)))
    for group in range(n // size):
        parts[0, group % parts.shape[1]] += numbers[1, group]


@inline
def subtract_largest(numbers: Doubles, n: int, size: int) -> None:
    """Subtract from the first n numbers of row 0 the largest of their group."""
    for start in range(0, n, size):
        largest = numbers[0, start]
        for v in range(start, start + size):
            largest = max(largest, numbers[0, v])
        for v in range(start, start + size):
            numbers[0, v] -= largest
