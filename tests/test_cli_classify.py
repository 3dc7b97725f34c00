import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastws
from chance import INTERPRETED
from fastws.files import load_arrays, save_arrays
from machines import random_machine
from test_cli_models import assert_refused, files_in

pytestmark = pytest.mark.skipif(INTERPRETED, reason="interpreted, twelve machines take long")

X = np.random.default_rng(0).integers(0, 2, (9, 16), np.uint8)


@pytest.fixture(autouse=True)
def some_files(run, tmp_path):
    (tmp_path / "nets").mkdir()
    np.savez("x.npz", x=X)
    for label in range(12):
        random_machine([16, 3], seed=label).save(f"nets/machine-{label}.npz")


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def expected_bits(n_classes=12, seed=0, n_runs=10):
    classifier = fastws.DescriptionLengthClassifier(n_runs=n_runs, random_state=seed)
    machines = [random_machine([16, 3], seed=label) for label in range(n_classes)]
    return classifier.use_machines(machines, np.arange(n_classes)).description_lengths_bits(X)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_table_of_labels_with_the_bits_of_every_class(run, tmp_path, backwards):
    """Twelve machines in the order of their names, 0, 1, 10, 11, 2 and so on, or the other way round."""
    files = sorted((tmp_path / "nets").iterdir(), reverse=backwards)
    code, out, err = run("classify", *files, "x.npz")
    assert code == 0, err
    assert "9 images of x.npz" in out
    rows, bits = table("fastws-classify/labels.csv"), expected_bits()
    assert [row["image"] for row in rows] == [str(k) for k in range(9)]
    assert [int(row["label"]) for row in rows] == bits.argmin(axis=1).tolist()
    assert list(rows[0]) == ["image", "label", *(f"bits_{label}" for label in range(12))]
    np.testing.assert_array_equal([[float(row[f"bits_{label}"]) for label in range(12)] for row in rows], bits)
    assert files_in(tmp_path / "fastws-classify") == {"labels.csv", "result.json"}


def test_a_folder_of_machines_and_options(run, tmp_path):
    code, out, err = run("classify", "nets", "x.npz", "--samples", 4, "--seed", 7, "--json", "--out", "there")
    assert code == 0, err
    result, bits = json.loads(out), expected_bits(12, 7, 4)
    assert (result["n_images"], result["seed"], "error_rate" in result) == (9, 7, False)
    assert result["counts"] == {str(k): int((bits.argmin(axis=1) == k).sum()) for k in range(12)}
    assert result == json.loads((tmp_path / "there" / "result.json").read_text())


def test_labels_that_the_images_have_give_an_error_rate(run):
    chosen = expected_bits().argmin(axis=1)
    np.savez("y.npz", x=X, y=np.where(np.arange(9) < 3, 99, chosen))
    code, out, _ = run("classify", "nets", "y.npz")
    assert code == 0
    assert "33.3% are misread" in " ".join(out.split())


def test_the_label_inside_a_file_comes_before_its_name(run, tmp_path):
    for number, label in enumerate(("a/b", "A/B", "ü")):
        metadata, arrays = load_arrays(f"nets/machine-{number}.npz", "fastws machine")
        save_arrays(f"net{number}.npz", "fastws machine", {**metadata, "label": label}, arrays)
    code, _, err = run("classify", "net0.npz", "net1.npz", "net2.npz", "x.npz", "--json")
    assert code == 0, err
    names, bits = ["a/b", "A/B", "ü"], expected_bits(3)
    rows = table("fastws-classify/labels.csv")
    assert [row["label"] for row in rows] == [names[k] for k in bits.argmin(axis=1)]
    assert {"bits_a/b", "bits_A/B", "bits_ü"} < set(rows[0])


def test_pictures_are_named_in_the_tables(run, tmp_path):
    (tmp_path / "new").mkdir()
    for number, image in enumerate(X[:3]):
        Image.fromarray(image.reshape(4, 4) * 255).save(tmp_path / "new" / f"{'cab'[number]}.png")
    assert run("classify", "nets", "new", "--threshold", 127)[0] == 0
    assert [row["image"] for row in table("fastws-classify/labels.csv")] == ["a.png", "b.png", "c.png"]
    machine = "nets/machine-0.npz"
    assert run("evaluate", machine, "new", "--threshold", 127, "--per-image", "bits.csv")[0] == 0
    assert [row["image"] for row in table("bits.csv")] == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("x.npz",), "there is one path only; give the machines, or their folder, and after them the images"),
        ((), "MACHINES"),
        (("nets/machine-0.npz", "x.npz"), "one class only, 0; give images of two classes at least"),
        (("nets", "nowhere.npz"), "nowhere.npz"),
        (("nets", "nets/machine-3.npz", "x.npz"), "are both of the class 3; give one machine a class"),
        (("nets/machine-0.npz", "x.npz", "x.npz"), "x.npz is not a fastws machine file"),
        (("empty", "x.npz"), "empty has no machine-*.npz; give the folder that fastws digits wrote into"),
        (("nets", "wide.npy"), "the machines have 16 inputs; the images of wide.npy have 9 pixels"),
        (("nets", "x.npz", "--threshold", "127"), "no pixel lies above the threshold 127, since they run from 0 to 1"),
        (("nets", "x.npz", "--samples", "0"), "--samples"),
        (("nets", "x.npz", "--out", "x.npz"), "cannot write into the folder x.npz"),
    ],
)
def test_classify_refuses(run, tmp_path, words, complaint):
    np.save("wide.npy", np.eye(9))
    (tmp_path / "empty").mkdir()
    assert_refused(run, tmp_path, ("classify", *words), complaint)


# represent


def test_represent_writes_states_and_probabilities(run, tmp_path):
    random_machine([16, 5, 2], seed=1).save("m.npz")
    machine = fastws.Machine.load("m.npz")
    np.savez("y.npz", x=X, y=np.arange(9))
    code, out, err = run("represent", "m.npz", "y.npz", "states.npz", "--seed", 3)
    assert code == 0, err
    assert "recognition states of 9 images: layer_1, layer_2, y" in out
    code, out, _ = run("represent", "m.npz", "x.npz", "probabilities.npz", "--probabilities", "--json")
    expected = {"n_images": 9, "kind": "probabilities", "layers": {"layer_1": [9, 5], "layer_2": [9, 2]}, "seed": 0}
    assert json.loads(out) == expected
    with np.load("states.npz") as states, np.load("probabilities.npz") as probabilities:
        assert (sorted(states), sorted(probabilities)) == (["layer_1", "layer_2", "y"], ["layer_1", "layer_2"])
        for number, (drawn, likely) in enumerate(
            zip(machine.representations(X, 3), machine.recognition_probabilities(X), strict=True), start=1
        ):
            np.testing.assert_array_equal(states[f"layer_{number}"], drawn)
            np.testing.assert_array_equal(probabilities[f"layer_{number}"], likely)
        np.testing.assert_array_equal(states["y"], np.arange(9))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("m.npz", "x.npz", "x.npz"), "x.npz is read and would be overwritten; give another name"),
        (("m.npz", "x.npz", "nets/../m.npz"), "m.npz is read and would be overwritten"),
        (("m.npz", "x.npz", "nets"), "cannot write nets: it is a folder"),
        (("m.npz", "x.npz", "nowhere/out.npz"), "cannot write nowhere/out.npz: No such file or directory"),
        (
            ("m.npz", "mnist/train-images-idx3-ubyte", "mnist/train-labels-idx1-ubyte"),
            "is read and would be overwritten",
        ),
        (("m.npz", "mnist", "mnist/train-labels-idx1-ubyte"), "is read and would be overwritten"),
        (("m.npz", "wide.npy", "out.npz"), "x has 9 columns; the input layer has 16 units"),
        (("x.npz", "x.npz", "out.npz"), "x.npz is not a fastws machine file"),
        (("m.npz", "x.npz"), "OUT.npz"),
    ],
)
def test_represent_refuses_before_any_work(run, tmp_path, words, complaint):
    random_machine([16, 5, 2], seed=1).save("m.npz")
    np.save("wide.npy", np.eye(9))
    Path("mnist").mkdir()
    for name in ("mnist/train-images-idx3-ubyte", "mnist/train-labels-idx1-ubyte"):
        Path(name).write_bytes(b"\0\0\x08\3" + bytes(12))
    assert_refused(run, tmp_path, ("represent", *words), complaint)


# evaluate --per-image


@pytest.mark.parametrize("sizes", [[16, 3], [16, 25]])
def test_what_each_image_takes(run, sizes):
    random_machine(sizes).save("m.npz")
    code, out, err = run("evaluate", "m.npz", "x.npz", "--per-image", "bits.csv", "--json")
    assert code == 0, err
    rows, result = table("bits.csv"), json.loads(out)
    names = ["description_length_bits", "free_energy_bits", "neg_log_prob_bits"]
    assert list(rows[0]) == ["image", *names]
    assert len(rows) == 9
    for name in names:
        assert np.mean([float(row[name]) for row in rows]) == pytest.approx(result[name], rel=1e-12)


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("x.npz", "x.npz is read and would be overwritten"),
        ("nowhere/bits.csv", "cannot write nowhere/bits.csv"),
        ("nets", "cannot write nets: it is a folder"),
    ],
)
def test_a_table_that_cannot_be_written_is_known_before_any_work(run, tmp_path, monkeypatch, file, complaint):
    monkeypatch.setattr("fastws.datasets.load", lambda *_, **__: pytest.fail("work was done"))
    assert_refused(run, tmp_path, ("evaluate", "nets/machine-0.npz", "x.npz", "--per-image", file), complaint)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_of_pictures_that_are_no_text_are_their_bytes(run):
    """They ended the command after its work."""
    random_machine([16, 3]).save("m.npz")
    Path("pictures").mkdir()
    for name, image in zip((b"a.png", b"\xff.png"), X, strict=False):
        Image.fromarray(image.reshape(4, 4) > 0).save("a.png")
        os.rename("a.png", os.path.join(b"pictures", name))
    code, _, err = run("evaluate", "m.npz", "pictures", "--per-image", "bits.csv")
    assert code == 0, err
    assert [line.split(b",")[0] for line in Path("bits.csv").read_bytes().splitlines()] == [
        b"image",
        b"a.png",
        b"\xff.png",
    ]
    code, _, err = run("represent", "m.npz", "pictures", "hidden.npz")
    assert code == 0, err
    with np.load("hidden.npz") as hidden:
        assert os.fsencode(str(hidden["files"][1])) == b"\xff.png"
