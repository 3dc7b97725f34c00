"""Sweeps on a Dask cluster of two worker processes on this computer, one of which is really killed."""

import json
import os
import signal
import sys
from collections import Counter

import pytest

from chance import INTERPRETED
from fastws import sweep
from fastws.experiments.bars import BARS
from fastws.kernels.layout import LANES
from sweeping import DEFAULTS, Tiny, same

distributed = pytest.importorskip("distributed")

N = LANES * 6


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def workers(client):
    """Return the process of each worker, by address."""
    return client.run(os.getpid)


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_a_cluster_gives_the_same_table(client, tmp_path):
    vary = {"p_bar": [0.1, 0.3], "hidden": [None, 3], "examples": 2000}
    table = sweep.run(BARS, vary, 17, client, tmp_path / "t.parquet")
    same(table, sweep.run(BARS, vary, 17))
    assert len(sweep.read(tmp_path / "t.parquet")) == 4 * 17


@pytest.mark.long
def test_both_workers_run(client, tmp_path):
    tiny, processes = Tiny(tmp_path / "log", closed_after=LANES), set(workers(client).values())

    def open_gate(done, total):
        if tiny.processes() == processes:
            tiny.gate.touch()

    sweep.run(tiny, {}, N, client, progress=open_gate)
    assert tiny.processes() == processes


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_runs_of_a_killed_worker_are_done_again(client, tmp_path):
    tiny, killed = Tiny(tmp_path / "log", closed_after=2 * LANES + 2), []

    def kill_once(done, total):
        busy = [address for address, tasks in client.processing().items() if tasks]
        if done and busy and not killed:
            killed.append(processes[busy[0]])
            os.kill(killed[0], signal.SIGKILL)
            tiny.gate.touch()

    processes = workers(client)
    table = sweep.run(tiny, {}, N, client, tmp_path / "t.csv", kill_once)
    assert killed
    same(table, sweep.run(Tiny(tmp_path / "alone"), {}, N))
    read = sweep.read(tmp_path / "t.csv")
    assert len(read) == N
    assert not read.duplicated([*DEFAULTS, "seed"]).any()
    # What the worker had under way, or finished and not yet sent, had been measured in part or in whole.
    seeds = Counter(tiny.ran())
    assert sorted(seeds) == list(range(N))
    assert {seed for seed, times in seeds.items() if times > 1} <= set(tiny.ran_in(killed[0]))
    assert max(seeds.values()) <= 2
    assert killed[0] not in workers(client).values()


def test_a_cluster_that_is_lost_ends_the_sweep_and_keeps_the_rows(tmp_path):
    tiny = Tiny(tmp_path / "log", closed_after=LANES + 2)

    def lose(done, total):
        if done:
            client.close()
            tiny.gate.touch()

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(ConnectionError, match="the workers of the sweep are lost"),
    ):
        sweep.run(tiny, {}, N, client, tmp_path / "t.csv", lose)
    assert 0 < len(sweep.read(tmp_path / "t.csv")) < N


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_the_command_line_finds_a_cluster_or_starts_one(client, run):
    words = ("sweep", "bars", "--vary", "p_bar=0.1,0.2", "--vary", "examples=2000", "--seeds", 2, "--json")
    address = ("--scheduler", client.scheduler.address)
    found = {}
    for name, more in {"here": (), "there": ("--engine", "dask", *address), "new": ("--engine", "dask")}.items():
        code, out, err = run(*words, *more, "--out", f"{name}.csv")
        assert (code, err.strip()) == (0, "")
        found[name] = json.loads(out)["settings"]
        same(sweep.read(f"{name}.csv"), sweep.read("here.csv"))
    assert found["new"] == found["there"] == found["here"]


def test_the_command_line_without_a_scheduler(run, monkeypatch, tmp_path):
    monkeypatch.setattr("fastws.cli.sweep._SECONDS_FOR_SCHEDULER", 0.3)
    for address in ("tcp://127.0.0.1:1", "nonsense", "bad://x:3"):
        code, out, err = run("sweep", "bars", "--engine", "dask", "--scheduler", address)
        assert (code, out) == (2, "")
        assert f"Error: no Dask scheduler answers at {address} (" in err
        assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.long
def test_a_run_that_kills_its_workers_is_a_row(client, tmp_path):
    table = sweep.run(Tiny(tmp_path / "log", "process"), {}, [0, 1, 2], client)
    assert table["error"].str.split(":").str[0].tolist() == ["", "KilledWorker", ""]
