import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

import naive
from chance import INTERPRETED, assert_frequencies, draws, pattern_numbers
from fastws import machine as machines_module
from fastws.kernels import steps as kernels
from fastws.kernels.costs import sampled_costs
from fastws.kernels.lanes import load
from fastws.kernels.layout import LANES
from fastws.kernels.rooms import new_room
from fastws.kernels.sources import write_bars
from fastws.kernels.types import BarsSource, Narrow, Rule, Wide
from fastws.kernels.units import sample_units
from fastws.randomness import Use, make_key
from fastws.simulation import Simulation
from fastws.steps import sleep_step, wake_step
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine
from replaying import (
    assert_close_after_a_run,
    draws_of_an_example,
    fantasy_by_eq_1,
    order_of,
    replay,
    representation_by_eq_1,
    stream_of_thresholds,
    thresholds_of,
)

STEPPED = [[1, 1], [3, 2], [17, 5, 3], [4, 33, 2], [40, 15, 16, 1], [16, 17, 33, 15, 40], [5, 4, 3, 2, 1]]
RATES = [0.3, 0.02, 0.5, 0.07, 0.11]
cases = pytest.mark.parametrize("sizes", STEPPED, ids=str)


def assert_agree(machine, expected):
    """Float32 against float64: what one step may differ by."""
    for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases"):
        for found, wanted in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=2e-6, err_msg=name)


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
    """Return a machine half of whose weights are -0.0."""
    machine, rng = random_machine(sizes, seed), np.random.default_rng(seed + 1)
    for weights in (*machine.gen_weights, *machine.rec_weights):
        weights[rng.random(weights.shape) < 0.5] = -0.0
    return machine


def bits(array):
    return np.ascontiguousarray(array).view(np.uint32)


def assert_learned(before, after, driving):
    """Assert that the rows of the units that were on changed, and not a bit of the others but the sign of a zero."""
    for u, state in enumerate(driving):
        assert (bits(before[u] + 0) == bits(after[u] + 0)).all() == (state == 0), f"unit {u}, state {state}"


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
    room, rule = machine.room(), Rule(np.full(2, 0.1, np.float32), np.float32(-np.inf))
    room.states[0, :17] = 1
    kernels.wake_step(make_key(0, Use.WAKE_STEP), machine.net, rule, room)
    assert not room.states[1, :5].any()
    np.testing.assert_array_equal(bits(machine.gen_weights[0]), bits(before.gen_weights[0]))
    assert (bits(machine.gen_biases[0]) != bits(before.gen_biases[0])).any()


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


@pytest.mark.long
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
    sampled_costs(key, numbers, machine.net, machine.room(), x, costs, surprises)
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


@pytest.mark.long
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
        inputs += x[order_of(seed, sweep, 23)].tolist()
    replay(expected, inputs[:n], [float(np.float32(rate)) for rate in rates], seed)
    assert_close_after_a_run(machine, expected, n)


# A draw that equals the logit: Eq 1 is the probability of a > t.


@njit(error_model="numpy")
def image_of_bars(source, room):
    write_bars(source, room, 0, np.uint64(0), 0)


def test_a_bar_is_there_where_its_logit_exceeds_the_draw():
    source, room = BarsSource(np.float32(0.5), np.full((2, 3), 0.5, np.float32)), new_room(np.array([4]), 3)
    for draw, image in [(0.5, [1, 1, 0, 0]), (np.nextafter(np.float32(0.5), np.float32(0)), [1, 0, 1, 0])]:
        room.thresholds[0, :3] = draw, -1, 0.5
        image_of_bars(source, room)
        assert room.inputs[0, :4].tolist() == image


@njit(error_model="numpy")
def states_of_units(logits, states, thresholds):
    sample_units(load(logits, 0, 0), states, 0, 0, thresholds, 0)


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
    rule = Rule(np.array([0.1, 0.1], np.float32), np.float32(0))
    kernels.wake_update(machine.net, rule, machine.room().states)
    np.testing.assert_array_equal(machine.gen_weights[0].view(np.uint32), before.view(np.uint32))


WITH_WIDE_LAYERS = [[64, 64], [150, 65, 67], [64, 100, 3], [3, 64, 65, 2]]


@pytest.mark.long
@pytest.mark.parametrize("sizes", WITH_WIDE_LAYERS, ids=str)
@pytest.mark.parametrize("nonnegative", [False, True])
def test_wide_layers_learn_and_dream_to_the_same_bits_as_narrow_ones(sizes, nonnegative, monkeypatch):
    def life(machine):
        x = np.random.default_rng(0).random((7, sizes[0])) < [[0], [1], [0.05], [0.3], [0.5], [0.5], [0.5]]
        Simulation(machine, Images(x), [(20, 0.1)], nonnegative, seed=1).advance()
        states = wake_step(machine, x[3], 0.1, 2, nonnegative) + sleep_step(machine, 0.1, 3)
        drawn = [machine.fantasies(5), *machine.representations(x)]
        return parameter_bits(machine), [layer.tolist() for layer in states + drawn]

    wide = random_machine(sizes)
    assert isinstance(wide.net.way, Wide)
    parameters, states = life(wide)
    monkeypatch.setattr(machines_module, "WIDE", 1000)
    narrow = random_machine(sizes)
    assert isinstance(narrow.net.way, Narrow)
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
        (random_machine([17, 6, 20], groups=[1, 3, 20]), Images(x), 50),
        (random_machine([17, 65, 66], groups=[1, 1, 22]), Images(x), 3),
    ]
    for machine, stream, n in runs:
        Simulation(machine, stream, [(n, 0.1)], nonnegative_input_weights=True, seed=1).advance()
        wake_step(machine, np.ones(machine.layer_sizes[0]), 0.1)
        sleep_step(machine, 0.1)
    return [parameter_bits(machine).tolist() for machine, _, _ in runs]


@pytest.mark.long
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
