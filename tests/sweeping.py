"""A small experiment for the tests of sweeps, importable in any process, that tells how often it ran and can fail."""

import os
import signal
from pathlib import Path

import pandas as pd

from fastws import Bars, Machine, Simulation
from waiting import wait_until

DEFAULTS = {"examples": 20, "rate": 0.1, "word": "none", "bias": None, "positive": True}


def same(a, b):
    """Compare two tables but for the time taken: exact measures as far as is promised, and all else to the bit."""
    assert list(a.columns) == list(b.columns)
    measures = [name for name in a.columns if name.endswith("_bits")]
    others = [name for name in a.columns if name not in (*measures, "seconds")]
    pd.testing.assert_frame_equal(a[others], b[others], check_exact=True)
    pd.testing.assert_frame_equal(a[measures], b[measures], rtol=1e-12, atol=1e-11)


class BrokenBars(Bars):
    """Bars that odd seeds cannot learn from."""

    def learn(self, machine, seed, *arguments):
        if seed % 2:
            raise RuntimeError("odd seeds\nbreak")
        super().learn(machine, seed, *arguments)

    def learn_together(self, *arguments):
        raise RuntimeError("they break together")


class Tiny:
    """Bars of 2 x 2 pixels.

    Its `log` gains a line a run that is measured: seed and process. `fails` says where odd seeds go wrong. A process
    that has measured `closed_after` runs waits with the next until somebody touches the `gate`.
    """

    name = "tiny"
    defaults = DEFAULTS
    types = {"bias": float}  # noqa: RUF012
    measure_names = ("weight", "seen")

    def __init__(self, log, fails="nowhere", closed_after=None):
        self.log, self.fails, self.closed_after = Path(log), fails, closed_after
        self.gate = self.log.with_name(self.log.name + "-gate")

    def simulation(self, settings, seed):
        if settings["word"] == "impossible" or (self.fails == "beginning" and seed % 2):
            raise ValueError("it cannot begin.")
        machine = Machine([4, 3, 1])
        machine.gen_biases[1][:] = -1.0 if settings["bias"] is None else settings["bias"]
        stream = BrokenBars(2) if self.fails == "learning" else Bars(2)
        return Simulation(machine, stream, [(settings["examples"], settings["rate"])], settings["positive"], seed)

    def measures(self, simulation):
        if self.closed_after is not None and len(self.ran_in(os.getpid())) >= self.closed_after:
            wait_until(self.gate.exists)
        if self.fails == "measuring" and simulation.seed % 2:
            raise KeyError("no such measure")
        if self.fails == "process" and simulation.seed % 2:
            os.kill(os.getpid(), signal.SIGKILL)
        with self.log.open("a") as file:
            file.write(f"{simulation.seed} {os.getpid()}\n")
        return {"weight": simulation.machine.gen_weights[0].sum(), "seen": simulation.examples_seen}

    def ran(self):
        """Return the seeds that were measured, in order."""
        return sorted(int(line.split()[0]) for line in self._lines())

    def processes(self):
        """Return the processes that measured."""
        return {int(line.split()[1]) for line in self._lines()}

    def ran_in(self, process):
        """Return the seeds that a process measured, in order."""
        return [int(seed) for seed, where in map(str.split, self._lines()) if int(where) == process]

    def _lines(self):
        return self.log.read_text().splitlines() if self.log.exists() else []
