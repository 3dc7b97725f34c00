"""The fully visible belief net: its update against the naive delta rule, its probabilities against enumeration."""

import itertools
import math

import numpy as np
import pytest

import naive
from fastws.experiments.density.rivals import VisibleNet


def naive_learning(images, n, rate):
    """Return biases and weights[u][v], u < v, after learning one image after the other."""
    biases, weights = [0.0] * n, [[0.0] * n for _ in range(n)]
    for image in images:
        logits = [biases[v] + math.fsum(weights[u][v] for u in range(v) if image[u]) for v in range(n)]
        for v in range(n):
            error = rate * (image[v] - naive.probability(logits[v]))
            biases[v] += error
            for u in range(v):
                weights[u][v] += error * image[u]
    return [biases, *weights]


@pytest.mark.parametrize("n", [1, 3, 16, 17, 35])
def test_learning_is_the_delta_rule_from_the_pixels_before(n):
    rng = np.random.default_rng(n)
    x, order = rng.integers(2, size=(9, n), dtype=np.uint8), rng.permutation(9)
    net = VisibleNet(n)
    net.learn(x, order, 0.5)
    np.testing.assert_allclose(net.parameters, naive_learning(x[order].tolist(), n, 0.5), atol=2e-5)
    below = np.tril(net.parameters[1:])
    assert not below.any()


def test_the_probabilities_of_all_images_sum_to_one_and_are_those_of_eq_1():
    rng = np.random.default_rng(0)
    net = VisibleNet(5)
    net.parameters[0] = rng.normal(size=5)
    net.parameters[1:] = np.triu(rng.normal(size=(5, 5)), 1)
    everything = np.array(list(itertools.product((0, 1), repeat=5)), np.uint8)
    bits = net.neg_log_prob_bits(everything)
    assert np.exp2(-bits).sum() == pytest.approx(1, abs=1e-12)
    d, (biases, *weights) = everything[19], net.parameters.tolist()
    logits = [biases[v] + sum(weights[u][v] for u in range(v) if d[u]) for v in range(5)]
    expected = sum(naive.cost(a, s) for a, s in zip(logits, d, strict=True)) / math.log(2)
    assert bits[19] == pytest.approx(expected, abs=1e-9)
