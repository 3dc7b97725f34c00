"""A finite set of images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.attributes import Fixed
from fastws.checks import check_binary
from fastws.kernels.random import GROUP
from fastws.kernels.types import ImagesSource
from fastws.randomness import Use, make_key
from fastws.streams.protocol import SourceStream


class Images(SourceStream):
    """A finite set of binary images; each sweep visits every one once, in a fresh order.

    The order of the sweep under way is kept for each machine that learns, as long as both are there: 8 bytes an image.

    Parameters
    ----------
    x : array_like of {0, 1}, shape (n, n_inputs)
        Numbers or booleans. An array of uint8 or bool, memory-mapped or not, is used where it is, without a copy.

    Raises
    ------
    ValueError
        If x is empty, not rectangular, or has a value other than 0 and 1.

    Examples
    --------
    >>> import fastws
    >>> images = fastws.Images([[0, 1], [1, 1], [0, 1], [0, 1]])
    >>> images
    Images(4 of 2 units)
    >>> print(images.distribution()[1])
    [0.75 0.25]
    """

    x = Fixed[NDArray[np.uint8]]()

    def __init__(self, x: ArrayLike) -> None:
        self.x = check_binary(x)

    def __repr__(self) -> str:
        return f"Images({self.x.shape[0]} of {self.x.shape[1]} units)"

    def __len__(self) -> int:
        return len(self.x)

    @property
    def n_inputs(self) -> int:
        """Pixels of an image."""
        return self.x.shape[1]

    def distribution(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the empirical distribution of the images.

        Returns
        -------
        patterns : ndarray of uint8, shape (m, n_inputs)
            The images that differ, each once.
        probabilities : ndarray of float64, shape (m,)
            How often each occurs, as a fraction.
        """
        patterns, counts = np.unique(self.x, axis=0, return_counts=True)
        return patterns, np.asarray(counts / len(self.x))

    def description(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what `stream_from_description` needs: values for JSON, and arrays."""
        return {"kind": "images"}, {"images": np.packbits(self.x, axis=1)}

    draws_an_input = 0

    def source(self, seeds: Sequence[int]) -> ImagesSource:
        """Return what the kernels take images from, in an order of its own for each seed: 8 bytes an image and seed."""
        return ImagesSource(
            self.x,
            keys=np.stack([make_key(seed, Use.ORDER) for seed in seeds]),
            orders=np.empty((len(seeds), len(self.x)), np.int64),
            sweep=np.zeros(1, np.uint64),
            bits=np.empty((1, GROUP), np.uint32),
        )
