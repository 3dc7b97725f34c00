"""Which simulations learn together, in the lanes of vectors."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from fastws.kernels.layout import LANES
from fastws.streams.protocol import learns_together, same_examples

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
    if simulation._rules or not learns_together(simulation.stream):
        return None
    return (
        simulation.machine.layer_sizes,
        same_examples(simulation.stream),
        simulation._schedule.identity,
        simulation.nonnegative_input_weights,
        simulation.examples_seen,
    )
