"""Where results cannot go is said before any work is done, by the name that the user gave."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import fastws
from machines import random_machine

COMMANDS = {
    "bars": ["--examples", 1000],
    "digits": ["--sweeps", 1],
    "train": ["--data", "x.npy", "--layers", "9,4"],
    "fantasies": ["m.npz"],
    "show": ["m.npz"],
    "plot-sweep": ["t.csv"],
}
posix = pytest.mark.skipif(sys.platform == "win32", reason="files that only POSIX has")
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc, which not even root may write")


@pytest.fixture(autouse=True)
def some_files(run, monkeypatch, tmp_path):
    """Put some files where the commands run, and let them do no work."""
    x = fastws.Bars(3).sample(40)
    np.save("x.npy", x)
    random_machine([9, 4]).save("m.npz")
    Path("images.fws").write_bytes(b"not read")
    Path("file").write_text("not a folder")
    columns = "experiment,p_bar,seed,asymmetric_divergence_bits,seconds,error"
    Path("t.csv").write_text(f"{columns}\nbars,0.1,0,0.5,1.0,\nbars,0.2,0,0.5,1.0,\n")
    Path("folder.npz").mkdir()

    def work(*_, **__):
        pytest.fail("work was done")

    for place in (
        "fastws.simulation.Simulation.compile",
        "fastws.simulation.Simulation.advance",
        "fastws.machine.Machine.fantasies",
        "fastws.plotting.hinton",
        "fastws.plotting.success_rates",
        "fastws.codec.compress",
        "fastws.codec.decompress",
        "fastws.machine.Machine.representations",
        "fastws.exact.measures",
        "fastws.classifier.DescriptionLengthClassifier.description_lengths_bits",
    ):
        monkeypatch.setattr(place, work)


def assert_refused(run, words, complaint, name):
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: {complaint}"), err
    assert name in err
    assert len(err.splitlines()) == 1
    assert ".partial" not in err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("out", ["file", "file/below", pytest.param("/proc/fastws", marks=linux)])
def test_a_folder_that_cannot_be(run, command, out):
    words = (command, *COMMANDS[command], "--out", out)
    assert_refused(run, words, f"cannot write into the folder {out}: ", "Give another with --out.")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["result.json", "machine.npz", "weights.svg"])
def test_a_folder_in_the_way_of_a_result(run, command, name):
    Path("here", name).mkdir(parents=True)
    words = (command, *COMMANDS[command], "--out", "here")
    assert_refused(run, words, f"{Path('here', name)} is a folder, in the way of a file of that name.", "--out")


WRITING = [
    ("compress", "m.npz", "x.npy"),
    ("decompress", "m.npz", "images.fws"),
    ("represent", "m.npz", "x.npy"),
    ("evaluate", "m.npz", "x.npy", "--per-image"),
]


@pytest.mark.parametrize("words", WRITING, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        (
            "nowhere/y.npz",
            "cannot write nowhere/y.npz: No such file or directory. Give a file in a folder that is there",
        ),
        ("file/y.npz", "cannot write file/y.npz: Not a directory"),
        ("folder.npz", "cannot write folder.npz: it is a folder"),
        (".", "cannot write .: it is a folder"),
        ("m.npz", "m.npz is read and would be overwritten"),
        pytest.param("/proc/y.npz", "cannot write /proc/y.npz: ", marks=linux),
    ],
)
def test_a_file_that_cannot_be(run, words, out, complaint):
    assert_refused(run, (*words, out), complaint.replace("/", "/"), out)


@posix
@pytest.mark.parametrize("words", WRITING, ids=lambda words: words[0])
@pytest.mark.parametrize("out", ["/dev/null", "circle", "pipe", "lost", "n" * 300])
def test_what_cannot_become_a_file_is_known_before_any_work(run, words, out):
    """Devices, links and names were found out when there was a result to write."""
    Path("circle").symlink_to("circle")
    Path("lost").symlink_to("nowhere/file")
    os.mkfifo("pipe")
    assert_refused(run, (*words, out), f"cannot write {out}: ", "Give ")


@posix
@pytest.mark.parametrize("command", COMMANDS)
def test_what_cannot_be_replaced_in_a_folder_of_results(run, command):
    Path("here").mkdir()
    Path("here/result.json").symlink_to("result.json")
    words = (command, *COMMANDS[command], "--out", "here")
    assert_refused(run, words, "cannot write here/result.json: ", "--out")


@pytest.mark.parametrize(
    ("words", "name"),
    [(("fantasies", "fantasies.npz"), "fantasies.npz"), (("classify", "a.npz", "m.npz", "labels.csv"), "labels.csv")],
    ids=["fantasies", "classify"],
)
def test_what_is_read_is_not_written_over_as_a_result(run, words, name):
    Path("folder.npz").rmdir()
    random_machine([9, 4]).save("fantasies.npz")
    random_machine([9, 4]).save("a.npz")
    np.savetxt("labels.csv", fastws.Bars(3).sample(40), fmt="%d", delimiter=",")
    assert_refused(run, (*words, "--out", "."), f"{name} is read and would be overwritten", name)


def test_what_is_read_is_not_written_over_by_another_name(run):
    assert_refused(run, ("compress", "m.npz", "x.npy", "./x.npy"), "x.npy is read and would be overwritten", "x.npy")
    assert_refused(run, ("decompress", "m.npz", "images.fws", "images.fws"), "images.fws is read", "overwritten")


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        ("nowhere/t.csv", "cannot write nowhere/t.csv: No such file or directory"),
        ("file/t.csv", "file/t.csv"),
        ("folder.csv", "folder.csv"),
        pytest.param("/proc/t.csv", "cannot write /proc/t.csv: ", marks=linux),
    ],
)
def test_a_table_that_cannot_be(run, out, complaint):
    Path("folder.csv").mkdir()
    code, stdout, err = run("sweep", "bars", "--vary", "examples=100", "--out", out)
    assert (code, stdout) == (2, "")
    assert complaint in err
    assert ".partial" not in err
    assert len(err.splitlines()) == 1


@linux
def test_resuming_where_nothing_can_be_written(run, monkeypatch):
    runs = [fastws.Simulation(fastws.Machine([9, 4]), fastws.Images(fastws.Bars(3).sample(40)), [(80, 0.1)])]
    notes = {"command": "train", "run": {"curve": [], "seconds": 0.0, "patience": 1}, "shape": [3, 3]}
    monkeypatch.setattr("fastws.simulation.load_runs", lambda path: (runs, notes))
    words = ("resume", "/proc/run.npz")
    assert_refused(
        run, words, "cannot write into the folder /proc: ", "Move the state into a folder that can be written."
    )


@pytest.mark.parametrize("command", ["bars", "digits", "train"])
def test_that_kernels_are_compiled_is_said_while_nothing_else_moves(run, monkeypatch, command):
    """The first run stood still for half a minute."""
    said = []

    @contextmanager
    def busy(label):
        said.append(label)
        yield

    monkeypatch.setattr(f"fastws.cli.{command}.busy", busy)
    for place in ("fastws.simulation.Simulation.compile", "fastws.cli.bars.learn"):
        monkeypatch.setattr(place, lambda *_: (_ for _ in ()).throw(ValueError(f"said: {said[-1]}")))
    _, _, err = run(command, *COMMANDS[command])
    assert "said: Compiling" in err
