"""From arrays of pixels to binary rows, and the shapes of images."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_binary, check_integer, check_threshold

FULL_SCALES = (1, 16, 255, 65535)
"""What white is, where grey levels are probabilities: the first of these that no pixel exceeds."""

_BLOCK = 1 << 20


def binarise(x: NDArray[Any], threshold: float | None, name: str, seed: int | None = None) -> NDArray[np.uint8]:
    """Return binary rows: the pixels above the threshold, or drawn by a seed, or x itself, checked.

    Parameters
    ----------
    x : ndarray of numbers, shape (n, n_pixels), (n, height, width) or (n, height, width, 1)
    threshold : float or None
        Pixels above it are on.
    name : str
        What the error messages call `x`.
    seed : int, optional
        Each pixel is on with its grey level as probability, from 0 for black to 1 for white; white is the first of
        1, 16, 255 and 65535 that no pixel exceeds. The draws are those of NumPy's PCG64 with this seed, one a pixel in
        the order of rows, so that they are the same everywhere.

    Returns
    -------
    ndarray of uint8, shape (n, n_pixels)

    Raises
    ------
    ValueError
        If x is not binary and there is neither a threshold nor a seed, or both; if x has NaN or is not an array of
        numbers; or if a grey level is below 0 or above 65535.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> datasets.binarise(np.array([[0, 90, 200]]), threshold=127, name="images")
    array([[0, 0, 1]], dtype=uint8)
    """
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {x.dtype}; give numbers.")
    rows = _rows(x, name)
    if x.dtype.kind == "f" and np.isnan(rows).any():
        raise ValueError(f"{name} has NaN among its pixels; nothing tells whether they are on. Leave such images out.")
    if threshold is not None:
        if seed is not None:
            raise ValueError("a threshold and a seed to binarise with do not go together; give one of them.")
        return check_binary(rows > check_threshold(threshold), name=name)
    if seed is not None:
        return check_binary(_drawn(rows, check_integer(seed, "the seed to binarise with", at_least=0), name), name=name)
    try:
        return check_binary(rows, name=name)
    except ValueError as error:
        if "Threshold grey images" not in str(error):
            raise
        raise ValueError(
            f"{error} The pixels run from {rows.min().item():g} to {rows.max().item():g}. On the command line, "
            "--threshold does that, or --binarise SEED draws each pixel with its grey level as probability."
        ) from error


def _drawn(rows: NDArray[Any], seed: int, name: str) -> NDArray[np.uint8]:
    if rows.size == 0:
        return rows.astype(np.uint8)
    low, high = rows.min().item(), rows.max().item()
    white = next((scale for scale in FULL_SCALES if high <= scale), None)
    if low < 0 or white is None:
        raise ValueError(
            f"the pixels of {name} run from {low:g} to {high:g}; grey levels that are probabilities run from 0 to "
            f"{', '.join(map(str, FULL_SCALES[:-1]))} or {FULL_SCALES[-1]}. Scale them, or give a threshold."
        )
    # NumPy keeps what a bit generator gives the same for ever, and not what is made of it: hence no Generator.
    bits = np.random.PCG64(seed)
    drawn = np.empty(rows.shape, np.uint8)
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        uniform = (bits.random_raw(block.size) >> np.uint64(11)) * 2.0**-53
        drawn[start : start + step] = uniform.reshape(block.shape) < block.astype(np.float64) / white
    return drawn


def given_shape(arrays: dict[str, NDArray[Any]], name: str) -> tuple[int, int] | None:
    """Return the height and width of images in a file's arrays: of those in three dimensions, or as `shape` has it.

    Raises
    ------
    ValueError
        If `shape` is not two whole numbers.
    """
    if arrays[name].ndim >= 3:
        return arrays[name].shape[1], arrays[name].shape[2]
    shape = arrays.get("shape")
    if shape is None:
        return None
    if shape.shape != (2,) or shape.dtype.kind not in "iu":
        raise ValueError(f"shape is {shape.tolist()}; give the height and width of an image, two whole numbers.")
    return int(shape[0]), int(shape[1])


def image_shape(n_pixels: int, given: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return the shape given, or the square of this many pixels, or one row where they make no square.

    Raises
    ------
    ValueError
        If the shape given has another number of pixels.

    Examples
    --------
    >>> from fastws import datasets
    >>> datasets.image_shape(64), datasets.image_shape(6), datasets.image_shape(6, (2, 3))
    ((8, 8), (1, 6), (2, 3))
    """
    if given is None:
        side = math.isqrt(n_pixels)
        return (side, side) if side * side == n_pixels else (1, n_pixels)
    if min(given) < 1 or given[0] * given[1] != n_pixels:
        raise ValueError(f"images of {given[0]} x {given[1]} do not have {n_pixels} pixels, as these images have.")
    return given


def _rows(x: NDArray[Any], name: str) -> NDArray[Any]:
    if x.ndim == 4 and x.shape[3] > 1:
        raise ValueError(
            f"{name} has 4 dimensions, of which the last says that a pixel has {x.shape[3]} channels (shape "
            f"{x.shape}); give grey images, of shape (n, height, width) or (n, height, width, 1)."
        )
    return x.reshape(len(x), x.shape[1] * x.shape[2]) if x.ndim == 3 or (x.ndim == 4 and x.shape[3] == 1) else x


def whole_labels(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels in one dimension, as whole numbers where floats hold such."""
    if y.ndim == 2 and 1 in y.shape:
        y = y.ravel()
    if y.dtype.kind == "f" and (np.abs(y.astype(np.float64)) < 2**53).all() and (y == np.round(y)).all():
        return y.astype(np.int64)
    return y


def check_labels(y: NDArray[Any], name: str) -> None:
    """Check that labels are whole numbers or text, in one dimension.

    Raises
    ------
    ValueError
        If they are something else.
    """
    if y.ndim != 1 or y.dtype.kind not in "iubU":
        raise ValueError(
            f"{name} has shape {y.shape} and type {y.dtype}; give one label an image, a whole number or text."
        )
