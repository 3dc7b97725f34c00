import gzip
import json
import struct

import numpy as np
import pytest
from PIL import Image

import fastws
from chance import INTERPRETED
from fastws.cli import session
from fastws.cli.words import schedule
from fastws.experiments.training import train
from machines import parameter_bits, random_machine
from test_cli_models import assert_refused, files_in, interrupting

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

# So few images are soon learned by heart.
X = fastws.Bars(4).sample(60, seed=1)
OVERFITTING = ("--data", "x.npy", "--layers", "16,30", "--rates", 0.3, "--sweeps", 400, "--seed", 3)
EARLY = (*OVERFITTING, "--validation", 0.25, "--patience", 8)


@pytest.fixture(autouse=True)
def some_files(run):
    np.save("x.npy", X)
    np.save("grey.npy", X * 100 + 30)
    random_machine([16, 5], seed=1).save("start.npz")


@pytest.fixture
def no_pictures(monkeypatch):
    monkeypatch.setattr("fastws.cli.train._draw", lambda *arguments: [])


def test_images_held_out_stop_it_early_and_the_best_machine_is_kept(run, tmp_path):
    code, out, _ = run("train", *EARLY, "--out", "a")
    assert code == 0
    for words in ("free energy of an image held out", "the machine kept, after examples", "Stopped early: 8 sweeps"):
        assert words in out
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    alone = train(fastws.Machine([16, 30]), X, [(12_000, 0.3)], validation=0.25, patience=8, seed=3)
    np.testing.assert_array_equal(parameter_bits(fastws.Machine.load("a/machine.npz")), parameter_bits(alone.machine))
    expected = alone.result()
    for key in ("kept_at", "examples", "n_held_out", "held_out_free_energy_bits", "free_energy_bits"):
        assert result[key] == expected[key]
    assert result["stopped_early"] is True


def test_what_was_learned_is_drawn(run, tmp_path):
    assert run("train", *EARLY)[0] == 0
    for picture in ("learning-curve", "fantasies"):
        with Image.open(tmp_path / "fastws-train" / f"{picture}.png") as image:
            assert min(image.size) > 300
    text = (tmp_path / "fastws-train" / "learning-curve.svg").read_text()
    for words in ("images held out", "training images", "examples seen", "Dashed: the machine that was kept"):
        assert words in text


def test_an_interrupted_training_with_images_held_out_goes_on_to_the_same_bits(run, monkeypatch, no_pictures):
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
    words = (*OVERFITTING[:-4], "--sweeps", 600, "--validation", 0.25, "--patience", 200)
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting)
        assert run("train", *words, "--out", "a")[0] == session.INTERRUPTED
    code, out, err = run("resume", "a/run.npz", "--json")
    assert code == 0, err
    alone = json.loads(run("train", *words, "--out", "b", "--json")[1])
    without_times = {"seconds": None, "compile_seconds": None}
    assert json.loads(out) | without_times == alone | without_times
    nets = [fastws.Machine.load(f"{folder}/machine.npz") for folder in "ab"]
    np.testing.assert_array_equal(*map(parameter_bits, nets))


def test_it_goes_on_from_a_saved_machine(run, no_pictures):
    before = parameter_bits(fastws.Machine.load("start.npz"))
    words = ("train", "--data", "x.npy", "--resume-from", "start.npz", "--sweeps", 3, "--json")
    code, out, err = run(*words, "--layers", "16,5")
    assert code == 0, err
    machine = fastws.Machine.load("start.npz")
    fastws.Simulation(machine, fastws.Images(X), [(180, 0.01)]).advance()
    found = parameter_bits(fastws.Machine.load("fastws-train/machine.npz"))
    np.testing.assert_array_equal(found, parameter_bits(machine))
    assert not np.array_equal(found, before)
    assert json.loads(out)["layer_sizes"] == [16, 5]
    np.testing.assert_array_equal(parameter_bits(fastws.Machine.load("start.npz")), before)


def test_a_schedule_of_sweeps_and_examples(run, no_pictures):
    words = ("--schedule", "2s:0.1;50:0.1,0.01 1S:0.001", "--layers", "16,5", "--json")
    code, out, err = run("train", "--data", "x.npy", *words)
    assert code == 0, err
    assert json.loads(out)["examples"] == 230
    machine = fastws.Machine([16, 5])
    phases = [(120, 0.1), (50, (0.1, 0.01)), (60, 0.001)]
    fastws.Simulation(machine, fastws.Images(X), phases).advance()
    np.testing.assert_array_equal(
        parameter_bits(fastws.Machine.load("fastws-train/machine.npz")), parameter_bits(machine)
    )


def test_words_of_schedules():
    assert schedule("20s:0.1 100:0.2,0.3", 7, "--schedule") == [(140, [0.1]), (100, [0.2, 0.3])]
    for text in ("", " ; ", "20s", "0:1", "0s:1", "s:1", "-3:1", "1.5s:1", "2x:1", "20s 0.1", ":"):
        with pytest.raises(ValueError, match=r"--schedule .*; give phases such as 20s:0.1"):
            schedule(text, 7, "--schedule")


@pytest.mark.parametrize("rates", ["1e30", "100"])
def test_learning_that_diverges_is_no_result_and_its_state_is_kept(run, tmp_path, rates):
    words = ("--data", "x.npy", "--layers", "16,5", "--rates", rates, "--out", "a", "--sweeps", 10_000)
    code, out, err = run("train", *words)
    assert (code, out) == (2, "")
    assert f"learning diverged at the learning rate {float(rates):g}: after" in err
    assert "The state is kept in a" in err
    assert "Traceback" not in err
    assert files_in(tmp_path / "a") == {"diverged.npz"}
    [simulation], _ = fastws.simulation.load_runs("a/diverged.npz")
    assert 0 < simulation.examples_seen < 60_000
    # It is in nobody's way.
    assert run("train", "--data", "x.npy", "--layers", "16,5", "--sweeps", 1, "--out", "a")[0] == 0


def test_parameters_that_are_no_longer_finite_are_kept_to_be_looked_at(run, monkeypatch, tmp_path):
    def learn(stream, machines, seeds, n_examples, seen, rule):
        machines[0].gen_biases[0][2] = np.nan
        seen[0][0] += np.uint64(n_examples)

    monkeypatch.setattr("fastws.together.learn", learn)
    words = ("--data", "x.npy", "--layers", "16,5", "--out", "a", "--sweeps", 10_000)
    code, out, err = run("train", *words)
    assert (code, out) == (2, "")
    assert "gen_biases[0][2] is nan; every parameter has to be finite" in err
    assert "The state is kept in a" in err
    assert "Traceback" not in err
    with np.load(tmp_path / "a" / "diverged.npz") as kept:
        assert not all(np.isfinite(kept[name]).all() for name in kept if kept[name].dtype == np.float32)
    with pytest.raises(ValueError, match="finite"):
        fastws.simulation.load_runs("a/diverged.npz")


def test_binarise_draws_the_same_pixels_as_the_function(run, no_pictures):
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (20, 4, 4), np.uint8)
    np.save("grey.npy", grey)
    assert run("train", "--data", "grey.npy", "--binarise", 5, "--layers", "16,3", "--sweeps", 3)[0] == 0
    machine = fastws.Machine([16, 3])
    drawn = (np.random.default_rng(5).random(grey.shape) < grey / 255).reshape(20, 16)
    fastws.Simulation(machine, fastws.Images(drawn), [(60, 0.01)]).advance()
    np.testing.assert_array_equal(
        parameter_bits(fastws.Machine.load("fastws-train/machine.npz")), parameter_bits(machine)
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--layers", "16,5", "--threshold", "127"),
            "no pixel lies above the threshold 127, since they run from 0 to 1",
        ),
        (("--layers", "16,5", "--threshold", "-1"), "every pixel lies above the threshold -1"),
        (("--layers", "16,5", "--threshold", "inf"), "above the threshold inf"),
        (("--layers", "16,5", "--data", "grey.npy"), "run from 30 to 130"),
        (("--layers", "16,5", "--data", "grey.npy", "--threshold", "50", "--binarise", "1"), "do not go together"),
        (("--layers", "16,5", "--binarise", "-1"), "--binarise"),
        (("--layers", "16,5", "--key", "z"), "a key goes with .npz and .mat files"),
        (("--layers", "16,5", "--label-column", "first"), "x.npy is not a table"),
        (("--layers", "16,5", "--validation", "0"), "--validation: the part to hold out is 0.0"),
        (("--layers", "16,5", "--validation", "1.5"), "--validation: the part to hold out is 1.5"),
        (("--layers", "16,5", "--validation", "0.001"), "--validation: a part of 0.001 of 60 images is 0"),
        (("--layers", "16,5", "--patience", "3"), "--patience goes with --validation"),
        (("--layers", "16,5", "--validation", "0.1", "--patience", "0"), "--patience"),
        (("--layers", "16,5", "--rates", ""), "--rates is ''; give numbers"),
        (("--layers", "16,5", "--schedule", ""), "--schedule is ''; give phases"),
        (("--layers", "16,5", "--schedule", "9:0.1", "--sweeps", "3"), "leave --rates and --sweeps out"),
        (("--layers", "16,5", "--schedule", "9:0.1", "--rates", "3"), "leave --rates and --sweeps out"),
        (("--layers", "16,5", "--schedule", "9:0.1,x"), "the rates of 9:0.1,x in --schedule is '0.1,x'"),
        (("--layers", "16,5", "--schedule", "9:1,2,3"), "the rates in --schedule has 3 learning rates"),
        (("--layers", "16,5", "--schedule", "9:-1"), "the rates in --schedule[0] is -1"),
        (("--layers", "16,4", "--resume-from", "start.npz"), "--layers is 16,4, but start.npz holds Machine([16, 5])"),
        (("--resume-from", "x.npy"), "x.npy is not a fastws machine file"),
        (("--resume-from", "nowhere.npz"), "nowhere.npz"),
        ((), "--layers is missing; give the units of the layers"),
    ],
)
def test_train_refuses_before_any_work(run, tmp_path, words, complaint):
    given = words if "--data" in words else ("--data", "x.npy", *words)
    assert_refused(run, tmp_path, ("train", *given), complaint)


def test_a_machine_of_other_inputs_is_named(run, tmp_path):
    np.save("wide.npy", np.eye(9))
    words = ("train", "--data", "wide.npy", "--resume-from", "start.npz")
    assert_refused(run, tmp_path, words, "the machine of start.npz has 16 input units; the images have 9 pixels")


def test_mnist_as_it_comes_from_readme_alone(run, tmp_path, no_pictures):
    """Train on a grey IDX file with early stopping, evaluate each image, represent it, and classify new ones."""

    def idx(name, array):
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (tmp_path / name).write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))

    rng = np.random.default_rng(0)
    for name, n in (("train", 60), ("t10k", 30)):
        labels = np.arange(n) % 3
        # A bar a class, with noise.
        images = np.kron(np.eye(3)[labels][:, :, np.newaxis], np.ones((1, 2, 6))) * 200
        idx(f"{name}-images-idx3-ubyte.gz", np.abs(images - 255 * (rng.random(images.shape) < 0.03)))
        idx(f"{name}-labels-idx1-ubyte.gz", labels)
    train_file, test = "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"
    how = ("--threshold", 127)
    words = ("--data", train_file, *how, "--layers", "36,8", "--rates", 0.05, "--validation", 0.2, "--patience", 2)
    code, out, err = run("train", *words)
    assert code == 0, err
    assert "Stopped early" in out
    assert run("evaluate", "fastws-train/machine.npz", test, *how, "--per-image", "bits.csv")[0] == 0
    assert len((tmp_path / "bits.csv").read_text().splitlines()) == 31
    assert run("represent", "fastws-train/machine.npz", test, "hidden.npz", *how)[0] == 0
    words = ("--data", train_file, *how, "--hidden", "4", "--sweeps", 40, "--baselines", "none")
    code, out, err = run("digits", *words, "--json")
    assert code == 0, err
    assert json.loads(out)["n_test"] == 30
    code, out, err = run("classify", "fastws-digits", test, *how, "--json")
    assert code == 0, err
    assert json.loads(out)["error_rate"] < 0.2


def test_several_samples_an_image_in_one_go_or_interrupted(run, monkeypatch, no_pictures):
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
    words = ("--data", "x.npy", "--layers", "16,5", "--rates", 0.05, "--sweeps", 200, "--seed", 3)
    words = (*words, "--samples", 3, "--recognition", "both")
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting)
        assert run("train", *words, "--out", "a")[0] == session.INTERRUPTED
    code, out, err = run("resume", "a/run.npz", "--json")
    assert code == 0, err
    assert {name: json.loads(out)[name] for name in ("n_samples", "recognition")} == {
        "n_samples": 3,
        "recognition": "both",
    }
    machine = fastws.Machine([16, 5])
    how = {"n_samples": 3, "recognition": "both"}
    fastws.Simulation(machine, fastws.Images(X), [(12_000, 0.05)], seed=3, **how).advance()
    np.testing.assert_array_equal(parameter_bits(fastws.Machine.load("a/machine.npz")), parameter_bits(machine))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--samples", 0), "--samples"),
        (("--recognition", "wake"), "give --samples 2 or more"),
        (("--recognition", "both"), "the expected gradient is zero"),
        (("--samples", 5, "--recognition", "dream"), "choose one of sleep, wake, both"),
    ],
)
def test_what_recognition_cannot_learn_from_is_refused(run, tmp_path, words, said):
    assert_refused(run, tmp_path, ["train", "--data", "x.npy", "--layers", "16,5", *words], said)


def test_softmax_groups_in_one_go_or_interrupted(run, monkeypatch, no_pictures):
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
    words = ("train", "--data", "x.npy", "--layers", "16,6", "--groups", "1,3", "--sweeps", 200, "--rates", 0.05)
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting)
        assert run(*words, "--out", "a")[0] == session.INTERRUPTED
    code, out, err = run("resume", "a/run.npz", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["layer_sizes"], result["groups"]) == ([16, 6], [1, 3])
    machine = fastws.Machine([16, 6], [1, 3])
    fastws.Simulation(machine, fastws.Images(X), [(12_000, 0.05)]).advance()
    assert fastws.Machine.load("a/machine.npz").groups == (1, 3)
    np.testing.assert_array_equal(parameter_bits(fastws.Machine.load("a/machine.npz")), parameter_bits(machine))
    code, _, err = run("train", "--data", "x.npy", "--resume-from", "a/machine.npz", "--groups", "1,2")
    assert (code, "leave --groups out" in err) == (2, True)
    assert run("train", "--data", "x.npy", "--resume-from", "a/machine.npz", "--sweeps", 1, "--out", "c")[0] == 0
    assert fastws.Machine.load("c/machine.npz").groups == (1, 3)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("1,4", "--groups[1] is 4, which does not divide the 6 units of layer 1"),
        ("2,3", "--groups[0] is 2; input units are binary"),
        ("3", "--groups has 1 sizes of groups; the machine has 2 layers"),
        ("1,x", "--groups is '1,x'; give whole numbers"),
    ],
)
def test_groups_that_cannot_be_are_refused(run, tmp_path, groups, said):
    assert_refused(run, tmp_path, ("train", "--data", "x.npy", "--layers", "16,6", "--groups", groups), said)


def test_several_samples_refuse_groups(run, tmp_path):
    words = ("train", "--data", "x.npy", "--layers", "16,6", "--groups", "1,3", "--samples", 2)
    assert_refused(run, tmp_path, words, "has softmax groups, and --samples 2 or more knows binary units only")
