"""Sixteen numbers at once, or more: the vector type that the kernels are written in.

Sixteen neighbouring units of a layer, or one unit of each of sixteen machines, are one value, `Lanes`; four times as
many are a block. Interpreted (``NUMBA_DISABLE_JIT=1``) it is a NumPy array, and the functions below do what they say.
Compiled (`vectors`) it is a vector of LLVM, which becomes as many registers as it takes on the CPU at hand. Every
operation rounds once, as IEEE 754 says, so that both ways, and every instruction set, give the same bits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.layout import BLOCK, LANES


def load(array: NDArray[Any], row: int, column: int, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return sixteen elements: those of a row from a column on, or, of a 3-D array, those at a row and column.

    Beside `like`, as many as there are lanes in it, in the order of memory.
    """
    _check_start(row, column)
    n = LANES if like is None else len(like)
    return array[row, column : column + (n if array.ndim == 2 else n // LANES)].ravel().copy()


def load_block(array: NDArray[Any], row: int, column: int) -> NDArray[Any]:
    """Return `BLOCK` elements from where `load` begins."""
    return load(array, row, column, np.empty(BLOCK))


def store(array: NDArray[Any], row: int, column: int, lanes: NDArray[Any]) -> None:
    """Write elements where `load` finds them."""
    _check_start(row, column)
    if array.ndim == 2:
        array[row, column : column + len(lanes)] = lanes
    else:
        array[row, column : column + len(lanes) // LANES] = lanes.reshape(-1, LANES)


def _check_start(row: int, column: int) -> None:
    if row < 0 or column < 0:  # NumPy would count from the end; compiled code would read what is before the array
        raise IndexError(f"sixteen elements at [{row}, {column}] are out of bounds")


def load_bits(array: NDArray[Any], row: int, column: int) -> NDArray[np.uint32]:
    """Return what `load` does, as bit patterns of 32 bits."""
    return load(array.view(np.uint32), row, column)


def store_bits(array: NDArray[Any], row: int, column: int, lanes: NDArray[np.uint32]) -> None:
    """Write sixteen bit patterns of 32 bits where `load_bits` finds them."""
    store(array.view(np.uint32), row, column, lanes)


def spread(x: Any, like: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return sixteen copies of a NumPy scalar or, beside `like`, as many as there are lanes in it."""
    return np.full(LANES if like is None else len(like), x)


def spread_element(array: NDArray[Any], row: int, column: int, like: NDArray[Any]) -> NDArray[Any]:
    """Return copies of an element of a 2-D array, as many as there are lanes in `like`."""
    _check_start(row, column)
    return spread(array[row, column], like)


def repeat(x: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return lanes again and again, until they are as many as those in `like`."""
    return np.tile(x, len(like) // len(x))


def lane_numbers(like: NDArray[Any]) -> NDArray[np.uint32]:
    """Return 0, 1 … of as many lanes as there are in `like`."""
    return np.arange(len(like), dtype=np.uint32)


def where(mask: NDArray[np.bool_], a: NDArray[Any], b: Any) -> NDArray[Any]:
    """Return `a` in the lanes where the mask holds and `b`, lanes or a number, in the others."""
    return np.where(mask, a, b).astype(a.dtype, copy=False)


def add_product(a: NDArray[np.float32], state: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a + state * b for states of 0 and 1: the product is exact, so a processor may well fuse the two."""
    return a + state * b


def float_bits(x: NDArray[Any]) -> NDArray[Any]:
    """Return the bit patterns of float lanes as signed integers of the same width."""
    return x.view(f"i{x.itemsize}")


def float_from_bits(x: NDArray[Any]) -> NDArray[Any]:
    """Return the float lanes that have these bit patterns."""
    return x.view(f"f{x.itemsize}")


def signed(x: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return uint32 lanes taken as int32."""
    return x.view(np.int32)


def rotate(x: NDArray[np.uint32], n: int) -> NDArray[np.uint32]:
    """Rotate uint32 to the left by 0 < n < 32 places."""
    return (x << np.uint32(n)) | (x >> np.uint32(32 - n))


def to_float(x: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the float32 nearest to each int32."""
    return x.astype(np.float32)


def to_double(x: NDArray[Any]) -> NDArray[np.float64]:
    """Return float32 or int64 lanes as float64."""
    return x.astype(np.float64)
