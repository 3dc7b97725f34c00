"""Kernels as WebAssembly, in Node, give Python's bits."""

import base64
import importlib
import json
import math
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws import codec, estimate, kernels, learning, reweighted
from fastws.kernels import wasm
from fastws.kernels.costs import sampled_costs
from fastws.kernels.steps import sample_fantasies
from fastws.simulation import Simulation, advance_together
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

pytestmark = pytest.mark.long
IMAGES = np.random.default_rng(0).integers(0, 2, (7, 9), np.uint8)
EXAMPLES, SOME = (200, 70) if INTERPRETED else (20_000, 7_001)


def write_module(*words):
    return subprocess.run([sys.executable, "-m", "fastws.kernels.wasm", *words], capture_output=True, text=True)


@pytest.fixture(scope="session")
def module(tmp_path_factory):
    if shutil.which("node") is None:
        pytest.skip("Node, which runs WebAssembly here, is not installed")
    path = tmp_path_factory.mktemp("wasm") / "kernels.wasm"
    written = write_module(str(path))
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    return path


def leaves(value):
    """Return the arrays and numbers of nested tuples."""
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, tuple) else [value]


def arrays_of(value):
    return [leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray)]


def call_in_node(module, *calls):
    """Call functions, each (name, arguments), on copies of the arrays as they are now; write the results into these."""
    arrays = {id(array): array for _, arguments in calls for array in arrays_of(arguments)}
    numbers = {key: number for number, key in enumerate(arrays)}

    def plain(leaf):
        if isinstance(leaf, np.ndarray):
            return {"array": numbers[id(leaf)]}
        return {"float": json.dumps(float(leaf))} if isinstance(leaf, np.floating) else {"integer": str(leaf)}

    request = {
        "arrays": [{"bytes": base64.b64encode(a.tobytes()).decode(), "shape": a.shape} for a in arrays.values()],
        "calls": [(name, list(map(plain, leaves(arguments)))) for name, arguments in calls],
    }
    command = ["node", Path(__file__).with_name("wasm.mjs"), module]
    node = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True)
    assert node.returncode == 0, node.stderr[-1000:]
    for array, content in zip(arrays.values(), json.loads(node.stdout), strict=True):
        array[...] = np.frombuffer(base64.b64decode(content), array.dtype).reshape(array.shape)


def runs_of(function):
    """Return simulations whose learning is a call of a function."""
    if function == "run_images":
        return [Simulation(random_machine([9, 18, 3]), Images(IMAGES), [(EXAMPLES, 0.1)])]
    seeds = range(10) if function == "run_bars_together" else [5]
    schedule = [(EXAMPLES, [0.2, 0.001, 0.01])]
    return [Simulation(random_machine([16, 8, 1], seed), Bars(), schedule, True, seed) for seed in seeds]


class Taken(Exception):
    """What the kernel was to do."""


def arguments_of(runs, monkeypatch):
    """Return what the kernel takes to let simulations learn."""

    def take(*arguments):
        raise Taken(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(learning, "run", take)
        with pytest.raises(Taken) as taken:
            advance_together(runs)
    return taken.value.args


@pytest.mark.parametrize("function", ["run_bars", "run_images", "run_bars_together"])
def test_learning_in_two_calls(module, function, monkeypatch):
    there = runs_of(function)
    *first, _, seen = arguments_of(there, monkeypatch)
    call_in_node(module, *((function, (*first, n_examples, seen)) for n_examples in (SOME, EXAMPLES - SOME)))

    here = runs_of(function)
    before = parameter_bits(here[0].machine)
    advance_together(here)
    assert (parameter_bits(here[0].machine) != before).any()
    for ours, theirs in zip(here, there, strict=True):
        np.testing.assert_array_equal(parameter_bits(theirs.machine), parameter_bits(ours.machine))
        assert theirs.examples_seen == ours.examples_seen


def test_sampling(module):
    machine = random_machine([9, 18, 3])
    key, numbers = np.arange(4, dtype=np.uint32), np.arange(len(IMAGES), dtype=np.uint64)
    here, there = np.zeros((2, 40, 9), np.uint8)
    sample_fantasies(key, machine.net, machine.room(), here)
    call_in_node(module, ("sample_fantasies", (key, machine.net, machine.room(), there)))
    assert 0 < here.sum() < here.size
    np.testing.assert_array_equal(there, here)

    here, there = np.zeros((2, 2, len(IMAGES), 3))
    sampled_costs(key, numbers, machine.net, machine.room(), IMAGES, *here)
    call_in_node(module, ("sampled_costs", (key, numbers, machine.net, machine.room(), IMAGES, *there)))
    assert (here > 0).all()
    np.testing.assert_array_equal(there.view(np.uint64), here.view(np.uint64))


def use_everything():
    """Call kernels of all kinds, with wide layers and narrow ones; the runs above are compiled anyhow."""
    machine = random_machine([9, 70, 65])
    for n_samples in (1, 2):
        Simulation(machine, Bars(3), [(2, 0.1)], n_samples=n_samples).advance()
    asleep, awake = fastws.sleep_step(machine, 0.1, seed=1), fastws.wake_step(machine, IMAGES[0], 0.1, seed=1)
    fastws.sleep_update(machine, awake, 0.1)
    fastws.wake_update(machine, asleep, 0.1)
    reweighted.importance_weights(machine, [awake, awake])
    reweighted.reweighted_update(machine, [awake, awake], 0.1)
    machine.representations(machine.fantasies(2, seed=1), seed=1)
    estimate.measures(machine, IMAGES, n_samples=2, seed=1)
    for method in ("bits-back", "two-part"):
        codec.decompress(machine, codec.compress(machine, IMAGES, 1, method))
    Bars(3).sample(2, seed=1)


def kernels_used():
    """Return, by made-up names, each kernel that Python has called and what it took."""
    parts = [importlib.import_module(f"fastws.kernels.{part.name}") for part in pkgutil.iter_modules(kernels.__path__)]
    found = {
        kernel
        for part in parts
        for kernel in vars(part).values()
        if isinstance(kernel, numba.core.dispatcher.Dispatcher)
    }
    called = [kernel for kernel in found if "no_cpython_wrapper" not in kernel.targetoptions]
    return {f"{kernel.__name__}_{i}": (kernel, took) for kernel in called for i, took in enumerate(kernel.signatures)}


def check_what_is_used():
    use_everything()
    used = kernels_used()
    assert len(used) >= 12
    wasm.module(used)


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_kernels_allocate_nothing_and_call_no_library():
    """In a process of its own: rules of other tests, compiled into the same kernels in this one, may allocate."""
    words = [sys.executable, "-c", "import test_wasm; test_wasm.check_what_is_used()"]
    done = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def allocates(x):
    x[0] = np.empty(int(x[0]))[0]


def takes_a_logarithm(x):
    x[0] = math.log(x[0])


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
@pytest.mark.parametrize(("function", "missing"), [(allocates, "NRT_"), (takes_a_logarithm, "log")])
def test_a_kernel_that_does(function, missing):
    with pytest.raises(RuntimeError, match=rf"must not need .*\b{missing}"):
        wasm.module({"f": (numba.njit(function), (numba.float64[::1],))})


def test_a_folder_that_is_not_there(tmp_path):
    written = write_module(str(tmp_path / "none" / "kernels.wasm"))
    assert written.returncode == 2
    assert f"there is no folder {tmp_path / 'none'}" in written.stderr
