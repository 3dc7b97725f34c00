"""What has to be settled before any test module is imported: Numba's cache, Matplotlib's backend, Hypothesis."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("NUMBA_CACHE_DIR", str(caches / "fastws-tests"))
os.environ.setdefault("MPLBACKEND", "Agg")

# The first example compiles, so no deadline; CI draws the same examples every time.
hypothesis.settings.register_profile("fastws", deadline=None, max_examples=50, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("fastws")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        # Interpreted, the generator's arithmetic modulo 2**64 warns each time that it wraps around.
        config.addinivalue_line("filterwarnings", "ignore:overflow encountered:RuntimeWarning")


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that runs a command in an empty folder and returns exit code, output and complaints."""
    from fastws import cli

    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["fastws", *map(str, words)])
        with pytest.raises(SystemExit) as ending:
            cli.main()
        captured = capsys.readouterr()
        return ending.value.code or 0, captured.out, captured.err

    return call
