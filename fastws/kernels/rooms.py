"""What kernels need room for is made here, in Python, which has nothing to compile for it."""

import numpy as np

from fastws.kernels.costs import PARTS
from fastws.kernels.layout import LANES, UNITS_TOGETHER, aligned, whole
from fastws.kernels.random import GROUP
from fastws.kernels.types import Integers, Record, Room

_BLOCK = 64
# Draws are made for at most this many units ahead, to stay within the first-level cache.
_DRAWS_AHEAD = 4096


def new_room(sizes: Integers, n_draws: int, n_inputs: int = 1) -> Room:
    """Return room for a machine: for n_draws draws at once, a group before them and one after, and for inputs."""
    widest = int(sizes.max()) + LANES
    return Room(
        states=aligned(len(sizes) + 1, widest),
        inputs=aligned(n_inputs, int(sizes[0]) + LANES),
        thresholds=aligned(1, n_draws + 2 * GROUP),
        parts=np.empty((2, PARTS)),
    )


def room_to_learn(sizes: Integers, draws_an_example: int) -> Room:
    """Return room for a machine that learns, for a block of examples."""
    ahead = max(1, min(_BLOCK, _DRAWS_AHEAD // draws_an_example))
    return new_room(sizes, ahead * draws_an_example, ahead)


def room_to_learn_together(sizes: Integers, draws_an_example: int) -> Room:
    """Return room for sixteen machines that learn, for a block of examples."""
    ahead = max(1, min(_BLOCK, _DRAWS_AHEAD // (4 * draws_an_example)))
    return Room(
        states=aligned(len(sizes) + 1, whole(int(sizes.max()), UNITS_TOGETHER), LANES),
        inputs=aligned(ahead, int(sizes[0]), LANES),
        thresholds=aligned(1, ahead * draws_an_example + 2 * GROUP, LANES),
        parts=np.empty((2, PARTS)),
    )


def new_record(sizes: Integers) -> Record:
    """Return an empty record of a step."""
    return Record(*(aligned(len(sizes) - 1, int(sizes.max())) for _ in Record._fields))


def draws_of_learning(sizes: Integers) -> int:
    """Return the draws of a wake and a sleep step: one a unit drawn."""
    return int(2 * sizes.sum() - sizes[0])
