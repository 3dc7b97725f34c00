"""Bits an image for digits, really sent: python bench/compression.py [--data FOLDER] [--examples N] [--sets NAME …].

The bundled digits and every .npz of the folder with the arrays x_train, y_train, x_test and y_test. All nets learn from
x_train; x_test is sent and compared. A "best" plan is the one of CANDIDATES whose nets have the least free energy on a
fifth of x_train, after they learned from the other four fifths; then they learn from all of it.
"""

import argparse
import time
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

import fastws
from fastws import codec, datasets, estimate
from fastws.experiments.compression import Rates, rates
from fastws.threads import side_by_side

EXAMPLES = 6_000_000
SAMPLES = 20
HEADINGS = ("two-part", "bits-back", "free energy", "−log₂ P(d)", "over C(d)", "with start-up", "time")
# Parts of a run and their learning rates.
CONSTANT = ((1.0, 0.01),)
DECAYING = ((0.4, 0.05), (0.2, 0.02), (0.2, 0.005), (0.2, 0.001))


@dataclass(frozen=True)
class Plan:
    """How each net is trained: its hidden layers, how often it visits an image at most, its rates."""

    hidden: tuple[int, ...]
    part: float = 1.0
    rates: tuple[tuple[float, float], ...] = DECAYING
    sweeps: int = 1_000_000

    def __str__(self):
        return "-".join(map(str, self.hidden)) + ("" if self.part == 1 else f", {self.part:g} of the examples")


PAPER = Plan((16, 16, 4), rates=CONSTANT, sweeps=500)
CANDIDATES = tuple(Plan(hidden, part) for part in (0.1, 1.0) for hidden in ((32, 16, 8), (64, 32, 16), (96, 48, 24)))
CLASS_CANDIDATES = tuple(
    Plan(hidden, part) for part in (0.1, 1.0) for hidden in ((16, 16, 4), (24, 12, 6), (48, 24, 8))
)


def train(groups, plan, n_examples):
    """Return a machine a group of images; the groups share the examples."""

    def task(x):
        n = min(plan.part * n_examples / len(groups), plan.sweeps * len(x))
        schedule = [(int(part * n), rate) for part, rate in plan.rates]
        run = fastws.Simulation(fastws.Machine([x.shape[1], *plan.hidden]), fastws.Images(x), schedule, seed=0)
        return lambda check: run.advance(progress=check).machine

    return side_by_side([task(x) for x in groups])


def choose(groups, candidates, n_examples):
    shuffled = [np.random.default_rng(0).permutation(x) for x in groups]
    held, rest = zip(*(np.split(x, [len(x) // 5]) for x in shuffled), strict=True)

    def free_energy(plan):
        machines = train(rest, plan, n_examples)
        return sum(estimate.free_energy_bits(m, x).sum() for m, x in zip(machines, held, strict=True))

    return min(candidates, key=free_energy)


def send(machines, groups, shape):
    """Return the rates of all images, and the bits that go once a file; check that the images come back."""
    n = sum(map(len, groups))
    total, once = np.zeros(len(Rates.__dataclass_fields__)), 0
    for machine, x in zip(machines, groups, strict=True):
        blobs = {name: codec.compress(machine, x, method=name, image_shape=shape) for name in codec.METHODS}
        for blob in blobs.values():
            assert np.array_equal(codec.decompress(machine, blob), x)
        total += np.array(astuple(rates(machine, x, blobs, shape, SAMPLES))) * len(x) / n
        about = codec.describe(blobs["bits-back"])
        once += about.initial_bits + about.header_bits
    return Rates(*total), once / n


def line(title, data, n_examples, plan, candidates=None, one_a_class=False):
    started = time.perf_counter()
    classes = np.unique(data.y_train)
    learned, sent = [data.x_train], [data.x_test]
    if one_a_class:
        learned, sent = (
            [x[y == c] for c in classes] for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
        )
    plan = plan or choose(learned, candidates, n_examples)
    found, once = send(train(learned, plan, n_examples), sent, data.image_shape)
    # The class goes first.
    label = np.log2(len(classes)) if one_a_class else 0.0
    values = [found.two_part_bits, found.bits_back_bits, found.free_energy_bits, found.neg_log_prob_bits]
    cells = [f"{value + label:.2f}" for value in values]
    cells.append(f"{(found.bits_back_bits + label) / (found.free_energy_bits + label) - 1:+.2%}")
    cells.append(f"{found.bits_back_bits + label + once:.2f}")
    print(f"| {title.format(plan)} | {' | '.join(cells)} | {time.perf_counter() - started:.0f} s |", flush=True)


def main(options):
    sets = {"bundled": datasets.load_bundled()}
    for path in sorted(options.data.glob("*.npz")) if options.data else ():
        try:
            sets[path.stem] = datasets.load_file(path)
        except ValueError as error:
            print(f"{path.name} is left out: {error}\n")
    for name, data in sets.items():
        if options.sets and name not in options.sets:
            continue
        # A wide image takes longer to learn from.
        n = options.examples * 64 // max(64, data.x_train.shape[1] // 2)
        blank = fastws.Machine([data.x_test.shape[1], 1])
        known, _ = send([blank], [data.x_test], data.image_shape)
        print(
            f"\n**{name}** ({data.name}): {len(data.x_train):,} images learned from, {len(data.x_test):,} sent; ",
            end="",
        )
        print(f"raw {known.raw_bits:.0f}, gzip {known.gzip_bits:.2f}, lzma {known.lzma_bits:.2f}, ", end="")
        print(f"PNG {known.png_bits:.2f} bits an image\n")
        print(f"| net | {' | '.join(HEADINGS)} |\n| --- |{' --- |' * len(HEADINGS)}")
        line("the paper's {}", data, n, PAPER)
        line("{}", data, n, Plan((32, 16, 8)))
        line("best: {}", data, n, None, CANDIDATES)
        line("one a class, the paper's {}", data, n, PAPER, one_a_class=True)
        line("one a class, best: {}", data, n, None, CLASS_CANDIDATES, one_a_class=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of .npz files")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="how many a net learns from, for 64 pixels")
    parser.add_argument("--sets", nargs="+", help="only these: bundled, or names of files")
    main(parser.parse_args())
