"""What a world is made of: images, a machine, and how it learns."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastws.checks import check_integer, check_probability, check_rates
from fastws.live.requests import Fields, check_list, check_number
from fastws.machine import Machine
from fastws.schedule import Schedule
from fastws.simulation import Simulation
from fastws.streams import Bars

LIMITS: dict[str, Any] = {
    "size": [2, 6],
    "hidden_layers": 3,
    "hidden": 32,
    "advance": 2_000_000,
    "at": 20_000_000,
    "samples": 4096,
    "enumerated": 13,
    "events": 1000,
    "worlds": 64,
}
"""The most that a page may ask for. `enumerated` are the hidden units of which all states are gone through."""

RECIPES = ("paper", "robust")
PAPER_EXAMPLES = 2_000_000
# The last rates of a schedule go on for ever.
FOR_EVER = 10**15
_LARGEST_RATE = 100


@dataclass(frozen=True)
class Settings:
    """What a world is made of, but for its seed: the fields are those of the page's protocol."""

    size: int
    hidden: tuple[int, ...]
    p_vertical: float
    p_bar: float
    initial_bias: float
    nonnegative: bool
    schedule: tuple[tuple[int, tuple[float, ...]], ...]

    @property
    def layer_sizes(self) -> list[int]:
        """Units of each layer, input first."""
        return [self.size**2, *self.hidden]

    @property
    def bars(self) -> Bars:
        """Where images come from."""
        return Bars(self.size, self.p_vertical, self.p_bar)

    def simulation(self, seed: int) -> Simulation:
        """Return a run that has not begun."""
        machine = Machine(self.layer_sizes)
        machine.gen_biases[1][:] = self.initial_bias
        *first, (_, rates) = self.schedule
        return Simulation(machine, self.bars, [*first, (FOR_EVER, rates)], self.nonnegative, seed)

    def described(self) -> dict[str, Any]:
        """Return the settings for JSON."""
        return {
            "size": self.size,
            "hidden": list(self.hidden),
            "p_vertical": self.p_vertical,
            "p_bar": self.p_bar,
            "initial_bias": self.initial_bias,
            "nonnegative": self.nonnegative,
            "schedule": [[n, list(rates)] for n, rates in self.schedule],
        }


def new_settings(values: Any) -> Settings:
    """Return the settings that a page gives, filled in.

    Raises
    ------
    ValueError
        If a field is unknown or out of range.
    """
    fields = Fields({} if values is None else values, "settings")
    least, most = LIMITS["size"]
    size = fields.whole("size", 4, least, most)
    hidden = tuple(
        check_integer(n, f"hidden[{i}]")
        for i, n in enumerate(check_list(fields.take("hidden", [2 * size, 1]), "hidden", LIMITS["hidden_layers"]))
    )
    if not hidden or max(hidden) > LIMITS["hidden"]:
        raise ValueError(f"hidden is {list(hidden)}; give 1 to {LIMITS['hidden']} units a layer, of a layer or more.")
    p_vertical = check_probability(fields.take("p_vertical", 2 / 3), "p_vertical")
    p_bar = check_probability(fields.take("p_bar", 0.2), "p_bar")
    initial_bias, schedule = _of_recipe(fields.word("recipe", RECIPES, "paper"), len(hidden))
    initial_bias = check_number(fields.take("initial_bias", initial_bias), "initial_bias", 100)
    nonnegative = fields.take("nonnegative", True)
    if not isinstance(nonnegative, bool):
        raise ValueError(f"nonnegative is {nonnegative!r}; give true or false.")
    pairs = check_list(fields.take("schedule", schedule), "schedule", 100)
    fields.end()
    Schedule(pairs, 1 + len(hidden))
    kept = tuple((int(n), tuple(page_rates(rates, 1 + len(hidden)))) for n, rates in pairs)
    settings = Settings(size, hidden, p_vertical, p_bar, initial_bias, nonnegative, kept)
    settings.simulation(0)
    return settings


def page_rates(rates: Any, n_levels: int) -> list[float]:
    """Return the learning rates that a page gives, none of them so large that a parameter could become infinite."""
    checked = check_rates(rates, n_levels)
    if checked.max() > _LARGEST_RATE:
        raise ValueError(f"rates are {checked.tolist()}; give numbers from 0 to {_LARGEST_RATE}.")
    return list(map(shortest, checked))


def shortest(number: np.float32) -> float:
    """Return the number of fewest digits that is this one in float32."""
    return float(str(number))


def _of_recipe(name: str, n_hidden_layers: int) -> tuple[float, list[Any]]:
    """Return where a recipe's first hidden biases start, and its schedule, for any number of levels."""
    from fastws.experiments.bars import RECIPES as KNOWN

    recipe = KNOWN[name]
    phases = recipe.schedule(PAPER_EXAMPLES)
    pairs = [[n, [first, *[upper] * (n_hidden_layers - 1), top]] for n, (first, upper, top) in phases]
    return recipe.first_hidden_bias, pairs
