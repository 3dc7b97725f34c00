"""Which simulations learn together, in the lanes of vectors."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from fastws.kernels.layout import LANES

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
        alike[(together and simulation._all_but_seed()) or place].append(simulation)
    found = []
    for runs in alike.values():
        for start in range(0, len(runs), LANES):
            part = runs[start : start + LANES]
            found += [part] if len(part) >= WORTH_TOGETHER else [[run] for run in part]
    return sorted(found, key=lambda group: places[group[0]])
