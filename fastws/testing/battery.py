"""`check_update_rule`: looks for a machine on which an update rule breaks a property that it should have.

A rule is a callable ``rule(machine, states, rates)``:

- it changes parameters of `machine` (a `fastws.Machine`) in place and returns nothing;
- `states` has the states of all layers, input first: a list of ndarray of uint8, ``states[l]`` of shape (n_l,);
- `rates` is a tuple of float, one a level 0 … L;
- a wake rule may take the keyword ``nonnegative_input_weights``, and is then also checked for keeping generative
  weights to the inputs at zero or above. A sleep rule, and a wake rule without that keyword, is not.

Since the states are given, a rule draws no random numbers, and expectations can be taken by enumerating all states.
`fastws.wake_update` and `fastws.sleep_update` are rules. A rule for one connection, such as a function of Numba's
``@njit``, becomes one by `connection_rule`. A `fastws.Simulation` learns by them. A rule with a memory has to begin
afresh at each call.

Rounding: machines are float32. Parameters are drawn as multiples of 1/8, so that logits have no rounding error,
whatever the order of their sums. A parameter below 4 then rounds by at most 1.2e-7 and a float32 probability by 2e-7,
so that a right rule is within `TOLERANCE` of what float64 expects, times the largest parameter where that is above 1.
Learning rates are at least 1/16; rules that are wrong are wrong by a share of that.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, NoSuchExample

from fastws.machine import Machine
from fastws.rules import LEARNING, PhaseName, takes_constraint
from fastws.rules import UpdateRule as Rule
from fastws.testing.properties import PROPERTIES, Property
from fastws.testing.strategies import binary_vectors, layer_sizes, learning_rates, machines
from fastws.testing.trial import Broken, Trial, fill, place_of

PHASES = [Phase.generate, Phase.shrink]
_WIDE = 35


class BrokenProperty(AssertionError):
    """What `check_update_rule` raises: which property is broken, and by what.

    Attributes
    ----------
    property_name : str
        A key of `PROPERTIES`.

    Examples
    --------
    >>> from fastws.testing import BrokenProperty, check_update_rule
    >>> try:
    ...     check_update_rule(lambda machine, states, rates: None, max_examples=5)
    ... except BrokenProperty as broken:
    ...     print(broken.property_name)
    gradient
    """

    def __init__(self, property_name: str, message: str) -> None:
        super().__init__(message)
        self.property_name = property_name


@st.composite
def _wide_machines(draw: Callable[..., Any]) -> Machine:
    """Draw machines with layers of more than the sixteen units that a vector of the kernels has."""
    n_inputs, *hidden = draw(layer_sizes(max_inputs=_WIDE - 16, max_hidden=_WIDE))
    machine = Machine([16 + n_inputs, *hidden])
    fill(machine, np.random.default_rng(draw(st.integers(0, 1000))))
    return machine


@st.composite
def _trials(draw: Callable[..., Any], rule: Rule, phase: PhaseName, enumerates: bool) -> Trial:
    machine = draw(machines() if enumerates else machines() | _wide_machines())
    states = [draw(binary_vectors(n)) for n in machine.layer_sizes]
    rates = draw(learning_rates(len(states), at_least=1 / 16))
    return Trial(rule, phase, machine, states, rates, draw(st.integers(0, 1000)))


def broken_numbers(wanted: Property, trial: Any) -> str:
    """Return how a trial breaks a property, or nothing."""
    try:
        wanted.check(trial)
    except Broken as broken:
        return str(broken)
    return ""


def check_update_rule(
    rule: Rule, phase: PhaseName = "wake", properties: Sequence[str] | None = None, max_examples: int = 30
) -> None:
    """Check that a rule has the properties of wake-sleep's, each on machines that Hypothesis draws.

    Parameters
    ----------
    rule : callable
        ``rule(machine, states, rates)`` changes the machine in place after one example, given the states of all layers,
        a list of ndarray of uint8, input first, and a learning rate a level, a tuple of float. A wake rule that takes
        ``nonnegative_input_weights=True`` is checked for that too. See `fastws.testing.battery` for the protocol, and
        `connection_rule` for rules that know one connection.
    phase : {"wake", "sleep"}, default="wake"
    properties : sequence of str, optional
        Which of `PROPERTIES`; all by default.
    max_examples : int, default=30
        Examples a property. They are the same in each run.

    Raises
    ------
    BrokenProperty
        An `AssertionError` that names the first property that does not hold, the smallest machine found that breaks
        it, and the numbers.
    ValueError
        If there is no such phase or property.

    Examples
    --------
    >>> import fastws
    >>> from fastws.testing import check_update_rule
    >>> check_update_rule(fastws.wake_update, phase="wake", properties=["gradient"], max_examples=5)
    >>> check_update_rule(lambda machine, states, rates: None, properties=["gradient"], max_examples=5)
    Traceback (most recent call last):
        ...
    fastws.testing.battery.BrokenProperty: the wake rule breaks the property 'gradient'...
    """
    if phase not in LEARNING:
        raise ValueError(f"phase is {phase!r}; a rule learns in the 'wake' or in the 'sleep' phase.")
    for name in PROPERTIES if properties is None else properties:
        if name not in PROPERTIES:
            raise ValueError(f"there is no property {name!r}; those there are: {', '.join(PROPERTIES)}.")
        if name == "positivity" and not (phase == "wake" and takes_constraint(rule)):
            continue
        check_property(name, PROPERTIES[name], _trials(rule, phase, PROPERTIES[name].enumerates), max_examples)


def check_property(name: str, wanted: Property, trials: st.SearchStrategy[Any], max_examples: int) -> None:
    """Raise `BrokenProperty` with the smallest trial found that breaks a property, if there is one."""
    found = _smallest(wanted, trials, max_examples)
    if found is not None:
        raise BrokenProperty(name, _describe(name, wanted, *found))


def _smallest(wanted: Property, trials: st.SearchStrategy[Any], max_examples: int) -> tuple[Any, str] | None:
    """Return the smallest trial found that breaks a property, with the numbers."""
    quiet = settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    last: list[tuple[Any, str]] = []

    def breaks(trial: Any) -> bool:
        numbers = broken_numbers(wanted, trial)
        if numbers:
            last[:] = [(trial, numbers)]
        return bool(numbers)

    try:
        find(trials, breaks, settings=quiet)
    except NoSuchExample:
        return None
    except Flaky:  # a rule that draws random numbers
        pass
    return last[0]


def _describe(name: str, wanted: Property, trial: Any, numbers: str) -> str:
    arrays = trial.machine.arrays()
    return "\n".join(
        [
            f"the {trial.phase} rule breaks the property {name!r}.",
            wanted.statement,
            f"{trial.machine}",
            *(f"  {place_of(key, ())[:-2]} = {array.tolist()}" for key, array in arrays.items()),
            f"  {trial.shown_states()}",
            f"  rates = {trial.rates}",
            f"{numbers}.",
        ]
    )
