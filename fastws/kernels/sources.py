"""Where inputs come from. A new source is a class in `types`, a function here, and a line in `write_input`."""

import numpy as np

from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import inline
from fastws.kernels.lanes import load, spread, store, where
from fastws.kernels.random import shuffle
from fastws.kernels.types import BarsSource, Floats, ImagesSource, Room, RowsSource, States
from fastws.kernels.units import OFF, ON, state, units_a_value


@inline
def write_bars(source: BarsSource, room: Room, row: int, example: np.uint64, draw: int) -> None:
    """Draw the bars image of an example: a draw for the orientation, and one a bar.

    The last row of the states is room.
    """
    images, on, thresholds = room.inputs, room.states, room.thresholds
    size, space = source.bars.shape[0], on.shape[0] - 1
    yes, no = spread(ON), spread(OFF)
    vertical = state(thresholds, 0, draw, no) < source.orientation
    all_before, none_before = yes, yes
    for k in range(size):
        some, all_, none = source.bars[k, 0], source.bars[k, 1], source.bars[k, 2]
        logit = where(all_before > OFF, spread(all_), where(none_before > OFF, spread(none), some))
        there = where(state(thresholds, 0, draw + 1 + k, no) < logit, yes, no)
        store(on, space, k, there)
        all_before = all_before * there
        none_before = none_before * (yes - there)
    for i in range(size):
        for first in range(0, size, units_a_value(on)):
            # The units past the end of a row of pixels are written again by the next row.
            store(images, row, i * size + first, where(vertical, load(on, space, first), state(on, space, i, no)))


@inline
def write_image(source: ImagesSource, room: Room, row: int, example: np.uint64, draw: int) -> None:
    """Copy the image whose turn it is in the order of each machine; a sweep begins with new orders."""
    n_images = np.uint64(source.images.shape[0])
    sweep = example // n_images + np.uint64(1)
    if source.sweep[0] != sweep:
        for machine in range(source.orders.shape[0]):
            shuffle(source.keys[machine], sweep - np.uint64(1), source.orders[machine], source.bits)
        source.sweep[0] = sweep
    for machine in range(source.orders.shape[0]):
        copy_row(source.images, source.orders[machine, np.int64(example % n_images)], room.inputs, row, machine)


@inline
def write_row(source: RowsSource, room: Room, row: int, example: np.uint64, draw: int) -> None:
    """Copy the row of an example."""
    for machine in range(n_machines(room.inputs)):
        copy_row(source.rows, np.int64(example - source.first), room.inputs, row, machine)


@inline
def n_machines(inputs: Floats) -> int:
    """Return for how many machines there are inputs."""
    # Compiled, the dimensions choose only where the array itself is an argument.
    if inputs.ndim == 2:
        return 1
    return inputs.shape[2]


@inline
def copy_row(rows: States, number: int, inputs: Floats, row: int, machine: int) -> None:
    """Copy a row of states to a row of inputs, of which there may be one a machine."""
    for i in range(rows.shape[1]):
        if inputs.ndim == 2:
            inputs[row, i] = rows[number, i]
        else:
            inputs[row, i, machine] = rows[number, i]


write_input = by_type(
    {
        BarsSource: write_bars,
        ImagesSource: write_image,
        RowsSource: write_row,
    }
)
