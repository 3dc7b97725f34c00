"""How parameters lie in memory changes no result."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chance import INTERPRETED
from fastws import codec, estimate
from fastws import machine as machines_module
from fastws.kernels import layout
from fastws.kernels.layout import LANES, aligned, connection, new_stack, whole_vectors
from fastws.machine import Machine
from fastws.simulation import Simulation, advance_together
from fastws.steps import sleep_step, sleep_update, wake_step, wake_update
from fastws.streams import Bars, Images
from machines import parameter_arrays, parameter_bits, random_machine

ROOT = Path(__file__).parents[1]
# Columns of one unit, of less than a vector, of whole ones, and of some over; narrow and wide.
NETS = [[1, 1], [9, 1, 3], [16, 8, 1], [1, 40, 1], [3, 17, 16, 33], [9, 65, 70], [66, 64, 2]]


def test_storage_for_lanes_is_aligned_and_wide_enough():
    for n_rows, n_columns in [(1, 1), (3, 16), (2, 33)]:
        array = aligned(n_rows, n_columns)
        assert array.shape[0] == n_rows
        assert n_columns <= array.shape[1] < n_columns + LANES
        assert array.shape[1] % LANES == array.ctypes.data % (4 * LANES) == 0
        assert not array.any()


# Memory.


@pytest.mark.parametrize(
    "sizes", [[10, 20_000, 10], [1, 30_000, 1], [20_000, 10], [17, 9000, 17, 1], [513, 513, 2]], ids=str
)
def test_memory_is_that_of_the_parameters_and_a_tenth(sizes):
    machine = Machine(sizes)
    found = machine._generative.data.nbytes + machine._recognition.data.nbytes
    assert 4 * machine.n_parameters <= found <= 1.1 * 4 * machine.n_parameters


def test_small_nets_are_padded_whatever_it_takes():
    machine = Machine([3, 5, 1])
    for stack in (machine._generative, machine._recognition):
        assert not (stack.places[:, [0, 2]] % LANES).any()
        assert stack.data.ctypes.data % (4 * LANES) == 0


def test_connections_follow_one_another_and_do_not_overlap():
    for shapes in ([(3, 5), (2, 3)], [(300, 1), (0, 300)], [(1, 30_000), (30_000, 1)], [(0, 30_001)]):
        stack = new_stack(shapes)
        for level, (n_driving, n_driven) in enumerate(shapes):
            weights = connection(stack, level)
            assert weights.shape == (n_driving + 1, whole_vectors(n_driven))
            weights[:, :n_driven] += 1 + level
        counts = [np.count_nonzero(stack.data == 1 + level) for level in range(len(shapes))]
        assert counts == [(n_driving + 1) * n_driven for n_driving, n_driven in shapes]
        # The last vector of a row does not leave the array.
        ends = [start + (rows - 1) * columns + whole_vectors(columns) for start, rows, columns in stack.places.tolist()]
        assert max(ends) <= stack.data.size


# Results.


@pytest.fixture
def unpadded(monkeypatch):
    """Return a function after which no net is padded."""

    def set_it():
        monkeypatch.setattr(layout, "_SMALL", 0)
        monkeypatch.setattr(layout, "_PADDING", 0.0)

    return set_it


def with_negative_biases(sizes, seed=0):
    """Return a machine whose biases are negative: those of a connection follow the weights of the one below."""
    machine = random_machine(sizes, seed)
    for biases in (*machine.gen_biases, *machine.rec_biases):
        biases[:] = -np.abs(biases)
    return machine


def life(sizes, nonnegative):
    """Return what a machine learns, draws and costs, in numbers that JSON keeps to the bit."""
    machine = with_negative_biases(sizes)
    x = np.random.default_rng(0).integers(0, 2, (7, sizes[0]), np.uint8)
    Simulation(machine, Images(x), [(15, 0.1)], nonnegative, seed=1).advance()
    states = wake_step(machine, x[3], 0.1, 2, nonnegative) + sleep_step(machine, 0.1, 3)
    wake_update(machine, states[len(sizes) :], 0.1, nonnegative)
    sleep_update(machine, states[: len(sizes)], 0.1)
    drawn = [machine.fantasies(5, clamp={(1, 0): 1}), *machine.representations(x)]
    bits = [parameter_bits(machine), np.array(estimate.measures(machine, x, 3)).view(np.uint64)]
    return [array.tolist() for array in (*states, *drawn, *bits)], codec.compress(machine, x).hex()


def is_padded(sizes):
    return all(
        not (stack.places[:, 2] % LANES).any() for stack in (Machine(sizes)._generative, Machine(sizes)._recognition)
    )


@pytest.mark.long
@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize("sizes", NETS, ids=str)
def test_unpadded_nets_live_to_the_same_bits(sizes, nonnegative, unpadded):
    assert is_padded(sizes)
    expected = life(sizes, nonnegative)
    unpadded()
    assert not is_padded(sizes)
    assert life(sizes, nonnegative) == expected


@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize("sizes", [[9, 5, 2], [9, 1, 40]], ids=str)
def test_unpadded_nets_learn_together_to_the_same_bits(sizes, nonnegative, unpadded):
    def learned():
        runs = [
            Simulation(with_negative_biases(sizes, seed), Bars(3), [(25, 0.1)], nonnegative, seed) for seed in range(9)
        ]
        advance_together(runs, until=7)
        advance_together(runs)
        return [parameter_bits(run.machine).tolist() for run in runs]

    expected = learned()
    unpadded()
    assert learned() == expected


def test_what_is_beyond_a_row_is_not_of_it(unpadded):
    """Weights below zero after the last row of what is held at zero stay: they are the next connection's biases."""

    def learned():
        machine = with_negative_biases([3, 2, 4])
        machine.gen_weights[0][:] = 1
        before = machine.copy()
        # With rates of zero for all other levels only the first connection learns.
        for seed in range(10):
            wake_step(machine, [1, 0, 1], (0.1, 0, 0), seed, nonnegative_input_weights=True)
        return before, machine

    _, padded = learned()
    unpadded()
    before, machine = learned()
    assert parameter_bits(machine).tolist() == parameter_bits(padded).tolist()
    for level in (1, 2):
        np.testing.assert_array_equal(machine.gen_biases[level], before.gen_biases[level])
    np.testing.assert_array_equal(machine.gen_weights[1], before.gen_weights[1])
    assert (machine.gen_weights[0] >= 0).all()
    assert not np.array_equal(machine.gen_weights[0], before.gen_weights[0])


def lives_unpadded():
    layout._SMALL, layout._PADDING = 0, 0.0
    return [life(sizes, True) for sizes in NETS]


@pytest.mark.long
def test_unpadded_nets_are_the_same_compiled_and_interpreted(unpadded):
    code = "import json, test_layout; print(json.dumps(test_layout.lives_unpadded()))"
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "0" if INTERPRETED else "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore",
    }
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert other.returncode == 0, other.stderr
    unpadded()
    assert json.loads(other.stdout) == [list(life(sizes, True)) for sizes in NETS]


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="slow")
@pytest.mark.parametrize("sizes", [[4, 30_000, 1], [1, 30_000, 4]], ids=str)
def test_a_net_that_bulges_learns_as_one_with_padding(sizes, monkeypatch):
    def learned():
        machine = random_machine(sizes)
        for array in parameter_arrays(machine):
            array /= 100
        stream = Bars(2) if sizes[0] == 4 else Images([[0], [1]])
        Simulation(machine, stream, [(3, 0.1)], True).advance()
        return parameter_bits(machine)

    assert not is_padded(sizes)
    found = learned()
    monkeypatch.setattr(layout, "_PADDING", 100)
    assert is_padded(sizes)
    np.testing.assert_array_equal(learned(), found)


@pytest.mark.long
def test_wide_and_narrow_are_chosen_by_the_layers_and_not_by_the_layout(unpadded, monkeypatch):
    expected = life([9, 65, 70], True)
    unpadded()
    monkeypatch.setattr(machines_module, "WIDE", 1000)
    assert life([9, 65, 70], True) == expected


# The width of a vector.

SOME_HASHES = """
import json, sys
from bench import hashes
from fastws.kernels import layout
assert layout.LANES == int(sys.argv[1])
print(json.dumps({name: hashes.hash_of(array) for section in (hashes.draws, hashes.steps, hashes.sampled, hashes.codes)
                  for name, array in section()} | {"bars": hashes.hash_of(hashes.parameters(
                  hashes.bars_run(n=3000).advance().machine))} | {f"images {sizes}": hashes.hash_of(hashes.parameters(
                  hashes.images_run(sizes, 300).advance().machine)) for sizes in (
                  hashes.NARROW, hashes.WIDE, hashes.DEEP, hashes.BULGING)}))
"""


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
@pytest.mark.parametrize("n_lanes", [8])
def test_no_result_depends_on_the_width_of_a_vector(n_lanes, tmp_path):
    """A copy of the package in which one constant is another one."""
    package = Path(layout.__file__).parents[1]
    shutil.copytree(package, tmp_path / "fastws", ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / "fastws" / "kernels" / "layout.py"
    text = source.read_text(encoding="utf-8")
    assert text.count(f"\nLANES = {LANES}\n") == 1
    source.write_text(text.replace(f"\nLANES = {LANES}\n", f"\nLANES = {n_lanes}\n"), encoding="utf-8")
    kept = (ROOT / "docs" / "hashes.txt").read_text(encoding="utf-8").splitlines()

    def hashes_by(place, n):
        path = os.pathsep.join([str(place), str(ROOT)])
        command = [sys.executable, "-W", "ignore", "-c", SOME_HASHES, str(n)]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path}, cwd=place, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    found = hashes_by(tmp_path, n_lanes)
    assert found == hashes_by(package.parent, LANES)
    assert len({f"{value}  {name}" for name, value in found.items()} & set(kept)) >= 15
