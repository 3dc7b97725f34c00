import itertools
import json
import math

import numpy as np
import pytest

from chance import INTERPRETED
from fastws import DescriptionLengthClassifier
from fastws.datasets import DigitData, load_bundled
from fastws.experiments import digits as experiment
from fastws.simulation import load_runs, save_runs
from machines import parameter_bits

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

DOCUMENTED_KEYS = {
    "error_rate",
    "free_energy_error_rate",
    "nearest_neighbour_error",
    "backprop_error",
    "n_train",
    "n_test",
    "confusion",
    "seconds",
    "mean_description_length_bits",
}
FURTHER_KEYS = {"seed", "data", "importance_error_rate", "sweeps", "error_by_class", "compile_seconds"}


@pytest.fixture(scope="module")
def data():
    """Return bundled images of the digits 0, 4 and 6 under other names: 90 to learn from, 60 to test on."""
    whole = load_bundled()
    names = np.array(["none", "", "", "", "four", "", "six"])

    def some(x, y, n):
        chosen = np.flatnonzero(np.isin(y, (0, 4, 6)))[:n]
        return x[chosen], names[y[chosen]]

    return DigitData("some", *some(whole.x_train, whole.y_train, 90), *some(whole.x_test, whole.y_test, 60), (8, 8))


@pytest.fixture(scope="module")
def runs(data):
    runs = experiment.new_runs(data, seed=2, n_sweeps=30, hidden=(8, 3))
    for run in runs:
        run.run()
    return runs


@pytest.fixture(scope="module")
def reading(runs, data):
    return experiment.read([run.simulation.machine for run in runs], data, seed=2)


def bits_of(runs):
    return [parameter_bits(run.simulation.machine).tolist() for run in runs]


# The setting of the paper.


def test_runs_have_the_setting_of_note_16():
    data = load_bundled()
    runs = experiment.new_runs(data)
    assert len(runs) == 10
    for label, run in enumerate(runs):
        assert run.simulation.machine.layer_sizes == (64, 16, 16, 4)
        assert not parameter_bits(run.simulation.machine).any()
        np.testing.assert_array_equal(run.images, data.x_train[data.y_train == label])
        [(n, rates)] = run.simulation.schedule
        assert n == 500 * len(run.images)
        np.testing.assert_array_equal(rates, np.full(4, 0.01, np.float32))
        assert not run.simulation.nonnegative_input_weights
        assert run.n_sweeps == 500
    assert len({run.simulation.seed for run in runs}) == 10


def test_nets_are_those_of_the_classifier(runs, data):
    classifier = DescriptionLengthClassifier((8, 3), 30, random_state=2).fit(data.x_train, data.y_train)
    assert [parameter_bits(machine).tolist() for machine in classifier.machines_] == bits_of(runs)


# The curve.


def test_curve_begins_with_nets_at_zero_and_ends_with_the_schedule(runs):
    for run in runs:
        seen = [seen for seen, _ in run.curve]
        assert seen == sorted(set(seen))
        assert all(s % len(run.images) == 0 for s in seen)
        assert (seen[0], seen[-1]) == (0, 30 * len(run.images))
        # 64 pixels and 11 hidden units at one bit each.
        assert run.curve[0][1] == pytest.approx(75)
        assert run.curve[-1][1] < 65
        assert run.seconds > 0


@pytest.mark.parametrize("n_sweeps", [1, 2, 30, 500])
def test_curves_of_all_classes_are_at_the_same_sweeps(n_sweeps):
    """Whatever the sizes of the classes, or there would be no common axis to draw them on."""
    rng = np.random.default_rng(0)
    sizes = [2, 3, 40]
    y = np.repeat(np.arange(3), sizes)
    data = DigitData(
        "noise", rng.integers(0, 2, (45, 9), np.uint8), y, np.eye(3, 9, dtype=np.uint8), np.arange(3), (3, 3)
    )
    runs = experiment.new_runs(data, n_sweeps=n_sweeps, hidden=(2,))
    for run in runs:
        run.run()
    sweeps = [[seen / len(run.images) for seen, _ in run.curve] for run in runs]
    assert sweeps[0] == sweeps[1] == sweeps[2]
    assert (sweeps[0][0], sweeps[0][-1]) == (0, n_sweeps)
    assert len(sweeps[0]) == min(n_sweeps + 1, len(sweeps[0])) <= 26


def test_a_run_that_is_interrupted_saved_and_resumed_is_the_same_to_the_bit(data, runs, tmp_path):
    """Also what was measured on the way, from any place: before anything, at a measurement and between two."""

    class Interruption(Exception):
        pass

    def after(calls):
        counter = itertools.count(1)

        def check(seen):
            if next(counter) >= calls:
                raise Interruption

        return check

    again = experiment.new_runs(data, seed=2, n_sweeps=30, hidden=(8, 3))
    for run, calls in zip(again[:2], (1, 7), strict=True):
        with pytest.raises(Interruption):
            run.run(after(calls))
    again[2].simulation.advance(41)
    notes = json.loads(json.dumps([run.notes() for run in again]))
    save_runs(tmp_path / "run.npz", [run.simulation for run in again])
    resumed = [
        experiment.DigitRun.resumed(*pair) for pair in zip(load_runs(tmp_path / "run.npz")[0], notes, strict=True)
    ]
    for run in resumed[:2]:
        run.run()
    resumed[2].simulation.advance()
    assert bits_of(resumed) == bits_of(runs)
    assert [run.curve for run in resumed[:2]] == [run.curve for run in runs[:2]]


def test_runs_belong_to_their_images(data, runs):
    assert experiment.are_of(runs, data)
    assert not experiment.are_of(runs[:2], data)
    changed = data.x_train.copy()
    changed[5, 5] ^= 1
    assert not experiment.are_of(runs, DigitData("", changed, data.y_train, data.x_test, data.y_test, data.image_shape))


# Reading.


def test_reading_is_that_of_the_classifier_by_every_measure(runs, reading, data):
    machines = [run.simulation.machine for run in runs]
    for measure in ("description_length", "free_energy", "importance"):
        classifier = DescriptionLengthClassifier(score=measure, random_state=2).use_machines(
            machines, np.unique(data.y_train)
        )
        np.testing.assert_array_equal(reading.bits[measure], classifier.description_lengths_bits(data.x_test))
        np.testing.assert_array_equal(reading.chosen(measure), classifier.predict(data.x_test))
        assert reading.error(measure) == pytest.approx(1 - classifier.score(data.x_test, data.y_test))
    assert list(reading.bits) == ["description_length", "free_energy", "importance"]


def test_digits_are_told_apart(reading):
    """Three digits that differ, 30 sweeps: chance would err on 40 of 60."""
    for measure in reading.bits:
        assert reading.error(measure) <= 0.1


def test_confusion(reading, data):
    confusion = reading.confusion()
    np.testing.assert_array_equal(confusion.sum(axis=1), [(data.y_test == label).sum() for label in reading.classes])
    assert 1 - confusion.trace() / 60 == pytest.approx(reading.error())


def test_errors_of_a_reading_done_by_hand():
    bits = np.array([[1.0, 2, 3], [5, 4, 6], [7, 8, 2], [1, 9, 9]])
    reading = experiment.Reading({"description_length": bits}, np.array([3, 5, 8]), np.array([3, 5, 8, 8]))
    assert reading.chosen().tolist() == [3, 5, 8, 3]
    assert reading.error() == 0.25
    assert reading.confusion().tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert reading.own_bits() == (1 + 4 + 2 + 9) / 4


# Baselines.


def test_nearest_neighbour_by_hand(data):
    wrong = 0
    for image, label in zip(data.x_test, data.y_test, strict=True):
        distances = (data.x_train != image).sum(axis=1)
        wrong += data.y_train[distances.argmin()] != label
    assert experiment.nearest_neighbour_error(data) == pytest.approx(wrong / 60)


@pytest.fixture
def small_grid(monkeypatch):
    monkeypatch.setattr(experiment, "BACKPROP_HIDDEN", (2, 16))
    monkeypatch.setattr(experiment, "BACKPROP_DECAYS", (1e-3, 1.0))
    monkeypatch.setattr(experiment, "BACKPROP_SWEEPS", 30)


def test_backprop_is_the_best_of_its_grid(data, small_grid):
    seen = []
    best = experiment.backprop(data, seed=1, watch=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 2 * 2 * 30
    assert best.error < 0.2
    assert best.n_hidden == 16
    assert 1 <= best.n_sweeps <= 30
    assert experiment.backprop(data, seed=1) == best


def test_backprop_takes_any_seed(data, small_grid):
    assert experiment.backprop(data, seed=2**32 + 1) == experiment.backprop(data, seed=1)


@pytest.mark.parametrize(("wrong", "n"), [(29, 597), (0, 60), (60, 60), (1, 7)])
def test_interval_is_wilsons(wrong, n):
    z, p = 1.959963984540054, wrong / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert experiment.interval(p, n) == pytest.approx((centre - half, centre + half), abs=1e-9)


# The result.


def test_result(runs, reading, data):
    best = experiment.Backprop(0.05, 16, 0.1, 7)
    result = experiment.result(runs, reading, data, 0.0625, best, 2)
    assert set(result) == DOCUMENTED_KEYS | FURTHER_KEYS
    assert json.loads(json.dumps(result)) == result
    assert result["error_rate"] == reading.error()
    assert result["free_energy_error_rate"] == reading.error("free_energy")
    assert result["importance_error_rate"] == reading.error("importance")
    assert (result["nearest_neighbour_error"], result["backprop_error"]) == (0.0625, 0.05)
    assert (result["n_train"], result["n_test"], result["sweeps"], result["seed"]) == (90, 60, 30, 2)
    assert sum(map(sum, result["confusion"])) == 60
    assert list(result["error_by_class"]) == ["four", "none", "six"]
    wrong = sum(error * (data.y_test == label).sum() for label, error in result["error_by_class"].items())
    assert wrong / 60 == pytest.approx(result["error_rate"])
    assert result["mean_description_length_bits"] == reading.own_bits()
    assert result["seconds"] == sum(run.seconds for run in runs)


def test_a_class_without_a_test_image_has_no_errors(runs, reading, data):
    some = data.y_test != "six"
    part = DigitData("", data.x_train, data.y_train, data.x_test[some], data.y_test[some], (8, 8))
    machines = [run.simulation.machine for run in runs]
    result = experiment.result(runs, experiment.read(machines, part), part, 0, experiment.Backprop(0, 1, 1, 1), 2)
    assert result["error_by_class"]["six"] == 0
