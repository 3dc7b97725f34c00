"""A world of the page: a run, what was done to it by hand, and any of its examples again."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastws.checks import check_integer
from fastws.history import History, branch
from fastws.live.requests import Fields, check_list, check_number
from fastws.live.rules import RuledBars, Rules, stream_of
from fastws.live.settings import FOR_EVER, LIMITS, Settings, new_settings, page_rates, shortest
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.whole import Step

PHASES = ("both", "wake", "sleep")
PARAMETERS = ("gen_weights", "gen_biases", "rec_weights", "rec_biases")
_N_SNAPSHOTS = 32
LARGEST_BY_HAND = 1000


@dataclass
class _Chapter:
    """From one change by hand to the next."""

    history: History
    phases: str

    @property
    def start(self) -> int:
        return self.history.first_example


class World:
    """A run that can be taken to any example, and changed there.

    Going back forgets nothing: what lay ahead is there again, to the bit, until something else is done in the past.

    Parameters
    ----------
    settings : Settings
    seed : int
    rules : Rules, optional
        Rules of one's own to learn by.
    """

    def __init__(self, settings: Settings, seed: int, rules: Rules | None = None) -> None:
        self.settings, self.seed, self.rules = settings, seed, rules
        self._chapters: list[_Chapter] = []
        self._path: list[list[Any]] = []
        run = settings.simulation(seed)
        self._begin(branch(run, stream=stream_of(settings.bars, rules, "both")), "both")

    def _begin(self, run: Simulation, phases: str) -> None:
        """Begin a chapter where a run is, in place of all that is there or ahead."""
        self._chapters = [chapter for chapter in self._chapters if chapter.start < run.examples_seen]
        self._chapters.append(_Chapter(History(run, _N_SNAPSHOTS), phases))
        self.run = run

    @property
    def _chapter(self) -> _Chapter:
        return self._chapter_of(self.example)

    def _chapter_of(self, example: int) -> _Chapter:
        return next(chapter for chapter in reversed(self._chapters) if chapter.start <= example)

    @property
    def machine(self) -> Machine:
        """The machine as it is now; it is changed by `edit` only."""
        return self.run.machine

    @property
    def example(self) -> int:
        """How many examples the world has seen where it is."""
        return self.run.examples_seen

    @property
    def furthest(self) -> int:
        """How many examples it has seen at most."""
        return self._chapters[-1].history.simulation.examples_seen

    @property
    def phases(self) -> str:
        """In which phases it learns: both, wake or sleep."""
        return self._chapter.phases

    @property
    def rates(self) -> list[float]:
        """The learning rates in force for the next example."""
        left = self.example
        for n, rates in self.run.schedule:
            if left < n:
                return [shortest(rate) for rate in rates]
            left -= n
        raise AssertionError("a world's schedule does not end")

    def go(self, example: int) -> None:
        """Be where so many examples have been seen: back, or ahead, learning what nobody has learned yet."""
        if example > self.furthest:
            last = self._chapters[-1].history
            last.advance(example - last.simulation.examples_seen)
        chapter = self._chapter_of(example)
        live = chapter.history.simulation
        if live.examples_seen == example:
            self.run = live
        elif self.run is not live and self._chapter is chapter and self.example <= example:
            self.run.advance(example - self.example)
        else:
            self.run = chapter.history.at(example)

    def set_phases(self, phases: str) -> None:
        """From here on, learn in these phases."""
        if phases != self.phases:
            stream = stream_of(self.settings.bars, self.rules, phases)
            self._note(["phases", self.example, phases])
            self._begin(branch(self.run, stream=stream), phases)

    def set_rates(self, rates: Any) -> None:
        """From here on, learn at these rates."""
        checked = page_rates(rates, len(self.settings.layer_sizes))
        after = branch(self.run, [(FOR_EVER, checked)])
        self._note(["rates", self.example, checked])
        self._begin(after, self.phases)

    def edit(self, edits: list[Any]) -> None:
        """Set parameters by hand, each ``[name, level, index, value]``."""
        after = branch(self.run)
        places = []
        for name, level, index, value in edits:
            array = _array(after.machine, name, level)
            if len(index) != array.ndim or not all(0 <= i < n for i, n in zip(index, array.shape, strict=True)):
                raise ValueError(f"{name}[{level}] has shape {list(array.shape)}; index {index} is outside of it.")
            array[tuple(index)] = value
            places.append(["edit", self.example, name, level, index, shortest(array[tuple(index)])])
        after.machine.check_finite()
        for place in places:
            self._note(place)
        self._begin(after, self.phases)

    def _note(self, event: list[Any]) -> None:
        """Add to the path, in place of the same done before at this example, and of all that lies ahead."""
        here = event[1]
        kept = [old for old in self._path if old[1] < here or (old[1] == here and old[:-1] != event[:-1])]
        if len(kept) >= LIMITS["events"]:
            raise ValueError(f"{LIMITS['events']} changes by hand were made to this world; begin another one.")
        self._path = [*kept, event]

    def step(self) -> tuple[Step, Machine]:
        """Learn from the next example; return what was drawn and compared, and the machine as it was before.

        With one phase only, what the other one would have drawn is there too, but learned from it has not.
        """
        before = self.machine.copy()
        stream: Any = self.run.stream
        if isinstance(stream, RuledBars):
            shown = stream.shown(self.run, self.rates)
        else:
            rates = self.rates if self.phases == "both" else 0.0
            shown = branch(self.run, [(1, rates)], self.settings.bars).step()
        self.go(self.example + 1)
        return shown, before

    def branched(self, example: int) -> "World":
        """Return a world of its own that has the same path up to an example, and is there."""
        other = World.__new__(World)
        other.settings, other.seed, other.rules = self.settings, self.seed, self.rules
        other._path = [event for event in self._path if event[1] <= example]
        here, there = self.example, self._chapter_of(example)
        self.go(example)
        other._chapters = [chapter for chapter in self._chapters if chapter.start < example]
        other._begin(branch(self.run), there.phases)
        self.go(here)
        return other

    def plan(self) -> dict[str, Any]:
        """Return all that the world is, for JSON: `restored` makes one to the same bits."""
        return {
            "settings": self.settings.described(),
            "seed": self.seed,
            "path": [event for event in self._path if event[1] <= self.example],
            "example": self.example,
        }


def restored(plan: Any, rules: Rules | None = None) -> World:
    """Return the world of a plan.

    Raises
    ------
    ValueError
        If it is not the plan of a world.
    """
    fields = Fields(plan, "plan")
    world = World(new_settings(fields.take("settings")), fields.whole("seed", 0), rules)
    path = check_list(fields.take("path", []), "path", LIMITS["events"])
    example = fields.whole("example", 0, at_most=LIMITS["at"])
    fields.end()
    for event in path:
        _follow(world, event)
    if example < world.example:
        raise ValueError(f"the plan's example is {example}, before what its path does at {world.example}.")
    world.go(example)
    return world


def _follow(world: World, event: Any) -> None:
    """Do what an event of a path says, where it says."""
    match event:
        case ["phases", int(example), str(phases)] if phases in PHASES:
            _go_ahead(world, example)
            world.set_phases(phases)
        case ["rates", int(example), list(rates)]:
            _go_ahead(world, example)
            world.set_rates(rates)
        case ["edit", int(example), name, level, index, value]:
            _go_ahead(world, example)
            world.edit([checked_edit(name, level, index, value)])
        case _:
            raise ValueError(f"the path has {str(event)[:60]}, which is no change that a world knows.")


def _go_ahead(world: World, example: int) -> None:
    if not world.example <= example <= LIMITS["at"]:
        raise ValueError(f"the path goes from example {world.example} to {example}; it has to go ahead.")
    world.go(example)


def checked_edit(name: Any, level: Any, index: Any, value: Any) -> list[Any]:
    """Return an edit as `World.edit` takes it."""
    fields = Fields({"name": name, "level": level}, "edit")
    number = check_number(value, "value", LARGEST_BY_HAND)
    places = [check_integer(i, f"index[{axis}]", 0) for axis, i in enumerate(check_list(index, "index", 2))]
    return [fields.word("name", PARAMETERS), fields.whole("level", None), places, number]


def _array(machine: Machine, name: str, level: int) -> Any:
    arrays = getattr(machine, name)
    if level >= len(arrays):
        raise ValueError(f"there is no {name}[{level}]; the machine has {len(arrays)} of them.")
    return arrays[level]


def largest_weight(machine: Machine) -> float:
    """Return the largest magnitude of the generative weights to the inputs."""
    return float(np.abs(machine.gen_weights[0]).max())
