"""Sweeps that write one file at the same time."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from fastws import sweep
from fastws.sweep import lock
from fastws.sweep.groups import Outcome
from fastws.sweep.table import Rows
from sweeping import DEFAULTS, Tiny, same

SUFFIXES = ("csv", "parquet")


def key(seed, **changes):
    return tuple({**DEFAULTS, **changes}.values()), seed


def add(rows, seed, weight=1.0, error="", **changes):
    rows.add({**DEFAULTS, **changes}, Outcome(seed, () if error else (weight, 2.0), 0.5, error))


def seeds_of(path):
    return sorted(sweep.read(path)["seed"].tolist())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_that_take_turns_lose_no_row(tmp_path, suffix):
    path, tiny = tmp_path / f"t.{suffix}", Tiny("nowhere")
    one, other = Rows(tiny, path), Rows(tiny, path)
    for turn in range(4):
        for rows, seed in ((one, turn), (other, 100 + turn)):
            add(rows, seed)
            rows.write()
    assert seeds_of(path) == [0, 1, 2, 3, 100, 101, 102, 103]
    one.write([key(103), key(2)])
    assert sweep.read(path)["seed"].tolist()[:2] == [103, 2]
    assert len(sweep.read(path)) == 8
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_of_two_rows_of_a_run_the_one_that_did_not_fail_stays(tmp_path, suffix):
    path, tiny = tmp_path / f"t.{suffix}", Tiny("nowhere")
    one, other = Rows(tiny, path), Rows(tiny, path)
    add(one, 0, error="KeyError: 1")
    add(one, 1, weight=3.0)
    add(one, 2, error="KeyError: 2")
    one.write()
    add(other, 0, weight=4.0)
    add(other, 1, error="KeyError: 3")
    add(other, 2, error="KeyError: 4")
    other.write()
    one.write()
    table = sweep.read(path).sort_values("seed")
    assert table["weight"].tolist()[:2] == [4.0, 3.0]
    assert table["error"].tolist()[:2] == ["", ""]
    assert table["error"].tolist()[2] in ("KeyError: 2", "KeyError: 4")
    assert one.done(key(0))
    assert not one.done(key(2))


def test_a_file_that_was_removed_is_written_again(tmp_path):
    path, tiny = tmp_path / "t.csv", Tiny("nowhere")
    rows = Rows(tiny, path)
    add(rows, 0)
    rows.write()
    path.unlink()
    add(rows, 1)
    rows.write()
    assert seeds_of(path) == [0, 1]


def test_what_another_sweep_put_in_the_place_of_the_file_is_left_alone(tmp_path):
    path = tmp_path / "t.csv"
    rows = Rows(Tiny("nowhere"), path)
    add(rows, 0)
    rows.write()
    before = b"experiment,seed,seconds,error\nother,1,2.0,\n"
    path.write_bytes(before)
    add(rows, 1)
    with pytest.raises(ValueError, match="is of another sweep, or damaged"):
        rows.write()
    assert path.read_bytes() == before


def test_the_file_is_read_again_only_if_another_wrote_it(tmp_path, monkeypatch):
    path, tiny = tmp_path / "t.csv", Tiny("nowhere")
    one, other = Rows(tiny, path), Rows(tiny, path)
    read, readings = Rows._loaded, []
    monkeypatch.setattr(Rows, "_loaded", lambda self, path: readings.append(self) or read(self, path))
    for seed in range(5):
        add(one, seed)
        one.write()
    assert readings == []
    add(other, 9)
    other.write()
    one.write()
    one.write()
    assert readings == [other, one]


TWO = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from fastws import sweep
from fastws.sweep import table
from sweeping import Tiny
table._SECONDS_A_WRITE, table._SHARE_OF_WRITING = 0.0, 1e9
def progress(done, total):
    Path("begun{me}").touch()
    while not Path("begun{other}").exists():
        time.sleep(0.01)
sweep.run(Tiny("log{me}"), {{"rate": [0.1, 0.2]}}, {seeds}, "threads", "t.csv", progress)
"""


@pytest.mark.long
def test_two_processes_with_one_file_both_finish_with_all_rows(tmp_path):
    """Neither goes on before both have begun; some runs are asked for by both."""
    seeds = range(10), range(6, 16)
    codes = [TWO.format(tests=str(Path(__file__).parent), me=me, other=1 - me, seeds=list(seeds[me])) for me in (0, 1)]
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) for code in codes]
    assert [process.wait(timeout=200) for process in both] == [0, 0]
    table = sweep.read(tmp_path / "t.csv").sort_values(["rate", "seed"], ignore_index=True)
    alone = sweep.run(Tiny(tmp_path / "alone"), {"rate": [0.1, 0.2]}, 16)
    same(table.drop(columns="bias"), alone.drop(columns="bias").astype({"word": table["word"].dtype}))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_each_gets_its_own_table_whatever_the_file_holds(tmp_path):
    path, tiny = tmp_path / "t.csv", Tiny(tmp_path / "log")
    seen = []

    def interfere(done, total):
        if not seen:
            seen.append(done)
            sweep.run(Tiny(tmp_path / "log2"), {"rate": 0.7}, [5, 6], path=path)

    table = sweep.run(tiny, {}, [0, 1], path=path, progress=interfere)
    assert table["seed"].tolist() == [0, 1]
    assert sweep.read(path)["seed"].tolist() == [0, 1, 5, 6]


# The lock.


def is_held(path):
    """Return whether someone holds the lock of a file."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT)
    try:
        return not lock._try(descriptor)
    finally:
        os.close(descriptor)


def test_a_lock_is_held_by_one_and_leaves_nothing(tmp_path):
    path, order = tmp_path / "t.csv", []

    def wait():
        with lock.locked(path):
            order.append("other")

    with lock.locked(path):
        assert is_held(path)
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.2)
        order.append("one")
    thread.join()
    assert order == ["one", "other"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyError), lock.locked(path):
        raise KeyError
    assert not is_held(path)


def test_who_waited_for_a_file_that_is_gone_does_not_hold_the_lock(tmp_path):
    path = tmp_path / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        assert lock._is_at(descriptor, path)
        path.rename(tmp_path / "gone")
        assert not lock._is_at(descriptor, path)
        path.touch()
        assert not lock._is_at(descriptor, path)
    finally:
        os.close(descriptor)


HOLDING = """
import sys, time
from pathlib import Path
from fastws.sweep.lock import locked
with locked(Path("t.csv")):
    print("held", flush=True)
    time.sleep(1000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_process_holds_no_lock(tmp_path):
    path = tmp_path / "t.csv"
    with subprocess.Popen([sys.executable, "-c", HOLDING], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        process.send_signal(signal.SIGKILL)
    with lock.locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="fcntl")
def test_a_file_system_without_locks_is_written_all_the_same(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    table = sweep.run(Tiny(tmp_path / "log"), {}, 2, path=tmp_path / "t.csv")
    assert len(sweep.read(tmp_path / "t.csv")) == len(table) == 2
    monkeypatch.setattr("fcntl.flock", lambda *arguments: (_ for _ in ()).throw(OSError(lock.errno.EIO, "broken")))
    with pytest.raises(OSError, match=r"cannot write .*t\.csv: broken"):
        sweep.run(Tiny(tmp_path / "log"), {}, 3, path=tmp_path / "t.csv")


def test_a_table_has_the_types_of_its_columns_after_others_wrote(tmp_path):
    path, tiny = tmp_path / "t.csv", Tiny(tmp_path / "log")
    one = Rows(tiny, path)
    sweep.run(tiny, {"word": ["1", "x"], "bias": [None, 1]}, 1, path=path)
    one.write()
    table = one.table([key(0, word="1"), key(0, word="x", bias=1.0)])
    expected = sweep.run(Tiny(tmp_path / "log2"), [{"word": "1"}, {"word": "x", "bias": 1}], 1)
    pd.testing.assert_series_equal(table.dtypes, expected.dtypes)
    same(table, expected)
