"""How learning is cut into calls of kernels, and what is looked after between them."""

import math
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fastws.checks import NotFiniteError
from fastws.machine import Machine, largest_magnitude
from fastws.schedule import Schedule, Segment

__all__ = ["LostUpdatesWarning"]

_SECONDS_A_CHUNK = 0.05
_LONGEST_AT_FIRST = 1024
# A processor of 2020 gets through so many parameters of a wide net, each learning, in half of a chunk's time.
_PARAMETERS_AT_FIRST = 1 << 24
# Sums of parameters below this, over layers of any size, are far from the largest float32.
_FAR_FROM_INFINITE = 1e25


class LostUpdatesWarning(UserWarning):
    """A learning rate is so small beside a parameter that float32 rounds updates away.

    Examples
    --------
    >>> import fastws, warnings
    >>> machine = fastws.Machine([4, 2])
    >>> machine.gen_biases[0][:] = 1e6
    >>> with warnings.catch_warnings(record=True) as said:
    ...     run = fastws.Simulation(machine, fastws.Bars(size=2), [(10, 0.01)]).advance()
    >>> [warning.category.__name__ for warning in said]
    ['LostUpdatesWarning']
    """


class Pace:
    """How many examples to learn from in a call, so that it takes about a twentieth of a second.

    An interrupt waits that long, and so does progress. The first call is as long as the number of parameters suggests,
    or of one example where it is not known how long rules take, and the others follow the clock.
    """

    def __init__(self, n_parameters: int, known: bool = True) -> None:
        self.n_examples = 1 if not known else min(_LONGEST_AT_FIRST, max(1, _PARAMETERS_AT_FIRST // n_parameters))

    def follow(self, n_examples: int, seconds: float) -> None:
        """Make the next call longer or shorter after one of so many examples took so many seconds."""
        if seconds > 2 * _SECONDS_A_CHUNK:
            self.n_examples = max(1, int(n_examples * _SECONDS_A_CHUNK / seconds))
        elif seconds < _SECONDS_A_CHUNK / 2 and n_examples == self.n_examples:
            self.n_examples *= 2


def learn_in_chunks(
    lookout: "Lookout",
    pace: "Pace",
    schedule: Schedule,
    seen: NDArray[np.uint64],
    goal: int,
    learn: Callable[[int, NDArray[np.float32]], None],
    progress: Callable[[int], object] | None,
) -> None:
    """Call `learn` with numbers of examples and rates until `seen`, which it keeps, is at the goal."""
    while seen[0] < goal:
        now = int(seen[0])
        segment = schedule.segment(now)
        lookout.before(segment)
        n_examples = min(pace.n_examples, segment.end - now, goal - now)
        started = time.perf_counter()
        learn(n_examples, segment.rates)
        pace.follow(n_examples, time.perf_counter() - started)
        lookout.after(segment, n_examples)
        if progress is not None:
            progress(int(seen[0]))


class Lookout:
    """Looks after parameters while they learn: they stay finite, and where float32 rounds updates away it warns.

    An update is no larger than its rate ε, and rounding to float32 makes it at most twice as large. So parameters have
    to be looked at only where a bound that grows with the examples says so.

    Parameters
    ----------
    machines : sequence of Machine
    bounded : bool
        Whether they learn by the delta rule and nothing else; otherwise they are looked at after each call.

    Raises
    ------
    NotFiniteError
        If a parameter is not finite at the beginning.
    """

    def __init__(self, machines: Sequence[Machine], bounded: bool) -> None:
        self._machines = machines
        self._bounded = bounded
        self._warned = False
        largest = max(machine.check_finite() for machine in machines)
        # No parameter of a level is larger than this.
        self._bounds = [largest] * len(machines[0].layer_sizes)

    def before(self, segment: Segment) -> None:
        """Warn, once, if rates are too small for float32 where the parameters are."""
        if self._warned or not any(map(loses_updates, segment.values, self._bounds)):
            return
        self._tighten()
        for level, (rate, largest) in enumerate(zip(segment.values, self._bounds, strict=True)):
            if loses_updates(rate, largest):
                self._warned = True
                warnings.warn(
                    f"the learning rate {rate:.3g} of level {level} is too small for a parameter of {largest:.3g} "
                    "there: machines learn in 32-bit floats, which round such updates away, most of them or all. Give "
                    "a larger rate, or 0.",
                    LostUpdatesWarning,
                    stacklevel=5,
                )
                return

    def after(self, segment: Segment, n_examples: int) -> None:
        """Take note of examples that were learned from.

        Raises
        ------
        NotFiniteError
            If a parameter is not finite any more; it names the rate.
        """
        self._bounds = [bound + 2 * n_examples * rate for bound, rate in zip(self._bounds, segment.values, strict=True)]
        if self._bounded and max(self._bounds) < _FAR_FROM_INFINITE:
            return
        try:
            self._tighten()
        except NotFiniteError as error:
            rates = ", ".join(f"{rate:.3g}" for rate in segment.values)
            raise NotFiniteError(
                f"learning went wrong: {error} The learning rates of the levels were {rates}; smaller ones may do."
            ) from error

    def _tighten(self) -> None:
        largest = [0.0] * len(self._bounds)
        for machine in self._machines:
            for name, level, array in machine.levels():
                largest[level] = max(largest[level], largest_magnitude(name, level, array))
        self._bounds = largest


def loses_updates(rate: float, parameter: float) -> bool:
    """Return whether float32 loses an update of an eighth of a rate beside a parameter of this magnitude."""
    # What is less than half of the distance to the next float32, which has 24 binary digits, is lost.
    return rate > 0 and parameter > 0 and rate / 8 < math.ldexp(1.0, math.frexp(parameter)[1] - 25)
