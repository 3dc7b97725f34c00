"""Binary images to learn from: the bundled digits, ``.npz`` files, and OpenML's digit sets reduced to 8 x 8."""

import math
import os
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import Whole, check_binary, check_integer
from fastws.files import checked_members, read_header

__all__ = ["DigitData", "binarise", "image_shape", "load_bundled", "load_file", "load_openml", "read_arrays"]

BUNDLED_THRESHOLD = 8
BUNDLED_TRAINING_IMAGES = 1200
_SIDE = 8
_TRAINING_IMAGES_A_CLASS = 700
_SPLIT_SEED = 1995
_SKLEARN_SEEDS = 2**32
# OpenML's numbers of the sets, and the thresholds of their reduced images.
_OPENML = {"usps": (41082, 0.15), "mnist": (554, 0.20)}


@dataclass(frozen=True)
class DigitData:
    """Binary images of labelled classes, some to learn from and some to test on.

    Attributes
    ----------
    name : str
        What the images are and how they became binary.
    x_train, x_test : ndarray of uint8, shapes (n_train, n_pixels) and (n_test, n_pixels)
    y_train, y_test : ndarray, shapes (n_train,) and (n_test,)
    image_shape : (height, width)
    """

    name: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[Any]
    x_test: NDArray[np.uint8]
    y_test: NDArray[Any]
    image_shape: tuple[int, int]

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            if y.ndim != 1 or y.dtype.kind not in "iubU":
                raise ValueError(
                    f"y_{part} has shape {y.shape} and type {y.dtype}; give one label an image, a whole number or text."
                )
            if len(x) != len(y):
                raise ValueError(f"x_{part} has {len(x)} images and y_{part} has {len(y)} labels; give one label each.")
        if (self.y_train.dtype.kind == "U") != (self.y_test.dtype.kind == "U"):
            raise ValueError(
                f"y_train holds {self.y_train.dtype} and y_test {self.y_test.dtype}; give labels of one type."
            )
        if self.x_train.shape[1] != self.x_test.shape[1]:
            raise ValueError(f"x_train has {self.x_train.shape[1]} pixels an image, x_test has {self.x_test.shape[1]}.")
        classes = np.unique(self.y_train)
        if len(classes) < 2:
            raise ValueError(f"y_train has one class only, {classes[0]}; give images of two classes at least.")
        unseen = np.setdiff1d(self.y_test, classes)
        if len(unseen):
            raise ValueError(f"y_test has the class {unseen[0]}, of which there is no training image; leave it out.")
        if (self.x_train == self.x_train[0]).all():
            raise ValueError("all training images are the same; there is nothing to tell apart.")


def load_bundled(seed: Whole = 0, threshold: float = BUNDLED_THRESHOLD) -> DigitData:
    """Return scikit-learn's 1797 digits of 8 x 8 pixels: 1200 to learn from, a random choice, and 597 to test on.

    Parameters
    ----------
    seed : int, default=0
        Draws the split, stratified by class.
    threshold : float, default=8
        A pixel, from 0 to 16, is on above it.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    parts = train_test_split(
        check_binary(digits.data > threshold),
        digits.target,
        train_size=BUNDLED_TRAINING_IMAGES,
        stratify=digits.target,
        random_state=check_integer(seed, "seed", at_least=0) % _SKLEARN_SEEDS,
    )
    x_train, x_test, y_train, y_test = parts
    name = f"scikit-learn's digits, on above {threshold:g} of 16"
    return DigitData(name, x_train, y_train, x_test, y_test, (_SIDE, _SIDE))


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a user's ``.npz`` file, or the one of a ``.npy`` file under the name ``x``.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, is damaged, or has Python objects in it, which are not unpickled. Refused before
        they are read: members that overlap, that are compressed otherwise than by `numpy.savez_compressed`, or that
        claim more bytes than they can be made of, and arrays whose headers do; so what is read takes no more than
        1,032 times the size of the file, the most that this compression does.
    """
    name = os.fspath(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = checked_members(archive, os.path.getsize(path))
                found = {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}
            return {key: array for key, array in found.items() if array is not None}
        # Mapped, lest a large file be read whole; copy-on-write, since the kernels are compiled for writable arrays.
        return {"x": np.lib.format.open_memmap(path, mode="c")}
    except OSError:
        raise
    except Exception as error:
        if "Python objects" in str(error):
            raise ValueError(
                f"{name} holds Python objects, which are not unpickled since they could run any program; save plain "
                "arrays of numbers instead."
            ) from error
        raise ValueError(f"{name} is not an .npz or .npy file of arrays, or it is damaged ({error}).") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any] | None:
    """Return the array in a member of an archive, or None if it holds something else."""
    with archive.open(member) as file:
        magic = np.lib.format.MAGIC_PREFIX
        if file.read(len(magic)) != magic:
            return None
        file.seek(0)
        read_header(file, member.file_size)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def binarise(x: NDArray[Any], threshold: float | None, name: str) -> NDArray[np.uint8]:
    """Return binary rows: the pixels above the threshold, or x itself, checked, where there is none.

    Raises
    ------
    ValueError
        If x is not binary and there is no threshold, or has NaN, or is not an array of numbers.
    """
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {x.dtype}; give numbers.")
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise ValueError(f"{name} has NaN among its pixels; nothing tells whether they are on. Leave such images out.")
    if threshold is None:
        try:
            return check_binary(_rows(x), name=name)
        except ValueError as error:
            hint = " On the command line, --threshold does that." if "Threshold grey images" in str(error) else ""
            raise ValueError(f"{error}{hint}") from error
    if math.isnan(threshold):
        raise ValueError("the threshold is nan; give a number that pixels lie above or below.")
    return check_binary(_rows(x) > threshold, name=name)


def load_file(path: str | os.PathLike[str], threshold: float | None = None) -> DigitData:
    """Return the images of an ``.npz`` file with the arrays x_train, y_train, x_test, y_test, and possibly shape.

    Parameters
    ----------
    path : path
    threshold : float, optional
        Pixels above it are on; without one the images must be binary.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, or its arrays are missing, not binary, or do not fit one another.
    """
    arrays = read_arrays(path)
    missing = [key for key in ("x_train", "y_train", "x_test", "y_test") if key not in arrays]
    if missing:
        raise ValueError(
            f"{os.fspath(path)} has no {' and no '.join(missing)}; it has {', '.join(arrays) or 'nothing'}."
        )
    x_train = binarise(arrays["x_train"], threshold, "x_train")
    x_test = binarise(arrays["x_test"], threshold, "x_test")
    return DigitData(
        os.path.basename(os.fspath(path)),
        x_train,
        _labels(arrays["y_train"]),
        x_test,
        _labels(arrays["y_test"]),
        image_shape(x_train.shape[1], given_shape(arrays, "x_train")),
    )


def load_openml(which: str) -> DigitData:
    """Return a digit set of OpenML, fetched by scikit-learn and kept in its cache, reduced to binary 8 x 8 images.

    Parameters
    ----------
    which : {"usps", "mnist"}
        USPS: 16 x 16, averaged over 2 x 2 pixels, on above 0.15. MNIST: the box around the ink, put on a square,
        averaged over 8 x 8 fields, on above 0.20. 700 images a class to learn from.

    Raises
    ------
    OSError
        If the set is not in the cache and cannot be fetched.
    """
    from sklearn.datasets import fetch_openml

    number, threshold = _OPENML[which]
    try:
        # scikit-learn's other parser, much faster, needs pandas.
        parser = "pandas" if find_spec("pandas") else "liac-arff"
        fetched = fetch_openml(data_id=number, as_frame=False, parser=parser)
    except Exception as error:
        raise OSError(
            f"{which} cannot be fetched from OpenML ({error}). Connect to the internet, or give a file with --data."
        ) from error
    grey = np.asarray(fetched.data)
    labels = np.asarray(fetched.target).astype(int)
    labels = labels - labels.min()
    darkest, span = float(grey.min()), float(np.ptp(grey))
    side = math.isqrt(grey.shape[1])
    images = np.empty((len(grey), _SIDE * _SIDE), np.uint8)
    for image, row in zip(images, grey, strict=True):
        square = (row.reshape(side, side) - darkest) / span
        image[...] = ((reduce_image if which == "mnist" else average_fields)(square) > threshold).ravel()
    rng = np.random.default_rng(_SPLIT_SEED)
    is_train = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        is_train[rng.permutation(np.flatnonzero(labels == label))[:_TRAINING_IMAGES_A_CLASS]] = True
    return DigitData(
        f"{which} from OpenML, 8 x 8",
        images[is_train],
        labels[is_train],
        images[~is_train],
        labels[~is_train],
        (_SIDE, _SIDE),
    )


def reduce_image(grey: NDArray[np.float64], side: int = _SIDE, ink: float = 0.2) -> NDArray[np.float64]:
    """Return the box around the ink of a grey image in [0, 1], centred on a square, as the means of side² fields."""
    rows, columns = np.flatnonzero((grey > ink).any(axis=1)), np.flatnonzero((grey > ink).any(axis=0))
    if len(rows) == 0:
        return np.zeros((side, side))
    box = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    n = max(box.shape)
    top, left = ((n - length) // 2 for length in box.shape)
    square = np.zeros((n, n))
    square[top : top + box.shape[0], left : left + box.shape[1]] = box
    return average_fields(square, side)


def average_fields(square: NDArray[np.float64], side: int = _SIDE) -> NDArray[np.float64]:
    """Return the means of side² equal fields of a square image; a pixel that fields share counts by its parts."""
    n = len(square)
    # Row f of `share` says how much of each of the n pixels field f covers.
    edges = np.arange(side + 1) * n / side
    pixels = np.arange(n)
    share = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, None)
    return np.asarray(share @ square @ share.T / (n / side) ** 2)


def given_shape(arrays: dict[str, NDArray[Any]], name: str) -> tuple[int, int] | None:
    """Return the height and width of images in a file's arrays: of those in three dimensions, or as `shape` has it.

    Raises
    ------
    ValueError
        If `shape` is not two whole numbers.
    """
    if arrays[name].ndim == 3:
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
    """
    if given is None:
        side = math.isqrt(n_pixels)
        return (side, side) if side * side == n_pixels else (1, n_pixels)
    if min(given) < 1 or given[0] * given[1] != n_pixels:
        raise ValueError(f"images of {given[0]} x {given[1]} do not have {n_pixels} pixels, as these images have.")
    return given


def _rows(x: NDArray[Any]) -> NDArray[Any]:
    return x.reshape(len(x), x.shape[1] * x.shape[2]) if x.ndim == 3 else x


def _labels(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels as whole numbers where floats hold such."""
    if y.dtype.kind == "f" and (np.abs(y.astype(np.float64)) < 2**53).all() and (y == np.round(y)).all():
        return y.astype(np.int64)
    return y
