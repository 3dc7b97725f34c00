import itertools
import math
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

import naive
import precise
from fastws import exact
from fastws.exact import levels
from fastws.exact.careful import CarefulLevel
from fastws.machine import Machine
from fastws.threads import Stopped
from memory import traced_memory
from stopping import stopping_at

MEASURES = [
    "neg_log_prob_bits",
    "description_length_bits",
    "recognition_entropy_bits",
    "free_energy_bits",
    "kl_penalty_bits",
]
DISTRIBUTIONS = ["posterior", "recognition_distribution"]
ORDINARY = st.floats(-4, 4, width=32)
# At 800 a probability is 0 or 1 in float64; the mixture makes costs that differ by 10,000 and by 1e-3 in one sum.
EXTREME = st.sampled_from([0.0, 1e-3, -2.0, 30.0, -30.0, 800.0, -800.0, 1e4, -1e4])


def close(expected):
    # Beside costs of 1e5 bits, sixteen digits leave about 1e-10.
    return pytest.approx(expected, rel=1e-12, abs=1e-9)


def random_machine(layer_sizes, seed=0, scale=1.0):
    machine = Machine(layer_sizes)
    rng = np.random.default_rng(seed)
    for arrays in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases):
        for array in arrays:
            array[...] = rng.normal(scale=scale, size=array.shape)
    return machine


def all_inputs(machine):
    return np.array(list(itertools.product((0, 1), repeat=machine.layer_sizes[0])), np.uint8)


@st.composite
def layer_sizes(draw, max_inputs=5, max_hidden=6, max_layers=4):
    sizes = [draw(st.integers(1, max_inputs))]
    left = max_hidden
    for above in reversed(range(draw(st.integers(1, max_layers)))):
        sizes.append(draw(st.integers(1, left - above)))
        left -= sizes[-1]
    return sizes


@st.composite
def machines(draw, values=ORDINARY | EXTREME, **limits):
    machine = Machine(draw(layer_sizes(**limits)))
    for arrays in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases):
        for array in arrays:
            flat = draw(st.lists(values, min_size=array.size, max_size=array.size))
            array[...] = np.reshape(flat, array.shape)
    return machine


@st.composite
def machines_and_inputs(draw, values=ORDINARY | EXTREME):
    machine = draw(machines(values))
    return machine, draw(inputs_of(machine))


def inputs_of(machine, max_rows=3):
    rows = st.lists(st.integers(0, 1), min_size=machine.layer_sizes[0], max_size=machine.layer_sizes[0])
    return st.lists(rows, min_size=1, max_size=max_rows)


@pytest.mark.parametrize("measure", MEASURES)
@given(machines_and_inputs())
def test_measure_matches_naive(measure, example):
    machine, x = example
    values = getattr(exact, measure)(machine, x)
    assert values.dtype == np.float64
    copy = naive.parameters(machine)
    assert values.tolist() == close([getattr(naive, measure)(copy, d) for d in x])


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@given(machines_and_inputs())
def test_distribution_matches_naive_and_sums_to_one(distribution, example):
    machine, x = example
    rows = getattr(exact, distribution)(machine, x)
    assert rows.dtype == np.float64
    copy = naive.parameters(machine)
    for row, d in zip(rows, x, strict=True):
        assert row.tolist() == close(getattr(naive, distribution)(copy, d))
    assert rows.sum(axis=1).tolist() == close([1.0] * len(x))


@pytest.mark.long
@given(machines_and_inputs(), st.integers(1, 3), st.sampled_from([1, 5, 16]))
def test_cutting_into_blocks_changes_nothing(example, max_trailing, block):
    machine, x = example
    functions = [getattr(exact, name) for name in MEASURES + DISTRIBUTIONS]
    whole = [function(machine, x) for function in functions]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "_MAX_TRAILING", max_trailing)
        for kind in (levels.Level, CarefulLevel):
            patch.setattr(kind, "block", block)
        for function, expected in zip(functions, whole, strict=True):
            np.testing.assert_allclose(function(machine, x), expected, rtol=1e-12, atol=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("sizes", [[3, 11, 1], [3, 1, 11], [2, 11]])
def test_a_layer_of_more_than_ten_units_matches_naive(sizes):
    machine = random_machine(sizes)
    copy, d = naive.parameters(machine), [1, 0, 1][: sizes[0]]
    for measure in MEASURES:
        assert getattr(exact, measure)(machine, d)[0] == close(getattr(naive, measure)(copy, d))
    for distribution in DISTRIBUTIONS:
        assert getattr(exact, distribution)(machine, d)[0].tolist() == close(getattr(naive, distribution)(copy, d))


@given(machines_and_inputs())
def test_the_two_forms_of_the_free_energy_agree(example):
    machine, x = example
    eq_8 = exact.neg_log_prob_bits(machine, x) + exact.kl_penalty_bits(machine, x)
    assert exact.free_energy_bits(machine, x).tolist() == close(eq_8.tolist())


@given(machines_and_inputs())
def test_description_length_is_free_energy_plus_recognition_entropy(example):
    machine, x = example
    total = exact.free_energy_bits(machine, x) + exact.recognition_entropy_bits(machine, x)
    assert exact.description_length_bits(machine, x).tolist() == close(total.tolist())


@given(machines_and_inputs(ORDINARY))
def test_kl_penalty_is_that_of_the_two_distributions(example):
    machine, x = example
    q, p = exact.recognition_distribution(machine, x), exact.posterior(machine, x)
    assert exact.kl_penalty_bits(machine, x).tolist() == close((q * np.log2(q / p)).sum(axis=1).tolist())


@given(machines())
def test_probabilities_of_all_inputs_sum_to_one(machine):
    probabilities = np.exp2(-exact.neg_log_prob_bits(machine, all_inputs(machine)))
    assert math.fsum(probabilities) == close(1.0)


@given(machines_and_inputs())
def test_free_energy_is_at_least_the_negative_log_probability(example):
    machine, x = example
    floor, free_energy = exact.neg_log_prob_bits(machine, x), exact.free_energy_bits(machine, x)
    assert np.all(free_energy >= floor - 1e-9 - 1e-12 * floor)
    assert np.all(exact.kl_penalty_bits(machine, x) >= 0)


@st.composite
def machines_with_exact_recognition(draw):
    """Hidden units that share no input are independent given the input: their posterior is factorial.

    Its logit is b_k plus, for each input i of unit k, s_i w_ki - softplus(b_i + w_ki) + softplus(b_i).
    """
    owners = draw(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    machine = Machine([len(owners), 4])
    machine.gen_biases[0][:] = draw(st.lists(ORDINARY, min_size=len(owners), max_size=len(owners)))
    machine.gen_biases[1][:] = draw(st.lists(ORDINARY, min_size=4, max_size=4))
    rec_biases = [float(b) for b in machine.gen_biases[1]]
    for i, k in enumerate(owners):
        weight, bias = draw(ORDINARY), float(machine.gen_biases[0][i])
        machine.gen_weights[0][k, i] = machine.rec_weights[0][i, k] = weight
        rec_biases[k] += math.log1p(math.exp(bias)) - math.log1p(math.exp(bias + weight))
    machine.rec_biases[0][:] = rec_biases
    return machine


@given(machines_with_exact_recognition())
def test_free_energy_is_the_negative_log_probability_where_recognition_is_the_posterior(machine):
    x = all_inputs(machine)
    # Recognition biases are rounded to float32, and the penalty is quadratic in that.
    np.testing.assert_allclose(
        exact.recognition_distribution(machine, x), exact.posterior(machine, x), rtol=0, atol=1e-5
    )
    assert exact.free_energy_bits(machine, x).tolist() == close(exact.neg_log_prob_bits(machine, x).tolist())
    penalties = exact.kl_penalty_bits(machine, x)
    assert penalties.tolist() == close([0.0] * len(x))
    assert np.all(penalties >= 0)


def test_two_alternatives_of_four_bits_cost_three_bits_together():
    # Without parameters, the hidden unit costs 1 bit and each of three inputs 1 bit, whatever their states.
    machine = Machine([3, 1])
    assert exact.description_length_bits(machine, [1, 0, 1]).tolist() == close([4.0])
    assert exact.free_energy_bits(machine, [1, 0, 1]).tolist() == close([3.0])
    machine.rec_biases[0][0] = 1e4  # one alternative only
    assert exact.free_energy_bits(machine, [1, 0, 1]).tolist() == close([4.0])
    assert exact.kl_penalty_bits(machine, [1, 0, 1]).tolist() == close([1.0])


@given(layer_sizes())
def test_representations_are_in_the_documented_order(sizes):
    rows = exact.representations(Machine(sizes))
    assert rows.dtype == np.uint8
    assert rows.tolist() == [list(row) for row in itertools.product((0, 1), repeat=sum(sizes[1:]))]


def test_columns_of_a_distribution_are_representations_first_hidden_layer_first():
    machine = Machine([2, 3, 2])
    machine.gen_biases[1][:] = machine.rec_biases[0][:] = [-100, 100, -100]
    machine.gen_biases[2][:] = machine.rec_biases[1][:] = [100, -100]
    for distribution in DISTRIBUTIONS:
        likely = int(getattr(exact, distribution)(machine, [0, 1]).argmax())
        assert exact.representations(machine)[likely].tolist() == [0, 1, 0, 1, 0]


def test_measures_of_huge_parameters_are_numbers():
    machine = random_machine([5, 4, 3], scale=1e30)
    x = all_inputs(machine)
    for measure in MEASURES:
        assert np.isfinite(getattr(exact, measure)(machine, x)).all()
    for distribution in DISTRIBUTIONS:
        assert np.isfinite(getattr(exact, distribution)(machine, x)).all()


# Sixteen digits hold no two of these.
FAR_APART = np.float32([0.5, -2, 1e-3, 30, -1e3, 1e4, -1e8, 1e16, -1e16, 1e30, -1e30, 3e38, -3e38])


def far_apart(seed):
    rng = np.random.default_rng(seed)
    machine = Machine([[2, 1], [2, 3], [3, 2, 2], [2, 2, 1, 2], [1, 4]][seed % 5])
    for arrays in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases):
        for array in arrays:
            many = rng.random(array.shape) < [0.1, 0.3, 1.0][seed % 3]
            array[...] = np.where(many, rng.choice(FAR_APART, array.shape), rng.choice(FAR_APART[:3], array.shape))
    return machine, rng.integers(0, 2, machine.layer_sizes[0]).tolist()


@pytest.mark.parametrize("max_trailing", [1, pytest.param(10, marks=pytest.mark.long)])
@pytest.mark.parametrize("seed", range(30))
def test_measures_of_parameters_many_orders_apart(seed, max_trailing, monkeypatch):
    monkeypatch.setattr(levels, "_MAX_TRAILING", max_trailing)
    machine, d = far_apart(seed)
    expected = precise.measures(naive.parameters(machine), d)
    for name in ("neg_log_prob_bits", "description_length_bits", "recognition_entropy_bits"):
        assert getattr(exact, name)(machine, d)[0] == pytest.approx(expected[name], rel=1e-13, abs=1e-14), name
    # A difference, and right beside the larger one.
    error = abs(exact.free_energy_bits(machine, d)[0] - expected["free_energy_bits"])
    assert error <= 1e-13 * max(1.0, expected["description_length_bits"])
    assert exact.kl_penalty_bits(machine, d)[0] == pytest.approx(expected["kl_penalty_bits"], rel=1e-12, abs=1e-13)
    for name in DISTRIBUTIONS:
        np.testing.assert_allclose(getattr(exact, name)(machine, d)[0], expected[name], rtol=0, atol=1e-13)


@pytest.mark.parametrize("bias", [1e3, 1e4, 1e14, 1e16, 1e30, 3e38])
def test_a_certain_input_costs_nothing_and_drowns_nothing(bias):
    """The other input is 1 bit where the hidden unit is silent, and depends on it."""
    machine = Machine([2, 1])
    machine.gen_biases[0][0] = bias
    assert exact.neg_log_prob_bits(machine, [1, 0]) == pytest.approx(1, rel=1e-12)
    machine.gen_weights[0][0, 1] = machine.gen_weights[0][0, 0] = 2
    for d in ([1, 0], [0, 0], [0, 1]):
        expected = precise.measures(naive.parameters(machine), d)
        for name in ("posterior", "kl_penalty_bits", "neg_log_prob_bits"):
            np.testing.assert_allclose(getattr(exact, name)(machine, d)[0], expected[name], rtol=1e-12, err_msg=name)


def test_large_weights_that_cancel_leave_the_rest():
    weights = [1e30, 1, 1e16, 1, -1e30, 1, -1e16]
    machine = Machine([1, 7])
    machine.gen_weights[0][:, 0] = weights
    machine.gen_biases[1][:] = 3e38
    assert exact.neg_log_prob_bits(machine, [0])[0] == pytest.approx(math.log2(1 + math.exp(3)), rel=1e-14)
    machine = Machine([7, 1])
    machine.rec_weights[0][:, 0] = weights
    q = 1 / (1 + math.exp(-3))
    assert exact.recognition_distribution(machine, [1] * 7)[0, 1] == pytest.approx(q, rel=1e-14)


@pytest.mark.parametrize("sizes", [pytest.param([3, 11, 1], marks=pytest.mark.long), [2, 1, 11]])
def test_a_large_layer_with_large_parameters_matches_naive(sizes):
    machine, d = random_machine(sizes, scale=1e4), [1, 0, 1][: sizes[0]]
    copy = naive.parameters(machine)
    for measure in MEASURES:
        assert getattr(exact, measure)(machine, d)[0] == close(getattr(naive, measure)(copy, d))
    for distribution in DISTRIBUTIONS:
        assert getattr(exact, distribution)(machine, d)[0].tolist() == close(getattr(naive, distribution)(copy, d))


@settings(max_examples=15)
@given(machines_and_inputs(), st.data())
def test_report_averages_what_naive_says(example, data):
    machine, _ = example
    inputs = all_inputs(machine)
    shares = data.draw(st.lists(st.integers(0, 5), min_size=len(inputs), max_size=len(inputs)).filter(any))
    probabilities = np.array(shares) / sum(shares)
    report = exact.report(machine, inputs, probabilities)
    copy = naive.parameters(machine)
    pairs = [(d, p) for d, p in zip(inputs.tolist(), probabilities.tolist(), strict=True) if p > 0]
    expected = {name: math.fsum(p * getattr(naive, name)(copy, d) for d, p in pairs) for name in MEASURES}
    expected["data_entropy_bits"] = -math.fsum(p * math.log2(p) for _, p in pairs)
    expected["asymmetric_divergence_bits"] = math.fsum(
        p * (math.log2(p) + naive.neg_log_prob_bits(copy, d)) for d, p in pairs
    )
    found = asdict(report)
    assert found == close(expected)
    assert {type(value) for value in found.values()} == {float}


@pytest.mark.parametrize("seed", range(10))
def test_divergence_of_a_model_from_its_own_distribution_is_zero(seed):
    machine = random_machine([4, 3, 2], seed)
    inputs = all_inputs(machine)
    report = exact.report(machine, inputs, np.exp2(-exact.neg_log_prob_bits(machine, inputs)))
    assert 0 <= report.asymmetric_divergence_bits < 1e-12
    assert report.data_entropy_bits == close(report.neg_log_prob_bits)


def test_a_pattern_given_twice_counts_as_one():
    machine = random_machine([3, 2])
    twice = exact.report(machine, [[0, 1, 1], [1, 0, 0], [0, 1, 1]], [0.25, 0.25, 0.5])
    once = exact.report(machine, [[0, 1, 1], [1, 0, 0]], [0.75, 0.25])
    assert asdict(twice) == close(asdict(once))


def test_a_report_cannot_be_changed():
    report = exact.report(Machine([2, 1]), [[0, 1]], [1.0])
    with pytest.raises(FrozenInstanceError):
        report.kl_penalty_bits = 0.0


def test_one_row_may_come_without_its_outer_dimension():
    machine = random_machine([3, 2])
    assert exact.posterior(machine, [0, 1, 1]).shape == (1, 4)


@pytest.mark.parametrize("sizes", [[64, 20], [4, 19, 1], [4, 1, 19], [4, 10, 10]])
def test_twenty_hidden_units_fit_in_bounded_memory(sizes):
    machine = random_machine(sizes, scale=0.3)
    x = np.random.default_rng(1).integers(0, 2, (3, sizes[0]))
    with traced_memory() as peak_bytes:
        report = exact.report(machine, x, [0.5, 0.25, 0.25])
        assert peak_bytes() < 256 * 2**20
    assert report.free_energy_bits == close(report.neg_log_prob_bits + report.kl_penalty_bits)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_is_made_in_bounded_memory(name):
    machine = random_machine([2, 19, 1], scale=0.3)
    with traced_memory() as peak_bytes:
        rows = getattr(exact, name)(machine, np.zeros((24, 2)))
        assert peak_bytes() < rows.nbytes + 256 * 2**20
    assert rows.shape == (24, 2**20)
    assert rows.sum(axis=1).tolist() == close([1.0] * 24)


@pytest.mark.parametrize("name", [*MEASURES, *DISTRIBUTIONS])
def test_too_many_hidden_units_are_refused_before_any_work(name):
    with pytest.raises(ValueError, match=r"21 hidden units.*at most 20.*fastws\.estimate"):
        getattr(exact, name)(Machine([2, 20, 1]), [[0, 1]])


def test_representations_report_and_check_size_refuse_too_many_hidden_units():
    machine = Machine([2, 7, 7, 7])
    with pytest.raises(ValueError, match="21 hidden units"):
        exact.check_size(machine)
    with pytest.raises(ValueError, match="21 hidden units"):
        exact.representations(machine)
    with pytest.raises(ValueError, match="21 hidden units"):
        exact.report(machine, [[0, 1]], [1.0])
    exact.check_size(Machine([2, 7, 7, 6]))
    assert exact.representations(Machine([2, 7, 7, 6])).shape == (2**20, 20)


@pytest.mark.parametrize("name", [*MEASURES, *DISTRIBUTIONS])
@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[0, 1]], r"x has 2 columns; the input layer has 3"),
        ([[0, 1, 1], [0, 2, 1]], r"x\[1, 1\] is 2"),
        ([[0, 1, math.nan]], r"x\[0, 2\] is nan"),
        (np.zeros((0, 3)), "x is empty"),
    ],
)
def test_inputs_are_checked(name, x, message):
    with pytest.raises(ValueError, match=message):
        getattr(exact, name)(Machine([3, 2]), x)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("parameter", "level", "place", "where"),
    [
        ("gen_weights", 1, (0, 1), r"gen_weights\[1\]\[0, 1\]"),
        ("gen_biases", 2, (0,), r"gen_biases\[2\]\[0\]"),
        ("rec_weights", 0, (2, 1), r"rec_weights\[0\]\[2, 1\]"),
        ("rec_biases", 0, (1,), r"rec_biases\[0\]\[1\]"),
    ],
)
def test_parameters_that_are_not_finite_are_refused(parameter, level, place, where, value):
    machine = Machine([3, 2, 1])
    getattr(machine, parameter)[level][place] = value
    with pytest.raises(ValueError, match=f"{where} is {value}"):
        exact.free_energy_bits(machine, [[0, 1, 1]])


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([1.0], r"probabilities has shape \(1,\); there are 2 patterns, so give shape \(2,\)"),
        ([[0.5, 0.5]], r"probabilities has shape \(1, 2\)"),
        ([1.5, -0.5], r"probabilities\[1\] is -0\.5"),
        ([math.nan, 1.0], r"probabilities\[0\] is nan"),
        ([math.inf, 0.0], r"probabilities\[0\] is inf"),
        ([0.5, 0.5 + 1e-8], "probabilities sum to 1.00000001"),
        ([0.0, 0.0], "probabilities sum to 0"),
        (["half", "half"], "probabilities are not numbers"),
        ([0.5, None], r"probabilities\[1\] is nan"),
        ([[0.5], [0.2, 0.3]], "probabilities are not numbers"),
    ],
)
def test_probabilities_are_checked(probabilities, message):
    with pytest.raises(ValueError, match=message):
        exact.report(Machine([2, 1]), [[0, 1], [1, 1]], probabilities)


def test_probabilities_may_be_off_by_a_billionth():
    for off in (-0.999e-9, 0.999e-9):
        exact.report(Machine([2, 1]), [[0, 1], [1, 1]], [0.5, 0.5 + off])
    for off in (-1.001e-9, 1.001e-9):
        with pytest.raises(ValueError, match="probabilities sum to"):
            exact.report(Machine([2, 1]), [[0, 1], [1, 1]], [0.5, 0.5 + off])


def test_patterns_are_called_patterns_in_errors():
    with pytest.raises(ValueError, match=r"patterns\[0, 1\] is 3"):
        exact.report(Machine([2, 1]), [[0, 3]], [1.0])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_of_more_than_a_gibibyte_is_refused(name):
    x = np.zeros((129, 2), np.uint8)
    with pytest.raises(ValueError, match=r"x has 129 rows.*1\.01 GiB.*at most 128 rows"):
        getattr(exact, name)(Machine([2, 19, 1]), x)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_may_take_all_the_room_there_is(name, monkeypatch):
    monkeypatch.setattr(exact, "_MAX_BYTES", 5 * 8 * 2**3)
    assert getattr(exact, name)(Machine([2, 3]), np.zeros((5, 2))).shape == (5, 2**3)
    with pytest.raises(ValueError, match=r"x has 6 rows.*at most 5 rows"):
        getattr(exact, name)(Machine([2, 3]), np.zeros((6, 2)))


@pytest.mark.parametrize("name", MEASURES)
def test_measures_of_many_inputs_take_little_room(name):
    machine, x = random_machine([4, 10]), np.zeros((20_000, 4), np.uint8)
    with traced_memory() as peak_bytes:
        getattr(exact, name)(machine, x)
        assert peak_bytes() < 20e6  # all at once 160 MB and more


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_take_little_more_room_than_the_result(name, monkeypatch):
    monkeypatch.setattr(exact, "BLOCK", 64)
    machine, x = random_machine([4, 6]), np.zeros((10_000, 4), np.uint8)
    with traced_memory() as peak_bytes:
        result = getattr(exact, name)(machine, x)
        assert peak_bytes() < 1.2 * result.nbytes


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.parametrize("name", ["measures", *MEASURES, *DISTRIBUTIONS])
def test_products_of_matrices_stay_in_one_thread(name, monkeypatch):
    """Each of many small products would wait for another core, which may be busy."""
    inside = []

    def finite(results):
        inside.append(blas_threads())
        return results

    monkeypatch.setattr(exact, "_finite", finite)
    with threadpool_limits(2, user_api="blas"):
        outside = blas_threads()
        getattr(exact, name)(random_machine([3, 2]), [[0, 1, 1]])
        assert blas_threads() == outside
    assert inside
    assert all(n <= {1} for n in inside)


def test_work_in_threads_asks_whether_to_stop(monkeypatch):
    monkeypatch.setattr(levels, "side_by_side", stopping_at(1))
    with pytest.raises(Stopped):
        exact.free_energy_bits(random_machine([3, 11]), [[0, 1, 1]])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_result_that_is_not_finite_is_an_error(value, monkeypatch):
    """As from a library that multiplies matrices wrongly on some processor."""
    machine = random_machine([3, 2])
    for name in ("log_probs", "description_lengths", "kl_penalties"):
        monkeypatch.setattr(levels.Level, name, lambda level, rows, *others: np.full(len(rows), value))
    monkeypatch.setattr(levels.Level, "entropies", lambda level, rows: np.full(len(rows), -value))
    for name in DISTRIBUTIONS:
        monkeypatch.setattr(levels.Level, name.partition("_")[0], lambda level, rows: np.full((len(rows), 4), value))
    for name in [*MEASURES, *DISTRIBUTIONS]:
        with pytest.raises(FloatingPointError, match=f"came out as -?{abs(value)}.*products of matrices"):
            getattr(exact, name)(machine, [0, 1, 1])
    with pytest.raises(FloatingPointError, match="came out as"):
        exact.report(machine, [[0, 1, 1]], [1.0])
