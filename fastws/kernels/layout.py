"""How float32 parameters and states lie in memory, for the vectors that kernels work with."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

LANES = 16
"""Elements of a vector. No result depends on it, nor on the next."""
BLOCK = 64
"""Elements that are done at a time where there are enough: units of a wide layer, or four units of sixteen machines."""
UNITS_TOGETHER = BLOCK // LANES
WIDE = 64
"""A connection between layers of so many units or more is worth lists of the units that are on."""

_CACHE_LINE = 16
# Rows are padded to whole vectors unless that takes more than this part of the memory, in nets that take some.
_PADDING = 0.1
_SMALL = 1 << 18

Integers = NDArray[np.int64]


class Stack(NamedTuple):
    """The connections of a net in one direction, one after the other in one array.

    Row 0 of a connection holds the biases of the driven layer: the weights from a unit that is always on. Row 1 + u
    holds the weights from unit u of the driving layer, one column a driven unit. Where rows are padded to whole
    vectors, units stand there that nothing listens to. Where they are not, the last vector of a row ends in the next.

    Attributes
    ----------
    data : ndarray of float32, shape (n,) or, for machines that learn together, (n, LANES)
    places : ndarray of int64, shape (n_levels, 3)
        Where each connection begins, how many rows it has, and how far it is from row to row.
    """

    data: Any
    places: Integers


def new_stack(shapes: Sequence[tuple[int, int]], together: bool = False) -> Stack:
    """Return a stack of zeros for connections of these numbers of driving and driven units."""
    rows, columns = (np.array(sizes, np.int64) for sizes in zip(*shapes, strict=True))
    rows += 1
    gap = 0
    if together:
        columns = whole(columns, UNITS_TOGETHER)
    else:
        padded = whole_vectors(columns)
        if (rows * padded).sum() <= max(_SMALL, (1 + _PADDING) * (rows * columns).sum()):
            columns = padded
        else:
            gap = LANES
    ends = np.cumsum(rows * columns + gap)
    places = np.stack([np.concatenate([[0], ends[:-1]]), rows, columns], axis=1)
    return Stack(aligned(int(ends[-1]), *([LANES] if together else [])), places)


def is_padded(stack: Stack) -> bool:
    """Return whether all rows are whole vectors."""
    return not (stack.places[:, 2] % LANES).any()


def connection(stack: Stack, level: int) -> NDArray[np.float32]:
    """Return a view of one connection, shape (rows, columns) or, together, (rows, columns, LANES).

    Interpreted, columns that are not whole vectors have those of the next row after them, as they do in memory.
    """
    start, n_rows, n_columns = stack.places[level].tolist()
    data = stack.data[start:]
    if data.ndim == 2:
        return data[: n_rows * n_columns].reshape(n_rows, n_columns, LANES)
    return as_strided(data, (n_rows, whole_vectors(n_columns)), (4 * n_columns, 4))


def whole_vectors(n: Any) -> Any:
    """Return the least multiple of `LANES` that is not below n."""
    return whole(n, LANES)


def whole(n: Any, part: int) -> Any:
    """Return the least multiple of a part that is not below n."""
    return -(-n // part) * part


def aligned(*shape: int) -> NDArray[np.float32]:
    """Return zeros whose last axis is rounded up to whole vectors and whose rows begin where a cache line does."""
    *outer, n_columns = shape
    whole = (*outer, whole_vectors(n_columns))
    space = np.zeros(math.prod(whole) + _CACHE_LINE, np.float32)
    start = -(space.ctypes.data // 4) % _CACHE_LINE
    return space[start : start + math.prod(whole)].reshape(whole)
