"""The same results compiled, interpreted, with bounds checked, and for a CPU without vector instructions."""

import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws import estimate
from fastws.kernels import layout
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

pytestmark = pytest.mark.long
# The tests themselves run in one of the first two ways.
OTHER = {"compiled": {"NUMBA_DISABLE_JIT": "0"}} if INTERPRETED else {"interpreted": {"NUMBA_DISABLE_JIT": "1"}}
WAYS = {
    **OTHER,
    "bounds checked": {"NUMBA_DISABLE_JIT": "0", "NUMBA_BOUNDSCHECK": "1"},
    "generic CPU": {"NUMBA_DISABLE_JIT": "0", "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}
# Sizes that leave lanes over, fill them, and take more than one vector.
SIZES = [[9, 18, 3], [25, 16, 1], [9, 5, 33, 2]]


def everything():
    """Return the states, the parameters and the measures that every kernel gives, as exact numbers."""
    x = np.random.default_rng(0).integers(0, 2, (7, 9))
    results = {}
    for sizes, padded in itertools.product(SIZES, (True, False)):
        with pytest.MonkeyPatch.context() as patched:
            if not padded:
                patched.setattr(layout, "_SMALL", 0)
                patched.setattr(layout, "_PADDING", 0.0)
            machine = random_machine(sizes)
        runs = [Simulation(machine, Bars(3 if sizes[0] == 9 else 5, exclude=["full"]), [(60, 0.1)], True, seed=1)]
        if sizes[0] == 9:
            runs.append(Simulation(machine, Images(x), [(20, 0.1)], seed=2))
        for run in runs:
            run.advance(13).advance()
        inputs = machine.fantasies(4, seed=5)
        states = [inputs, *machine.representations(inputs, seed=6), runs[0].stream.sample(9, seed=7)]
        awake = fastws.wake_step(machine, inputs[0], 0.2, seed=3, nonnegative_input_weights=True)
        asleep = fastws.sleep_step(machine, 0.2, seed=4)
        fastws.wake_update(machine, asleep, 0.1)
        fastws.sleep_update(machine, awake, 0.1)
        measures = estimate.measures(machine, inputs, n_samples=3, seed=8)
        results[f"{sizes}, {padded}"] = {
            "states": [layer.tolist() for layer in (*states, *awake, *asleep)],
            "parameters": parameter_bits(machine).tolist(),
            "measures": [float(value).hex() for measure in measures for value in measure],
        }
    return results


def print_everything():
    config = numba.config
    switches = [bool(config.DISABLE_JIT), bool(config.BOUNDSCHECK), config.CPU_NAME == "generic"]
    print(json.dumps({"switches": switches, "results": everything()}))


def python(way, code):
    switches = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    # Numba's cache tells CPUs apart, but not whether bounds are checked.
    cache = Path(os.environ["NUMBA_CACHE_DIR"]) / way.replace(" ", "-")
    environment = {
        **switches,
        **WAYS[way],
        "NUMBA_CACHE_DIR": str(cache),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)


def run(way):
    process = python(way, "import test_ways_of_running; test_ways_of_running.print_everything()")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.fixture(scope="module")
def outputs():
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(WAYS, pool.map(run, WAYS), strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_bits(way, outputs):
    expected, found = everything(), outputs[way]["results"]
    for sizes in expected:
        for what in ("states", "parameters", "measures"):
            assert found[sizes][what] == expected[sizes][what], f"{what} of {sizes}"


def test_every_way_is_what_it_says(outputs):
    assert [outputs[way]["switches"] for way in WAYS] == [
        [not INTERPRETED, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_bounds_are_checked_where_they_are_said_to_be(outputs):
    """A machine whose sizes lie about its arrays is found out, rather than read past their end."""
    process = python(
        "bounds checked",
        "import numpy as np, fastws; from fastws.kernels.steps import sample_fantasies; m = fastws.Machine([3, 2]); "
        "room = m.room(); m._sizes[0] = 5000; "
        "sample_fantasies(np.zeros(4, np.uint32), m.net, room, np.empty((1, 3), np.uint8))",
    )
    assert process.returncode == 1
    assert "IndexError" in process.stderr
