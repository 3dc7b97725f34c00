"""The same work done otherwise: a plain NumPy loop and plain C, each changing the arrays of a `fastws.Machine`."""

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import fastws

_SOURCE = Path(__file__).with_name("plain.c")


def numpy_loop(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Run wake-sleep as one would write it in NumPy: a Python loop over examples, arrays over units."""
    rng = np.random.default_rng(seed)
    images = stream.sample(n_examples, seed) if isinstance(stream, fastws.Bars) else stream.x
    images = images.astype(np.float32)
    levels = range(len(machine.layer_sizes) - 1)

    def probability(driving, weights, biases):
        return 1 / (1 + np.exp(-(biases + driving @ weights)))

    def draw(p):
        return (rng.random(len(p)) < p).astype(np.float32)

    with np.errstate(over="ignore"):
        for example in range(n_examples):
            states = [images[example % len(images)]]
            for level in levels:
                states.append(draw(probability(states[level], machine.rec_weights[level], machine.rec_biases[level])))
            for level in levels:
                weights, biases = machine.gen_weights[level], machine.gen_biases[level]
                delta = rates[level] * (states[level] - probability(states[level + 1], weights, biases))
                weights += np.outer(states[level + 1], delta)
                biases += delta
                if nonnegative and level == 0:
                    np.maximum(weights, 0, out=weights)
            top = machine.gen_biases[-1]
            top += rates[-1] * (states[-1] - 1 / (1 + np.exp(-top)))
            states[-1] = draw(1 / (1 + np.exp(-top)))
            for level in reversed(levels):
                states[level] = draw(
                    probability(states[level + 1], machine.gen_weights[level], machine.gen_biases[level])
                )
            for level in levels:
                weights, biases = machine.rec_weights[level], machine.rec_biases[level]
                delta = rates[level] * (states[level + 1] - probability(states[level], weights, biases))
                weights += np.outer(states[level], delta)
                biases += delta


def compile_c(*flags):
    """Return the plain C loop compiled with these flags, called like `numpy_loop`, or None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "plain.so"
        subprocess.run([compiler, *flags, "-shared", "-fPIC", str(_SOURCE), "-o", str(library), "-lm"], check=True)
        function = ctypes.CDLL(str(library)).run

    def run(machine, stream, n_examples, rates, nonnegative, seed=0):
        generative = [np.ascontiguousarray(w) for w in machine.gen_weights]
        recognition = [np.ascontiguousarray(w) for w in machine.rec_weights]
        nothing = np.zeros(1, np.float32)
        sizes = np.array([*machine.layer_sizes, 0], np.int32)
        rates = np.array(rates, np.float32)
        bars = stream if isinstance(stream, fastws.Bars) else None
        images = nothing.view(np.uint8) if bars else stream.x
        function(
            ctypes.c_long(n_examples),
            ctypes.c_int(len(machine.layer_sizes)),
            _pointer(sizes),
            _pointers([*generative, nothing]),
            _pointers(machine.gen_biases),
            _pointers(recognition),
            _pointers(machine.rec_biases),
            _pointer(rates),
            ctypes.c_int(nonnegative),
            ctypes.c_int(bars.size if bars else 0),
            ctypes.c_float(bars.p_vertical if bars else 0),
            ctypes.c_float(bars.p_bar if bars else 0),
            _pointer(images),
            ctypes.c_long(0 if bars else len(images)),
            ctypes.c_uint64(seed),
        )
        for own, copy in zip((*machine.gen_weights, *machine.rec_weights), (*generative, *recognition), strict=True):
            own[...] = copy

    return run


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def _pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])
