"""What a sweep varies: the settings of an experiment, their types, and the grid of them."""

import difflib
import itertools
import math
import numbers
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from fastws.simulation import Simulation

Setting = bool | int | float | str | None
"""What the value of a setting may be."""
_TOO_LARGE = 2**63  # for a column of integers


class Experiment(Protocol):
    """What `run` needs of an experiment. For the engines that use other processes it must pickle.

    `fastws.experiments.bars.BARS` is one.

    Attributes
    ----------
    name : str
        It stands in the table.
    defaults : mapping of str to bool, int, float, str or None
        The settings, and the values that they have where a sweep says nothing. A value has the type of the default.
    types : mapping of str to type
        The type of each setting whose default is None; None stays one of its values.
    measure_names : sequence of str
        What `measures` measures.
    later : sequence of str, optional
        Settings that the experiment had not at first. Where a table lacks the column of one, its runs had the default.

    Examples
    --------
    >>> import fastws
    >>> class Pixels:
    ...     name, defaults, types, measure_names = "pixels", {"rate": 0.1}, {}, ["free_energy_bits"]
    ...     def simulation(self, settings, seed):
    ...         return fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(2), [(9, settings["rate"])], seed=seed)
    ...     def measures(self, run):
    ...         return {"free_energy_bits": fastws.exact.free_energy_bits(run.machine, [[0, 1, 0, 1]])[0]}
    >>> len(fastws.sweep.run(Pixels(), {"rate": [0.01, 0.1]}, seeds=2))
    4
    """

    # Read only, and of any values, so that a plain class with attributes that say no type is one.
    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def defaults(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def types(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def measure_names(self) -> Sequence[str]: ...  # noqa: D102

    def simulation(self, settings: dict[str, Any], seed: int, /) -> Simulation:
        """Return a simulation that has not begun, of settings of which none is missing.

        Simulations of the same settings may differ in their seeds and initial parameters only.

        Raises
        ------
        ValueError
            If it cannot be had with these settings.
        """

    def measures(self, simulation: Simulation, /) -> Mapping[str, float]:
        """Return the measures, by name, of a simulation that has come to its end."""


def setting_type(experiment: Experiment, name: str) -> type:
    """Return the type of a setting's values.

    Raises
    ------
    ValueError
        If the experiment has no such setting.
    """
    if name not in experiment.defaults:
        close = difflib.get_close_matches(name, experiment.defaults, 1)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        known = ", ".join(experiment.defaults)
        raise ValueError(f"the experiment {experiment.name!r} has no setting {name!r}. {meant}It has {known}.")
    default = experiment.defaults[name]
    return experiment.types[name] if default is None else type(default)


_TAKES = {
    bool: "True or False",
    int: "a whole number",
    float: "a finite number",
    str: "a word without control characters",
}


def unwritable(text: str) -> set[str]:
    """Return the characters of a text that not every table can hold: control characters and half surrogate pairs."""
    return {character for character in text if unicodedata.category(character) in ("Cc", "Cs")}


def check_setting(experiment: Experiment, name: str, value: Any) -> Setting:
    """Return a value of a setting as the Python type that the setting has.

    Raises
    ------
    ValueError
        If it is of another type, or the experiment has no such setting.
    """
    wanted = setting_type(experiment, name)
    optional = experiment.defaults[name] is None
    if value is None and optional:
        return None
    if wanted is bool and isinstance(value, bool | np.bool_):
        return bool(value)
    if wanted is str and isinstance(value, str) and value and not unwritable(value):
        return str(value)
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if wanted is float and real and abs(value) < math.inf:
        return float(value)
    if wanted is int and real and abs(value) < _TOO_LARGE and value == int(value):
        return int(value)
    takes = _TAKES[wanted] + (" or None" if optional else "")
    raise ValueError(f"the setting {name} is given {value!r}; it takes {takes}.")


def expand(
    experiment: Experiment, vary: Mapping[str, Any] | Iterable[Mapping[str, Setting]]
) -> list[dict[str, Setting]]:
    """Return all settings of each run that a sweep asks for, defaults included, in order and each once.

    Parameters
    ----------
    experiment : Experiment
    vary : mapping of str to values, or iterable of mappings of str to value
        A mapping makes the grid of all combinations; the last setting changes fastest. A single value is as good as
        a list of one. Otherwise, the settings of each run that are not at their defaults.

    Raises
    ------
    ValueError
        If there is no such setting, a value has another type than it takes, or nothing is asked for.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> [(settings["hidden"], settings["p_bar"]) for settings in sweep.expand(BARS, {"hidden": [8, 10], "p_bar": 0.3})]
    [(8, 0.3), (10, 0.3)]
    """
    defaults = {name: check_setting(experiment, name, value) for name, value in experiment.defaults.items()}
    if isinstance(vary, Mapping):
        choices = [[(name, value) for value in _values(name, values)] for name, values in vary.items()]
        changes: Iterable[Any] = (dict(combination) for combination in itertools.product(*choices))
    else:
        changes = vary
    found = {}
    for change in changes:
        if not isinstance(change, Mapping):
            raise ValueError(f"vary has {change!r}; give a mapping of setting to values, or a list of mappings.")
        checked = {name: check_setting(experiment, name, value) for name, value in change.items()}
        settings = {**defaults, **checked}
        found[tuple(settings.values())] = settings
    if not found:
        raise ValueError("vary is an empty list; give the settings of at least one run, {} for the defaults.")
    return list(found.values())


def _values(name: str, values: Any) -> list[Any]:
    if values is None or isinstance(values, str | numbers.Real | np.bool_):
        return [values]
    listed = list(values)
    if not listed:
        raise ValueError(f"the setting {name} has no value to take; give at least one.")
    return listed
