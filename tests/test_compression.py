"""Lengths of codewords against enumeration, and the rates of images that are really sent against each other."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import fastws
import naive
from chance import FALSE_ALARM, draws
from fastws import codec, estimate, exact
from fastws.experiments.compression import codeword_bits, rates
from machines import random_machine


def images(n, n_inputs, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_inputs), np.uint8)


def possible_codewords(machine, d):
    """Return the length in bits and the probability of each codeword of an image."""
    oracle = naive.parameters(machine)
    lengths = [naive.in_bits(naive.description_length(oracle, alpha, d)) for alpha in naive.representations(oracle)]
    return lengths, naive.recognition_distribution(oracle, d)


@pytest.mark.parametrize("n_codewords", [1, 2, 3])
def test_the_shortest_of_some_is_as_long_as_all_choices_of_them_say(n_codewords):
    """20,000 draws an image; a mean is within so many standard errors of the truth that it fails once in 1e6."""
    machine, x, n = random_machine([6, 2, 1], seed=3), images(2, 6), draws(20_000)
    tolerance = stats.norm.isf(FALSE_ALARM / 2 / (3 * len(x)))
    for d in x:
        lengths, q = possible_codewords(machine, d.tolist())
        expected = math.fsum(
            math.prod(q[r] for r in chosen) * min(lengths[r] for r in chosen)
            for chosen in itertools.product(range(len(q)), repeat=n_codewords)
        )
        shortest = codeword_bits(machine, np.tile(d, (n, 1)), n_codewords).min(axis=1)
        standard_error = shortest.std(ddof=1) / math.sqrt(n)
        assert 0 < standard_error < 0.1 * math.sqrt(20_000 / n)
        assert abs(shortest.mean() - expected) < tolerance * standard_error


def test_each_length_is_that_of_a_representation_of_its_own_image():
    machine, x = random_machine([7, 3, 2], seed=1), images(5, 7)
    for d, found in zip(x, codeword_bits(machine, x, 20), strict=True):
        lengths, _ = possible_codewords(machine, d.tolist())
        assert len(np.unique(found)) > 1
        assert np.abs(found[:, np.newaxis] - lengths).min(axis=1).max() < 1e-12


@settings(max_examples=25)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(1, 30), st.integers(0, 1000))
def test_no_number_of_codewords_gets_below_the_negative_log_probability(sizes, n_codewords, seed):
    """For any machine, however bad its recognition: P(d) is the sum over all of them."""
    machine, x = random_machine(sizes, seed), images(3, sizes[0], seed)
    lengths = codeword_bits(machine, x, n_codewords, seed)
    assert lengths.shape == (3, n_codewords)
    assert (lengths.min(axis=1) >= exact.neg_log_prob_bits(machine, x) - 1e-9).all()
    assert (lengths.min(axis=1) <= lengths.mean(axis=1) + 1e-9).all()


def test_one_codeword_is_the_description_length_and_more_begin_with_it():
    machine, x = random_machine([9, 16, 8]), images(30, 9)
    lengths = codeword_bits(machine, x, 7, seed=2)
    np.testing.assert_array_equal(lengths[:, 0], estimate.description_length_bits(machine, x, 1, seed=2))
    np.testing.assert_array_equal(lengths[:, :3], codeword_bits(machine, x, 3, seed=2))
    assert (lengths[:, 1:] != lengths[:, :1]).mean() > 0.9
    assert (lengths != codeword_bits(machine, x, 7, seed=3)).mean() > 0.9


def test_to_pick_among_equals_gains_nothing_and_bits_back_gets_the_choice_back():
    """A machine at zero: each of 2^20 codewords has 60 bits, and which it is carries 20."""
    machine, x = fastws.Machine([40, 16, 4]), images(100, 40)
    np.testing.assert_allclose(codeword_bits(machine, x, 10), 60, rtol=1e-14)
    about = codec.describe(codec.compress(machine, x))
    assert about.net_bits / 100 == pytest.approx(40, abs=32 / 100)


def test_what_is_sent_of_what_a_machine_knows_lies_where_theory_says():
    """Fantasies of a net whose recognition draws from the posterior exactly: the bytes are those of -log2 P(d).

    200 images; the payloads are cut into words of 32 bits. Two-part costs as much as codewords do on average.
    """
    machine = fastws.Machine([12, 4])
    machine.gen_biases[0][:] = -1.5
    machine.gen_biases[1][:] = [-1, 0, 1, 2]
    for unit in range(4):
        machine.gen_weights[0][unit, 3 * unit : 3 * unit + 3] = 3
        machine.rec_weights[0][3 * unit : 3 * unit + 3, unit] = 3
    # Of a pixel, softplus(1.5) - softplus(-1.5) = 1.5.
    machine.rec_biases[0][:] = machine.gen_biases[1] - 3 * 1.5
    x, oracle = machine.fantasies(200), naive.parameters(machine)
    floor = sum(naive.neg_log_prob_bits(oracle, d) for d in x.tolist())
    blobs = {method: codec.compress(machine, x, method=method) for method in codec.METHODS}
    found = rates(machine, x, blobs, image_shape=(3, 4))
    assert found.bits_back_bits * 200 == pytest.approx(floor, abs=40)
    assert found.free_energy_bits * 200 == pytest.approx(floor, rel=1e-9)
    lengths = codeword_bits(machine, x, 10)
    spread = stats.norm.isf(FALSE_ALARM / 2) * lengths[:, 0].std() * math.sqrt(2 / 200)
    assert found.two_part_bits == pytest.approx(lengths[:, 0].mean(), abs=spread + 32 / 200)
    assert found.bits_back_bits < lengths.min(axis=1).mean() < lengths.mean()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"n_codewords": 0}, "n_codewords is 0"),
        ({"n_codewords": 2.5}, "n_codewords is 2.5"),
        ({"x": [[1, 0]]}, "x has 2 columns"),
        ({"x": [[1, 0, 2]]}, r"x\[0, 2\] is 2"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        codeword_bits(fastws.Machine([3, 2]), **{"x": [[0, 1, 1]]} | arguments)
