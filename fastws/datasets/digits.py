"""Images of labelled classes, some to learn from and some to test on: the bundled digits, and a user's own."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_integer
from fastws.datasets.loading import as_binary, both_parts, choose, labels_of, read
from fastws.datasets.pixels import check_labels, given_shape, image_shape, whole_labels

BUNDLED_THRESHOLD = 8
"""Pixels of the bundled digits, which run to 16, are on above it."""
BUNDLED_TRAINING_IMAGES = 1200
SIDE = 8
_TEST_PART = 1 / 3
_SKLEARN_SEEDS = 2**32


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

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> x, y = np.array([[0, 1], [1, 0]], np.uint8), np.array(["a", "b"])
    >>> data = datasets.DigitData("two images", x, y, x, y, image_shape=(1, 2))
    """

    name: str
    x_train: NDArray[np.uint8]
    y_train: NDArray[Any]
    x_test: NDArray[np.uint8]
    y_test: NDArray[Any]
    image_shape: tuple[int, int]

    def __post_init__(self) -> None:
        for part, x, y in (("train", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            check_labels(y, f"y_{part}")
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


def load_bundled(seed: int = 0, threshold: float = BUNDLED_THRESHOLD) -> DigitData:
    """Return scikit-learn's 1797 digits of 8 x 8 pixels: 1200 to learn from, a random choice, and 597 to test on.

    Parameters
    ----------
    seed : int, default=0
        Draws the split, stratified by class.
    threshold : float, default=8
        A pixel, from 0 to 16, is on above it.

    Examples
    --------
    >>> from fastws import datasets
    >>> data = datasets.load_bundled()
    >>> data.x_train.shape, data.x_test.shape, data.image_shape
    ((1200, 64), (597, 64), (8, 8))
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = as_binary({"x": digits.data}, "x", threshold, None, "training images")
    x_train, x_test, y_train, y_test = _split(x, digits.target, BUNDLED_TRAINING_IMAGES, seed)
    name = f"scikit-learn's digits, on above {threshold:g} of 16"
    return DigitData(name, x_train, y_train, x_test, y_test, (SIDE, SIDE))


def load_file(
    path: str | os.PathLike[str],
    threshold: float | None = None,
    seed: int = 0,
    key: str | None = None,
    binarise: int | None = None,
    label_column: str | None = None,
) -> DigitData:
    """Return the labelled images of a file or folder in any format that `fastws.datasets.load` reads.

    Images to test on are x_test in an ``.npz`` or ``.mat`` file, with y_test, beside x_train and y_train, or x and y;
    t10k- or test- beside IDX files called train-; the sub-folder test beside train. Where there are none, a third of
    each class is held out.

    Parameters
    ----------
    path : path
    threshold : float, optional
        Pixels above it are on; without one the images must be binary.
    seed : int, default=0
        Chooses the images that are held out, where that has to be done.
    key, binarise, label_column
        As in `fastws.datasets.load`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, or its images have no labels, are not binary, or do not fit one another.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> np.savez("two.npz", x=np.repeat([[0, 1], [1, 0]], 9, axis=0), y=np.repeat(["a", "b"], 9))
    >>> data = datasets.load_file("two.npz")
    >>> len(data.x_train), len(data.x_test)  # a third of each class is held out
    (12, 6)
    """
    arrays = both_parts(path, read(path, key, label_column))
    name = os.path.basename(os.path.abspath(path))
    if key is None and ("x_test" in arrays or "y_test" in arrays):
        parts = {f"{name}_train": arrays[name] for name in "xy" if name in arrays} | arrays
        return _of_two_parts(parts, path, name, threshold, binarise)
    chosen = choose(arrays, path, ("x_train", "x"), key)
    x = as_binary(arrays, chosen, threshold, binarise, "images")
    y = labels_of(arrays, chosen)
    if y is None:
        raise ValueError(
            f"{os.fspath(path)} has no labels for {chosen}; to tell classes apart, give one label an image. It has "
            f"{', '.join(arrays)}."
        )
    shape = image_shape(x.shape[1], given_shape(arrays, chosen))
    if len(x) != len(y):
        raise ValueError(f"{chosen} has {len(x)} images and there are {len(y)} labels; give one label each.")
    x_train, x_test, y_train, y_test = _split(x, y, len(x) - round(len(x) * _TEST_PART), seed)
    return DigitData(f"{name}, a third held out to test on", x_train, y_train, x_test, y_test, shape)


def _of_two_parts(
    arrays: dict[str, NDArray[Any]],
    path: str | os.PathLike[str],
    name: str,
    threshold: float | None,
    binarise: int | None,
) -> DigitData:
    missing = [key for key in ("x_train", "y_train", "x_test", "y_test") if key not in arrays]
    if missing:
        raise ValueError(
            f"{os.fspath(path)} has no {' and no '.join(missing)}; it has {', '.join(arrays) or 'nothing'}."
        )
    x_train = as_binary(arrays, "x_train", threshold, binarise, "training images")
    x_test = as_binary(arrays, "x_test", threshold, binarise, "test images", reading=True)
    return DigitData(
        name,
        x_train,
        whole_labels(arrays["y_train"]),
        x_test,
        whole_labels(arrays["y_test"]),
        image_shape(x_train.shape[1], given_shape(arrays, "x_train")),
    )


def _split(x: NDArray[np.uint8], y: NDArray[Any], n_train: int, seed: int) -> list[NDArray[Any]]:
    """Return x_train, x_test, y_train and y_test, a random choice that is alike in every class."""
    from sklearn.model_selection import train_test_split

    classes, counts = np.unique(y, return_counts=True)
    if len(classes) < 2 or counts.min() < 3 or min(n_train, len(y) - n_train) < len(classes):
        raise ValueError(
            f"there are {len(classes)} classes, and {counts.min()} images of {classes[counts.argmin()]}; to hold out "
            "images to test on, give two classes at least, and three images of each."
        )
    state = check_integer(seed, "seed", at_least=0) % _SKLEARN_SEEDS
    return list(train_test_split(x, y, train_size=n_train, stratify=y, random_state=state))
