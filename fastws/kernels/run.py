"""The loop over examples."""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels import together
from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import inline, inner, jit
from fastws.kernels.lanes import load, store
from fastws.kernels.phases import fantasise, learn_generative, learn_recognition, recognise
from fastws.kernels.random import draw_ahead
from fastws.kernels.sources import write_input
from fastws.kernels.types import Draws, Grouped, Narrow, Net, Room, Rule, Together, Wide
from fastws.kernels.units import units_a_value


@inline
def stay(way: Narrow, net: Net, home: bool) -> None:
    """Leave the parameters of one machine where they are."""


move = by_type({Narrow: stay, Wide: stay, Grouped: stay, Together: together.move})


@jit
def run(
    source: object,
    net: Net,
    rule: Rule,
    draws: Draws,
    room: Room,
    n_examples: int,
    seen: tuple[NDArray[np.uint64], ...],
) -> None:
    """Learn from the next examples: a wake step and a sleep step each.

    `seen` has a count of examples a machine. They begin alike, and are kept in step with the parameters.
    """
    ahead = room.inputs.shape[0]
    move(net.way, net, False)
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        example = seen[0][0] + np.uint64(start)
        n_draws = block * draws.an_example
        draw = draw_ahead(draws.key, example * np.uint64(draws.an_example), n_draws, room.thresholds)
        for row in range(block):
            write_input(source, room, row, example + np.uint64(row), draw + row * draws.an_example)
        learn_from_block(net, rule, room, block, draw + draws.an_input, draws.an_example)
    move(net.way, net, True)
    now = seen[0][0] + np.uint64(n_examples)
    # A machine may be there more than once.
    for count in seen:
        count[0] = now


@inner
def learn_from_block(net: Net, rule: Rule, room: Room, block: int, draw: int, draws_between: int) -> None:
    """Learn from each of the first inputs in turn.

    The draws of an example begin with column `draw` of the thresholds, and those of the next `draws_between` later.
    """
    states, thresholds = room.states, room.thresholds
    for row in range(block):
        take_input(net, room, row)
        next_draw = recognise(net, states, thresholds, draw + row * draws_between)
        learn_generative(net, rule, states)
        fantasise(net, states, thresholds, next_draw)
        learn_recognition(net, rule, states)


@inline
def take_input(net: Net, room: Room, row: int) -> None:
    """Set the states of the input layer to an input of the block."""
    for first in range(0, net.sizes[0], units_a_value(room.states)):
        store(room.states, 0, first, load(room.inputs, row, first))
