"""A script as users write them: `mypy --strict` has nothing to say of it, and it runs."""

import pathlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import fastws
from fastws import sweep
from fastws.experiments.bars import BARS


class Coins:
    """An experiment that says no more than it has to."""

    name = "coins"
    defaults = {"p_bar": 0.2, "size": 2, "kind": "plain", "hidden": None, "clip": True}  # noqa: RUF012
    types = {"hidden": int}  # noqa: RUF012
    measure_names = ("bits", "largest")

    def simulation(self, settings: dict[str, Any], number: int) -> fastws.Simulation:
        bars = fastws.Bars(settings["size"], p_bar=settings["p_bar"])
        machine = fastws.Machine([bars.n_inputs, settings["hidden"] or 1])
        return fastws.Simulation(machine, bars, [[20, 0.1], (10, [0.1, 0.2])], settings["clip"], number)

    def measures(self, run: fastws.Simulation) -> dict[str, float]:
        report = fastws.exact.report(run.machine, *run.stream.distribution())
        return {"bits": report.free_energy_bits, "largest": np.abs(run.machine.gen_weights[0]).max()}


class Dice:
    """One that has settings of one type only, and takes them as any mapping."""

    name = "dice"
    defaults = {"p_bar": 0.2, "size": 2.0}  # noqa: RUF012
    types = {"size": float}  # noqa: RUF012
    measure_names = ["bits"]  # noqa: RUF012

    def simulation(self, settings: Mapping[str, Any], seed: int) -> fastws.Simulation:
        return fastws.Simulation(
            fastws.Machine((4, 1)), fastws.Bars(2, p_bar=settings["p_bar"]), [(20, 0.1)], seed=seed
        )

    def measures(self, run: fastws.Simulation) -> Mapping[str, float]:
        return {"bits": fastws.exact.free_energy_bits(run.machine, [0, 1, 1, 0])[0]}


def sweeps(folder: pathlib.Path) -> None:
    assert len(sweep.run(Coins(), {"p_bar": [0.1, 0.2]}, seeds=2, path=folder / "coins.csv")) == 4
    assert len(sweep.run(Dice(), {"p_bar": np.array([0.1, 0.2])}, seeds=np.int64(2))) == 4
    sweep.run(Coins(), {"p_bar": 0.1, "size": (2,)}, seeds=range(1), path=str(folder / "coins.csv"))
    sweep.run(Coins(), [{"p_bar": 0.3}, {"size": 3, "clip": False}], [np.int64(1)], "threads", workers=1)
    sweep.run(BARS, {"examples": [100]}, 1, progress=lambda done, total: print(done, total))
    with ThreadPoolExecutor(1) as pool:
        table = sweep.run(Coins(), {}, 1, engine=pool)
    rates = sweep.success_rates(sweep.run(BARS, {"examples": 100}, 2), 0.5)
    figure = fastws.plotting.success_rates([0.1, 0.2], np.array([0.05, 0.4]), 0.1, "p_bar")
    assert (len(rates), len(table), len(figure.axes) > 0) == (1, 1, True)


def learning(folder: pathlib.Path) -> None:
    machine = fastws.Machine(np.array([4, 2, 1]))
    machine.gen_biases[1][:] = -3.0
    for stream in (fastws.Bars(2), fastws.Images([[0, 1, 1, 0], [1, 1, 0, 0]])):
        for rates in (0.1, [0.1, 0.1, 0.1], (0.1, 0.2, 0.3), np.full(3, 0.1), np.float32(0.1)):
            run = fastws.Simulation(machine, stream, [(np.int64(5), rates)], seed=np.int64(3))
            run.advance(np.int32(2), progress=print).advance()
        assert run.stream.n_inputs == 4
        patterns, probabilities = run.stream.distribution()
        fastws.exact.report(machine, patterns, probabilities)
    run.save(folder / "run.npz")
    assert fastws.Simulation.load(str(folder / "run.npz")).examples_seen == 5
    best = fastws.best_of(new, n=2, seed=np.int64(1), progress=lambda seen, total: None)
    best.machine.save(folder / "machine.npz")
    fastws.plotting.save(fastws.plotting.hinton(machine, [2, 2]), folder / "weights")
    fastws.wake_step(machine, [0, 1, 1, 0], 0.1, seed=1)
    fastws.sleep_step(machine, [0.1, 0.1, 0.1], np.uint64(4))


def new(seed: int) -> fastws.Simulation:
    return fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(2), [(20, 0.1)], seed=seed)


def reading() -> None:
    machine = fastws.Machine([4, 2])
    for x in ([[0, 1, 1, 0]], ((False, True, True, False),), np.eye(4), np.eye(4, dtype=bool), np.eye(4, dtype="int8")):
        bits = fastws.exact.free_energy_bits(machine, x)
        lowest: float = bits.min()
        assert fastws.estimate.measures(machine, x, 5, seed=np.int64(0)).free_energy_bits.shape == bits.shape
        assert lowest > 0
    fantasies = machine.fantasies(np.int64(3), seed=np.int64(2), clamp={(0, 1): 1})
    fastws.plotting.samples(fantasies, fantasies.tolist(), (2, 2))


def classifying() -> None:
    x, y = np.eye(8, 4, dtype=np.uint8), ["a", "b"] * 4
    classifier = fastws.DescriptionLengthClassifier(
        [2], sweeps=1, learning_rate=np.full(2, 0.1), random_state=np.int64(1)
    )
    labels = classifier.fit(x, y).predict(x.tolist())
    assert classifier.fit(x.astype(bool), np.array(y)).predict_proba(x).shape == (8, 2)
    assert labels.shape == (8,)


def rule(machine: fastws.Machine, states: Any, rates: Any) -> None:
    fastws.wake_update(machine, states, rates)


def testing() -> None:
    fastws.testing.check_update_rule(rule, phase="wake", max_examples=2)
    assert fastws.testing.PROPERTIES


def main(folder: pathlib.Path) -> None:
    sweeps(folder)
    learning(folder)
    reading()
    classifying()
    testing()
