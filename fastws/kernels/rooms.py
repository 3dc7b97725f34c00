"""What kernels need room for is made here, in Python, which has nothing to compile for it."""

import numpy as np

from fastws.kernels.costs import PARTS
from fastws.kernels.layout import LANES, UNITS_TOGETHER, aligned, whole, whole_vectors
from fastws.kernels.random import GROUP
from fastws.kernels.types import Integers, Net, Record, Room, Samples, Wide

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


def room_for_samples(net: Net, room: Room, n_samples: int) -> Samples:
    """Return room for several representations of an input, beside that of a machine."""
    lists = net.way if isinstance(net.way, Wide) else (np.empty((4, 0)), np.empty(4))
    return Samples(
        room,
        states=aligned(n_samples, *room.states.shape),
        weights=np.zeros((1, whole_vectors(n_samples))),
        generative=aligned(n_samples, *room.states.shape),
        recognition=aligned(n_samples, *room.states.shape),
        active=np.empty((n_samples, *lists[0].shape), np.int64),
        counts=np.empty((n_samples, *lists[1].shape), np.int64),
    )


def draws_of_learning(sizes: Integers, n_samples: int = 1) -> int:
    """Return the draws of a wake step, in which an input is represented so often, and of a sleep step."""
    return int((n_samples + 1) * sizes.sum() - n_samples * sizes[0])
