"""Learning by rules of one's own: the phases one by one, and a loop that is compiled for compiled rules.

The loop draws what `run` draws. It is compiled anew for each rule, since what takes a function never comes from the
cache; so it is kept small: the phases do come from there, and are called.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numpy.typing import NDArray

from fastws.kernels import phases, whole
from fastws.kernels.connection import generative, hold_to_floor, recognition
from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import OPTIONS, inline, jit
from fastws.kernels.layout import Stack, connection, whole_vectors
from fastws.kernels.random import draw_ahead
from fastws.kernels.run import take_input
from fastws.kernels.sources import write_input
from fastws.kernels.steps import sleep_update, wake_update
from fastws.kernels.types import Connection, Draws, Floats, Integers, Net, Record, Room, Rule
from fastws.kernels.units import OFF
from fastws.kernels.whole import write_probabilities

uncached: Callable[..., Any] = numba.njit(**OPTIONS)
CannotCompile = NumbaError


class BuiltIn(NamedTuple):
    """The delta rule."""


class Own(NamedTuple):
    """A rule for one connection.

    Attributes
    ----------
    kernel : compiled function
        ``kernel(weights, biases, driving, driven, rate)``, as `fastws.rules.connection_rule` takes it.
    """

    kernel: Any


class OwnOfProbabilities(NamedTuple):
    """A rule for one connection that takes the probabilities of Eq 1 of the driven layer, too.

    Attributes
    ----------
    kernel : compiled function
    """

    kernel: Any


class InPython(NamedTuple):
    """A rule that kernels cannot call."""


class Rules(NamedTuple):
    """How a net learns where not only by `Rule`.

    Attributes
    ----------
    wake, sleep : BuiltIn, Own, OwnOfProbabilities or InPython
    rule : Rule
    layers, probabilities : Stack
        Room, a row a layer: the states as whole numbers, and the probabilities of Eq 1. They are `connection` 0 of
        stacks, to which nothing counts references.
    """

    wake: Any
    sleep: Any
    rule: Rule
    layers: Stack
    probabilities: Stack


def is_compiled(function: object) -> bool:
    """Return whether a function is one of ``numba.njit``."""
    return isinstance(function, Dispatcher)


def compile_for_connections(way: Own | OwnOfProbabilities) -> str:
    """Compile a rule for one connection for the arrays that it is called with here; return the type of its result.

    Raises
    ------
    CannotCompile
        If it does not compile.
    """
    rows = numba.types.Array(numba.types.float32, 2, "A", aligned=False)
    row, states = (numba.types.Array(of, 1, "C", aligned=False) for of in (numba.types.float32, numba.types.uint8))
    more = (row,) if isinstance(way, OwnOfProbabilities) else ()
    arguments = (rows, row, states, states, numba.types.float32, *more)
    way.kernel.compile(arguments)
    return str(way.kernel.overloads[arguments].signature.return_type)


def room_for_rules(sizes: Integers) -> dict[str, Stack]:
    """Return the room that `Rules` have, by name."""
    places = np.array([[0, len(sizes), whole_vectors(int(sizes.max()))]])
    n = int(places[0, 1] * places[0, 2])
    return {
        "layers": Stack(np.zeros(n, np.uint8), places),
        "probabilities": Stack(np.zeros(n, np.float32), places),
    }


@jit
def draw_block(source: object, draws: Draws, room: Room, block: int, example: np.uint64) -> int:
    """Draw for a block of examples, from one on, and write their inputs; return the column of the first draw."""
    n_draws = block * draws.an_example
    draw = draw_ahead(draws.key, example * np.uint64(draws.an_example), n_draws, room.thresholds)
    for row in range(block):
        write_input(source, room, row, example + np.uint64(row), draw + row * draws.an_example)
    return draw


@jit
def recognise(net: Net, room: Room, row: int, draw: int) -> int:
    """Represent an input of the block in the states; return the number of the next draw."""
    take_input(net, room, row)
    return phases.recognise(net, room.states, room.thresholds, draw)


@jit
def fantasise(net: Net, room: Room, draw: int) -> None:
    """Draw a fantasy into the states."""
    phases.fantasise(net, room.states, room.thresholds, draw)


@jit
def record_wake(net: Net, states: Floats, record: Record) -> None:
    """Write down the states awake, as `whole.step` does."""
    whole.record_wake(net, states, record)


@jit
def record_sleep(net: Net, states: Floats, record: Record) -> None:
    """Write down the states asleep, as `whole.step` does."""
    whole.record_sleep(net, states, record)


@uncached
def run_by_rules(
    rules: Rules,
    source: object,
    net: Net,
    draws: Draws,
    room: Room,
    n_examples: int,
    seen: NDArray[np.uint64],
) -> None:
    """Learn from the next examples with the draws of `run`, one machine by compiled rules."""
    ahead = room.inputs.shape[0]
    first = seen[0]
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        draw = draw_block(source, draws, room, block, first + np.uint64(start)) + draws.an_input
        for row in range(block):
            take_input(net, room, row)
            next_draw = phases.recognise(net, room.states, room.thresholds, draw + row * draws.an_example)
            learn_awake(rules.wake, rules, net, room.states)
            phases.fantasise(net, room.states, room.thresholds, next_draw)
            learn_asleep(rules.sleep, rules, net, room.states)
    seen[0] = first + np.uint64(n_examples)


@uncached
def update_awake(rules: Rules, net: Net, states: Floats) -> None:
    """Learn from the states of all layers by the wake rule."""
    learn_awake(rules.wake, rules, net, states)


@uncached
def update_asleep(rules: Rules, net: Net, states: Floats) -> None:
    """Learn from the states of all layers by the sleep rule."""
    learn_asleep(rules.sleep, rules, net, states)


@inline
def wake_by_delta_rule(way: BuiltIn, rules: Rules, net: Net, states: Floats) -> None:
    """Apply Eq 4."""
    wake_update(net, rules.rule, states)


@inline
def sleep_by_delta_rule(way: BuiltIn, rules: Rules, net: Net, states: Floats) -> None:
    """Apply Eq 7."""
    sleep_update(net, rules.rule, states)


@inline
def wake_by_kernel(way: Own, rules: Rules, net: Net, states: Floats) -> None:
    """Apply a rule of one's own to each generative connection, and hold the weights to the inputs to their floor."""
    write_layers(net, states, rules.layers)
    for level in range(len(net.sizes) - 1):
        apply(way, rules, net, generative(net, level), states, rules.rule.rates[level])
    hold_to_floor(generative(net, 0), rules.rule.floor)


@inline
def sleep_by_kernel(way: Own, rules: Rules, net: Net, states: Floats) -> None:
    """Apply a rule of one's own to each recognition connection."""
    write_layers(net, states, rules.layers)
    for level in range(len(net.sizes) - 2):
        apply(way, rules, net, recognition(net, level), states, rules.rule.rates[level])


@inline
def write_layers(net: Net, states: Floats, layers: Stack) -> None:
    """Copy the states of all layers as whole numbers."""
    rows = connection(layers, 0)
    for layer in range(len(net.sizes) - 1):
        for v in range(net.sizes[layer]):
            rows[layer, v] = states[layer, v] > OFF


@inline
def apply_to_states(way: Own, rules: Rules, net: Net, between: Connection, states: Floats, rate: np.float32) -> None:
    """Apply a rule to a connection."""
    weights, sizes, driving, driven = between
    rows, n, m = connection(rules.layers, 0), sizes[driving], sizes[driven]
    way.kernel(weights[1 : 1 + n, :m], weights[0, :m], rows[driving, :n], rows[driven, :m], rate)


@inline
def apply_to_probabilities(
    way: OwnOfProbabilities, rules: Rules, net: Net, between: Connection, states: Floats, rate: np.float32
) -> None:
    """Apply a rule to a connection, given the probabilities of the driven layer."""
    weights, sizes, driving, driven = between
    rows, n, m = connection(rules.layers, 0), sizes[driving], sizes[driven]
    probabilities = connection(rules.probabilities, 0)
    write_probabilities(net.way, between, states, probabilities)
    way.kernel(
        weights[1 : 1 + n, :m], weights[0, :m], rows[driving, :n], rows[driven, :m], rate, probabilities[driven, :m]
    )


apply = by_type({Own: apply_to_states, OwnOfProbabilities: apply_to_probabilities})
learn_awake = by_type({BuiltIn: wake_by_delta_rule, Own: wake_by_kernel, OwnOfProbabilities: wake_by_kernel})
learn_asleep = by_type({BuiltIn: sleep_by_delta_rule, Own: sleep_by_kernel, OwnOfProbabilities: sleep_by_kernel})
