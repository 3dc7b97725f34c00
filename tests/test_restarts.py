import math

import numpy as np
import pytest

import naive
from fastws import restarts
from fastws.machine import Machine
from fastws.restarts import (
    best_of,
    examples_of_each,
    lowest_free_energy,
    seeds_of_restarts,
    training_free_energy_bits,
    trial_length,
)
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

X = [[0, 1], [0, 1], [1, 1]]


def bits_of(simulation):
    return parameter_bits(simulation.machine).tolist()


def on_images(seed, n_examples=40):
    return Simulation(random_machine([2, 3, 1], seed), Images(X), [(n_examples, 0.1)], seed=seed)


def test_free_energy_is_that_of_the_training_images():
    """Eq 5 by enumeration, in an implementation of its own."""
    simulation = on_images(3)
    expected = np.mean([naive.free_energy_bits(simulation.machine, d) for d in X])
    assert training_free_energy_bits(simulation) == pytest.approx(expected)


def test_free_energy_of_a_stream_is_near_that_of_its_distribution():
    bars = Bars(2)
    simulation = Simulation(random_machine([4, 3], 1), bars, [(10, 0.1)])
    patterns, p = bars.distribution()
    bits = [naive.free_energy_bits(simulation.machine, d) for d in patterns.tolist()]
    # The standard error of 1,000 images is 0.02 of the spread.
    error = 6 * np.std(bits) / np.sqrt(1000)
    assert training_free_energy_bits(simulation) == pytest.approx(p @ bits, abs=error)


def test_free_energy_of_large_machines_is_sampled(monkeypatch):
    machine = Machine([2, 15])
    assert training_free_energy_bits(Simulation(machine, Images(X), [(1, 0)])) == pytest.approx(2)  # all at 1/2
    monkeypatch.setattr(restarts.exact, "free_energy_bits", None)
    training_free_energy_bits(Simulation(machine, Images(X), [(1, 0)]))


def test_seeds_of_restarts_are_shared_by_no_two_seeds():
    seeds = [own for seed in (0, 1, 2, 2**32 - 1) for own in seeds_of_restarts(seed, 3)]
    assert len(set(seeds)) == 12
    assert seeds_of_restarts(7, 1) == [7]


@pytest.mark.parametrize(("trial", "examples"), [(0, 1), (0.25, 10), (0.3, 12), (1, 40)])
def test_best_of_keeps_the_lowest_free_energy_after_the_trial(trial, examples):
    made = []

    def new(seed):
        made.append(on_images(seed))
        return made[-1]

    best = best_of(new, 4, seed=5, trial=trial)
    assert [run.seed for run in made] == seeds_of_restarts(5, 4)
    replayed = [on_images(run.seed).advance(examples) for run in made]
    energies = [np.mean([naive.free_energy_bits(run.machine, d) for d in X]) for run in replayed]
    assert best is made[int(np.argmin(energies))]
    assert [run.examples_seen for run in made] == [40 if run is best else examples for run in made]
    assert bits_of(best) == bits_of(on_images(best.seed).advance())


def test_lowest_free_energy_of_equals_is_the_first():
    runs = [on_images(1), on_images(1), on_images(2)]
    assert lowest_free_energy(runs[:2]) is runs[0]
    assert lowest_free_energy(runs) is min(runs, key=training_free_energy_bits)


class Breaking(Images):
    """Images that leave a parameter not finite after so many examples, in machines of some seeds."""

    def __init__(self, broken, value, after=1):
        super().__init__(X)
        self.broken, self.value, self.after = broken, value, after

    def learn(self, machine, seed, n_examples, seen, *arguments):
        super().learn(machine, seed, n_examples, seen, *arguments)
        if seed in self.broken and seen[0] >= self.after:
            machine.gen_biases[0][0] = self.value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("after", [1, 40])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_restarts_that_are_not_finite_are_the_worst(place, after, value):
    """Whether they end so in the trial or after it."""
    seeds = seeds_of_restarts(3, 3)

    def new(seed, broken=()):
        return Simulation(random_machine([2, 3, 1], seed), Breaking(broken, value, after), [(40, 0.1)], seed=seed)

    def best_without(broken):
        runs = [new(seed).advance(10) for seed in seeds if seed not in broken]
        energies = [np.mean([naive.free_energy_bits(run.machine, d) for d in X]) for run in runs]
        return runs[int(np.argmin(energies))].seed

    calls = []
    best = best_of(lambda seed: new(seed, [seeds[place]]), 3, 3, progress=lambda *counts: calls.append(counts))
    assert best.seed == best_without([seeds[place]])
    assert bits_of(best) == bits_of(new(best.seed).advance())
    assert calls[-1][0] == calls[-1][1]
    with pytest.raises(ValueError, match=r"every restart has ended in parameters that are not finite.*lower"):
        best_of(lambda seed: new(seed, seeds), 3, 3)


class Own:
    """A stream of someone's own, which teaches nothing."""

    n_inputs = 2

    def description(self):
        return {}, {}

    def learn(self, machine, seed, n_examples, seen, rates, floor):
        seen[0] += np.uint64(n_examples)


class WithImages(Own):
    x = X


class WithSample(Own):
    def sample(self, n):
        return np.resize(X, (n - n % 3, 2))


@pytest.mark.parametrize("stream", [WithImages(), WithSample()], ids=["x", "sample"])
def test_any_stream_that_shows_images_will_do(stream):
    best = best_of(lambda seed: Simulation(random_machine([2, 3], seed), stream, [(4, 0.1)], seed=seed))
    expected = np.mean([naive.free_energy_bits(best.machine, d) for d in X])
    assert training_free_energy_bits(best) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, r"^a stream of type Own shows none of its images.*Give it an attribute x.*or a method sample\(n\)"),
        ({"x": [[0, 2]]}, r"^the stream's x\[0, 1\] is 2"),
        ({"sample": lambda n: [[0, 1, 1]]}, r"^the stream's sample has 3 columns; the input layer has 2 units"),
    ],
)
def test_a_stream_that_shows_no_images_is_refused_before_it_learns(attributes, message):
    stream, made = Own(), []
    vars(stream).update(attributes)

    def new(seed):
        made.append(Simulation(Machine([2, 1]), stream, [(4, 0.1)], seed=seed))
        return made[-1]

    with pytest.raises(ValueError, match=message):
        best_of(new)
    assert {run.examples_seen for run in made} == {0}


def test_progress_counts_the_examples_of_all():
    calls = []
    best_of(on_images, 3, trial=0.5, progress=lambda seen, total: calls.append((seen, total)))
    assert calls[-1] == (80, 80)
    assert [seen for seen, _ in calls] == sorted(seen for seen, _ in calls)


def test_trial_length_is_a_part_and_at_least_one():
    assert [trial_length(on_images(0, n)) for n in (1, 2, 40, 50)] == [1, 1, 10, 12]


@pytest.mark.parametrize("arguments", [{"n": 0}, {"n": 1.5}, {"seed": -1}, {"trial": 1.5}, {"trial": -0.1}])
def test_bad_arguments(arguments):
    [name] = arguments
    with pytest.raises(ValueError, match=name):
        best_of(on_images, **arguments)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
@pytest.mark.parametrize("total", [1, 4000, 2_000_000])
def test_restarts_see_no_more_examples_together_than_one_run(n, total):
    length = examples_of_each(total, n)
    trial = trial_length(on_images(0, length))
    assert total - n - 1 <= length + (n - 1) * trial <= max(total, n) + n


def test_restarts_that_grow_beyond_all_numbers_do_not_take_the_others_with_them():
    made = []

    def new(seed):
        made.append(on_images(seed) if len(made) == 1 else diverging(seed))
        return made[-1]

    best = best_of(new, 4)
    assert best is made[1]
    assert bits_of(best) == bits_of(on_images(best.seed).advance())
    with pytest.raises(ValueError, match="every restart has ended in parameters that are not finite"):
        best_of(diverging, 2)


class Broken(Images):
    """Images whose machines end in NaN."""

    def learn(self, machine, seed, n_examples, seen, rates, floor):
        machine.gen_biases[0][1] = np.nan
        seen[0] += np.uint64(n_examples)


def diverging(seed):
    return Simulation(random_machine([2, 3, 1], seed), Broken(X), [(40, 0.1)], seed=seed)


class Slides:
    """A stream of one's own."""

    n_inputs = 2

    def learn(self, machine, seed, n_examples, seen, rates, floor):
        seen[0] += np.uint64(n_examples)


class Shown(Slides):
    x = np.array(X, np.uint8)


class Drawn(Slides):
    def sample(self, n):
        return np.tile(np.array([[0, 1], [1, 1]], np.uint8), (n // 2, 1))


def test_streams_of_ones_own_are_compared_by_their_images_or_refused_first():
    made = []

    def new(stream, seed):
        made.append(Simulation(random_machine([2, 3, 1], seed), stream, [(8, 0.1)], seed=seed))
        return made[-1]

    for stream, x in ((Shown(), X), (Drawn(), [[0, 1], [1, 1]])):
        made.clear()
        best = best_of(lambda seed, stream=stream: new(stream, seed), 3)
        energies = [np.mean([naive.free_energy_bits(run.machine, d) for d in x]) for run in made]
        assert best is made[int(np.argmin(energies))]
    made.clear()
    with pytest.raises(
        ValueError,
        match=r"^a stream of type Slides shows none of its images.* Give it an attribute x",
    ):
        best_of(lambda seed: new(Slides(), seed), 2)
    assert [run.examples_seen for run in made] == [0, 0]


def test_restarts_need_simulations_with_machines_of_their_own():
    machine = Machine([2, 1])
    with pytest.raises(ValueError, match=r"^new returned None; it has to return a Simulation"):
        best_of(lambda seed: None, 2)
    with pytest.raises(ValueError, match=r"^new gives the same machine to several simulations"):
        best_of(lambda seed: Simulation(machine, Images(X), [(10, 0.1)], seed=seed), 2)
