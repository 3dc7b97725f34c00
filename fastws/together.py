"""Which simulations learn together, in the lanes of vectors, and how they do."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.layout import LANES
from fastws.kernels.types import Rule
from fastws.learning import learn
from fastws.softmax import has_groups
from fastws.streams.protocol import learns_by_delta_rule, learns_together, same_examples

# Sixteen together take as long as this many one by one; bench/sweep.py measures it.
WORTH_TOGETHER = 9
# The parameters of sixteen larger ones leave the first-level cache, and together they take longer than one by one.
_LARGEST_TOGETHER = 2048


def groups(simulations: Sequence[Any]) -> list[list[Any]]:
    """Return the simulations as groups that learn together, of one where that is not worth it.

    They differ in nothing but seed and parameters. The groups are in the order of their first members.
    """
    places = {simulation: place for place, simulation in enumerate(dict.fromkeys(simulations))}
    users = Counter(id(simulation.machine) for simulation in places)
    alike: defaultdict[Any, list[Any]] = defaultdict(list)
    for simulation, place in places.items():
        small = simulation.machine.n_parameters <= _LARGEST_TOGETHER
        together = small and users[id(simulation.machine)] == 1
        alike[(together and _all_but_seed(simulation)) or place].append(simulation)
    found = []
    for runs in alike.values():
        for start in range(0, len(runs), LANES):
            part = runs[start : start + LANES]
            found += [part] if len(part) >= WORTH_TOGETHER else [[run] for run in part]
    return sorted(found, key=lambda group: places[group[0]])


def _all_but_seed(simulation: Any) -> tuple[Any, ...] | None:
    """Return what is equal for simulations that differ in seed and parameters only; None for one that learns alone."""
    if simulation._other or has_groups(simulation.machine) or not learns_together(simulation.stream):
        return None
    return (
        simulation.machine.layer_sizes,
        same_examples(simulation.stream),
        simulation._schedule.identity,
        simulation.nonnegative_input_weights,
        simulation.examples_seen,
    )


def learn_side_by_side(group: Sequence[Any], n_examples: int, rates: NDArray[np.float32]) -> None:
    """Let simulations of one stream learn: by the kernels, by other rules, or by methods of the stream's own."""
    stream: Any = group[0].stream
    machines, seeds, seen = zip(*((run.machine, run.seed, run._seen) for run in group), strict=True)
    if group[0]._other:
        group[0]._other.learn(stream, machines[0], seeds[0], n_examples, seen[0], Rule(rates, group[0]._floor))
    elif learns_by_delta_rule(stream):
        learn(stream, machines, seeds, n_examples, seen, Rule(rates, group[0]._floor))
    elif len(group) == 1:
        stream.learn(machines[0], seeds[0], n_examples, seen[0], rates, group[0]._floor)
    else:
        stream.learn_together(machines, seeds, n_examples, seen, rates, group[0]._floor)
