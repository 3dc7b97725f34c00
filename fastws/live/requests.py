"""What a page may ask: fields by name, each checked before anything is done."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastws.checks import check_integer


class Fields:
    """The fields of a request, of which each may be taken once; those that nobody takes are refused.

    Parameters
    ----------
    values : mapping
    what : str
        What they are fields of, for errors.
    """

    def __init__(self, values: Any, what: str) -> None:
        if not isinstance(values, Mapping):
            raise ValueError(f"{what} is {_shown(values)}; it has to be an object with named fields.")
        self._left = dict(values)
        self._what = what

    def take(self, name: str, default: Any = None) -> Any:
        """Return a field, or what stands for one that is not there."""
        return self._left.pop(name, default)

    def whole(self, name: str, default: int | None, at_least: int = 0, at_most: int = 2**53) -> int:
        """Return a whole number, which has to be there if there is no default."""
        value = check_integer(self.take(name, default), name, at_least)
        if value > at_most:
            raise ValueError(f"{name} is {value}; it must be at most {at_most}.")
        return value

    def word(self, name: str, words: Sequence[str], default: str | None = None) -> str:
        """Return one of some words."""
        value = self.take(name, default)
        if value not in words:
            raise ValueError(f"{name} is {_shown(value)}; give one of {', '.join(words)}.")
        return str(value)

    def states(self, name: str, length: int) -> list[int]:
        """Return so many states, each 0 or 1."""
        value = self.take(name)
        if not isinstance(value, list) or len(value) != length or any(state not in (0, 1) for state in value):
            raise ValueError(f"{name} is {_shown(value)}; give {length} numbers, each 0 or 1.")
        return [int(state) for state in value]

    def end(self) -> None:
        """Refuse what is left."""
        if self._left:
            raise ValueError(f"{self._what} has {_shown(next(iter(self._left)))}, which nobody knows here.")


def check_number(value: Any, name: str, largest: float) -> float:
    """Return a number of no more than a magnitude, as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= largest:
        raise ValueError(f"{name} is {_shown(value)}; give a number between -{largest} and {largest}.")
    return float(value)


def check_list(value: Any, name: str, at_most: int) -> list[Any]:
    """Return a list that is not too long."""
    if not isinstance(value, list) or len(value) > at_most:
        raise ValueError(f"{name} is {_shown(value)}; give a list of at most {at_most}.")
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
