"""Hinton diagrams: the generative weights of a machine as squares (Fig 1c)."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastws.plotting.page import DOTS_PER_INCH, INK, PAPER, SMALL_POINTS, VERMILION, Page, add_boxes, text_width
from fastws.plotting.shapes import check_image_shape
from fastws.plotting.style import own_style

if TYPE_CHECKING:
    from fastws.machine import Machine

GROUND = "#8c8c8c"
_WIDTH = 9 * DOTS_PER_INCH
_LEAST_CELL, _LARGEST_CELL = 7.0, 40.0  # in dots
_LARGEST_PAGE = 30_000
_GOLDEN = (1 + math.sqrt(5)) / 2
# In cells: between blocks, between a block and the squares above it, around the largest square, around a marked block,
# and for a label.
_GAP, _HEADER_GAP, _BORDER, _MARK, _LABEL = 1.0, 0.3, 0.04, 0.2, 0.8

_Cells = NDArray[np.float64]


@own_style()
def hinton(
    machine: "Machine",
    image_shape: Sequence[int] | None = None,
    title: str | None = None,
    labels: Sequence[str] | None = None,
    marked: Sequence[int] = (),
) -> Figure:
    """Draw the generative weights to and from the first hidden layer as squares, in the layout of Fig 1c of [1]_.

    Each block is a unit of the first hidden layer and shows its generative weights to the inputs. Above it are its
    generative weights from the layer above, on the left and row after row, and its generative bias, on the right. The
    rightmost block shows the generative biases of the inputs. Areas are proportional to magnitudes, on one scale for
    the whole picture; white is positive and black negative.

    Parameters
    ----------
    machine : Machine
    image_shape : (int, int), optional
        Rows and columns of an input image; by default a square if the number of inputs is one, else one row.
    title : str, optional
    labels : sequence of str, length n_1, optional
        What to write under the block of each unit; for bars, `fastws.experiments.anatomy.anatomy` has what it codes.
    marked : sequence of int
        Units whose blocks have a frame in vermilion.

    Returns
    -------
    matplotlib.figure.Figure
        The caption states the largest weight.

    Raises
    ------
    ValueError
        If image_shape does not hold the inputs, a parameter is not finite, there is not one label a unit, or no unit of
        a number that is to be marked.

    References
    ----------
    .. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> machine = fastws.Machine([4, 2])
    >>> machine.gen_weights[0] = [[2, 2, -1, -1], [-1, 2, -1, 2]]
    >>> figure = plotting.hinton(machine, labels=["row 1", "column 2"])
    """
    machine.check_finite()
    n_units = machine.layer_sizes[1]
    n_above = machine.layer_sizes[2] if len(machine.layer_sizes) > 2 else 0
    to_inputs = np.asarray(machine.gen_weights[0], dtype=np.float64)
    from_above = np.asarray(machine.gen_weights[1] if n_above else np.empty((0, n_units)), dtype=np.float64)
    biases, input_biases = (np.asarray(machine.gen_biases[layer], dtype=np.float64) for layer in (1, 0))
    largest = _largest(to_inputs, from_above, biases, input_biases)
    if labels is not None and len(labels) != n_units:
        raise ValueError(
            f"there are {len(labels)} labels and {n_units} units in the first hidden layer; give one each."
        )
    for unit in marked:
        if not 0 <= unit < n_units:
            raise ValueError(f"marked has {unit!r}; the units of the first hidden layer are 0 to {n_units - 1}.")

    shape = check_image_shape(image_shape, machine.layer_sizes[0])
    layout = _Layout(n_units, n_above, shape, 0.0 if labels is None else _LABEL)
    cell = max(_LEAST_CELL, min(_LARGEST_CELL, _WIDTH // layout.width))
    cell = min(cell, _LARGEST_PAGE / max(layout.width, layout.height))
    page = Page(math.ceil(layout.width * cell), math.ceil(layout.height * cell), title, _caption(largest, n_above))
    axes = page.axes(0, 0, page.width, page.height)
    # A border as wide as those between the largest squares keeps white ones from running into the paper.
    border = cell * np.array([-1, -1, 2, 2]) * _BORDER
    if len(marked):
        frame = cell * np.array([-1, -1, 2, 2]) * _MARK
        frames = add_boxes(axes, cell * layout.grounds[list(marked)] + frame, VERMILION)
        frames.set_clip_on(False)
        frames.set_gid("frames")
    grounds = add_boxes(axes, cell * layout.grounds + border, GROUND)
    grounds.set_clip_on(False)
    grounds.set_gid("grounds")
    grounds.set_snap(True)

    values = np.concatenate([array.ravel() for array in (to_inputs, from_above.T, biases, input_biases)])
    shown = values != 0
    side = (1 - 2 * _BORDER) * np.sqrt(np.abs(values[shown]) / (largest or 1.0))
    corner = layout.cells[shown] + (1 - side[:, np.newaxis]) / 2
    colors = np.where(values[shown] > 0, PAPER, INK).tolist()
    squares = add_boxes(axes, cell * np.column_stack([corner, side, side]), colors)
    squares.set_gid("weights")
    squares.set_snap(False)  # whole dots would not be proportional areas
    for unit, label in enumerate(labels or ()):
        left, top, width, height = cell * layout.grounds[unit]
        room = width + 0.9 * _GAP * cell
        points = min(SMALL_POINTS, SMALL_POINTS * room / max(1, text_width(len(label), SMALL_POINTS)))
        color = VERMILION if unit in marked else INK
        page.text(left + width / 2, top + height + 0.3 * cell, label, points, ha="center", va="top", color=color)
    return page.figure


class _Layout:
    """Where the cells are, in cells from the top left corner.

    Attributes
    ----------
    width, height : float
        Size of the whole drawing.
    cells : ndarray, shape (n_units * n_pixels + n_units * n_above + n_units + n_pixels, 2)
        Left and top of each weight's cell: unit after unit to the inputs, unit after unit from the layer above, the
        biases of the units, the biases of the inputs.
    grounds : ndarray, shape (n_boxes, 4)
        Left, top, width and height of the grey boxes under them; those of the units' weights to the inputs come first.
    """

    def __init__(self, n_units: int, n_above: int, image_shape: tuple[int, int], label: float) -> None:
        rows, columns = image_shape
        # A free cell parts the weights from above and the bias, where the block is wide enough.
        above_rows = -(-n_above // max(columns - 2, 1))
        above_columns = -(-n_above // max(above_rows, 1))
        header = max(above_rows, 1)
        width = max(columns, above_columns + 1)
        height = header + _HEADER_GAP + rows + label
        n_columns = _block_columns(n_units, width + _GAP, height + _GAP)
        unit = np.arange(n_units)
        corner = np.stack([(unit % n_columns) * (width + _GAP), (unit // n_columns) * (height + _GAP)], axis=1)
        image = corner + np.array([(width - columns) / 2, header + _HEADER_GAP])
        bias = corner + np.array([width - 1, 0])
        self.height = -(-n_units // n_columns) * (height + _GAP) - _GAP
        inputs = np.array([[n_columns * (width + _GAP) + _GAP, (self.height - rows) / 2]])
        self.width = float(inputs[0, 0]) + columns

        pixels, above = _grid(rows * columns, columns), _grid(n_above, max(above_columns, 1))
        self.cells = np.concatenate([_at(image, pixels), _at(corner, above), bias, _at(inputs, pixels)])
        first = above[:: max(above_columns, 1)]
        row_widths = np.minimum(above_columns, n_above - np.arange(len(first)) * above_columns)
        self.grounds = np.concatenate(
            [
                _boxes(np.concatenate([image, inputs]), columns, rows),
                _boxes(bias, 1, 1),
                _boxes(_at(corner, first), np.tile(row_widths, n_units), 1),
            ]
        )


def _grid(n: int, n_columns: int) -> _Cells:
    number = np.arange(n, dtype=np.float64)
    return np.stack([number % n_columns, number // n_columns], axis=1)


def _at(corners: _Cells, cells: _Cells) -> _Cells:
    return (corners[:, np.newaxis] + cells).reshape(-1, 2)


def _boxes(corners: _Cells, width: "float | NDArray[np.int64]", height: float) -> _Cells:
    n = len(corners)
    return np.column_stack([corners, np.broadcast_to(width, n), np.broadcast_to(height, n)])


def _block_columns(n_units: int, width: float, height: float) -> int:
    """Return the blocks a row that make a page of nearly golden proportions with few places left over."""

    def cost(n_columns: int) -> float:
        n_rows = -(-n_units // n_columns)
        left_over = 1 - n_units / (n_rows * n_columns)
        return abs(math.log((n_columns + 1) * width / (n_rows * height * _GOLDEN))) + 2 * left_over

    return min(range(1, n_units + 1), key=cost)


def _largest(*arrays: NDArray[np.float64]) -> float:
    return max(float(np.abs(array).max(initial=0.0)) for array in arrays)


def _caption(largest: float, n_above: int) -> str:
    above = {0: "", 1: "top left, its weight from the unit in the layer above; "}.get(
        n_above, f"top left, its weights from the {n_above} units in the layer above; "
    )
    scale = f"largest weight {largest:.1f}" if largest >= 1 else f"largest weight {largest:.2g}"
    if largest == 0:
        scale = "and all weights are 0"
    return (
        "Generative weights of the first hidden layer. Each block is a unit and shows its weights to the inputs; "
        f"{above}top right, its bias. The rightmost block shows the biases of the inputs. "
        f"White is positive, black negative; area is proportional to magnitude, {scale}."
    )
