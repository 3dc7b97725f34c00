"""Every public function and class has an example in its docstring, which is true."""

import doctest
import inspect
import warnings

import matplotlib.pyplot as plt
import pytest

from chance import INTERPRETED
from reference_page import listed, resolved

NAMES = [name for name in listed() if inspect.isclass(resolved(name)) or inspect.isfunction(resolved(name))]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def example_of(name):
    return doctest.DocTestParser().get_doctest(inspect.getdoc(resolved(name)) or "", {}, name, None, None)


def failures(example):
    """Return what running an example says of those of its lines that print something else."""
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_public_has_a_short_example(name):
    lines = example_of(name).examples
    assert 1 < len(lines) <= 8
    assert all(len(line.source.splitlines()) <= 8 for line in lines)


@pytest.mark.skipif(INTERPRETED, reason="the same lines, slowly")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_prints_what_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        with warnings.catch_warnings():
            assert failures(example_of(name)) == ""
    finally:
        plt.close("all")


def test_a_wrong_example_is_seen():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3", {}, "wrong", None, None)
    assert "Expected:\n    3\nGot:\n    2" in failures(wrong)
