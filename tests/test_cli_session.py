import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fastws.cli import session
from fastws.cli.bars import _get_ready_to_draw
from fastws.experiments.bars import new_run
from waiting import LONGEST

SIMULATIONS = [SimpleNamespace(examples_seen=1, total_examples=2)]


def learn(task, meanwhile):
    session.learn(SIMULATIONS, [lambda check: task()], meanwhile=meanwhile)


def test_what_is_done_meanwhile_is_done_beside_the_tasks():
    begun, done = threading.Event(), threading.Event()

    def task():
        begun.set()
        assert done.wait(LONGEST), "the task ended before what was to be done meanwhile"

    def meanwhile():
        assert begun.wait(LONGEST), "what was to be done meanwhile ended before the task"
        done.set()

    learn(task, meanwhile)


def test_learning_returns_when_both_are_done():
    learned, ready = threading.Event(), []

    def meanwhile():
        learned.wait(LONGEST)
        ready.append(True)

    learn(learned.set, meanwhile)
    assert ready


def failing():
    raise ValueError("no pictures today")


@pytest.mark.parametrize(("task", "meanwhile"), [(lambda: None, failing), (failing, lambda: None)])
def test_an_error_on_either_side_is_raised_and_leaves_the_length_of_turns_as_it_was(task, meanwhile):
    before = sys.getswitchinterval()
    with pytest.raises(ValueError, match="no pictures today"):
        learn(task, meanwhile)
    assert sys.getswitchinterval() == before


def test_learning_returns_what_was_made_meanwhile():
    assert session.learn(SIMULATIONS, [lambda check: None], meanwhile=lambda: "a picture") == "a picture"


def test_a_simulation_soon_gets_its_turn():
    turns = []
    before = sys.getswitchinterval()
    learn(lambda: turns.append(sys.getswitchinterval()), lambda: None)
    assert turns[0] < before / 10
    assert sys.getswitchinterval() == before


def test_getting_ready_to_draw_leaves_a_run_as_it_is():
    run, untouched = new_run(n_examples=300), new_run(n_examples=300)
    drawn = _get_ready_to_draw(run)
    assert {suffix: len(content.getvalue()) > 0 for suffix, content in drawn.items()} == {".png": True, ".svg": True}
    assert "fastws.plotting" in sys.modules
    assert run.simulation.examples_seen == 0
    for one in (run, untouched):
        one.simulation.advance()
    for found, expected in zip(
        run.simulation.machine.arrays().values(), untouched.simulation.machine.arrays().values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_a_narrow_terminal_loses_no_digit(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "24")
    session.print_table("Divergence", ["", "here"], [["a free energy of", "12.345678901234"]])
    out = capsys.readouterr().out
    assert "…" not in out
    assert "".join(character for character in out if character in "0123456789.") == "12.345678901234"


@pytest.mark.parametrize("words", [("evaluate", "m.npz", "x.npy"), ("fantasies", "m.npz"), ("show", "m.npz")])
def test_ctrl_c_without_anything_to_save_says_so(run, monkeypatch, words):
    def press_ctrl_c(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastws.machine.Machine.load", press_ctrl_c)
    np.save("x.npy", np.zeros((2, 3), np.uint8))
    Path("m.npz").touch()
    code, out, err = run(*words)
    assert (code, out) == (session.INTERRUPTED, "")
    assert err == "Interrupted; nothing was under way that could be saved.\n"
