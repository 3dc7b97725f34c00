import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from fastws.lanes import LANES, load, store
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

import naive
from chance import FALSE_ALARM, INTERPRETED, assert_frequencies, draws, pattern_numbers
from fastws import kernels
from fastws.machine import sleep_step, wake_step
from fastws.randomness import Use, make_key
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

# Random bits.

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
    a, b, c, d = kernels.random_bits(key, example, group)
    store(words, 0, 0, a)
    store(words, 1, 0, b)
    store(words, 2, 0, c)
    store(words, 3, 0, d)


@given(
    st.lists(st.integers(0, WORD - 1), min_size=4, max_size=4),
    st.integers(0, 2**64 - 1) | st.integers(WORD - 2, WORD + 2) | st.integers(0, 5),
    st.integers(0, WORD - 1) | st.integers(0, 5),
)
def test_random_bits_are_threefry_with_12_rounds(key, example, group):
    words = np.empty((4, LANES), np.uint32)
    random_words(np.array(key, np.uint32), np.uint64(example), group, words)
    for lane in range(LANES):
        counter = [example % WORD, example // WORD, group, lane]
        assert words[:, lane].tolist() == threefry_4x32(key, counter, rounds=12)


def words_of(key, number, n_groups=1):
    words = np.empty((n_groups, 4, LANES), np.uint32)
    for group in range(n_groups):
        random_words(key, np.uint64(number), group, words[group])
    return words.ravel()


@pytest.mark.parametrize("n_draws", [1, 16, 17, 48, 64, 65, 150])
def test_thresholds_are_the_variates_of_the_random_bits(n_draws):
    key, example = make_key(3, Use.LEARNING), 2**40 + 5
    thresholds = np.full((2, 192), np.nan, np.float32)
    kernels.draw_thresholds(key, np.uint64(example), n_draws, thresholds)
    expected = apply(logistic_variates, words_of(key, example, -(-n_draws // 64)))
    np.testing.assert_array_equal(thresholds[0, :n_draws], expected[:n_draws])
    assert np.isnan(thresholds[0, -(-n_draws // 64) * 64 :]).all()
    assert np.isnan(thresholds[1]).all()


@pytest.mark.parametrize("first", [0, 1, 63, 64, 2**40 + 7])
@pytest.mark.parametrize("n_draws", [1, 63, 64, 65, 150])
def test_thresholds_ahead_are_a_stream_of_variates(first, n_draws):
    key = make_key(3, Use.LEARNING)
    thresholds = np.zeros((1, 320), np.float32)
    start = kernels.draw_thresholds_ahead(key, np.uint64(first), n_draws, thresholds)
    stream = apply(logistic_variates, np.concatenate([words_of(key, first // 64 + i) for i in range(4)]))
    np.testing.assert_array_equal(thresholds[0, start : start + n_draws], stream[first % 64 :][:n_draws])


@pytest.mark.parametrize(("first", "n_draws"), [(0, 64), (0, 65), (5, 60), (5, 150), (2**40 + 63, 3)])
def test_thresholds_of_sixteen_machines_are_those_of_each(first, n_draws):
    keys = [make_key(seed, Use.LEARNING) for seed in range(LANES)]
    together = np.zeros((1, 320, LANES), np.float32)
    start = kernels.draw_thresholds_together(np.stack(keys, axis=1).copy(), np.uint64(first), n_draws, together)
    for machine, key in enumerate(keys):
        thresholds = np.zeros((1, 320), np.float32)
        assert kernels.draw_thresholds_ahead(key, np.uint64(first), n_draws, thresholds) == start
        own = together[0, start : start + n_draws, machine]
        np.testing.assert_array_equal(own, thresholds[0, start : start + n_draws])


@pytest.mark.parametrize("n_draws", [1, 16, 18, 64, 66, 115])
def test_there_is_room_for_whole_groups_wherever_the_draws_begin(n_draws):
    room = kernels.new_thresholds(n_draws).shape[1]
    assert all(-(-(start + n_draws) // 64) * 64 <= room for start in range(64))


# Functions of one number.


@njit(error_model="numpy")
def logistics(x, out):
    for row in range(len(x)):
        store(out, row, 0, kernels.logistic(load(x, row, 0)))


@njit(error_model="numpy")
def logs(x, out):
    for row in range(len(x)):
        store(out, row, 0, kernels.log(load(x, row, 0)))


@njit(error_model="numpy")
def logistic_variates(x, out):
    for row in range(len(x)):
        store(out, row, 0, kernels.logistic_variate(load(x, row, 0)))


def apply(function, x):
    """Return float32 values of a function of lanes, as float64."""
    rows = np.zeros((-(-len(x) // LANES), LANES), x.dtype)
    rows.ravel()[: len(x)] = x
    out = np.empty(rows.shape, np.float32)
    function(rows, out)
    return out.ravel()[: len(x)].astype(np.float64)


def test_logistic_is_accurate():
    a = np.linspace(-100, 100, 200_000, dtype=np.float32)
    p = apply(logistics, a)
    exact = np.array([naive.probability(x) for x in a.tolist()])
    np.testing.assert_allclose(p, exact, rtol=0, atol=2e-7)
    inside = np.abs(a) < 87
    np.testing.assert_allclose(p[inside], exact[inside], rtol=1e-5)  # a small probability is small by as much
    assert p.min() > 0  # a unit can always be off, and cost something
    assert p.max() <= 1


def test_logistic_at_its_ends():
    p = apply(logistics, np.array([0, -0.0, np.inf, -np.inf, -87.5, -87], np.float32))
    assert p[:3].tolist() == [0.5, 0.5, 1]
    np.testing.assert_allclose(p[3:], math.exp(-87), rtol=1e-5)


def test_log_is_accurate():
    rng = np.random.default_rng(0)
    tiny, most = (np.float32(x).view(np.uint32) for x in (np.finfo(np.float32).tiny, np.finfo(np.float32).max))
    near_one = np.float32(1).view(np.uint32) + np.arange(-(2**16), 2**16)
    near_half_steps = 0x3F3504F3 + np.arange(-1000, 1000)  # where the exponent changes
    words = np.concatenate([[tiny, most], rng.integers(tiny, most, 200_000), near_one, near_half_steps])
    x = words.astype(np.uint32).view(np.float32)
    exact = np.log(x.astype(np.float64))
    units = np.spacing(np.abs(exact).astype(np.float32))
    assert np.max(np.abs(apply(logs, x) - exact) / units) < 2


def random_uint32(n):
    words = np.empty((-(-n // 64), 4, LANES), np.uint32)
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


# One step.

STEPPED = [[1, 1], [3, 2], [17, 5, 3], [4, 33, 2], [40, 15, 16, 1], [16, 17, 33, 15, 40], [5, 4, 3, 2, 1]]
RATES = [0.3, 0.02, 0.5, 0.07, 0.11]
cases = pytest.mark.parametrize("sizes", STEPPED, ids=str)


def assert_agree(machine, expected):
    """Float32 against float64: what one step may differ by."""
    for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases"):
        for found, wanted in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-6, err_msg=name)


def thresholds_of(seed, use, example, n):
    thresholds = np.empty((1, n + 4 * LANES), np.float32)
    kernels.draw_thresholds(make_key(seed, use), np.uint64(example), n, thresholds)
    return thresholds[0, :n].tolist()


def states_by_eq_1(weights, biases, driving, thresholds):
    """Draw a layer; the draws used are taken from `thresholds`."""
    logits = naive.logits(weights, biases, driving)
    # Closer than this, float32 might have decided otherwise; seeds are such that it does not happen.
    assert all(abs(a - t) > 1e-5 for a, t in zip(logits, thresholds, strict=False))
    states = [int(a > t) for a, t in zip(logits, thresholds, strict=False)]
    del thresholds[: len(states)]
    return states


def representation_by_eq_1(machine, d, thresholds):
    layers = [list(d)]
    for weights, biases in zip(machine.rec_weights, machine.rec_biases, strict=True):
        layers.append(states_by_eq_1(weights, biases, layers[-1], thresholds))
    return layers


def fantasy_by_eq_1(machine, thresholds):
    layers = [states_by_eq_1([], machine.gen_biases[-1], [], thresholds)]
    for weights, biases in zip(machine.gen_weights[::-1], machine.gen_biases[-2::-1], strict=True):
        layers.insert(0, states_by_eq_1(weights, biases, layers[0], thresholds))
    return layers


def bars_by_their_draws(size, thresholds, exclude=()):
    """Return an image of bars, p_vertical 0.6 and p_bar 0.3, given a draw for its orientation and one a bar."""
    on = []
    for k, t in enumerate(thresholds[1 : 1 + size]):
        p = 0.3
        if exclude == ("blank",) and not any(on):
            p /= 1 - 0.7 ** (size - k)
        on.append(int(p == 1 or t < math.log(p / (1 - p))))
    vertical = thresholds[0] < math.log(0.6 / 0.4)
    return [on[j] if vertical else on[i] for i in range(size) for j in range(size)]


def lists(states):
    assert all(layer.dtype == np.uint8 for layer in states)
    return [layer.tolist() for layer in states]


@cases
@pytest.mark.parametrize("nonnegative", [False, True])
def test_wake_step_is_eq_4(sizes, nonnegative):
    for seed in range(3):
        machine, rates = random_machine(sizes, seed), RATES[: len(sizes)]
        before = naive.parameters(machine)
        if nonnegative:
            before.gen_weights[0] = [[max(w, 0.0) for w in row] for row in before.gen_weights[0]]
        x = np.random.default_rng(seed).integers(0, 2, sizes[0])
        states = lists(wake_step(machine, x, rates, seed, nonnegative_input_weights=nonnegative))
        n_draws = sum(sizes[1:])
        assert states == representation_by_eq_1(before, x.tolist(), thresholds_of(seed, Use.WAKE_STEP, 0, n_draws))
        assert_agree(machine, naive.wake_update(before, states, rates, nonnegative))


@cases
def test_sleep_step_is_eq_7(sizes):
    for seed in range(3):
        machine = random_machine(sizes, seed)
        before = naive.parameters(machine)
        states = lists(sleep_step(machine, RATES[: len(sizes)], seed))
        assert states == fantasy_by_eq_1(before, thresholds_of(seed, Use.SLEEP_STEP, 0, sum(sizes)))
        assert_agree(machine, naive.sleep_update(before, states, RATES))


def half_zeros(sizes, seed):
    """Return a machine half of whose weights are -0.0, which adding 0.0 would turn into 0.0."""
    machine, rng = random_machine(sizes, seed), np.random.default_rng(seed + 1)
    for weights in (*machine.gen_weights, *machine.rec_weights):
        weights[rng.random(weights.shape) < 0.5] = -0.0
    return machine


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


def assert_learned(before, after, driving):
    """Assert that the rows of the units that were on changed, and not a bit of the others."""
    for u, state in enumerate(driving):
        assert (bits(before[u]) == bits(after[u])).all() == (state == 0), f"unit {u}, state {state}"


@cases
def test_only_weights_from_units_that_are_on_learn(sizes):
    for seed in range(3):
        machine = half_zeros(sizes, seed)
        before = machine.copy()
        states = wake_step(machine, np.random.default_rng(seed).integers(0, 2, sizes[0]), 0.1, seed)
        for level in range(len(sizes) - 1):
            assert_learned(before.gen_weights[level], machine.gen_weights[level], states[level + 1])
            np.testing.assert_array_equal(bits(before.rec_weights[level]), bits(machine.rec_weights[level]))
            np.testing.assert_array_equal(bits(before.rec_biases[level]), bits(machine.rec_biases[level]))

        before = machine.copy()
        states = sleep_step(machine, 0.1, seed)
        for level in range(len(sizes) - 1):
            assert_learned(before.rec_weights[level], machine.rec_weights[level], states[level])
            np.testing.assert_array_equal(bits(before.gen_weights[level]), bits(machine.gen_weights[level]))
        for level in range(len(sizes)):
            np.testing.assert_array_equal(bits(before.gen_biases[level]), bits(machine.gen_biases[level]))


def test_rows_of_units_that_are_off_keep_even_a_nan():
    machine = random_machine([17, 5])
    machine.rec_biases[0][:] = -1000  # no unit is ever on
    machine.gen_weights[0][1, 3] = np.array(0x7FC12345, np.uint32).view(np.float32)
    before = machine.copy()
    wake_step(machine, np.ones(17), 0.1)
    np.testing.assert_array_equal(bits(machine.gen_weights[0]), bits(before.gen_weights[0]))


@pytest.mark.parametrize("level", range(4))
def test_a_rate_belongs_to_one_level(level):
    rates = [0.0] * 4
    rates[level] = 0.2
    machine = random_machine([5, 4, 3, 2])
    before = machine.copy()
    wake_step(machine, [1, 0, 1, 1, 0], rates)
    sleep_step(machine, rates)
    for name in ("gen_biases", "rec_biases"):
        pairs = zip(getattr(machine, name), getattr(before, name), strict=True)
        learned = [not np.array_equal(bits(a), bits(b)) for a, b in pairs]
        assert learned == [l == level for l in range(len(learned))]


def test_only_weights_to_the_inputs_are_clipped():
    machine = random_machine([40, 17, 3])
    before = machine.copy()
    wake_step(machine, np.zeros(40, np.uint8), 1e-3, nonnegative_input_weights=True)
    clipped = before.gen_weights[0] < -0.01
    assert (machine.gen_weights[0][clipped] == 0).all()
    assert (machine.gen_weights[0] >= 0).all()
    assert (machine.gen_weights[1] < 0).any()
    assert all((biases < 0).any() for biases in machine.gen_biases)


# Sampling.

SAMPLED = [[3, 2], [2, 3, 2], [3, 2, 1]]


@pytest.mark.parametrize("sizes", [[5, 4, 3], [17, 16, 1], [64, 70]], ids=str)
def test_what_is_sampled_is_eq_1_with_the_draws_of_its_number(sizes):
    machine, n = random_machine(sizes), sum(sizes)
    fantasies = machine.fantasies(4, seed=6)
    layers = machine.representations(fantasies, seed=7)
    for number, d in enumerate(fantasies.tolist()):
        assert fantasy_by_eq_1(machine, thresholds_of(6, Use.FANTASIES, number, n))[0] == d
        expected = representation_by_eq_1(machine, d, thresholds_of(7, Use.REPRESENTATIONS, number, n))
        assert expected[1:] == [layer[number].tolist() for layer in layers]


@pytest.mark.parametrize("sizes", [[5, 4, 3], [17, 16, 1], [64, 70]], ids=str)
def test_sampled_costs_are_those_of_the_draws_of_image_and_sample(sizes):
    machine, x = random_machine(sizes), np.random.default_rng(0).integers(0, 2, (3, sizes[0]), np.uint8)
    numbers, (costs, surprises) = np.array([0, 7, 2**32 - 1], np.uint64), np.empty((2, 3, 4))
    key = make_key(9, Use.ESTIMATES)
    kernels.sampled_costs(key, numbers, *machine.parameters, x, costs, surprises)
    for d, number, costs_of_image, surprises_of_image in zip(
        x.tolist(), numbers.tolist(), costs, surprises, strict=True
    ):
        for sample, (c, surprise) in enumerate(zip(costs_of_image, surprises_of_image, strict=True)):
            thresholds = thresholds_of(9, Use.ESTIMATES, sample * 2**32 + number, sum(sizes[1:]))
            alpha = representation_by_eq_1(machine, d, thresholds)[1:]
            assert c == pytest.approx(naive.description_length(machine, alpha, d), rel=1e-12)
            assert surprise == pytest.approx(-naive.log_recognition(machine, alpha, d), rel=1e-12, abs=1e-12)


def test_sampled_bars_are_made_of_the_draws_of_their_number():
    images = Bars(3, p_vertical=0.6, p_bar=0.3).sample(50, seed=8)
    for number, image in enumerate(images.tolist()):
        assert image == bars_by_their_draws(3, thresholds_of(8, Use.STREAM, number, 4))


@pytest.mark.parametrize("sizes", SAMPLED, ids=str)
def test_fantasies_have_the_generative_distribution(sizes):
    """And fantasies that follow each other are independent. False alarms: < 1e-6 each."""
    machine = random_machine(sizes)
    numbers = pattern_numbers(machine.fantasies(draws(200_000), seed=1))
    inputs = list(itertools.product((0, 1), repeat=sizes[0]))
    p = np.exp([naive.log_prob(machine, d) for d in inputs])
    assert_frequencies(np.bincount(numbers, minlength=len(p)), p)
    pairs = numbers[0::2] * len(p) + numbers[1::2]
    assert_frequencies(np.bincount(pairs, minlength=len(p) ** 2), np.outer(p, p))


@pytest.mark.parametrize("sizes", SAMPLED, ids=str)
def test_representations_have_the_recognition_distribution(sizes):
    """False alarms: < 1e-6 each."""
    machine = random_machine(sizes)
    for d in itertools.product((0, 1), repeat=sizes[0]):
        n = draws(400_000) // 2 ** sizes[0]
        layers = machine.representations(np.tile(d, (n, 1)), seed=1)
        numbers = pattern_numbers(np.hstack(layers))
        q = naive.recognition_distribution(machine, d)
        assert_frequencies(np.bincount(numbers, minlength=len(q)), q)


def test_steps_of_successive_seeds_have_the_right_distributions():
    """All layers jointly, 20,000 seeds; false alarms: < 1e-6 each."""
    machine, d, n = random_machine([2, 2, 1]), (1, 0), draws(20_000)
    states = np.array([np.concatenate(wake_step(machine, d, 0, seed)) for seed in range(n)])
    q = naive.recognition_distribution(machine, d)
    assert_frequencies(np.bincount(pattern_numbers(states[:, 2:]), minlength=len(q)), q)

    states = np.array([np.concatenate(sleep_step(machine, 0, seed)) for seed in range(n)])
    inputs, alphas = list(itertools.product((0, 1), repeat=2)), naive.representations(machine)
    p = [math.exp(-naive.description_length(machine, alpha, d)) for d in inputs for alpha in alphas]
    assert_frequencies(np.bincount(pattern_numbers(states), minlength=len(p)), p)


# Runs.


def draws_of_an_example(sizes):
    return 2 * sum(sizes) - sizes[0]


def stream_of_thresholds(seed, n):
    """Return the first draws of a simulation of this seed."""
    thresholds = np.empty((1, n + 4 * LANES), np.float32)
    kernels.draw_thresholds_ahead(make_key(seed, Use.LEARNING), np.uint64(0), n, thresholds)
    return thresholds[0, :n].tolist()


def replay(machine, inputs, rates, seed, first_draw=0):
    """Learn from inputs in turn as the paper says, with the random numbers that a simulation of this seed uses."""
    n_draws = first_draw + draws_of_an_example(machine.layer_sizes)
    stream = stream_of_thresholds(seed, len(inputs) * n_draws)
    for example, d in enumerate(inputs):
        thresholds = stream[example * n_draws :][first_draw:n_draws]
        naive.wake_update(machine, representation_by_eq_1(machine, d, thresholds), rates, nonnegative=True)
        naive.sleep_update(machine, fantasy_by_eq_1(machine, thresholds), rates)
        assert thresholds == []


def assert_close_after_a_run(machine, expected, n):
    """Each of the 2n updates adds a rounding error of up to about 1e-7 to a parameter."""
    for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases"):
        for found, wanted in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7 * n, err_msg=name)


@pytest.mark.parametrize(("size", "hidden", "exclude"), [(3, [5, 3, 2], ()), (4, [8, 1], ()), (2, [3], ("blank",))])
def test_run_on_bars_is_the_paper_to_the_letter(size, hidden, exclude):
    machine, rates, seed, n = random_machine([size**2, *hidden]), RATES[: len(hidden) + 1], 5, 400
    machine.clip_input_weights()
    expected = naive.parameters(machine)
    bars = Bars(size, p_vertical=0.6, p_bar=0.3, exclude=exclude)
    Simulation(machine, bars, [(n, rates)], nonnegative_input_weights=True, seed=seed).advance()

    images = []
    n_draws = 1 + size + draws_of_an_example(machine.layer_sizes)
    stream = stream_of_thresholds(seed, n * n_draws)
    for example in range(n):
        images.append(bars_by_their_draws(size, stream[example * n_draws :], exclude))
    replay(expected, images, [float(np.float32(rate)) for rate in rates], seed, first_draw=1 + size)
    assert_close_after_a_run(machine, expected, n)


@pytest.mark.parametrize("sizes", [[17, 5], [6, 16, 3], [5, 4, 3, 2, 1]], ids=str)
def test_run_on_images_is_the_paper_to_the_letter(sizes):
    machine, rates, seed, n = random_machine(sizes), RATES[: len(sizes)], 7, 23 * 13 + 4
    machine.clip_input_weights()
    expected = naive.parameters(machine)
    x = np.random.default_rng(2).integers(0, 2, (23, sizes[0]))
    Simulation(machine, Images(x), [(n, rates)], nonnegative_input_weights=True, seed=seed).advance()

    inputs = []
    for sweep in range(14):
        order = np.empty(23, np.int64)
        kernels.shuffle(make_key(seed, Use.ORDER), np.uint64(sweep), order)
        inputs += x[order].tolist()
    replay(expected, inputs[:n], [float(np.float32(rate)) for rate in rates], seed)
    assert_close_after_a_run(machine, expected, n)


# A draw that equals the logit: Eq 1 is the probability of a > t.


@njit(error_model="numpy")
def image_of_bars(orientation, bars, thresholds, on, images):
    kernels.draw_bars(orientation, bars, thresholds, 0, on, images, 0)


def test_a_bar_is_there_where_its_logit_exceeds_the_draw():
    bars = np.full((2, 3), 0.5, np.float32)
    thresholds, on, images = (np.zeros((1, 64), np.float32) for _ in range(3))
    for draw, image in [(0.5, [1, 1, 0, 0]), (np.nextafter(np.float32(0.5), np.float32(0)), [1, 0, 1, 0])]:
        thresholds[0, :3] = draw, -1, 0.5
        image_of_bars(np.float32(0.5), bars, thresholds, on, images)
        assert images[0, :4].tolist() == image


@njit(error_model="numpy")
def states_of_units(logits, states, thresholds):
    kernels.sample_units(load(logits, 0, 0), states, 0, 0, thresholds, 0)


def test_a_unit_is_on_where_its_logit_exceeds_the_draw():
    logits, states = np.full((1, LANES), 0.5, np.float32), np.zeros((1, LANES), np.float32)
    thresholds = logits.copy()
    thresholds[0, ::2] = np.nextafter(np.float32(0.5), np.float32(0))
    states_of_units(logits, states, thresholds)
    assert states[0].tolist() == [1, 0] * (LANES // 2)


@pytest.mark.parametrize("stream", [Bars(10), Images(np.eye(100))], ids=["bars", "images"])
def test_more_examples_than_are_drawn_ahead_give_the_same_bits_as_few(stream):
    whole, parts = (Simulation(random_machine([100, 2]), stream, [(130, 0.1)]) for _ in range(2))
    whole.advance()
    for _ in range(13):
        parts.advance(10)
    np.testing.assert_array_equal(parameter_bits(whole.machine), parameter_bits(parts.machine))


def test_weights_from_silent_units_keep_even_a_negative_zero():
    machine = random_machine([5, 3])
    machine.gen_weights[0][:] = -0.0
    before = machine.arrays()["gen_weights_0"]
    silent, rates = kernels.new_states(machine.shape[0]), np.array([0.1, 0.1], np.float32)
    kernels.wake_update(*machine.shape, machine.parameters[2], rates, np.float32(0), silent)
    np.testing.assert_array_equal(machine.gen_weights[0].view(np.uint32), before.view(np.uint32))


WIDE = [[64, 64], [150, 65, 67], [64, 100, 3], [3, 64, 65, 2]]


@pytest.mark.parametrize("sizes", WIDE, ids=str)
@pytest.mark.parametrize("nonnegative", [False, True])
def test_wide_layers_learn_and_dream_to_the_same_bits_as_narrow_ones(sizes, nonnegative, monkeypatch):
    def life(machine):
        x = np.random.default_rng(0).random((7, sizes[0])) < [[0], [1], [0.05], [0.3], [0.5], [0.5], [0.5]]
        Simulation(machine, Images(x), [(20, 0.1)], nonnegative, seed=1).advance()
        states = wake_step(machine, x[3], 0.1, 2, nonnegative) + sleep_step(machine, 0.1, 3)
        drawn = [machine.fantasies(5), *machine.representations(x)]
        return parameter_bits(machine), [layer.tolist() for layer in states + drawn]

    wide = random_machine(sizes)
    assert wide.shape[1]
    parameters, states = life(wide)
    monkeypatch.setattr(kernels, "WIDE", 1000)
    narrow = random_machine(sizes)
    assert narrow.shape[1] is None
    own_parameters, own_states = life(narrow)
    assert states == own_states
    np.testing.assert_array_equal(parameters, own_parameters)


TOGETHER = [([16, 8, 1], 4, 150 if INTERPRETED else 700), ([9, 7, 3, 2], 3, 100), ([1, 2], 1, 50), ([25, 17], 5, 30)]


@pytest.mark.parametrize(("sizes", "size", "n"), TOGETHER, ids=str)
@pytest.mark.parametrize("n_machines", [1, 9, 16])
def test_machines_learn_together_to_the_same_bits_as_one_by_one(sizes, size, n, n_machines):
    bars, seeds = Bars(size, exclude=["full"] if size > 1 else ()), range(5, 5 + n_machines)
    rates = np.array(RATES[: len(sizes)], np.float32)
    ends = []
    for floor in (np.float32(0), np.float32(-np.inf)):
        machines, alone = ([random_machine(sizes, seed) for seed in seeds] for _ in range(2))
        for machine in (*machines, *alone) if floor == 0 else ():
            machine.clip_input_weights()
        seen, own_seen = ([np.array([3], np.uint64) for _ in seeds] for _ in range(2))
        for part in (n, 1, 0):
            bars.learn_together(machines, seeds, part, seen, rates, floor)
            for machine, seed, count in zip(alone, seeds, own_seen, strict=True):
                bars.learn(machine, seed, part, count, rates, floor)
        assert seen == own_seen == [4 + n] * n_machines
        for machine, other in zip(machines, alone, strict=True):
            np.testing.assert_array_equal(parameter_bits(machine), parameter_bits(other))
        ends += [parameter_bits(machine).tobytes() for machine in machines]
    assert len(set(ends)) >= n_machines


def small_runs():
    """Return the parameters' bits after a few short runs with sizes that leave lanes over."""
    x = np.random.default_rng(0).integers(0, 2, (11, 17))
    runs = [
        (random_machine([9, 18, 3]), Bars(3, exclude=["full"]), 200),
        (random_machine([25, 16, 1]), Bars(5), 100),
        (random_machine([17, 5, 33, 1]), Images(x), 50),
        (random_machine([17, 1]), Images(x), 50),
        (random_machine([17, 65, 70]), Images(x), 3),
    ]
    for machine, stream, n in runs:
        Simulation(machine, stream, [(n, 0.1)], nonnegative_input_weights=True, seed=1).advance()
        wake_step(machine, np.ones(machine.layer_sizes[0]), 0.1)
        sleep_step(machine, 0.1)
    return [parameter_bits(machine).tolist() for machine, _, _ in runs]


def test_compiled_and_interpreted_kernels_give_the_same_bits():
    code = "import json, test_kernels; print(json.dumps(test_kernels.small_runs()))"
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "0" if INTERPRETED else "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore",
    }
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert other.returncode == 0, other.stderr
    assert json.loads(other.stdout) == small_runs()


def test_storage_for_lanes_is_aligned_and_wide_enough():
    for n_rows, n_columns in [(1, 1), (3, 16), (2, 33)]:
        array = kernels.aligned(n_rows, n_columns)
        assert array.shape[0] == n_rows
        assert n_columns <= array.shape[1] < n_columns + LANES
        assert array.shape[1] % LANES == array.ctypes.data % (4 * LANES) == 0
        assert not array.any()


# Order.


def shuffled(seed, sweep, n):
    order = np.full(n, -1, np.int64)
    kernels.shuffle(make_key(seed, Use.ORDER), np.uint64(sweep), order)
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
