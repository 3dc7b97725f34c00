"""Two threads beside one, on a sweep of bars runs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench import works
from bench.host import on_the_clock
from bench.race import Say
from bench.rivals import MACHINES_TOGETHER
from fastws import simulation
from fastws.threads import available_cores, side_by_side

GROUPS = 4
EXAMPLES, QUICK_EXAMPLES = 200_000, 10_000


def measure(n_rounds: int, quick: bool, rows: dict[str, Any], say: Say) -> None:
    """Fill in seconds and speed-ups, to be read at any time."""
    if available_cores() < 2:
        say("threads: left out, there is one core only")
        return
    ways = {"one by one": _one_by_one}
    if hasattr(simulation, "advance_together"):
        ways[f"{MACHINES_TOGETHER} at once"] = simulation.advance_together
    work = works.bars()
    examples = QUICK_EXAMPLES if quick else EXAMPLES
    n_runs = GROUPS * MACHINES_TOGETHER
    for way, advance in ways.items():
        name = f"sweep of {n_runs} bars runs, {way}"
        seconds = {1: {"unit": "s", "values": []}, 2: {"unit": "s", "values": []}}
        ratio = {"unit": "×", "values": []}
        rows |= {f"{name}: 1 thread": seconds[1], f"{name}: 2 threads": seconds[2], f"{name}: speed-up": ratio}
        side_by_side(_sweep(work, advance, 1), n_threads=1)
        for number in range(n_rounds):
            say(f"threads: {name}, round {number + 1} of {n_rounds}")
            for n, row in seconds.items():
                run = partial(side_by_side, _sweep(work, advance, examples), n)
                row["values"].append(on_the_clock(run)[0])
            ratio["values"].append(seconds[1]["values"][-1] / seconds[2]["values"][-1])


def _one_by_one(runs: list[simulation.Simulation]) -> None:
    for run in runs:
        run.advance()


def _sweep(work: works.Work, advance: Callable[..., object], examples: int) -> list[Callable[..., object]]:
    """Return the tasks of a sweep, one a group of machines."""

    def task(group: int) -> Callable[..., object]:
        seeds = range(group * MACHINES_TOGETHER, (group + 1) * MACHINES_TOGETHER)
        schedule = [(examples, work.rates)]
        runs = [simulation.Simulation(work.machine(), work.stream, schedule, work.nonnegative, s) for s in seeds]
        return lambda check: advance(runs)

    return [task(group) for group in range(GROUPS)]
