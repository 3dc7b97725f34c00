import itertools
import json

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws.checks import LearningDiverged
from fastws.datasets import DigitData
from fastws.divergence import FACTOR, check_bits
from fastws.experiments.bars import learn, new_run
from fastws.experiments.digits import new_runs
from fastws.experiments.training import TrainingRun, hold_out, new_training, train
from fastws.schedule import Schedule
from fastws.simulation import load_runs, save_runs
from machines import parameter_bits

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

X = fastws.Bars(3).sample(60, seed=1)
# So few images are soon learned by heart.
FEW = fastws.Bars(4).sample(60, seed=1)


def new_overfitting(**changes):
    options = {"schedule": [(30 * 400, 0.3)], "validation": 0.25, "patience": 8, "seed": 3, **changes}
    return new_training(fastws.Machine([16, 30]), FEW, **options)


@pytest.fixture(scope="module")
def overfitted():
    run = new_overfitting()
    run.run()
    return run


def test_training_is_what_the_simulation_is():
    machine, alone = fastws.Machine([9, 4, 2]), fastws.Machine([9, 4, 2])
    run = train(machine, X, [(500, (0.2, 0.01, 0.05))], nonnegative_input_weights=True, seed=5)
    fastws.Simulation(alone, fastws.Images(X), [(500, (0.2, 0.01, 0.05))], True, 5).advance()
    assert run.machine is machine
    np.testing.assert_array_equal(parameter_bits(machine), parameter_bits(alone))
    seen = [seen for seen, _ in run.curve]
    assert (seen[0], seen[-1], run.kept_at) == (0, 500, 500)
    assert run.curve[0][1] == pytest.approx(9)
    assert run.curve[-1][1] == fastws.estimate.free_energy_bits(machine, X).mean()


def test_a_hundred_sweeps_are_what_nothing_said_means():
    run = new_training(fastws.Machine([9, 4]), X)
    assert run.simulation.total_examples == 6000
    assert run.simulation.schedule[0][1].tolist() == [np.float32(0.01)] * 2


def test_it_stops_when_patience_is_out_and_keeps_the_best_machine(overfitted):
    sweep = 45
    seen, held_out = zip(*[(seen, bits) for seen, _, bits in overfitted.curve], strict=True)
    assert list(seen) == list(range(0, seen[-1] + 1, sweep))
    best = int(np.argmin(held_out))
    assert 0 < seen[best] == seen[-1] - 8 * sweep
    assert seen[-1] < overfitted.simulation.total_examples
    assert overfitted.kept_at == seen[best]
    # The best machine is that of a run which ends there.
    again = fastws.Machine([16, 30])
    images, rest = hold_out(FEW, 0.25, 3)
    fastws.Simulation(again, fastws.Images(images), [(12_000, 0.3)], seed=3).advance(seen[best])
    np.testing.assert_array_equal(parameter_bits(overfitted.machine), parameter_bits(again))
    result = overfitted.result()
    assert result["stopped_early"] is True
    assert result["held_out_free_energy_bits"] == fastws.estimate.free_energy_bits(again, rest).mean()
    assert result["held_out_free_energy_bits"] == min(held_out)
    assert (result["n_held_out"], result["kept_at"], result["examples"]) == (15, seen[best], seen[-1])


def test_patience_that_lasts_goes_to_the_end():
    run = new_overfitting(schedule=[(95, 0.01)], patience=50)
    run.run()
    assert [seen for seen, *_ in run.curve] == [0, 45, 90, 95]
    assert run.result()["stopped_early"] is False


def test_a_schedule_without_end_takes_no_memory():
    run = new_overfitting(schedule=[(10**15, 0.3)])
    run.run()
    assert run.result()["stopped_early"] is True


def test_images_held_out_may_be_given():
    held_out = hold_out(FEW, 0.25, 3)
    run = new_training(fastws.Machine([16, 30]), held_out[0], [(12_000, 0.3)], held_out[1], patience=8, seed=3)
    run.run()
    np.testing.assert_array_equal(run.held_out, held_out[1])


@pytest.mark.parametrize("calls", [1, 2, 14])
def test_an_interrupted_training_goes_on_to_the_same_bits(overfitted, tmp_path, calls):
    class Interruption(Exception):
        pass

    counter = itertools.count(1)

    def check(_):
        if next(counter) >= calls:
            raise Interruption

    run = new_overfitting()
    with pytest.raises(Interruption):
        run.run(check)
    save_runs(tmp_path / "run.npz", run.simulations(), {"run": run.notes()})
    simulations, notes = load_runs(tmp_path / "run.npz")
    resumed = TrainingRun.restored(simulations, json.loads(json.dumps(notes["run"])))
    resumed.run()
    assert resumed.curve == overfitted.curve
    for machines in (
        (resumed.machine, overfitted.machine),
        (resumed.simulation.machine, overfitted.simulation.machine),
    ):
        np.testing.assert_array_equal(*map(parameter_bits, machines))
    without_times = {"seconds": None, "compile_seconds": None}
    assert resumed.result() | without_times == overfitted.result() | without_times


def test_held_out_images_are_a_part_of_the_seed():
    x = np.arange(64)[:, np.newaxis] >> np.arange(6) & 1
    parts = hold_out(x, 0.1, 0)
    assert [len(part) for part in parts] == [58, 6]
    assert sorted(map(tuple, np.concatenate(parts).tolist())) == sorted(map(tuple, x.tolist()))
    for one, same in zip(parts, hold_out(x, 0.1, 0), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(hold_out(x, 0.1, 1)[1], parts[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation": 0.0}, "the part to hold out is 0.0; give one between 0 and 1"),
        ({"validation": 1}, "the part to hold out is 1.0;"),
        ({"validation": float("nan")}, "the part to hold out is nan"),
        ({"validation": True}, "the part to hold out is 1.0"),
        ({"validation": 0.001}, "a part of 0.001 of 60 images is 0; hold out one at least"),
        ({"validation": 0.999}, "a part of 0.999 of 60 images is 60"),
        ({"validation": FEW[:, 1:]}, "the images held out have 15 pixels and the others 16"),
        ({"validation": FEW * 2}, "every input unit is 0 or 1"),
        ({"patience": 0}, "patience is 0"),
        ({"patience": 2.5}, "patience is 2.5"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_what_training_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        new_overfitting(**changes)


@pytest.mark.parametrize("level", [0, 1])
def test_blank_images_teach_nothing(level):
    with pytest.raises(ValueError, match=f"all training images are the same; .* every pixel is {level}"):
        train(fastws.Machine([9, 4]), np.full((5, 9), level))


# Divergence.


@pytest.mark.parametrize(
    ("rates", "said"),
    [(1e30, "rate 1e.30:"), (100.0, "rate 100:"), ((50.0, 0.01, 0.01), "rates 50,0.01,0.01:")],
)
@pytest.mark.parametrize("validation", [None, 0.25])
def test_learning_that_diverges_is_an_error_that_names_the_rate_while_it_can_be_stopped(rates, said, validation):
    run = new_training(fastws.Machine([9, 6, 2]), X, [(60_000, rates)], validation)
    with pytest.raises(LearningDiverged, match=f"learning diverged at the learning {said} after .* Give"):
        run.run()
    assert run.simulation.examples_seen < 10_000
    # What cannot be right is not among the results.
    assert all(bits <= FACTOR * 9 + 8 for _, *measures in run.curve for bits in measures)


def test_digits_and_bars_are_watched_as_well():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (40, 9), np.uint8), np.arange(40) % 2
    data = DigitData("noise", x, y, x, y, (3, 3))
    [run, _] = new_runs(data, n_sweeps=500, hidden=(4,))
    run.simulation._schedule = Schedule([(500 * 20, 1e20)], 2)
    with pytest.raises(LearningDiverged, match=r"1e\+20"):
        run.run()
    assert run.simulation.examples_seen < 5000
    bars = new_run(n_examples=20_000)
    bars.simulation._schedule = Schedule([(20_000, 1e20)], 3)
    with pytest.raises(LearningDiverged, match=r"1e\+20"):
        learn([bars])
    assert bars.simulation.examples_seen < 10_000


def test_what_cannot_be_a_cost_and_what_can():
    run = fastws.Simulation(fastws.Machine([9, 4, 2]), fastws.Images(X), [(10, 0.5), (20, (0.1, 0.2, 0.3))])
    check_bits(run, 4 * 9 + 6)
    check_bits(run, -3.0)
    run._seen[0] = 1
    for bits in (42.001, np.inf, np.nan):
        with pytest.raises(LearningDiverged, match=r"rate 0\.5: after 1 examples an image takes"):
            check_bits(run, bits)
    for seen, said in ((10, r"rate 0\.5:"), (11, r"rates 0\.1,0\.2,0\.3:"), (30, r"rates 0\.1")):
        run._seen[0] = seen
        with pytest.raises(LearningDiverged, match=said):
            check_bits(run, 1e9)


@pytest.mark.parametrize("schedule", [[], ()])
def test_an_empty_schedule_is_not_the_default(schedule):
    with pytest.raises(ValueError, match="the schedule is empty"):
        train(fastws.Machine([9, 4]), X, schedule)


@pytest.mark.parametrize("part", [np.float32(0.25), np.float64(0.25)])
def test_the_part_to_hold_out_is_a_number_of_any_kind(part):
    assert len(new_training(fastws.Machine([9, 4]), X, validation=part).held_out) == 15


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (np.int64(0), "the part to hold out is 0.0; give one between 0 and 1"),
        (True, "the part to hold out is 1.0; give one between 0 and 1"),
        ("0.1", "validation has 0 dimensions"),
        (X[:0], "validation is empty"),
        (X * 255, r"validation\[0, \d\] is 255"),
    ],
)
def test_images_held_out_that_are_none(validation, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        new_training(fastws.Machine([9, 4]), X, validation=validation)


def test_a_machine_that_was_wrong_before_is_not_blamed_on_the_rate():
    machine = fastws.Machine([9, 4])
    machine.gen_biases[0] = 1e20
    with pytest.raises(LearningDiverged, match=r"^the machine to begin with cannot be right: an image takes .* bits"):
        train(machine, X)
