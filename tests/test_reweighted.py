"""Reweighted wake-sleep: weights, updates and runs of several samples against an oracle, enumeration and wake-sleep."""

import json

import numpy as np
import pytest

import fastws
import reweighting as oracle
from chance import INTERPRETED
from fastws import history
from fastws.checks import NotFiniteError
from fastws.kernels import rules as kernels
from fastws.kernels.layout import is_padded
from fastws.kernels.types import Narrow, Rule, Wide
from fastws.learning import learn, prepare, sources
from fastws.machine import Machine
from fastws.reweighted import Sampling, importance_weights, reweighted_update
from fastws.simulation import Simulation, advance_together, load_runs, save_runs
from fastws.streams import Bars, Images, OnePhase
from machines import parameter_bits, random_machine
from test_step import Halved, Rows

RATES = (0.2, 0.1, 0.3, 0.05)
# Wide layers are compiled anew.
SHAPES = [(4, 1), (9, 18, 2), (4, 2, 17, 3), pytest.param((70, 66, 3), marks=pytest.mark.long)]
STREAMS = [(Bars(3), (9, 5, 2)), pytest.param(Rows(70), (70, 66, 3), marks=pytest.mark.long)]
# Rows of these are not padded, and the connection is narrow, or wide.
NOT_PADDED = [(9000, 17), (4000, 65)]
UNPADDED = [pytest.param(sizes, marks=pytest.mark.long) for sizes in NOT_PADDED]
SEVERAL = {"n_samples": 3, "recognition": "both"}


def random_samples(layer_sizes, n_samples, seed=0):
    """Return samples of one input, as a user has them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, layer_sizes[0], np.uint8)
    return [[x, *(rng.integers(0, 2, n, np.uint8) for n in layer_sizes[1:])] for _ in range(n_samples)]


def small_machine(layer_sizes, seed=0):
    """Return a machine of which no sample has all the weight, however many units there are."""
    machine = random_machine(layer_sizes, seed)
    for array in (*machine.gen_weights, *machine.rec_weights, *machine.gen_biases, *machine.rec_biases):
        array *= 1 / (3 * np.sqrt(max(layer_sizes)))
    return machine


def bits_of(run):
    return parameter_bits(run.machine).tolist()


def assert_close(machine, expected, atol=2e-6):
    for name in oracle.NAMES:
        for found, right in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(found, right, rtol=0, atol=atol)


@pytest.mark.parametrize("n_samples", [1, 2, 16, 17])
@pytest.mark.parametrize("layer_sizes", [(4, 1), (9, 18, 2)])
def test_weights_are_the_oracles_and_sum_to_one(layer_sizes, n_samples):
    machine, samples = random_machine(layer_sizes), random_samples(layer_sizes, n_samples)
    found = importance_weights(machine, samples)
    assert found.shape == (n_samples,)
    assert abs(found.sum() - 1) < 1e-14
    right = oracle.softmax(oracle.log_weights(oracle.doubles(machine), samples))
    np.testing.assert_allclose(found, right, rtol=1e-4)


def test_weights_are_equal_where_recognition_is_the_posterior():
    """With one hidden unit the posterior is logistic."""
    machine = random_machine((5, 1))
    b, w = machine.gen_biases[0].astype(float), machine.gen_weights[0][0].astype(float)
    machine.rec_weights[0][:, 0] = w
    machine.rec_biases[0][:] = machine.gen_biases[1] - (np.logaddexp(0, b + w) - np.logaddexp(0, b)).sum()
    x = [1, 0, 1, 1, 0]
    np.testing.assert_allclose(importance_weights(machine, [[x, [0]], [x, [1]], [x, [1]]]), 1 / 3, rtol=1e-5)
    machine.rec_biases[0][:] += 1
    assert np.ptp(importance_weights(machine, [[x, [0]], [x, [1]]])) > 0.1


def test_a_sample_that_generation_cannot_explain_has_no_weight():
    machine = Machine([2, 1])
    machine.gen_weights[0][:] = -2000
    assert importance_weights(machine, [[[1, 1], [0]], [[1, 1], [1]]]).tolist() == [1, pytest.approx(0, abs=1e-300)]


@pytest.mark.parametrize("recognition", [False, True])
@pytest.mark.parametrize("layer_sizes", [*SHAPES, *([] if INTERPRETED else UNPADDED)])
def test_an_update_is_the_oracles(layer_sizes, recognition):
    machine, samples, rates = small_machine(layer_sizes), random_samples(layer_sizes, 3), RATES[: len(layer_sizes)]
    wide = layer_sizes in NOT_PADDED or min(layer_sizes[:2]) >= 64
    assert isinstance(machine.net.way, Wide if wide else Narrow)
    assert is_padded(machine.net.recognition) != (layer_sizes in NOT_PADDED)
    expected = oracle.updated(machine, samples, rates, recognition)
    before = machine.copy()
    weights = reweighted_update(machine, samples, rates, recognition)
    assert weights.tolist() == importance_weights(before, samples).tolist()
    assert weights.max() < 0.99
    assert_close(machine, expected)
    assert (parameter_bits(machine) != parameter_bits(before)).any()


@pytest.mark.parametrize("layer_sizes", SHAPES)
@pytest.mark.parametrize("nonnegative", [False, True])
def test_one_sample_learns_by_eq_4_to_the_bit(layer_sizes, nonnegative):
    machine, [sample], rates = random_machine(layer_sizes), random_samples(layer_sizes, 1), RATES[: len(layer_sizes)]
    expected = machine.copy()
    fastws.wake_update(expected, sample, rates, nonnegative)
    assert reweighted_update(machine, [sample], rates, nonnegative_input_weights=nonnegative).tolist() == [1]
    assert parameter_bits(machine).tolist() == parameter_bits(expected).tolist()


@pytest.mark.long
def test_wide_layers_learn_as_narrow_ones_do(monkeypatch):
    machine, samples = random_machine((70, 66, 3)), random_samples((70, 66, 3), 4)
    other = machine.copy()
    weights = reweighted_update(machine, samples, 0.1, recognition=True)
    net = Machine.net.fget
    monkeypatch.setattr(Machine, "net", property(lambda self: net(self)._replace(way=Narrow())))
    assert reweighted_update(other, samples, 0.1, recognition=True).tolist() == weights.tolist()
    for name in oracle.NAMES:
        for found, right in zip(getattr(machine, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(found, right)


def test_input_weights_stay_at_zero_or_above():
    machine, samples = random_machine((70, 66, 3)), random_samples((70, 66, 3), 4)
    expected = machine.copy()
    expected.clip_input_weights()
    reweighted_update(machine, samples, 5.0, nonnegative_input_weights=True)
    reweighted_update(expected, samples, 5.0)
    assert (expected.gen_weights[0] < 0).any()
    expected.clip_input_weights()
    for name in oracle.NAMES:
        for found, right in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("layer_sizes", [(2, 2), (3, 1, 2)])
def test_the_expected_update_is_the_gradient_of_the_bound(layer_sizes):
    machine, x, n_samples = random_machine(layer_sizes), [1, 0, 1][: layer_sizes[0]], 2
    choices = list(oracle.choices(machine, layer_sizes, x, n_samples))
    assert sum(probability for _, probability in choices) == pytest.approx(1)
    expected = {name: [np.zeros(a.shape) for a in getattr(machine, name)] for name in ("gen_weights", "gen_biases")}
    for samples, probability in choices:
        after = machine.copy()
        reweighted_update(after, samples, 1.0)
        for name, sums in expected.items():
            for total, new, old in zip(sums, getattr(after, name), getattr(machine, name), strict=True):
                total += probability * (new.astype(float) - old)
    for name, sums in expected.items():
        for level, found in enumerate(sums):
            for place in np.ndindex(found.shape):
                sides = []
                for step in (1e-4, -1e-4):
                    moved = oracle.doubles(machine)
                    getattr(moved, name)[level][place] += step
                    sides.append(oracle.bound(moved, choices))
                assert found[place] == pytest.approx((sides[0] - sides[1]) / 2e-4, abs=1e-5)


def test_relabelling_samples_changes_nothing_but_rounding():
    machine, samples = random_machine((9, 5, 2)), random_samples((9, 5, 2), 5)
    other = machine.copy()
    weights = reweighted_update(machine, samples, 0.3, recognition=True)
    turned = reweighted_update(other, samples[::-1], 0.3, recognition=True)
    np.testing.assert_allclose(turned[::-1], weights, rtol=1e-13)
    assert_close(other, machine)


def new_run(stream=None, sizes=(9, 5, 2), seed=3, nonnegative=True, **how):
    rates = RATES[: len(sizes)]
    schedule = [(20, rates), (10, 0.1)]
    return Simulation(random_machine(sizes, seed), stream or Bars(3), schedule, nonnegative, seed, **how)


@pytest.mark.parametrize(("stream", "sizes"), STREAMS)
def test_learning_from_one_sample_is_wake_sleep_to_the_bit(stream, sizes):
    machine, rule = random_machine(sizes), Rule(np.float32(RATES[: len(sizes)]), np.float32(-np.inf))
    expected, seen, seen_by_other = machine.copy(), np.zeros(1, np.uint64), np.zeros(1, np.uint64)
    learn(stream, [expected], [4], 30, [seen], rule)
    Sampling(machine, 1, "sleep").learn(stream, machine, 4, 30, seen_by_other, rule)
    assert parameter_bits(machine).tolist() == parameter_bits(expected).tolist()
    assert seen_by_other.tolist() == seen.tolist() == [30]


def replayed(run, n_examples):
    """Return the machine of a run after so many examples, by draws one by one and by updates from given states."""
    machine, seen = run.machine.copy(), np.zeros(1, np.uint64)
    n_layers, n_different = len(machine.layer_sizes), 0
    for example in range(n_examples):
        rates = RATES[:n_layers] if example < 20 else 0.1
        net, draws, room = prepare(run.stream, [machine], [run.seed], run.n_samples)
        n_hidden = sum(machine.layer_sizes[1:])
        assert draws.an_example == draws.an_input + (run.n_samples + 1) * n_hidden + machine.layer_sizes[0]
        if run.nonnegative_input_weights:
            machine.clip_input_weights()
        [(source, _)] = sources(run.stream, machine, [run.seed], 1, seen)
        draw = kernels.draw_block(source, draws, room, 1, seen[0]) + draws.an_input
        samples = []
        for _ in range(run.n_samples):
            draw = kernels.recognise(net, room, 0, draw)
            samples.append([room.states[l, :n].astype(np.uint8) for l, n in enumerate(machine.layer_sizes)])
        n_different += any((layer != samples[0][l]).any() for sample in samples for l, layer in enumerate(sample))
        learns = run.recognition != "sleep"
        reweighted_update(machine, samples, rates, learns, run.nonnegative_input_weights)
        if run.recognition != "wake":
            kernels.fantasise(net, room, draw)
            fantasy = [room.states[l, :n].astype(np.uint8) for l, n in enumerate(machine.layer_sizes)]
            fastws.sleep_update(machine, fantasy, rates)
        seen[0] += np.uint64(1)
    assert n_different > n_examples / 2
    return machine


@pytest.mark.parametrize("recognition", ["sleep", "wake", "both"])
@pytest.mark.parametrize(("stream", "sizes"), STREAMS)
def test_a_run_is_one_update_after_the_other(stream, sizes, recognition):
    run = new_run(stream, sizes, n_samples=3, recognition=recognition)
    expected = replayed(run, 25)
    assert bits_of(run.advance(25)) == parameter_bits(expected).tolist()


IMAGES = Images(np.random.default_rng(0).integers(0, 2, (7, 9), np.uint8))


@pytest.mark.parametrize("stream", [Bars(3), pytest.param(IMAGES, marks=pytest.mark.long), Rows(9)])
def test_cut_saved_and_loaded_runs_give_the_same_bits(stream, tmp_path):
    whole = new_run(stream, **SEVERAL).advance()
    run = new_run(stream, **SEVERAL).advance(7)
    run.save(tmp_path / "run.npz")
    loaded = Simulation.load(tmp_path / "run.npz", stream if isinstance(stream, Rows) else None)
    assert (loaded.n_samples, loaded.recognition, loaded.examples_seen) == (3, "both", 7)
    for part in (run, loaded):
        assert bits_of(part.advance(1).advance(15).advance()) == bits_of(whole)


def test_every_way_of_recognition_is_another_one():
    every = [new_run().advance(), new_run(n_samples=3).advance()]
    every += [new_run(n_samples=3, recognition=word).advance() for word in ("wake", "both")]
    assert len({tuple(bits_of(run)) for run in every}) == 4


def test_history_and_branches_learn_from_as_many_samples():
    whole = new_run(**SEVERAL).advance()
    kept = history.History(new_run(**SEVERAL)).advance(20)
    earlier = kept.at(9)
    assert (earlier.n_samples, earlier.recognition) == (3, "both")
    assert bits_of(earlier.advance()) == bits_of(whole)
    assert bits_of(history.branch(kept.simulation).advance()) == bits_of(whole)


def test_side_by_side_runs_learn_one_by_one():
    runs = [new_run(seed=seed, **SEVERAL) for seed in range(10)]
    advance_together(runs)
    assert [bits_of(run) for run in runs] == [bits_of(new_run(seed=seed, **SEVERAL).advance()) for seed in range(10)]


def test_what_it_says_of_itself():
    run = new_run(**SEVERAL)
    assert "n_samples=3, recognition='both', seed 3" in repr(run)
    assert "n_samples=3" in run._repr_html_()
    assert "n_samples" not in repr(new_run())
    assert (new_run().n_samples, new_run().recognition) == (1, "sleep")


def metadata_of(path):
    with np.load(path) as arrays:
        return json.loads(arrays["metadata"].tobytes())


def test_files_of_one_sample_are_what_they_were(tmp_path):
    save_runs(tmp_path / "old.npz", [new_run()])
    save_runs(tmp_path / "new.npz", [new_run(**SEVERAL)])
    [old], [new] = (metadata_of(tmp_path / name)["runs"] for name in ("old.npz", "new.npz"))
    assert set(new) - set(old) == set(SEVERAL)
    assert {name: new[name] for name in SEVERAL} == SEVERAL


@pytest.mark.parametrize("damage", [{"n_samples": 0}, {"n_samples": "many"}, {"recognition": "dream"}])
def test_a_damaged_file_is_explained(damage, tmp_path, monkeypatch):
    run = new_run(**SEVERAL)
    monkeypatch.setattr(run._other, "names", lambda: SEVERAL | damage)
    run.save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="is damaged"):
        load_runs(tmp_path / "run.npz")


def test_parameters_that_are_not_finite_are_an_error():
    run = new_run(n_samples=2)
    run.machine.gen_biases[0][0] = np.nan
    with pytest.raises(NotFiniteError):
        run.advance()


@pytest.mark.skipif(INTERPRETED, reason="NumPy warns of what is no number")
def test_parameters_that_grow_beyond_all_numbers_end_learning():
    with pytest.raises(NotFiniteError):
        Simulation(random_machine([9, 4, 2]), Bars(3), [(1000, (0.5, 3e38, 0.25))], n_samples=2).advance()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"n_samples": 0}, "n_samples is 0; it must be at least 1"),
        ({"n_samples": 2.5}, "n_samples is 2.5; give a whole number"),
        ({"n_samples": True}, "n_samples is True; give a whole number"),
        ({"recognition": "wake"}, "expected gradient is zero. Give n_samples=2 or more"),
        ({"recognition": "both", "n_samples": 1}, "expected gradient is zero. Give n_samples=2 or more"),
        ({"recognition": "dream", "n_samples": 2}, "recognition is 'dream'; it learns from fantasies"),
        ({"recognition": None}, "recognition is None; it learns from fantasies"),
        ({"recognition": ["wake"]}, r"recognition is \['wake'\]; it learns from fantasies"),
        ({"n_samples": 2, "wake_rule": fastws.wake_update}, "the wake rule wake_update learns from one sample; leave"),
        ({"n_samples": 2, "stream": OnePhase(Bars(3), "wake")}, "has a `learn` of its own"),
        ({"n_samples": 2, "stream": Halved(3)}, "has a `learn` of its own"),
    ],
)
def test_mistakes_are_explained_before_any_work(how, words):
    with pytest.raises(ValueError, match=words):
        new_run(**how)


def test_a_step_of_several_samples_is_refused():
    run = new_run(n_samples=2)
    with pytest.raises(ValueError, match="learns from 2 samples an example"):
        run.step()
    assert run.examples_seen == 0


@pytest.mark.parametrize("function", [importance_weights, lambda *what: reweighted_update(*what, 0.1)])
def test_samples_that_do_not_fit_are_explained(function):
    machine, x = Machine([3, 2]), [1, 0, 1]
    for samples, words in [
        ([], "samples is empty"),
        ([[x, [0, 1]], [x]], r"samples\[1\] has 1 layers"),
        ([[x, [0, 1]], [x, [0, 1, 1]]], r"samples\[1\]\[1\] has shape \(3,\)"),
        ([[x, [0, 2]]], r"samples\[0\]\[1\]"),
        ([[x, [0, 1]], [[1, 1, 1], [0, 1]]], r"samples\[1\]\[0\] is another input"),
    ]:
        with pytest.raises(ValueError, match=words):
            function(machine, samples)


def test_one_sample_teaches_recognition_nothing():
    with pytest.raises(ValueError, match="expected gradient is zero"):
        reweighted_update(Machine([3, 2]), [[[1, 0, 1], [0, 1]]], 0.1, recognition=True)
