import ast
import math
import operator
from decimal import Decimal, localcontext
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

import naive
from chance import FALSE_ALARM, INTERPRETED, draws
from fastws import estimate, exact
from fastws.kernels.costs import average_costs, sampled_costs
from fastws.kernels.elementary import exp_of_minus_magnitude, log_of_doubles
from fastws.kernels.jit import SOURCES
from fastws.kernels.lanes import load, store
from fastws.kernels.layout import LANES, connection
from fastws.kernels.steps import sample_representations
from fastws.kernels.types import Narrow
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.threads import Stopped
from machines import parameter_arrays, random_machine
from stopping import stopping_at

ESTIMATES = [estimate.description_length_bits, estimate.free_energy_bits, estimate.neg_log_prob_bits]
every_estimate = pytest.mark.parametrize("function", ESTIMATES, ids=lambda function: function.__name__)


def images(n, n_inputs, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_inputs), np.uint8)


def gentle_machine(layer_sizes, seed=0, largest=0.4):
    """Return a machine whose two nets disagree so little that importance weights have a small variance."""
    machine = random_machine(layer_sizes, seed)
    for array in parameter_arrays(machine):
        array *= np.float32(largest / 3)
    return machine


def sampled(machine, x, n_samples, seed=0):
    """Return the costs C(α, d) and the surprises -log Q(α|d) that the kernel draws, in nats."""
    costs, surprises = np.empty((2, len(x), n_samples))
    numbers = np.arange(len(x), dtype=np.uint64)
    sampled_costs(make_key(seed, Use.ESTIMATES), numbers, machine.net, machine.room(), x, costs, surprises)
    return costs, surprises


# The cost of one representation.


@pytest.mark.parametrize("layer_sizes", [[70, 65, 3], [97, 64, 67], [65, 131, 64]])
def test_lists_of_active_units_change_no_bit_of_a_cost(layer_sizes):
    machine, x = random_machine(layer_sizes), images(4, layer_sizes[0])
    # Doubles hold sums of like float32 exactly, in any order; of these they do not.
    for array in parameter_arrays(machine):
        array *= np.float32(10) ** np.random.default_rng(1).uniform(-12, 2, array.shape).astype(np.float32)
    key, numbers, found = make_key(0, Use.ESTIMATES), np.arange(len(x), dtype=np.uint64), []
    for net in (machine.net, machine.net._replace(way=Narrow())):
        costs, surprises = np.empty((2, len(x), 3))
        sampled_costs(key, numbers, net, machine.room(), x, costs, surprises)
        found.append((costs, surprises))
    np.testing.assert_array_equal(*found)


@njit(error_model="numpy")
def exponentials(a, out):
    for row in range(len(a)):
        store(out, row, 0, exp_of_minus_magnitude(load(a, row, 0)))


def test_exp_of_minus_magnitude():
    magnitudes = [
        np.linspace(0, 1, 3001),
        np.linspace(0, 45, 8001),
        np.linspace(45, 708, 3001),
        [5e-324, 1e-300, 1e-16],
    ]
    magnitudes = np.concatenate(magnitudes)
    a = np.concatenate([magnitudes, -magnitudes])
    a = np.pad(a, (0, -len(a) % LANES)).reshape(-1, LANES)
    found = np.empty_like(a)
    exponentials(a, found)
    np.testing.assert_allclose(found, [[math.exp(-abs(x)) for x in row] for row in a], rtol=1e-15, atol=0)
    beyond = np.array([[709.0, -709.0, 1e4, -1e300, np.inf, -np.inf, 708.0, -708.0] * 2])
    found = np.empty_like(beyond)
    exponentials(beyond, found)
    np.testing.assert_allclose(found, math.exp(-708), rtol=1e-15, atol=0)


@njit(error_model="numpy")
def logarithms(a, out):
    for row in range(len(a)):
        store(out, row, 0, log_of_doubles(load(a, row, 0)))


def test_log_of_doubles():
    """To an ulp of the decimal logarithm: beside 1, where it is next to nothing, and over all normal numbers."""
    around = 1 + np.concatenate([[0], 2.0 ** np.arange(-52, 0), -(2.0 ** np.arange(-53, -1))])
    root = math.sqrt(0.5)
    a = np.concatenate(
        [
            around,
            np.linspace(0.4, 3, 500),
            np.geomspace(2.3e-308, 1.7e308, 200),
            [root, math.nextafter(root, 0), 2 * root, math.nextafter(2 * root, 0), 2.0**-1022, 2.0**1023],
        ]
    )
    a = np.pad(a, (0, -len(a) % LANES), constant_values=1).reshape(-1, LANES)
    found = np.empty_like(a)
    logarithms(a, found)
    with localcontext(prec=30):
        for x, y in zip(a.ravel().tolist(), found.ravel().tolist(), strict=True):
            assert abs(Decimal(y) - Decimal(x).ln()) <= Decimal(math.ulp(y)) * (y != 0), x


@pytest.mark.parametrize("n_samples", [1, 7, 16, 33])
@pytest.mark.parametrize("spread", [1.0, 300.0])
def test_averages_are_sums_in_order(n_samples, spread):
    costs, surprises = np.random.default_rng(n_samples).uniform(0, spread, (2, 3, n_samples))
    averages = np.empty((3, 3))
    average_costs(costs, surprises, averages, np.empty((2, 16)))
    for cost, surprise, (length, energy, bound) in zip(costs.tolist(), surprises.tolist(), averages.T, strict=True):
        differences = [c - s for c, s in zip(cost, surprise, strict=True)]
        assert length == reduce(operator.add, cost) / n_samples
        assert energy == reduce(operator.add, differences) / n_samples
        least = min(differences)
        weights = math.fsum(math.exp(least - d) for d in differences)
        assert bound == pytest.approx(least - math.log(weights / n_samples), rel=1e-14, abs=1e-14)


def test_nothing_that_is_the_same_everywhere_comes_from_libm_or_blas():
    """Logarithms, exponentials, sums and products of matrices of libraries differ between processors."""
    own = {"exp", "exp2", "log", "log1p", "log2", "logaddexp", "mean", "sum", "dot", "vecdot", "average", "power"}
    for source in [*SOURCES, estimate.__file__]:
        for node in ast.walk(ast.parse(Path(source).read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.MatMult), source
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "math"):
                assert node.attr not in own, f"{source}:{node.lineno}"


@pytest.mark.parametrize("sizes", [[1, 1], [15, 16, 17], [40, 1, 15, 16], [16, 40, 17, 1], [17, 3]])
@pytest.mark.parametrize("scale", [1.0, 30.0, 3000.0])
def test_costs_are_those_of_the_representation_that_was_drawn(sizes, scale):
    """Two machines: one draws representations that are all but certain, the other has any logits at all."""
    machine, rng = random_machine(sizes, seed=1), np.random.default_rng(2)
    for array in parameter_arrays(machine):
        array *= np.float32(scale / 3)
    alpha = [rng.integers(0, 2, n) for n in sizes[1:]]
    for weights, biases, states in zip(machine.rec_weights, machine.rec_biases, alpha, strict=True):
        weights[...] = rng.uniform(-0.1, 0.1, weights.shape)
        biases[...] = np.where(states, 60.0, -60.0)
    x = images(3, sizes[0])
    costs, surprises = sampled(machine, x, 2)
    oracle = naive.parameters(machine)
    for d, cost, surprise in zip(x.tolist(), costs, surprises, strict=True):
        expected = naive.description_length(oracle, [list(states) for states in alpha], d)
        np.testing.assert_allclose(cost, expected, rtol=1e-13)
        # Far below the sum that it is the small difference of.
        np.testing.assert_allclose(surprise, -naive.log_recognition(oracle, alpha, d), rtol=0, atol=1e-13)


def test_surprises_are_those_of_the_representations_drawn():
    """With as good as no generative parameters, the surprise tells which of the representations was drawn."""
    machine = random_machine([7, 2, 1], seed=4)
    x = images(5, 7)
    costs, surprises = sampled(machine, x, 200)
    oracle = naive.parameters(machine)
    for d, pairs in zip(x.tolist(), np.stack([costs, surprises], axis=2), strict=True):
        possible = [
            (naive.description_length(oracle, alpha, d), -naive.log_recognition(oracle, alpha, d))
            for alpha in naive.representations(oracle)
        ]
        distances = np.abs(pairs[:, np.newaxis] - np.array(possible)).max(axis=2).min(axis=1)
        assert distances.max() < 1e-13


# Against enumeration.


@pytest.mark.parametrize("sizes", [[6, 4], [9, 5, 3], [5, 3, 2, 2]])
def test_means_agree_with_enumeration(sizes):
    """10,000 draws an input; a mean is within so many standard errors of the truth that it fails once in 1e6."""
    machine, x, n = random_machine(sizes, seed=5), images(4, sizes[0]), draws(10_000)
    costs, surprises = sampled(machine, x, n)
    tolerance = stats.norm.isf(FALSE_ALARM / 2 / (2 * len(x)))
    for function, reference, values in (
        (estimate.description_length_bits, exact.description_length_bits, costs),
        (estimate.free_energy_bits, exact.free_energy_bits, costs - surprises),
    ):
        error = function(machine, x, n) - reference(machine, x)
        standard_error = values.std(axis=1, ddof=1) / math.log(2) / math.sqrt(n)
        assert (standard_error < 0.2 * math.sqrt(10_000 / n)).all()
        assert (np.abs(error) < tolerance * standard_error).all()


@pytest.mark.parametrize("sizes", [[6, 4], [9, 5, 3], [5, 3, 2, 2]])
def test_importance_weighted_bound_tends_to_the_negative_log_probability(sizes):
    """As above, by the delta method: the error of a logarithm is the relative error of the mean weight."""
    machine, x, n = gentle_machine(sizes, seed=5), images(4, sizes[0]), draws(10_000)
    costs, surprises = sampled(machine, x, n)
    weights = np.exp(surprises - costs)
    relative_error = weights.std(axis=1, ddof=1) / weights.mean(axis=1) / math.sqrt(n)
    assert (relative_error < 0.02 * math.sqrt(10_000 / n)).all()
    error = estimate.neg_log_prob_bits(machine, x, n) - exact.neg_log_prob_bits(machine, x)
    tolerance = stats.norm.isf(FALSE_ALARM / 2 / len(x))
    assert (np.abs(error) * math.log(2) < 1.05 * tolerance * relative_error + 1e-4).all()


@pytest.mark.skipif(INTERPRETED, reason="takes 2,500,000 draws")
def test_importance_weighted_bound_tightens_with_samples():
    """Means over copies of 20 inputs, so often that the standard error is far below each of the steps down."""
    machine = gentle_machine([8, 5, 2], seed=7, largest=1.0)
    x = np.repeat(images(20, 8), 1000, axis=0)
    means = [estimate.neg_log_prob_bits(machine, x, n_samples).mean() for n_samples in (1, 2, 5, 20, 100)]
    limit = exact.neg_log_prob_bits(machine, images(20, 8)).mean()
    assert means[0] == pytest.approx(exact.free_energy_bits(machine, images(20, 8)).mean(), abs=0.1)
    steps = -np.diff([*means, limit])
    assert (steps > 0.01).all()
    assert means[-1] - limit < 0.1 * (means[0] - limit)


def test_a_single_sample_makes_the_bound_the_free_energy():
    machine, x = random_machine([10, 6, 3]), images(50, 10)
    one, other = estimate.neg_log_prob_bits(machine, x, 1), estimate.free_energy_bits(machine, x, 1)
    np.testing.assert_allclose(one, other, rtol=1e-13)


def test_a_recognition_distribution_that_is_the_posterior_leaves_no_variance():
    """A machine at zero: every representation is as likely by both nets, and everything is known to the bit."""
    machine, x = Machine([40, 16, 4]), images(10, 40)
    np.testing.assert_allclose(estimate.description_length_bits(machine, x), 60, rtol=1e-14)
    np.testing.assert_allclose(estimate.free_energy_bits(machine, x), 40, rtol=1e-14)
    np.testing.assert_allclose(estimate.neg_log_prob_bits(machine, x), 40, rtol=1e-14)


# Extremes.


@every_estimate
@pytest.mark.parametrize("weight", [1e4, -1e4, 1e30])
def test_extreme_parameters_have_finite_costs(function, weight):
    machine = random_machine([17, 15, 3])
    for array in parameter_arrays(machine):
        array[...] = np.sign(array) * weight
    assert np.isfinite(function(machine, images(20, 17), 5)).all()


def test_a_cost_in_the_tens_of_thousands_is_exact():
    machine = Machine([3, 1])
    machine.gen_biases[0][:] = [1e4, -1e4, 0]
    [bits] = estimate.description_length_bits(machine, [0, 1, 1])
    assert bits == pytest.approx(2e4 / math.log(2) + 2, rel=1e-15)


@pytest.mark.parametrize("size", [1, 15, 16, 17, 40])
def test_padding_of_a_layer_costs_nothing(size):
    machine = random_machine([size, size, size], seed=size)
    for array in parameter_arrays(machine):
        array *= np.float32(0.2)
    # What is beyond the units of a layer is not zero after learning.
    for stack, widths in ((machine._generative, [size] * 3), (machine._recognition, [size] * 2)):
        for level, width in enumerate(widths):
            connection(stack, level)[:, width:] = 7
    x = images(3, size)
    oracle = naive.parameters(machine)
    costs, _ = sampled(machine, x, 1)
    [first, second] = [states for states in machine_states(machine, x)]
    for d, alpha_1, alpha_2, cost in zip(x.tolist(), first.tolist(), second.tolist(), costs[:, 0], strict=True):
        assert cost == pytest.approx(naive.description_length(oracle, (alpha_1, alpha_2), d), rel=1e-13)


def machine_states(machine, x):
    """Return the representations that the first sample of each input has."""
    drawn = np.empty((len(x), sum(machine.layer_sizes[1:])), np.uint8)
    key = make_key(0, Use.ESTIMATES)
    sample_representations(key, machine.net, machine.room(), x, drawn)
    return np.split(drawn, np.cumsum(machine.layer_sizes[1:-1]), axis=1)


# Seeds, samples, rows.


@every_estimate
def test_a_seed_gives_the_same_bits_and_another_seed_others(function):
    machine, x = random_machine([9, 5, 2]), images(30, 9)
    np.testing.assert_array_equal(function(machine, x, seed=3), function(machine, x, seed=3))
    assert (function(machine, x, seed=3) != function(machine, x, seed=4)).mean() > 0.9


def test_the_first_draws_are_the_same_for_more_samples():
    machine, x = random_machine([9, 5, 2]), images(30, 9)
    for n in (1, 3, 10):
        for few, many in zip(sampled(machine, x, n), sampled(machine, x, 17), strict=True):
            np.testing.assert_array_equal(few, many[:, :n])
    means = estimate.description_length_bits(machine, x, 17)
    np.testing.assert_allclose(means, sampled(machine, x, 17)[0].mean(axis=1) / math.log(2), rtol=1e-14)


@pytest.mark.parametrize("same_in_any_company", [False, True])
@pytest.mark.parametrize("at_once", [1, 7, 40, 1 << 20])
def test_blocks_of_any_length_give_the_same_bits(at_once, same_in_any_company, monkeypatch):
    machine, x = random_machine([9, 5, 2]), images(31, 9)
    expected = estimate.measures(machine, x, 10, 1, same_in_any_company)
    monkeypatch.setattr(estimate, "_DRAWN_AT_ONCE", at_once)
    np.testing.assert_array_equal(estimate.measures(machine, x, 10, 1, same_in_any_company), expected)


def test_measures_are_those_of_the_three_functions():
    machine, x = random_machine([9, 5, 2]), images(31, 9)
    for function, bits in zip(ESTIMATES, estimate.measures(machine, x, 7, 2), strict=True):
        np.testing.assert_array_equal(function(machine, x, 7, 2), bits)


def test_rows_are_drawn_apart():
    """Copies of an image are so many estimates of it."""
    bits = estimate.description_length_bits(gentle_machine([9, 5, 2]), np.repeat(images(1, 9), 200, axis=0), 10)
    assert len(np.unique(bits)) > 100


@pytest.mark.parametrize("n_inputs", [1, 8, 9, 64, 65, 784])
def test_an_image_costs_the_same_in_any_company(n_inputs):
    machine, x = random_machine([n_inputs, 6, 2]), images(40, n_inputs)
    together = np.array(estimate.measures(machine, x, 5, 1, same_in_any_company=True))
    order = np.random.default_rng(1).permutation(40)[:25]
    np.testing.assert_array_equal(
        estimate.measures(machine, x[order], 5, 1, same_in_any_company=True), together[:, order]
    )
    alone = [estimate.measures(machine, row, 5, 1, same_in_any_company=True) for row in x[:5]]
    np.testing.assert_array_equal(np.concatenate(alone, axis=1), together[:, :5])


def test_images_that_differ_have_draws_of_their_own():
    """The free energy of a machine whose parameters are zero but for the recognition biases shows the draws alone."""
    machine = Machine([64, 16])
    machine.rec_biases[0][:] = 1
    x = np.unique(np.eye(64, dtype=np.uint8)[np.random.default_rng(0).integers(0, 64, (150, 3))].max(axis=1), axis=0)
    bits = estimate.measures(machine, x, 10, same_in_any_company=True).free_energy_bits
    counts = np.unique(bits, return_counts=True)[1]
    # Sums of 160 Bernoulli variates of σ(1): the same in 1 of 20 pairs, and never far from that.
    assert 0.025 < (counts * (counts - 1)).sum() / (len(x) * (len(x) - 1)) < 0.1


@given(st.integers(1, 200), st.data())
def test_numbers_of_images_are_below_2_to_the_32_and_collide_seldom(n_inputs, data):
    x = np.unique(images(200, n_inputs, data.draw(st.integers(0, 1000))), axis=0)
    numbers = estimate._numbers(x)
    assert all(0 <= number < 2**32 for number in numbers)
    # 200 images at random collide once in 200,000 times.
    assert len(set(numbers.tolist())) >= len(x) - 1


def test_every_pixel_counts_in_the_number_of_an_image():
    x = np.repeat(images(1, 784), 784, axis=0)
    assert estimate._numbers(x[:1])[0] not in estimate._numbers(x ^ np.eye(784, dtype=np.uint8))


def test_a_measure_that_should_stop_draws_no_other_block(monkeypatch):
    monkeypatch.setattr(estimate, "_DRAWN_AT_ONCE", 10)
    monkeypatch.setattr(estimate, "side_by_side", stopping_at(2))
    with pytest.raises(Stopped):
        estimate.measures(random_machine([5, 3]), images(10, 5), n_samples=10)


# Errors.


@every_estimate
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [[0, 1]]}, "x has 2 columns; the input layer has 3 units"),
        ({"x": [[0, 1, 2]]}, r"x\[0, 2\] is 2; every input unit is 0 or 1"),
        ({"x": [[0, 1, math.nan]]}, r"x\[0, 2\] is nan"),
        ({"x": np.empty((0, 3))}, "x is empty"),
        ({"x": [["0", "1", "1"]]}, "x holds <U1; give numbers"),
        ({"n_samples": 0}, "n_samples is 0; it must be at least 1"),
        ({"n_samples": 2.5}, "n_samples is 2.5; give a whole number"),
        ({"n_samples": True}, "n_samples is True; give a whole number"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
        ({"seed": None}, "seed is None; give a whole number"),
    ],
)
def test_bad_arguments(function, change, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        function(Machine([3, 2]), **{"x": [[0, 1, 1]], **change})


@every_estimate
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_are_not_finite(function, value):
    machine = Machine([3, 2])
    machine.rec_weights[0][1, 1] = value
    with pytest.raises(ValueError, match=rf"^rec_weights\[0\]\[1, 1\] is {value}; every parameter has to be finite"):
        function(machine, [0, 1, 1])


@every_estimate
def test_one_input_may_come_without_its_outer_dimension_and_as_any_kind_of_number(function):
    machine = random_machine([3, 2])
    expected = function(machine, [[0, 1, 1]])
    for x in ([0, 1, 1], np.array([0.0, 1.0, 1.0]), np.array([False, True, True]), np.array([[0, 1, 1]], order="F")):
        np.testing.assert_array_equal(function(machine, x), expected)


@pytest.mark.parametrize(("n_samples", "rows"), [(1, 16384), (10, 1638), (16384, 1), (20000, 1)])
def test_representations_are_drawn_sixteen_thousand_at_a_time(monkeypatch, n_samples, rows):
    lengths = []

    def record(key, numbers, net, room, inputs, costs, surprises):
        lengths.append(len(inputs))
        costs[:], surprises[:] = 1, 1

    monkeypatch.setattr(estimate, "sampled_costs", record)
    n = 2 * rows + 1
    estimate.measures(Machine([2, 1]), np.zeros((n, 2), np.uint8), n_samples)
    assert sorted(lengths) == sorted([rows, rows, 1])


@every_estimate
def test_ten_samples_and_seed_0_are_the_default(function):
    machine, x = random_machine([5, 3, 2]), images(4, 5)
    np.testing.assert_array_equal(function(machine, x), function(machine, x, n_samples=10, seed=0))
    assert function(machine, x).tolist() != function(machine, x, n_samples=11).tolist()
    default, given = estimate.measures(machine, x), estimate.measures(machine, x, 10, 0)
    np.testing.assert_array_equal(default.free_energy_bits, given.free_energy_bits)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_threads_change_nothing(n_threads, monkeypatch):
    machine, x = random_machine([5, 3, 2]), images(50, 5)
    expected = estimate.measures(machine, x)
    monkeypatch.setattr(estimate, "_DRAWN_AT_ONCE", 70)
    np.testing.assert_array_equal(estimate.measures(machine, x, n_threads=n_threads), expected)


def test_wrong_number_of_threads():
    with pytest.raises(ValueError, match="n_threads"):
        estimate.measures(Machine([2, 1]), [[0, 1]], n_threads=0)
