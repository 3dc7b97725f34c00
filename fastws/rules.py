"""Rules of one's own in the place of Eqs 4 and 7: what they are, and how a machine learns by them.

A rule is a callable ``rule(machine, states, rates)`` that changes a machine in place after one phase of an example.
`fastws.testing.battery` has the protocol in full; `fastws.testing.check_update_rule` says in what a rule differs from
wake-sleep's.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastws.checks import NotFiniteError
from fastws.kernels import rules as kernels
from fastws.kernels.rooms import new_record
from fastws.kernels.types import Draws, Record, Room, Rule
from fastws.learning import Seen, prepare, sources
from fastws.machine import Machine
from fastws.probabilities import driven
from fastws.steps import layers_of

__all__ = ["UpdateRule", "connection_rule"]

UpdateRule: TypeAlias = Callable[..., object]
"""A rule of one's own: ``rule(machine, states, rates)``."""
PhaseName = Literal["wake", "sleep"]

LEARNING = {"wake": "gen", "sleep": "rec"}
"""How the names of the parameters begin that learn in a phase."""
_EQUATIONS = {"wake": "Eq 4", "sleep": "Eq 7"}
_CONSTRAINT = "nonnegative_input_weights"


class NoRuleError(ValueError):
    """A file is of a machine that learns by a rule of one's own, and no such rule is given."""


class ConnectionRule:
    """The rule that applies a rule for one connection to each connection that learns; `connection_rule` makes it.

    Attributes
    ----------
    kernel : callable
    phase : {"wake", "sleep"}

    Examples
    --------
    >>> import fastws
    >>> from fastws.rules import connection_rule
    >>> def forget(weights, biases, driving, driven, rate):
    ...     weights *= 1 - rate
    >>> rule = connection_rule(forget, phase="sleep")
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(9, 0.1)], sleep_rule=rule).advance()
    """

    def __init__(self, kernel: Callable[..., object], phase: PhaseName) -> None:
        self.kernel, self.phase = kernel, phase
        self.takes_probabilities = not _takes(kernel, 5)
        self.__name__ = name_of(kernel)

    def __repr__(self) -> str:
        return f"connection_rule({self.__name__}, {self.phase!r})"

    def __call__(self, machine: Machine, states: Sequence[NDArray[np.uint8]], rates: Sequence[float]) -> None:
        """Learn from the states of all layers."""
        top, awake = len(states) - 1, self.phase == "wake"
        for level in range(top):
            lower, upper = states[level], states[level + 1]
            if awake:
                self._apply(machine.gen_weights[level], machine.gen_biases[level], upper, lower, rates[level])
            else:
                self._apply(machine.rec_weights[level], machine.rec_biases[level], lower, upper, rates[level])
        if awake:
            nothing = np.zeros((0, len(states[top])), np.float32)
            self._apply(nothing, machine.gen_biases[top], states[top][:0], states[top], rates[top])

    def _apply(self, weights: Any, biases: Any, driving: Any, driven_states: Any, rate: float) -> None:
        more = [driven(driving[np.newaxis], weights, biases)[0].astype(np.float32)] if self.takes_probabilities else []
        self.kernel(weights, biases, driving, driven_states, np.float32(rate), *more)


def connection_rule(kernel: Callable[..., object], phase: PhaseName = "wake") -> ConnectionRule:
    """Return the rule that applies a rule for one connection to each connection that learns.

    Parameters
    ----------
    kernel : callable
        ``kernel(weights, biases, driving, driven, rate)`` changes float32 arrays in place: `weights` of shape
        (n_driving, n_driven) and `biases` of shape (n_driven,), given the uint8 states of both layers and a float32.
        Where it takes a sixth argument, `probabilities`, that is those of the driven units by Eq 1 before the update,
        in float32; it spares the kernel the time to work them out. Awake the top layer is driven by a layer of no
        units. The kernel may be a function of Numba's ``@njit``; a `Simulation` then learns in compiled code.
    phase : {"wake", "sleep"}, default="wake"

    Returns
    -------
    callable
        A rule as `fastws.testing.check_update_rule` and `Simulation` take it.

    Raises
    ------
    ValueError
        If there is no such phase, or the kernel is no function of five arguments.

    Examples
    --------
    >>> from fastws.testing import check_update_rule, connection_rule
    >>> def decay(weights, biases, driving, driven, rate):
    ...     weights *= 1 - rate
    >>> check_update_rule(connection_rule(decay), phase="wake", properties=["own_phase"], max_examples=5)
    """
    if phase not in LEARNING:
        raise ValueError(f"phase is {phase!r}; a rule learns in the 'wake' or in the 'sleep' phase.")
    if not callable(kernel) or not (_takes(kernel, 5) or _takes(kernel, 6)):
        raise ValueError(
            f"the kernel is {name_of(kernel)}{_signature(kernel)}; give a function kernel(weights, biases, driving, "
            "driven, rate), or one that also takes probabilities, which changes weights and biases in place."
        )
    return ConnectionRule(kernel, phase)


def takes_constraint(rule: UpdateRule) -> bool:
    """Return whether a rule takes the keyword ``nonnegative_input_weights``."""
    try:
        return _CONSTRAINT in inspect.signature(rule).parameters
    except ValueError:  # of what was not written in Python
        return False


def name_of(rule: Any) -> str:
    """Return what a file says of a rule."""
    return str(getattr(rule, "__name__", type(rule).__name__))


class OwnRules:
    """The rules of one's own that a simulation learns by, one, both or none.

    Parameters
    ----------
    wake, sleep : callable or None

    Raises
    ------
    ValueError
        If one cannot be a rule.
    """

    def __init__(self, wake: UpdateRule | None, sleep: UpdateRule | None) -> None:
        self._of_phases: dict[PhaseName, Any] = {"wake": wake, "sleep": sleep}
        for phase, own in self._of_phases.items():
            if own is not None:
                _check_rule(own, phase)
        self._tried = False

    def __bool__(self) -> bool:
        return any(own is not None for own in self._of_phases.values())

    def names(self) -> dict[str, str]:
        """Return the names of those that there are, which is what a file says of them."""
        return {f"{phase}_rule": name_of(own) for phase, own in self._of_phases.items() if own is not None}

    def __str__(self) -> str:
        return " and ".join(f"the {what.replace('_', ' ')} {name}" for what, name in self.names().items())

    def named_in(self, description: dict[str, Any]) -> dict[str, UpdateRule]:
        """Return, by argument of `Simulation`, the rules that a saved run names.

        Raises
        ------
        NoRuleError
            If one of them is missing or has another name.
        """
        named = {}
        for phase, own in self._of_phases.items():
            what = f"{phase}_rule"
            if what not in description:
                continue
            its = f"its machine learns by a {phase} rule of your own, {description[what]}"
            if own is None:
                raise NoRuleError(f"{its}; give it to Simulation.load(path, {what}=…).")
            if name_of(own) != description[what]:
                raise NoRuleError(f"{its}; the rule that is given is {name_of(own)}.")
            named[what] = own
        return named

    def check_needed(self, descriptions: Sequence[dict[str, Any]]) -> None:
        """Check that each is named in one of several saved runs.

        Raises
        ------
        NoRuleError
            If one is not.
        """
        for what, name in self.names().items():
            if not any(what in description for description in descriptions):
                raise NoRuleError(
                    f"its machine learned by no {what.replace('_', ' ')} of your own, such as {name}. Leave that out, "
                    "or make a new Simulation of the machine."
                )

    def learn(self, stream: Any, machine: Machine, seed: int, n_examples: int, seen: Seen, rule: Rule) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, with the draws of `fastws.learning.learn`.

        What a rule raises, or Ctrl-C, leaves the machine and the count as they were.

        Raises
        ------
        ValueError
            If a rule does not compile, or what the first example leaves cannot be right; or as `fastws.learning.learn`.
        """
        updates = _Updates(self._of_phases, machine, rule)
        _, draws, room = prepare(stream, [machine], [seed])
        with self._checked(updates, seen):
            for source, part in sources(stream, machine, [seed], n_examples, seen):
                if updates.compiled:
                    kernels.run_by_rules(updates.rules, source, updates.net, draws, room, part, seen)
                else:
                    _run_by_calls(updates, source, draws, room, part, seen)

    def learn_one(self, stream: Any, machine: Machine, seed: int, seen: Seen, rule: Rule) -> Record:
        """Let a machine learn from the next example, to the same bits as by `learn`; return what it was.

        Raises
        ------
        ValueError
            As `learn`.
        """
        updates = _Updates(self._of_phases, machine, rule)
        net, draws, room = prepare(stream, [machine], [seed])
        record = new_record(net.sizes)
        with self._checked(updates, seen):
            [(source, _)] = sources(stream, machine, [seed], 1, seen)
            draw = kernels.draw_block(source, draws, room, 1, seen[0])
            draw = kernels.recognise(net, room, 0, draw + draws.an_input)
            kernels.record_wake(net, room.states, record)
            updates.apply("wake", room.states)
            kernels.fantasise(net, room, draw)
            kernels.record_sleep(net, room.states, record)
            updates.apply("sleep", room.states)
            seen[0] += np.uint64(1)
        return record

    @contextmanager
    def _checked(self, updates: "_Updates", seen: Seen) -> Iterator[None]:
        """Let the block learn, and look at what it left if these rules have never learned before; undo what fails."""
        machine, count = updates.machine, seen[0]
        stacks = (updates.net.generative.data, updates.net.recognition.data)
        before = [stack.copy() for stack in stacks]
        arrays = {} if self._tried else machine.arrays()
        try:
            yield
            if not self._tried and seen[0] > count:
                self._check_result(machine, arrays, updates.returned)
                self._tried = True
        except BaseException:
            for stack, kept in zip(stacks, before, strict=True):
                stack[:] = kept
            seen[0] = count
            raise

    def _check_result(
        self, machine: Machine, before: dict[str, NDArray[np.float32]], returned: dict[PhaseName, str]
    ) -> None:
        after = machine.arrays()
        for name, array in after.items():
            if array.shape != before[name].shape:
                raise ValueError(
                    f"{self} left {name} with shape {array.shape} instead of {before[name].shape}; a rule changes the "
                    "values of parameters only."
                )
        try:
            machine.check_finite()
        except NotFiniteError as error:
            raise ValueError(f"{self} failed at the first example: {error}") from error
        for phase, what in returned.items():
            if all(np.array_equal(after[name], before[name]) for name in after if name.startswith(LEARNING[phase])):
                raise ValueError(
                    f"the {phase} rule {name_of(self._of_phases[phase])} returned {what} and changed nothing; a rule "
                    "changes what it is given in place and returns nothing."
                )


class _Updates:
    """What is done to a machine in each phase.

    Attributes
    ----------
    machine : Machine
    net : Net
        What kernels take of it.
    rules : fastws.kernels.rules.Rules
    compiled : bool
        Whether nothing is done in Python, so that `rules` are all.
    returned : dict of phase to str
        The type of what a rule gave back.
    """

    def __init__(self, of_phases: dict[PhaseName, Any], machine: Machine, rule: Rule) -> None:
        self.machine, self.net = machine, machine.net
        self.returned: dict[PhaseName, str] = {}
        self._of_phases, self._rule = of_phases, rule
        self._rates = tuple(rule.rates.tolist())
        ways = {phase: self._way(phase, own) for phase, own in of_phases.items()}
        self.rules = kernels.Rules(**ways, rule=rule, **kernels.room_for_rules(self.net.sizes))
        self.compiled = not any(isinstance(way, kernels.InPython) for way in ways.values())

    def _way(self, phase: PhaseName, own: Any) -> Any:
        """Return how kernels go about a phase."""
        if own is None:
            return kernels.BuiltIn()
        if not (isinstance(own, ConnectionRule) and kernels.is_compiled(own.kernel)):
            return kernels.InPython()
        way = kernels.OwnOfProbabilities(own.kernel) if own.takes_probabilities else kernels.Own(own.kernel)
        try:
            result = kernels.compile_for_connections(way)
        except kernels.CannotCompile as error:
            raise ValueError(
                f"the {phase} rule {name_of(own)} does not compile for float32 weights of two dimensions, float32 "
                f"biases, uint8 states of both layers and a float32 rate: {error}"
            ) from error
        if result != "none":
            self.returned[phase] = result
        return way

    def apply(self, phase: PhaseName, states: NDArray[np.float32]) -> None:
        """Learn from the states of all layers as they are in a phase."""
        if isinstance(getattr(self.rules, phase), kernels.InPython):
            self._call(phase, states)
        elif phase == "wake":
            kernels.update_awake(self.rules, self.net, states)
        else:
            kernels.update_asleep(self.rules, self.net, states)

    def _call(self, phase: PhaseName, states: NDArray[np.float32]) -> None:
        own, machine = self._of_phases[phase], self.machine
        held = phase == "wake" and self._rule.floor == 0
        by_itself = held and takes_constraint(own)
        keywords = {_CONSTRAINT: True} if by_itself else {}
        result = own(machine, layers_of(states, machine.layer_sizes), self._rates, **keywords)
        if result is not None:
            self.returned[phase] = type(result).__name__
        if held and not by_itself:
            machine.clip_input_weights()


def _run_by_calls(updates: _Updates, source: Any, draws: Draws, room: Room, n_examples: int, seen: Seen) -> None:
    """Do what `kernels.run_by_rules` does, for rules in Python."""
    net, ahead = updates.net, room.inputs.shape[0]
    if n_examples == 0:  # compiles
        kernels.draw_block(source, draws, room, 0, seen[0])
        kernels.fantasise(net, room, kernels.recognise(net, room, 0, 0))
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        draw = kernels.draw_block(source, draws, room, block, seen[0]) + draws.an_input
        for row in range(block):
            next_draw = kernels.recognise(net, room, row, draw + row * draws.an_example)
            updates.apply("wake", room.states)
            kernels.fantasise(net, room, next_draw)
            updates.apply("sleep", room.states)
            seen[0] += np.uint64(1)


def _check_rule(rule: Any, phase: PhaseName) -> None:
    """Check, without calling it, that something can be a rule."""
    hint = (
        "give a function rule(machine, states, rates) that changes the machine in place, or None for "
        f"{_EQUATIONS[phase]}. A function kernel(weights, biases, driving, driven, rate) for one connection, as any of "
        f"Numba's has to be, becomes a rule by fastws.rules.connection_rule(kernel, {phase!r})."
    )
    if not callable(rule) or isinstance(rule, type):
        raise ValueError(f"{phase}_rule is {rule!r}; {hint}")
    if kernels.is_compiled(rule) or not _takes(rule, 3):
        raise ValueError(f"{phase}_rule is {name_of(rule)}{_signature(rule)}; {hint}")
    if isinstance(rule, ConnectionRule) and rule.phase != phase:
        raise ValueError(
            f"{phase}_rule is {rule!r}, which learns in the other phase; give connection_rule(kernel, {phase!r})."
        )


def _takes(function: Any, n: int) -> bool:
    """Return whether a function can be called with so many arguments, as far as can be told."""
    try:
        inspect.signature(function).bind(*range(n))
    except TypeError:
        return False
    except ValueError:  # of what was not written in Python
        pass
    return True


def _signature(function: Any) -> str:
    try:
        return str(inspect.signature(function))
    except (TypeError, ValueError):  # it is no function, or was not written in Python
        return ""
