"""Costs unit by unit, by going through all representations, and one unit's draws: against `fastws.exact` and Eq 1."""

import math

import numpy as np
import pytest

from fastws import exact
from fastws.kernels import ledger
from machines import random_machine

SHAPES = [[4, 3, 2], [9, 5], [18, 3, 2, 1], [3, 9, 1]]


def images_of(machine, n=3):
    return np.random.default_rng(1).integers(0, 2, (n, machine.layer_sizes[0]), np.uint8)


def tables(machine, image):
    states = exact.representations(machine)
    costs, surprises = np.zeros((2, len(states)))
    ledger.all_costs(machine.net, machine.room(), states, image[np.newaxis], costs, surprises)
    return costs, surprises


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_all_costs_are_those_of_enumeration(sizes):
    machine = random_machine(sizes)
    for image in images_of(machine):
        costs, surprises = tables(machine, image)
        total = exact.neg_log_prob_bits(machine, image)[0] * math.log(2)
        np.testing.assert_allclose(np.exp(total - costs), exact.posterior(machine, image)[0], rtol=1e-9)
        np.testing.assert_allclose(np.exp(-surprises), exact.recognition_distribution(machine, image)[0], rtol=1e-9)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_summed_costs_are_the_exact_measures(sizes):
    machine = random_machine(sizes)
    for image in images_of(machine):
        answer = np.zeros(4)
        ledger.summed_costs(*tables(machine, image), np.zeros((2, 16)), answer)
        found = exact.measures(machine, image)
        names = ("description_length_bits", "recognition_entropy_bits", "neg_log_prob_bits", "kl_penalty_bits")
        np.testing.assert_allclose(answer / math.log(2), [getattr(found, name)[0] for name in names], rtol=1e-9)


def test_parameters_so_large_that_nothing_is_left_to_chance():
    machine = random_machine([4, 3, 2])
    for parameters in (machine.gen_biases, machine.rec_biases):
        for array in parameters:
            array[...] = 600
    answer = np.zeros(4)
    ledger.summed_costs(*tables(machine, np.ones(4, np.uint8)), np.zeros((2, 16)), answer)
    np.testing.assert_allclose(answer, 0, atol=1e-9)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_unit_costs_sum_to_the_costs(sizes):
    machine = random_machine(sizes)
    [image] = images_of(machine, 1)
    states = exact.representations(machine)
    whole = np.concatenate([np.repeat(image[np.newaxis], len(states), axis=0), states], axis=1)
    costs, surprises = np.zeros(whole.shape), np.zeros(states.shape)
    ledger.unit_costs(machine.net, machine.room(), whole, costs, surprises)
    total_costs, total_surprises = tables(machine, image)
    np.testing.assert_allclose(costs.sum(axis=1), total_costs, rtol=1e-12)
    np.testing.assert_allclose(surprises.sum(axis=1), total_surprises, rtol=1e-12)
    assert (costs > 0).all()


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_mean_field_is_that_of_the_machine(sizes):
    machine = random_machine(sizes)
    for image in images_of(machine):
        recognised = np.zeros(sum(sizes[1:]), np.float32)
        reconstructed = np.zeros(sizes[0], np.float32)
        ledger.mean_field(machine.net, machine.room(), image[np.newaxis], recognised, reconstructed)
        expected = np.concatenate(machine.recognition_probabilities(image), axis=1)[0]
        np.testing.assert_allclose(recognised, expected, atol=2e-6)
        np.testing.assert_allclose(reconstructed, machine.reconstruct(image)[0], atol=2e-6)
