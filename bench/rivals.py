"""The contestants: fastws, and the same work done otherwise.

A contestant is called with a machine, a stream, how many examples, the rates, whether input weights stay nonnegative
and a seed. It gets ready and returns a task: what the clock measures. The task learns, and returns the parameters as
`stacks` does. Rivals whose loop is in Python or in JAX get the images of the bars from fastws, which favours them.
"""

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.neural_network import BernoulliRBM

import fastws
from bench import by_hand, instructions
from bench.frameworks import jax_scan, stacks, torch_loop
from bench.host import compiler
from bench.skipped import Skipped
from fastws import simulation

MACHINES_TOGETHER = 16
_SOURCE = Path(__file__).with_name("plain.c")


@dataclass(frozen=True)
class Contestant:
    """`find` returns what is described above, or raises `Skipped`.

    Who `follows` is compiled for the instructions that fastws is compiled for.
    """

    name: str
    find: Callable[[], Callable[..., Callable[[], Any]]]
    n_machines: int = 1
    same_work: bool = True
    follows: bool = False


def fastws_run(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Run fastws as its users do."""
    run = fastws.Simulation(machine, stream, [(n_examples, rates)], nonnegative, seed)
    run.compile()
    return lambda: stacks(run.advance().machine)


def fastws_together():
    """Return what runs sixteen machines at once, the given one being the first."""
    if not hasattr(simulation, "advance_together"):
        raise Skipped("this fastws has no advance_together")

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        machines = [machine, *(machine.copy() for _ in range(1, MACHINES_TOGETHER))]
        runs = [
            fastws.Simulation(each, stream, [(n_examples, rates)], nonnegative, MACHINES_TOGETHER * seed + i)
            for i, each in enumerate(machines)
        ]

        def task():
            simulation.advance_together(runs)
            return stacks(machine)

        return task

    return prepare


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

    @np.errstate(over="ignore")
    def task():
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
        return stacks(machine)

    return task


def compile_c(*flags):
    """Return the plain C loop compiled with these flags."""
    gcc = compiler()
    if gcc is None:
        raise Skipped("there is no C compiler here")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "plain.so"
        flags = (*instructions.compiler_flags(instructions.in_use()), *flags)
        command = [gcc, "-O3", *flags, "-shared", "-fPIC", _SOURCE, "-o", library, "-lm"]
        subprocess.run(command, check=True)
        function = ctypes.CDLL(str(library)).run

    def prepare(machine, stream, n_examples, rates, nonnegative, seed=0):
        nothing = np.zeros(1, np.float32)
        gen_weights, gen_biases, rec_weights, rec_biases = (
            [np.array(array, order="C") for array in stack] for stack in stacks(machine)
        )
        sizes = np.array([*machine.layer_sizes, 0], np.int32)
        rates = np.array(rates, np.float32)
        bars = stream if isinstance(stream, fastws.Bars) else None
        images = nothing.view(np.uint8) if bars else stream.x

        def task():
            function(
                ctypes.c_long(n_examples),
                ctypes.c_int(len(machine.layer_sizes)),
                _pointer(sizes),
                _pointers([*gen_weights, nothing]),
                _pointers(gen_biases),
                _pointers(rec_weights),
                _pointers(rec_biases),
                _pointer(rates),
                ctypes.c_int(nonnegative),
                ctypes.c_int(bars.size if bars else 0),
                ctypes.c_float(bars.p_vertical if bars else 0),
                ctypes.c_float(bars.p_bar if bars else 0),
                _pointer(images),
                ctypes.c_long(0 if bars else len(images)),
                ctypes.c_uint64(seed),
            )
            return gen_weights, gen_biases, rec_weights, rec_biases

        return task

    return prepare


def boltzmann_machine(machine, stream, n_examples, rates, nonnegative, seed=0):
    """Let scikit-learn's RBM with as many units as the first hidden layer learn image by image."""
    images = stream.sample(n_examples, seed) if isinstance(stream, fastws.Bars) else stream.x
    rbm = BernoulliRBM(machine.layer_sizes[1], learning_rate=rates[0], batch_size=1, random_state=seed)

    def task():
        for example in range(n_examples):
            image = example % len(images)
            rbm.partial_fit(images[image : image + 1])
        return stacks(machine)

    return task


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def _pointers(arrays):
    return (ctypes.c_void_p * len(arrays))(*[array.ctypes.data for array in arrays])


BY_HAND = Contestant("C by hand", by_hand.one, follows=True)
BY_HAND_TOGETHER = Contestant(
    f"C by hand, {MACHINES_TOGETHER} at once",
    lambda: by_hand.together(MACHINES_TOGETHER),
    n_machines=MACHINES_TOGETHER,
    follows=True,
)
FASTWS = Contestant("fastws", lambda: fastws_run, follows=True)
FASTWS_TOGETHER = Contestant(
    f"fastws, {MACHINES_TOGETHER} at once", fastws_together, n_machines=MACHINES_TOGETHER, follows=True
)
# The yardstick of the table.
PLAIN_C = Contestant("plain C", compile_c, follows=True)
CONTESTANTS = (
    BY_HAND,
    FASTWS,
    BY_HAND_TOGETHER,
    FASTWS_TOGETHER,
    PLAIN_C,
    Contestant("plain C -ffast-math", lambda: compile_c("-ffast-math"), follows=True),
    Contestant("C, silent units skipped", lambda: compile_c("-DSKIP_SILENT"), follows=True),
    Contestant("the same, -ffast-math", lambda: compile_c("-DSKIP_SILENT", "-ffast-math"), follows=True),
    Contestant("JAX, lax.scan and jit", jax_scan),
    Contestant("PyTorch, eager", torch_loop),
    Contestant("NumPy loop", lambda: numpy_loop),
    Contestant("BernoulliRBM, another rule", lambda: boltzmann_machine, same_work=False),
)
