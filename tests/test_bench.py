import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from machines import random_machine

ROOT = Path(__file__).parents[1]


def bench(folder, *words):
    command = [sys.executable, "-m", "bench", "--out", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture
def rivals(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench import rivals

    if rivals.compiler() is None:
        pytest.skip("there is no C compiler here")
    return rivals


@pytest.mark.parametrize(
    ("sizes", "stream"),
    [
        ((16, 8, 1), fastws.Bars()),
        ((20, 9, 17, 5), fastws.Images(np.random.default_rng(0).integers(0, 2, (30, 20), np.uint8))),
    ],
)
def test_silent_units_change_nothing_in_plain_c(rivals, sizes, stream):
    machine = random_machine(sizes)
    machine.clip_input_weights()
    learned = []
    for flags in ((), ("-DSKIP_SILENT",)):
        task = rivals.compile_c(*flags)(machine, stream, 2000, [0.1] * len(sizes), True, seed=1)
        learned.append([array for stack in task() for array in stack])
    before = [array for stack in rivals.stacks(machine) for array in stack]
    for dense, skipping, array in zip(*learned, before, strict=True):
        np.testing.assert_array_equal(dense, skipping)
        assert not np.array_equal(dense, array)


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="it measures compiled code")
def test_quick_run_writes_its_files(tmp_path):
    result = bench(tmp_path, "--quick", "--only", "bars")
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json", "bench.png", "bench.svg"}
    record = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in record["works"]["bars"]["contestants"]}
    assert rows["fastws"]["to_fastws"] == 1
    assert rows["NumPy loop"]["to_fastws"] > 10
    assert all("skipped" in row or row["median_ns"] > 0 for row in rows.values())
    assert all(name in result.stdout for name in rows)


@pytest.mark.parametrize("words", [["--only", "bar"], ["--rounds", "0"]])
def test_ill_input_is_answered_in_a_line(tmp_path, monkeypatch, capsys, words):
    monkeypatch.syspath_prepend(ROOT)
    monkeypatch.setattr(sys, "argv", ["bench", "--out", str(tmp_path), *words])
    from bench import __main__

    with pytest.raises(SystemExit) as ending:
        __main__.main()
    out, err = capsys.readouterr()
    assert (ending.value.code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words[1] in err
