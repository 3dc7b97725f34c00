"""How a command starts and ends: what it compiles, what it says of its cache, and no search for garbage."""

import ast
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from numba import config

import fastws
from fastws.kernels import run as kernels
from fastws.kernels.caching import CacheWarning
from fastws.kernels.jit import SOURCES

COMPILED = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
PACKAGE = Path(fastws.__file__).parent
# It loads the kernels, and then complains.
REFUSED = ["bars", "--hidden", "20"]


def call(words, folder, **environment):
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)


def imported(path):
    """Return the modules of fastws that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    paths = {PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in names if name.startswith("fastws.")}
    return {path for path in paths if path.exists()}


def test_all_that_kernels_are_made_of_decides_about_the_cache():
    made_of, new = set(), {Path(kernels.__file__)}
    while new:
        made_of |= new
        new = {path for one in new for path in imported(one)} - made_of
    assert {path.name for path in made_of} >= {"run.py", "units.py", "lanes.py"}
    assert {*map(Path, SOURCES)} >= made_of
    assert {*map(Path, SOURCES)} == {*(PACKAGE / "kernels").glob("*.py")}


@pytest.mark.long
@COMPILED
def test_the_bars_compile_nothing_that_they_do_not_need(tmp_path):
    process = call(["-m", "fastws", "bars", "--examples", "100"], tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert process.returncode == 0, process.stderr
    found = {path.name.split(".")[1].split("-")[0].lstrip("_") for path in (tmp_path / "cache").rglob("*.nbi")}
    assert found >= {"run", "sample_bars", "sample_fantasies"}
    needless = ("wide", "active", "images", "together", "shuffle", "step", "update", "representations", "cost", "code")
    assert [name for name in sorted(found) if any(word in name for word in needless)] == []


@pytest.mark.long
@COMPILED
def test_a_read_only_installation_and_home_are_one_sentence_in_python_and_at_the_terminal(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site / "fastws", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "fastws" / "kernels" / "__pycache__").write_text("in the way")
    (tmp_path / "home").write_text("in the way")
    (tmp_path / "temporary").mkdir()
    home = str(tmp_path / "home")
    environment = {"NUMBA_CACHE_DIR": "", "PYTHONPATH": str(site), "TMPDIR": str(tmp_path / "temporary")}
    environment |= {"HOME": home, "XDG_CACHE_HOME": home, "LOCALAPPDATA": home}
    complaint = call(["-m", "fastws", *REFUSED], tmp_path, **environment).stderr.splitlines()
    assert len(complaint) == 2
    assert complaint[0].startswith(f"fastws cannot write into {site}")
    assert str(tmp_path / "temporary") in complaint[0]
    assert complaint[1].startswith("Error: ")
    process = call(["-c", "import fastws; fastws.Bars(); fastws.Simulation"], tmp_path, **environment)
    assert process.returncode == 0
    assert process.stderr.count("CacheWarning: fastws cannot write into") == 1


def test_a_warning_of_fastws_is_said_and_others_are_left_to_python(run, monkeypatch):
    def load(path):
        warnings.warn("there is a draught", CacheWarning, stacklevel=1)
        warnings.warn("the ice is thin", RuntimeWarning, stacklevel=1)
        raise ValueError("too cold")

    monkeypatch.setattr("fastws.machine.Machine.load", load)
    shown = warnings.showwarning
    with pytest.warns(RuntimeWarning, match="the ice is thin"):
        code, _, err = run("show", "machine.npz")
    assert (code, err) == (2, "there is a draught\nError: too cold\n")
    assert warnings.showwarning is shown


def test_python_does_not_look_for_garbage_where_there_is_none(tmp_path):
    code = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.get_stats()[2]['collections'], gc.get_freeze_count() > 1000))\n"
        f"sys.argv = ['fastws', *{REFUSED}]\n"
        "from fastws.cli import main\n"
        "before = gc.get_stats()[2]['collections']\n"
        "atexit.register(lambda: print(before))\n"
        "main()"
    )
    before, after = call(["-c", code], tmp_path).stdout.splitlines()
    assert after == f"{before} True"
