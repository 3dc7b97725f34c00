import ctypes
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws import exact
from fastws.kernels.layout import aligned
from lanewise import draw_thresholds
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
    # A quick record is not kept in the history.
    assert {path.name for path in tmp_path.iterdir()} == {"bench.json", "bench.png", "bench.svg"}
    record = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in record["works"]["bars"]["contestants"]}
    assert rows["fastws"]["to_fastws"] == 1
    assert 0 < rows["C by hand"]["to_plain_c"] < 1
    assert rows["NumPy loop"]["to_fastws"] > 10
    assert all("skipped" in row or row["median_ns"] > 0 for row in rows.values())
    assert all(name in result.stdout for name in rows)


@pytest.mark.parametrize("words", [["--only", "bar"], ["--rounds", "0"], ["--instructions", "sse"]])
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


@pytest.fixture(params=["avx2", "avx512"])
def by_hand(request, rivals, monkeypatch):
    from bench import by_hand, instructions

    if request.param not in instructions.available():
        pytest.skip(f"this processor has no {request.param}")
    monkeypatch.setattr(instructions, "in_use", lambda: request.param)
    return by_hand


def ways_by_hand(by_hand):
    return {"one": by_hand.one(), "together": by_hand.together(16)}


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "sizes"), [("one", (20, 9, 17, 5)), ("one", (70, 65, 3)), ("together", (20, 9, 17, 5))]
)
def test_first_example_by_hand_obeys_the_delta_rule(by_hand, way, sizes):
    image = np.random.default_rng(0).integers(0, 2, (1, sizes[0]), np.uint8)
    rates = [0.5 / 2**level for level in range(len(sizes))]
    task = ways_by_hand(by_hand)[way](fastws.Machine(sizes), fastws.Images(image), 1, rates, False)
    gen_weights, gen_biases, rec_weights, rec_biases = ([np.array(array) for array in stack] for stack in task())
    # Each probability is 1/2 at first: biases move by half of the rate, up where the state is 1.
    for rate, biases in zip([*rates, *rates], [*gen_biases, *rec_biases], strict=False):
        np.testing.assert_allclose(abs(biases), rate / 2, rtol=1e-6)
    np.testing.assert_array_equal(gen_biases[0] > 0, image[0])
    for level, weights in enumerate(gen_weights):
        np.testing.assert_array_equal(weights, np.outer(gen_biases[level + 1] > 0, gen_biases[level]))
    for level, weights in enumerate(rec_weights):
        driving = rec_biases[level - 1] > 0 if level else (weights != 0).any(axis=1)
        np.testing.assert_array_equal(weights, np.outer(driving, rec_biases[level]))


@pytest.mark.long
@pytest.mark.parametrize("way", ["one", "together"])
def test_weights_by_hand_are_held_to_zero(by_hand, way):
    sizes, image = (20, 9, 17, 5), np.zeros((1, 20), np.uint8)
    prepare = ways_by_hand(by_hand)[way]
    free, clipped = (
        prepare(fastws.Machine(sizes), fastws.Images(image), 20, [0.1] * 3, nonnegative)()
        for nonnegative in (False, True)
    )
    assert np.min(free[0][0]) < 0
    assert np.min(clipped[0][0]) == 0
    assert np.min(clipped[0][1]) < 0


@pytest.mark.long
@pytest.mark.parametrize("way", ["one", "together"])
def test_bars_are_learned_by_hand(by_hand, way):
    machine, bars = fastws.Machine((16, 8, 1)), fastws.Bars()
    machine.gen_biases[1][:] = -3
    before = exact.report(machine, *bars.distribution()).asymmetric_divergence_bits
    task = ways_by_hand(by_hand)[way](machine, bars, 200_000, (0.2, 0.001, 0.001), True, seed=1)
    for own, learned in zip(
        (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases), task(), strict=True
    ):
        for array, values in zip(own, learned, strict=True):
            array[...] = values
    report = exact.report(machine, *bars.distribution())
    # Two of the bars can be missed for good: then it stays at 0.7 bits or so.
    assert report.asymmetric_divergence_bits < min(2.0, before / 4)
    assert report.kl_penalty_bits < 1.5


@pytest.mark.long
def test_draws_by_hand_are_those_of_fastws(by_hand):
    from bench import instructions

    chosen, first, n_draws = instructions.in_use(), 2**33 + 5, 256
    lanes = instructions.LANES[chosen]
    keys = np.random.default_rng(0).integers(0, 2**32, (lanes, 4), np.uint32)
    expected = np.empty((n_draws, lanes), np.float32)
    room = np.empty((1, 64), np.float32)
    for machine, key in enumerate(keys):
        for group in range(n_draws // 64):
            draw_thresholds(key, np.uint64(first + group), 64, room)
            expected[64 * group : 64 * (group + 1), machine] = room[0]
    for programs, n_machines in (((("one.c", 8), ("draws.c", lanes)), 1), ((("together.c", lanes),), lanes)):
        thresholds = aligned(n_draws * n_machines)
        words = np.array(keys[:n_machines].T, order="C")
        arguments = ctypes.c_void_p(words.ctypes.data), ctypes.c_uint64(first), n_draws
        by_hand.library(chosen, programs, (16, 8, 1), 4).draw(*arguments, ctypes.c_void_p(thresholds.ctypes.data))
        drawn = thresholds.reshape(n_draws, n_machines)
        np.testing.assert_allclose(drawn, expected[:, :n_machines], rtol=1e-5, atol=1e-6)


def line(date, machine="processor A", **ratios):
    return {"date": f"{date}T00:00:00+00:00", "machine": machine, "versions": {}, "ratios": ratios}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line("2026-01-01", bars=1.0)], "no earlier record of a machine of this kind (processor A)"),
        ([line("2026-01-01", "processor B", bars=1.0), line("2026-01-02", bars=2.0)], "no earlier record"),
        ([line("2026-01-01", digits=1.0), line("2026-01-02", bars=2.0)], "no earlier record"),
        ([line("2026-01-01", bars=1.0), line("2026-01-02", bars=1.09)], "no more than 10% slower"),
        ([line("2026-01-01", bars=1.0), line("2026-01-02", bars=1.12, big=9.0)], "got slower since"),
        # The last of the same kind counts, and each work by itself.
        (
            [
                line("2026-01-01", bars=1.0),
                line("2026-01-02", bars=2.0, big=1.0),
                line("2026-01-03", "processor B", bars=1.0),
                line("2026-01-04", bars=2.1, big=1.5),
            ],
            "got slower since the record of 2026-01-02 on a machine of this kind (processor A): big (+50%).",
        ),
    ],
)
def test_one_sentence_says_whether_fastws_got_slower(history, lines, expected):
    sentence = history.verdict(lines)
    assert expected in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.fixture
def history(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from bench import history

    return history


def measured(date, fastws_ns):
    rows = [
        {"name": name, "machines": 1, "ns_an_example": [ns]} for name, ns in (("fastws", fastws_ns), ("plain C", 4.0))
    ]
    return {
        "date": date,
        "host": {"cpu": "processor", "architecture": "old", "versions": {"fastws": "1"}},
        "works": {"bars": {"title": "bars", "instructions": "avx2", "contestants": rows}},
    }


def test_history_keeps_a_line_a_record(history, tmp_path):
    from bench.race import compare

    for day, ns in ((1, 2.0), (2, 3.0)):
        record = measured(f"2026-01-0{day}T00:00:00+00:00", ns)
        compare(record["works"]["bars"]["contestants"])
        lines = history.add(tmp_path, history.line_of(record))
    assert lines == history.read(tmp_path)
    assert [line["ratios"] for line in lines] == [{"bars, AVX2 / plain C": 0.5}, {"bars, AVX2 / plain C": 0.75}]
    assert lines[0]["machine"] == "processor, old"
    assert "(+50%)" in history.verdict(lines)
    drawn = [line for panel in history.draw(lines).axes for line in panel.get_lines()]
    assert [curve.get_ydata().tolist() for curve in drawn] == [[0.5, 0.75]]


def test_the_record_in_the_repository_is_in_its_history(history):
    folder = ROOT / "bench" / "record"
    record = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    assert history.line_of(record) in history.read(folder)


def test_clock_gives_each_part_what_is_not_of_the_parts_within(rivals, monkeypatch):
    from bench import stages

    now = [0.0]
    monkeypatch.setattr(stages.time, "thread_time", lambda: now[0])
    clock = stages.Clock()

    def takes(seconds, *within):
        now[0] += seconds
        for function in within:
            function()

    learning, loading = list(stages._STAGES.values())[:2]
    inner = clock.around(lambda: takes(2), lambda: "import of NumPy")
    outer = clock.around(lambda: takes(1, inner, inner), lambda: "import of Numba")
    outer()
    assert clock.spent == {"import of Numba": 1, "import of NumPy": 4}
    # What a stage imports is of the stage.
    within = clock.around(lambda: takes(8), lambda: loading)
    clock.around(lambda: takes(16, inner, within), lambda: learning)()
    assert clock.spent == {"import of Numba": 1, "import of NumPy": 4, learning: 18, loading: 8}
    with pytest.raises(TypeError):
        clock.around(lambda: takes("long"), lambda: learning)()
    clock.around(lambda: takes(1), lambda: loading)()
    assert clock.spent[loading] == 9


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled, so nothing is loaded")
def test_parts_of_a_start_are_found(rivals, tmp_path):
    from bench import stages, startup

    words = ["bars", "--examples", "100", "--out", str(tmp_path / "bars")]
    parts = stages.measure(words, startup._environment())
    assert {*stages._STAGES.values()} <= parts.keys()
    assert all(f"import of {name}" in parts for name in stages._PACKAGES)
