"""A machine, a stream, a schedule and a seed: what learns, from what, how fast, and how to go on."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws import notebook
from fastws.attributes import Fixed
from fastws.checks import Whole, check_integer
from fastws.chunks import Lookout, Pace, learn_in_chunks
from fastws.files import load_arrays, save_arrays
from fastws.kernels.types import Rule
from fastws.learning import learn_one, least_input_weight
from fastws.machine import Machine
from fastws.reweighted import Sampling
from fastws.rules import NoRuleError, OwnRules, UpdateRule
from fastws.schedule import Schedule
from fastws.streams.protocol import Stream, check_stream, learns_by_delta_rule
from fastws.streams.saved import NoStreamError, describe_stream, stream_from_description
from fastws.together import groups, learn_side_by_side
from fastws.whole import Step, whole_step

__all__ = ["Simulation", "advance_together", "compile_together", "load_runs", "save_runs"]

_KIND = "fastws run"


class Simulation:
    """An online wake-sleep run: a wake step and a sleep step an example; or one of reweighted wake-sleep.

    The same seed gives the same bits, however the run is cut into calls of `advance`, saved and loaded.

    Parameters
    ----------
    machine : Machine
        It learns in place.
    stream : Bars, Images, or a `RowStream` or `LearningStream` of your own
    schedule : sequence of (n_examples, rates)
        What follows what: a number of examples, at least 1, and the learning rates of the levels for them, one a
        level (or a single number for all). A machine of L + 1 layers has L + 1 rates; the last is that of the top
        layer's generative biases. The paper's are ``(0.2, 0.001, 0.001)`` for 16-8-1 [15]. Machines learn in 32-bit
        floats: a rate below 1.2e-38 is refused, and one of less than some 4e-7 of a parameter of its level moves that
        parameter seldom or never, since updates are rounded away. A `fastws.chunks.LostUpdatesWarning` says so.
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs, not the biases, at zero after each update (Figure 1).
    seed : int, default=0
    wake_rule, sleep_rule : callable, optional
        Rules of your own in the place of Eqs 4 and 7, by the protocol of `fastws.testing.check_update_rule`:
        ``rule(machine, states, rates)`` changes the machine in place, given the states of all layers and a rate for
        each level. One for connections, by `fastws.rules.connection_rule`, is compiled if its kernel is. A wake
        rule that does not take ``nonnegative_input_weights`` has the weights clipped for it. What a rule keeps for
        itself is not saved.
    n_samples : int, default=1
        How many representations of an input to draw and to learn from, each at the rate times its normalised weight:
        reweighted wake-sleep (`fastws.reweighted`).
    recognition : {"sleep", "wake", "both"}, default="sleep"
        From what recognition learns: from fantasies (Eq 7), from the representations of the inputs, by the same
        weights, or first from these and then from fantasies.

    Attributes
    ----------
    machine, stream, schedule, nonnegative_input_weights, seed, wake_rule, sleep_rule, n_samples, recognition
        As they were given; they cannot be changed.
    examples_seen : int
        How many examples the machine has learned from.
    total_examples : int
        Length of the schedule.

    Raises
    ------
    ValueError
        If the stream is none or does not fit the machine, the schedule is empty, a number is out of range, a
        parameter of the machine is not finite, a rule is none, one sample is to teach recognition, or several samples
        are to be learned from by rules of your own, by a stream's own `learn` or by a machine with softmax groups.

    Examples
    --------
    >>> import fastws
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(300, 0.1), (100, 0.01)], seed=1)
    >>> run.advance(200).examples_seen
    200
    >>> run.advance()  # to the end of the schedule
    <Simulation of Machine([4, 2]) on Bars(size=2, ...), seed 1: 400 of 400 examples>
    """

    machine = Fixed[Machine]()
    stream = Fixed[Any]()
    nonnegative_input_weights = Fixed[bool]()
    seed = Fixed[int]()
    wake_rule = Fixed[UpdateRule | None]()
    sleep_rule = Fixed[UpdateRule | None]()
    n_samples = Fixed[int]()
    recognition = Fixed[str]()

    def __init__(
        self,
        machine: Machine,
        stream: Stream,
        schedule: Sequence[Sequence[Any]],
        nonnegative_input_weights: bool = False,
        seed: Whole = 0,
        wake_rule: UpdateRule | None = None,
        sleep_rule: UpdateRule | None = None,
        n_samples: Whole = 1,
        recognition: str = "sleep",
    ) -> None:
        check_stream(stream, machine.layer_sizes[0])
        machine.check_finite()
        self.machine = machine
        self.stream = stream
        self._schedule = Schedule(schedule, len(machine.layer_sizes))
        self.nonnegative_input_weights = bool(nonnegative_input_weights)
        self.seed = check_integer(seed, "seed", at_least=0)
        self.wake_rule, self.sleep_rule = wake_rule, sleep_rule
        rules, sampling = OwnRules(wake_rule, sleep_rule), Sampling(machine, n_samples, recognition)
        self.n_samples, self.recognition = sampling.n_samples, sampling.recognition
        if rules and sampling:
            raise ValueError(f"{rules} learns from one sample; leave {sampling} out, or the rule.")
        # How the machine learns where not by Eqs 4 and 7 from one sample.
        self._other = sampling or rules
        if self._other and not learns_by_delta_rule(stream):
            raise ValueError(
                f"the stream, a {type(stream).__name__}, has a `learn` of its own, which calls no other rule and draws "
                "one sample."
            )
        # Kernels count as they learn: an interrupt between two of them finds the count and the parameters in step.
        self._seen = np.zeros(1, np.uint64)

    def __repr__(self) -> str:
        by = f"{self._other}, " if self._other else ""
        return (
            f"<Simulation of {self.machine} on {self.stream}, {by}seed {self.seed}: "
            f"{self.examples_seen:,} of {self.total_examples:,} examples>"
        )

    def _repr_html_(self) -> str:
        now = min(self.examples_seen, self.total_examples - 1)
        return notebook.run(self, self._schedule.segment(now).values, str(self._other))

    @property
    def schedule(self) -> list[tuple[int, NDArray[np.float32]]]:
        """What follows what: a copy, with a learning rate a level."""
        return [(n, np.array(rates, np.float32)) for n, rates in self._schedule.pairs()]

    @property
    def examples_seen(self) -> int:
        """How many examples the machine has learned from."""
        return int(self._seen[0])

    @property
    def total_examples(self) -> int:
        """Length of the schedule."""
        return self._schedule.total_examples

    def advance(self, n_examples: Whole | None = None, progress: Callable[[int], object] | None = None) -> "Simulation":
        """Learn from the next examples.

        Parameters
        ----------
        n_examples : int, optional
            How many; to the end of the schedule by default, and never beyond it.
        progress : callable, optional
            Called with `examples_seen` some twenty times a second. What it raises ends the call and leaves the
            simulation ready to go on, as Ctrl-C does. A bar of tqdm, also in a notebook, follows it by
            ``lambda seen: bar.update(seen - bar.n)``.

        Returns
        -------
        Simulation
            self

        Raises
        ------
        ValueError
            If n_examples is not a whole number of at least 0, or a parameter is not finite, at the beginning or
            because it grew beyond 32-bit floats while learning; the machine is then as it was found. If a rule of your
            own fails at the first example that it learns from, the machine is as it was before.
        """
        goal = self._goal(n_examples)
        _learn_until([self], goal, self._learn, progress)
        return self

    def step(self) -> Step:
        """Learn from the next example as ``advance(1)`` does, to the same bits, and return all that came into it.

        Returns
        -------
        Step

        Raises
        ------
        ValueError
            If the schedule is at its end, the stream has a `learn` of its own, the run learns from several samples an
            example, or as by `advance`.
        """
        if self.examples_seen == self.total_examples:
            raise ValueError(
                f"the schedule is at its end: all of its {self.total_examples:,} examples have been seen. A new "
                "Simulation of the machine, with a schedule of its own, goes on."
            )
        if not learns_by_delta_rule(self.stream):
            raise ValueError(
                f"the stream, a {type(self.stream).__name__}, has a `learn` of its own; step() shows the delta rule "
                "of Eqs 4 and 7 only. Use advance(1)."
            )
        if self.n_samples > 1:
            raise ValueError(
                f"the run learns from {self.n_samples} samples an example; step() shows one sample only. Use "
                "advance(1), or fastws.reweighted.reweighted_update."
            )
        steps: list[Step] = []
        before, other = self.machine.copy(), self._other

        def learn_next(n_examples: int, rates: NDArray[np.float32]) -> None:
            learn_it = other.learn_one if other and isinstance(other, OwnRules) else learn_one
            record = learn_it(self.stream, self.machine, self.seed, self._seen, Rule(rates, self._floor))
            steps.append(whole_step(self.machine, before, self.examples_seen - 1, rates, record))

        _learn_until([self], self.examples_seen + 1, learn_next, None)
        return steps[0]

    @property
    def _floor(self) -> np.float32:
        return least_input_weight(self.nonnegative_input_weights)

    def _learn(self, n_examples: int, rates: NDArray[np.float32]) -> None:
        learn_side_by_side([self], n_examples, rates)

    def _goal(self, n_examples: Whole | None) -> int:
        """Return what `examples_seen` will be when `advance` is done."""
        left = self.total_examples - self.examples_seen
        if n_examples is not None:
            left = min(left, check_integer(n_examples, "n_examples", at_least=0))
        return self.examples_seen + left

    def compile(self) -> float:
        """Compile what `advance` needs, or load it from Numba's cache, without learning; return the seconds taken."""
        started = time.perf_counter()
        self._learn(0, self._schedule.segment(0).rates)
        return time.perf_counter() - started

    def _description(self, stream: dict[str, Any]) -> dict[str, Any]:
        """Return, for JSON, everything but arrays; the stream's part is given."""
        return {
            **self.machine.made_with(),
            "stream": stream,
            "schedule": self._schedule.pairs(),
            "nonnegative_input_weights": self.nonnegative_input_weights,
            "seed": self.seed,
            "examples_seen": self.examples_seen,
            **self._other.names(),
        }

    def _moved(
        self,
        machine: Machine,
        examples_seen: int,
        schedule: Sequence[Sequence[Any]] | None = None,
        stream: Stream | None = None,
    ) -> "Simulation":
        """Return a run that goes on, as this one or with a schedule and a stream of its own, from another example."""
        segments: list[Any] = self._schedule.pairs()
        if schedule is not None:
            segments = [*self._schedule.until(examples_seen), *schedule]
        chosen = self.stream if stream is None else stream
        own = self.wake_rule, self.sleep_rule, self.n_samples, self.recognition
        run = Simulation(machine, chosen, segments, self.nonnegative_input_weights, self.seed, *own)
        run._seen[0] = examples_seen
        return run

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the machine, the stream and where the run is as an ``.npz`` file, atomically.

        The images of an `Images` stream are in the file, eight pixels a byte; a stream of your own is not.

        Raises
        ------
        OSError
            If the file cannot be written; an earlier one is then whole.
        ValueError
            If a parameter is not finite.
        """
        self.machine.check_finite()
        save_runs(path, [self])

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        stream: Stream | None = None,
        wake_rule: UpdateRule | None = None,
        sleep_rule: UpdateRule | None = None,
    ) -> "Simulation":
        """Return a saved simulation, which goes on bit for bit as it would have.

        Parameters
        ----------
        path : path-like
        stream : Stream, optional
            What takes the place of a stream of your own, of which the file has the name only.
        wake_rule, sleep_rule : callable, optional
            The rules of your own that the machine learned by; the file has their names, which have to be the same.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not the whole file of one simulation, or one of a later format version, or it needs a stream or
            rules of your own that are not given or do not fit, or needs no rule and is given one.
        """
        runs, _ = load_runs(path, stream, wake_rule, sleep_rule)
        if len(runs) != 1:
            raise ValueError(
                f"{os.fspath(path)} holds {len(runs)} simulations; fastws.simulation.load_runs returns them all."
            )
        return runs[0]


def advance_together(
    simulations: Sequence[Simulation],
    until: Whole | None = None,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Let simulations learn up to the same number of examples, to the same bits as by `advance`, in less time.

    Small machines that differ in nothing but seed and parameters learn sixteen at a time, in one thread, which takes
    about as long as nine of them one by one; where fewer are alike they go one by one. So do those that learn from
    several samples an example, by rules of one's own, or from a stream with a `learn` of its own, unless its class has
    a `learn_together` beside it. Streams of one's own are the same if they are one, or of one class with equal
    attributes.

    Parameters
    ----------
    simulations : sequence of Simulation
    until : int, optional
        The `examples_seen` to reach; the ends of the schedules by default, and never beyond them.
    progress : callable, optional
        Called some twenty times a second with the `examples_seen` of one of them. What it raises ends the call and
        leaves the simulations ready to go on, as Ctrl-C does.

    Raises
    ------
    ValueError
        If `until` is not a whole number of at least 0, or a parameter is not finite, as by `Simulation.advance`.

    Examples
    --------
    >>> import fastws
    >>> from fastws.simulation import advance_together
    >>> runs = [fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)], seed=s) for s in range(3)]
    >>> advance_together(runs, until=50)
    >>> [run.examples_seen for run in runs]
    [50, 50, 50]
    """
    if until is not None:
        check_integer(until, "until", at_least=0)
    for group in groups(simulations):
        n_examples = None if until is None else max(0, until - group[0].examples_seen)
        if len(group) == 1:
            group[0].advance(n_examples, progress)
        else:
            _advance_group(group, n_examples, progress)


def compile_together(simulations: Sequence[Simulation]) -> float:
    """Compile what `advance_together` needs, as `Simulation.compile` does; return the seconds taken.

    Examples
    --------
    >>> import fastws
    >>> from fastws.simulation import compile_together
    >>> runs = [fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)], seed=s) for s in range(3)]
    >>> compile_together(runs) > 0, runs[0].examples_seen
    (True, 0)
    """
    group = groups(simulations)[0]
    if len(group) == 1:
        return group[0].compile()
    started = time.perf_counter()
    learn_side_by_side(group, 0, group[0]._schedule.segment(0).rates)
    return time.perf_counter() - started


def _advance_group(
    group: Sequence[Simulation], n_examples: Whole | None, progress: Callable[[int], object] | None
) -> None:
    _learn_until(group, group[0]._goal(n_examples), partial(learn_side_by_side, group), progress)


def _learn_until(
    group: Sequence[Simulation],
    goal: int,
    learn: Callable[[int, NDArray[np.float32]], None],
    progress: Callable[[int], object] | None,
) -> None:
    """Call `learn` with numbers of examples and rates until the group, in step, has seen as many as the goal."""
    first = group[0]
    machines = [simulation.machine for simulation in group]
    lookout = Lookout(machines, learns_by_delta_rule(first.stream) and not first._other)
    if first.nonnegative_input_weights:
        for machine in machines:
            machine.clip_input_weights()
    pace = Pace(sum(machine.n_parameters for machine in machines), known=not first._other)
    learn_in_chunks(lookout, pace, first._schedule, first._seen, goal, learn, progress)


def save_runs(path: str | os.PathLike[str], runs: Sequence[Simulation], notes: dict[str, Any] | None = None) -> None:
    """Save several simulations, and what a caller has to say of them in JSON's terms, as one file, atomically.

    Parameters that are not finite are saved as they are, to be looked at: `load_runs` refuses them.

    Raises
    ------
    OSError
        If the file cannot be written; an earlier one is then whole.

    Examples
    --------
    >>> import fastws
    >>> from fastws.simulation import load_runs, save_runs
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)]).advance(40)
    >>> save_runs("runs.npz", [run], {"why": "lunch"})
    >>> load_runs("runs.npz")[1]
    {'why': 'lunch'}
    """
    arrays: dict[str, NDArray[Any]] = {}
    descriptions = []
    for i, run in enumerate(runs):
        values, stream_arrays = describe_stream(run.stream)
        descriptions.append(run._description(values))
        for name, array in {**run.machine.arrays(), **stream_arrays}.items():
            arrays[f"{i}.{name}"] = array
    save_arrays(path, _KIND, {"runs": descriptions, "notes": notes or {}}, arrays)


def load_runs(
    path: str | os.PathLike[str],
    stream: Stream | None = None,
    wake_rule: UpdateRule | None = None,
    sleep_rule: UpdateRule | None = None,
) -> tuple[list[Simulation], dict[str, Any]]:
    """Return the simulations of a file and the notes saved with them; the rest is as in `Simulation.load`.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not the whole file of simulations, or one of a later format version, or a stream or a rule is missing,
        or not the one that any of them needs.

    Examples
    --------
    >>> import fastws
    >>> from fastws.simulation import load_runs, save_runs
    >>> save_runs("runs.npz", [fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(90, 0.1)]).advance(40)])
    >>> [run], notes = load_runs("runs.npz")
    >>> run.examples_seen, run.advance().examples_seen
    (40, 90)
    """
    given = OwnRules(wake_rule, sleep_rule)
    metadata, arrays = load_arrays(path, _KIND)
    try:
        arrays_of_runs: defaultdict[str, dict[str, NDArray[Any]]] = defaultdict(dict)
        for name, array in arrays.items():
            number, _, own_name = name.partition(".")
            arrays_of_runs[number][own_name] = array
        given.check_needed(metadata["runs"])
        runs = [
            _restore(description, arrays_of_runs[str(i)], stream, given)
            for i, description in enumerate(metadata["runs"])
        ]
        notes = dict(metadata["notes"])
    except (NoStreamError, NoRuleError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be loaded like that: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{os.fspath(path)} is damaged: its simulations cannot be restored ({error}).") from error
    return runs, notes


def _restore(
    description: dict[str, Any], arrays: dict[str, NDArray[Any]], stream: Stream | None, rules: OwnRules
) -> Simulation:
    machine = Machine.from_arrays(description["layer_sizes"], arrays, description.get("groups"))
    learning: dict[str, Any] = {**rules.named_in(description), **Sampling.named_in(description)}
    run = Simulation(
        machine,
        stream_from_description(description["stream"], arrays, machine.layer_sizes[0], stream),
        description["schedule"],
        description["nonnegative_input_weights"],
        description["seed"],
        **learning,
    )
    seen = check_integer(description["examples_seen"], "examples_seen", at_least=0)
    if seen > run.total_examples:
        raise ValueError(f"examples_seen is {seen}, beyond the end of the schedule")
    run._seen[0] = seen
    return run
