import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastws.logits import ExactSums, are_moderate, logits_of

ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)
FEW = st.sampled_from([1.0, -1.0, 2.0**-149, 1e-3, 1e16, -1e16, float(np.finfo(np.float32).max), -1e30, 1e30])


@given(st.lists(st.tuples(st.integers(0, 1), ANY | FEW), min_size=1, max_size=9), ANY | FEW)
def test_logits_are_exact_to_the_last_bits_of_their_own_value(terms, bias):
    """However much cancels: naive sums of floats would lose what is left."""
    states, weights = np.transpose(terms)
    weights, bias = weights.astype(np.float32), np.float32(bias)
    [[found]] = logits_of(states[np.newaxis], weights[:, np.newaxis], bias[np.newaxis])
    expected = sum(map(Fraction, weights[states == 1].tolist()), Fraction(float(bias)))
    size = sum(abs(Fraction(w)) for w in (*weights.tolist(), float(bias)))
    # Sums of moderate size are those of a product of matrices.
    allowed = 4e-16 * abs(expected) if size > 512 else 1e-15 * size
    assert abs(Fraction(found) - expected) <= allowed


@given(st.lists(ANY | FEW, min_size=1, max_size=5))
def test_parts_sum_to_the_numbers_and_are_whole_numbers_of_24_bits(numbers):
    numbers = np.array(numbers, np.float32).astype(np.float64)
    parts = [part for [part] in ExactSums(numbers).parts]
    assert [sum(map(Fraction, column)) for column in np.reshape(parts, (-1, len(numbers))).T] == [
        *map(Fraction, numbers)
    ]
    for part in parts:
        largest = np.abs(part).max()
        unit = 2.0 ** (math.frexp(largest)[1] - 25) if largest else 1.0
        assert (part / unit == np.round(part / unit)).all()


def test_moderate_is_a_mean_of_512_a_unit():
    weights = np.full((2, 4), -128.0)
    assert are_moderate(weights, np.full(4, 256.0))
    assert are_moderate(weights, np.float64([1024, 0, 0, 0]))
    assert not are_moderate(weights, np.full(4, -256.1))


@pytest.mark.parametrize("scale", [1, 1e6])
def test_logits_of_zeros_are_the_biases(scale):
    biases = np.float32([scale, -3, 0.1])
    np.testing.assert_array_equal(logits_of(np.zeros((2, 4)), np.zeros((4, 3)), biases), [biases, biases])
