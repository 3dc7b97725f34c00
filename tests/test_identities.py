"""The identities of the paper between its measures, with every term of every equation written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastws import estimate, exact
from fastws.machine import Machine
from fastws.testing import binary_vectors, layer_sizes, machines, reference


@st.composite
def machines_and_inputs(draw):
    machine = draw(machines(layer_sizes(max_inputs=5, max_hidden=6)))
    return machine, draw(binary_vectors(machine.layer_sizes[0]))


def costs_and_distributions(machine, d):
    """Return C(α, d) in bits, Q(α|d) and P(α|d) by Eq 6, for every α."""
    layers = reference.all_representations(machine.layer_sizes, d)
    costs = reference.description_lengths(reference.parameters(machine), layers) / np.log(2)
    boltzmann = np.exp2(-costs)
    return costs, exact.recognition_distribution(machine, d)[0], boltzmann / boltzmann.sum()


def entropy_bits(p):
    return -np.sum(p * np.log2(p))


def close(expected):
    return pytest.approx(expected, rel=1e-11, abs=1e-11)


@given(machines(layer_sizes(max_inputs=6, max_hidden=6)))
def test_probabilities_of_all_inputs_sum_to_one(machine):
    [inputs] = reference.all_layers(machine.layer_sizes[:1])
    assert np.exp2(-exact.neg_log_prob_bits(machine, inputs)).sum() == close(1)


@given(machines_and_inputs())
def test_posterior_is_the_boltzmann_distribution(example):
    machine, d = example
    np.testing.assert_allclose(exact.posterior(machine, d)[0], costs_and_distributions(machine, d)[2], rtol=1e-11)


@given(machines_and_inputs())
def test_equation_5_is_equation_8(example):
    machine, d = example
    costs, q, p = costs_and_distributions(machine, d)
    eq_5 = q @ costs - entropy_bits(q)
    eq_8 = p @ costs - entropy_bits(p) + q @ np.log2(q / p)
    assert exact.free_energy_bits(machine, d)[0] == close(eq_5)
    assert eq_5 == close(eq_8)
    assert exact.neg_log_prob_bits(machine, d)[0] == close(p @ costs - entropy_bits(p))
    assert exact.kl_penalty_bits(machine, d)[0] == close(q @ np.log2(q / p))


@given(machines_and_inputs())
def test_free_energy_exceeds_the_negative_log_probability_unless_recognition_is_the_posterior(example):
    machine, d = example
    excess = exact.free_energy_bits(machine, d)[0] - exact.neg_log_prob_bits(machine, d)[0]
    _, q, p = costs_and_distributions(machine, d)
    assert excess >= np.sum(np.abs(q - p)) ** 2 / (2 * np.log(2)) - 1e-11  # Pinsker's inequality

    other = reference.with_exact_recognition(machine)
    # Recognition biases are rounded to float32, and the excess is quadratic in that.
    assert exact.free_energy_bits(other, d)[0] == close(exact.neg_log_prob_bits(other, d)[0])


@given(machines_and_inputs())
def test_description_length_is_free_energy_plus_recognition_entropy(example):
    machine, d = example
    _, q, _ = costs_and_distributions(machine, d)
    assert exact.recognition_entropy_bits(machine, d)[0] == close(entropy_bits(q))
    total = exact.free_energy_bits(machine, d)[0] + exact.recognition_entropy_bits(machine, d)[0]
    assert exact.description_length_bits(machine, d)[0] == close(total)


@pytest.mark.long
@given(machines_and_inputs())
def test_sampled_measures_obey_the_same_identities(example):
    machine, d = example
    exact_machine = reference.with_exact_recognition(machine)
    measures = estimate.measures(exact_machine, d[np.newaxis], n_samples=3)
    # Where Q is the posterior, C(α, d) + log Q(α|d) is the same for every α; recognition is float32.
    assert measures.free_energy_bits[0] == pytest.approx(exact.neg_log_prob_bits(exact_machine, d)[0], abs=1e-4)
    assert measures.neg_log_prob_bits[0] == pytest.approx(measures.free_energy_bits[0], abs=1e-4)
    one = estimate.measures(machine, d[np.newaxis], n_samples=1)
    assert one.free_energy_bits[0] == close(one.neg_log_prob_bits[0])


def test_two_alternatives_of_four_bits_each_cost_three_bits_together():
    """Each state of one hidden unit costs 1 bit, and each of three inputs 1 bit whatever it is: 4 bits either way."""
    machine, d = Machine([3, 1]), np.array([1, 0, 1], np.uint8)
    costs, q, p = costs_and_distributions(machine, d)
    np.testing.assert_allclose(costs, [4, 4], rtol=1e-15)
    assert q.tolist() == p.tolist() == [0.5, 0.5]
    assert exact.description_length_bits(machine, d)[0] == pytest.approx(4, rel=1e-15)
    assert exact.free_energy_bits(machine, d)[0] == pytest.approx(3, rel=1e-15)
    assert exact.neg_log_prob_bits(machine, d)[0] == pytest.approx(3, rel=1e-15)
    machine.rec_biases[0][0] = 1e4  # always the same alternative
    assert exact.free_energy_bits(machine, d)[0] == pytest.approx(4, rel=1e-15)
