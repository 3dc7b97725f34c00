"""Softmax groups, from the kernels to the command line; what they are compared with is in `naive_softmax`."""

import itertools
import json
import pickle
import zipfile

import numpy as np
import pytest

import fastws
import naive_softmax as naive
from chance import assert_frequencies, draws
from fastws import codec, estimate, exact, gradients, plotting
from fastws.experiments.compression import codeword_bits
from fastws.kernels.types import Grouped, Narrow, Wide
from fastws.live.units import unit_bits
from fastws.machine import Machine
from fastws.randomness import Use
from fastws.reweighted import importance_weights, reweighted_update
from fastws.simulation import Simulation, advance_together, load_runs, save_runs
from fastws.steps import sleep_step, sleep_update, wake_step, wake_update
from fastws.streams import Images, OnePhase
from machines import parameter_arrays, parameter_bits
from replaying import draws_of_an_example, order_of, stream_of_thresholds, thresholds_of

LN2 = np.log(2)
# Groups that begin anywhere in a vector of the kernels, that are longer than one, and binary layers below and above.
SHAPES = [([5, 6, 4], [1, 3, 2]), ([17, 36], [1, 18]), ([4, 5, 9], [1, 1, 3])]
SHAPES += [([4, 7, 3], [1, 7, 1]), ([3, 2, 6], [1, 1, 6])]
# With a group that is a unit more than a vector holds.
SHAPES += [([5, 17], [1, 17])]
ENUMERATED = [([3, 6, 2], [1, 3, 1]), ([2, 2, 4], [1, 1, 2]), ([3, 4], [1, 4]), ([2, 6, 4], [1, 2, 4])]
ENUMERATED += [([2, 24], [1, 12])]
shapes = pytest.mark.parametrize(("sizes", "groups"), SHAPES, ids=str)
enumerated = pytest.mark.parametrize(("sizes", "groups"), ENUMERATED, ids=str)


def grouped(sizes, groups, seed=0, scale=2.0):
    machine, rng = Machine(sizes, groups), np.random.default_rng(seed)
    for array in parameter_arrays(machine):
        array[...] = rng.uniform(-scale, scale, array.shape)
    return machine


def random_states(machine, seed=0):
    rng = np.random.default_rng(seed)
    layers = zip(machine.layer_sizes, machine.groups, strict=True)
    return [
        rng.integers(0, 2, n) if size == 1 else np.eye(size, dtype=int)[rng.integers(size, size=n // size)].ravel()
        for n, size in layers
    ]


def inputs_of(machine):
    return np.array(list(itertools.product((0, 1), repeat=machine.layer_sizes[0])))


def assert_close(machine, expected, atol=2e-6):
    for name, arrays in expected.items():
        for found, wanted in zip(getattr(machine, name), arrays, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=atol, err_msg=name)


# What a machine is made with.


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 4], r"groups\[1\] is 4, which does not divide the 6 units of layer 1; give a divisor of 6"),
        ([2, 3], r"groups\[0\] is 2; input units are binary"),
        ([1, 0], r"groups\[1\] is 0; it must be at least 1"),
        ([1, -3], r"groups\[1\] is -3; it must be at least 1"),
        ([1, 2.0], r"groups\[1\] is 2\.0; give a whole number"),
        ([3], r"groups has 1 sizes of groups; the machine has 2 layers"),
        ([1, 3, 1], r"groups has 3 sizes of groups; the machine has 2 layers"),
        (3, "groups is 3; give the units of a group of each layer"),
        ("1,3", "groups is '1,3'; give the units of a group of each layer"),
    ],
)
def test_wrong_groups_are_one_sentence(groups, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Machine([4, 6], groups)


def test_groups_can_be_read_and_are_shown():
    machine = Machine([4, 6, 2], groups=np.array([1, 3, 1]))
    assert machine.groups == (1, 3, 1)
    assert repr(machine) == "Machine([4, 6, 2], groups=[1, 3, 1])"
    assert "(1, 3, 1)" in machine._repr_html_()
    with pytest.raises(AttributeError, match="groups cannot be changed"):
        machine.groups = (1, 1, 1)
    assert Machine([4, 6, 2]).groups == (1, 1, 1)
    assert repr(Machine([4, 6], [1, 1])) == "Machine([4, 6])"


def test_copies_and_files_have_the_groups(tmp_path):
    machine = grouped([4, 6, 2], [1, 3, 1])
    machine.save(tmp_path / "m.npz")
    for other in (machine.copy(), pickle.loads(pickle.dumps(machine)), Machine.load(tmp_path / "m.npz")):
        assert other.groups == (1, 3, 1)
        np.testing.assert_array_equal(parameter_bits(other), parameter_bits(machine))
    run = Simulation(machine, Images(np.eye(4)), [(10, 0.1)])
    save_runs(tmp_path / "r.npz", [run])
    assert load_runs(tmp_path / "r.npz")[0][0].machine.groups == (1, 3, 1)


def metadata(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("metadata.npy").partition(b"\n")[2])


def test_files_of_binary_machines_are_as_they_were(tmp_path):
    for name, groups in (("a", None), ("b", [1, 1])):
        Machine([4, 6], groups).save(tmp_path / name)
        assert set(metadata(tmp_path / name)) == {"format", "version", "layer_sizes"}
    Machine([4, 6], [1, 2]).save(tmp_path / "c")
    assert metadata(tmp_path / "c")["groups"] == [1, 2]


@pytest.mark.parametrize("groups", [[1, 4], [1], [2, 2], "1,2", 7, [1, 0], [1, None], {"1": 2}])
def test_a_file_with_damaged_groups_is_refused(tmp_path, groups, monkeypatch):
    monkeypatch.setattr(Machine, "made_with", lambda self: {"layer_sizes": [4, 6], "groups": groups})
    Machine([4, 6]).save(tmp_path / "m.npz")
    with pytest.raises(ValueError, match=r"m\.npz is damaged: groups"):
        Machine.load(tmp_path / "m.npz")
    save_runs(tmp_path / "r.npz", [Simulation(Machine([4, 6]), Images(np.eye(4)), [(10, 0.1)])])
    with pytest.raises(ValueError, match=r"r\.npz is damaged"):
        load_runs(tmp_path / "r.npz")


def test_groups_of_one_unit_are_binary_units():
    assert isinstance(Machine([4, 6], [1, 1]).net.way, Narrow)
    assert isinstance(Machine([64, 64], [1, 1]).net.way, Wide)
    assert isinstance(Machine([4, 6], [1, 6]).net.way, Grouped)


# One layer.


@shapes
def test_updates_are_eqs_4_and_7_of_groups(sizes, groups):
    for seed in range(3):
        machine, rates = grouped(sizes, groups, seed), [0.3, 0.07, 0.5][: len(sizes)]
        states, expected = random_states(machine, seed), naive.parameters(machine)
        wake_update(machine, states, rates)
        sleep_update(machine, states, rates)
        naive.wake_update(expected, groups, states, rates)
        naive.sleep_update(expected, groups, states, rates)
        assert_close(machine, expected)


def test_binary_layers_of_a_machine_with_groups_learn_to_the_bits_of_binary_machines():
    machine = grouped([17, 5, 6], [1, 1, 3])
    binary = Machine([17, 5, 6])
    for array, own in zip(parameter_arrays(binary), parameter_arrays(machine), strict=True):
        array[...] = own
    states = random_states(machine)
    for each in (machine, binary):
        wake_update(each, states, 0.1, nonnegative_input_weights=True)
        sleep_update(each, states, 0.1)
    for name in ("gen_weights", "gen_biases"):
        for level in (0, 1):
            if level < len(getattr(machine, name)):
                np.testing.assert_array_equal(getattr(machine, name)[level], getattr(binary, name)[level])
    np.testing.assert_array_equal(machine.rec_weights[0], binary.rec_weights[0])
    assert (machine.gen_biases[2] != binary.gen_biases[2]).any()
    assert (machine.rec_weights[1] != binary.rec_weights[1]).any()


def test_huge_logits_are_no_trouble():
    machine = grouped([3, 4], [1, 4], scale=3e4)
    states = random_states(machine)
    expected = naive.parameters(machine)
    wake_update(machine, states, 0.5)
    naive.wake_update(expected, machine.groups, states, [0.5, 0.5])
    assert_close(machine, expected)
    assert machine.fantasies(3).shape == (3, 3)


def test_states_have_to_have_one_unit_of_a_group_on():
    machine = Machine([3, 6], [1, 3])
    for states, found in (([0, 0, 0, 1, 0, 0], 0), ([1, 0, 1, 1, 0, 0], 2)):
        for update in (wake_update, sleep_update):
            with pytest.raises(
                ValueError, match=rf"^states\[1\] has {found} units on in group 0, units 0 to 2; exactly"
            ):
                update(machine, [[1, 0, 1], states], 0.1)
    assert not parameter_bits(machine).any()


# Draws.


@shapes
def test_representations_and_fantasies_are_drawn_by_gumbel_variates(sizes, groups):
    machine = grouped(sizes, groups)
    p, x = naive.parameters(machine), np.random.default_rng(1).integers(0, 2, (5, sizes[0]))
    drawn, fantasies = machine.representations(x, seed=3), machine.fantasies(5, seed=3)
    for row in range(5):
        t = thresholds_of(3, Use.REPRESENTATIONS, row, sum(sizes[1:]))
        layers, _ = naive.recognise(p, groups, x[row], t)
        assert [layer[row].tolist() for layer in drawn] == [layer.tolist() for layer in layers[1:]]
        layers, _ = naive.fantasise(p, groups, thresholds_of(3, Use.FANTASIES, row, sum(sizes)))
        assert fantasies[row].tolist() == layers[0].tolist()


@pytest.mark.parametrize(("sizes", "groups"), [([2, 6, 4], [1, 3, 2]), ([3, 5], [1, 5])], ids=str)
def test_frequencies_are_the_exact_probabilities(sizes, groups):
    """Sampling and scoring are one model, in either direction. False alarms: < 1e-6 each."""
    machine = grouped(sizes, groups, scale=1.0)
    x = inputs_of(machine)
    fantasies = machine.fantasies(draws(100_000), seed=1)
    counts = np.bincount(fantasies @ (1 << np.arange(sizes[0])[::-1]), minlength=len(x))
    assert_frequencies(counts, np.exp2(-exact.neg_log_prob_bits(machine, x)))
    place = {tuple(row): number for number, row in enumerate(exact.representations(machine).tolist())}
    for d in x[:: len(x) - 1]:
        drawn = np.hstack(machine.representations(np.tile(d, (draws(50_000), 1)), seed=2))
        counts = np.bincount([place[tuple(row)] for row in drawn.tolist()], minlength=len(place))
        assert_frequencies(counts, exact.recognition_distribution(machine, d)[0])


def test_units_can_be_held_on_or_off():
    machine = grouped([3, 6], [1, 3])
    machine.gen_weights[0] = np.vstack([np.eye(3), np.zeros((3, 3))]) * 60 - np.vstack(
        [np.full((3, 3), 30), np.zeros((3, 3))]
    )
    machine.gen_biases[0] = 0
    assert (machine.fantasies(20, clamp={(1, 1): 1}) == [0, 1, 0]).all()
    found = machine.fantasies(200, clamp={(1, 1): 0})
    assert not found[:, 1].any()
    assert found[:, 0].any()
    assert (found.sum(axis=1) == 1).all()
    for clamp, held in (
        ({(1, 0): 1, (1, 2): 1}, "more than one unit on"),
        ({(1, u): 0 for u in (3, 4, 5)}, "all units off"),
    ):
        with pytest.raises(ValueError, match=f"^clamp holds {held} in group [01] of layer 1; exactly one unit"):
            machine.fantasies(1, clamp=clamp)


def test_probabilities_of_recognition_and_reconstructions():
    machine = grouped([4, 6, 2], [1, 3, 1])
    x, p = inputs_of(machine), naive.parameters(machine)
    first, second = machine.recognition_probabilities(x)
    reconstructed = machine.reconstruct(x)
    for row, d in enumerate(x):
        own = naive.probabilities(naive.recognition_logits(p, [d], 0), 3)
        np.testing.assert_allclose(first[row], own, rtol=1e-12)
        np.testing.assert_allclose(second[row], naive.probabilities(own @ p["rec_weights"][1] + p["rec_biases"][1], 1))
        np.testing.assert_allclose(
            reconstructed[row], naive.probabilities(own @ p["gen_weights"][0] + p["gen_biases"][0], 1)
        )


# Learning.


def run_of(machine, n=60, seed=7, **keywords):
    x = np.random.default_rng(2).integers(0, 2, (11, machine.layer_sizes[0]))
    return Simulation(machine, Images(x), [(n, [0.1, 0.03, 0.2][: len(machine.layer_sizes)])], seed=seed, **keywords)


def assert_run_is_the_equations(run):
    """Learn from all examples of a run of `run_of`, with the oracle beside it."""
    machine, n, nonnegative = run.machine, run.total_examples, run.nonnegative_input_weights
    if nonnegative:
        machine.clip_input_weights()
    p, rates = naive.parameters(machine), [np.float64(rate) for rate in run.schedule[0][1]]
    run.advance()
    n_draws = draws_of_an_example(machine.layer_sizes)
    t = stream_of_thresholds(7, n * n_draws)
    for example in range(n):
        d = run.stream.x[order_of(7, example // 11, 11)[example % 11]]
        layers, left = naive.recognise(p, machine.groups, d, t[example * n_draws : (example + 1) * n_draws])
        naive.wake_update(p, machine.groups, layers, rates, nonnegative=nonnegative)
        layers, left = naive.fantasise(p, machine.groups, left)
        naive.sleep_update(p, machine.groups, layers, rates)
        assert left == []
    assert_close(machine, p, atol=1e-7 * 60)


@pytest.mark.parametrize(("sizes", "groups"), SHAPES[:3], ids=str)
def test_a_run_is_the_equations_to_the_letter(sizes, groups):
    assert_run_is_the_equations(run_of(grouped(sizes, groups, scale=1.0), nonnegative_input_weights=True))


def test_a_run_may_be_cut_saved_and_resumed(tmp_path):
    whole, cut = (run_of(grouped([5, 6, 4], [1, 3, 2])) for _ in range(2))
    whole.advance()
    cut.advance(13).advance(9).save(tmp_path / "run.npz")
    resumed = Simulation.load(tmp_path / "run.npz").advance()
    assert resumed.examples_seen == 60
    np.testing.assert_array_equal(parameter_bits(resumed.machine), parameter_bits(whole.machine))


def test_several_learn_one_after_the_other_to_the_same_bits():
    together, alone = ([run_of(grouped([5, 6], [1, 3]), seed=seed) for seed in range(9)] for _ in range(2))
    advance_together(together)
    for run, own in zip(together, alone, strict=True):
        np.testing.assert_array_equal(parameter_bits(run.machine), parameter_bits(own.advance().machine))


def test_the_mean_update_is_minus_the_gradient_of_the_mean_cost():
    """Over all representations, by Q awake and by P asleep; derivatives are differences, of the oracle's costs."""
    machine, groups = grouped([2, 4, 2], [1, 2, 2], scale=1.0), (1, 2, 2)
    p = naive.parameters(machine)
    inside = [[np.array([1, 0]), *alpha] for alpha in naive.representations(machine)]
    outside = [[d, *alpha] for d in inputs_of(machine) for alpha in naive.representations(machine)]
    phases = (
        ("gen", wake_update, inside, naive.surprise, naive.description_length),
        ("rec", sleep_update, outside, naive.description_length, naive.surprise),
    )
    for learning, update, examples, weight, cost in phases:
        shares = np.exp([-weight(p, groups, layers) for layers in examples])
        np.testing.assert_allclose(shares.sum(), 1)
        means = {name: [np.zeros(array.shape) for array in arrays] for name, arrays in p.items()}
        for layers, share in zip(examples, shares, strict=True):
            changed = machine.copy()
            update(changed, layers, 1.0)
            for name, arrays in naive.parameters(changed).items():
                for mean, after, before in zip(means[name], arrays, p[name], strict=True):
                    mean += share * (after - before)
        for name in p:
            for array, mean in zip(p[name], means[name], strict=True):
                for place in np.ndindex(array.shape if name.startswith(learning) else 0):
                    sides = []
                    for step in (1e-5, -2e-5):
                        array[place] += step
                        sides.append(shares @ [cost(p, groups, layers) for layers in examples])
                    array[place] += 1e-5
                    assert mean[place] == pytest.approx((sides[1] - sides[0]) / 2e-5, abs=1e-6)


# Measures.


@enumerated
def test_exact_measures_are_sums_over_all_representations(sizes, groups):
    machine = grouped(sizes, groups)
    p, alphas, x = naive.parameters(machine), naive.representations(machine), inputs_of(machine)
    assert exact.representations(machine).tolist() == [np.concatenate(alpha).tolist() for alpha in alphas]
    found = exact.measures(machine, x)
    np.testing.assert_allclose(np.exp2(-found.neg_log_prob_bits).sum(), 1, rtol=1e-12)
    for row, d in enumerate(x):
        costs = np.array([naive.description_length(p, groups, [d, *alpha]) for alpha in alphas])
        surprises = np.array([naive.surprise(p, groups, [d, *alpha]) for alpha in alphas])
        log_prob, q = np.logaddexp.reduce(-costs), np.exp(-surprises)
        expected = [q @ costs, q @ surprises, q @ (costs - surprises), -log_prob, q @ (costs - surprises) + log_prob]
        np.testing.assert_allclose([bits[row] for bits in found], np.array(expected) / LN2, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(exact.posterior(machine, d)[0], np.exp(-costs - log_prob), rtol=1e-10)
        np.testing.assert_allclose(exact.recognition_distribution(machine, d)[0], q, rtol=1e-10)


@enumerated
def test_exact_measures_of_huge_parameters(sizes, groups):
    machine = grouped(sizes, groups, scale=3000.0)
    p, alphas, x = naive.parameters(machine), naive.representations(machine), inputs_of(machine)
    found = exact.measures(machine, x)
    for row, d in enumerate(x):
        costs = np.array([naive.description_length(p, groups, [d, *alpha]) for alpha in alphas])
        q = np.exp([-naive.surprise(p, groups, [d, *alpha]) for alpha in alphas])
        log_prob = np.logaddexp.reduce(-costs)
        expected = [q @ costs / LN2, -log_prob / LN2, (q @ costs + log_prob) / LN2]
        own = [found.description_length_bits[row], found.neg_log_prob_bits[row]]
        own.append(found.kl_penalty_bits[row] + found.recognition_entropy_bits[row])
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(exact.posterior(machine, d)[0], np.exp(-costs - log_prob), atol=1e-8)


def test_what_has_few_representations_is_enumerated_however_many_units_it_has():
    machine = grouped([4, 300], [1, 300], scale=0.1)
    assert exact.posterior(machine, np.ones(4)).shape == (1, 300)
    # More states than 2**20; and a table of them of as many numbers as 20 binary units have 50 times.
    for n, size in ((63, 3), (33_000, 33_000)):
        with pytest.raises(
            ValueError, match=rf"^Machine\(\[4, {n}\], groups=\[1, {size}\]\) has too many representations"
        ):
            exact.measures(Machine([4, n], [1, size]), np.ones(4))


@pytest.mark.parametrize(("sizes", "groups"), [([3, 6, 4], [1, 3, 2]), ([3, 36], [1, 18]), ([3, 40], [1, 2])], ids=str)
def test_what_is_sampled_costs_what_the_equations_say(sizes, groups):
    """Where recognition leaves no doubt there is nothing to sample."""
    machine = grouped(sizes, groups)
    states = random_states(machine)
    for level, layer in enumerate(states[1:]):
        machine.rec_biases[level] = 300 * layer
    p, d = naive.parameters(machine), states[0]
    found = estimate.measures(machine, d, n_samples=2)
    expected = naive.description_length(p, groups, states) / LN2
    np.testing.assert_allclose([bits[0] for bits in found], expected, rtol=1e-12)


def test_estimates_agree_with_exact_measures():
    """False alarms: < 1e-6."""
    machine = grouped([3, 6, 4], [1, 3, 2], scale=1.0)
    x, n = inputs_of(machine), draws(4000)
    exactly = exact.measures(machine, x)
    found = estimate.measures(machine, np.repeat(x, n, axis=0), n_samples=1, seed=1)
    for name in ("description_length_bits", "free_energy_bits"):
        each = getattr(found, name).reshape(len(x), n)
        z = (each.mean(axis=1) - getattr(exactly, name)) / (each.std(axis=1) / np.sqrt(n))
        assert np.abs(z).max() < 5.6


# What does not know groups says so; what does not ask about units works.


STATES = [[1, 0, 1, 1], [1, 0, 0, 0, 0, 1]]
X = np.eye(4, dtype=np.uint8)
REFUSALS = {
    "compress": lambda m: codec.compress(m, X),
    "compress two-part": lambda m: codec.compress(m, X, method="two-part"),
    "decompress": lambda m: codec.decompress(m, b""),
    "fingerprint": codec.fingerprint,
    "ledger": lambda m: codec.ledger(m, X),
    "gradients enumerated": lambda m: gradients.enumerated(m, X),
    "gradients sampled": lambda m: gradients.sampled(m, X),
    "gradients mean field": lambda m: gradients.mean_field(m, X),
    "mean-field free energy": lambda m: gradients.mean_field_free_energy_bits(m, X),
    "several samples": lambda m: Simulation(m, Images(X), [(9, 0.1)], n_samples=2),
    "importance weights": lambda m: importance_weights(m, [STATES]),
    "reweighted update": lambda m: reweighted_update(m, [STATES], 0.1),
    "learning together": lambda m: Images(X).learn_together(
        [m, m.copy()],
        [0, 1],
        1,
        [np.zeros(1, np.uint64), np.zeros(1, np.uint64)],
        np.float32([0.1, 0.1]),
        np.float32(0),
    ),
    "unit bits": lambda m: unit_bits(m, np.array([[*STATES[0], *STATES[1]]], np.uint8)),
}


@pytest.mark.parametrize("refused", REFUSALS)
def test_what_knows_binary_units_only_refuses_groups(refused):
    machine = grouped([4, 6], [1, 3])
    before = parameter_bits(machine)
    with pytest.raises(
        ValueError, match=r"^Machine\(\[4, 6\], groups=\[1, 3\]\) has softmax groups, and .* binary units"
    ):
        REFUSALS[refused](machine)
    np.testing.assert_array_equal(parameter_bits(machine), before)


def test_pictures_classifiers_and_codewords_ask_nothing_about_units():
    machines = [grouped([4, 6], [1, 3], seed) for seed in range(2)]
    assert plotting.hinton(machines[0], (2, 2)).axes
    readers = fastws.DescriptionLengthClassifier(random_state=0).use_machines(machines, ["a", "b"])
    bits = [exact.description_length_bits(machine, X) for machine in machines]
    clear = np.abs(bits[0] - bits[1]) > 2
    assert clear.any()
    assert (readers.predict(X)[clear] == np.where(bits[0] < bits[1], "a", "b")[clear]).all()
    assert codeword_bits(machines[0], X, 3).shape == (4, 3)


@pytest.mark.long
def test_steps_one_phase_and_rules_of_ones_own_draw_and_learn_as_a_run_does():
    def ends(**keywords):
        return parameter_bits(run_of(grouped([5, 6, 4], [1, 3, 2]), **keywords).advance().machine)

    stepped = run_of(grouped([5, 6, 4], [1, 3, 2]))
    for _ in range(60):
        before = naive.parameters(stepped.machine)
        step = stepped.step()
        for level, p in enumerate(step.generative_probabilities):
            logits = naive.generative_logits(before, step.wake_states, level)
            np.testing.assert_allclose(p, naive.probabilities(logits, (1, 3, 2)[level]), atol=1e-6)
        for level, p in enumerate(step.recognition_probabilities):
            logits = naive.recognition_logits(before, step.sleep_states, level)
            np.testing.assert_allclose(p, naive.probabilities(logits, (3, 2)[level]), atol=1e-6)
    np.testing.assert_array_equal(parameter_bits(stepped.machine), ends())
    np.testing.assert_array_equal(ends(wake_rule=wake_update, sleep_rule=sleep_update), ends())
    machine = grouped([5, 6, 4], [1, 3, 2])
    for phase, kept, learns in (("wake", "rec_biases", "gen_biases"), ("sleep", "gen_biases", "rec_biases")):
        one = machine.copy()
        Simulation(one, OnePhase(Images(np.eye(5)), phase), [(20, 0.1)]).advance()
        assert all(map(np.array_equal, getattr(one, kept), getattr(machine, kept)))
        assert not any(map(np.array_equal, getattr(one, learns), getattr(machine, learns)))


@pytest.mark.long
def test_single_steps_draw_what_representations_do():
    machine, x = grouped([5, 6, 4], [1, 3, 2]), np.array([1, 0, 1, 1, 0])
    p = naive.parameters(machine)
    layers, _ = naive.recognise(p, machine.groups, x, thresholds_of(4, Use.WAKE_STEP, 0, 10))
    assert [states.tolist() for states in wake_step(machine, x, 0.1, 4)] == [states.tolist() for states in layers]
    naive.wake_update(p, machine.groups, layers, [0.1] * 3)
    layers, _ = naive.fantasise(p, machine.groups, thresholds_of(5, Use.SLEEP_STEP, 0, 15))
    assert [states.tolist() for states in sleep_step(machine, 0.1, 5)] == [states.tolist() for states in layers]
    naive.sleep_update(p, machine.groups, layers, [0.1] * 3)
    assert_close(machine, p)


@pytest.mark.long
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize(("sizes", "groups"), [([70, 65, 69], [1, 1, 23]), ([66, 70, 65], [1, 35, 1])], ids=str)
def test_wide_layers_with_groups_between_learn_by_the_equations(sizes, groups, padded, monkeypatch):
    if not padded:
        monkeypatch.setattr("fastws.kernels.layout._SMALL", 0)
        monkeypatch.setattr("fastws.kernels.layout._PADDING", 0.0)
    machine = grouped(sizes, groups, scale=0.3)
    assert isinstance(machine.net.way.binary, Wide)
    assert_run_is_the_equations(run_of(machine, n=20))
