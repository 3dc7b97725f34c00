import numpy as np
import pytest

import naive
from fastws import exact, gradients
from fastws.machine import Machine
from machines import parameter_bits, random_machine

STEP = 1e-3


def flat(gradient):
    return np.concatenate([array.ravel() for part in gradient for array in part])


def derivatives(cost, machine):
    """Return central differences of cost(naive parameters), in the order of `flat`."""
    at = naive.parameters(machine)

    def nudged(row, v):
        value, around = row[v], []
        for place in (value + STEP, value - STEP):
            row[v] = place
            around.append(cost(at))
        row[v] = value
        return (around[0] - around[1]) / (2 * STEP)

    weights = [row for part in (at.gen_weights, at.rec_weights) for level in part for row in level]
    n_gen = sum(len(level) for level in at.gen_weights)
    rows = [*weights[:n_gen], *at.gen_biases, *weights[n_gen:], *at.rec_biases]
    return np.array([nudged(row, v) for row in rows for v in range(len(row))])


def small_inputs(machine, n=3):
    return np.random.default_rng(5).integers(0, 2, (n, machine.layer_sizes[0]))


def naive_free_energy(machine, x, probabilities):
    bits = [naive.free_energy_bits(machine, d) for d in x.tolist()]
    return float(np.log(2) * np.dot(bits, probabilities))


@pytest.mark.parametrize("layer_sizes", [[3, 2], [2, 2, 2], [2, 1, 2, 1]])
def test_enumerated_is_the_derivative_of_the_free_energy(layer_sizes):
    machine = random_machine(layer_sizes, seed=1)
    x, probabilities = small_inputs(machine), np.array([0.5, 0.2, 0.3])
    expected = derivatives(lambda at: naive_free_energy(at, x, probabilities), machine)
    np.testing.assert_allclose(flat(gradients.enumerated(machine, x, probabilities)), expected, atol=3e-6, rtol=0)


def test_all_inputs_count_the_same_by_default():
    machine = random_machine([3, 2, 1])
    x = small_inputs(machine, 4)
    np.testing.assert_allclose(
        flat(gradients.enumerated(machine, x)), flat(gradients.enumerated(machine, x, [0.25] * 4)), rtol=1e-12
    )


@pytest.mark.parametrize("n_samples", [1, 2, 5])
def test_sampled_is_unbiased(n_samples):
    # With 400 estimates their mean is within 6 of its standard errors everywhere, but for a chance below 1e-6.
    machine, n = random_machine([4, 3, 2], seed=2), 400
    x = small_inputs(machine)
    estimates = np.array([flat(gradients.sampled(machine, x, n_samples, seed)) for seed in range(n)])
    error = np.abs(estimates.mean(axis=0) - flat(gradients.enumerated(machine, x)))
    assert (error <= 6 * estimates.std(axis=0) / np.sqrt(n) + 1e-12).all()


def test_taking_off_the_share_of_the_others_makes_for_less_noise():
    machine = random_machine([6, 4, 2], seed=3)
    x = small_inputs(machine, 8)

    def noise(repeats, n_samples):
        rows = x.repeat(repeats, axis=0)
        return (
            np.array([flat(gradients.sampled(machine, rows, n_samples, seed)) for seed in range(50)]).var(axis=0).sum()
        )

    assert noise(1, 4) < noise(4, 1) / 2


def test_the_wake_rule_follows_the_sampled_gradient():
    machine = random_machine([5, 3, 2])
    d = small_inputs(machine, 1)
    states = [d[0], *(layer[0] for layer in machine.representations(d, seed=9))]
    found, expected = machine.copy(), naive.wake_update(naive.parameters(machine), states, [0.1] * 3)
    gradients.descend(found, gradients.sampled(machine, d, n_samples=1, seed=9), 0.1)
    for name in ("gen_weights", "gen_biases"):
        for array, nested in zip(getattr(found, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(array, nested, atol=1e-6)


@pytest.mark.parametrize("layer_sizes", [[3, 2], [3, 2, 2], [2, 1, 3, 2]])
def test_mean_field_is_the_derivative_of_its_free_energy(layer_sizes):
    machine = random_machine(layer_sizes, seed=4)
    x = small_inputs(machine)
    expected = derivatives(lambda at: np.mean([naive_mean_field(at, d) for d in x.tolist()]), machine)
    np.testing.assert_allclose(flat(gradients.mean_field(machine, x)), expected, atol=3e-6, rtol=0)


def naive_mean_field(machine, d):
    """In nats: Eq 9 with p and q interchanged, plus the cost of the input; means drive in place of states."""

    def drive(weights, biases, means):
        return [b + sum(m * row[v] for m, row in zip(means, weights, strict=True)) for v, b in enumerate(biases)]

    def cost(logits, means):
        return sum(m * naive.cost(a, 1) + (1 - m) * naive.cost(a, 0) for a, m in zip(logits, means, strict=True))

    means, total = [list(d)], 0.0
    for weights, biases in zip(machine.rec_weights, machine.rec_biases, strict=True):
        logits = drive(weights, biases, means[-1])
        means.append([naive.probability(a) for a in logits])
        total -= cost(logits, means[-1])
    for level, weights in enumerate(machine.gen_weights):
        total += cost(drive(weights, machine.gen_biases[level], means[level + 1]), means[level])
    return total + cost(machine.gen_biases[-1], means[-1])


def test_mean_field_free_energy_is_that_of_the_oracle():
    machine = random_machine([4, 3, 2], seed=6)
    x = small_inputs(machine)
    expected = [naive_mean_field(naive.parameters(machine), d) / np.log(2) for d in x.tolist()]
    np.testing.assert_allclose(gradients.mean_field_free_energy_bits(machine, x), expected, atol=1e-9)


def test_mean_field_is_exact_where_units_are_certain():
    machine = random_machine([4, 3, 2], seed=7)
    for weights, biases in zip(machine.rec_weights, machine.rec_biases, strict=True):
        weights[...] = 0
        biases[...] = np.where(biases > 0, 60, -60)
    x = small_inputs(machine)
    np.testing.assert_allclose(
        gradients.mean_field_free_energy_bits(machine, x), exact.free_energy_bits(machine, x), atol=1e-9
    )


def test_descent_lowers_the_free_energy_and_keeps_the_floor():
    machine = Machine([4, 3, 1])
    machine.gen_weights[0][:] = -1
    x = small_inputs(machine, 5)
    before = exact.free_energy_bits(machine, x).mean()
    for _ in range(50):
        gradients.descend(machine, gradients.enumerated(machine, x), 0.1, nonnegative_input_weights=True)
    assert exact.free_energy_bits(machine, x).mean() < before - 0.05
    assert machine.gen_weights[0].min() == 0


@pytest.mark.parametrize("bias", [1e4, 1e16, 3e38])
def test_units_that_are_certain_drown_nothing(bias):
    """Beyond 60, a bias changes neither what is on for certain nor any other derivative."""
    found = []
    for size in (60, bias):
        machine = random_machine([3, 2, 2], seed=8)
        machine.gen_biases[0][0], machine.gen_biases[1][0] = size, -size
        machine.rec_biases[0][0] = -size
        x = [[1, 0, 1], [1, 1, 0]]
        both = [gradients.enumerated(machine, x), gradients.sampled(machine, x), gradients.mean_field(machine, x)]
        found.append([*map(flat, both), gradients.mean_field_free_energy_bits(machine, x)])
    for expected, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, expected, rtol=1e-12, atol=1e-12)


def test_large_weights_that_cancel_leave_the_rest():
    machine = Machine([7, 1])
    machine.rec_weights[0][:, 0] = [1e30, 1, 1e16, 1, -1e30, 1, -1e16]
    machine.gen_biases[1][0] = 2
    q = 1 / (1 + np.exp(-3.0))
    expected = q * (1 - q) * (3 - 2)  # of KL(q ‖ p) by the logit of q, p having the logit 2
    assert gradients.enumerated(machine, [[1] * 7]).rec_biases[0][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_step_along_what_is_not_finite_is_refused(value):
    machine = random_machine([3, 2, 1])
    before = machine.copy()
    gradient = gradients.enumerated(machine, [[0, 1, 0]])
    gradient.rec_biases[1][0] = value
    with pytest.raises(
        ValueError, match=r"^with the learning rate 0\.1 of level 1 .* makes rec_biases\[1\] infinite or not a number"
    ):
        gradients.descend(machine, gradient, 0.1)
    np.testing.assert_array_equal(parameter_bits(machine), parameter_bits(before))


def test_each_level_has_its_own_rate():
    machine = random_machine([3, 2, 1])
    moved = machine.copy()
    gradients.descend(moved, gradients.enumerated(machine, [[0, 1, 0]]), (0.0, 0.5, 0.0))
    for name, array in machine.arrays().items():
        changed = not np.array_equal(array, moved.arrays()[name])
        assert changed == name.endswith("_1"), name


def test_mistakes_are_explained():
    machine = Machine([3, 2])
    for probabilities, message in {
        (0.5, 0.5): r"shape \(2,\); there are 1 patterns",
        (np.nan,): r"probabilities\[0\] is nan",
        (0.5,): "probabilities sum to 0.5",
    }.items():
        with pytest.raises(ValueError, match=message):
            gradients.enumerated(machine, [[0, 1, 0]], probabilities)
    with pytest.raises(ValueError, match="n_samples is 0"):
        gradients.sampled(machine, [[0, 1, 0]], 0)
    with pytest.raises(ValueError, match="x has 2 columns"):
        gradients.mean_field(machine, [[0, 1]])
    with pytest.raises(ValueError, match="2 levels"):
        gradients.descend(machine, gradients.mean_field(machine, [[0, 1, 0]]), (0.1,))


@pytest.mark.parametrize(("rates", "level"), [(3e38, 0), ((0, 3e38), 1)])
def test_a_step_into_infinity_is_not_taken(rates, level):
    machine = random_machine([4, 3])
    before = parameter_bits(machine)
    gradient = gradients.mean_field(machine, [1, 0, 1, 0])
    for array in gradient.gen_biases:
        array[...] = -1e3
    told = rf"^with the learning rate 3e\+38 of level {level} .* makes gen_biases\[{level}\] infinite"
    with pytest.raises(ValueError, match=told):
        gradients.descend(machine, gradient, rates)
    np.testing.assert_array_equal(parameter_bits(machine), before)
