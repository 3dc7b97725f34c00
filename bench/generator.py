"""Test the random numbers of fastws with SciPy, or send them to another battery; generator-record.txt is the record.

Usage: ``python bench/generator.py check`` runs the tests of SciPy on every stream; ``python bench/generator.py raw
STREAM [SEED] | dieharder -g 200 -d TEST`` sends a stream without end. The streams are what has to be independent:

- ``draws``: the draws of a run of learning, in the order that they are used in;
- ``examples``: the first draw of each of its examples, in the paper's bars run, where an example takes 39;
- ``estimates``: the draws of successive images that are measured, 128 each;
- ``seeds``: the first draws of successive seeds;
- ``machines``: the draws of 16 seeds in turn, one word each: machines that learn side by side.
"""

import itertools
import sys
from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from fastws.kernels.random import GROUP, PLACES, draw_group
from fastws.randomness import Use, make_key

# An image of bars, a representation and a fantasy.
DRAWS_AN_EXAMPLE = (1 + 4) + (8 + 1) + (1 + 8 + 16)
Words = NDArray[np.uint32]


@njit(nogil=True)
def fill(key: Words, first: int, n_groups: int, words: Words) -> None:
    """Write all groups of draws of successive numbers into a row, in the order of their use."""
    for group in range(words.shape[1] // GROUP):
        number = np.uint64(first + group // n_groups)
        draw_group(key, number, group % n_groups, words, group * GROUP)


def words_of(key: Words, first: int, n_numbers: int, n_groups: int = 1) -> Words:
    words = np.empty((1, n_numbers * n_groups * GROUP), np.uint32)
    fill(key, first, n_groups, words)
    return words.reshape(-1, GROUP)


def draws(seed: int) -> Iterator[Words]:
    key = make_key(seed, Use.LEARNING)
    for first in itertools.count(step=1 << 13):
        yield words_of(key, first, 1 << 13)


def examples(seed: int) -> Iterator[Words]:
    key = make_key(seed, Use.LEARNING)
    n = DRAWS_AN_EXAMPLE << 8
    for first in itertools.count(step=n):
        yield words_of(key, first, n).ravel()[::DRAWS_AN_EXAMPLE]


def estimates(seed: int) -> Iterator[Words]:
    key = make_key(seed, Use.ESTIMATES)
    for first in itertools.count(step=1 << 12):
        yield words_of(key, first, 1 << 12, n_groups=2)


def seeds(seed: int) -> Iterator[Words]:
    for first in itertools.count(seed, step=1 << 10):
        yield np.concatenate([words_of(make_key(first + i, Use.LEARNING), 0, 1) for i in range(1 << 10)])


def machines(seed: int) -> Iterator[Words]:
    keys = [make_key(seed + i, Use.LEARNING) for i in range(16)]
    for first in itertools.count(step=1 << 10):
        yield np.stack([words_of(key, first, 1 << 10).ravel() for key in keys], axis=1)


STREAMS = {function.__name__: function for function in (draws, examples, estimates, seeds, machines)}


def take(stream: Iterator[Words], n: int) -> Words:
    blocks, taken = [], 0
    while taken < n:
        blocks.append(next(stream).ravel())
        taken += len(blocks[-1])
    return np.concatenate(blocks)[:n]


def p_values(words: Words) -> Iterator[tuple[str, float]]:
    """Yield the name and the p value of each test of a stream of words."""
    n = len(words)
    for shift in range(0, 32, 8):
        counts = np.bincount((words >> shift) & 255, minlength=256)
        yield f"bytes at bit {shift} are equally frequent", stats.chisquare(counts).pvalue
    ones = np.bitwise_count(words)
    expected = stats.binom.pmf(np.arange(33), 32, 0.5) * n
    inside = slice(4, 29)
    observed = np.bincount(ones, minlength=33)[inside]
    yield "ones in a word", stats.chisquare(observed, expected[inside] * observed.sum() / expected[inside].sum()).pvalue
    yield "words are uniform (Kolmogorov, Smirnov)", stats.kstest(words[: 1 << 20] / 2**32, "uniform").pvalue
    for lag in (1, 2, PLACES, GROUP, 2 * GROUP):
        same = np.bitwise_count(words[:-lag] ^ words[lag:]).sum(dtype=np.int64)
        bits = 32 * (n - lag)
        yield f"bits agree with those {lag} words before", 2 * stats.norm.sf(abs(2 * same - bits) / np.sqrt(bits))
        pairs = np.bincount(
            (words[:-lag:2] >> 24).astype(np.int64) * 256 + (words[lag::2] >> 24)[: len(words[:-lag:2])]
        )
        yield f"pairs of bytes {lag} words apart", stats.chisquare(np.pad(pairs, (0, 65536 - len(pairs)))).pvalue
    above = words >= 1 << 31
    runs = 1 + np.count_nonzero(above[1:] != above[:-1])
    k = np.count_nonzero(above)
    mean = 1 + 2 * k * (n - k) / n
    yield "runs above the median", 2 * stats.norm.sf(abs(runs - mean) / np.sqrt((mean - 1) * (mean - 2) / (n - 1)))
    # Birthday spacings: 512 birthdays in 2^24 days repeat a spacing 512^3 / 2^26 = 2 times on average.
    birthdays = np.sort((words[: n // 512 * 512] >> 8).reshape(-1, 512), axis=1)[:4096]
    spacings = np.sort(np.diff(birthdays, axis=1), axis=1)
    repeats = np.minimum((np.diff(spacings, axis=1) == 0).sum(axis=1), 8)
    poisson = [*stats.poisson.pmf(np.arange(8), 2), stats.poisson.sf(7, 2)]
    counts = np.bincount(repeats, minlength=9)
    yield "birthday spacings", stats.chisquare(counts, np.array(poisson) * len(repeats)).pvalue
    rank = np.array([gf2_rank(matrix) for matrix in words[: 32 * 4000].reshape(-1, 32)])
    full, one_less = 0.2887880951, 0.5775761902
    observed = [np.sum(rank == 32), np.sum(rank == 31), np.sum(rank < 31)]
    yield (
        "ranks of 32 x 32 bits",
        stats.chisquare(observed, np.array([full, one_less, 1 - full - one_less]) * 4000).pvalue,
    )


def gf2_rank(rows: Words) -> int:
    """Return the rank of a matrix of bits, a word a row."""
    left, rank = [int(row) for row in rows], 0
    while left:
        pivot = left.pop()
        if pivot:
            rank += 1
            lowest = pivot & -pivot
            left = [row ^ pivot if row & lowest else row for row in left]
    return rank


def check(n: int = 1 << 22) -> None:
    for name, stream in STREAMS.items():
        for test, p in p_values(take(stream(seed=0), n)):
            print(f"{name:10} {test:45} p = {p:.6f}{'' if 1e-6 < p < 1 - 1e-6 else '  FAILED'}", flush=True)


def raw(name: str, seed: str = "0") -> None:
    for words in STREAMS[name](int(seed)):
        sys.stdout.buffer.write(words.tobytes())


if __name__ == "__main__":
    check() if sys.argv[1] == "check" else raw(*sys.argv[2:])
