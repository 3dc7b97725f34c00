import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from chance import FALSE_ALARM, assert_frequencies, draws
from fastws.kernels import random as kernels
from fastws.kernels.lanes import load, store
from fastws.kernels.layout import LANES
from fastws.kernels.random import GROUP, PLACES
from fastws.kernels.rooms import draws_of_learning, new_room, room_to_learn, room_to_learn_together
from fastws.randomness import Use, make_key
from lanewise import apply, draw_ahead, draw_thresholds

# Bits.

WORD = 2**32
ROTATIONS = [(10, 26), (11, 21), (13, 27), (23, 5), (6, 20), (17, 11), (25, 10), (18, 20)]


def threefry_4x32(key, counter, rounds):
    """Threefry as its paper has it (Salmon and others, SC11, 2011), in whole numbers."""
    keys = [*key, key[0] ^ key[1] ^ key[2] ^ key[3] ^ 0x1BD11BDA]
    x = [(c + k) % WORD for c, k in zip(counter, keys, strict=False)]
    for n in range(rounds):
        for (i, j), turn in zip([(0, 1), (2, 3)] if n % 2 == 0 else [(0, 3), (2, 1)], ROTATIONS[n % 8], strict=True):
            x[i] = (x[i] + x[j]) % WORD
            x[j] = (x[j] << turn | x[j] >> 32 - turn) % WORD ^ x[i]
        if n % 4 == 3:
            s = n // 4 + 1
            x = [(word + keys[(s + i) % 5]) % WORD for i, word in enumerate(x)]
            x[3] = (x[3] + s) % WORD
    return x


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (0, [0x9C6CA96A, 0xE17EAE66, 0xFC10ECD4, 0x5256A7D8]),
        (WORD - 1, [0x2A881696, 0x57012287, 0xF6C7446E, 0xA16A6732]),
    ],
)
def test_threefry_of_this_test_gives_the_published_answers(word, expected):
    assert threefry_4x32([word] * 4, [word] * 4, rounds=20) == expected


@njit
def random_words(key, example, group, words):
    kernels.draw_group(key, example, group, words, 0)


@given(
    st.lists(st.integers(0, WORD - 1), min_size=4, max_size=4),
    st.integers(0, 2**64 - 1) | st.integers(WORD - 2, WORD + 2) | st.integers(0, 5),
    st.integers(0, WORD - 1) | st.integers(0, 5),
)
def test_random_bits_are_threefry_with_12_rounds(key, example, group):
    words = np.empty((1, GROUP), np.uint32)
    random_words(np.array(key, np.uint32), np.uint64(example), group, words)
    for place in range(PLACES):
        counter = [example % WORD, example // WORD, group, place]
        assert words[0, place::PLACES].tolist() == threefry_4x32(key, counter, rounds=12)


def words_of(key, number, n_groups=1):
    words = np.empty((n_groups, 1, GROUP), np.uint32)
    for group in range(n_groups):
        random_words(key, np.uint64(number), group, words[group])
    return words.ravel()


@pytest.mark.parametrize("n_draws", [1, 16, 17, 48, 64, 65, 150])
def test_thresholds_are_the_variates_of_the_random_bits(n_draws):
    key, example = make_key(3, Use.LEARNING), 2**40 + 5
    thresholds = np.full((2, 192), np.nan, np.float32)
    draw_thresholds(key, np.uint64(example), n_draws, thresholds)
    expected = apply(logistic_variates, words_of(key, example, -(-n_draws // 64)))
    np.testing.assert_array_equal(thresholds[0, :n_draws], expected[:n_draws])
    assert np.isnan(thresholds[0, -(-n_draws // 64) * 64 :]).all()
    assert np.isnan(thresholds[1]).all()


@pytest.mark.parametrize("first", [0, 1, 63, 64, 2**40 + 7])
@pytest.mark.parametrize("n_draws", [1, 63, 64, 65, 150])
def test_thresholds_ahead_are_a_stream_of_variates(first, n_draws):
    key = make_key(3, Use.LEARNING)
    thresholds = np.zeros((1, 320), np.float32)
    start = draw_ahead(key, np.uint64(first), n_draws, thresholds)
    stream = apply(logistic_variates, np.concatenate([words_of(key, first // 64 + i) for i in range(4)]))
    np.testing.assert_array_equal(thresholds[0, start : start + n_draws], stream[first % 64 :][:n_draws])


@pytest.mark.parametrize(("first", "n_draws"), [(0, 64), (0, 65), (5, 60), (5, 150), (2**40 + 63, 3)])
def test_thresholds_of_sixteen_machines_are_those_of_each(first, n_draws):
    keys = [make_key(seed, Use.LEARNING) for seed in range(LANES)]
    together = np.zeros((1, 320, LANES), np.float32)
    start = draw_ahead(np.stack(keys, axis=1).copy(), np.uint64(first), n_draws, together)
    for machine, key in enumerate(keys):
        thresholds = np.zeros((1, 320), np.float32)
        assert draw_ahead(key, np.uint64(first), n_draws, thresholds) == start
        own = together[0, start : start + n_draws, machine]
        np.testing.assert_array_equal(own, thresholds[0, start : start + n_draws])


@pytest.mark.parametrize("n_draws", [1, 16, 18, 64, 66, 115])
def test_there_is_room_for_whole_groups_wherever_the_draws_begin(n_draws):
    room = new_room(np.array([3, 2, 0]), n_draws).thresholds.shape[1]
    assert all(-(-(start + n_draws) // GROUP) * GROUP <= room for start in range(GROUP))


@pytest.mark.parametrize("sizes", [[1, 1], [16, 8, 1], [40, 3, 2], [900, 800, 10], [5000, 2]], ids=str)
@pytest.mark.parametrize("room_of", [room_to_learn, room_to_learn_together])
def test_there_is_room_to_draw_a_block_ahead(sizes, room_of):
    sizes = np.array([*sizes, 0])
    an_example = 7 + draws_of_learning(sizes)
    room = room_of(sizes, an_example)
    n_draws = room.inputs.shape[0] * an_example
    assert all(-(-(start + n_draws) // GROUP) * GROUP <= room.thresholds.shape[1] for start in range(GROUP))


# Logistic variates.


@njit(error_model="numpy")
def logistic_variates(x, out):
    for row in range(len(x)):
        store(out, row, 0, kernels.logistic_variate(load(x, row, 0)))


def random_uint32(n):
    words = np.empty((-(-n // GROUP), 1, GROUP), np.uint32)
    for example, block in enumerate(words):
        random_words(make_key(0, Use.LEARNING), np.uint64(example), 0, block)
    return words.ravel()[:n]


def test_logistic_variate_inverts_the_logistic_distribution():
    ends = np.concatenate([bit + np.arange(2000) for bit in (0, 2**30, 2**31 - 2000, 2**31, 2**32 - 2000)])
    bits = np.concatenate([ends, random_uint32(20_000)]).astype(np.uint32)
    u = ((bits % 2**31) + 0.5) / 2**32
    exact = np.where(bits < 2**31, -1, 1) * (np.log(u) - np.log1p(-u))
    np.testing.assert_allclose(apply(logistic_variates, bits), exact, rtol=3e-7, atol=2e-7)


def test_logistic_variate_is_finite_and_symmetric():
    least, middle, other_middle, most = apply(logistic_variates, np.array([0, 2**31 - 1, 2**32 - 1, 2**31], np.uint32))
    assert least == -most == pytest.approx(math.log(2**33 - 1), abs=1e-5)
    assert middle == other_middle == 0


def test_thresholds_have_a_logistic_distribution():
    """Kolmogorov and Smirnov; false alarms: < 1e-6."""
    t = apply(logistic_variates, random_uint32(draws(1_000_000)))
    assert stats.kstest(t, "logistic").pvalue > FALSE_ALARM


# Order.


def shuffled(seed, sweep, n):
    order = np.full(n, -1, np.int64)
    kernels.shuffle(make_key(seed, Use.ORDER), np.uint64(sweep), order, np.empty((1, GROUP), np.uint32))
    return order.tolist()


@pytest.mark.parametrize("n", [1, 2, 64, 65, 66, 1000])
def test_shuffle_is_a_permutation(n):
    orders = [shuffled(0, sweep, n) for sweep in (0, 1, 2**40)]
    assert all(sorted(order) == list(range(n)) for order in orders)
    if n > 60:
        assert orders[0] != orders[1] != orders[2] != shuffled(1, 2**40, n)


@pytest.mark.parametrize("n", [2, 64, 65, 200])
def test_shuffle_is_that_of_fisher_and_yates(n):
    words, expected = words_of(make_key(4, Use.ORDER), 9, n_groups=4).tolist(), list(range(n))
    for i in range(n - 1):
        j = i + words[i] * (n - i) // WORD
        expected[i], expected[j] = expected[j], expected[i]
    assert shuffled(4, 9, n) == expected


def test_shuffle_is_fair():
    """All orders of four, and where the last of twenty goes; false alarms: < 1e-6 each."""
    numbers = {order: i for i, order in enumerate(itertools.permutations(range(4)))}
    drawn = [numbers[tuple(shuffled(0, sweep, 4))] for sweep in range(draws(50_000))]
    assert_frequencies(np.bincount(drawn, minlength=24), [1 / 24] * 24)
    places = [shuffled(0, sweep, 20).index(19) for sweep in range(draws(20_000))]
    assert_frequencies(np.bincount(places, minlength=20), [1 / 20] * 20)
