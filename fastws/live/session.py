"""What the page asks, answered: no web, no threads, no clocks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastws
from fastws.live.looking import LOOKS, Answer, Arrays
from fastws.live.requests import Fields, check_list
from fastws.live.rules import Rules, read_rules
from fastws.live.script import script
from fastws.live.settings import LIMITS, RECIPES, new_settings
from fastws.live.worlds import PHASES, World, checked_edit, restored
from fastws.whole import Step

_ALIGNED = 8
_LONGEST_NAME = 40


class Session:
    """Answers the requests of one page; it holds the page's worlds, by name.

    A request is what JSON makes of an object: ``{"id": 1, "op": "advance", "world": "main", "n": 1000}``. What is not
    asked for properly is answered with a sentence, and has changed nothing.

    Parameters
    ----------
    rule_file : str, optional
        A Python file with a `wake_rule`, a `sleep_rule` or both, by which worlds learn in place of Eqs 4 and 7, as
        `fastws.testing.check_update_rule` takes them. It is read again whenever a world begins.

    Examples
    --------
    >>> from fastws.live import Session
    >>> reply, _ = Session().handle({"id": 1, "op": "advance", "n": 1000})
    >>> reply["example"]
    1000
    """

    def __init__(self, rule_file: str | None = None) -> None:
        self._rule_file = rule_file
        self._worlds: dict[str, World] = {}

    def handle(self, request: Any) -> tuple[dict[str, Any], bytes]:
        """Answer a request.

        Returns
        -------
        reply : dict
            For JSON: `id`, `op`, `world` and the values asked for, or `id` and `error`, a sentence. Of each array,
            `arrays` has the name, the shape, the type and the place in the bytes.
        content : bytes
            The arrays, one after the other, little-endian.
        """
        number = request.get("id") if isinstance(request, dict) else None
        number = number if isinstance(number, int) else None
        try:
            fields = Fields(request, "the request")
            fields.take("id")
            op = fields.word("op", _WORDS)
            world = fields.take("world", "main")
            if not isinstance(world, str) or not 1 <= len(world) <= _LONGEST_NAME:
                raise ValueError(f"world is {str(world)[:60]!r}; give a name of 1 to {_LONGEST_NAME} letters.")
            if op in LOOKS:
                values, arrays = LOOKS[op](self.world(world), fields)
            else:
                values, arrays = _OPERATIONS[op](self, world, fields)
        except (ValueError, FloatingPointError, OSError) as error:
            return {"id": number, "error": str(error)}, b""
        places, content = packed(arrays)
        return {"id": number, "op": op, "world": world, **values, "arrays": places}, content

    def world(self, name: str) -> World:
        """Return a world, the paper's if there is none of the name."""
        if name not in self._worlds:
            self._keep(name, World(new_settings({}), 0, self._rules()))
        return self._worlds[name]

    def _rules(self) -> Rules | None:
        return None if self._rule_file is None else read_rules(self._rule_file)

    def _keep(self, name: str, world: World) -> None:
        if name not in self._worlds and len(self._worlds) >= LIMITS["worlds"]:
            raise ValueError(f"there are {LIMITS['worlds']} worlds; drop one first.")
        self._worlds[name] = world

    def hello(self, _: str, fields: Fields) -> Answer:
        """Say what this host can do."""
        fields.end()
        recipes = {name: new_settings({"recipe": name}).described() for name in RECIPES}
        host = {"exact": True, "codec": False, "rule": self._rule_file and Path(self._rule_file).name}
        return {
            "version": fastws.__version__,
            "docs": "",
            **host,
            "settings": recipes["paper"],
            "recipes": recipes,
            "limits": LIMITS,
        }, {}

    def reset(self, name: str, fields: Fields) -> Answer:
        """Begin a world."""
        settings, seed = fields.take("settings"), fields.whole("seed", 0)
        fields.end()
        self._keep(name, World(new_settings(settings), seed, self._rules()))
        return _state(self.world(name))

    def restore(self, name: str, fields: Fields) -> Answer:
        """Make the world of a plan."""
        plan = fields.take("plan")
        fields.end()
        self._keep(name, restored(plan, self._rules()))
        return _state(self.world(name))

    def plan(self, name: str, fields: Fields) -> Answer:
        """Say all that a world is."""
        fields.end()
        return {"plan": self.world(name).plan()}, {}

    def drop(self, name: str, fields: Fields) -> Answer:
        """Forget a world."""
        fields.end()
        self._worlds.pop(name, None)
        return {}, {}

    def advance(self, name: str, fields: Fields) -> Answer:
        """Learn from the next examples."""
        world = self.world(name)
        n = fields.whole("n", None, at_most=LIMITS["advance"])
        phases = fields.word("phases", PHASES, world.phases)
        fields.end()
        _check_end(world.example + n)
        world.set_phases(phases)
        world.go(world.example + n)
        return _state(world)

    def at(self, name: str, fields: Fields) -> Answer:
        """Go to an example."""
        n = fields.whole("n", None, at_most=LIMITS["at"])
        fields.end()
        self.world(name).go(n)
        return _state(self.world(name))

    def branch(self, name: str, fields: Fields) -> Answer:
        """Begin another world with the path of this one up to an example."""
        world = self.world(name)
        n = fields.whole("n", world.example, at_most=world.furthest)
        to, phases = fields.take("to"), fields.take("phases")
        other_settings = Fields(fields.take("settings", {}), "settings")
        rates = other_settings.take("rates")
        other_settings.end()
        fields.end()
        if not isinstance(to, str) or not 1 <= len(to) <= _LONGEST_NAME or to == name:
            raise ValueError(f"to is {str(to)[:60]!r}; give the name of another world.")
        other = world.branched(n)
        if phases is not None:
            other.set_phases(Fields({"phases": phases}, "branch").word("phases", PHASES))
        if rates is not None:
            other.set_rates(rates)
        self._keep(to, other)
        return _state(other)

    def rates(self, name: str, fields: Fields) -> Answer:
        """Learn at other rates from here on."""
        rates = fields.take("rates")
        fields.end()
        world = self.world(name)
        world.set_rates(rates)
        return _state(world)

    def edit(self, name: str, fields: Fields) -> Answer:
        """Set parameters by hand."""
        words = ("name", "level", "index", "value")
        edits = fields.take("edits")
        if edits is None:
            edits = [{word: fields.take(word) for word in words}]
        fields.end()
        checked = []
        for edit in check_list(edits, "edits", LIMITS["events"]):
            one = Fields(edit, "an edit")
            checked.append(checked_edit(*(one.take(word) for word in words)))
            one.end()
        self.world(name).edit(checked)
        return _state(self.world(name))

    def step(self, name: str, fields: Fields) -> Answer:
        """Learn from the next example, and show all that came into it."""
        fields.end()
        world = self.world(name)
        _check_end(world.example + 1)
        step_rates = world.rates
        step, before = world.step()
        values, after = _state(world)
        was = before.arrays()
        arrays = {**_drawn(step, world.phases), **was}
        for place, array in after.items():
            arrays[f"d_{place}"] = array - was[place]
        return {**values, "example": step.example, "seen": world.example, "rates": step_rates}, arrays

    def state(self, name: str, fields: Fields) -> Answer:
        """Say where a world is."""
        fields.end()
        return _state(self.world(name))

    def python(self, name: str, fields: Fields) -> Answer:
        """Write a script that makes this world."""
        fields.end()
        world = self.world(name)
        return {"text": script(world.plan(), world.rules and world.rules.path)}, {}


_OPERATIONS: dict[str, Callable[[Session, str, Fields], Answer]] = {
    operation.__name__: operation
    for operation in (
        Session.hello,
        Session.reset,
        Session.restore,
        Session.plan,
        Session.drop,
        Session.advance,
        Session.at,
        Session.branch,
        Session.rates,
        Session.edit,
        Session.step,
        Session.state,
        Session.python,
    )
}
_WORDS = [*_OPERATIONS, *LOOKS]


def packed(arrays: Arrays) -> tuple[list[dict[str, Any]], bytes]:
    """Return where each array is, and all of them as bytes."""
    places, content = [], bytearray()
    for name, array in arrays.items():
        content += bytes(-len(content) % _ALIGNED)
        places.append({"name": name, "shape": list(array.shape), "dtype": array.dtype.name, "offset": len(content)})
        content += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return places, bytes(content)


def _state(world: World) -> Answer:
    values = {
        "example": world.example,
        "furthest": world.furthest,
        "seed": world.seed,
        "phases": world.phases,
        "rates": world.rates,
        "layer_sizes": world.settings.layer_sizes,
        "settings": world.settings.described(),
    }
    return values, world.machine.arrays()


def _drawn(step: Step, phases: str) -> Arrays:
    """Return what was drawn in the phases that there were, and what it was compared with."""
    arrays: Arrays = {}
    if phases != "sleep":
        arrays["image"] = step.image
        arrays |= {f"wake_states_{l}": states for l, states in enumerate(step.wake_states)}
        arrays |= {f"p_{l}": p for l, p in enumerate(step.generative_probabilities)}
    if phases != "wake":
        arrays |= {f"sleep_states_{l}": states for l, states in enumerate(step.sleep_states)}
        arrays |= {f"q_{l}": q for l, q in enumerate(step.recognition_probabilities)}
    return arrays


def _check_end(example: int) -> None:
    if example > LIMITS["at"]:
        raise ValueError(f"a world ends after {LIMITS['at']:,} examples; begin another one.")
