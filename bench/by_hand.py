"""Vector C written by hand, compiled for the net at hand: the limit that fastws is measured against."""

import ctypes
import functools
import itertools
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import fastws
from bench.host import compiler
from bench.skipped import Skipped
from fastws.kernels.layout import aligned

FLAGS = ("-O3", "-march=native", "-ffp-contract=off")
# The floats of the widest vectors, and what keeps the compiler to them.
LANES = {"avx2": 8, "avx512": 16}
NO_WIDER = {"avx2": ("-mno-avx512f",), "avx512": ()}
WIDE = 64
SOURCES = Path(__file__).with_name("by_hand_c")


@functools.cache
def library(instruction_set, programs, sizes, bars):
    """Return the function `run` of programs, each with the floats of its vectors, compiled for a net."""
    gcc = compiler()
    if gcc is None:
        raise Skipped("there is no C compiler here")
    up = [f"CONNECTION({level},{lower},{upper})" for level, (lower, upper) in enumerate(itertools.pairwise(sizes))]
    net = {
        "UP": "".join(up),
        "DOWN": "".join(reversed(up)),
        "N_LEVELS": len(sizes) - 1,
        "INPUTS": sizes[0],
        "TOP": sizes[-1],
        "WIDEST": max(sizes),
        "BARS": bars,
    }
    words = [*FLAGS, *NO_WIDER[instruction_set], *(f"-D{name}={value}" for name, value in net.items())]
    with tempfile.TemporaryDirectory() as folder:
        objects = [Path(folder) / f"{program}.o" for program, _ in programs]
        for (program, lanes), compiled in zip(programs, objects, strict=True):
            subprocess.run([gcc, *words, f"-DLANES={lanes}", "-fPIC", "-c", SOURCES / program, "-o", compiled], check=True)
        path = Path(folder) / "by_hand.so"
        subprocess.run([gcc, "-shared", *objects, "-o", path, "-lm"], check=True)
        return ctypes.CDLL(str(path)).run


def one(instruction_set):
    """Return what runs one machine."""

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        is_wide = any(min(layers) >= WIDE for layers in itertools.pairwise(machine.layer_sizes))
        # A narrow layer would leave much of a wide vector empty.
        lanes = LANES[instruction_set] if is_wide else LANES["avx2"]
        programs = ("one.c", lanes), ("draws.c", LANES[instruction_set])
        learn = _learning(instruction_set, programs, machine, stream, n_examples, rates, nonnegative)
        key = np.random.default_rng(seed).integers(0, 2**32, 4, np.uint32)
        stacks = [
            [_rows(weights, biases, lanes) for weights, biases in _connections(machine, stack)] for stack in STACKS
        ]

        def task():
            learn(*stacks, key)
            units = [[biases.size for _, biases in _connections(machine, stack)] for stack in STACKS]
            weights, biases = (
                [[array[part, :n] for array, n in zip(*pair, strict=True)] for pair in zip(stacks, units, strict=True)]
                for part in (slice(1, None), 0)
            )
            return weights[0][:-1], biases[0], weights[1], biases[1]

        return task

    return prepare


def together(instruction_set, n_machines):
    """Return what runs many machines at once, the given one being the first."""
    lanes = LANES[instruction_set]

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        programs = (("together.c", lanes),)
        learn = _learning(instruction_set, programs, machine, stream, n_examples, rates, nonnegative)
        rng = np.random.default_rng(seed)
        groups = [
            [
                *([_lanes(*parameters, lanes) for parameters in _connections(machine, stack)] for stack in STACKS),
                rng.integers(0, 2**32, (4, lanes), np.uint32),
            ]
            for _ in range(n_machines // lanes)
        ]

        def task():
            for group in groups:
                learn(*group)
            generative, recognition, _ = groups[0]
            return (
                [array[:, 1:, 0].T for array in generative[:-1]],
                [array[:, 0, 0] for array in generative],
                [array[:, 1:, 0].T for array in recognition],
                [array[:, 0, 0] for array in recognition],
            )

        return task

    return prepare


STACKS = ("gen", "rec")


def _connections(machine, stack):
    """Return the weights and biases of each level; those of the top have no weights."""
    weights, biases = list(getattr(machine, f"{stack}_weights")), getattr(machine, f"{stack}_biases")
    weights += [np.zeros((0, row.size), np.float32) for row in biases[len(weights) :]]
    return list(zip(weights, biases, strict=True))


def _rows(weights, biases, lanes):
    """Return a connection in rows of whole vectors: the biases, and then a row a driving unit."""
    n_rows, n_columns = 1 + len(weights), -(-biases.size // lanes) * lanes
    array = aligned(n_rows * n_columns)[: n_rows * n_columns].reshape(n_rows, n_columns)
    array[0, : biases.size], array[1:, : biases.size] = biases, weights
    return array


def _lanes(weights, biases, lanes):
    """Return a connection with a row a driven unit, the bias and then its weights, each as many times as lanes."""
    columns = np.concatenate([biases[None], weights]).T
    array = aligned(columns.size * lanes)[: columns.size * lanes].reshape(*columns.shape, lanes)
    array[:] = columns[:, :, None]
    return array


def _learning(instruction_set, programs, machine, stream, n_examples, rates, nonnegative):
    """Return a function of both stacks and a key that runs the programs."""
    bars = stream if isinstance(stream, fastws.Bars) else None
    run = library(instruction_set, programs, tuple(machine.layer_sizes), bars.size if bars else 0)
    rates = np.array(rates, np.float32)
    images = np.zeros((1, 1), np.uint8) if bars else stream.x

    def learn(generative, recognition, key):
        run(
            ctypes.c_long(n_examples),
            _pointers(generative),
            _pointers(recognition),
            _pointer(rates),
            ctypes.c_int(nonnegative),
            ctypes.c_float(bars.p_vertical if bars else 0.5),
            ctypes.c_float(bars.p_bar if bars else 0.5),
            _pointer(images),
            ctypes.c_long(len(images)),
            _pointer(key),
        )

    return learn


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def _pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
