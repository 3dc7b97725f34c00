import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

import breaking
import fastws
from chance import INTERPRETED
from fastws import exact, testing
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from fastws.testing import PROPERTIES, check_update_rule, connection_rule, reference
from fastws.testing.battery import broken_numbers
from fastws.testing.trial import TOLERANCE, Trial
from machines import random_machine

RULES = {"wake": fastws.wake_update, "sleep": fastws.sleep_update}
both_phases = pytest.mark.parametrize("phase", RULES)


def broken(rule, phase="wake", properties=None, smallest=False):
    """Return what the battery says of a rule that is wrong."""
    return breaking.broken(check_update_rule, rule, phase, properties, max_examples=12, smallest=smallest)


# The rules of fastws.


@pytest.mark.parametrize("name", PROPERTIES)
@both_phases
def test_rules_of_fastws_have_every_property(phase, name):
    check_update_rule(RULES[phase], phase, [name], max_examples=3 if INTERPRETED else 15)


# Rules that are right.


def delta_rule(weights, biases, driving, driven, rate):
    p = 1 / (1 + np.exp(-(biases + driving.astype(np.float32) @ weights)))
    delta = np.float32(rate) * (driven - p)
    biases += delta
    weights += driving[:, np.newaxis] * delta


@njit(error_model="numpy")
def compiled_delta_rule(weights, biases, driving, driven, rate):
    for v in range(len(driven)):
        a = biases[v]
        for u in range(len(driving)):
            a += driving[u] * weights[u, v]
        delta = rate * (driven[v] - 1 / (1 + np.exp(-a)))
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


@pytest.mark.long
@both_phases
@pytest.mark.parametrize("kernel", [delta_rule, compiled_delta_rule], ids=["NumPy", "Numba"])
def test_a_rule_for_one_connection_passes(kernel, phase):
    check_update_rule(connection_rule(kernel, phase), phase, max_examples=5)


def by_operators(machine, states, rates):
    """Learn with the lines that come to mind: in-place operators on the tuples' elements."""
    for level in range(len(states) - 1):
        p = 1 / (1 + np.exp(-(states[level + 1] @ machine.gen_weights[level] + machine.gen_biases[level])))
        delta = rates[level] * (states[level] - p)
        machine.gen_weights[level] += np.outer(states[level + 1], delta)
        machine.gen_biases[level] += delta
    machine.gen_biases[-1] += rates[-1] * (states[-1] - 1 / (1 + np.exp(-machine.gen_biases[-1])))


def by_rebinding(machine, states, rates):
    """Learn as a library of functions without side effects does: new arrays in the place of the old."""
    deltas = []
    for level in range(len(states) - 1):
        q = 1 / (1 + np.exp(-(states[level] @ machine.rec_weights[level] + machine.rec_biases[level])))
        deltas.append(rates[level] * (states[level + 1] - q))
    machine.rec_weights = [w + np.outer(s, d) for w, s, d in zip(machine.rec_weights, states, deltas, strict=False)]
    machine.rec_biases = tuple(b + d for b, d in zip(machine.rec_biases, deltas, strict=True))


@pytest.mark.parametrize(("rule", "phase"), [(by_operators, "wake"), (by_rebinding, "sleep")])
def test_a_rule_written_with_operators_or_by_assigning_whole_arrays_passes(rule, phase):
    check_update_rule(rule, phase, max_examples=5)


def with_weights_that_decay(machine, states, rates):
    fastws.wake_update(machine, states, rates)
    machine.gen_weights = [0.9 * array for array in machine.gen_weights]


def that_forgets_to_learn_asleep(machine, states, rates):
    by_rebinding(machine, states, rates)
    machine.rec_biases[0] *= 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("rule", "phase", "name"),
    [(with_weights_that_decay, "wake", "zero_rate"), (that_forgets_to_learn_asleep, "sleep", "zero_rate")],
)
def test_a_rule_that_assigns_is_judged_by_what_it_does(rule, phase, name):
    assert broken(rule, phase).property_name == name


# Rules that are wrong, and the property that says so.


def changed_delta_rule(delta=lambda driven, p, rate: rate * (driven - p), bias=True, driver=lambda driving: driving):
    def kernel(weights, biases, driving, driven, rate):
        p = 1 / (1 + np.exp(-(biases + driving.astype(np.float32) @ weights)))
        change = delta(driven, p, rate).astype(np.float32)
        if bias:
            biases += change
        weights += driver(driving)[:, np.newaxis] * change

    return kernel


def with_probabilities_as_drivers(machine, states, rates):
    """Drive with the recognition probabilities of the hidden units, where their states belong."""
    for level in range(len(states) - 1):
        q = 1 / (1 + np.exp(-(states[level] @ machine.rec_weights[level] + machine.rec_biases[level])))
        p = 1 / (1 + np.exp(-(states[level + 1] @ machine.gen_weights[level] + machine.gen_biases[level])))
        delta = rates[level] * (states[level] - p)
        machine.gen_weights[level][...] += np.outer(q, delta)
        machine.gen_biases[level][...] += delta


def with_probabilities_as_drivers_asleep(machine, states, rates):
    drivers = [1 / (1 + np.exp(-b)) for b in machine.gen_biases]
    for level in range(len(states) - 1):
        q = 1 / (1 + np.exp(-(states[level] @ machine.rec_weights[level] + machine.rec_biases[level])))
        delta = rates[level] * (states[level + 1] - q)
        machine.rec_weights[level][...] += np.outer(drivers[level], delta)
        machine.rec_biases[level][...] += delta


WRONG_KERNELS = {
    "the sign is flipped": (changed_delta_rule(lambda driven, p, rate: rate * (p - driven)), "gradient"),
    "the biases are forgotten": (changed_delta_rule(bias=False), "gradient"),
    "the layer learns from a new state of its own": (
        changed_delta_rule(lambda driven, p, rate: rate * ((p > 0.5) - p)),
        "gradient",
    ),
    "the rate is applied twice": (changed_delta_rule(lambda driven, p, rate: rate**2 * (driven - p)), "linear_in_rate"),
}


@pytest.mark.long
@both_phases
@pytest.mark.parametrize("mistake", WRONG_KERNELS)
def test_a_wrong_rule_is_found_by_the_right_property(mistake, phase):
    kernel, name = WRONG_KERNELS[mistake]
    assert broken(connection_rule(kernel, phase), phase).property_name == name


@pytest.mark.parametrize(
    ("rule", "phase"), [(with_probabilities_as_drivers, "wake"), (with_probabilities_as_drivers_asleep, "sleep")]
)
def test_probability_instead_of_state_as_driver_is_found_by_silent_units(rule, phase):
    assert broken(rule, phase).property_name == "silent_units"


@both_phases
def test_recognition_and_generative_swapped_is_found_by_own_phase(phase):
    other = RULES["sleep" if phase == "wake" else "wake"]
    assert broken(lambda machine, states, rates: other(machine, states, rates), phase).property_name == "own_phase"


def test_a_rule_that_ignores_the_constraint_is_found_by_positivity():
    def rule(machine, states, rates, nonnegative_input_weights=False):
        fastws.wake_update(machine, states, rates)

    assert broken(rule, "wake", ["gradient", "positivity"]).property_name == "positivity"


def test_a_constraint_that_is_no_projection_is_found_by_positivity():
    def rule(machine, states, rates, nonnegative_input_weights=False):
        fastws.wake_update(machine, states, rates)
        if nonnegative_input_weights:
            np.abs(machine.gen_weights[0], out=machine.gen_weights[0])

    assert broken(rule, "wake", ["positivity"]).property_name == "positivity"


def test_a_rule_without_the_keyword_is_not_asked_for_the_constraint():
    check_update_rule(lambda machine, states, rates: fastws.wake_update(machine, states, rates), "wake", ["positivity"])


def with_memory():
    """Momentum: what an earlier call did goes on."""
    velocity = {}

    def rule(machine, states, rates):
        before = machine.arrays()
        fastws.wake_update(machine, states, rates)
        for level, weights in enumerate(machine.gen_weights):
            step = weights - before[f"gen_weights_{level}"]
            earlier = velocity.get(level, np.zeros(0))
            weights += 0.5 * (earlier if earlier.shape == step.shape else 0)
            velocity[level] = step

    return rule


def that_draws_random_numbers(machine, states, rates):
    fastws.wake_step(machine, states[0], rates, seed=int(np.random.default_rng().integers(2**31)))


def with_decay(machine, states, rates):
    fastws.wake_update(machine, states, rates)
    for weights in machine.gen_weights:
        weights *= 0.999


def that_changes_states(machine, states, rates):
    fastws.wake_update(machine, states, rates)
    states[1][:] = 1


def of_a_share_of_the_layer(machine, states, rates):
    fastws.wake_update(machine, states, np.array(rates) * np.mean(states[0]))


def of_the_first_unit_only(machine, states, rates):
    """Learn the weights from the first hidden unit twice as fast: units are not alike."""
    before = machine.gen_weights[0][0].copy()
    fastws.wake_update(machine, states, rates)
    machine.gen_weights[0][0] += machine.gen_weights[0][0] - before


def of_the_size_of_the_layer(machine, states, rates):
    fastws.wake_update(machine, states, np.array(rates) / machine.layer_sizes[1])


def of_greedy_states(machine, states, rates):
    connection_rule(changed_delta_rule(lambda driven, p, rate: rate * ((p > 0.5) - p)))(machine, states, rates)


def of_a_flipped_sign(machine, states, rates):
    connection_rule(changed_delta_rule(lambda driven, p, rate: rate * (p - driven)))(machine, states, rates)


def that_makes_no_number(machine, states, rates):
    machine.gen_biases[0][:] = np.nan


@pytest.mark.long
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (with_decay, "zero_rate"),
        (with_decay, "silent_units"),
        (with_memory(), "no_memory"),
        (that_draws_random_numbers, "no_memory"),
        (that_changes_states, "no_memory"),
        (of_a_share_of_the_layer, "locality"),
        (of_a_flipped_sign, "expected_gradient"),
        (of_a_flipped_sign, "descent"),
        (of_greedy_states, "at_rest"),
        (of_the_first_unit_only, "relabelling"),
        (of_the_size_of_the_layer, "dead_unit"),
        (that_makes_no_number, "gradient"),
    ],
)
def test_each_property_alone_finds_its_mistake(rule, name):
    assert broken(rule, "wake", [name]).property_name == name


def test_a_weight_that_learns_from_other_drivers_is_not_local():
    """The change depends on how many units are on: their sum enters other than by the probability."""

    def kernel(weights, biases, driving, driven, rate):
        delta_rule(weights, biases, driving, driven, rate / (1 + driving.sum()))

    assert broken(connection_rule(kernel), "wake", ["locality"]).property_name == "locality"


# What a failure says.


def test_a_failure_names_the_property_the_smallest_machine_and_the_numbers():
    kernel = changed_delta_rule(lambda driven, p, rate: rate * (p - driven))
    message = str(broken(connection_rule(kernel), smallest=True))
    assert message.splitlines() == [
        "the wake rule breaks the property 'gradient'.",
        "An update is -ε times the gradient: of the description length awake (Eq 3), of -log Q(α|d) asleep (Eq 7).",
        "Machine([1, 1])",
        "  gen_weights[0] = [[0.0]]",
        "  gen_biases[0] = [0.0]",
        "  gen_biases[1] = [0.0]",
        "  rec_weights[0] = [[0.0]]",
        "  rec_biases[0] = [0.0]",
        "  states = [[0], [0]]",
        "  rates = (0.0625, 0.0625)",
        "gen_biases[0][0] changed by 0.03125, expected -0.03125 (off by 0.062; rounding allows 1e-06).",
    ]


def test_a_failure_is_the_same_in_each_run():
    first, second = (str(broken(with_decay, "wake", ["zero_rate"], smallest=True)) for _ in range(2))
    assert first == second


def test_what_a_rule_raises_comes_out():
    def rule(machine, states, rates):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_update_rule(rule)


def test_unknown_phase_and_property():
    with pytest.raises(ValueError, match="phase is 'dream'; a rule learns in the 'wake' or in the 'sleep' phase"):
        check_update_rule(fastws.wake_update, "dream")
    with pytest.raises(ValueError, match="there is no property 'grad'; those there are: own_phase, "):
        check_update_rule(fastws.wake_update, "wake", ["grad"])


def test_tolerance_separates_right_from_wrong():
    """A rule that is wrong by one part in a hundred is found; one that is off by a float32 rounding is not."""
    trial = Trial(
        RULES["wake"], "wake", random_machine([3, 2]), [np.ones(3, np.uint8), np.ones(2, np.uint8)], (1, 1), 0
    )

    def scaled(factor):
        return lambda machine, states, rates: fastws.wake_update(machine, states, np.array(rates) * factor)

    assert not broken_numbers(PROPERTIES["gradient"], trial)
    for factor, wrong in [(1 + TOLERANCE / 10, False), (1.01, True)]:
        off = Trial(scaled(factor), "wake", trial.machine, trial.states, trial.rates, 0)
        assert bool(broken_numbers(PROPERTIES["gradient"], off)) == wrong


@pytest.mark.long
def test_hypothesis_is_needed_for_nothing_else():
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import fastws\n"
        "for name in fastws.__all__: getattr(fastws, name)\n"
        "try: fastws.testing\n"
        "except ImportError: print('needed')"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert process.stdout == "needed\n", process.stderr


def test_a_weight_that_is_not_a_number_is_not_passed_over():
    states = [np.zeros(2, np.uint8), np.zeros(1, np.uint8)]
    trial = Trial(fastws.wake_update, "wake", fastws.Machine([2, 1]), states, (0.1, 0.1), 0)
    changes = trial.mean_changes([layer[np.newaxis] for layer in states], [np.nan])
    assert np.isnan(changes["gen_biases_0"]).all()


# The reference and the strategies.


@given(testing.machines(), st.data())
def test_reference_agrees_with_exact(machine, data):
    d = data.draw(testing.binary_vectors(machine.layer_sizes[0]))
    at, layers = reference.parameters(machine), reference.all_representations(machine.layer_sizes, d)
    costs, recovery = reference.description_lengths(at, layers), reference.recovery_costs(at, layers)
    np.testing.assert_allclose(np.exp(-recovery), exact.recognition_distribution(machine, d)[0], rtol=1e-9)
    np.testing.assert_allclose(
        reference.in_bits(np.exp(-recovery) @ costs), exact.description_length_bits(machine, d)[0], rtol=1e-9
    )


@given(testing.machines())
def test_exact_recognition_is_the_posterior(machine):
    machine = reference.with_exact_recognition(machine)
    x = reference.all_layers(machine.layer_sizes[:1])[0]
    penalties = exact.free_energy_bits(machine, x) - exact.neg_log_prob_bits(machine, x)
    np.testing.assert_allclose(penalties, 0, atol=1e-9)  # recognition biases are rounded to float32


@given(testing.layer_sizes(max_inputs=5, max_hidden=6, max_hidden_layers=3))
def test_layer_sizes_are_in_bounds(sizes):
    assert 1 <= sizes[0] <= 5
    assert 1 <= len(sizes) - 1 <= 3
    assert all(size >= 1 for size in sizes)
    assert sum(sizes[1:]) <= 6


@given(testing.machines(sizes=st.just([2, 3]), values=st.just(0.5)))
def test_machines_take_sizes_and_values(machine):
    assert machine.layer_sizes == (2, 3)
    assert all((array == 0.5).all() for array in machine.arrays().values())


@given(testing.binary_vectors(4))
def test_binary_vectors(states):
    assert states.dtype == np.uint8
    assert states.shape == (4,)
    assert set(states.tolist()) <= {0, 1}


@given(testing.learning_rates(3, at_least=0.1))
def test_learning_rates(rates):
    assert len(rates) == 3
    assert all(0.1 <= rate <= 1 for rate in rates)


@given(testing.streams(), st.integers(0, 30))
def test_streams_can_be_learned_from(stream, n):
    run = Simulation(Machine([stream.n_inputs, 2]), stream, [(40, 0.1)]).advance(n)
    assert run.examples_seen == n


@pytest.mark.parametrize(("n_inputs", "kinds"), [(4, {Bars, Images}), (5, {Images})])
def test_streams_of_a_width(n_inputs, kinds):
    found = set()

    @given(testing.streams(n_inputs))
    def collect(stream):
        assert stream.n_inputs == n_inputs
        found.add(type(stream))

    collect()
    assert found == kinds
