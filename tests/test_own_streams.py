"""Streams of one's own that fill rows."""

import pickle

import numpy as np
import pytest

import naive
from fastws import learning
from fastws.machine import Machine
from fastws.simulation import Simulation, advance_together, load_runs, save_runs
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine
from replaying import assert_close_after_a_run, order_of, replay

X = np.random.default_rng(0).integers(0, 2, (11, 9), np.uint8)
SEED = 3
RATES = (0.2, 0.1, 0.3)
N = 50


class Rows:
    """The rows of an array in turn, over and over."""

    def __init__(self, x):
        self.x = np.asarray(x)
        self.calls = []

    @property
    def n_inputs(self):
        return self.x.shape[1]

    def fill(self, rows, first_example):
        self.calls.append((first_example, len(rows)))
        rows[:] = self.x[np.arange(first_example, first_example + len(rows)) % len(self.x)]


class InOrder(Rows):
    """The rows that a simulation of `Images` of a seed learns from."""

    def __init__(self, x, seed, n):
        sweeps = range(-(-n // len(x)))
        super().__init__(np.concatenate([x[order_of(seed, sweep, len(x))] for sweep in sweeps]))


class BarsInRows(Bars):
    """Bars by the name, and rows of an array in truth."""

    fill = Rows.fill

    def __init__(self, x):
        super().__init__(3)
        self.x, self.calls = x, []


def new_run(stream, seed=SEED, n=N, sizes=(9, 5, 2)):
    return Simulation(
        random_machine(sizes, seed), stream, [(n // 2, RATES[: len(sizes)]), (n - n // 2, 0.1)], True, seed
    )


def bits_of(run):
    return parameter_bits(run.machine).tolist()


@pytest.fixture(autouse=True)
def few_rows_a_call(monkeypatch):
    monkeypatch.setattr(learning, "_ROWS_A_CALL", 7)


@pytest.mark.long
@pytest.mark.parametrize("sizes", [(9, 5, 2), (9, 18), (70, 65, 3)])
def test_rows_in_the_order_of_images_give_the_same_bits(sizes):
    x = np.random.default_rng(1).integers(0, 2, (11, sizes[0]), np.uint8)
    filled, images = new_run(InOrder(x, SEED, N), sizes=sizes), new_run(Images(x), sizes=sizes)
    assert bits_of(filled.advance()) == bits_of(images.advance())
    assert filled.examples_seen == N


def test_a_run_on_rows_is_the_paper_to_the_letter():
    machine = random_machine([9, 4, 3])
    machine.clip_input_weights()
    expected, rates = naive.parameters(machine), [float(np.float32(rate)) for rate in RATES]
    Simulation(machine, Rows(X), [(N, RATES)], nonnegative_input_weights=True, seed=SEED).advance()
    replay(expected, [X[i % len(X)].tolist() for i in range(N)], rates, SEED)
    assert_close_after_a_run(machine, expected, N)


@pytest.mark.parametrize("make", [Rows, BarsInRows])
def test_each_example_is_filled_once_and_in_order(make):
    run = new_run(make(X))
    for n in (0, 1, 3, 20):
        run.advance(n)
    run.advance()
    ends = [0]
    for first, n in run.stream.calls:
        assert (first, 1 <= n <= 7) == (ends[-1], True)
        ends.append(first + n)
    assert ends[-1] == N
    assert bits_of(run) == bits_of(new_run(Rows(X)).advance())


def test_compiling_fills_nothing():
    run = new_run(Rows(X))
    before = bits_of(run)
    run.compile()
    assert (run.stream.calls, run.examples_seen, bits_of(run)) == ([], 0, before)


@pytest.mark.parametrize("make", [Rows, BarsInRows])
@pytest.mark.parametrize("n", [0, 1, 26, N])
def test_a_run_is_saved_and_goes_on_with_the_stream_that_is_given(make, n, tmp_path):
    path, expected = tmp_path / "run.npz", bits_of(new_run(Rows(X)).advance())
    run = new_run(make(X)).advance(n)
    run.save(path)
    with pytest.raises(ValueError, match=rf"from a stream of your own, a {make.__name__}; make one like it"):
        Simulation.load(path)
    with pytest.raises(ValueError, match=r"of 9 inputs; the stream that is given has 4"):
        Simulation.load(path, Rows(X[:, :4]))
    with pytest.raises(ValueError, match=r"of 9 inputs; the stream that is given has None"):
        Simulation.load(path, X)
    resumed = Simulation.load(path, stream=Rows(X))
    assert resumed.examples_seen == n
    assert bits_of(resumed.advance()) == expected
    assert bits_of(pickle.loads(pickle.dumps(run)).advance()) == expected


def test_runs_of_streams_of_both_kinds_share_a_file(tmp_path):
    runs = [new_run(Rows(X)).advance(9), new_run(Images(X)).advance(4), new_run(Bars(3)).advance(2)]
    save_runs(tmp_path / "runs.npz", runs)
    loaded, _ = load_runs(tmp_path / "runs.npz", Rows(X))
    assert [type(run.stream) for run in loaded] == [Rows, Images, Bars]
    assert [bits_of(run.advance()) for run in loaded] == [bits_of(run.advance()) for run in runs]


@pytest.mark.long
@pytest.mark.parametrize("n", [1, 9, 16, 19])
def test_many_learn_together_as_each_of_them_alone(n):
    stream = Rows(X)
    runs = [new_run(stream, seed) for seed in range(n)]
    advance_together(runs, until=13)
    advance_together(runs)
    calls = len(stream.calls)
    for seed, run in enumerate(runs):
        assert run.examples_seen == N
        assert bits_of(run) == bits_of(new_run(Rows(X), seed).advance())
    # Sixteen, or nine, share what is filled.
    assert calls == len(stream.calls) <= (4 if n == 19 else 1) * (2 + N // 7 + 3)


def with_wrong(value, example, column):
    class Wrong(Rows):
        def fill(self, rows, first_example):
            super().fill(rows, first_example)
            if first_example <= example < first_example + len(rows):
                rows[example - first_example, column] = value

    return Wrong(X)


@pytest.mark.parametrize("value", [2, 255])
@pytest.mark.parametrize(("example", "column"), [(0, 0), (6, 8), (7, 1), (N - 1, 3)])
@pytest.mark.parametrize("n_runs", [1, 9])
def test_values_other_than_0_and_1_are_refused_by_place_and_leave_a_run_that_goes_on(value, example, column, n_runs):
    runs = [new_run(with_wrong(value, example, column), seed) for seed in range(n_runs)]
    for run in runs[1:]:
        run.__dict__["stream"] = runs[0].stream
    told = rf"^the stream's fill left {value} for input {column} of example {example}; every input unit is 0 or 1"
    with pytest.raises(ValueError, match=told):
        advance_together(runs)
    [seen] = {run.examples_seen for run in runs}
    assert example - 7 < seen <= example
    runs[0].stream.fill = Rows(X).fill
    advance_together(runs)
    for seed, run in enumerate(runs):
        assert bits_of(run) == bits_of(new_run(Rows(X), seed).advance())


def test_an_error_in_fill_is_passed_on_and_leaves_a_run_that_goes_on():
    class Short(Rows):
        def fill(self, rows, first_example):
            if first_example >= 20:
                rows[:] = self.x[:, :4]
            super().fill(rows, first_example)

    run = new_run(Short(X))
    with pytest.raises(ValueError, match="broadcast"):
        run.advance()
    assert 13 < run.examples_seen <= 20 + 7
    run.stream.fill = Rows(X).fill
    assert bits_of(run.advance()) == bits_of(new_run(Rows(X)).advance())


class Lengthless:
    n_inputs = 9


class Fractional(Rows):
    n_inputs = 9.0


@pytest.mark.parametrize(
    "stream", [None, X, 3, "bars", Lengthless(), Fractional(X), Rows], ids=lambda stream: type(stream).__name__
)
def test_what_is_no_stream_is_refused_before_it_learns(stream):
    with pytest.raises(
        ValueError, match=rf"^the stream is of type {type(stream).__name__}; give Bars\(…\), Images\(x\), or"
    ):
        Simulation(Machine([9, 1]), stream, [(5, 0.1)])


def test_a_stream_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"^the stream gives 9 inputs; the machine's input layer has 8 units"):
        Simulation(Machine([8, 1]), Rows(X), [(5, 0.1)])


def test_bars_with_a_method_of_their_own_are_not_saved_as_bars(tmp_path):
    """They learn from what fills their rows; so they must after loading."""
    stream = Bars(3)
    stream.fill = Rows(X).fill
    run = new_run(stream).advance(9)
    run.save(tmp_path / "run.npz")
    with pytest.raises(ValueError, match="from a stream of your own, a Bars; make one like it"):
        Simulation.load(tmp_path / "run.npz")
    assert bits_of(Simulation.load(tmp_path / "run.npz", stream).advance()) == bits_of(new_run(Rows(X)).advance())


@pytest.mark.long
@pytest.mark.parametrize("n", [1, 8, 9, 16, 19])
@pytest.mark.parametrize("sizes", [(9, 5, 2), (9, 70)])
def test_images_learn_together_as_each_of_them_alone(n, sizes):
    """Each in an order of its own, over sweeps that are cut by calls."""
    images = Images(X)
    runs = [new_run(images, seed, sizes=sizes) for seed in range(n)]
    advance_together(runs, until=5)
    advance_together(runs, until=27)
    runs[n // 2].advance(1)
    advance_together(runs)
    for seed, run in enumerate(runs):
        assert run.examples_seen == N
        assert bits_of(run) == bits_of(new_run(Images(X), seed, sizes=sizes).advance())


def test_images_learn_together_after_a_file(tmp_path):
    runs = [new_run(Images(X), seed) for seed in range(9)]
    advance_together(runs, until=17)
    save_runs(tmp_path / "runs.npz", runs)
    loaded, _ = load_runs(tmp_path / "runs.npz")
    advance_together(loaded)
    assert [run.examples_seen for run in runs] == [17] * 9
    assert [bits_of(run) for run in loaded] == [bits_of(new_run(Images(X), seed).advance()) for seed in range(9)]
