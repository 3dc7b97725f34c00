"""Statistical tests. Each raises a false alarm less than once in a million, and the seeds are fixed besides."""

import os

import numpy as np
from scipy import stats

INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
FALSE_ALARM = 1e-6
# With fewer expected, the tail of the statistic is not that of chi-square.
LEAST_EXPECTED = 25


def draws(n):
    """Return how many draws to make: interpreted kernels are hundreds of times slower."""
    return n // 20 if INTERPRETED else n


def chi_square_p_value(counts, probabilities):
    """Return how likely counts as uneven as these are; outcomes that are seldom expected are taken together."""
    counts, expected = np.asarray(counts, float).ravel(), np.asarray(probabilities, float).ravel() * np.sum(counts)
    np.testing.assert_allclose(expected.sum(), counts.sum(), rtol=1e-6)
    assert not counts[expected == 0].any(), "an outcome of probability 0 was drawn"
    order = np.argsort(expected)
    rare = np.searchsorted(expected[order], LEAST_EXPECTED)
    while rare < len(order) and 0 < expected[order[:rare]].sum() < LEAST_EXPECTED:
        rare += 1
    starts = [0, *range(max(rare, 1), len(order))]
    counts, expected = np.add.reduceat(counts[order], starts), np.add.reduceat(expected[order], starts)
    expected, counts = expected[expected > 0], counts[expected > 0]
    assert len(expected) > 1, "too few draws to tell anything"
    return stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), len(expected) - 1)


def assert_frequencies(counts, probabilities, false_alarm=FALSE_ALARM):
    assert chi_square_p_value(counts, probabilities) > false_alarm


def pattern_numbers(patterns):
    """Number rows of zeros and ones, the last column changing fastest, as itertools.product lists them."""
    patterns = np.asarray(patterns, np.int64)
    return patterns @ (1 << np.arange(patterns.shape[1] - 1, -1, -1))
