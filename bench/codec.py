"""Digits a second through `fastws.codec`, each way on one core, for a net of 64-32-16-8: python bench/codec.py."""

import statistics
import time

import numpy as np

import fastws
from fastws import codec, datasets

IMAGES = 10_000
ROUNDS = 7
TARGET = 20_000


def main():
    """Print medians and ranges, by the clock and by the processor's time, which other programs do not lengthen."""
    data = datasets.load_bundled()
    machine = fastws.Machine([64, 32, 16, 8])
    fastws.Simulation(machine, fastws.Images(data.x_train), [(100 * len(data.x_train), 0.05)], seed=0).advance()
    x = np.resize(data.x_test, (IMAGES, 64))
    seconds = {}
    for _ in range(1 + ROUNDS):
        for method in codec.METHODS:
            blob = timed(seconds, f"compress, {method}", codec.compress, machine, x, 0, method)
            again = timed(seconds, f"decompress, {method}", codec.decompress, machine, blob)
            assert np.array_equal(again, x)
    print(f"64-32-16-8, {IMAGES:,} digits, {ROUNDS} rounds; at least {TARGET:,} a second are asked for\n")
    print(f"{'digits a second':24}{'by the clock':>14}{'range':>20}{'by the processor':>20}")
    for name, measured in seconds.items():
        # The first round compiles.
        clock, processor = ([IMAGES / s for s in column] for column in zip(*measured[1:], strict=True))
        span = f"{min(clock):,.0f} … {max(clock):,.0f}"
        print(f"{name:24}{statistics.median(clock):>14,.0f}{span:>20}{statistics.median(processor):>20,.0f}")


def timed(seconds, name, function, *arguments):
    started = time.perf_counter(), time.process_time()
    result = function(*arguments)
    seconds.setdefault(name, []).append((time.perf_counter() - started[0], time.process_time() - started[1]))
    return result


if __name__ == "__main__":
    main()
