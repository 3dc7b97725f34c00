"""What a user's script is told by a type checker, and whether what it may write works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastws
import typed_user
from chance import INTERPRETED

# A type checker does not see where an editable installation leads.
ENVIRONMENT = {**os.environ, "MYPYPATH": str(Path(fastws.__file__).parents[1])}


@pytest.mark.long
def test_a_users_script_passes_mypy_strict(tmp_path):
    # Away from the settings that the package itself is checked with.
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        str(tmp_path / "cache"),
        typed_user.__file__,
    ]
    process = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("fastws.Machin([2, 1])", 'no attribute "Machin"'),
        ("fastws.Simulation(fastws.Machine([16, 1]), fastws.Bars(), 3)", 'incompatible type "int"'),
        ("fastws.Bars(2).sample('3')", 'incompatible type "str"'),
        ("fastws.sweep.run(object(), {}, 1)", 'expected "Experiment"'),
    ],
)
@pytest.mark.long
def test_what_is_wrong_is_still_found(tmp_path, line, complaint):
    script = tmp_path / "script.py"
    script.write_text(f"import fastws\n{line}\n")
    cache = Path(tmp_path.parent, "mypy-cache")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        str(cache),
        str(script),
    ]
    process = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert process.returncode == 1
    assert complaint in process.stdout


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="thousands of examples")
def test_a_users_script_runs(tmp_path):
    typed_user.main(tmp_path)
