"""Time travel: a run that can be seen, or gone on with, at any of its examples."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.checks import Whole, check_integer
from fastws.simulation import Simulation
from fastws.streams.protocol import Stream

__all__ = ["History", "branch"]

_FIRST_DISTANCE = 1024


class _Snapshot(NamedTuple):
    example: int
    arrays: dict[str, NDArray[np.float32]]
    by_hand: bool


class History:
    """Snapshots of a run, and exact return to any example that it has seen since.

    What is drawn for an example depends on the seed and the example's number alone. So the parameters after any
    example are those of a snapshot before it, and as many examples learned again: to the same bits. Few snapshots do:
    when there are too many, every other one is given up, and the distance between them doubles.

    Parameters
    ----------
    simulation : Simulation
        It learns in place, by `advance` of this object; nothing before its present example can be returned to.
    n_snapshots : int, default=64
        How many to keep, at least 2; each takes the memory of the machine's parameters.

    Attributes
    ----------
    simulation : Simulation
    first_example : int
        The first example that can be returned to.

    Notes
    -----
    Parameters may be changed by hand between two calls of `advance`: `at` then returns what was changed. A stream
    of one's own must give the same examples again, as `fastws.streams.RowStream` says.

    Examples
    --------
    >>> from fastws import Bars, Machine, Simulation
    >>> from fastws.history import History
    >>> history = History(Simulation(Machine([16, 8, 1]), Bars(), [(5000, 0.1)])).advance()
    >>> earlier = history.at(1234)
    >>> earlier.examples_seen, history.simulation.examples_seen
    (1234, 5000)
    """

    def __init__(self, simulation: Simulation, n_snapshots: Whole = 64) -> None:
        self.simulation = simulation
        self.first_example = simulation.examples_seen
        self._n_snapshots = check_integer(n_snapshots, "n_snapshots", at_least=2)
        self._distance = _FIRST_DISTANCE
        self._snapshots = [self._now(by_hand=True)]
        self._after = self._snapshots[0].arrays

    def __repr__(self) -> str:
        return f"<History of {self.simulation!r}, from example {self.first_example:,} on>"

    def advance(self, n_examples: Whole | None = None, progress: Callable[[int], object] | None = None) -> "History":
        """Let the simulation learn from the next examples, as `Simulation.advance` does.

        Returns
        -------
        History
            self

        Raises
        ------
        ValueError
            As by `Simulation.advance`.
        """
        run = self.simulation
        left = run.total_examples - run.examples_seen
        if n_examples is not None:
            left = min(left, check_integer(n_examples, "n_examples", at_least=0))
        goal = run.examples_seen + left
        self._notice_changes_by_hand()
        try:
            while run.examples_seen < goal:
                due = self._snapshots[-1].example + self._distance
                run.advance(min(due, goal) - run.examples_seen, progress)
                if run.examples_seen == due:
                    self._keep(self._now(by_hand=False))
        finally:
            self._after = run.machine.arrays()
        return self

    def at(self, example: Whole) -> Simulation:
        """Return the run as it was after a number of examples: a simulation of its own, which can go on.

        Parameters
        ----------
        example : int
            From `first_example` to the simulation's `examples_seen`.

        Returns
        -------
        Simulation
            With a machine of its own; the stream is the same.

        Raises
        ------
        ValueError
            If it is not a number in that range.
        """
        seen = self.simulation.examples_seen
        wanted = check_integer(example, "example", at_least=0)
        if not self.first_example <= wanted <= seen:
            raise ValueError(
                f"example is {wanted}; the run can be seen after {self.first_example:,} to {seen:,} examples."
            )
        self._notice_changes_by_hand()
        snapshot = max((s for s in self._snapshots if s.example <= wanted), key=lambda s: s.example)
        machine = self.simulation.machine.copy()
        for name, level, array in machine.levels():
            array[...] = snapshot.arrays[f"{name}_{level}"]
        return self.simulation._moved(machine, snapshot.example).advance(wanted - snapshot.example)

    def _now(self, by_hand: bool) -> _Snapshot:
        return _Snapshot(self.simulation.examples_seen, self.simulation.machine.arrays(), by_hand)

    def _notice_changes_by_hand(self) -> None:
        now = self._now(by_hand=True)
        if any(array.tobytes() != self._after[name].tobytes() for name, array in now.arrays.items()):
            self._keep(now)
            self._after = now.arrays

    def _keep(self, snapshot: _Snapshot) -> None:
        """Add a snapshot, in place of one of the same example; what was done by hand cannot be learned again."""
        self._snapshots = [kept for kept in self._snapshots if kept.example != snapshot.example] + [snapshot]
        if sum(not kept.by_hand for kept in self._snapshots) >= self._n_snapshots:
            self._distance *= 2
            learned = [kept for kept in self._snapshots if not kept.by_hand]
            given_up = {kept.example for kept in learned[::2]}
            self._snapshots = [kept for kept in self._snapshots if kept.by_hand or kept.example not in given_up]


def branch(
    simulation: Simulation, schedule: Sequence[Sequence[Any]] | None = None, stream: Stream | None = None
) -> Simulation:
    """Return a run of its own that goes on from where another one is: with other learning rates, or other examples.

    Parameters
    ----------
    simulation : Simulation
        It is left as it is; `History.at` returns that of an earlier example.
    schedule : sequence of (n_examples, rates), optional
        What follows from here on; by default what would have followed.
    stream : Stream, optional
        Where examples come from, from here on.

    Returns
    -------
    Simulation
        With a copy of the machine. Its examples go on being counted, and what is drawn for one depends on its number:
        without changes it ends in the same bits as the other one.

    Raises
    ------
    ValueError
        If the schedule or the stream are not what `Simulation` takes.

    Examples
    --------
    >>> from fastws import Bars, Machine, Simulation
    >>> from fastws.history import branch
    >>> run = Simulation(Machine([16, 8, 1]), Bars(), [(5000, 0.1)]).advance(2000)
    >>> slower = branch(run, [(1000, 0.01)])
    >>> slower.examples_seen, slower.total_examples
    (2000, 3000)
    """
    return simulation._moved(simulation.machine.copy(), simulation.examples_seen, schedule, stream)
