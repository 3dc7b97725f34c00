import json
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fastws
from chance import INTERPRETED
from fastws import sweep
from fastws.cli import session
from fastws.cli.words import choices
from fastws.experiments.bars import BARS
from waiting import LONGEST, wait_until

pytestmark = pytest.mark.skipif(INTERPRETED, reason="thousands of examples")

WORDS = ("sweep", "bars", "--vary", "examples=2000")
KEYS = {"file", "seconds", "experiment", "runs", "failed", "within_bits", "settings"}
COUNTS = {"runs", "succeeded", "success_rate", "rate_low", "rate_high", "median_asymmetric_divergence_bits", "failed"}


def files_in(folder):
    return {path.name for path in folder.iterdir()}


def write_table(path, n=20, failed=False, **settings):
    """Write a table of made-up divergences, with every combination of these settings."""
    grid = pd.MultiIndex.from_product([*settings.values(), range(n)], names=[*settings, "seed"]).to_frame(index=False)
    bits = np.random.default_rng(0).choice([0.04, 0.7], len(grid))
    table = pd.DataFrame({"experiment": "bars", **{name: grid[name] for name in [*settings, "seed"]}})
    table = table.assign(asymmetric_divergence_bits=bits, seconds=1.0, error="")
    if failed:
        table.loc[table.index[1], ["asymmetric_divergence_bits", "error"]] = [np.nan, "ValueError: no"]
    table.to_csv(path, index=False)
    return table


# sweep bars


def test_sweep_prints_a_line_a_combination_and_writes_the_table(run, tmp_path):
    code, out, err = run(*WORDS, "--vary", "p_bar=0.1:0.2:2", "--vary", "hidden=none,3", "--seeds", 3)
    assert (code, err.strip()) == (0, "")
    text = " ".join(out.split())
    for words in ("hidden", "p_bar", "95 % interval", "median divergence", "default", "0.1", "fastws-sweep.csv"):
        assert words in text
    assert "errors" not in text
    assert files_in(tmp_path) == {"fastws-sweep.csv"}
    table = sweep.read("fastws-sweep.csv")
    assert table["seed"].tolist() == [0, 1, 2] * 4
    assert table["p_bar"].tolist() == [0.1] * 6 + [0.2] * 6
    assert table["hidden"].fillna(0).tolist() == [0, 0, 0, 3, 3, 3] * 2


def test_sweep_prints_json_and_goes_on_with_its_table(run, tmp_path):
    more = ("--vary", "recipe=paper,robust", "--seed", 4, "--out", "t.parquet", "--within", 7, "--json")
    code, out, err = run(*WORDS, *more, "--seeds", 2)
    assert (code, err.strip()) == (0, "")
    result = json.loads(out)
    assert set(result) == KEYS
    assert (result["file"], result["experiment"], result["runs"], result["failed"]) == ("t.parquet", "bars", 4, 0)
    table = sweep.read("t.parquet")
    assert table["seed"].tolist() == [4, 5, 4, 5]
    for line, recipe in zip(result["settings"], ["paper", "robust"], strict=True):
        assert set(line) == {"recipe", *COUNTS}
        bits = table.loc[table["recipe"] == recipe, "asymmetric_divergence_bits"]
        assert (line["recipe"], line["runs"], line["succeeded"]) == (recipe, 2, int((bits <= 7).sum()))
        assert line["median_asymmetric_divergence_bits"] == bits.median()
        assert [line["rate_low"], line["rate_high"]] == list(sweep.success_interval(line["succeeded"], 2))
    before = table["seconds"].tolist()
    code, out, _ = run(*WORDS, *more, "--seeds", 3)
    assert json.loads(out)["runs"] == 6
    assert sweep.read("t.parquet")["seconds"].tolist()[:2] == before[:2]


def test_sweep_says_what_failed(run):
    code, out, _ = run(*WORDS, "--vary", "p_bar=0.5,1", "--vary", "exclude=none,full", "--seeds", 2)
    assert code == 0
    text = " ".join(out.split())
    assert "errors" in text
    assert "2 runs have an error. The first, of seed 0: ValueError: no image is left" in text
    _, out, _ = run(*WORDS, "--vary", "p_bar=0.5,1", "--vary", "exclude=none,full", "--seeds", 2, "--json")
    result = json.loads(out, parse_constant=pytest.fail)
    assert [(line["runs"], line["failed"]) for line in result["settings"]] == [(2, 0), (2, 0), (2, 0), (0, 2)]
    assert result["settings"][3]["success_rate"] is None


@pytest.mark.parametrize("engine", ["lanes", "threads"])
def test_engines_and_workers(run, engine):
    assert run(*WORDS, "--engine", engine, "--workers", 1, "--seeds", 1)[0] == 0


def test_values():
    words = ("p_bar=0.1:0.5:9", "p_vertical = 1/2, 2/3,1", "hidden=8:12:3,None", "exclude=none,full+blank")
    more = ("nonnegative=true,False", "first_hidden_bias=-3,none", "examples=2e6", "size=4")
    assert choices(BARS, (*words, *more), "--vary") == {
        "p_bar": [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5],
        "p_vertical": [1 / 2, 2 / 3, 1.0],
        "hidden": [8, 10, 12, None],
        "exclude": ["none", "full+blank"],
        "nonnegative": [True, False],
        "first_hidden_bias": [-3.0, None],
        "examples": [2_000_000],
        "size": [4],
    }
    assert choices(BARS, ["p_vertical=1:0:3"], "--vary") == {"p_vertical": [1.0, 0.5, 0.0]}
    assert type(choices(BARS, ["examples=2e6"], "--vary")["examples"][0]) is int


BAD_NUMBERS = "give numbers with commas, as in 0.2,1/3, or FIRST:LAST:COUNT"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--vary", "p_bars=0.1"),
            "the experiment 'bars' has no setting 'p_bars'. Did you mean 'p_bar'? It has recipe",
        ),
        (("--vary", "p_bar"), "--vary is 'p_bar'; give a setting and its values, as in p_bar=0.1:0.5:9"),
        (("--vary", "p_bar="), "--vary is 'p_bar='"),
        (("--vary", "=1"), "--vary is '=1'"),
        (("--vary", "p_bar=x"), f"--vary has 'x' for p_bar; {BAD_NUMBERS}"),
        (("--vary", "p_bar=0.1,,0.2"), "--vary has '' for p_bar"),
        (("--vary", "p_bar=none"), "--vary has 'none' for p_bar"),
        (("--vary", "p_bar=1/0"), "--vary has '1/0' for p_bar"),
        (("--vary", "p_bar=0/0"), "--vary has '0/0' for p_bar"),
        (("--vary", "p_bar=0.1:0.5"), "--vary has '0.1:0.5' for p_bar"),
        (("--vary", "p_bar=0.1:0.5:1"), "--vary has '0.1:0.5:1' for p_bar"),
        (("--vary", "p_bar=0.1:0.5:2.5"), "--vary has '0.1:0.5:2.5' for p_bar"),
        (("--vary", "p_bar=0.1:0.5:1e99999999"), "--vary has '0.1:0.5:1e99999999' for p_bar"),
        (("--vary", "p_bar=0.1:0.5:nan"), "--vary has '0.1:0.5:nan' for p_bar"),
        (("--vary", "p_bar=nan"), "the setting p_bar is given nan; it takes a finite number"),
        (("--vary", "hidden=inf"), "the setting hidden is given inf; it takes a whole number or None"),
        (("--vary", "hidden=1e99999999"), "hidden"),
        (("--vary", "hidden=8:12:4"), "the setting hidden is given 9.33"),
        (("--vary", "nonnegative=maybe"), "the setting nonnegative is given 'maybe'; it takes True or False"),
        (("--vary", "recipe=paper,"), "the setting recipe is given ''"),
        (("--vary", "recipe=soup"), "there is no recipe 'soup'"),
        (("--vary", "exclude=grey"), "exclude has 'grey'"),
        (("--vary", "hidden=30"), "the machine has 31 hidden units"),
        (("--vary", "p_bar=0.1", "--vary", "p_bar=0.2"), "--vary has p_bar twice"),
        (("--engine", "mpi"), "there is no engine 'mpi'; choose one of lanes, threads, processes, dask"),
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler goes with --engine dask"),
        (("--engine", "dask", "--scheduler", "tcp://x:1", "--workers", "2"), "--workers does not go with --scheduler"),
        (("--out", "t.xlsx"), "t.xlsx does not end in .csv or .parquet"),
        (("--out", "no/t.csv"), "cannot write no/t.csv: No such file or directory"),
        (("--out", "other.csv"), "other.csv is of another sweep, or damaged: its columns differ"),
        (("--out", "text.csv"), "text.csv is not a table that a sweep wrote"),
        (("--within", "0"), "--within is 0.0; give a number of bits above 0"),
        (("--within", "nan"), "--within is nan"),
        (("--seeds", "0"), "--seeds"),
        (("--seed", "-1"), "--seed"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_sweep_refuses(run, tmp_path, words, complaint):
    write_table("other.csv", p_bar=[0.1])
    (tmp_path / "text.csv").write_text("hello\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, err = run("sweep", "bars", *words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("pandas", (), "sweep"),
        ("pyarrow", ("--out", "t.parquet"), "sweep"),
        ("dask.distributed", ("--engine", "dask"), "cluster"),
    ],
)
def test_without_a_package_it_says_what_to_install(run, monkeypatch, package, words, extra):
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = run("sweep", "bars", *words)
    assert (code, out) == (2, "")
    assert f"pip install 'fastws[{extra}]'" in err


def test_sweep_alone_prints_help(run):
    _, out, err = run("sweep")
    assert "bars" in out + err


# What is interrupted.


def test_control_c_keeps_what_is_done_and_says_how_to_go_on(run, monkeypatch):
    measured, gate, measure, shutdown = [], threading.Event(), BARS.measures, ThreadPoolExecutor.shutdown

    def measure_six_until_the_gate_opens(simulation):
        measured.append(simulation.seed)
        if len(measured) > 6:
            assert gate.wait(LONGEST)
        return measure(simulation)

    def open_gate_and_shut_down(pool, *arguments, **options):
        gate.set()
        shutdown(pool, *arguments, **options)

    @contextmanager
    def interrupting(label, total, already=0):
        def show(count):
            if len(measured) > 6:  # each of the two workers waits at the gate, or is about to
                raise KeyboardInterrupt

        yield show

    words = ("sweep", "bars", "--vary", "examples=2000", "--seeds", 12, "--engine", "threads", "--workers", 2)
    words = (*words, "--out", "t.csv")
    with monkeypatch.context() as patched:
        patched.setattr(BARS, "measures", measure_six_until_the_gate_opens)
        patched.setattr(ThreadPoolExecutor, "shutdown", open_gate_and_shut_down)
        patched.setattr("fastws.cli.sweep.progress_bar", interrupting)
        patched.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
        code, out, err = run(*words)
    assert (code, out) == (session.INTERRUPTED, "")
    assert "Interrupted; the runs that were done are in t.csv. To go on, give the same command again." in err
    kept = sweep.read("t.csv")
    assert 5 <= len(kept) < 12
    assert run(*words)[0] == 0
    whole = sweep.read("t.csv").set_index("seed")
    assert len(whole) == 12
    assert (whole.loc[kept["seed"], "seconds"].to_numpy() == kept["seconds"].to_numpy()).all()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_control_c_from_outside_ends_worker_processes_too(tmp_path):
    psutil = pytest.importorskip("psutil")  # Dask needs it
    words = (
        "--vary",
        "examples=500000000",
        "--seeds",
        "32",
        "--engine",
        "processes",
        "--workers",
        "2",
        "--out",
        "t.csv",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "fastws", "sweep", "bars", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    # The first process that it starts keeps track of the others' resources; then come the workers.
    wait_until(lambda: len(psutil.Process(process.pid).children()) == 3, process)
    process.send_signal(signal.SIGINT)
    # The workers hold the other ends of the pipes: this returns only when they have ended, too.
    out, err = process.communicate(timeout=LONGEST)
    assert (process.returncode, out) == (session.INTERRUPTED, b"")
    assert b"Traceback" not in err
    assert b"give the same command again" in err
    assert len(sweep.read(tmp_path / "t.csv")) == 0


# plot-sweep


def pictures(*names):
    return {f"success-{name}.{suffix}" for name in names for suffix in ("png", "svg")}


def test_plot_sweep_of_what_a_sweep_wrote(run, tmp_path):
    assert run(*WORDS, "--vary", "p_bar=0.1,0.2", "--seeds", 2, "--out", "t.parquet", "--json")[0] == 0
    code, out, err = run("plot-sweep", "t.parquet")
    assert (code, err) == (0, "")
    assert "p_bar" in out
    assert files_in(tmp_path / "fastws-plot-sweep") == pictures("p_bar") | {"result.json"}


@pytest.mark.parametrize(
    ("settings", "drawn"),
    [
        ({"recipe": ["paper"]}, ["recipe"]),
        ({"p_bar": [0.1, 0.2, 0.3], "recipe": ["paper"]}, ["p_bar"]),
        ({"hidden": [np.nan, 9]}, ["hidden"]),
        ({"p_bar": [0.1, 0.2, 0.3], "recipe": ["paper", "robust"]}, ["p_bar", "recipe"]),
        ({"p_bar": [0.1, 0.2], "hidden": [8, 10], "nonnegative": [True, False]}, ["p_bar", "hidden", "nonnegative"]),
    ],
)
def test_plot_sweep_draws_a_picture_a_setting(run, tmp_path, settings, drawn):
    table = write_table("t.csv", failed=True, **settings)
    code, out, _ = run("plot-sweep", "t.csv", "--out", "there", "--within", 0.2, "--json")
    assert code == 0
    assert files_in(tmp_path / "there") == pictures(*drawn) | {"result.json"}
    result = json.loads(out)
    assert (result["runs"], result["failed"], result["within_bits"]) == (len(table), 1, 0.2)
    assert sum(line["runs"] for line in result["settings"]) == len(table) - 1
    svg = (tmp_path / "there" / f"success-{drawn[0]}.svg").read_text()
    assert drawn[0] in svg
    if len(drawn) == 2:
        assert "recipe = robust" in svg
    if len(drawn) == 3:
        assert "bars with hidden = 8, nonnegative = True" in svg


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nowhere.csv",), "nowhere.csv"),
        (("text.csv",), "text.csv is not a table that a sweep wrote"),
        (("t.txt",), "t.txt does not end in .csv or .parquet"),
        (("failed.csv",), "failed.csv has no run with a divergence"),
        (("t.csv", "--out", "text.csv"), "cannot write into the folder text.csv"),
        (("t.csv", "--within", "-1"), "--within is -1.0"),
        ((), "TABLE"),
    ],
)
def test_plot_sweep_refuses(run, tmp_path, words, complaint):
    write_table("t.csv", p_bar=[0.1])
    write_table("failed.csv", p_bar=[0.1]).assign(asymmetric_divergence_bits=np.nan).to_csv("failed.csv", index=False)
    (tmp_path / "text.csv").write_text("hello\n")
    before = files_in(tmp_path)
    code, out, err = run("plot-sweep", *words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err
    assert files_in(tmp_path) == before


@pytest.mark.long
def test_the_commands_of_the_readme_work(run, tmp_path):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    sweeping, plotting = re.findall(r"^ {4}fastws (sweep bars .*|plot-sweep .*)$", text, re.MULTILINE)
    code, out, _ = run(*sweeping.split(), "--seeds", 1, "--vary", "examples=100")
    assert code == 0
    assert len(re.findall(r"^│ 0\.|^│ \d", out, re.MULTILINE)) == 27
    assert run(*plotting.split())[0] == 0
    assert files_in(tmp_path / "fastws-plot-sweep") == pictures("p_bar", "hidden") | {"result.json"}
    table = fastws.sweep.run(BARS, {"p_bar": [0.1, 0.2], "examples": 100}, seeds=1, path="results.parquet")
    assert table["p_bar"].tolist() == [0.1, 0.2]
