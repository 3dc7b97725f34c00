"""Vector C by hand, compiled for the net at hand: as near to the limit as we know how to come; see `by_hand_c`."""

import ctypes
import functools
import itertools
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import fastws
from bench import instructions
from bench.host import compiler
from bench.skipped import Skipped
from fastws.kernels.layout import aligned

FLAGS = ("-O3", "-ffp-contract=off")
# The narrow layers of one machine would leave much of a wide vector empty.
NARROW_LANES, WIDE = 8, 64
STACKS = ("gen", "rec")
SOURCES = Path(__file__).with_name("by_hand_c")


def one():
    """Return what runs one machine."""
    chosen = _instructions()
    widest = instructions.LANES[chosen]

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        is_wide = any(min(layers) >= WIDE for layers in itertools.pairwise(machine.layer_sizes))
        lanes = widest if is_wide else NARROW_LANES
        programs = ("one.c", lanes), ("draws.c", widest)
        learn = _learning(chosen, programs, machine, stream, n_examples, rates, nonnegative)
        key = np.random.default_rng(seed).integers(0, 2**32, 4, np.uint32)
        stacks = [[_rows(*level, lanes) for level in _connections(machine, stack)] for stack in STACKS]

        def task():
            learn(*stacks, key)
            learned = []
            for stack, arrays in zip(STACKS, stacks, strict=True):
                sizes = [biases.size for _, biases in _connections(machine, stack)]
                learned.append([array[1:, :n] for array, n in zip(arrays, sizes, strict=True)])
                learned.append([array[0, :n] for array, n in zip(arrays, sizes, strict=True)])
            # The top layer has biases only.
            return learned[0][:-1], *learned[1:]

        return task

    return prepare


def together(n_machines):
    """Return what runs many machines in lanes, the given one being the first."""
    chosen = _instructions()
    lanes = instructions.LANES[chosen]

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        learn = _learning(chosen, (("together.c", lanes),), machine, stream, n_examples, rates, nonnegative)
        rng = np.random.default_rng(seed)
        groups = []
        for _ in range(n_machines // lanes):
            stacks = [[_lanes(*level, lanes) for level in _connections(machine, stack)] for stack in STACKS]
            groups.append((*stacks, rng.integers(0, 2**32, (4, lanes), np.uint32)))

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


def _instructions():
    chosen = instructions.in_use()
    if chosen is None:
        raise Skipped("there is nothing by hand for the instructions that fastws is compiled for here")
    if compiler() is None:
        raise Skipped("there is no C compiler here")
    return chosen


def _learning(chosen, programs, machine, stream, n_examples, rates, nonnegative):
    """Return a function of both stacks and a key that runs programs."""
    bars = stream if isinstance(stream, fastws.Bars) else None
    run = library(chosen, programs, tuple(machine.layer_sizes), bars.size if bars else 0).run
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


@functools.cache
def library(chosen, programs, sizes, bars):
    """Return programs, each with the floats of its vectors, compiled for a net."""
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
    words = [*FLAGS, *instructions.compiler_flags(chosen), *(f"-D{name}={value}" for name, value in net.items())]
    with tempfile.TemporaryDirectory() as folder:
        objects = [Path(folder) / f"{program}.o" for program, _ in programs]
        for (program, lanes), compiled in zip(programs, objects, strict=True):
            command = [compiler(), *words, f"-DLANES={lanes}", "-fPIC", "-c", SOURCES / program, "-o", compiled]
            subprocess.run(command, check=True)
        path = Path(folder) / "by_hand.so"
        subprocess.run([compiler(), "-shared", *objects, "-o", path, "-lm"], check=True)
        return ctypes.CDLL(str(path))


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


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def _pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
