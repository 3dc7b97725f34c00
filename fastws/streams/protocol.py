"""What a stream of examples is, and what can be said of one that somebody else wrote."""

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.types import Rule
from fastws.learning import learn
from fastws.machine import Machine

# Larger arrays are the same where they are one.
_COMPARED_BYTES = 1 << 12


class RowStream(Protocol):
    """A stream of examples of one's own: how wide they are, and a way to fill rows with them.

    Its examples must depend on their numbers alone, so that a run gives the same bits however it is cut into calls,
    resumed, or run beside others; `examples/plot_own_stream.py` writes one. `Bars` and `Images` have the kernels make
    examples instead, which spares the time that `fill` takes.

    Examples
    --------
    >>> import numpy as np
    >>> class Stripes:
    ...     n_inputs = 4
    ...     def fill(self, rows, first_example):
    ...         rows[:] = (first_example + np.arange(len(rows))[:, np.newaxis] + np.arange(4)) % 2
    >>> import fastws
    >>> fastws.Simulation(fastws.Machine([4, 2]), Stripes(), [(100, 0.1)]).advance().examples_seen
    100
    """

    @property
    def n_inputs(self) -> int:
        """Units of the input layer that the examples fit."""

    def fill(self, rows: NDArray[np.uint8], first_example: int) -> None:
        """Write 0 or 1 into all of `rows`, shape (n, n_inputs), which are the examples from number first_example on."""


class LearningStream(Protocol):
    """A stream that lets machines learn itself, as one does that is made from `Bars` and has a `learn` of its own.

    Simulations of it learn one by one, unless the class that has its `learn` has a `learn_together` as well.

    Examples
    --------
    >>> import fastws
    >>> class Slower(fastws.Bars):
    ...     def learn(self, machine, seed, n_examples, seen, rates, floor):
    ...         super().learn(machine, seed, n_examples, seen, rates / 2, floor)
    >>> fastws.Simulation(fastws.Machine([4, 2]), Slower(size=2), [(100, 0.1)]).advance().examples_seen
    100
    """

    @property
    def n_inputs(self) -> int:
        """Units of the input layer that the examples fit."""

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


Stream: TypeAlias = RowStream | LearningStream
"""A stream of examples of one's own, of either kind."""


class SourceStream:
    """A stream whose examples the kernels make.

    It has, besides `n_inputs`, the number `draws_an_input` of random numbers that an example's input takes.
    """

    def source(self, seeds: Sequence[int]) -> Any:
        """Return what inputs are made from for machines of these seeds, a source of `fastws.kernels.types`."""
        raise NotImplementedError

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
        learn(self, [machine], [seed], n_examples, [seen], Rule(rates, floor))

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
        learn(self, machines, seeds, n_examples, seen, Rule(rates, floor))


def check_stream(stream: Any, n_inputs: int) -> None:
    """Check that an object is a stream, of examples for this many input units.

    Raises
    ------
    ValueError
        If it is not.
    """
    width = getattr(stream, "n_inputs", None)
    gives = hasattr(stream, "fill") or hasattr(stream, "learn")
    if isinstance(stream, type) or not gives or not isinstance(width, int | np.integer):
        raise ValueError(
            f"the stream is of type {type(stream).__name__}; give Bars(…), Images(x), or an object that has n_inputs, "
            "a whole number, and fill(rows, first_example)."
        )
    if width != n_inputs:
        raise ValueError(
            f"the stream gives {width} inputs; the machine's input layer has {n_inputs} units. They must agree."
        )


def learns_by_delta_rule(stream: Any) -> bool:
    """Return whether machines learn from a stream by our own kernels, and not by a `learn` of its own."""
    return _owner(stream, "learn") in (SourceStream, None)


def learns_together(stream: Any) -> bool:
    """Return whether simulations of a stream can learn together: what says so is where its `learn` is."""
    return _owner(stream, "learn_together") is _owner(stream, "learn")


def same_examples(stream: Any) -> Hashable:
    """Return what is equal for streams that give the same examples: those of one class with the same attributes."""
    try:
        state = tuple((name, _comparable(value)) for name, value in sorted(vars(stream).items()))
        hash(state)
    except TypeError:
        return id(stream)
    return type(stream), state


def _comparable(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return (value.shape, value.dtype.str, value.tobytes()) if value.nbytes <= _COMPARED_BYTES else id(value)


def _owner(stream: Any, name: str) -> object:
    """Return the class that a method of a stream is from, or the stream if it is its own; None if there is none."""
    if name in getattr(stream, "__dict__", {}):
        return stream
    return next((owner for owner in type(stream).__mro__ if name in vars(owner)), None)
