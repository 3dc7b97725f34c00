"""Killed, interrupted, out of space, damaged: the old state or the new one loads, and nothing else.

Processes are forked from a fresh interpreter that has no threads, so that many can be killed in a second.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chance import INTERPRETED
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

BENCH = Path(__file__).parents[1] / "bench"
SCHEDULE = [(10**9, (0.05, 0.01, 0.01))]
tries = pytest.mark.parametrize("n_tries", [4, pytest.param(50, marks=pytest.mark.long)])


def new_run(seed=0):
    return Simulation(random_machine([16, 8, 1]), Bars(4), SCHEDULE, True, seed)


def big_run(seen):
    """Return a simulation that takes half a megabyte to save."""
    x = np.random.default_rng(0).integers(0, 2, (1000, 2000), np.uint8)
    return Simulation(random_machine([2000, 20]), Images(x), [(100, 0.1)], seed=3).advance(seen)


def isolated(function, *arguments):
    """Run a function of this module, which raises if something is wrong, in a fresh interpreter."""
    code = "import sys, test_faults; getattr(test_faults, sys.argv[1])(*sys.argv[2:])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", code, function.__name__, *map(str, arguments)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


def forked(work):
    """Return the process number of a child that does the work after it has said so, and exits with 1 if that raises."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(lambda: os.write(writing, b"."))
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    return child


def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def assert_holds_one_of(path, runs):
    loaded = Simulation.load(path)
    [same] = [run for run in runs if run.examples_seen == loaded.examples_seen]
    np.testing.assert_array_equal(parameter_bits(loaded.machine), parameter_bits(same.machine))
    np.testing.assert_array_equal(loaded.stream.x, same.stream.x)


# Killed.


def kill_while_saving(folder, tries):
    import signal
    import time

    path, runs, rng = Path(folder, "run.npz"), [big_run(0), big_run(1), big_run(2)], np.random.default_rng(0)
    runs[0].save(path)
    started = time.perf_counter()
    runs[0].save(path)
    saving = time.perf_counter() - started

    def save_for_ever(ready):
        ready()
        while True:
            runs[1].save(path)
            runs[2].save(path)

    killed, unfinished = 0, []
    while killed < int(tries) or not unfinished:  # one at least is to be killed while it writes
        child = forked(save_for_ever)
        time.sleep(rng.uniform(0, 3 * saving))
        os.kill(child, signal.SIGKILL)
        assert status_of(child) == -signal.SIGKILL
        assert_holds_one_of(path, runs)
        killed, unfinished = killed + 1, list(path.parent.glob(".run.npz.*.partial"))


@pytest.mark.long
@tries
def test_a_process_killed_while_saving(n_tries, tmp_path):
    isolated(kill_while_saving, tmp_path, n_tries)


# No space, no permission.


def save_with_too_little_space(folder):
    import resource
    import signal

    path, old, new = Path(folder, "run.npz"), big_run(0), big_run(1)
    old.save(path)
    size = path.stat().st_size
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for space in (0, 1, 1000, size // 2, size - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (space, resource.RLIM_INFINITY))
        try:
            new.save(path)
        except OSError:
            pass
        else:
            raise AssertionError(f"{size} bytes were saved in {space}")
        assert_holds_one_of(path, [old])
        assert os.listdir(folder) == ["run.npz"], "something was left behind"
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    new.save(path)
    assert_holds_one_of(path, [new])


def test_a_full_disk(tmp_path):
    isolated(save_with_too_little_space, tmp_path)


@pytest.mark.parametrize("path", ["/proc/run.npz", "/dev/null/run.npz", "missing/run.npz", "file/run.npz"])
def test_a_folder_that_cannot_be_written(path, tmp_path):
    """Root writes wherever permissions forbid it; but not into /proc, a device, a file or what is not there."""
    (tmp_path / "file").write_bytes(b"a file")
    for thing in (new_run(), Machine([2, 1])):
        with pytest.raises(OSError, match=r"run\.npz"):
            thing.save(tmp_path / path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root and Windows may write everywhere")
def test_a_read_only_folder(tmp_path):
    path, old = tmp_path / "run.npz", new_run()
    old.save(path)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            new_run(1).save(path)
        assert Simulation.load(path).seed == old.seed
    finally:
        tmp_path.chmod(0o755)


# Damaged.


def test_a_truncated_file(tmp_path):
    path = tmp_path / "run.npz"
    new_run().save(path)
    content = path.read_bytes()
    for length in np.linspace(0, len(content) - 1, 60, dtype=int):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"run\.npz is not a fastws run file, or it is damaged"):
            Simulation.load(path)


def loaded_or_refused(path):
    """Return the simulation in a file, or None if it is refused in our words."""
    try:
        return Simulation.load(path)
    except ValueError as error:
        if path.name not in str(error):
            raise
        return None


def test_a_flipped_bit(tmp_path):
    """A bit that says nothing of the state (a time stamp of the archive) may be anything; no other."""
    path, run = tmp_path / "run.npz", new_run()
    run.save(path)
    content, refused = path.read_bytes(), 0
    rng = np.random.default_rng(0)
    for place in rng.choice(8 * len(content), 300, replace=False):
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        loaded = loaded_or_refused(path)
        if loaded is None:
            refused += 1
        else:
            np.testing.assert_array_equal(parameter_bits(loaded.machine), parameter_bits(run.machine))
            assert repr(loaded) == repr(run)
            assert [rates.tolist() for _, rates in loaded.schedule] == [rates.tolist() for _, rates in run.schedule]
    assert refused > 200


def fuzz(n):
    spec = importlib.util.spec_from_file_location("fuzz", BENCH / "fuzz.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    print(module.fuzz(int(n)).total())


@pytest.mark.parametrize("n", [100, pytest.param(10_000, marks=pytest.mark.long)])
def test_fuzzed_files(n):
    """Nothing but ValueError, in our words, and OSError; soon, and in little memory."""
    assert isolated(fuzz, n) == f"{n}\n"


# Two at once.


def two_save_to_one_path(folder):
    path, runs = Path(folder, "run.npz"), [big_run(0), big_run(1)]
    runs[0].save(path)

    def save_often(run):
        def work(ready):
            ready()
            for _ in range(25):
                run.save(path)

        return work

    children = [forked(save_often(run)) for run in runs]
    for _ in range(50):
        assert_holds_one_of(path, runs)
    assert [status_of(child) for child in children] == [0, 0]
    assert_holds_one_of(path, runs)
    assert os.listdir(folder) == ["run.npz"], "something was left behind"


@pytest.mark.long
def test_two_processes_that_save_to_one_path(tmp_path):
    isolated(two_save_to_one_path, tmp_path)


# Ctrl-C.


def press_ctrl_c(work, tries, longest):
    """Run the work in children, and interrupt each at a random moment."""
    import signal
    import time

    rng = np.random.default_rng(0)
    for _ in range(int(tries)):
        child = forked(work)
        time.sleep(rng.uniform(0, longest))
        os.kill(child, signal.SIGINT)
        assert status_of(child) == 0


def interrupt_learning(tries):
    new_run().compile()

    def learn(ready):
        run = new_run()
        try:
            ready()
            while True:
                run.advance(777)
                run.advance(100_000, progress=lambda seen: None)
        except KeyboardInterrupt:
            pass
        run.advance(0)  # clips: before its first example a run may have been interrupted before it did
        replayed = new_run().advance(run.examples_seen)
        np.testing.assert_array_equal(parameter_bits(run.machine), parameter_bits(replayed.machine))
        np.testing.assert_array_equal(
            parameter_bits(run.advance(1000).machine), parameter_bits(replayed.advance(1000).machine)
        )

    press_ctrl_c(learn, tries, longest=0.1)


@tries
@pytest.mark.skipif(INTERPRETED, reason="only compiled kernels end the examples they have begun")
def test_ctrl_c_while_learning_leaves_the_simulation_ready_to_go_on(n_tries):
    isolated(interrupt_learning, n_tries)


def interrupt_saving(folder, tries):
    path, runs = Path(folder, "run.npz"), [big_run(0), big_run(1)]
    runs[0].save(path)

    def save_for_ever(ready):
        try:
            ready()
            while True:
                runs[1].save(path)
                runs[0].save(path)
        except KeyboardInterrupt:
            pass
        assert_holds_one_of(path, runs)

    press_ctrl_c(save_for_ever, tries, longest=0.05)
    print(len(os.listdir(folder)) - 1)


@pytest.mark.long
@tries
def test_ctrl_c_while_saving_leaves_the_old_file_or_the_new(n_tries, tmp_path):
    # Between the making of the temporary file and the block that removes it there are a few bytecodes.
    assert int(isolated(interrupt_saving, tmp_path, n_tries)) <= 1
