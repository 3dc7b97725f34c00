"""The bars images of Figure 1a."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.attributes import Fixed
from fastws.checks import Whole, check_integer, check_probability
from fastws.kernels.rooms import new_room
from fastws.kernels.steps import sample_bars
from fastws.kernels.types import BarsSource
from fastws.randomness import Use, make_key
from fastws.streams.protocol import SourceStream

MAX_ENUMERATED_SIZE = 14
"""The largest size whose images `Bars.distribution` lists: 2^(size + 1) of them, before it merges equal ones."""


class Bars(SourceStream):
    """The bars images of Figure 1a: a stream that never ends.

    An image is vertical with probability `p_vertical`, else horizontal; each of its `size` bars is there with
    probability `p_bar`. The blank and the full image can be either.

    Parameters
    ----------
    size : int, default=4
        Width and height of the images and number of bars of each orientation.
    p_vertical : float, default=2/3
    p_bar : float, default=0.2
        The two probabilities are not in the paper.
    exclude : sequence of {"full", "blank"}, default=()
        Ambiguous images that are left out: the others keep their relative probabilities.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1], the size is not at least 1, `exclude` has another word, or nothing is left.

    Examples
    --------
    >>> import fastws
    >>> bars = fastws.Bars(size=2, p_vertical=0.5, p_bar=0.5)
    >>> bars.sample(3, seed=1).shape
    (3, 4)
    >>> patterns, probabilities = bars.distribution()
    >>> print(patterns[1], probabilities[1])  # the lower row
    [0 0 1 1] 0.125
    """

    size = Fixed[int]()
    p_vertical = Fixed[float]()
    p_bar = Fixed[float]()
    exclude = Fixed[tuple[str, ...]]()

    def __init__(
        self, size: Whole = 4, p_vertical: float = 2 / 3, p_bar: float = 0.2, exclude: Sequence[str] = ()
    ) -> None:
        self.size = check_integer(size, "size")
        self.p_vertical = check_probability(p_vertical, "p_vertical")
        self.p_bar = check_probability(p_bar, "p_bar")
        if not isinstance(exclude, Iterable):
            raise ValueError(f"exclude is {exclude!r}; give 'full', 'blank', both, or an empty tuple for none.")
        words = (exclude,) if isinstance(exclude, str) else tuple(exclude)
        for word in words:
            if word not in ("full", "blank"):
                raise ValueError(f"exclude has {word!r}; the images that can be left out are 'full' and 'blank'.")
        self.exclude = tuple(sorted(set(words)))
        self._full, self._blank = "full" not in self.exclude, "blank" not in self.exclude
        some_but_not_all = self.size > 1 and 0 < self.p_bar < 1
        if not (some_but_not_all or (self._full and self.p_bar > 0) or (self._blank and self.p_bar < 1)):
            raise ValueError(
                f"no image is left: with size={self.size} and p_bar={self.p_bar}, every image is excluded."
            )
        self._orientation_logit = _logit(self.p_vertical)
        self._bar_logits = np.array([self._logits_of_bar(k) for k in range(self.size)], np.float32)

    def __repr__(self) -> str:
        return f"Bars(size={self.size}, p_vertical={self.p_vertical}, p_bar={self.p_bar}, exclude={self.exclude})"

    @property
    def n_inputs(self) -> int:
        """Pixels of an image."""
        return self.size**2

    def _logits_of_bar(self, k: int) -> list[float]:
        """Return the logits of bar k being there when some, all and none of the bars before it are."""
        after = self.size - k - 1
        log_there, log_not = _logs(self.p_bar)
        logits = []
        for all_before, none_before in ((False, False), (True, k == 0), (k == 0, True)):
            # Once it is there the image is no blank one, and may be full; once it is not there, the other way round.
            there, absent = log_there, log_not
            if all_before and not self._full:
                there += _log_of_rest(after * log_there if after else 0.0)
            if none_before and not self._blank:
                absent += _log_of_rest(after * log_not if after else 0.0)
            # A past that is itself impossible leaves nothing to choose from; any logit will do.
            logits.append(there - absent if max(there, absent) > -math.inf else 0.0)
        return logits

    def distribution(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the exact distribution of the images.

        Returns
        -------
        patterns : ndarray of uint8, shape (m, size * size)
            The images that have a positive probability, each once.
        probabilities : ndarray of float64, shape (m,)
            They sum to 1.

        Raises
        ------
        ValueError
            If size > 14: there are too many images to list.
        """
        if self.size > MAX_ENUMERATED_SIZE:
            raise ValueError(
                f"size is {self.size}; the distribution is listed image by image up to size {MAX_ENUMERATED_SIZE}. "
                "Use sample() for larger images."
            )
        bars = (np.arange(2**self.size)[:, np.newaxis] >> np.arange(self.size)) & 1
        p_bars = np.where(bars, self.p_bar, 1 - self.p_bar).prod(axis=1)
        n_bars = bars.sum(axis=1)
        p_bars[(n_bars == self.size) & (not self._full)] = 0
        p_bars[(n_bars == 0) & (not self._blank)] = 0
        p_bars /= p_bars.sum()
        vertical = np.broadcast_to(bars[:, np.newaxis, :], (len(bars), self.size, self.size))
        images = np.concatenate([vertical, vertical.swapaxes(1, 2)]).reshape(2 * len(bars), -1).astype(np.uint8)
        probabilities = np.concatenate([self.p_vertical * p_bars, (1 - self.p_vertical) * p_bars])
        patterns, which = np.unique(images, axis=0, return_inverse=True)
        merged: NDArray[np.float64] = np.zeros(len(patterns))
        np.add.at(merged, which.ravel(), probabilities)
        return patterns[merged > 0], merged[merged > 0]

    def sample(self, n: Whole, seed: Whole = 0) -> NDArray[np.uint8]:
        """Draw images.

        Parameters
        ----------
        n : int
            How many, at least 1.
        seed : int, default=0

        Returns
        -------
        ndarray of uint8, shape (n, size * size)

        Raises
        ------
        ValueError
            If n or the seed is not a whole number in range.
        """
        images = np.empty((check_integer(n, "n"), self.n_inputs), np.uint8)
        room = new_room(np.array([self.n_inputs]), 1 + self.size)
        sample_bars(make_key(seed, Use.STREAM), self.source([int(seed)]), room, images)
        return images

    def description(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what `stream_from_description` needs: values for JSON, and arrays."""
        values = {
            "kind": "bars",
            "size": self.size,
            "p_vertical": self.p_vertical,
            "p_bar": self.p_bar,
            "exclude": self.exclude,
        }
        return values, {}

    @property
    def draws_an_input(self) -> int:
        """Random numbers that an image takes: the orientation, and one a bar."""
        return 1 + self.size

    def source(self, seeds: Sequence[int]) -> BarsSource:
        """Return what the kernels draw images from."""
        return BarsSource(self._orientation_logit, self._bar_logits)


def _logs(p: float) -> tuple[float, float]:
    """Return log(p) and log(1 - p)."""
    with np.errstate(divide="ignore"):
        return float(np.log(p)), float(np.log1p(-p))


def _logit(p: float) -> np.float32:
    yes, no = _logs(p)
    return np.float32(yes - no)


def _log_of_rest(log_p: float) -> float:
    """Return log(1 - p), to a float's precision, of p given by its logarithm."""
    if log_p == 0:
        return -math.inf
    return math.log(-math.expm1(log_p)) if log_p > -math.log(2) else math.log1p(-math.exp(log_p))
