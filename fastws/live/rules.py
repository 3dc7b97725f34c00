"""Update rules of one's own in the page's worlds: ``fastws live --rule FILE``."""

import os
import runpy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.types import Rule
from fastws.learning import learn_one, least_input_weight
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.steps import sleep_update, wake_update
from fastws.streams import Bars, OnePhase
from fastws.whole import Step, whole_step

UpdateRule = Callable[[Machine, list[NDArray[np.uint8]], tuple[float, ...]], object]


class Rules(NamedTuple):
    """The rules of a file, in place of Eqs 4 and 7; None where it has none.

    They are what `fastws.testing.check_update_rule` checks: ``rule(machine, states, rates)`` changes the machine.
    """

    path: str
    wake: UpdateRule | None
    sleep: UpdateRule | None


def read_rules(path: str | os.PathLike[str]) -> Rules:
    """Return the functions `wake_rule` and `sleep_rule` of a Python file, or the one of them that it has.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no Python, does not run, or has neither.
    """
    name = os.fspath(path)
    try:
        found = runpy.run_path(name)
    except SyntaxError as error:
        raise ValueError(f"{name}, line {error.lineno}, is no Python: {error.msg}.") from error
    except OSError:
        raise
    except (Exception, SystemExit) as error:
        raise ValueError(f"{name} does not run: it ends with {type(error).__name__}, {error}.") from error
    rules = found.get("wake_rule"), found.get("sleep_rule")
    if not any(map(callable, rules)):
        raise ValueError(f"{name} has no rule; give it a function wake_rule(machine, states, rates), or a sleep_rule.")
    return Rules(os.path.abspath(name), *rules)


class RuledBars:
    """Bars images from which a machine learns by rules of one's own, with the draws of a run that does not.

    Parameters
    ----------
    bars : Bars
    rules : Rules
    phases : {"both", "wake", "sleep"}
    """

    def __init__(self, bars: Bars, rules: Rules, phases: str = "both") -> None:
        self.bars, self.rules, self.phases = bars, rules, phases

    @property
    def n_inputs(self) -> int:
        """Units of the input layer that the examples fit."""
        return self.bars.n_inputs

    def learn(
        self,
        machine: Machine,
        seed: int,
        n_examples: int,
        seen: NDArray[np.uint64],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, which is kept in step."""
        for _ in range(n_examples):
            self.learn_one(machine, seed, seen, rates, floor)

    def learn_one(
        self, machine: Machine, seed: int, seen: NDArray[np.uint64], rates: NDArray[np.float32], floor: np.float32
    ) -> Step:
        """Let a machine learn from the next example; return what was drawn in either phase."""
        example = seen[0]
        plain, nonnegative = tuple(rates.tolist()), bool(floor == 0)
        awake = self._drawn(machine, seed, seen)
        if self.phases != "sleep":
            if self.rules.wake:
                self._apply(self.rules.wake, "wake_rule", machine, awake.wake_states, plain)
            else:
                wake_update(machine, awake.wake_states, plain, nonnegative)
            if nonnegative:
                machine.clip_input_weights()
        seen[0] = example
        asleep = self._drawn(machine, seed, seen)
        if self.phases != "wake":
            if self.rules.sleep:
                self._apply(self.rules.sleep, "sleep_rule", machine, asleep.sleep_states, plain)
            else:
                sleep_update(machine, asleep.sleep_states, plain)
        return awake._replace(
            sleep_states=asleep.sleep_states, recognition_probabilities=asleep.recognition_probabilities
        )

    def shown(self, run: Simulation, rates: list[float]) -> Step:
        """Return what the next example of a run draws, and what that is compared with; the run stays where it is."""
        seen = np.array([run.examples_seen], np.uint64)
        floor = least_input_weight(run.nonnegative_input_weights)
        return self.learn_one(run.machine.copy(), run.seed, seen, np.array(rates, np.float32), floor)

    def _drawn(self, machine: Machine, seed: int, seen: NDArray[np.uint64]) -> Step:
        """Return what an example draws from a machine that does not learn from it."""
        nothing = Rule(np.zeros(len(machine.layer_sizes), np.float32), least_input_weight(False))
        example = int(seen[0])
        record = learn_one(self.bars, machine, seed, seen, nothing)
        return whole_step(machine, machine, example, nothing.rates, record)

    def _apply(
        self, rule: UpdateRule, name: str, machine: Machine, states: list[NDArray[np.uint8]], rates: tuple[float, ...]
    ) -> None:
        try:
            rule(machine, [layer.copy() for layer in states], rates)
        except (Exception, SystemExit) as error:
            raise ValueError(f"{name} of {self.rules.path} ends with {type(error).__name__}: {error}.") from error
        machine.check_finite()


def stream_of(bars: Bars, rules: Rules | None, phases: str) -> Any:
    """Return where a world's examples come from, and what learns from them."""
    if rules is not None:
        return RuledBars(bars, rules, phases)
    return bars if phases == "both" else OnePhase(bars, phases)
