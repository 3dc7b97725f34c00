"""Each script of the gallery and each tutorial asserts its own claims; here they are run, and kept short."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from chance import INTERPRETED

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(ROOT.glob("examples/plot_*.py"))
TUTORIALS = sorted(ROOT.glob("docs/tutorials/*.py"))
BY_NAME = {"argvalues": [*EXAMPLES, *TUTORIALS], "ids": lambda path: path.stem}


def test_there_are_examples():
    assert EXAMPLES
    assert TUTORIALS


@pytest.mark.long  # the documentation runs them, too
@pytest.mark.skipif(INTERPRETED, reason="millions of examples take hours interpreted")
@pytest.mark.parametrize("path", **BY_NAME)
def test_an_example_runs_and_shows_a_picture(path, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    try:
        runpy.run_path(str(path))
    finally:
        plt.close("all")
    if path in EXAMPLES:
        assert len(shown) == 1
        assert len(shown[0]) == 1


@pytest.mark.parametrize("path", **BY_NAME)
def test_an_example_is_short_and_asserts(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < (100 if path in EXAMPLES else 200)
    assert any(line.lstrip().startswith(("assert ", "np.testing.assert_")) for line in lines)
