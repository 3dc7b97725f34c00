"""One reader of images, whatever the file is."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_contrast
from fastws.datasets.arrays import read_arrays
from fastws.datasets.folders import is_picture, read_folder
from fastws.datasets.idx import (
    is_gzip,
    labels_beside,
    looks_like_idx,
    read_idx,
    read_start,
    test_images_beside,
    training_images_in,
)
from fastws.datasets.matlab import HDF5, read_matlab
from fastws.datasets.pixels import binarise, check_labels, given_shape, image_shape, whole_labels
from fastws.datasets.tables import LABEL_COLUMNS, read_table

Arrays = dict[str, NDArray[Any]]

_NAMES = {"train": ("x_train", "x"), "test": ("x_test", "x", "x_train")}
# What labels are called where images are called so.
_PAIRS = (("x", "y"), ("X", "y"), ("X", "Y"), ("images", "labels"), ("data", "labels"), ("data", "label"))
_LABELS = ("y", "labels", "label", "target")


@dataclass(frozen=True)
class ImageSet:
    """Binary images, with their labels where there are any.

    Attributes
    ----------
    name : str
        That of the file or folder.
    x : ndarray of uint8, shape (n, n_pixels)
    y : ndarray, shape (n,), or None
    image_shape : (height, width)
    files : ndarray of str, shape (n,), or None
        Where the images come from pictures: their names.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> np.savez("grey.npz", x=[[[0, 90], [200, 10]], [[255, 0], [0, 0]]], y=["a", "b"])
    >>> images = datasets.load("grey.npz", threshold=127)
    >>> images.image_shape, images.y.tolist()
    ((2, 2), ['a', 'b'])
    """

    name: str
    x: NDArray[np.uint8]
    y: NDArray[Any] | None
    image_shape: tuple[int, int]
    files: NDArray[Any] | None = None


def load(
    path: str | os.PathLike[str],
    part: str = "train",
    key: str | None = None,
    threshold: float | None = None,
    binarise: int | None = None,
    label_column: str | None = None,
    labels: bool = True,
) -> ImageSet:
    """Return the images of a file or folder as binary rows, and their labels if there are any.

    What is read: ``.npz``, ``.npy``, IDX (compressed by gzip or not; the labels are found beside the images), CSV and
    other tables of text, MATLAB's ``.mat`` up to version 7, and folders, either of pictures, whose sub-folders are
    classes, or of IDX files. Images have shape (n, n_pixels), (n, height, width) or (n, height, width, 1).

    Parameters
    ----------
    path : path
    part : {"train", "test"}, default="train"
        Which images where there are several: of those to learn from x_train comes before x, of those to read x_test
        comes before x and x_train. What is to be learned from may not be blank.
    key : str, optional
        The name of the images in an ``.npz`` or ``.mat`` file. Their labels are called alike (`labels` for `images`,
        `y` for `x` or `X`) or y, labels, label or target.
    threshold : float, optional
        Pixels above it are on.
    binarise : int, optional
        A seed: each pixel is on with its grey level as probability, drawn once, as `fastws.datasets.binarise` says.
    label_column : {"first", "last", "none"}, optional
        Of a table; by default what its header calls label, class, target, y or digit.
    labels : bool, default=True
        Whether labels are wanted; if not, whatever there is is passed over.

    Returns
    -------
    ImageSet

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is none of these or damaged; if the images are grey and there is neither threshold nor seed; if all pixels
        of all images are the same, or a threshold makes them so; or if the labels are not one an image.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> np.savez("grey.npz", x=[[[0, 90], [200, 10]], [[255, 0], [0, 0]]], y=["a", "b"])
    >>> datasets.load("grey.npz", threshold=127).x
    array([[0, 0, 1, 0],
           [1, 0, 0, 0]], dtype=uint8)
    """
    if part not in _NAMES:
        raise ValueError(f"part is {part!r}; choose one of {', '.join(_NAMES)}.")
    arrays = read(path, key, label_column)
    name = choose(arrays, path, _NAMES[part], key)
    x = as_binary(arrays, name, threshold, binarise, "images", reading=part == "test")
    y = labels_of(arrays, name) if labels else None
    if y is not None and len(y) != len(x):
        raise ValueError(f"{name} has {len(x)} images and there are {len(y)} labels; give one label each.")
    shape = image_shape(x.shape[1], given_shape(arrays, name))
    # Other files may have an array of that name as well.
    files = arrays.get(name.replace("x", "files")) if os.path.isdir(path) else None
    return ImageSet(os.path.basename(os.path.abspath(path)), x, y, shape, files)


def read(path: str | os.PathLike[str], key: str | None = None, label_column: str | None = None) -> Arrays:
    """Return what is in a file or folder as arrays by name: images as x, labels as y, or as the file calls them.

    Raises
    ------
    OSError, ValueError
        As `load`.
    """
    if label_column is not None and label_column not in LABEL_COLUMNS:
        raise ValueError(f"the column of labels is {label_column!r}; choose one of {', '.join(LABEL_COLUMNS)}.")
    where, suffix = Path(path), Path(path).suffix.lower()
    is_folder = where.is_dir()
    if where.exists() and not is_folder and not where.is_file():
        # What has been looked at would be missing from what is read.
        raise ValueError(f"{where} is a pipe or a device; save what it gives as a file, and give that.")
    start = b"" if is_folder else read_start(where)
    has_names = suffix in (".npz", ".npy", ".mat") or start.startswith((b"PK\3\4", b"\x93NUMPY", b"MATLAB 5"))
    is_table = not is_folder and not has_names and not looks_like_idx(start)
    if has_names and is_gzip(where):
        raise ValueError(f"{where} is compressed by gzip, which of such files is not read; unpack it first, by gunzip.")
    if start.startswith(HDF5) and suffix != ".mat":
        raise ValueError(f"{where} is HDF5, which is not read here; save its arrays by numpy.savez.")
    if key is not None and (not has_names or suffix == ".npy"):
        raise ValueError(f"{where} has no names in it; a key goes with .npz and .mat files.")
    if label_column is not None and not is_table:
        raise ValueError(f"{where} is not a table, so that it has no column of labels.")
    if is_folder:
        images = training_images_in(where)
        return read_folder(where) if images is None else _both_parts(images)
    if suffix == ".mat" or start.startswith(b"MATLAB"):
        return read_matlab(where)
    if has_names:
        return read_arrays(where)
    if looks_like_idx(start):
        return _read_idx(where)
    if is_picture(where):
        raise ValueError(f"{where} is one picture; give the folder that it is in.")
    return read_table(where, label_column)


def _read_idx(path: Path) -> Arrays:
    x = read_idx(path)
    if x.ndim < 2:
        raise ValueError(f"{path} has numbers in one dimension, as labels have; give the file of the images.")
    labels = labels_beside(path)
    return {"x": x} if labels is None else {"x": x, "y": read_idx(labels)}


def both_parts(path: str | os.PathLike[str], arrays: Arrays) -> Arrays:
    """Return arrays with those of the test images beside IDX files of training images, if there are such."""
    where = Path(path)
    if where.is_dir() or "y" not in arrays or not looks_like_idx(read_start(where)):
        return arrays
    return _both_parts(where)


def _both_parts(images: Path) -> Arrays:
    parts = {"train": _read_idx(images)}
    test = test_images_beside(images)
    if test is not None:
        parts["test"] = _read_idx(test)
    return {f"{name}_{part}": array for part, content in parts.items() for name, array in content.items()}


def choose(arrays: Arrays, path: str | os.PathLike[str], names: tuple[str, ...], key: str | None) -> str:
    """Return the name of the images: the key, or the first of these names that there is.

    Raises
    ------
    ValueError
        If there is none.
    """
    wanted = names if key is None else (key,)
    for name in wanted:
        if name in arrays:
            return name
    hint = " Choose one by --key." if key is None and arrays else ""
    raise ValueError(
        f"{os.fspath(path)} has no array named {' or '.join(wanted)}; it has {', '.join(arrays) or 'nothing'}.{hint}"
    )


def as_binary(
    arrays: Arrays, name: str, threshold: float | None, seed: int | None, what: str, reading: bool = False
) -> NDArray[np.uint8]:
    """Return images of a file as binary rows that are not all blank.

    Raises
    ------
    ValueError
        As `load`.
    """
    x = binarise(arrays[name], threshold, name, seed)
    check_contrast(x if threshold is None else arrays[name], threshold, what, whole=not reading)
    return x


def labels_of(arrays: Arrays, name: str) -> NDArray[Any] | None:
    """Return the labels of the images of this name, checked, or None where there are none.

    Raises
    ------
    ValueError
        If they are not whole numbers or text, one an image.
    """
    alike = [name.replace(old, new) for old, new in _PAIRS if old in name]
    # Those of a part are not those of another.
    others = [] if name in ("x_train", "x_test") else _LABELS
    found = next((one for one in [*alike, *others] if one in arrays and one != name), None)
    if found is None:
        return None
    y = whole_labels(arrays[found])
    check_labels(y, found)
    return y
