"""How long one waits for fastws to start, each time in a fresh process, and where the time goes."""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import fastws
from bench import stages
from bench.host import on_the_clock
from bench.race import Say

ROOT = Path(fastws.__file__).parents[1]
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import numba": ["-c", "import numba"],
    "import fastws": ["-c", "import fastws"],
    "import fastws; fastws.Simulation": ["-c", "import fastws; fastws.Simulation"],
    "fastws --help": ["-m", "fastws", "--help"],
}
COLD, WARM = "fastws bars, cold cache, to pictures", "fastws bars, warm, to pictures"


def measure(n_rounds: int, quick: bool, rows: dict[str, Any], say: Say) -> None:
    """Fill in seconds, to be read at any time."""
    rows |= {name: {"unit": "s", "values": []} for name in (*COMMANDS, COLD, WARM)}
    for number in range(n_rounds):
        for name, words in COMMANDS.items():
            say(f"start-up: round {number + 1} of {n_rounds}, {name}")
            rows[name]["values"].append(_seconds(words))
        # Compiled code is found again by the second run.
        with tempfile.TemporaryDirectory() as folder:
            for name in (COLD, WARM):
                say(f"start-up: round {number + 1} of {n_rounds}, {name}")
                words = ["-m", "fastws", "bars", "--out", f"{folder}/bars", *(["--examples", "1000"] if quick else [])]
                rows[name]["values"].append(_seconds(words, NUMBA_CACHE_DIR=f"{folder}/cache"))
            say(f"start-up: round {number + 1} of {n_rounds}, where the time goes")
            for part, seconds in stages.measure(words[2:], _environment(NUMBA_CACHE_DIR=f"{folder}/cache")).items():
                row = rows.setdefault(f"of the processor's time, warm: {part}", {"unit": "s", "values": []})
                row["values"].append(seconds)


def _environment(**settings: str) -> dict[str, str]:
    """Return an environment in which Python finds the fastws that is measured here."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **settings}


def _seconds(words: list[str], **settings: str) -> float:
    """Return how long Python takes to run and to end."""
    command = [sys.executable, *words]
    run = partial(subprocess.run, command, env=_environment(**settings), capture_output=True, text=True)
    seconds, process = on_the_clock(run)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {process.stderr}")
    return seconds
