"""An example to try a rule on, and how what the rule does is compared with what it should do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastws.machine import Machine
from fastws.rules import LEARNING, PhaseName
from fastws.rules import UpdateRule as Rule
from fastws.testing import reference
from fastws.testing.reference import Layers, Parameters, States

TOLERANCE = 1e-6
"""How far a changed parameter may be from what is expected, beside parameters of up to 1."""


class Broken(Exception):
    """Numbers that break a property."""


@dataclass(frozen=True)
class Trial:
    """A rule, and an example to try it on."""

    rule: Rule
    phase: PhaseName
    machine: Machine
    states: list[States]
    rates: tuple[float, ...]
    seed: int
    """Of whatever else a property needs to choose."""

    def after(
        self,
        machine: Machine | None = None,
        states: Sequence[States] | None = None,
        rates: tuple[float, ...] | None = None,
        **keywords: bool,
    ) -> Machine:
        """Return what the rule makes of a copy of a machine."""
        changed = (machine or self.machine).copy()
        given = [layer.copy() for layer in (self.states if states is None else states)]
        self.rule(changed, given, self.rates if rates is None else rates, **keywords)
        return changed

    def shown_states(self) -> str:
        """Return the states as they are printed."""
        return f"states = {[layer.tolist() for layer in self.states]}"

    def changes(
        self,
        machine: Machine | None = None,
        states: Sequence[States] | None = None,
        rates: tuple[float, ...] | None = None,
    ) -> Parameters:
        """Return by how much the rule changes each parameter."""
        before = reference.parameters(machine or self.machine)
        after = reference.parameters(self.after(machine, states, rates))
        return {name: after[name] - before[name] for name in before}

    def mean_changes(self, layers: Layers, weights: Any, machine: Machine | None = None) -> Parameters:
        """Return the changes that the rule makes on each example, weighted and summed."""
        total = {name: np.zeros(array.shape) for name, array in (machine or self.machine).arrays().items()}
        for row, weight in enumerate(weights):
            if weight != 0:
                for name, change in self.changes(machine, [layer[row] for layer in layers]).items():
                    total[name] += weight * change
        return total

    def learning(self, names: Iterable[str]) -> list[str]:
        """Return those of the parameters that learn in this phase."""
        return [name for name in names if name.startswith(LEARNING[self.phase])]

    def cost(self, parameters: Parameters, layers: Layers) -> Any:
        """Return what the phase lowers, of each example, in nats."""
        of_phase = reference.description_lengths if self.phase == "wake" else reference.recovery_costs
        return of_phase(parameters, layers)

    def steps(self, derivatives: Parameters) -> Parameters:
        """Return the rates times minus the derivatives."""
        return {name: -self.rates[level_of(name)] * derivative for name, derivative in derivatives.items()}


def level_of(name: str) -> int:
    """Return the level of a parameter array."""
    return int(name.rsplit("_", 1)[1])


def place_of(name: str, index: Iterable[int]) -> str:
    """Return an element of a parameter array as one would write it."""
    array, level = name.rsplit("_", 1)
    return f"{array}[{level}][{', '.join(str(i) for i in index)}]"


def check_close(found: Parameters, expected: Parameters, machine: Machine, what: str = "changed by") -> None:
    """Raise `Broken` with the parameter that is the furthest from what is expected, if it is too far."""
    before = reference.parameters(machine)
    worst, message = 0.0, ""
    for name, wanted in expected.items():
        allowed = TOLERANCE * np.maximum(1.0, np.abs(before[name]))
        # What is not a number is infinitely far.
        excess = np.nan_to_num(np.abs(found[name] - wanted) / allowed, nan=np.inf)
        if excess.size and excess.max() > max(1.0, worst):
            place = np.unravel_index(int(excess.argmax()), excess.shape)
            worst = float(excess[place])
            difference = abs(found[name][place] - wanted[place])
            message = (
                f"{place_of(name, map(int, place))} {what} {found[name][place]:.9g}, expected {wanted[place]:.9g} "
                f"(off by {difference:.2g}; rounding allows {allowed[place]:.2g})"
            )
    if message:
        raise Broken(message)


def check_same_bits(found: Machine, expected: Machine, names: Iterable[str] | None = None) -> None:
    """Raise `Broken` with the first parameter that is not the same to the bit."""
    arrays, wanted = found.arrays(), expected.arrays()
    for name in wanted if names is None else names:
        differs = np.argwhere(arrays[name].view(np.uint32) != wanted[name].view(np.uint32))
        if len(differs):
            place = tuple(int(i) for i in differs[0])
            raise Broken(
                f"{place_of(name, place)} became {arrays[name][place]}, expected {wanted[name][place]} unchanged"
            )


def arrays_of(machine: Machine) -> dict[str, Any]:
    """Return the parameter arrays themselves by name."""
    return {
        f"{name}_{level}": array
        for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases")
        for level, array in enumerate(getattr(machine, name))
    }


def fill(machine: Machine, rng: np.random.Generator) -> None:
    """Draw parameters anew, as `machines` has them."""
    for array in arrays_of(machine).values():
        array[...] = rng.integers(-16, 17, array.shape) / 8
