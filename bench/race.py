"""Contestants take turns at the same work."""

import itertools
import statistics
from collections.abc import Callable
from typing import Any

from bench import instructions
from bench.frameworks import CHUNK, stacks
from bench.host import on_one_core
from bench.rivals import BY_HAND, BY_HAND_TOGETHER, CONTESTANTS, FASTWS, PLAIN_C
from bench.skipped import Skipped
from bench.works import Work

# A contestant that would take too long learns from fewer examples: its cost an example hardly changes on the way.
LONGEST_SECONDS, QUICK_SECONDS = 6.0, 0.3
ESTIMATE_SECONDS = 0.02
SHARE_IF_LONGER = 1 / 5
Say = Callable[[str], object]


def race(work: Work, n_rounds: int, longest_seconds: float, entry: dict[str, Any], say: Say) -> None:
    """Fill the entry of a work with what each contestant takes and reaches; to be read at any time."""
    chosen = instructions.in_use()
    entry |= {
        "title": work.title,
        "instructions": chosen,
        "examples": work.examples,
        "measure": work.measure,
        "contestants": [],
    }
    running = []
    # Others are compiled for all that the processor has.
    everyone = chosen == next(iter(instructions.available()), None)
    for contestant in CONTESTANTS:
        if (contestant.n_machines > 1 and not work.many_machines) or not (everyone or contestant.follows):
            continue
        row: dict[str, Any] = {"name": contestant.name, "machines": contestant.n_machines}
        entry["contestants"].append(row)
        say(f"{work.title}: {contestant.name} warms up")
        try:
            prepare = contestant.find()
        except Skipped as reason:
            row["skipped"] = str(reason)
            continue
        examples = _affordable(prepare, work, longest_seconds)
        row |= {"examples": examples, "cut_short": examples < work.examples, "ns_an_example": [], "reached_bits": []}
        row["same_work"] = contestant.same_work
        running.append((contestant, prepare, row))
    try:
        for number in range(n_rounds):
            for contestant, prepare, row in running:
                say(f"{work.title}: round {number + 1} of {n_rounds}, {contestant.name}")
                seconds, reached = run_once(prepare, work, row["examples"], number)
                row["ns_an_example"].append(seconds / row["examples"] / contestant.n_machines * 1e9)
                if contestant.same_work:
                    row["reached_bits"].append(reached)
    finally:
        compare(entry["contestants"])


def run_once(prepare: Callable[..., Callable[[], Any]], work: Work, examples: int, seed: int) -> tuple[float, float]:
    """Return the seconds of a core that a run takes, and the bits that it reaches."""
    machine = work.machine()
    task = prepare(machine, work.stream, examples, work.rates, work.nonnegative, seed)
    seconds, learned = on_one_core(task)
    for own, result in zip(itertools.chain(*stacks(machine)), itertools.chain(*learned), strict=True):
        own[...] = result
    return seconds, work.reached(machine)


def _affordable(prepare: Callable[..., Callable[[], Any]], work: Work, longest_seconds: float) -> int:
    """Return how many examples to learn from, having compiled what there is to compile."""
    run_once(prepare, work, CHUNK, 0)
    examples = CHUNK
    while (seconds := run_once(prepare, work, examples, 0)[0]) < ESTIMATE_SECONDS and 10 * examples <= work.examples:
        examples *= 10
    if seconds / examples * work.examples <= longest_seconds:
        return work.examples
    return max(1, int(SHARE_IF_LONGER * longest_seconds / seconds * examples) // CHUNK) * CHUNK


def compare(rows: list[dict[str, Any]]) -> None:
    """Add to each row its median and, as medians over the rounds, its ratios to three others."""
    figures = {row["name"]: row["ns_an_example"] for row in rows if row.get("ns_an_example")}
    for row in rows:
        if row["name"] not in figures:
            continue
        row["median_ns"] = statistics.median(figures[row["name"]])
        by_hand = BY_HAND if row["machines"] == 1 else BY_HAND_TOGETHER
        for key, yardstick in (("to_plain_c", PLAIN_C), ("to_fastws", FASTWS), ("to_by_hand", by_hand)):
            if yardstick.name in figures:
                # Where a round was interrupted the later ones have a figure less.
                pairs = zip(figures[row["name"]], figures[yardstick.name], strict=False)
                row[key] = statistics.median(own / other for own, other in pairs)
