"""Alter .fws files and decode them: python bench/fuzz_codec.py [FILES].

Each altered file has to be refused with a ValueError or decode to the original images, soon and in little memory. Half
of them get a checksum that is right again, so that everything behind it is tried too.
"""

import hashlib
import re
import sys
import time
import tracemalloc
from collections import Counter

import numpy as np

import fastws
from fastws import codec

MOST_SECONDS = 5.0
MOST_BYTES = 2_000_000


def flip_bits(rng, blob):
    for _ in range(rng.integers(1, 4)):
        blob[rng.integers(len(blob))] ^= 1 << int(rng.integers(8))
    return blob


def set_bytes(rng, blob):
    start = rng.integers(len(blob))
    stop = min(len(blob), start + rng.integers(1, 9))
    blob[start:stop] = rng.choice([b"\0", b"\xff", rng.bytes(1)]) * int(stop - start)
    return blob


def set_header(rng, blob):
    start = rng.integers(100)
    stop = start + rng.integers(1, 9)
    blob[start:stop] = rng.bytes(int(stop - start))
    return blob


def cut(rng, blob):
    return blob[: rng.integers(len(blob))]


def take_out(rng, blob):
    start = rng.integers(len(blob))
    return blob[:start] + blob[start + rng.integers(1, 20) :]


def put_in(rng, blob):
    start = rng.integers(len(blob) + 1)
    return blob[:start] + rng.bytes(int(rng.integers(1, 20))) + blob[start:]


def swap(rng, blob):
    a, b = rng.integers(len(blob) - 8, size=2)
    blob[a : a + 8], blob[b : b + 8] = blob[b : b + 8], blob[a : a + 8]
    return blob


def main(n_files):
    """Print what became of the files; exit with 1 at the first wrong image, other exception, hang or waste."""
    rng = np.random.default_rng(0)
    machine = fastws.Machine([64, 32, 16, 8])
    for array in machine.gen_weights + machine.gen_biases + machine.rec_weights + machine.rec_biases:
        array[...] = rng.normal(0, 1, array.shape)
    x = (rng.random((12, 64)) < 0.4).astype(np.uint8)
    whole = [codec.compress(machine, x, 1, method, (8, 8)) for method in codec.METHODS]
    outcomes, slowest, largest = Counter(), 0.0, 0
    for number in range(n_files):
        change = rng.choice([flip_bits, set_bytes, set_header, cut, take_out, put_in, swap])
        blob = bytes(change(rng, bytearray(whole[rng.integers(2)])))
        resealed = number % 2 == 1
        if resealed:
            blob = blob[:-16] + hashlib.sha256(blob[:-16]).digest()[:16]
        tracemalloc.start()
        started = time.perf_counter()
        try:
            again = codec.decompress(machine, blob)
        except ValueError as error:
            outcome = "refused: " + re.sub(r"\d+", "N", str(error))[:48]
        else:
            outcome = "decoded to the original"
            if not np.array_equal(again, x):
                sys.exit(f"file {number}, {change.__name__}: decoded to other images.")
        slowest = max(slowest, time.perf_counter() - started)
        largest = max(largest, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        if slowest > MOST_SECONDS or largest > MOST_BYTES:
            sys.exit(f"file {number}, {change.__name__}: took {slowest:.1f} s and {largest:,} bytes.")
        outcomes["checksum right again" if resealed else "checksum as it was", outcome] += 1
    for (kind, outcome), count in sorted(outcomes.items()):
        print(f"{count:>7,}  {kind}: {outcome}")
    print(f"{n_files:,} altered files, no wrong image; the slowest took {slowest:.2f} s, the largest {largest:,} bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
