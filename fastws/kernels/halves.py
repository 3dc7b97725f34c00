"""The loop over examples with one phase left out: what the other one learns by itself."""

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.jit import jit
from fastws.kernels.phases import fantasise, learn_generative, learn_recognition, n_units, recognise
from fastws.kernels.random import draw_ahead
from fastws.kernels.run import take_input
from fastws.kernels.sources import write_input
from fastws.kernels.types import Draws, Net, Room, Rule


@jit
def run_awake(
    source: object, net: Net, rule: Rule, draws: Draws, room: Room, n_examples: int, seen: NDArray[np.uint64]
) -> None:
    """Do what `run` does with one machine, with the same draws, but its wake steps only."""
    for _ in range(n_examples):
        draw = draw_ahead(draws.key, seen[0] * np.uint64(draws.an_example), draws.an_example, room.thresholds)
        write_input(source, room, 0, seen[0], draw)
        take_input(net, room, 0)
        recognise(net, room.states, room.thresholds, draw + draws.an_input)
        learn_generative(net, rule, room.states)
        seen[0] += np.uint64(1)


@jit
def run_asleep(net: Net, rule: Rule, draws: Draws, room: Room, n_examples: int, seen: NDArray[np.uint64]) -> None:
    """Do what `run` does with one machine, with the same draws, but its sleep steps only."""
    for _ in range(n_examples):
        draw = draw_ahead(draws.key, seen[0] * np.uint64(draws.an_example), draws.an_example, room.thresholds)
        fantasise(net, room.states, room.thresholds, draw + draws.an_input + n_units(net, 1))
        learn_recognition(net, rule, room.states)
        seen[0] += np.uint64(1)
