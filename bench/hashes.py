"""Print hashes of forty results, to compare two computers by: python -m bench.hashes [--json].

Each is of the bits of an array, and is the same on every computer, whatever its processor and its libraries are;
`docs/hashes.txt` keeps them.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

import fastws
from bench.skipped import Skipped
from fastws import datasets, estimate
from fastws.kernels.random import GROUP, draw_thresholds, shuffle
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.simulation import Simulation, advance_together
from fastws.streams import Bars, Images

Results = Iterator[tuple[str, Any]]

NARROW, DEEP, WIDE, BULGING, LEAST = [64, 16, 16, 4], [16, 9, 17, 5, 2], [100, 70, 65, 3], [9, 40, 5], [1, 1]


def some_words(n: int, first: int = 0) -> NDArray[np.uint64]:
    """Return n numbers below 2^32 by a rule that needs no library: a multiplicative hash."""
    numbers = np.arange(first, first + n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers ^= numbers >> np.uint64(29)
    return (numbers * np.uint64(0xBF58476D1CE4E5B9)) >> np.uint64(32)


def some_machine(sizes: list[int], scale: float = 1.0) -> Machine:
    """Return a machine with parameters between -scale and scale."""
    machine, first = Machine(sizes), 0
    for array in (*machine.gen_weights, *machine.gen_biases, *machine.rec_weights, *machine.rec_biases):
        words = some_words(array.size, first).astype(np.float64)
        array[...] = ((words * 2.0**-31 - 1.0) * scale).reshape(array.shape)
        first += array.size
    return machine


def some_images(n: int, n_pixels: int) -> NDArray[np.uint8]:
    return (some_words(n * n_pixels, 1000).reshape(n, n_pixels) % np.uint64(3) == 0).astype(np.uint8)


def parameters(machine: Machine) -> NDArray[np.float32]:
    return np.concatenate([array.ravel() for array in machine.arrays().values()])


def bars_run(
    seed: int = 0, n: int = 20_000, sizes: tuple[int, ...] = (16, 8, 1), nonnegative: bool = True, **options: Any
) -> Simulation:
    machine = Machine(sizes)
    machine.gen_biases[1][:] = -3.0
    rates = (0.2, *[0.001] * (len(sizes) - 1))
    return Simulation(machine, Bars(**options), [(n, rates)], nonnegative, seed)


def images_run(sizes: list[int], n: int, rate: float = 0.05) -> Simulation:
    return Simulation(some_machine(sizes, 0.1), Images(some_images(50, sizes[0])), [(n, rate)], seed=3)


@njit
def variates(key: NDArray[np.uint32], number: int, n_draws: int, thresholds: NDArray[np.float32]) -> None:
    draw_thresholds(key, number, n_draws, thresholds)


def draws() -> Results:
    """Draw what all else is made of."""
    yield "keys of every use of a seed", [make_key(2**70 + 5, use) for use in Use]
    thresholds = np.zeros((1, 64 * 40), np.float32)
    variates(make_key(1, Use.ESTIMATES), np.uint64(2**33 + 7), 64 * 40, thresholds)
    yield "logistic variates", thresholds
    order = np.empty(1000, np.int64)
    shuffle(make_key(2, Use.ESTIMATES), np.uint64(9), order, np.empty((1, GROUP), np.uint32))
    yield "order of a sweep", order


def images() -> Results:
    """Make training images."""
    yield "bars", Bars().sample(500, seed=1)
    yield "bars without the full and the blank", Bars(5, 0.5, 0.3, ["full", "blank"]).sample(500, seed=2)
    digits = datasets.load_bundled()
    yield "digits", np.concatenate([digits.x_train, digits.x_test])


def learned() -> Results:
    """Learn in all ways of running."""
    whole = bars_run().advance()
    yield "bars, 16-8-1", parameters(whole.machine)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.npz")
        bars_run().advance(7777).save(path)
        yield "the same, saved and resumed", parameters(Simulation.load(path).advance().machine)
    for name, n_runs in (("sixteen machines together", 16), ("nine machines together", 9)):
        runs = [bars_run(seed, 5000) for seed in range(n_runs)]
        advance_together(runs)
        yield name, [parameters(run.machine) for run in runs]
    yield "bars of 6 x 6", parameters(bars_run(1, 5000, (36, 12, 2), size=6, p_bar=0.3).advance().machine)
    yield "negative weights allowed", parameters(bars_run(2, nonnegative=False).advance().machine)
    falling = [(3000, (0.5, 0.0, 0.0)), (3000, (0.9, 3e-4, 3e-4)), (3000, 0.01)]
    yield "rates that fall", parameters(Simulation(Machine([16, 8, 1]), Bars(), falling, True, 4).advance().machine)
    for name, sizes, n in (
        ("images, narrow", NARROW, 3000),
        ("images, wide", WIDE, 1000),
        ("images, deep", DEEP, 3000),
        ("images, bulging", BULGING, 3000),
        ("images, one unit a layer", LEAST, 3000),
    ):
        yield name, parameters(images_run(sizes, n).advance().machine)
    best = fastws.best_of(lambda seed: bars_run(seed, 2000), 3)
    yield "best of three restarts", parameters(best.machine)
    digits = datasets.load_bundled()
    classifier = fastws.DescriptionLengthClassifier([16, 4], 2, random_state=0)
    classifier.fit(digits.x_train, digits.y_train)
    yield "a classifier's machines", [parameters(machine) for machine in classifier.machines_]
    yield "a classifier's answers", classifier.predict(digits.x_test).astype(np.int64)


def steps() -> Results:
    """Learn from one example at a time."""
    for name, sizes in (("narrow", NARROW), ("wide", WIDE)):
        machine = some_machine(sizes)
        awake = fastws.wake_step(machine, some_images(1, sizes[0])[0], 0.2, seed=3)
        asleep = fastws.sleep_step(machine, 0.2, seed=4)
        yield f"a wake and a sleep step, {name}", np.concatenate([parameters(machine), *awake, *asleep])
        fastws.wake_update(machine, asleep, 0.1)
        fastws.sleep_update(machine, awake, 0.1)
        yield f"updates from given states, {name}", parameters(machine)


def sampled() -> Results:
    """Let machines draw, and measure what they drew."""
    for name, sizes in (("narrow", NARROW), ("wide", WIDE), ("deep", DEEP)):
        machine, x = some_machine(sizes, 2.0), some_images(40, sizes[0])
        yield f"fantasies, {name}", machine.fantasies(200, seed=5)
        yield f"representations, {name}", np.hstack(machine.representations(x, seed=6))
        yield f"sampled measures, {name}", estimate.measures(machine, x, 10, seed=7)
    machine, x = some_machine(NARROW), some_images(40, 64)
    yield "fantasies with a unit held", machine.fantasies(200, seed=5, clamp={(1, 3): 1})
    yield "sampled measures in any company", estimate.measures(machine, x, 50, 8, same_in_any_company=True)
    yield "sampled measures of large parameters", estimate.measures(some_machine(NARROW, 1e4), x, 5)


def codes() -> Results:
    """Compress images."""
    from fastws import codec

    for name, sizes, method in (
        ("bits-back, narrow", NARROW, "bits-back"),
        ("bits-back, wide", WIDE, "bits-back"),
        ("two-part, narrow", NARROW, "two-part"),
    ):
        try:
            blob = codec.compress(some_machine(sizes), some_images(30, sizes[0]), method=method, seed=1)
        except ImportError as error:
            raise Skipped(f"no compressed files: {error}") from error
        yield f"a compressed file, {name}", np.frombuffer(blob, np.uint8)


def hash_of(array: ArrayLike) -> str:
    """Return a hash of the shape, the type and the bits of an array."""
    whole = np.ascontiguousarray(array)
    whole = whole.astype(whole.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{whole.shape} {whole.dtype.str} ".encode() + whole.tobytes()).hexdigest()[:16]


def hashes() -> dict[str, str]:
    """Return the hash of each result, by name."""
    found = {}
    for section in (draws, images, learned, steps, sampled, codes):
        try:
            for name, array in section():
                found[name] = hash_of(array)
        except Skipped as skipped:
            print(skipped, file=sys.stderr)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hashes", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object, of the hashes by name")
    as_json = parser.parse_args().json
    found = hashes()
    if as_json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{value}  {name}")


if __name__ == "__main__":
    main()
