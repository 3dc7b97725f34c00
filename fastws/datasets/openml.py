"""OpenML's digit sets, reduced to binary 8 x 8 images."""

import math
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from fastws.datasets.digits import SIDE, DigitData

_TRAINING_IMAGES_A_CLASS = 700
_SPLIT_SEED = 1995
# OpenML's numbers of the sets, and the thresholds of their reduced images.
_OPENML = {"usps": (41082, 0.15), "mnist": (554, 0.20)}


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

    Examples
    --------
    >>> from fastws import datasets
    >>> datasets.load_openml("usps").image_shape  # from the network  # doctest: +SKIP
    (16, 16)
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
    images = np.empty((len(grey), SIDE * SIDE), np.uint8)
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
        (SIDE, SIDE),
    )


def reduce_image(grey: NDArray[np.float64], side: int = SIDE, ink: float = 0.2) -> NDArray[np.float64]:
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


def average_fields(square: NDArray[np.float64], side: int = SIDE) -> NDArray[np.float64]:
    """Return the means of side² equal fields of a square image; a pixel that fields share counts by its parts."""
    n = len(square)
    # Row f of `share` says how much of each of the n pixels field f covers.
    edges = np.arange(side + 1) * n / side
    pixels = np.arange(n)
    share = np.clip(np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels), 0, None)
    return np.asarray(share @ square @ share.T / (n / side) ** 2)
