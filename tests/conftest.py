"""What has to be settled before any test module is imported: processes, Numba's cache, surroundings, Hypothesis."""

import gc
import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest

caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("NUMBA_CACHE_DIR", str(caches / "fastws-tests"))
# Threads of BLAS on cores that are busy with other tests spin more than they compute. NumPy is not imported yet.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# A shell lets its background jobs ignore Ctrl-C, and they their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# A user's terminal and backend: a test of what holds for others sets them itself.
os.environ["MPLBACKEND"], os.environ["COLUMNS"] = "Agg", "100"
for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)

# The first example compiles and machines are loaded, so nothing is timed; everybody gets the same examples.
hypothesis.settings.register_profile(
    "fastws",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=25,
    derandomize=True,
)
hypothesis.settings.load_profile("fastws")
# Each process compiles some of the kernels by itself: more processes than this gain nothing.
MOST_PROCESSES = 8


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite on all cores, and what was asked for by name in one process, where it can be debugged."""
    chosen, whole = config.option, config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if not whole or chosen.usepdb or hasattr(config, "workerinput") or getattr(chosen, "numprocesses", 0) is not None:
        return  # for the last reason if pytest-xdist is missing, too
    from fastws.threads import available_cores

    chosen.numprocesses = min(available_cores(), MOST_PROCESSES)
    chosen.dist = "worksteal"


def pytest_configure(config: pytest.Config) -> None:
    import matplotlib

    matplotlib.rcdefaults()  # whatever a user has set
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        # Interpreted, the generator's arithmetic modulo 2**64 warns each time that it wraps around.
        config.addinivalue_line("filterwarnings", "ignore:overflow encountered:RuntimeWarning")


def pytest_collection_finish() -> None:
    """Leave alone what is there to stay: to look through it for garbage, again and again, took a fifth of the time."""
    gc.collect()
    gc.freeze()


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
