"""The properties of wake-sleep's update rules: each a sentence, and a check that raises `Broken` with the numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastws.machine import Machine
from fastws.rules import LEARNING
from fastws.testing import reference
from fastws.testing.reference import Parameters, States
from fastws.testing.trial import (
    Broken,
    Trial,
    arrays_of,
    check_close,
    check_same_bits,
    fill,
    level_of,
    place_of,
)

_DESCENT_STEPS = 6
_DESCENT_RATE = 0.25
_DESCENT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Property:
    """What a right rule does.

    Attributes
    ----------
    statement : str
    check : callable
        Raises with the numbers if a `Trial` contradicts it.
    enumerates : bool
        Whether the rule is called for every combination of states, so that machines have to be small.
    """

    statement: str
    check: Callable[[Any], None]
    enumerates: bool


PROPERTIES: dict[str, Property] = {}
"""The battery by name, in the order that it is run in: what tells most about a mistake comes first."""


def _property(statement: str, enumerates: bool = False) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    def register(check: Callable[[Trial], None]) -> Callable[[Trial], None]:
        PROPERTIES[check.__name__.removeprefix("_")] = Property(statement, check, enumerates)
        return check

    return register


@_property("A wake update leaves every bit of the recognition parameters, and a sleep update of the generative ones.")
def _own_phase(trial: Trial) -> None:
    names = [name for name in trial.machine.arrays() if not name.startswith(LEARNING[trial.phase])]
    check_same_bits(trial.after(), trial.machine, names)


@_property("The same machine, states and rates give the same bits again, and the states are left as they are.")
def _no_memory(trial: Trial) -> None:
    first = trial.after()
    trial.after(states=[1 - layer for layer in trial.states])
    check_same_bits(trial.after(), first)
    states = [layer.copy() for layer in trial.states]
    trial.rule(trial.machine.copy(), states, trial.rates)
    for layer, (found, given) in enumerate(zip(states, trial.states, strict=True)):
        if not np.array_equal(found, given):
            raise Broken(f"states[{layer}] became {found.tolist()}, expected {given.tolist()} unchanged")


@_property("With learning rates of 0 no bit changes.")
def _zero_rate(trial: Trial) -> None:
    check_same_bits(trial.after(rates=(0.0,) * len(trial.rates)), trial.machine)


@_property("The change of a parameter is proportional to the learning rate of its level, and depends on no other rate.")
def _linear_in_rate(trial: Trial) -> None:
    factors = np.random.default_rng(trial.seed).choice([0.0, 0.25, 0.5], len(trial.rates))
    rates = tuple(float(rate) for rate in factors * trial.rates)
    expected = {name: factors[level_of(name)] * change for name, change in trial.changes().items()}
    check_close(trial.changes(rates=rates), expected, trial.machine, f"at the rates {rates} changed by")


@_property("The weights from a unit that is off are left as they are, to the bit.")
def _silent_units(trial: Trial) -> None:
    after = trial.after().arrays()
    for name, before in trial.machine.arrays().items():
        if name.startswith(f"{LEARNING[trial.phase]}_weights"):
            off = trial.states[level_of(name) + (trial.phase == "wake")] == 0
            changed = np.argwhere((after[name].view(np.uint32) != before.view(np.uint32)) & off[:, np.newaxis])
            if len(changed):
                place = tuple(int(i) for i in changed[0])
                raise Broken(
                    f"{place_of(name, place)} became {after[name][place]}, expected {before[place]} unchanged: "
                    f"unit {place[0]} of the driving layer is off"
                )


@_property("An update is -ε times the gradient: of the description length awake (Eq 3), of -log Q(α|d) asleep (Eq 7).")
def _gradient(trial: Trial) -> None:
    layers = [layer[np.newaxis] for layer in trial.states]
    at = reference.parameters(trial.machine)
    derivatives = reference.gradient(lambda p: float(trial.cost(p, layers)[0]), at, trial.learning(at))
    check_close(trial.changes(), trial.steps(derivatives), trial.machine)


@_property("The change of a weight depends on the states of its two units, the driven unit's probability and ε only.")
def _locality(trial: Trial) -> None:
    stack, sizes = LEARNING[trial.phase], trial.machine.layer_sizes
    levels = range(len(sizes) if trial.phase == "wake" else len(sizes) - 1)
    rng = np.random.default_rng(trial.seed)
    level = int(rng.choice(levels))
    driven_layer = level if trial.phase == "wake" else level + 1
    driving_layer = level + 1 if trial.phase == "wake" else level
    v = int(rng.integers(sizes[driven_layer]))
    weights, biases = f"{stack}_weights_{level}", f"{stack}_biases_{level}"
    arrays = trial.machine.arrays()
    driven_by_nothing = weights not in arrays

    # The same driving layer, state and incoming parameters of unit v; all else is different.
    other, states = _other(trial, rng)
    states[driven_layer][v] = trial.states[driven_layer][v]
    if not driven_by_nothing:
        states[driving_layer] = trial.states[driving_layer].copy()
        arrays_of(other)[weights][:, v] = arrays[weights][:, v]
    arrays_of(other)[biases][v] = arrays[biases][v]
    changes, others = trial.changes(), trial.changes(other, states)
    names = [biases] if driven_by_nothing else [weights, biases]
    what = f"(all else than unit {v} of layer {driven_layer} and what drives it being different) changed by"
    check_close(_column(others, names, v), _column(changes, names, v), other, what)
    if driven_by_nothing:
        return

    # The same logit of unit v from other driving states, but that of one unit u.
    other, states = _other(trial, rng)
    u = int(rng.integers(sizes[driving_layer]))
    s = trial.states[driving_layer]
    logit = arrays[biases][v].astype(np.float64) + s @ arrays[weights][:, v].astype(np.float64)
    states[driven_layer][v], states[driving_layer][u] = trial.states[driven_layer][v], s[u]
    arrays_of(other)[weights][:, v] = 0
    arrays_of(other)[weights][u, v] = arrays[weights][u, v]
    arrays_of(other)[biases][v] = logit - s[u] * arrays[weights][u, v]
    others = trial.changes(other, states)
    what = f"(with unit {v} of layer {driven_layer} driven to the same probability by other units) changed by"
    expected = {name: change.copy() for name, change in others.items() if name in names}
    expected[weights][u, v], expected[biases][v] = changes[weights][u, v], changes[biases][v]
    check_close(others, expected, other, what)


def _other(trial: Trial, rng: np.random.Generator) -> tuple[Machine, list[States]]:
    """Return a machine of the same sizes and states, all of them drawn anew."""
    other = Machine(trial.machine.layer_sizes)
    fill(other, rng)
    return other, [rng.integers(0, 2, len(layer)).astype(np.uint8) for layer in trial.states]


def _column(changes: Parameters, names: Sequence[str], v: int) -> Parameters:
    """Return the changes with all but those of the parameters that drive unit v left out, as if they were zero."""
    columns = {}
    for name in names:
        columns[name] = np.zeros_like(changes[name])
        columns[name][..., v] = changes[name][..., v]
    return columns


@_property(
    "Over all states, with their probabilities, the mean update is -ε times the gradient of the mean cost.",
    enumerates=True,
)
def _expected_gradient(trial: Trial) -> None:
    # Awake the mean is over the representations that recognition draws, asleep over the fantasies.
    sizes, at = trial.machine.layer_sizes, reference.parameters(trial.machine)
    if trial.phase == "wake":
        layers = reference.all_representations(sizes, trial.states[0])
        weights = np.exp(-reference.recovery_costs(at, layers))
    else:
        layers = reference.all_layers(sizes)
        weights = np.exp(-reference.description_lengths(at, layers))
    derivatives = reference.gradient(lambda p: float(weights @ trial.cost(p, layers)), at, trial.learning(at))
    found = trial.mean_changes(layers, weights)
    check_close(found, trial.steps(derivatives), trial.machine, "is expected to change by")


@_property("The mean update is zero where the driven layers already have the right probabilities.", enumerates=True)
def _at_rest(trial: Trial) -> None:
    # Awake: where the states are fantasies. Asleep: where representations are those that recognition draws.
    layers = reference.all_layers(trial.machine.layer_sizes)
    at = reference.parameters(trial.machine)
    weights = np.exp(-trial.cost(at, layers))
    weights /= weights.sum()
    found = trial.mean_changes(layers, weights)
    zero = {name: np.zeros(found[name].shape) for name in trial.learning(found)}
    check_close(found, zero, trial.machine, "is expected to change by")


@_property(
    "From a machine whose recognition is its posterior, mean updates never raise what the phase lowers.",
    enumerates=True,
)
def _descent(trial: Trial) -> None:
    # Awake that is the free energy of an input (Eq 5), asleep the divergence of Q from the posterior over fantasies.
    machine = reference.with_exact_recognition(trial.machine)
    sizes = machine.layer_sizes
    if trial.phase == "wake":
        layers = reference.all_representations(sizes, trial.states[0])
    else:
        layers = reference.all_layers(sizes)
        machine.rec_biases[0][:] = trial.machine.rec_biases[0]
    trial = replace(trial, machine=machine, states=trial.states[:2], rates=(_DESCENT_RATE,) * 2)
    at = reference.parameters(machine)
    other_cost = reference.recovery_costs if trial.phase == "wake" else reference.description_lengths
    weights = np.exp(-other_cost(at, layers))
    # What the phase does not change: -H(Q) awake, -E log P(α|d) up to a constant asleep.
    constant = float(weights @ -other_cost(at, layers))
    measures = [float(weights @ trial.cost(at, layers)) + constant]
    for _ in range(_DESCENT_STEPS):
        for name, change in trial.mean_changes(layers, weights, machine).items():
            arrays_of(machine)[name] += change
        measures.append(float(weights @ trial.cost(reference.parameters(machine), layers)) + constant)
        if not measures[-1] <= measures[-2] + _DESCENT_TOLERANCE:
            bits = ", ".join(f"{reference.in_bits(m):.6f}" for m in measures)
            what = "free energy" if trial.phase == "wake" else "divergence"
            raise Broken(
                f"with the weights to and from the inputs made sparse and rates of {_DESCENT_RATE}, "
                f"the {what} went {bits} bits, expected never to rise"
            )


@_property("Learning commutes with a renumbering of the units within each hidden layer.")
def _relabelling(trial: Trial) -> None:
    sizes = trial.machine.layer_sizes
    rng = np.random.default_rng(trial.seed)
    orders = [np.arange(sizes[0]), *(rng.permutation(n) for n in sizes[1:])]

    def renumbered(arrays: dict[str, Any]) -> dict[str, Any]:
        result = {}
        for name, array in arrays.items():
            level = level_of(name)
            lower, upper = orders[level], orders[min(level + 1, len(orders) - 1)]
            if name.startswith("gen_weights"):
                result[name] = array[np.ix_(upper, lower)]
            elif name.startswith("rec_weights"):
                result[name] = array[np.ix_(lower, upper)]
            else:
                result[name] = array[lower if name.startswith("gen") else upper]
        return result

    other = Machine.from_arrays(sizes, renumbered(trial.machine.arrays()))
    states = [layer[order] for layer, order in zip(trial.states, orders, strict=True)]
    what = f"(with hidden units in the orders {[order.tolist() for order in orders[1:]]}) changed by"
    check_close(trial.changes(other, states), renumbered(trial.changes()), other, what)


@_property("A further unit in each hidden layer that is off changes nothing for the others.")
def _dead_unit(trial: Trial) -> None:
    sizes = trial.machine.layer_sizes
    other = Machine([sizes[0], *(n + 1 for n in sizes[1:])])
    fill(other, np.random.default_rng(trial.seed))
    arrays, wider = trial.machine.arrays(), arrays_of(other)
    for name, array in arrays.items():
        wider[name][tuple(slice(n) for n in array.shape)] = array
    states = [trial.states[0], *(np.append(layer, np.uint8(0)) for layer in trial.states[1:])]
    changes = trial.changes(other, states)
    own = {name: changes[name][tuple(slice(n) for n in array.shape)] for name, array in arrays.items()}
    check_close(own, trial.changes(), trial.machine, "(beside units that are off) changed by")


@_property("Generative weights to the inputs end at zero or above: a projection, which leaves all else as it is.")
def _positivity(trial: Trial) -> None:
    constrained = trial.after(nonnegative_input_weights=True)
    _check_nonnegative(constrained)
    check_same_bits(
        trial.after(constrained, rates=(0.0,) * len(trial.rates), nonnegative_input_weights=True), constrained
    )
    start = trial.machine.copy()
    start.clip_input_weights()
    expected = trial.after(start)
    expected.clip_input_weights()
    found = trial.after(start, nonnegative_input_weights=True)
    _check_nonnegative(found)
    check_close(reference.parameters(found), reference.parameters(expected), start, "(from weights >= 0) became")


def _check_nonnegative(machine: Machine) -> None:
    negative = np.argwhere(~(machine.gen_weights[0] >= 0))
    if len(negative):
        place = tuple(int(i) for i in negative[0])
        raise Broken(f"{place_of('gen_weights_0', place)} became {machine.gen_weights[0][place]}, expected at least 0")
