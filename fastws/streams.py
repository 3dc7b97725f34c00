"""Where examples come from: `Bars`, the paper's generator, and `Images`, a finite data set."""

import math
from collections.abc import Hashable, Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import kernels
from fastws.attributes import Fixed
from fastws.checks import Whole, check_binary, check_integer, check_probability
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.storage import LANES

__all__ = ["MAX_ENUMERATED_SIZE", "Bars", "Images", "Stream", "stream_from_description"]

MAX_ENUMERATED_SIZE = 14
"""The largest size whose images `Bars.distribution` lists: 2^(size + 1) of them, before it merges equal ones."""


class Stream(Protocol):
    """What a `Simulation` needs of a stream of examples.

    `Bars` and `Images` can be saved with a simulation; a class of your own cannot, nor can one that is made from them.
    Simulations of a stream of your own learn one by one unless the class that has its `learn` has a `learn_together`
    like that of `Bars` as well: an inherited one says nothing of a `learn` that is not.
    """

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

    The order of the sweep under way is kept for each machine that learns, as long as both are there: 8 bytes an image.

    Parameters
    ----------
    x : array_like of {0, 1}, shape (n, n_inputs)
        Numbers or booleans. An array of uint8 or bool, memory-mapped or not, is used where it is, without a copy.

    Raises
    ------
    ValueError
        If x is empty, not rectangular, or has a value other than 0 and 1.
    """

    x = Fixed[NDArray[np.uint8]]()

    def __init__(self, x: ArrayLike) -> None:
        self.x = check_binary(x)
        self._orders: WeakKeyDictionary[Machine, _Order] = WeakKeyDictionary()

    def __getstate__(self) -> dict[str, Any]:
        return {"x": self.x}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["x"])  # type: ignore[misc]

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
        kept = self._orders.get(machine)
        if kept is None or kept.seed != seed:
            kept = self._orders[machine] = _Order(seed, len(self.x))
        order_key, key = make_key(seed, Use.ORDER), make_key(seed, Use.LEARNING)
        kernels.run_images(
            self.x, order_key, kept.order, kept.sweep, key, n_examples, seen, *machine.parameters, rates, floor
        )


class _Order:
    """The order of the images in the sweep that a simulation of some seed has under way.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
    sweep : ndarray of uint64, shape (1,)
        The number of the sweep, from 1; 0 before the first order was drawn.
    """

    def __init__(self, seed: int, n_images: int) -> None:
        self.seed = seed
        self.order = np.empty(n_images, np.int64)
        self.sweep = np.zeros(1, np.uint64)


def is_our_own(stream: Stream) -> bool:
    """Return whether a stream is `Bars` or `Images` and nothing made from them, as far as learning goes."""
    return _owner(stream, "learn") in (Bars, Images)


def learns_together(stream: Stream) -> bool:
    """Return whether simulations of a stream can learn together: what says so is where its `learn` is."""
    owner = _owner(stream, "learn")
    return owner is not None and _owner(stream, "learn_together") is owner


def same_examples(stream: Stream) -> Hashable:
    """Return what is equal for streams that give the same examples: those of one class with the same attributes."""
    try:
        state = tuple((name, _comparable(value)) for name, value in sorted(vars(stream).items()))
        hash(state)
    except TypeError:
        return id(stream)
    return type(stream), state


def _comparable(value: Any) -> Any:
    return (value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else value


def check_can_be_saved(stream: Stream) -> None:
    """Raise `ValueError` if `stream_from_description` could not make this stream again."""
    if type(stream) not in (Bars, Images) or not is_our_own(stream):
        raise ValueError(
            f"the stream is a {type(stream).__name__}; only runs of Bars and Images, and of no class made from them, "
            "can be saved. Save the machine, or pickle the simulation."
        )


def _owner(stream: Stream, name: str) -> object:
    """Return the class that a method of a stream is from, or the stream if it is its own; None if there is none."""
    if name in getattr(stream, "__dict__", {}):
        return stream
    return next((owner for owner in type(stream).__mro__ if name in vars(owner)), None)


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
