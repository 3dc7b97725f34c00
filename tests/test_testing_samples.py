"""The battery of rules for several samples: fastws's own passes, and each mistake fails by the name of a property."""

import numpy as np
import pytest

import reweighting as oracle
from breaking import broken
from chance import INTERPRETED
from fastws.reweighted import reweighted_update
from fastws.testing import SAMPLE_PROPERTIES, check_reweighted_rule


def assign(machine, after):
    for name in ("gen_weights", "gen_biases"):
        setattr(machine, name, getattr(after, name))


def weighted_by(weights_of):
    """Return the rule that is right but for what it takes for normalised weights."""

    def rule(machine, samples, rates):
        assign(machine, oracle.updated(machine, samples, rates, weights=weights_of(machine, samples)))

    return rule


def logs_of(machine, samples):
    return oracle.log_weights(oracle.doubles(machine), samples)


def right_weights(machine, samples):
    return oracle.softmax(logs_of(machine, samples))


def logarithms(machine, samples):
    logs = logs_of(machine, samples)
    return logs / logs.sum()


def with_weights_of_the_previous_example():
    kept = []

    def weights_of(machine, samples):
        kept.append(right_weights(machine, samples))
        before = kept[max(0, len(kept) - 2)]
        return before if len(before) == len(samples) else kept[-1]

    return weighted_by(weights_of)


def with_the_gradient_through_the_weights(machine, samples, rates):
    """Climb sum_k w_k log P(h_k, x) with all that depends on the parameters."""
    before, weights = oracle.doubles(machine), right_weights(machine, samples)
    logs = np.array([oracle.log_probability(before, sample, "gen") for sample in samples])
    assign(machine, oracle.updated(machine, samples, rates, weights=weights * (1 + logs - weights @ logs)))


def one_sample_after_the_other(machine, samples, rates):
    weights = right_weights(machine, samples)
    for weight, sample in zip(weights, samples, strict=True):
        assign(machine, oracle.updated(machine, [sample], rates, weights=[weight]))


def with_the_first_sample_only(machine, samples, rates):
    reweighted_update(machine, samples[:1], rates)


def with_recognition(machine, samples, rates):
    reweighted_update(machine, samples, rates, recognition=len(samples) > 1)


WRONG = {
    "weights not normalised": (weighted_by(lambda *what: np.exp(logs_of(*what))), "weights_sum_to_one"),
    "weights divided by K": (weighted_by(lambda m, s: right_weights(m, s) / len(s)), "weights_sum_to_one"),
    "weights of the previous example": (with_weights_of_the_previous_example(), "no_memory"),
    "gradient through the weights": (with_the_gradient_through_the_weights, "equal_weights"),
    "log instead of exp": (weighted_by(logarithms), "expected_gradient"),
    "no weights": (weighted_by(lambda m, s: np.full(len(s), 1 / len(s))), "expected_gradient"),
    "1 / w": (weighted_by(lambda *what: oracle.softmax(-logs_of(*what))), "expected_gradient"),
    "one sample after the other": (one_sample_after_the_other, "weights_sum_to_one"),
    "first sample only": (with_the_first_sample_only, "relabelled_samples"),
    "recognition learns too": (with_recognition, "own_parameters"),
}


@pytest.mark.parametrize("name", SAMPLE_PROPERTIES)
def test_the_rule_of_fastws_has_every_property(name):
    check_reweighted_rule(reweighted_update, [name], max_examples=3 if INTERPRETED else 15)


def test_the_formula_has_every_property():
    check_reweighted_rule(weighted_by(right_weights), max_examples=6)


@pytest.mark.parametrize("mistake", WRONG)
def test_each_mistake_fails_by_name(mistake):
    rule, name = WRONG[mistake]
    found = broken(check_reweighted_rule, rule, max_examples=8)
    assert found.property_name == name
    assert str(found).startswith(f"the reweighted rule breaks the property '{name}'")
    assert "samples = [[[" in str(found)


def test_what_is_no_property_is_explained():
    with pytest.raises(ValueError, match="there is no property 'gradient'; those there are: own_parameters"):
        check_reweighted_rule(reweighted_update, ["gradient"])
