"""What has to be settled before any test module is imported: Numba's cache, Matplotlib's backend, Hypothesis."""

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest


def numba_cache() -> Path:
    """Return a folder that belongs to this state of the compiled code.

    Numba takes a cached function for current as long as the function's own file is, whatever has become of the files
    that it calls into or of the switches that change what is compiled.
    """
    state = hashlib.sha256()
    for folder in find_spec("fastws").submodule_search_locations:
        for source in sorted(Path(folder).rglob("*.py")):
            content = source.read_bytes()
            if b"numba" in content:
                state.update(content)
    for switch in ("NUMBA_BOUNDSCHECK", "NUMBA_DISABLE_JIT"):
        state.update(f"{switch}={os.environ.get(switch)}".encode())
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "fastws-tests" / state.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache()))
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
