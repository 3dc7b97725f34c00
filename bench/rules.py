"""What learning by rules of one's own costs: the delta rule, given as one, beside the built-in one on the bars."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit

import fastws
from bench.host import on_one_core
from bench.race import Say
from bench.works import bars
from fastws.rules import connection_rule

EXAMPLES = 500_000
EXAMPLES_IN_PYTHON = 2_000


def given(weights: Any, biases: Any, driving: Any, driven: Any, rate: Any, probabilities: Any) -> None:
    for v in range(len(driven)):
        delta = rate * (driven[v] - probabilities[v])
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


def own(weights: Any, biases: Any, driving: Any, driven: Any, rate: Any) -> None:
    for v in range(len(driven)):
        a = biases[v]
        for u in range(len(driving)):
            if driving[u] == 1:
                a += weights[u, v]
        delta = rate * (driven[v] - np.float32(1) / (np.float32(1) + np.exp(-a)))
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


def measure(n_rounds: int, quick: bool, rows: dict[str, Any], say: Say) -> None:
    """Fill in the processor's time an example, as a multiple of the built-in rules', to be read at any time."""
    contestants = {
        "wake_update and sleep_update, as rules in Python": (fastws.wake_update, fastws.sleep_update),
        "compiled, given the probabilities": _both(njit(given)),
        "compiled": _both(njit(error_model="numpy")(own)),
    }
    built_in = _run(None, None)
    built_in.compile()
    for name, rules in contestants.items():
        say(f"rules: compiling, {name}")
        run = _run(*rules)
        first, _ = on_one_core(run.compile)
        if "compiled" in name:
            rows[f"rules, {name}: compiling"] = {"unit": "s", "values": [first]}
        row = rows[f"rules, {name}: time an example / built-in"] = {"unit": "", "values": []}
        n = (EXAMPLES if "compiled" in name else EXAMPLES_IN_PYTHON) // (10 if quick else 1)
        for number in range(n_rounds):
            say(f"rules: {name}, round {number + 1} of {n_rounds}")
            theirs, ours = _an_example(run, n), _an_example(built_in, EXAMPLES)
            row["values"].append(theirs / ours)


def _both(kernel: Callable[..., object]) -> tuple[Any, Any]:
    return connection_rule(kernel, "wake"), connection_rule(kernel, "sleep")


def _run(wake: Any, sleep: Any) -> fastws.Simulation:
    work = bars()
    return fastws.Simulation(work.machine(), work.stream, [(10**9, work.rates)], work.nonnegative, 0, wake, sleep)


def _an_example(run: fastws.Simulation, n: int) -> float:
    seconds, _ = on_one_core(partial(run.advance, n))
    return seconds / n
