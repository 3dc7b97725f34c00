"""Ctrl-C at any moment: it is never lost, never ends a command by the signal, and what was learned is saved.

It is pressed by the programs themselves, at points that are known.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import fastws
from chance import INTERPRETED
from fastws import sweep
from fastws.cli import interrupts, session
from fastws.learning import learn
from fastws.simulation import Simulation, load_runs
from machines import parameter_bits

NOTHING = "Interrupted; nothing was under way that could be saved.\n"
DONE = "Interrupted; everything had been done by then.\n"
TRAIN = ("train", "--data", "x.npy", "--layers", "9,4", "--sweeps", 300)

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
learning = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")


@pytest.fixture(autouse=True)
def some_files(run):
    np.save("x.npy", fastws.Bars(3).sample(40))
    fastws.Machine([9, 2]).save("m.npz")


def press(*_, **__):
    signal.raise_signal(signal.SIGINT)


def pressing(function, after=False, at=1):
    """Return the function, with Ctrl-C pressed before or after its n-th call."""
    calls = []

    def call(*arguments, **options):
        calls.append(None)
        if not after and len(calls) == at:
            press()
        result = function(*arguments, **options)
        if after and len(calls) == at:
            press()
        return result

    return call


def assert_saved(code, err, folder):
    assert code == session.INTERRUPTED
    err = err.strip()
    assert err.startswith("Interrupted; the state is saved.")
    assert err.endswith(f" To go on:\n  fastws resume {folder}{os.sep}run.npz")


def assert_resumes(run, folder, words):
    """Check that resuming gives what the command would have given."""
    code, _, err = run("resume", f"{folder}/run.npz", "--json")
    assert code == 0, err
    assert not Path(folder, "run.npz").exists()
    assert run(*words, "--out", "alone")[0] == 0
    machines = [fastws.Machine.load(f"{one}/machine.npz") for one in (folder, "alone")]
    np.testing.assert_array_equal(*map(parameter_bits, machines))


# With nothing to save.


def test_before_the_command_begins(run, monkeypatch):
    def starting():
        press()
        return nullcontext()

    monkeypatch.setattr("fastws.cli.commands.saying_own_warnings", starting)
    assert run("show", "m.npz") == (session.INTERRUPTED, "", NOTHING)


def test_within_a_command(run, monkeypatch):
    monkeypatch.setattr("fastws.machine.Machine.load", press)
    assert run("show", "m.npz") == (session.INTERRUPTED, "", NOTHING)


def test_made_another_error_of(run, monkeypatch):
    """C extensions that are interrupted as they are imported raise an ImportError."""

    def load(path):
        try:
            press()
        except KeyboardInterrupt:
            raise ImportError("numpy._core.multiarray failed to import") from None

    monkeypatch.setattr("fastws.machine.Machine.load", load)
    assert run("show", "m.npz") == (session.INTERRUPTED, "", NOTHING)


def test_swallowed(run, monkeypatch):
    """What is raised in a destructor goes nowhere."""
    load = fastws.Machine.load

    def swallowing(path):
        try:
            press()
        except KeyboardInterrupt:
            return load(path)

    monkeypatch.setattr("fastws.machine.Machine.load", swallowing)
    code, out, err = run("evaluate", "m.npz", "x.npy")
    assert (code, err) == (session.INTERRUPTED, DONE)
    assert "free energy" in out


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("show", "--help")], ids=" ".join)
def test_while_something_is_printed(run, monkeypatch, words):
    monkeypatch.setattr("fastws.cli.commands.app", pressing(sys.modules["fastws.cli.commands"].app))
    code, out, err = run(*words)
    assert (code, err) == (session.INTERRUPTED, DONE)
    assert out


def test_a_users_mistake_keeps_its_exit_code(run):
    assert run("show", "nowhere.npz")[0] == 2


@pytest.mark.parametrize("words", [("--version",), ("show", "nowhere.npz")], ids=" ".join)
def test_ctrl_c_is_afterwards_what_it_was(run, words):
    before = signal.getsignal(signal.SIGINT)
    run(*words)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        press()


# With something to save.


@learning
@pytest.mark.parametrize("name", ["compile", "advance"])
def test_before_the_first_example(run, monkeypatch, name):
    with monkeypatch.context() as patched:
        patched.setattr(Simulation, name, pressing(getattr(Simulation, name)))
        code, _, err = run(*TRAIN, "--out", "a")
    assert_saved(code, err, "a")
    [simulation], _ = load_runs("a/run.npz")
    assert simulation.examples_seen < simulation.total_examples or name == "advance"
    assert_resumes(run, "a", TRAIN)


@learning
def test_between_examples(run, monkeypatch):
    """The signal comes while a thread learns, which then learns on until somebody looks."""
    with monkeypatch.context() as patched:
        patched.setattr("fastws.together.learn", pressing(learn, at=3))
        code, _, err = run(*TRAIN, "--out", "a")
    assert_saved(code, err, "a")
    assert_resumes(run, "a", TRAIN)


@pytest.mark.long
@learning
@pytest.mark.parametrize(
    "place", ["fastws.estimate.free_energy_bits", "fastws.cli.session.write_json", "fastws.cli.train.report"]
)
@pytest.mark.parametrize("after", [False, True])
def test_in_the_last_moments(run, monkeypatch, place, after):
    module, name = place.rsplit(".", 1)
    with monkeypatch.context() as patched:
        patched.setattr(place, pressing(getattr(sys.modules[module], name), after))
        code, _, err = run(*TRAIN, "--out", "a")
    assert_saved(code, err, "a")
    assert_resumes(run, "a", TRAIN)


@learning
@pytest.mark.parametrize("times", [1, 2])
def test_again_while_the_state_is_saved(run, monkeypatch, times):
    save = fastws.simulation.save_runs
    with monkeypatch.context() as patched:
        patched.setattr(Simulation, "compile", press)
        patched.setattr("fastws.simulation.save_runs", pressing(pressing(save, after=times == 2)))
        code, _, err = run(*TRAIN, "--out", "a")
    assert_saved(code, err, "a")
    assert "The second Ctrl-C waited for that." in err
    assert_resumes(run, "a", TRAIN)


@learning
def test_a_state_that_cannot_be_saved_is_said_to_be_lost(run, monkeypatch):
    def save(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Simulation, "compile", press)
    monkeypatch.setattr("fastws.simulation.save_runs", save)
    code, _, err = run(*TRAIN, "--out", "a")
    assert (code, err) == (
        2,
        "Error: interrupted, and the state cannot be saved in a/run.npz: No space left on device.\n".replace(
            "/", os.sep
        ),
    )


@learning
def test_while_the_best_of_several_is_chosen(run, monkeypatch):
    from fastws.experiments.bars import Contest

    words = ("bars", "--examples", 3000, "--restarts", 2, "--seeds", 2)
    choose = Contest.choose
    with monkeypatch.context() as patched:
        patched.setattr("fastws.experiments.bars.lowest_free_energy", pressing(fastws.restarts.lowest_free_energy))
        patched.setattr(Contest, "choose", lambda contest: choose(contest))
        code, _, err = run(*words, "--out", "a")
    assert_saved(code, err, "a")
    _, notes = load_runs("a/run.npz")
    assert [given_up for *_, given_up in notes["contests"]] == [600, 600]
    assert_resumes(run, "a", words)


@learning
def test_as_the_last_file_of_a_state_goes(run, monkeypatch):
    unlink = Path.unlink
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", pressing(unlink, at=1))
        code, out, err = run(*TRAIN, "--out", "a")
    assert (code, err.strip()) == (session.INTERRUPTED, DONE.strip())
    assert re.search(r"a/: machine\.npz, .*result\.json", " ".join(out.split()))


# A sweep.


@learning
@pytest.mark.parametrize("engine", ["lanes", "threads"])
def test_a_sweep_keeps_what_is_done_also_if_pressed_again(run, monkeypatch, engine):
    from fastws.sweep.table import Rows

    words = ("sweep", "bars", "--vary", "examples=200", "--seeds", 12, "--engine", engine, "--out", "t.csv")
    with monkeypatch.context() as patched:
        patched.setattr(Rows, "add", pressing(Rows.add, after=True))
        patched.setattr(Rows, "write", pressing(Rows.write, at=2))
        code, out, err = run(*words)
    assert (code, out) == (session.INTERRUPTED, "")
    assert err.endswith("Interrupted; the runs that were done are in t.csv. To go on, give the same command again.\n")
    assert len(sweep.read("t.csv")) >= 1
    assert run(*words)[0] == 0
    assert len(sweep.read("t.csv")) == 12


# The flag.


@pytest.fixture
def listening():
    before = interrupts.listen()
    yield
    interrupts.stop_listening(before)


def test_what_is_held_is_raised_afterwards(listening):
    reached = []

    def press_and_go_on():
        with interrupts.raised(), interrupts.held():
            press()
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        press_and_go_on()
    assert reached
    assert not interrupts.answered()


def test_what_is_held_can_be_asked_for(listening):
    with interrupts.raised(), interrupts.held():
        interrupts.check()
        press()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()
        interrupts.check()


def test_an_answer_is_given_once(listening):
    press()
    assert interrupts.answered()
    assert not interrupts.answered()


# A process of its own.


def process_of(code, *words):
    """Run a command after some code of Python, in which `press` is defined, and before what it appends to `last`."""
    program = (
        "import atexit, os, signal, sys\n"
        "def press(*_): os.kill(os.getpid(), signal.SIGINT)\n"
        f"sys.argv = {['fastws', *words]!r}\n"
        f"{code}\n"
        "from fastws.cli import main\n"
        "main()\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)


AT_IMPORT = """
class Finder:
    def find_spec(self, name, *_):
        if name == {name!r}:
            sys.meta_path.remove(self)
            press()
sys.meta_path.insert(0, Finder())
"""


@posix
@pytest.mark.parametrize("name", ["typer", "fastws.cli.commands", "numpy", "fastws.machine", "fastws.plotting"])
def test_while_something_is_imported(name):
    process = process_of(AT_IMPORT.format(name=name), "show", "m.npz")
    assert (process.returncode, process.stdout, process.stderr) == (session.INTERRUPTED, "", NOTHING)


@pytest.mark.long
@posix
@pytest.mark.parametrize(
    "code",
    [
        "atexit.register(press)",
        "import threading; threading._register_atexit(press)",
        "class Last:\n    __del__ = press\nsys.last = Last()",
    ],
    ids=["at exit", "as threads end", "as Python takes itself apart"],
)
@pytest.mark.parametrize(("words", "code_of_exit"), [(["--version"], 0), (["show", "nowhere.npz"], 2)])
def test_after_everything(code, words, code_of_exit):
    process = process_of(code, *words)
    assert process.returncode == code_of_exit
    assert "Traceback" not in process.stderr
    assert "KeyboardInterrupt" not in process.stderr


@pytest.mark.long
@posix
@learning
def test_worker_processes_are_left_alone():
    """Ctrl-C as soon as the first row is there: the process waits for no time to pass."""
    code = (
        "from fastws.sweep.table import Rows\n"
        "add = Rows.add\n"
        "def adding(*arguments): add(*arguments); press()\n"
        "Rows.add = adding\n"
        "if __name__ != '__main__': raise SystemExit\n"
    )
    words = "sweep bars --vary examples=300 --seeds 40 --engine processes --workers 2 --out t.csv".split()
    process = process_of(code, *words)
    assert (process.returncode, process.stdout) == (session.INTERRUPTED, "")
    assert "Traceback" not in process.stderr
    assert 1 <= len(sweep.read("t.csv")) < 40
