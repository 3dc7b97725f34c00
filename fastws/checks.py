"""Checks of what a user passes in. Each raises `ValueError` saying what was found, what was expected and what to do."""

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Whole = int | np.integer[Any]
"""A whole number as callers have it."""

_BLOCK = 1 << 20
_LARGEST_RATE = float(np.finfo(np.float32).max)
_LEAST_RATE = float(np.finfo(np.float32).tiny)


class LearningDiverged(ValueError):
    """A machine describes images far worse than their raw pixels do.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.training import train
    >>> train(fastws.Machine([4, 2]), fastws.Bars(size=2).sample(40), [(200, 1000.0)])
    Traceback (most recent call last):
        ...
    fastws.checks.LearningDiverged: learning diverged at the learning rate 1000: ...
    """


class NotFiniteError(ValueError):
    """A parameter of a machine is infinite or not a number.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([4, 2])
    >>> machine.gen_biases[1][0] = float("inf")
    >>> machine.fantasies(1)
    Traceback (most recent call last):
        ...
    fastws.checks.NotFiniteError: gen_biases[1][0] is inf...
    """


def check_integer(value: Any, name: str, at_least: int = 1) -> int:
    """Return `value` as an int that is at least `at_least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise ValueError(f"{name} is {value!r}; give a whole number of at least {at_least}.")
    if value < at_least:
        raise ValueError(f"{name} is {value}; it must be at least {at_least}.")
    return int(value)


def check_probability(value: Any, name: str) -> float:
    """Return `value` as a float in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value <= 1:  # type: ignore[operator]
        raise ValueError(f"{name} is {value!r}; a probability lies between 0 and 1.")
    return float(value)


def check_layer_sizes(layer_sizes: Any) -> tuple[int, ...]:
    """Return the numbers of units of the layers, input first, as a tuple of at least two ints."""
    if isinstance(layer_sizes, str) or not isinstance(layer_sizes, Sequence | np.ndarray) or _is_scalar(layer_sizes):
        raise ValueError(
            f"layer_sizes is {layer_sizes!r}; give the units of each layer, input first, as in [16, 8, 1]."
        )
    if len(layer_sizes) < 2:
        raise ValueError(
            f"layer_sizes has {len(layer_sizes)} layer(s); a machine has an input layer and at least one hidden layer, "
            "as in [16, 8, 1]."
        )
    return tuple(check_integer(size, f"layer_sizes[{layer}]") for layer, size in enumerate(layer_sizes))


def _is_rate(x: Any) -> bool:
    return isinstance(x, numbers.Real) and not isinstance(x, bool) and bool(0 <= x <= _LARGEST_RATE)  # type: ignore[operator]


def _is_scalar(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim == 0


def check_rates(rates: Any, n_levels: int, name: str = "rates") -> NDArray[np.float32]:
    """Return one finite learning rate of at least 0 a level, shape (n_levels,); none that float32 takes for 0."""
    is_sequence = hasattr(rates, "__len__") and not isinstance(rates, str | bytes) and not _is_scalar(rates)
    if not isinstance(rates, numbers.Real) and not is_sequence:
        raise ValueError(f"{name} is {rates!r}; give a learning rate, or one a level.")
    values = [rates] * n_levels if isinstance(rates, numbers.Real) else list(rates)
    if len(values) != n_levels:
        raise ValueError(
            f"{name} has {len(values)} learning rates; this machine has {n_levels} levels (one between each pair of "
            "layers and one for the top layer's generative biases) and needs one rate each."
        )
    for level, rate in enumerate(values):
        if not _is_rate(rate):
            raise ValueError(f"{name}[{level}] is {rate!r}; a learning rate is a finite number of at least 0.")
        if 0 < rate < _LEAST_RATE:  # type: ignore[operator]
            raise ValueError(
                f"{name}[{level}] is {rate!r}; machines learn in 32-bit floats, which know no such number. Give 0, or "
                "at least 1.2e-38."
            )
    return np.array(values, dtype=np.float32)


def _rows(x: Any, name: str) -> NDArray[Any]:
    """Return what is to be checked as an array of rows."""
    if hasattr(x, "toarray"):  # SciPy's sparse matrices, of which NumPy would make one object
        raise ValueError(f"{name} is a sparse matrix; give {name}.toarray().")
    check_nothing_masked(x, name)
    try:
        rows = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: its rows differ in length.") from error
    if rows.ndim == 0:
        raise ValueError(f"{name} has 0 dimensions, being {type(x).__name__}; give one row an image, shape (n, units).")
    if rows.ndim > 2:
        raise ValueError(
            f"{name} has {rows.ndim} dimensions; give one row an image, shape (n, units), as in "
            f"{name}.reshape(len({name}), -1)."
        )
    return rows[np.newaxis] if rows.ndim == 1 else rows


def _numbers(rows: NDArray[np.object_], name: str) -> NDArray[np.float64]:
    """Return objects that are numbers, as pandas' nullable types and mixed columns come, as numbers."""
    for place, value in np.ndenumerate(rows):
        if not isinstance(value, numbers.Real | np.bool_):
            row, column = place
            what = "is missing" if str(value) in ("<NA>", "None", "NaT") else f"is {value!r}, no number"
            raise ValueError(
                f"{name} holds objects, and {name}[{row}, {column}] {what}; give numbers 0 and 1, or booleans."
            )
    return rows.astype(np.float64)


def check_nothing_masked(x: Any, name: str) -> None:
    """Check that `x` is not a masked array, or rows of one, with anything masked: NumPy would drop the mask."""
    parts = x if isinstance(x, list | tuple) else [x]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise ValueError(f"{name} is a masked array with values masked; fill them, or leave them out.")


def check_binary(x: ArrayLike, n_columns: int | None = None, name: str = "x") -> NDArray[np.uint8]:
    """Return binary rows as a C-contiguous uint8 array, without a copy where `x` is one already (or one of bool).

    Parameters
    ----------
    x : array_like of {0, 1}, shape (n, n_columns) or (n_columns,)
        One row may be given without its outer dimension. At least one row.
    n_columns : int, optional
        The width that the rows must have; any width of at least 1 by default.
    name : str
        What the error messages call `x`.

    Returns
    -------
    ndarray of uint8, shape (n, n_columns)

    Raises
    ------
    ValueError
        If the shape is another, there is no row or no column, or a value is not 0 or 1: with its row and column.
    """
    rows = _rows(x, name)
    if rows.shape[0] == 0 or rows.shape[1] == 0:
        raise ValueError(f"{name} is empty (shape {rows.shape}); give at least one row and one column.")
    if n_columns is not None and rows.shape[1] != n_columns:
        raise ValueError(f"{name} has {rows.shape[1]} columns; the input layer has {n_columns} units.")
    if rows.dtype == np.bool_:
        # NumPy takes any byte but 0 for True; kernels would count with it.
        as_bytes = np.ascontiguousarray(rows).view(np.uint8)
        return as_bytes if as_bytes.max() <= 1 else (as_bytes != 0).view(np.uint8)
    if rows.dtype == np.object_:
        rows = _numbers(rows, name)
    if rows.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds {rows.dtype}; give numbers 0 and 1, or booleans.")
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, rows.shape[0], step):
        block = rows[start : start + step]
        wrong = (block != 0) & (block != 1)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"{name}[{start + row}, {column}] is {block[row, column].item()!r}; every input unit is 0 or 1. "
                f"Threshold grey images first, for example {name} > {name}.mean()."
            )
    return np.ascontiguousarray(rows, dtype=np.uint8)


def check_threshold(threshold: Any) -> float:
    """Return the threshold: a number, which may be infinite, that pixels are compared with."""
    try:
        number = (
            math.nan if isinstance(threshold, bool) or not isinstance(threshold, numbers.Real) else float(threshold)
        )
    except OverflowError:
        number = math.nan
    if math.isnan(number):
        raise ValueError(f"the threshold is {threshold!r}; give a number that pixels lie above or below.")
    return number


def check_contrast(x: NDArray[Any], threshold: float | None = None, what: str = "images", whole: bool = True) -> None:
    """Check that some pixels are on and others off, above a threshold or as they are.

    Parameters
    ----------
    x : ndarray of numbers, not empty
    threshold : float, optional
    what : str
        What the error message calls the images.
    whole : bool, default=True
        Whether these are all images that something is learned from. Others, which are read or are a part, may be blank
        as they are, and a single image also by the threshold.

    Raises
    ------
    ValueError
        If all pixels of all images are the same, with the range that was found.
    """
    if not whole and (threshold is None or len(x) == 1):
        return
    low, high = x.min(), x.max()
    if low == high:
        if whole:
            raise ValueError(f"all {what} are the same; there is nothing to tell apart: every pixel is {low.item():g}.")
    elif threshold is not None and (low > threshold or not high > threshold):
        found = "every pixel lies" if low > threshold else "no pixel lies"
        raise ValueError(
            f"all {what} are the same: {found} above the threshold {threshold:g}, since they run from {low.item():g} "
            f"to {high.item():g}. Give a threshold between."
        )
