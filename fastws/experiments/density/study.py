"""Several draws of a set, and every method on each: what is to be done, what is done, and what came of it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastws.checks import check_integer
from fastws.experiments.density import protocol, rivals
from fastws.experiments.density.protocol import Check, Result
from fastws.experiments.density.sets import Draw, Source, has_entropy, nets_of
from fastws.machine import Machine
from fastws.threads import one_blas_thread, side_by_side

__all__ = ["COMPONENTS", "ENTROPY", "METHODS", "Study", "task_names"]

METHODS = ("gzip", "base_rates", "mixture", "helmholtz", "softmax", "fully_visible")
"""What is compared, by the names that results have."""
COMPONENTS = (100, 50, 20, 10)
"""Sizes of the mixtures that are tried."""
GROUPS = (50, 20)
"""Sizes of the softmax groups that are tried, each the only hidden layer."""
ENTROPY = "entropy"
_SIZED = ("mixture", "helmholtz", "softmax")

_MIXTURE, _ORDER, _GROUP = 1, 2, 3  # beside the seed: the use of what is drawn by it


class Task(NamedTuple):
    """One method, of one size where it has a size; `run` is given a draw, its seed and what to call now and then."""

    method: str
    size: str
    run: Callable[[Draw, int, Check], Result]

    @property
    def name(self) -> str:
        return f"{self.method} {self.size}".strip()


class Study:
    """Draws of a set, with every method on each.

    Parameters
    ----------
    source : SyntheticSource or ImageSource
    seed : int, default=0
        That of the first draw; those of the others follow it.
    n_draws : int, default=10

    Attributes
    ----------
    found : dict of dict of Result
        By draw, from 0, and the name of a task: what is done. The rest is done by `run`.
    seconds : float
        Processor time so far.

    Examples
    --------
    >>> from fastws.experiments.density import Study, bundled
    >>> study = Study(bundled("digits"), n_draws=2)
    >>> study.found  # nothing is done yet
    [{}, {}]
    """

    def __init__(self, source: Source, seed: int = 0, n_draws: int = 10) -> None:
        self.source = source
        self.seed = check_integer(seed, "seed", at_least=0)
        self.n_draws = check_integer(n_draws, "seeds")
        self.tasks = _tasks(source.name)
        self.found: list[dict[str, Result]] = [{} for _ in range(self.n_draws)]
        self.seconds = 0.0
        self._draws: dict[int, Draw] = {}
        self._lock = threading.Lock()

    @property
    def n_tasks(self) -> int:
        """How many tasks there are, done or not."""
        return self.n_draws * len(self.tasks)

    @property
    def n_done(self) -> int:
        """How many tasks are done."""
        return sum(map(len, self.found))

    def run(self, watch: Callable[[], object] | None = None) -> None:
        """Do what is not done yet, on all cores; `watch` is called now and then, and what it raises ends the call.

        Tasks that were under way then begin anew the next time, to the same bits.

        Raises
        ------
        LearningDiverged, NotFiniteError
            If what was learned cannot be right.
        """
        due = [
            partial(self._do, draw, task)
            for draw in range(self.n_draws)
            for task in self.tasks
            if task.name not in self.found[draw]
        ]
        before, started = self.seconds, time.process_time()

        def look() -> None:
            self.seconds = before + time.process_time() - started
            if watch is not None:
                watch()

        with one_blas_thread():
            side_by_side(due, watch=look)

    def _do(self, number: int, task: Task, check: Check) -> None:
        draw = self._draw(number, check)
        result = task.run(draw, self.seed + number, check)
        with self._lock:
            self.found[number][task.name] = result
            if len(self.found[number]) == len(self.tasks):
                self._draws.pop(number, None)

    def _draw(self, number: int, check: Check) -> Draw:
        with self._lock:
            if number not in self._draws:
                self._draws[number] = self.source.draw(self.seed + number, check)
            return self._draws[number]

    def best(self, method: str) -> list[tuple[Task, Result]]:
        """Return, for each draw, the task of a method that did best on the validation images, and its result."""
        tasks = [task for task in self.tasks if task.method == method]
        return [
            min(((task, found[task.name]) for task in tasks), key=lambda pair: pair[1].validation_bits)
            for found in self.found
        ]

    def entropy_bits(self) -> list[float] | None:
        """Return the entropy of each draw's true model; None where it is not known."""
        return [found[ENTROPY].test_bits for found in self.found] if has_entropy(self.source.name) else None

    def costs_bits(self) -> dict[str, list[float]]:
        """Return, by method, what a test image of each draw costs."""
        return {method: [result.test_bits for _, result in self.best(method)] for method in METHODS}

    def result(self) -> dict[str, Any]:
        """Return what ``result.json`` says of the study."""
        return {
            "set": self.source.name,
            "seed": self.seed,
            "draws": self.n_draws,
            "entropy_bits": self.entropy_bits(),
            "costs_bits": self.costs_bits(),
            "sizes": {method: [task.size for task, _ in self.best(method)] for method in _SIZED},
            "sweeps": {
                method: [result.sweeps for _, result in self.best(method)] for method in (*_SIZED, "fully_visible")
            },
            "seconds": self.seconds,
        }

    def notes(self) -> dict[str, Any]:
        """Return, for JSON, what is done."""
        return {"found": [dict(found) for found in self.found], "seconds": self.seconds}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Take over what a study of the same source, seed and number of draws had done."""
        self.found = [{name: Result(*values) for name, values in found.items()} for found in notes["found"]]
        self.seconds = notes["seconds"]


def _tasks(name: str) -> list[Task]:
    """Return what is to be done with a draw of a set; what takes longest comes first."""
    return [
        *([Task(ENTROPY, "", _entropy)] if has_entropy(name) else []),
        *(Task("helmholtz", "-".join(map(str, hidden)), partial(_wake_sleep, hidden)) for hidden in nets_of(name)),
        *(Task("softmax", str(n), partial(_softmax, n)) for n in GROUPS),
        *(Task("mixture", str(n), partial(_mixture, n)) for n in COMPONENTS),
        Task("fully_visible", "", _fully_visible),
        Task("gzip", "", lambda draw, seed, check: rivals.compressed(draw.parts)),
        Task("base_rates", "", lambda draw, seed, check: rivals.base_rates(draw.parts)),
    ]


def task_names(name: str) -> list[str]:
    """Return the names of all tasks of a draw of a set."""
    return [task.name for task in _tasks(name)]


def _entropy(draw: Draw, seed: int, check: Check) -> Result:
    assert draw.entropy_bits is not None
    bits = draw.entropy_bits(check)
    return Result(bits, bits)


def _wake_sleep(hidden: Sequence[int], draw: Draw, seed: int, check: Check) -> Result:
    return protocol.wake_sleep(draw.parts, Machine([draw.parts.train.shape[1], *hidden]), seed, check)


def _softmax(n_units: int, draw: Draw, seed: int, check: Check) -> Result:
    """Begin where a mixture of as many components does: from 0, the units used first stay the only ones."""
    start = rivals.BernoulliMixture(draw.parts.train, n_units, np.random.default_rng((seed, _GROUP)))
    machine = Machine([draw.parts.train.shape[1], n_units], groups=[1, n_units])
    machine.gen_weights[0] = np.log(start.rates) - np.log1p(-start.rates)
    return protocol.wake_sleep(draw.parts, machine, seed, check)


def _mixture(n_components: int, draw: Draw, seed: int, check: Check) -> Result:
    return rivals.mixture(draw.parts, n_components, np.random.default_rng((seed, _MIXTURE)), check)


def _fully_visible(draw: Draw, seed: int, check: Check) -> Result:
    return rivals.fully_visible(draw.parts, np.random.default_rng((seed, _ORDER)), check)
