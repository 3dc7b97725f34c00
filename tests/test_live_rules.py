"""Rules of one's own in the page's worlds: those of the library give its bits, and a file that is wrong a sentence."""

import numpy as np
import pytest

from fastws.live import Session
from fastws.live.rules import read_rules
from machines import parameter_bits
from test_live_session import SMALL, ask, refusal

LIBRARY = """
import fastws

def wake_rule(machine, states, rates):
    fastws.wake_update(machine, states, rates)

def sleep_rule(machine, states, rates):
    fastws.sleep_update(machine, states, rates)
"""
OWN = """
def wake_rule(machine, states, rates):
    machine.gen_biases[0] += 0.5
"""


@pytest.fixture
def session_of(tmp_path):
    def make(text):
        path = tmp_path / "my_rule.py"
        path.write_text(text, encoding="utf-8")
        session = Session(str(path))
        ask(session, "reset", settings=SMALL, seed=3)
        return session

    return make


@pytest.mark.parametrize(
    "phases", ["both", *(pytest.param(phase, marks=pytest.mark.long) for phase in ("wake", "sleep"))]
)
def test_the_rules_of_the_library_give_its_bits(session_of, phases):
    plain = Session()
    ask(plain, "reset", settings=SMALL, seed=3)
    ruled = session_of(LIBRARY)
    for session in (plain, ruled):
        ask(session, "advance", n=12, phases=phases)
    np.testing.assert_array_equal(
        parameter_bits(ruled.world("main").machine), parameter_bits(plain.world("main").machine)
    )
    _, expected = ask(plain, "step")
    _, found = ask(ruled, "step")
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    for session in (plain, ruled):
        ask(session, "at", n=5)
    np.testing.assert_array_equal(
        parameter_bits(ruled.world("main").machine), parameter_bits(plain.world("main").machine)
    )


def test_a_rule_of_ones_own_learns(session_of):
    session = session_of(OWN)
    assert ask(session, "hello")[0]["rule"] == "my_rule.py"
    ask(session, "advance", n=4)
    machine = session.world("main").machine
    np.testing.assert_array_equal(machine.gen_biases[0], 2)
    assert not machine.gen_weights[0].any()  # Eq 4 has no part in it
    assert machine.rec_biases[0].any()  # asleep it is Eq 7
    space = {}
    exec(ask(session, "python")[0]["text"], space)
    np.testing.assert_array_equal(parameter_bits(space["run"].machine), parameter_bits(machine))


def test_a_reset_reads_the_file_again(session_of, tmp_path):
    session = session_of(OWN)
    (tmp_path / "my_rule.py").write_text(OWN.replace("0.5", "0.25"), encoding="utf-8")
    ask(session, "reset", settings=SMALL)
    ask(session, "advance", n=4)
    np.testing.assert_array_equal(session.world("main").machine.gen_biases[0], 1)
    (tmp_path / "my_rule.py").write_text("def wake_rule(", encoding="utf-8")
    assert "my_rule.py, line 1, is no Python" in refusal(session, {"op": "reset"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = 1\ndef wake_rule(:\n", "line 2, is no Python"),
        ("1 / 0", "does not run: it ends with ZeroDivisionError"),
        ("import sys; sys.exit(3)", "does not run: it ends with SystemExit"),
        ("wake_rule = 3", "has no rule"),
    ],
)
def test_a_file_that_is_wrong_is_a_sentence(run, tmp_path, text, sentence):
    path = tmp_path / "rule.py"
    path.write_text(text, encoding="utf-8")
    code, output, complaints = run("live", "--no-browser", "--rule", path)
    assert (code, output) == (2, "")
    assert sentence in complaints
    assert "rule.py" in complaints
    assert "Traceback" not in complaints


def test_a_file_that_is_not_there_is_a_sentence(run):
    code, _, complaints = run("live", "--no-browser", "--rule", "none.py")
    assert code == 2
    assert "none.py" in complaints


@pytest.mark.parametrize("body", ["raise KeyError('x')", "machine.gen_biases[0][0] = float('nan')"])
def test_a_rule_that_fails_is_a_sentence(session_of, body):
    session = session_of(f"def wake_rule(machine, states, rates):\n    {body}\n")
    assert refusal(session, {"op": "advance", "n": 1})
    ask(session, "reset", settings=SMALL)


def test_a_file_may_have_either_rule(tmp_path):
    path = tmp_path / "rule.py"
    path.write_text("def sleep_rule(machine, states, rates): pass", encoding="utf-8")
    rules = read_rules(path)
    assert rules.wake is None
    assert callable(rules.sleep)
