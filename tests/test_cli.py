import io
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import fastws
from fastws.cli import session
from fastws.experiments.bars import largest_weight, new_run
from waiting import LONGEST, wait_until

PICTURES = ("fig1a-model", "fig1b-samples", "fig1c-weights", "learning-curve")
RUN_KEYS = {
    "seed",
    "recipe",
    "examples",
    "asymmetric_divergence_bits",
    "kl_penalty_bits",
    "largest_weight",
    "seconds",
    "examples_per_second",
    "compile_seconds",
}


def same_parameters(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True))


def test_no_argument_prints_help_and_so_does_the_option(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "bars" in out
    assert "resume" in out
    code, bare, _ = run()
    assert code == 0
    assert bare == out


@pytest.mark.parametrize(
    "command", ["train", "evaluate", "fantasies", "show", "classify", "represent", "digits", "density"]
)
def test_help_ends_with_a_worked_example(run, command):
    code, out, _ = run(command, "--help")
    last = " ".join(out.rpartition("Example:")[2].split())
    assert code == 0
    assert out.count("Example:") == 1
    assert last.startswith(f"fastws {command} ")
    assert "╰" not in last  # after the options


def test_version(run):
    assert run("--version")[:2] == (0, f"fastws {fastws.__version__}\n")


def test_bars_prints_a_table_beside_the_paper_and_writes_its_files(run, tmp_path):
    code, out, _ = run("bars", "--examples", 20_000)
    assert code == 0
    for words in ("asymmetric divergence", "0.10 bits", "KL penalty", "0.08 bits", "14.1", "paper", "fastws-bars/"):
        assert words in out
    names = {path.name for path in (tmp_path / "fastws-bars").iterdir()}
    pictures = {f"{picture}.{suffix}" for picture in PICTURES for suffix in ("png", "svg")}
    assert names == pictures | {"machine.npz", "result.json"}
    assert fastws.Machine.load("fastws-bars/machine.npz").layer_sizes == (16, 8, 1)


def test_a_terminal_that_does_not_know_our_signs_gets_the_numbers(run, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        code, _, err = run("bars", "--examples", 100)
    terminal.flush()
    assert (code, "Error" in err) == (0, False)
    assert b"largest weight" in terminal.buffer.getvalue()
    assert b"KL(data || model)" in terminal.buffer.getvalue()


def test_bars_json_is_one_object_and_what_the_file_holds(run, tmp_path):
    code, out, _ = run("bars", "--examples", 5000, "--seed", 3, "--json", "--out", "here")
    result = json.loads(out)
    assert code == 0
    assert set(result) == RUN_KEYS
    assert (result["seed"], result["recipe"], result["examples"]) == (3, "paper", 5000)
    assert result == json.loads((tmp_path / "here" / "result.json").read_text())


def test_several_seeds_give_their_runs_and_the_best_machine(run):
    code, out, _ = run("bars", "--examples", 5000, "--seed", 5, "--seeds", 3, "--json")
    result = json.loads(out)
    assert code == 0
    assert set(result) == {"runs", "success_rate", "median_asymmetric_divergence_bits"}
    assert [one["seed"] for one in result["runs"]] == [5, 6, 7]
    assert all(set(one) == RUN_KEYS for one in result["runs"])
    bits = [one["asymmetric_divergence_bits"] for one in result["runs"]]
    assert result["median_asymmetric_divergence_bits"] == pytest.approx(np.median(bits))
    assert result["success_rate"] == np.mean(np.array(bits) <= 0.10)
    bars = fastws.Bars()
    best = fastws.exact.report(fastws.Machine.load("fastws-bars/machine.npz"), *bars.distribution())
    assert best.asymmetric_divergence_bits == pytest.approx(min(bits))


def test_restarts_go_on_with_the_lowest_free_energy_after_a_quarter(run):
    words = ("bars", "--examples", 4000, "--seed", 5, "--restarts", 3)
    code, out, _ = run(*words, "--seeds", 2, "--json")
    runs = json.loads(out)["runs"]
    assert code == 0
    assert [one["seed"] for one in runs] == [5, 6]
    for one in runs:
        assert set(one) == RUN_KEYS | {"restarts", "kept_seed", "examples_of_all_restarts"}
        assert (one["restarts"], one["examples"], one["examples_of_all_restarts"]) == (3, 2666, 3998)
        best = fastws.best_of(lambda seed: new_run(seed, n_examples=2666).simulation, 3, one["seed"])
        assert one["kept_seed"] == best.seed
        report = fastws.exact.report(best.machine, *fastws.Bars().distribution())
        assert one["asymmetric_divergence_bits"] == pytest.approx(report.asymmetric_divergence_bits, abs=1e-11)
    _, out, _ = run(*words, "--json", "--out", "alone")
    alone = json.loads(out)
    assert {key: alone[key] for key in ("seed", "kept_seed")} == {key: runs[0][key] for key in ("seed", "kept_seed")}


@pytest.mark.long
@pytest.mark.parametrize("n", [18, 40])
def test_many_seeds_give_what_each_gives_alone(run, n):
    _, out, _ = run("bars", "--examples", 3000, "--seeds", n, "--json")
    runs = json.loads(out)["runs"]
    assert [one["seed"] for one in runs] == list(range(n))
    for seed in (0, n // 2, n - 1):
        machine = new_run(seed, n_examples=3000).simulation.advance().machine
        report = fastws.exact.report(machine, *fastws.Bars().distribution())
        found = runs[seed]["asymmetric_divergence_bits"]
        assert found == pytest.approx(report.asymmetric_divergence_bits, abs=1e-11)
        assert runs[seed]["largest_weight"] == largest_weight(machine)


def test_several_seeds_print_the_spread(run):
    code, out, _ = run("bars", "--examples", 2000, "--seeds", 2)
    assert code == 0
    assert "0 of 2 runs reached" in out
    assert "half of them between" in out


def test_a_run_in_the_local_optimum_says_so_and_names_both_ways_out(run):
    _, out, _ = run("bars", "--examples", 2000)
    assert "local optimum" in out
    assert "--seed" in out
    assert "--recipe robust" in out


def test_options_reach_the_run(run):
    words = ("--recipe", "robust", "--exclude", "full", "--p-vertical", 0.5, "--p-bar", 0.3, "--size", 3, "--hidden", 5)
    code, out, _ = run("bars", *words, "--restarts", 1, "--examples", 3000, "--json")
    assert code == 0
    assert json.loads(out)["recipe"] == "robust"
    machine = fastws.Machine.load("fastws-bars/machine.npz")
    assert machine.layer_sizes == (9, 5, 1)
    # The schedule of the recipe, begun as the recipe begins: nothing else gives these bits.
    again = fastws.Machine([9, 5, 1])
    again.gen_biases[1][:] = -5
    schedule = [
        (750, (0.5, 0, 0)),
        (450, (0.9, 3e-4, 3e-4)),
        (900, (0.5, 5e-3, 5e-3)),
        (900, (0.01, 1e-2, 1e-2)),
    ]
    bars = fastws.Bars(3, 0.5, 0.3, exclude=("full",))
    fastws.Simulation(again, bars, schedule, nonnegative_input_weights=True, seed=0).advance()
    assert same_parameters(machine, again)


@pytest.mark.parametrize("words", [("--p-bar", 0), ("--p-bar", 1, "--seeds", 2), ("--size", 1, "--exclude", "full")])
def test_bars_that_are_all_blank_or_all_full_run_to_the_end(run, words):
    code, out, err = run("bars", "--examples", 200, "--json", *words)
    assert (code, err.strip()) == (0, "")
    result = json.loads(out)
    for one in result.get("runs", [result]):
        assert 0 <= one["asymmetric_divergence_bits"] < 2
    assert Path("fastws-bars/fig1b-samples.png").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--p-bar", "1.5"), "p_bar is 1.5"),
        (("--p-vertical", "-0.1"), "p_vertical is -0.1"),
        (("--p-bar", "nan"), "p_bar is nan"),
        (("--p-bar", "1", "--exclude", "full"), "no image is left"),
        (("--p-bar", "0", "--exclude", "blank"), "no image is left"),
        (("--size", "1", "--exclude", "full", "--exclude", "blank"), "no image is left"),
        (("--exclude", "grey"), "'grey'"),
        (("--recipe", "soup"), "no recipe 'soup'"),
        (("--hidden", "20"), "21 hidden units"),
        (("--size", "0"), "--size"),
        (("--hidden", "0"), "--hidden"),
        (("--examples", "0"), "--examples"),
        (("--seeds", "0"), "--seeds"),
        (("--restarts", "0"), "--restarts"),
        (("--seed", "-1"), "--seed"),
        (("--seed", "x"), "--seed"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_bad_options_are_one_sentence_before_any_work(run, tmp_path, words, complaint):
    code, out, err = run("bars", *words)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_an_error(run, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    code, _, err = run("bars", "--out", "file")
    assert code == 2
    assert "cannot write into the folder file" in err
    assert (tmp_path / "file").read_text() == "not a folder"


@contextmanager
def interrupting(label, total, already=0):
    """Stand in for the progress bar: press Ctrl-C as soon as something was learned."""

    def show(count):
        if count > already:
            raise KeyboardInterrupt

    yield show


@pytest.mark.parametrize("restarts", [1, pytest.param(3, marks=pytest.mark.long)])
def test_an_interrupted_run_resumes_to_the_same_machine(run, monkeypatch, tmp_path, restarts):
    words = ("--examples", 1_000_000, "--seeds", 2, "--restarts", restarts)
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting)
        code, _, err = run("bars", *words, "--out", "a")
    assert code == session.INTERRUPTED
    assert f"fastws resume {os.path.join('a', 'run.npz')}" in err
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run.npz"]

    code, _, err = run("bars", "--out", "a")
    assert code == 2
    assert "interrupted run" in err

    code, resumed, _ = run("resume", "a/run.npz", "--json")
    assert code == 0
    assert not (tmp_path / "a" / "run.npz").exists()
    _, alone, _ = run("bars", *words, "--json", "--out", "b")
    for key in RUN_KEYS - {"seconds", "examples_per_second", "compile_seconds"}:
        assert [one[key] for one in json.loads(resumed)["runs"]] == [one[key] for one in json.loads(alone)["runs"]]
    assert same_parameters(fastws.Machine.load("a/machine.npz"), fastws.Machine.load("b/machine.npz"))


# fastws, which makes a file as soon as something was learned.
TELLING = """
import contextlib, pathlib
from fastws import cli
from fastws.cli import session

@contextlib.contextmanager
def progress_bar(label, total, already=0):
    yield lambda count: count and pathlib.Path("learning").touch()

session.progress_bar = progress_bar
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_control_c_from_outside(tmp_path):
    command = [sys.executable, "-c", TELLING, "bars", "--examples", "500000000", "--out", "a"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_until((tmp_path / "learning").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONGEST)
    assert process.returncode == session.INTERRUPTED
    assert out == b""
    assert b"Traceback" not in err
    runs, notes = fastws.simulation.load_runs(tmp_path / "a" / "run.npz")
    assert notes["command"] == "bars"
    assert 0 < runs[0].examples_seen < runs[0].total_examples


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 no archive"])
def test_resuming_something_else_is_an_error(run, tmp_path, content):
    (tmp_path / "run.npz").write_bytes(content)
    code, _, err = run("resume", "run.npz")
    assert code == 2
    assert "run.npz is not a fastws run file" in err


def test_resuming_a_machine_a_missing_file_and_a_run_from_python(run, tmp_path):
    fastws.Machine([2, 1]).save(tmp_path / "machine.npz")
    assert run("resume", "machine.npz")[0] == 2
    code, _, err = run("resume", "nowhere.npz")
    assert code == 2
    assert "nowhere.npz" in err
    fastws.Simulation(fastws.Machine([16, 2]), fastws.Bars(), [(10, 0.1)]).save(tmp_path / "own.npz")
    code, _, err = run("resume", "own.npz")
    assert code == 2
    assert "saved from Python" in err
