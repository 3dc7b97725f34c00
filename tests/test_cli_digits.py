import json
import os
from contextlib import contextmanager

import numpy as np
import pytest
import sklearn.datasets
import sklearn.neighbors
import sklearn.neural_network

import fastws
from chance import INTERPRETED
from fastws.cli import session
from fastws.experiments import digits as experiment
from machines import parameter_bits

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

PICTURES = ("fig2-digits", "description-length", "confusion", "misread")
KEYS = {
    "error_rate",
    "free_energy_error_rate",
    "nearest_neighbour_error",
    "backprop_error",
    "n_train",
    "n_test",
    "confusion",
    "seconds",
    "mean_description_length_bits",
    "seed",
    "data",
    "importance_error_rate",
    "sweeps",
    "error_by_class",
    "compile_seconds",
}
# Few sweeps misread a few of these, so that there is something to draw.
QUICK = ("--sweeps", 3, "--hidden", "4,2")


@pytest.fixture(autouse=True)
def small_grid(monkeypatch):
    monkeypatch.setattr(experiment, "BACKPROP_HIDDEN", (4,))
    monkeypatch.setattr(experiment, "BACKPROP_DECAYS", (0.1, 1.0))
    monkeypatch.setattr(experiment, "BACKPROP_SWEEPS", 2)


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave out what takes the most time, where a test is about something else."""
    monkeypatch.setattr("fastws.cli.digits._draw", lambda *arguments: [])


def some_digits(n=30, labels=(1, 2, 8)):
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    order = [np.flatnonzero(y == label)[: 2 * n] for label in labels]
    train, test = (np.concatenate([own[part] for own in order]) for part in (slice(n), slice(n, 2 * n)))
    return {"x_train": x[train] > 8, "y_train": y[train], "x_test": x[test] > 8, "y_test": y[test]}


@pytest.fixture
def small(tmp_path):
    """Return a file of 90 images to learn from and 90 to test on; it is not in the folder that commands run in."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    np.savez(folder / "small.npz", **some_digits())
    return folder / "small.npz"


def files_in(folder):
    return {path.name for path in folder.iterdir()}


# What a run prints and leaves.


def test_the_bundled_digits_make_a_table_beside_the_paper_and_the_files(run, tmp_path):
    code, out, _ = run("digits", *QUICK)
    assert code == 0
    text = " ".join(out.split())
    for words in ("Figure 2", "on above 8 of 16", "95 % interval", "paper", "4.8%", "6.7%", "5.6%", "free energy"):
        assert words in text
    for words in ("nearest neighbour", "all chosen on the test data", "Misread by class: 0 ", "fastws-digits/"):
        assert words in text
    pictures = {f"{picture}.{suffix}" for picture in PICTURES for suffix in ("png", "svg")}
    machines = {f"machine-{digit}.npz" for digit in range(10)}
    assert files_in(tmp_path / "fastws-digits") == pictures | machines | {"result.json"}
    assert fastws.Machine.load("fastws-digits/machine-7.npz").layer_sizes == (64, 4, 2)
    assert all(name in out for name in ("machine-0.npz", "fig2-digits.png", "misread.svg", "result.json"))


def test_json_is_one_object_and_what_the_file_holds(run, small, tmp_path):
    code, out, _ = run("digits", "--data", small, *QUICK, "--seed", 3, "--json", "--out", "here")
    result = json.loads(out)
    assert code == 0
    assert len(out.splitlines()) == 1
    assert set(result) == KEYS
    assert (result["seed"], result["data"], result["sweeps"]) == (3, "small.npz", 3)
    assert (result["n_train"], result["n_test"]) == (90, 90)
    assert [sum(row) for row in result["confusion"]] == [30, 30, 30]
    wrong = 90 - sum(row[k] for k, row in enumerate(result["confusion"]))
    assert result["error_rate"] == pytest.approx(wrong / 90)
    assert list(result["error_by_class"]) == ["1", "2", "8"]
    assert result == json.loads((tmp_path / "here" / "result.json").read_text())
    again = json.loads(run("digits", "--data", small, *QUICK, "--seed", 3, "--json", "--out", "there")[1])
    for key in KEYS - {"seconds", "compile_seconds"}:
        assert result[key] == again[key]


def test_options_reach_the_run(run, small, no_pictures):
    grey = dict(np.load(small))
    for name in ("x_train", "x_test"):
        grey[name] = grey[name] * 0.3 + 0.1
    np.savez("grey.npz", **grey)
    assert run("digits", "--data", "grey.npz", "--threshold", 0.2, "--hidden", "5", "--sweeps", 4, "--seed", 2)[0] == 0
    data = some_digits()
    classifier = fastws.DescriptionLengthClassifier((5,), sweeps=4, random_state=2)
    classifier.fit(data["x_train"], data["y_train"])
    for label, machine in zip((1, 2, 8), classifier.machines_, strict=True):
        saved = fastws.Machine.load(f"fastws-digits/machine-{label}.npz")
        np.testing.assert_array_equal(parameter_bits(saved), parameter_bits(machine))


def test_threshold_of_the_bundled_digits(run, no_pictures):
    result = json.loads(run("digits", *QUICK, "--threshold", 5, "--json")[1])
    assert result["data"] == "scikit-learn's digits, on above 5 of 16"
    assert (result["n_train"], result["n_test"]) == (1200, 597)


def test_nothing_misread_leaves_no_picture_of_it(run, tmp_path):
    rng = np.random.default_rng(0)
    x = np.repeat([[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]], 20, axis=0) ^ (rng.random((40, 8)) < 0.05)
    y = np.repeat([0, 1], 20)
    np.savez("easy.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    result = json.loads(run("digits", "--data", "easy.npz", "--sweeps", 100, "--hidden", "2", "--json")[1])
    assert result["error_rate"] == 0
    assert "misread.png" not in files_in(tmp_path / "fastws-digits")
    assert "fig2-digits.png" in files_in(tmp_path / "fastws-digits")


def test_classes_of_any_size_and_images_of_any_shape(run, tmp_path):
    """One row of pixels an image; one image of a class and one sweep leave little to draw."""
    rng = np.random.default_rng(0)
    y = np.repeat([-1, 3], [1, 40])
    np.savez("odd.npz", x_train=rng.integers(0, 2, (41, 7)), y_train=y, x_test=rng.integers(0, 2, (41, 7)), y_test=y)
    code, _, err = run("digits", "--data", "odd.npz", "--sweeps", 1, "--hidden", "2")
    assert code == 0, err
    assert {"machine--1.npz", "machine-3.npz", "description-length.png"} <= files_in(tmp_path / "fastws-digits")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["a", "b_1", "ü"], ["a", "b_1", "ü"]),
        (["../../out", "b", "c"], ["out.0", "b", "c"]),
        (["/etc/x", "b", "c"], ["etc_x.0", "b", "c"]),
        (["a" * 300, "b", ""], ["a" * 40 + ".1", "b", "class.0"]),
        (["a", "A", "CON"], ["a.2", "A.0", "CON.1"]),
    ],
)
def test_labels_do_not_choose_where_files_go(run, no_pictures, tmp_path, labels, names):
    data = some_digits(10)
    order = dict(zip((1, 2, 8), labels, strict=True))
    for name in ("y_train", "y_test"):
        data[name] = np.array([order[label] for label in data[name]])
    np.savez("set.npz", **data)
    code, out, err = run("digits", "--data", "set.npz", *QUICK, "--json", "--out", "a/b/c")
    assert code == 0, err
    assert set(json.loads(out)["error_by_class"]) == set(labels)
    assert files_in(tmp_path / "a/b/c") == {f"machine-{name}.npz" for name in names} | {"result.json"}
    for label, name in zip(labels, names, strict=True):
        assert fastws.Machine.load(tmp_path / f"a/b/c/machine-{name}.npz").label == label
    assert files_in(tmp_path) == {"a", "set.npz"}


# Interruption.


def interrupting(wanted):
    """Return a stand-in for the progress bar: press Ctrl-C as soon as something was done where the label is this."""

    @contextmanager
    def bar(label, total, already=0):
        def show(count):
            if label.startswith(wanted) and count > already:
                raise KeyboardInterrupt

        yield show

    return bar


@pytest.mark.long
@pytest.mark.parametrize("place", ["Learning", "Backpropagation"])
def test_an_interrupted_run_resumes_to_the_same_nets(run, small, monkeypatch, tmp_path, place):
    words = ("--data", os.path.relpath(small), "--hidden", "16,4", "--sweeps", 1500)
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.01)
    with monkeypatch.context() as patched:
        for module in ("session", "digits"):
            patched.setattr(f"fastws.cli.{module}.progress_bar", interrupting(place))
        code, out, err = run("digits", *words, "--out", "a")
    assert code == session.INTERRUPTED
    assert out == ""
    assert f"fastws resume {os.path.join('a', 'run.npz')}" in err
    # What has learned is on disk.
    machines = {f"machine-{label}.npz" for label in (1, 2, 8)} if place != "Learning" else set()
    assert files_in(tmp_path / "a") == {"run.npz"} | machines
    runs, _ = fastws.simulation.load_runs("a/run.npz")
    unfinished = [run.examples_seen < run.total_examples for run in runs]
    assert any(unfinished) == (place == "Learning")

    code, _, err = run("digits", *words, "--out", "a")
    assert code == 2
    assert "interrupted run" in err

    # From another folder, too.
    monkeypatch.chdir(tmp_path / "elsewhere")
    code, resumed, err = run("resume", tmp_path / "a" / "run.npz", "--json")
    assert code == 0, err
    monkeypatch.chdir(tmp_path)
    assert "run.npz" not in files_in(tmp_path / "a")
    _, alone, _ = run("digits", *words, "--json", "--out", "b")
    resumed, alone = json.loads(resumed), json.loads(alone)
    assert set(resumed) == KEYS
    for key in KEYS - {"seconds", "compile_seconds"}:
        assert resumed[key] == alone[key]
    for label in (1, 2, 8):
        nets = [fastws.Machine.load(f"{folder}/machine-{label}.npz") for folder in "ab"]
        np.testing.assert_array_equal(*map(parameter_bits, nets))
    # The curves, too.
    assert (tmp_path / "a/description-length.png").read_bytes() == (tmp_path / "b/description-length.png").read_bytes()


def test_baselines_go_on_where_they_were(run, small, no_pictures, monkeypatch):
    """Nets that are done, and images that are compared, are not done again."""
    monkeypatch.setattr(experiment, "_COMPARED_AT_ONCE", 90 * 64 * 20)
    words = ("digits", "--data", small, *QUICK, "--seed", 3)
    compared, trained = [], []

    class Neighbours(sklearn.neighbors.KNeighborsClassifier):
        def predict(self, x):
            compared.append(len(x))
            return super().predict(x)

    class Net(sklearn.neural_network.MLPClassifier):
        def __init__(self, hidden_layer_sizes=(), alpha=0.0, batch_size=1, random_state=0):
            trained.append(alpha)
            super().__init__(hidden_layer_sizes, alpha=alpha, batch_size=batch_size, random_state=random_state)

    monkeypatch.setattr(sklearn.neighbors, "KNeighborsClassifier", Neighbours)
    monkeypatch.setattr(sklearn.neural_network, "MLPClassifier", Net)
    alone = json.loads(run(*words, "--json", "--out", "b")[1])
    assert (compared, sorted(trained)) == ([20, 20, 20, 20, 10], [0.1, 1.0])
    compared.clear()
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.digits.progress_bar", interrupting("Nearest"))
        assert run(*words, "--out", "a")[0] == session.INTERRUPTED
    assert compared == [20]
    trained.clear()
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.digits.progress_bar", interrupting("Backpropagation"))
        patched.setattr(experiment, "side_by_side", one_after_the_other)
        assert run("resume", "a/run.npz")[0] == session.INTERRUPTED
    assert compared == [20, 20, 20, 20, 10]
    assert trained == [0.1]
    resumed = json.loads(run("resume", "a/run.npz", "--json")[1])
    assert compared == [20, 20, 20, 20, 10]
    assert trained == [0.1, 1.0]
    without_times = {"seconds": None, "compile_seconds": None}
    assert resumed | without_times == alone | without_times


def one_after_the_other(tasks, n_threads=None, watch=None):
    """Stand in for `side_by_side`, with a look between two tasks."""
    results = []
    for task in tasks:
        results.append(task(lambda _: None))
        watch()
    return results


@pytest.mark.parametrize(
    ("wanted", "left_out"), [("none", ["nearest_neighbour", "backprop"]), ("nearest", ["backprop"]), ("all", [])]
)
def test_baselines_that_are_left_out_are_said_to_be(run, small, no_pictures, wanted, left_out):
    code, out, err = run("digits", "--data", small, *QUICK, "--baselines", wanted)
    assert code == 0
    text = " ".join(out.split())
    assert ("Left out, as --baselines has it: " in text) == bool(left_out)
    assert ("Left out, as --baselines has it: nearest neighbours and backpropagation." in text) == (wanted == "none")
    assert ("The best supervised net" in text) == (wanted == "all")
    assert ("nearest neighbours will take about 1 s" in err) == (wanted != "none")
    result = json.loads(run("digits", "--data", small, *QUICK, "--baselines", wanted, "--json")[1])
    assert set(result) == KEYS
    assert [key for key in ("nearest_neighbour", "backprop") if result[f"{key}_error"] is None] == left_out


def test_what_takes_long_is_left_out_unless_asked_for_and_the_estimate_is_printed(run, small, no_pictures, monkeypatch):
    for seconds, said in ((61, "about 61 s"), (600, "about 10 minutes"), (1e5, "about 28 hours")):
        monkeypatch.setattr(experiment, "baseline_seconds", lambda _, s=seconds: {"nearest": 70, "backprop": s})
        code, out, err = run("digits", "--data", small, *QUICK, "--json")
        assert (code, json.loads(out)["backprop_error"]) == (0, None)
        assert f"is left out: it would take {said} on two cores. --baselines all does it." in err
        assert "the nearest neighbours will take about 70 s." in err
    result = json.loads(run("digits", "--data", small, *QUICK, "--baselines", "all", "--json")[1])
    assert result["backprop_error"] is not None


def test_machines_are_saved_before_anything_else_is_done(run, small, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise ValueError("the reading failed")

    monkeypatch.setattr(experiment, "read", fail)
    assert run("digits", "--data", small, *QUICK)[0] == 2
    assert files_in(tmp_path / "fastws-digits") == {f"machine-{label}.npz" for label in (1, 2, 8)}


def test_learning_that_diverges_is_no_result(run, small, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "fastws.experiments.digits.DescriptionLengthClassifier",
        lambda *words, **more: fastws.DescriptionLengthClassifier(*words, **more, learning_rate=1e30),
    )
    code, out, err = run("digits", "--data", small, *QUICK)
    assert (code, out) == (2, "")
    assert "learning diverged at the learning rate 1e+30: after" in err
    assert "The state is kept in fastws-digits" in err
    assert files_in(tmp_path / "fastws-digits") == {"diverged.npz"}


def test_own_labelled_images_of_any_format(run, tmp_path, no_pictures):
    data = some_digits()
    rows = np.column_stack(
        [np.concatenate([data["y_train"], data["y_test"]]), np.concatenate([data["x_train"], data["x_test"]])]
    )
    np.savetxt("set.csv", rows, fmt="%d", delimiter=",")
    code, out, err = run("digits", "--data", "set.csv", "--label-column", "first", *QUICK, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["n_train"], result["n_test"], result["data"]) == (120, 60, "set.csv, a third held out to test on")
    assert list(result["error_by_class"]) == ["1", "2", "8"]


def test_resuming_with_other_data_is_an_error(run, small, no_pictures, monkeypatch, tmp_path):
    words = ("digits", "--data", small, "--sweeps", 5, "--out", "a")
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting("Learning"))
        assert run(*words)[0] == session.INTERRUPTED
    data = some_digits()
    np.savez(small, **{**data, "x_train": data["x_train"][:, ::-1]})
    code, _, err = run("resume", "a/run.npz")
    assert code == 2
    assert "small.npz has other training images than when the run began" in err
    small.unlink()
    code, _, err = run("resume", "a/run.npz")
    assert code == 2
    assert "small.npz" in err
    assert files_in(tmp_path / "a") == {"run.npz"}
    np.savez(small, **data)
    assert run("resume", "a/run.npz")[0] == 0


# The user's mistakes.


def write_bad(name, **changes):
    content = {**some_digits(5), **changes}
    np.savez(name, **{key: array for key, array in content.items() if array is not None})


BAD = {
    "grey.npz": ({"x_train": np.full((15, 64), 0.3)}, "x_train[0, 0] is 0.3"),
    "missing.npz": ({"y_test": None}, "missing.npz has no y_test"),
    "count.npz": ({"y_train": np.zeros(3, int)}, "x_train has 15 images and y_train has 3 labels"),
    "one.npz": ({"y_train": np.ones(15, int)}, "y_train has one class only, 1"),
    "same.npz": ({"x_train": np.ones((15, 64))}, "all training images are the same"),
    "empty.npz": ({"x_test": np.ones((0, 64)), "y_test": np.ones(0)}, "x_test is empty"),
    "unseen.npz": ({"y_test": np.full(15, 4)}, "y_test has the class 4"),
    "nan.npz": ({"x_test": np.full((15, 64), np.nan)}, "x_test has NaN"),
    "objects.npz": ({"x_test": np.array([{}] * 15)}, "objects.npz holds Python objects"),
    "width.npz": ({"x_test": np.ones((15, 63))}, "x_train has 64 pixels an image, x_test has 63"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_one_sentence_and_leaves_nothing(run, tmp_path, name):
    changes, complaint = BAD[name]
    write_bad(name, **changes)
    code, out, err = run("digits", "--data", name, *QUICK)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    assert files_in(tmp_path) == {name}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--data", "nowhere.npz"), "nowhere.npz"),
        (("--data", "."), "directory"),
        (("--baselines", "some"), "--baselines is 'some'; choose one of none, nearest, all"),
        (("--binarise", "3"), "--binarise goes with images of your own, not with --data bundled"),
        (("--data", "mnist", "--label-column", "last"), "--label-column goes with images of your own"),
        (("--threshold", "inf"), "no pixel lies above the threshold inf, since they run from 0 to 16"),
        (("--data", "usps", "--threshold", "3"), "--threshold does not go with --data usps"),
        (("--threshold", "16"), "all training images are the same"),
        (("--threshold", "nan"), "the threshold is nan"),
        (("--threshold", "x"), "--threshold"),
        (("--hidden", "16,x"), "--hidden is '16,x'; give whole numbers"),
        (("--hidden", ""), "--hidden is ''; give whole numbers"),
        (("--hidden", "16,0"), "--hidden is '16,0'; give whole numbers"),
        (("--hidden", "-3"), "--hidden is '-3'; give whole numbers"),
        (("--sweeps", "0"), "--sweeps"),
        (("--sweeps", "1.5"), "--sweeps"),
        (("--seed", "-1"), "--seed"),
        (("--frobnicate",), "--frobnicate"),
        (("surplus",), "surplus"),
    ],
)
def test_bad_options_are_complaints_before_any_work(run, tmp_path, words, complaint):
    code, out, err = run("digits", *words)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    assert files_in(tmp_path) == set()


@pytest.mark.parametrize("name", ["usps", "mnist"])
def test_offline(run, monkeypatch, tmp_path, name):
    def fetch(**arguments):
        raise OSError("Name or service not known")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    code, out, err = run("digits", "--data", name)
    assert (code, out) == (2, "")
    assert f"{name} cannot be fetched from OpenML (Name or service not known). Connect to the internet" in err
    assert files_in(tmp_path) == set()


def test_a_folder_that_cannot_be_written_is_an_error(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    code, _, err = run("digits", *QUICK, "--out", "file")
    assert code == 2
    assert "cannot write into the folder file" in err
