"""The random numbers that the kernels use; bench/generator.py has longer tests, and generator-record.txt their record.

Every test of a stream raises a false alarm less than once in a million.
"""

import itertools

import numpy as np
import pytest
from numba import njit
from scipy import stats

from chance import FALSE_ALARM, assert_frequencies, draws
from fastws.kernels.random import GROUP, PLACES, draw_group
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.streams import Bars


@njit
def fill(key, first_example, words):
    """Write the first groups of draws of successive examples, a row an example."""
    n_groups = words.shape[1] // GROUP
    for row in range(words.shape[0]):
        for group in range(n_groups):
            draw_group(key, first_example + np.uint64(row), group, words[row : row + 1], group * GROUP)


def words_of(seed, n_examples, n_groups=1, use=Use.LEARNING, first_example=0):
    """Return random words, shape (n_examples, n_groups * 64)."""
    words = np.empty((n_examples, n_groups * GROUP), np.uint32)
    fill(make_key(seed, use), np.uint64(first_example), words)
    return words


def assert_independent(a, b):
    """Neither do bits agree too often or too seldom, nor do leading bytes pair unevenly; false alarms: < 2e-6."""
    a, b = np.ravel(a), np.ravel(b)
    n_bits = 32 * a.size
    agreeing = n_bits - np.bitwise_count(a ^ b).sum(dtype=np.int64)
    assert 2 * stats.norm.sf(abs(2 * agreeing - n_bits) / np.sqrt(n_bits)) > FALSE_ALARM
    for shift in (0, 28):
        pairs = ((a >> shift & 15) * 16 + (b >> shift & 15)).astype(np.int64)
        assert_frequencies(np.bincount(pairs, minlength=256), np.full(256, 1 / 256))


def test_words_are_equidistributed():
    """Each byte, the number of ones, and triples of leading bits."""
    words = words_of(0, max(draws(40_000), 6000)).ravel()
    for shift in range(0, 32, 8):
        assert_frequencies(np.bincount(words >> shift & 255, minlength=256), np.full(256, 1 / 256))
    assert_frequencies(np.bincount(np.bitwise_count(words), minlength=33), stats.binom.pmf(np.arange(33), 32, 0.5))
    a, b, c = (words[: len(words) // 3 * 3].reshape(-1, 3).T >> 28).astype(np.int64)
    assert_frequencies(np.bincount(a * 256 + b * 16 + c, minlength=4096), np.full(4096, 1 / 4096))


def test_every_bit_of_every_lane_is_fair():
    words = words_of(0, draws(40_000))
    n = len(words)
    ones = np.array([(words >> bit & 1).sum(axis=0, dtype=np.int64) for bit in range(32)])
    p = 2 * stats.norm.sf(np.abs(2 * ones - n) / np.sqrt(n))
    assert p.min() * p.size > FALSE_ALARM  # Bonferroni
    assert stats.kstest(p.ravel(), "uniform").pvalue > FALSE_ALARM


def test_lanes_are_independent():
    words = words_of(0, draws(40_000))
    for lag in (1, PLACES, 2 * PLACES, 3 * PLACES):
        assert_independent(words[:, :-lag], words[:, lag:])
    # All pairs of the 64 words of a group, by the correlation of one bit of each.
    signs = (words >> 31).astype(np.float64) * 2 - 1
    scores = (signs.T @ signs / np.sqrt(len(words)))[np.triu_indices(GROUP, 1)]
    assert stats.chi2.sf(np.sum(scores**2), scores.size) > FALSE_ALARM


def test_groups_of_an_example_are_independent():
    words = words_of(0, draws(20_000), n_groups=3)
    for lag in (GROUP, 2 * GROUP):
        assert_independent(words[:, :-lag], words[:, lag:])


@pytest.mark.parametrize("lag", [1, 2, 256])
def test_successive_examples_are_independent(lag):
    words = words_of(0, draws(40_000))
    assert_independent(words[:-lag], words[lag:])


@pytest.mark.parametrize(("seed", "other"), [(0, 1), (1, 2), (0, 2**32), (0, 2**64), (5, 5 + 2**31)])
def test_seeds_are_independent(seed, other):
    assert_independent(words_of(seed, draws(20_000)), words_of(other, draws(20_000)))


@pytest.mark.parametrize(("use", "other"), list(itertools.combinations(Use, 2)))
def test_uses_of_a_seed_are_independent(use, other):
    assert_independent(words_of(0, draws(4000), use=use), words_of(0, draws(4000), use=other))


def test_successive_seeds_are_a_stream_of_their_own():
    """The same draws of 2,000 seeds, as machines that learn side by side have them."""
    words = np.concatenate([words_of(seed, 1) for seed in range(max(draws(2000), 200))])
    assert_independent(words[:-1], words[1:])
    for shift in (0, 24):
        assert_frequencies(np.bincount((words >> shift & 255).ravel(), minlength=256), np.full(256, 1 / 256))


def test_machines_of_successive_seeds_dream_independently():
    """One bit each: whether the units of two machines agree; false alarms: < 1e-6."""
    fantasies = np.array([Machine([64, 1]).fantasies(20, seed) for seed in range(50)])
    for a, b in itertools.pairwise(fantasies):
        assert 2 * stats.norm.sf(abs(2 * np.sum(a == b) - a.size) / np.sqrt(a.size)) > FALSE_ALARM


def test_streams_do_not_overlap():
    """No block of four words of one counter turns up in another seed, use, example or group: 2^-104 that it should."""
    blocks = []
    for seed in (0, 1, 2, 2**40):
        for use in (Use.LEARNING, Use.ORDER, Use.FANTASIES):
            for first_example in (0, 2**32 - 20, 2**63):
                words = words_of(seed, 40, 3, use, first_example)
                blocks.append(words.reshape(-1, 4, PLACES).swapaxes(1, 2).reshape(-1, 4))
    blocks = np.concatenate(blocks)
    assert len(np.unique(blocks, axis=0)) == len(blocks)


def test_keys_of_seeds_and_uses_are_all_different():
    keys = {tuple(make_key(seed, use)) for seed in range(2000) for use in Use}
    assert len(keys) == 2000 * len(Use)


def test_a_draw_belongs_to_its_counter_whatever_else_is_drawn():
    together = words_of(3, 30, 4)
    for example in (0, 7, 29):
        np.testing.assert_array_equal(words_of(3, 1, 4, first_example=example)[0], together[example])


def test_successive_bars_images_are_independent():
    """Pairs of images that follow each other; false alarms: < 1e-6."""
    bars = Bars(3)
    patterns, p = bars.distribution()
    number_of = {pattern.tobytes(): number for number, pattern in enumerate(patterns)}
    numbers = np.array([number_of[image.tobytes()] for image in bars.sample(draws(100_000), seed=1)])
    pairs = np.bincount(numbers[0:-1:2] * len(p) + numbers[1::2], minlength=len(p) ** 2)
    assert_frequencies(pairs, np.outer(p, p))
