"""`check_reweighted_rule`: the battery for rules that learn from several representations of an input, weighted.

A rule is a callable ``rule(machine, samples, rates)`` that changes the generative parameters of `machine` in place:
``samples[k]`` has the states of all layers, as in `fastws.testing.battery`, and the input is the same in all.
`fastws.reweighted.reweighted_update` is one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from fastws.machine import Machine
from fastws.testing import reference
from fastws.testing.battery import check_property
from fastws.testing.properties import Property
from fastws.testing.reference import Layers, Parameters, States
from fastws.testing.strategies import binary_vectors, layer_sizes, learning_rates, machines
from fastws.testing.trial import Broken, check_close, check_same_bits, level_of

SampleRule: TypeAlias = Callable[[Machine, list[list[States]], tuple[float, ...]], object]

_MOST_SAMPLES = 4
# With a few representations each, of which all pairs are tried.
_ENUMERATED = [(1, 1), (2, 1), (1, 2), (2, 2), (2, 1, 1), (3, 2, 1)]
_SEEDS = st.integers(0, 1000)


@dataclass(frozen=True)
class SamplesTrial:
    """A rule, and an example to try it on."""

    rule: SampleRule
    machine: Machine
    samples: list[list[States]]
    rates: tuple[float, ...]
    seed: int
    phase = "reweighted"

    def shown_states(self) -> str:
        """Return the states as they are printed."""
        return f"samples = {[[layer.tolist() for layer in states] for states in self.samples]}"

    def after(self, samples: Sequence[list[States]] | None = None) -> Machine:
        """Return what the rule makes of a copy of the machine."""
        changed = self.machine.copy()
        given = [[layer.copy() for layer in states] for states in (self.samples if samples is None else samples)]
        self.rule(changed, given, self.rates)
        return changed

    def changes(self, samples: Sequence[list[States]] | None = None) -> Parameters:
        """Return by how much the rule changes each parameter."""
        before, after = reference.parameters(self.machine), reference.parameters(self.after(samples))
        return {name: after[name] - before[name] for name in before}

    def steps(self, cost: Callable[[Parameters], float]) -> Parameters:
        """Return the rates times minus the derivatives of a cost by the generative parameters."""
        at = reference.parameters(self.machine)
        names = [name for name in at if name.startswith("gen")]
        return {name: -self.rates[level_of(name)] * d for name, d in reference.gradient(cost, at, names).items()}


@st.composite
def _trials(draw: Callable[..., Any], rule: SampleRule, enumerates: bool) -> SamplesTrial:
    sizes = st.sampled_from(_ENUMERATED) if enumerates else layer_sizes()
    machine = draw(machines(sizes))
    n_inputs, *hidden = machine.layer_sizes
    x = draw(binary_vectors(n_inputs))
    n_samples = draw(st.integers(1, _MOST_SAMPLES))
    samples = [[x, *(draw(binary_vectors(n)) for n in hidden)] for _ in range(n_samples)]
    return SamplesTrial(rule, machine, samples, draw(learning_rates(1 + len(hidden), at_least=1 / 16)), draw(_SEEDS))


SAMPLE_PROPERTIES: dict[str, Property] = {}
"""The battery by name, in the order that it is run in."""


def _property(
    statement: str, enumerates: bool = False
) -> Callable[[Callable[[SamplesTrial], None]], Callable[[SamplesTrial], None]]:
    def register(check: Callable[[SamplesTrial], None]) -> Callable[[SamplesTrial], None]:
        SAMPLE_PROPERTIES[check.__name__.removeprefix("_")] = Property(statement, check, enumerates)
        return check

    return register


@_property("Recognition is left as it is, to the bit.")
def _own_parameters(trial: SamplesTrial) -> None:
    check_same_bits(trial.after(), trial.machine, [name for name in trial.machine.arrays() if name.startswith("rec")])


@_property("The same machine, samples and rates give the same bits again, and the samples are left as they are.")
def _no_memory(trial: SamplesTrial) -> None:
    first = trial.after()
    other = [[1 - layer for layer in states] for states in trial.samples]
    trial.after(other)
    check_same_bits(trial.after(), first)
    samples = [[layer.copy() for layer in states] for states in trial.samples]
    trial.rule(trial.machine.copy(), samples, trial.rates)
    for k, (states, given) in enumerate(zip(samples, trial.samples, strict=True)):
        if not all(map(np.array_equal, states, given)):
            raise Broken(f"samples[{k}] was changed")


@_property("Weights sum to one: from several like samples a machine learns what Eq 4 says of one.")
def _weights_sum_to_one(trial: SamplesTrial) -> None:
    n_samples = max(2, len(trial.samples))
    found = trial.changes(trial.samples[:1] * n_samples)
    check_close(found, _by_eq_4(trial, 1), trial.machine, f"from {n_samples} like ones changed by")


@_property("From one sample a machine learns by Eq 4.")
def _one_sample(trial: SamplesTrial) -> None:
    found = trial.changes(trial.samples[:1])
    check_close(found, _by_eq_4(trial, 1), trial.machine, "from one sample changed by")


@_property("The order of the samples does not matter.")
def _relabelled_samples(trial: SamplesTrial) -> None:
    order = np.random.default_rng(trial.seed).permutation(len(trial.samples))
    found = trial.changes([trial.samples[k] for k in order])
    check_close(found, trial.changes(), trial.machine, f"(with samples in the order {order.tolist()}) changed by")


@_property("Where recognition is the posterior, all samples weigh the same: an update is the mean of those of each.")
def _equal_weights(trial: SamplesTrial) -> None:
    machine = reference.with_exact_recognition(trial.machine)
    samples = [states[:2] for states in trial.samples]
    trial = replace(trial, machine=machine, samples=samples, rates=trial.rates[:2])
    expected = _by_eq_4(trial, len(samples))
    check_close(trial.changes(), expected, machine, "(with the weights to and from the inputs made sparse) changed by")


@_property(
    "Over all pairs of samples, with their probabilities, the mean update is ε times the gradient of the mean of "
    "log((w_1 + w_2) / 2), the representations being drawn as they are.",
    enumerates=True,
)
def _expected_gradient(trial: SamplesTrial) -> None:
    at, x = reference.parameters(trial.machine), trial.samples[0][0]
    layers = reference.all_representations(trial.machine.layer_sizes, x)
    log_q = -reference.recovery_costs(at, layers)
    q = np.exp(log_q)

    def cost(parameters: Parameters) -> float:
        log_w = -reference.description_lengths(parameters, layers) - log_q
        return float(-(q @ np.logaddexp.outer(log_w, log_w) @ q))

    found = {name: np.zeros(array.shape) for name, array in at.items()}
    for first, q_first in enumerate(q):
        for second, q_second in enumerate(q):
            pair = [[layer[row] for layer in layers] for row in (first, second)]
            for name, change in trial.changes(pair).items():
                found[name] += q_first * q_second * change
    check_close(found, trial.steps(cost), trial.machine, "is expected to change by")


def _by_eq_4(trial: SamplesTrial, n_samples: int) -> Parameters:
    """Return the mean of the changes that Eq 4 makes from each of the first samples."""
    layers: Layers = [np.stack(rows) for rows in zip(*trial.samples[:n_samples], strict=True)]
    return trial.steps(lambda p: float(reference.description_lengths(p, layers).mean()))


def check_reweighted_rule(rule: SampleRule, properties: Sequence[str] | None = None, max_examples: int = 30) -> None:
    """Check that a rule for several samples has the properties of reweighted wake-sleep's, on machines that are drawn.

    Parameters
    ----------
    rule : callable
        ``rule(machine, samples, rates)`` changes the generative parameters of the machine in place, given the states of
        all layers for each sample, a list of lists of ndarray of uint8, and a learning rate a level, a tuple of float.
    properties : sequence of str, optional
        Which of `SAMPLE_PROPERTIES`; all by default.
    max_examples : int, default=30
        Examples a property. They are the same in each run.

    Raises
    ------
    BrokenProperty
        As by `check_update_rule`.
    ValueError
        If there is no such property.

    Notes
    -----
    Bornschein and Bengio, "Reweighted Wake-Sleep", ICLR (2015), arXiv 1406.2751.

    Examples
    --------
    >>> from fastws.reweighted import reweighted_update
    >>> from fastws.testing import check_reweighted_rule
    >>> check_reweighted_rule(reweighted_update, properties=["one_sample"], max_examples=5)
    """
    for name in SAMPLE_PROPERTIES if properties is None else properties:
        if name not in SAMPLE_PROPERTIES:
            raise ValueError(f"there is no property {name!r}; those there are: {', '.join(SAMPLE_PROPERTIES)}.")
        wanted = SAMPLE_PROPERTIES[name]
        check_property(name, wanted, _trials(rule, wanted.enumerates), max_examples)
