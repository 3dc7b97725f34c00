"""The schedule of a run: how many examples follow how many others with which learning rates."""

import bisect
import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_integer, check_rates


class Segment(NamedTuple):
    """What is in force for some examples.

    Attributes
    ----------
    rates : ndarray of float32, shape (n_levels,)
        What kernels take.
    values : list of float
        The same rates.
    end : int
        The number of the example where others follow.
    """

    rates: NDArray[np.float32]
    values: list[float]
    end: int


class Schedule:
    """Segments, found by the number of an example.

    Parameters
    ----------
    segments : sequence of (n_examples, rates)
    n_levels : int

    Raises
    ------
    ValueError
        If there is none, or one is not a number of examples of at least 1 and the rates of so many levels.
    """

    def __init__(self, segments: Any, n_levels: int) -> None:
        if not isinstance(segments, Sequence):
            raise ValueError(f"the schedule is {segments!r}; give a sequence of (n_examples, rates).")
        if len(segments) == 0:
            raise ValueError("the schedule is empty; give at least one (n_examples, rates).")
        lengths, rates = [], []
        for i, segment in enumerate(segments):
            if not isinstance(segment, Sequence) or len(segment) != 2:
                raise ValueError(f"schedule[{i}] is {segment!r}; give (n_examples, rates).")
            lengths.append(check_integer(segment[0], f"schedule[{i}][0]"))
            rates.append(check_rates(segment[1], n_levels, f"schedule[{i}][1]"))
        self._ends = list(itertools.accumulate(lengths))
        self._rates = np.array(rates)
        self._values: list[list[float]] = self._rates.tolist()
        self.identity = (tuple(self._ends), self._rates.tobytes())
        """The same for the same schedules."""

    @property
    def total_examples(self) -> int:
        """Length of the schedule."""
        return self._ends[-1]

    def segment(self, example: int) -> Segment:
        """Return the segment of an example, which is before the end."""
        found = bisect.bisect_right(self._ends, example)
        return Segment(self._rates[found], self._values[found], self._ends[found])

    def pairs(self) -> list[tuple[int, list[float]]]:
        """Return the number of examples and the rates of each segment."""
        return [
            (end - start, rates) for start, end, rates in zip([0, *self._ends], self._ends, self._values, strict=False)
        ]

    def until(self, example: int) -> list[tuple[int, list[float]]]:
        """Return what `pairs` does, of the examples before one."""
        starts = [0, *self._ends]
        return [
            (min(start + n, example) - start, rates)
            for start, (n, rates) in zip(starts, self.pairs(), strict=False)
            if start < example
        ]
