"""Where examples come from: `Bars`, the paper's generator, and `Images`, a finite data set."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import kernels
from fastws.checks import Whole, check_binary, check_integer, check_probability
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.storage import LANES

__all__ = ["MAX_ENUMERATED_SIZE", "Bars", "Images", "Stream", "stream_from_description"]

MAX_ENUMERATED_SIZE = 14
"""The largest size whose images `Bars.distribution` lists: 2^(size + 1) of them, before it merges equal ones."""


class Stream(Protocol):
    """What a `Simulation` needs of a stream of examples."""

    @property
    def n_inputs(self) -> int:
        """Units of the input layer that the examples fit."""

    def distribution(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Return the examples that there are, each once, and their probabilities; `ValueError` if they are too many."""

    def description(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what `stream_from_description` needs: values for JSON, and arrays."""

    def learn(
        self,
        machine: Machine,
        seed: int,
        n_examples: int,
        seen: NDArray[np.uint64],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, which is kept in step."""


class Bars:
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
    """

    def __init__(
        self, size: Whole = 4, p_vertical: float = 2 / 3, p_bar: float = 0.2, exclude: Sequence[str] = ()
    ) -> None:
        self.size = check_integer(size, "size")
        self.p_vertical = check_probability(p_vertical, "p_vertical")
        self.p_bar = check_probability(p_bar, "p_bar")
        words = (exclude,) if isinstance(exclude, str) else tuple(exclude)
        for word in words:
            if word not in ("full", "blank"):
                raise ValueError(f"exclude has {word!r}; the images that can be left out are 'full' and 'blank'.")
        self.exclude = tuple(sorted(set(words)))
        self._full, self._blank = "full" not in self.exclude, "blank" not in self.exclude
        if self._remaining(self.size, True, True) <= 0:
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

    def _remaining(self, bars: int, all_before: bool, none_before: bool) -> float:
        """Return the probability that the last `bars` bars do not make an image that is excluded."""
        full = 0.0 if self._full or not all_before else self.p_bar**bars
        blank = 0.0 if self._blank or not none_before else (1 - self.p_bar) ** bars
        return max(0.0, 1 - full - blank)

    def _logits_of_bar(self, k: int) -> list[np.float32]:
        """Return the logits of bar k being there when some, all and none of the bars before it are."""
        left = self.size - k
        logits = []
        for all_before, none_before in ((False, False), (True, k == 0), (k == 0, True)):
            possible = self._remaining(left, all_before, none_before)
            there = self.p_bar * self._remaining(left - 1, all_before, False)
            # A past that is itself impossible leaves nothing to divide by; any logit will do.
            logits.append(_logit(min(1.0, there / possible) if possible > 0 else 0.5))
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
        kernels.sample_bars(self._orientation_logit, self._bar_logits, make_key(seed, Use.STREAM), images)
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

    def learn(
        self,
        machine: Machine,
        seed: int,
        n_examples: int,
        seen: NDArray[np.uint64],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, which is kept in step."""
        key = make_key(seed, Use.LEARNING)
        kernels.run_bars(
            self._orientation_logit, self._bar_logits, key, n_examples, seen, *machine.parameters, rates, floor
        )

    def learn_together(
        self,
        machines: Sequence[Machine],
        seeds: Sequence[int],
        n_examples: int,
        seen: Sequence[NDArray[np.uint64]],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let up to 16 machines of one shape, which have seen as many examples, learn as by `learn`, to the bit."""
        # The kernel always runs sixteen: the last machine is there as often as it takes.
        lanes = [*range(len(machines)), *[-1] * (LANES - len(machines))]
        keys = np.stack([make_key(seeds[lane], Use.LEARNING) for lane in lanes], axis=1)
        sizes, _, generative, recognition = zip(*(machines[lane].parameters for lane in lanes), strict=True)
        kernels.run_bars_together(
            self._orientation_logit,
            self._bar_logits,
            np.ascontiguousarray(keys),
            n_examples,
            tuple(seen[lane] for lane in lanes),
            sizes[0],
            generative,
            recognition,
            rates,
            floor,
        )


class Images:
    """A finite set of binary images; each sweep visits every one once, in a fresh order.

    Parameters
    ----------
    x : array_like of {0, 1}, shape (n, n_inputs)
        Numbers or booleans. An array of uint8 or bool, memory-mapped or not, is used where it is, without a copy.

    Raises
    ------
    ValueError
        If x is empty, not rectangular, or has a value other than 0 and 1.
    """

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

    def learn(
        self,
        machine: Machine,
        seed: int,
        n_examples: int,
        seen: NDArray[np.uint64],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, which is kept in step."""
        order_key, key = make_key(seed, Use.ORDER), make_key(seed, Use.LEARNING)
        kernels.run_images(self.x, order_key, key, n_examples, seen, *machine.parameters, rates, floor)


def stream_from_description(values: dict[str, Any], arrays: dict[str, NDArray[Any]], n_inputs: int) -> Stream:
    """Return the stream that gave this description, of examples for this many input units.

    Raises
    ------
    ValueError
        If there is no such stream, or it does not fit; before anything is made that is larger than it should be.
    """
    if values.get("kind") == "bars":
        size = check_integer(values["size"], "size")
        if size**2 != n_inputs:
            raise ValueError(f"the bars images have size {size} and the machine {n_inputs} inputs.")
        return Bars(size, values["p_vertical"], values["p_bar"], values["exclude"])
    if values.get("kind") == "images":
        packed = arrays["images"]
        if packed.ndim != 2 or -(-n_inputs // 8) != packed.shape[1]:
            raise ValueError(f"the images have shape {packed.shape}, in bytes, and the machine {n_inputs} inputs.")
        return Images(np.unpackbits(packed, axis=1, count=n_inputs))
    raise ValueError(f"there is no stream of kind {values.get('kind')!r}; this fastws knows 'bars' and 'images'.")


def _logit(p: float) -> np.float32:
    with np.errstate(divide="ignore"):
        return np.float32(np.log(p) - np.log1p(-p))
