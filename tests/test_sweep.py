import math
import re
import signal
import subprocess
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastws
from chance import INTERPRETED
from fastws import sweep, threads
from fastws.experiments.bars import BARS, largest_weight, new_simulation
from fastws.kernels.layout import LANES
from fastws.sweep import table as tables
from fastws.sweep.engines import children_ignoring_interrupts, worker_processes
from fastws.sweep.groups import Outcome, failed, grouped
from fastws.sweep.settings import check_setting
from sweeping import DEFAULTS, Tiny, same
from waiting import wait_until

SUFFIXES = ("csv", "parquet")
N_LANES = LANES + 3


@pytest.fixture
def tiny(tmp_path):
    return Tiny(tmp_path / "log")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# What is run.


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_engines_agree_with_runs_one_by_one(tmp_path):
    vary = {"p_bar": [0.1, 0.3], "hidden": [None, 3], "examples": 2000}
    with ThreadPoolExecutor(2) as pool:
        engines = {"lanes": "lanes", "threads": "threads", "processes": "processes", "executor": pool}
        found = {
            name: sweep.run(BARS, vary, N_LANES, engine, tmp_path / f"{name}.csv") for name, engine in engines.items()
        }
    for name in found:
        same(found[name], found["lanes"])
        same(sweep.read(tmp_path / f"{name}.csv"), sweep.read(tmp_path / "lanes.csv"))
    assert len(found["lanes"]) == 4 * N_LANES
    for row in found["lanes"].iloc[[0, 1, N_LANES, -1]].itertuples():
        bars = fastws.Bars(p_bar=row.p_bar)
        hidden = None if pd.isna(row.hidden) else row.hidden
        machine = new_simulation(row.seed, "paper", 2000, bars, hidden).advance().machine
        report = fastws.exact.report(machine, *bars.distribution())
        for name in ("asymmetric_divergence_bits", "kl_penalty_bits", "free_energy_bits"):
            assert getattr(row, name) == pytest.approx(getattr(report, name), rel=1e-12, abs=1e-11)
        assert row.largest_weight == largest_weight(machine)


@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_every_setting_of_the_bars_reaches_the_run():
    changes = {
        "recipe": "robust",
        "examples": 1500,
        "size": 3,
        "hidden": 5,
        "top": 2,
        "p_vertical": 0.5,
        "p_bar": 0.3,
        "exclude": "full+blank",
        "first_hidden_bias": -1.5,
        "nonnegative": False,
        "n_samples": 3,
        "recognition": "both",
    }
    assert set(changes) == set(BARS.defaults)
    for name in changes:
        assert changes[name] != BARS.defaults[name]
    run = BARS.simulation(changes, 3)
    assert run.machine.layer_sizes == (9, 5, 2)
    assert run.seed == 3
    assert run.total_examples == 1500
    assert not run.nonnegative_input_weights
    assert (run.n_samples, run.recognition) == (3, "both")
    assert (run.machine.gen_biases[1] == -1.5).all()
    assert [list(rates) for _, rates in run.schedule] == [
        list(rates) for _, rates in BARS.simulation({**changes, "first_hidden_bias": None}, 3).schedule
    ]
    assert len(run.schedule) > 1
    assert (run.stream.p_vertical, run.stream.p_bar, run.stream.exclude) == (0.5, 0.3, ("blank", "full"))
    paper = BARS.simulation(BARS.defaults, 0)
    assert paper.machine.layer_sizes == (16, 8, 1)
    assert (paper.machine.gen_biases[1] == -3).all()
    assert paper.nonnegative_input_weights
    assert paper.stream.exclude == ()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_from_before_a_setting_goes_on(tmp_path, suffix):
    """Its runs had the default."""
    path, vary = tmp_path / f"t.{suffix}", {"examples": [20, 30]}
    before = sweep.run(BARS, vary, 2, path=path)
    old = before.drop(columns=["n_samples", "recognition"])
    old.to_csv(path, index=False) if suffix == "csv" else old.to_parquet(path, index=False)
    more = sweep.run(BARS, {**vary, "n_samples": [1, 2]}, 2, path=path)
    pd.testing.assert_frame_equal(more[more["n_samples"] == 1].reset_index(drop=True), before)
    assert (more["error"] == "").all()
    assert len(sweep.read(path)) == 8


def test_a_row_a_run_in_the_order_of_the_grid(tiny):
    table = sweep.run(tiny, {"rate": [0.3, 0.1], "bias": [None, -2], "word": "a"}, [5, 2])
    assert list(table.columns) == ["experiment", *DEFAULTS, "seed", "weight", "seen", "seconds", "error"]
    assert table["rate"].tolist() == [0.3] * 4 + [0.1] * 4
    assert table["bias"].fillna(9).tolist() == [9, 9, -2, -2] * 2
    assert table["seed"].tolist() == [5, 2] * 4
    for name, value in {"experiment": "tiny", "examples": 20, "word": "a", "positive": True, "seen": 20}.items():
        assert table[name].tolist() == [value] * 8
    assert table["error"].tolist() == [""] * 8
    assert (table["seconds"] > 0).all()
    assert table["weight"].nunique() > 4
    assert sweep.setting_names(table) == list(DEFAULTS)
    assert sweep.varied(table) == ["rate", "bias"]


def test_a_list_of_settings_and_what_is_given_twice(tiny):
    table = sweep.run(tiny, [{"rate": 0.2}, {}, {"bias": 0, "examples": 30}, {"rate": 0.2}], [1, 1])
    assert table[["rate", "examples", "seen"]].to_numpy().tolist() == [[0.2, 20, 20], [0.1, 20, 20], [0.1, 30, 30]]
    assert table["bias"].tolist()[2] == 0
    assert tiny.ran() == [1, 1, 1]
    grid = sweep.run(tiny, {"rate": [0.2, 0.2]}, 1)
    assert len(grid) == 1


def test_values_get_the_type_of_their_setting():
    assert [type(value) for value in map(lambda v: check_setting(BARS, "hidden", v), (np.int64(3), 3.0, None))] == [
        int,
        int,
        type(None),
    ]
    values = [
        check_setting(BARS, "p_bar", np.float32(0.5)),
        check_setting(BARS, "p_bar", 1),
        check_setting(BARS, "nonnegative", np.bool_(False)),
        check_setting(BARS, "recipe", np.str_("paper")),
    ]
    assert list(map(type, values)) == [float, float, bool, str]
    assert values == [0.5, 1.0, False, "paper"]


def test_groups_of_all_lanes_and_the_rest_one_by_one():
    assert [group.seeds for group in grouped({}, range(18), 16)] == [tuple(range(16)), (16,), (17,)]
    assert [len(group.seeds) for group in grouped({}, range(41), 16)] == [16, 16, 9]
    assert [len(group.seeds) for group in grouped({}, range(3), 1)] == [1, 1, 1]
    assert grouped({}, [], 16) == []


def test_only_lanes_learn_together(tiny, monkeypatch):
    groups, together = [], fastws.simulation.advance_together
    monkeypatch.setattr(
        "fastws.sweep.groups.advance_together", lambda group, *rest: (groups.append(len(group)), together(group, *rest))
    )
    sweep.run(tiny, {}, N_LANES, "threads")
    assert groups == []
    sweep.run(tiny, {}, N_LANES, "lanes")
    assert set(groups) == {LANES}


@pytest.mark.parametrize("engine", ["lanes", "threads"])
def test_progress_moves_inside_runs_and_ends_with_all(tiny, monkeypatch, engine):
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
    calls = []
    examples = 500 if INTERPRETED else 400_000
    sweep.run(tiny, {"examples": examples}, 3, engine, progress=lambda *call: calls.append(call), workers=1)
    counts = [count for count, _ in calls]
    assert {total for _, total in calls} == {3}
    assert counts == sorted(counts)
    assert counts[-1] == 3
    assert any(count % 1 for count in counts)


def test_progress_counts_what_an_earlier_sweep_did(tiny, tmp_path):
    sweep.run(tiny, {}, 3, path=tmp_path / "t.csv")
    calls = []
    with ThreadPoolExecutor(1) as pool:
        sweep.run(tiny, {}, 5, pool, tmp_path / "t.csv", lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[0][0] >= 3
    assert calls[-1] == (5, 5)


# The file.


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_sweep_with_the_same_file_does_only_what_is_missing(tiny, tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    vary = {"rate": [0.1, 1 / 3], "bias": [None, 0.1]}
    first = sweep.run(tiny, vary, 2, path=path)
    assert tiny.ran() == [0] * 4 + [1] * 4
    whole = path.read_bytes()
    same(sweep.run(tiny, vary, 2, path=path), first)
    assert path.read_bytes() == whole
    assert len(tiny.ran()) == 8
    more = sweep.run(tiny, {**vary, "rate": [0.1, 1 / 3, 0.5]}, 3, path=path)
    assert len(more) == 18
    assert len(tiny.ran()) == 18
    assert more["rate"].is_monotonic_increasing
    same(sweep.run(Tiny(tmp_path / "other"), {**vary, "rate": [0.1, 1 / 3, 0.5]}, 3), more)
    # A smaller grid gives its own rows only, and the others stay, after them.
    fewer = sweep.run(tiny, {"rate": 0.5}, [1], path=path)
    assert len(fewer) == 1
    kept = sweep.read(path)
    assert len(kept) == 18
    assert kept.iloc[0][["rate", "seed"]].tolist() == [0.5, 1]
    assert len(tiny.ran()) == 18


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_file_holds_the_table(tiny, tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    table = sweep.run(
        Tiny(tmp_path / "log", "measuring"), {"word": ["1", "True", "none"], "bias": [1 / 3, None]}, 2, path=path
    )
    read = sweep.read(path)
    assert list(read.columns) == list(table.columns)
    np.testing.assert_array_equal(read["weight"], table["weight"])
    assert read["error"].tolist() == table["error"].tolist()
    assert len(sweep.run(tiny, {"word": ["1", "True", "none"], "bias": [1 / 3, None]}, [0], path=path)) == 6
    assert tiny.ran() == [0] * 6


floats = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(
    st.tuples(
        st.integers(-(2**63) + 1, 2**63 - 1),
        floats,
        st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1),
        st.none() | floats,
        st.booleans(),
        st.integers(0, 2**63 - 1),
        floats,
        st.floats(),
        floats,
        st.text(st.characters(codec="utf-8", categories=("L", "P", "S"))),
    ),
    max_size=5,
)


@settings(max_examples=25)
@pytest.mark.parametrize("suffix", SUFFIXES)
@given(rows)
def test_any_row_comes_back_from_the_file(tmp_path_factory, suffix, rows):
    path = tmp_path_factory.mktemp("rows") / f"t.{suffix}"
    experiment = Tiny("nowhere")
    kept = tables.Rows(experiment, path)
    for *values, seed, weight, seen, seconds, error in rows:
        kept.add(dict(zip(DEFAULTS, values, strict=True)), Outcome(seed, (weight, seen), seconds, error))
    kept.write()
    again = tables.Rows(experiment, path)
    keys = [(tuple(row[:5]), row[5]) for row in rows]
    pd.testing.assert_frame_equal(again.table(keys), kept.table(keys), check_exact=True)
    assert [again.done(key) for key in keys] == [kept.done(key) for key in keys]


WORDS = ["nan", "NA", "None", "", " two  spaces ", 'a "quoted", word', "'", "#", "1e5", "007", "-inf", "ü→\U0001f600"]
WORDS += ["cr\rlf\n", "\r", "\n", "\0", "tab\t", "\x1b[31m", "\x85", "\ud800", "\u2028", "\xa0", "\ufeffx"]


@settings(max_examples=10)
@pytest.mark.parametrize("suffix", SUFFIXES)
@given(words=st.just(WORDS) | st.lists(st.text(st.characters(categories=None)), max_size=5))
def test_a_word_comes_back_from_the_file_or_is_refused_first(tmp_path_factory, suffix, words):
    path = tmp_path_factory.mktemp("words") / f"t.{suffix}"
    tiny, taken = Tiny("nowhere"), []
    rows = tables.Rows(tiny, path)
    for word in dict.fromkeys(words):
        if word == "" or any(unicodedata.category(character) in ("Cc", "Cs") for character in word):
            told = f"the setting word is given {word!r}; it takes a word without control characters."
            with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
                sweep.expand(tiny, [{"word": word}])
            continue
        [values] = sweep.expand(tiny, [{"word": word}])
        taken.append((tuple(values.values()), 0))
        rows.add(values, Outcome(0, (1.0, 2.0), 3.0, ""))
    rows.write()
    again = tables.Rows(tiny, path)
    assert all(again.done(key) for key in taken)
    pd.testing.assert_frame_equal(again.table(taken), rows.table(taken), check_exact=True)
    again.write()
    assert len(tables.Rows(tiny, path)._rows) == len(taken)


@settings(max_examples=10)
@pytest.mark.parametrize("suffix", SUFFIXES)
@given(texts=st.just(WORDS) | st.lists(st.text(st.characters(categories=None)), max_size=5))
def test_the_text_of_any_error_comes_back_from_the_file(tmp_path_factory, suffix, texts):
    path = tmp_path_factory.mktemp("errors") / f"t.{suffix}"
    tiny = Tiny("nowhere")
    rows = tables.Rows(tiny, path)
    for seed, text in enumerate(texts):
        rows.add(DEFAULTS, failed(seed, ValueError(text)))
    rows.write()
    keys = [(tuple(DEFAULTS.values()), seed) for seed in range(len(texts))]
    pd.testing.assert_frame_equal(tables.Rows(tiny, path).table(keys), rows.table(keys), check_exact=True)


def test_control_characters_of_an_error_are_written_out():
    assert failed(0, KeyError("a\r\nb")).error == r"KeyError: 'a\r\nb'"
    assert failed(0, ValueError("a\r\nb\0c\ud800\x1b")).error == r"ValueError: a b\x00c\ud800\x1b"


@pytest.mark.parametrize(("name", "value"), [("name", "ti\rny"), ("measure_names", ("weight\n", "seen"))])
def test_names_that_a_table_cannot_hold_are_refused_first(tiny, tmp_path, name, value):
    setattr(tiny, name, value)
    with pytest.raises(
        ValueError, match=r"^the experiment has the name '(ti\\rny|weight\\n)'; a table takes none with"
    ):
        sweep.run(tiny, {}, 1, path=tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_default_is_checked_like_any_other_value(tiny):
    tiny.defaults = {**DEFAULTS, "word": "a\rb"}
    with pytest.raises(ValueError, match=r"^the setting word is given 'a\\rb'; it takes a word without control"):
        sweep.run(tiny, {"rate": 0.1}, 1)


def test_rows_are_written_as_they_come_but_seldom(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_SECONDS_A_WRITE", 3600.0)
    lengths = []

    def look(done, total):
        lengths.append(len(sweep.read(tmp_path / "t.csv")))

    with ThreadPoolExecutor(1) as pool:
        sweep.run(tiny, {}, 4, pool, tmp_path / "t.csv", look)
    assert set(lengths) == {0}
    (tmp_path / "t.csv").unlink()
    monkeypatch.setattr(tables, "_SECONDS_A_WRITE", 0.0)
    monkeypatch.setattr(tables, "_SHARE_OF_WRITING", math.inf)
    with ThreadPoolExecutor(1) as pool:
        sweep.run(tiny, {}, 4, pool, tmp_path / "t.csv", look)
    assert sorted(set(lengths)) == [0, 1, 2, 3, 4]


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from fastws import sweep
from fastws.sweep import table
from sweeping import Tiny
table._SECONDS_A_WRITE = 0.01
if __name__ == "__main__":
    sweep.run(Tiny({log!r}, closed_after={closed_after}), {vary!r}, 40, {engine!r}, {path!r}, workers=2)
"""


def is_alive(process):
    """Return whether a process runs: on Linux one that ended may wait for its parent to look."""
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
@pytest.mark.parametrize(("suffix", "engine"), [("csv", "lanes"), ("parquet", "processes")])
def test_a_killed_sweep_leaves_whole_rows_and_goes_on(tiny, tmp_path, suffix, engine):
    path, vary = tmp_path / f"t.{suffix}", {"rate": [0.1, 0.2, 0.3, 0.4]}
    words = {"log": str(tiny.log), "vary": vary, "engine": engine, "path": str(path), "closed_after": 4 * LANES}
    (tmp_path / "killed.py").write_text(KILLED.format(tests=str(Path(__file__).parent), **words))
    process = subprocess.Popen([sys.executable, str(tmp_path / "killed.py")], stderr=subprocess.DEVNULL)
    wait_until(lambda: path.exists() and len(sweep.read(path)) >= 20, process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    wait_until(lambda: not any(map(is_alive, tiny.processes())))
    n_before, n_kept = len(tiny.ran()), len(sweep.read(path))
    assert 20 <= n_kept < 160
    # What each of two workers had under way, and what was finished after the last write.
    assert n_kept >= n_before - 4 * LANES
    table = sweep.run(tiny, vary, 40, path=path)
    assert len(tiny.ran()) == n_before + 160 - n_kept
    same(table, sweep.run(Tiny(tmp_path / "alone"), vary, 40))
    assert not table.duplicated([*DEFAULTS, "seed"]).any()
    same(sweep.read(path).drop(columns="bias"), table.drop(columns="bias"))


@pytest.mark.parametrize("engine", ["lanes", "threads", "processes"])
def test_an_interrupt_keeps_what_is_done(tmp_path, monkeypatch, engine):
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.001)
    shutdown, tiny = threads.ThreadPoolExecutor.shutdown, Tiny(tmp_path / "log", closed_after=2 * LANES + 2)

    def interrupt(done, total):
        if done >= 2 and len(tiny.ran()) >= tiny.closed_after:  # one of two workers has finished its group
            raise KeyboardInterrupt

    def open_gate_and_shut_down(pool, *arguments, **options):
        tiny.gate.touch()
        shutdown(pool, *arguments, **options)

    monkeypatch.setattr(threads.ThreadPoolExecutor, "shutdown", open_gate_and_shut_down)
    with pytest.raises(KeyboardInterrupt):
        sweep.run(tiny, {"rate": [0.1, 0.2]}, 40, engine, tmp_path / "t.csv", interrupt, workers=2)
    n_kept = len(sweep.read(tmp_path / "t.csv"))
    assert 2 <= n_kept < 80
    monkeypatch.undo()
    tiny.gate.touch()
    n_before = len(tiny.ran())
    table = sweep.run(tiny, {"rate": [0.1, 0.2]}, 40, path=tmp_path / "t.csv")
    assert len(table) == 80
    assert len(tiny.ran()) == n_before + 80 - n_kept


def test_an_interrupt_keeps_what_an_executor_had_finished(tiny, tmp_path):
    futures = []

    class Remembering(ThreadPoolExecutor):
        def submit(self, *arguments):
            futures.append(super().submit(*arguments))
            return futures[-1]

    def interrupt(done, total):
        wait(futures)
        raise KeyboardInterrupt

    with Remembering(4) as pool, pytest.raises(KeyboardInterrupt):
        sweep.run(tiny, {}, 4, pool, tmp_path / "t.csv", interrupt)
    assert len(sweep.read(tmp_path / "t.csv")) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_waits_until_processes_are_started_which_it_does_not_reach():
    reached, handler = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), children_ignoring_interrupts():  # noqa: PT012
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        signal.raise_signal(signal.SIGINT)
        reached.append("the end")
    assert reached
    assert signal.getsignal(signal.SIGINT) is handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with children_ignoring_interrupts():
        pass
    assert signal.getsignal(signal.SIGINT) is handler


# What fails.


@pytest.mark.parametrize("engine", ["lanes", "threads"])
@pytest.mark.parametrize(
    ("fails", "error"),
    [
        ("beginning", "ValueError: it cannot begin."),
        ("learning", "RuntimeError: odd seeds break"),
        ("measuring", "KeyError: 'no such measure'"),
    ],
)
def test_a_run_that_fails_is_a_row_and_is_tried_again(tmp_path, fails, error, engine):
    tiny, n = Tiny(tmp_path / "log", fails), LANES
    table = sweep.run(tiny, {}, n, engine, tmp_path / "t.csv")
    assert table["error"].tolist() == ["", error] * (n // 2)
    assert table["weight"].isna().tolist() == [False, True] * (n // 2)
    whole = Tiny(tmp_path / "log2")
    same(sweep.run(whole, {}, n, path=tmp_path / "t.csv"), sweep.run(Tiny(tmp_path / "log3"), {}, n))
    assert whole.ran() == list(range(1, n, 2))


def test_measures_that_are_missing_are_an_error_of_the_run(tiny):
    tiny.measure_names = ("weight", "height")
    assert sweep.run(tiny, {}, 1)["error"].tolist() == ["KeyError: 'height'"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_measure_that_is_not_finite_is_an_error_of_the_run(tiny, value):
    tiny.measures = lambda simulation: {"weight": value if simulation.seed == 1 else 2.5, "seen": 1}
    table = sweep.run(tiny, {}, 3, "threads")
    assert table["error"].tolist() == [
        "",
        f"ValueError: the measure weight is {value}; a result is a finite number.",
        "",
    ]
    assert table["weight"].fillna(0).tolist() == [2.5, 0, 2.5]


def test_settings_that_do_not_go_together_are_a_row(tmp_path):
    class Picky(Tiny):
        def simulation(self, settings, seed):
            if settings["rate"] > 0.2 and settings["positive"]:
                raise ValueError("not both.")
            return super().simulation(settings, seed)

    picky = Picky(tmp_path / "log")
    table = sweep.run(picky, {"rate": [0.1, 0.3], "positive": [True, False]}, 1)
    assert table["error"].tolist() == ["", "", "ValueError: not both.", ""]
    # A value that no run can begin with is a mistake.
    with pytest.raises(ValueError, match=r"^not both\.$"):
        sweep.run(picky, {"rate": [0.1, 0.3], "positive": [True]}, 1, path=tmp_path / "t.csv")
    assert picky.ran() == [0, 0, 0]
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_workers_that_die_end_the_sweep_and_keep_the_rows(tmp_path):
    sweep.run(Tiny(tmp_path / "log"), {}, [0, 2], path=tmp_path / "t.csv")
    with pytest.raises(ConnectionError, match="the workers of the sweep are lost"):
        sweep.run(Tiny(tmp_path / "log", "process"), {}, 4, "processes", tmp_path / "t.csv", workers=1)
    assert len(sweep.read(tmp_path / "t.csv")) == 2


def test_an_executor_that_cancels_ends_the_sweep(tiny):
    class Cancelling(ThreadPoolExecutor):
        def submit(self, *arguments):
            future = super().submit(time.sleep, 0)
            future._state = "PENDING"
            future.cancel()
            return future

    with Cancelling(1) as pool, pytest.raises(ConnectionError, match="lost"):
        sweep.run(tiny, {}, 1, pool)


def test_a_task_that_fails_is_tried_run_by_run(tiny):
    class Fussy(ThreadPoolExecutor):
        def submit(self, function, experiment, group):
            return super().submit(self.task, function, experiment, group)

        @staticmethod
        def task(function, experiment, group):
            if len(group.seeds) > 1 or group.seeds[0] == 3:
                raise MemoryError("too much")
            return function(experiment, group)

    with Fussy(2) as pool:
        table = sweep.run(tiny, {}, LANES, pool)
        same(sweep.run(tiny, {}, [3, 4], pool), table.iloc[[3, 4]].reset_index(drop=True))
    assert table["error"].tolist() == ["MemoryError: too much" if seed == 3 else "" for seed in range(LANES)]


def test_worker_processes_end_at_once_with_an_exception(tmp_path):
    started = time.monotonic()
    with pytest.raises(KeyError), worker_processes(1) as pool:  # noqa: PT012
        wait_until(pool.submit(time.sleep, 1000).running)
        raise KeyError
    assert time.monotonic() - started < 500


# Bad input.


@pytest.mark.parametrize(
    ("vary", "complaint"),
    [
        ({"p_bars": [0.1]}, r"^the experiment 'bars' has no setting 'p_bars'\. Did you mean 'p_bar'\? It has recipe, "),
        ([{"zebra": 1}], r"^the experiment 'bars' has no setting 'zebra'\. It has recipe, "),
        ({"p_bar": ["x"]}, "^the setting p_bar is given 'x'; it takes a finite number"),
        ({"p_bar": [math.nan]}, "^the setting p_bar is given nan"),
        ({"p_bar": [None]}, "^the setting p_bar is given None"),
        ({"p_bar": [True]}, "^the setting p_bar is given True"),
        ({"hidden": [8.5]}, "^the setting hidden is given 8.5; it takes a whole number or None"),
        ({"examples": 2**63}, "^the setting examples is given 9223372036854775808"),
        ({"nonnegative": [1]}, "^the setting nonnegative is given 1; it takes True or False"),
        ({"recipe": [3]}, "^the setting recipe is given 3; it takes a word"),
        ({"recipe": ""}, "^the setting recipe is given ''"),
        ({"recipe": ["paper", "soup"]}, "^there is no recipe 'soup'"),
        ({"p_bar": [0.1, 1.5]}, "^p_bar is 1.5; a probability"),
        ({"hidden": [3, 30]}, "^the machine has 31 hidden units"),
        ({"size": 15, "hidden": 3}, "^size is 15; exact evaluation"),
        ({"first_hidden_bias": [1.0, 1e39]}, r"^gen_biases\[1\]\[0\] is inf; every parameter has to be finite"),
        ({"n_samples": [2, 0]}, "^n_samples is 0; it must be at least 1"),
        ({"recognition": ["sleep", "wake"]}, "^recognition is 'wake' with n_samples=1"),
        ({"p_bar": []}, "^the setting p_bar has no value"),
        ([], "^vary is an empty list"),
        (["p_bar"], "^vary has 'p_bar'; give a mapping"),
    ],
)
def test_settings_are_refused(tmp_path, vary, complaint):
    with pytest.raises(ValueError, match=complaint):
        sweep.run(BARS, vary, 1, path=tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"seeds": 0}, "^seeds is 0"),
        ({"seeds": []}, "^seeds is empty"),
        ({"seeds": [1, -1]}, "^a seed is -1"),
        ({"seeds": [0.5]}, "^a seed is 0.5"),
        ({"seeds": [2**63]}, "^the seed 9223372036854775808 is too large"),
        (
            {"engine": "mpi"},
            "^engine is 'mpi'; give one of lanes, threads, processes, a concurrent.futures.Executor or",
        ),
        ({"engine": None}, "^engine is None"),
        ({"workers": 0}, "^workers is 0"),
        ({"engine": ThreadPoolExecutor(1), "workers": 2}, "^workers goes with an engine given by its name"),
        ({"path": "t.xlsx"}, r"^t\.xlsx does not end in \.csv or \.parquet"),
        ({"path": "t"}, r"^t does not end in"),
    ],
)
def test_other_arguments_are_refused(tiny, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        sweep.run(**{"experiment": tiny, "vary": {}, "seeds": 1, **arguments})
    assert tiny.ran() == []


def write_other(path, change):
    """Write a table that is not one of `Tiny`."""
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    table = change(table)
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path, index=False)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.assign(experiment="bars"), "has rows of the experiment 'bars', not 'tiny'"),
        (lambda t: t.drop(columns="rate"), r"its columns differ \(rate\)"),
        (lambda t: t.rename(columns={"weight": "height"}), r"its columns differ \(height, weight\)"),
        (lambda t: t[[*t.columns[:1], "rate", "examples", *t.columns[3:]]], r"its columns differ \(their order\)"),
        (lambda t: t.assign(rate="fast"), "or damaged: the setting rate is given 'fast'"),
        (lambda t: t.assign(seed=0.5), "or damaged: 'float' object"),
        (lambda t: t.assign(weight="heavy"), "or damaged: could not convert string to float: 'heavy'"),
        (lambda t: t[["rate", "seed"]], "is not a table that a sweep wrote"),
        (lambda t: pd.DataFrame({"x": [1]}), r"is not a table that a sweep wrote \(its columns are x …\)"),
    ],
)
def test_a_file_of_another_sweep_is_refused_and_left_alone(tiny, tmp_path, suffix, change, complaint):
    path = tmp_path / f"t.{suffix}"
    sweep.run(tiny, {}, 1, path=path)
    write_other(path, change)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=complaint):
        sweep.run(tiny, {}, 2, path=path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"hello", b"\x00\xff\xfe" * 50, b"PAR1", b"a,b\n1,2,3\n"])
def test_what_is_no_table_is_refused_and_left_alone(tiny, tmp_path, suffix, content):
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(content)
    for use in (lambda: sweep.run(tiny, {}, 2, path=path), lambda: sweep.read(path)):
        with pytest.raises(ValueError, match=r"t\.(csv|parquet) is not a table that a sweep wrote \("):
            use()
    assert contents(tmp_path) == {path.name: content}


def test_a_file_that_cannot_be_written_is_known_before_the_work(tiny, tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*no.where.csv: No such file or directory"):
        sweep.run(tiny, {}, 1, path=tmp_path / "no" / "where.csv")
    assert tiny.ran() == []
    with pytest.raises(FileNotFoundError):
        sweep.read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(("package", "suffix"), [("pandas", "csv"), ("pyarrow", "parquet")])
def test_without_the_packages_it_says_what_to_install(tiny, tmp_path, monkeypatch, package, suffix):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs the package {package}; install it by pip install 'fastws\[sweep\]'"):
        sweep.run(tiny, {}, 1, path=tmp_path / f"t.{suffix}")
    assert tiny.ran() == []


def test_importing_the_sweep_needs_neither_pandas_nor_dask():
    heavy = {"pandas", "pyarrow", "dask", "distributed"}
    code = f"import fastws.sweep, sys; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# How often they succeed.


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (18, 32), (64, 64), (0, 64), (190, 200)])
def test_the_interval_is_wilsons(k, n):
    z, p = 1.959963984540054, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    expected = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    assert sweep.success_interval(k, n) == pytest.approx(expected, abs=1e-12)
    assert sweep.success_interval(0, 0) == (0.0, 1.0)


def test_success_rates_count_what_did_not_fail():
    def rows(hidden, p_bar, bits):
        error = ["" if math.isfinite(b) else "ValueError: no" for b in bits]
        settings = {"experiment": "bars", "hidden": hidden, "p_bar": p_bar, "recipe": "paper", "seed": range(len(bits))}
        return pd.DataFrame({**settings, "asymmetric_divergence_bits": bits, "seconds": 1.0, "error": error})

    table = pd.concat([rows(None, 0.2, [0.1, 0.04, 0.7]), rows(9.0, 0.2, [0.5, math.nan]), rows(9.0, 0.1, [math.nan])])
    rates = sweep.success_rates(table)
    assert rates["hidden"].fillna(0).tolist() == [0, 9, 9]
    assert rates["p_bar"].tolist() == [0.2, 0.2, 0.1]
    assert rates[["runs", "succeeded", "failed"]].to_numpy().tolist() == [[3, 2, 0], [1, 0, 1], [0, 0, 1]]
    assert rates["success_rate"].tolist()[:2] == [2 / 3, 0]
    assert math.isnan(rates["success_rate"][2])
    assert (rates["rate_low"][0], rates["rate_high"][0]) == sweep.success_interval(2, 3)
    assert rates["median_asymmetric_divergence_bits"].tolist()[:2] == [0.1, 0.5]
    assert sweep.success_rates(table, 0.05)["succeeded"].tolist() == [1, 0, 0]
    # A table that another program wrote: minus infinity would be less than any bound.
    unsaid = rows(8, 0.2, [0.04, math.nan, math.inf, -math.inf]).assign(error="")
    assert sweep.success_rates(unsaid)[["runs", "succeeded", "failed"]].to_numpy().tolist() == [[1, 1, 3]]
    one = sweep.success_rates(rows(8, 0.2, [0.1, 0.3]))
    assert one.to_numpy().tolist() == [[2, 1, 0.5, *sweep.success_interval(1, 2), 0.2, 0]]


@pytest.mark.parametrize("within", [math.nan, math.inf, 0, -0.1])
def test_a_bound_of_success_is_a_number_above_0(within):
    with pytest.raises(ValueError, match=f"^within_bits is {within}; give a number above 0"):
        sweep.success_rates(pd.DataFrame({"asymmetric_divergence_bits": [0.1], "seconds": 1.0, "error": ""}), within)


@pytest.mark.parametrize("place", range(4))
def test_the_largest_weight_passes_over_nothing(place):
    machine = fastws.Machine([4, 3, 1])
    shown = [machine.gen_biases[0], machine.gen_weights[0], machine.gen_biases[1], machine.gen_weights[1]]
    shown[place].flat[0] = -2.5
    assert largest_weight(machine) == 2.5
    shown[place].flat[0] = math.nan
    assert math.isnan(largest_weight(machine))
