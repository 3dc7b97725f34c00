"""Attributes that cannot be lost: some keep the value they were made with, others copy in what is assigned to them."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_nothing_masked

T = TypeVar("T")


class Fixed(Generic[T]):
    """An attribute that its object sets once, when it is made."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "Fixed[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "T | Fixed[T]":
        if instance is None:
            return self
        try:
            return instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(f"this {owner.__name__} has no {self._name} yet.") from None

    def __set__(self, instance: object, value: T) -> None:
        if self._name in instance.__dict__:
            kind = type(instance).__name__
            raise AttributeError(f"{self._name} cannot be changed; make another {kind} with the {self._name} you want.")
        instance.__dict__[self._name] = value


class Arrays(tuple[NDArray[np.float32], ...]):
    """A tuple of arrays into which assignment copies: ``arrays[0] = values`` is ``arrays[0][...] = values``.

    So ``arrays[0] += 1`` works as well. A number fills an array; anything else must have its shape.
    """

    name: str

    def __setitem__(self, index: Any, values: Any) -> None:
        chosen = list(range(len(self)))[index]
        if isinstance(chosen, int):
            self[chosen][...] = self._copy(values, chosen, may_fill=True)
            return
        given = self._one_each(values, len(chosen))
        # What is given may lie in these arrays: those of two levels may change places.
        copies = [self._copy(array, level) for level, array in zip(chosen, given, strict=True)]
        for level, copy in zip(chosen, copies, strict=True):
            self[level][...] = copy

    def _one_each(self, values: Any, n: int) -> list[Any]:
        if not isinstance(values, Iterable) or isinstance(values, str | Mapping) or getattr(values, "ndim", 1) == 0:
            raise ValueError(f"{self.name} is given {values!r}; give {n} arrays, or write {self.name}[0] = for one.")
        arrays = list(values)
        if len(arrays) != n:
            raise ValueError(f"{self.name} is given {len(arrays)} arrays; give {n}, one a level.")
        return arrays

    def _copy(self, values: Any, level: int, may_fill: bool = False) -> NDArray[np.float32]:
        name, shape = f"{self.name}[{level}]", self[level].shape
        check_nothing_masked(values, name)
        if hasattr(values, "toarray"):  # of SciPy's sparse matrices NumPy would make one object
            values = values.toarray()
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise ValueError(f"{name} is given rows that differ in length; give shape {shape}.") from error
        if may_fill and array.ndim == 0:
            array = np.full(shape, array)
        if array.shape != shape:
            raise ValueError(f"{name} is given an array of shape {array.shape}; it has shape {shape}.")
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} is given {array.dtype}; give real numbers.")
        with np.errstate(over="ignore"):
            stored = array.astype(np.float32)
        beyond = np.isinf(stored) & np.isfinite(array)
        if beyond.any():
            raise ValueError(
                f"{name} is given {array[beyond][0]!s}; machines hold 32-bit floats, which end at 3.4e38. Give less."
            )
        return stored


class CopiedArrays(Fixed[Arrays]):
    """An attribute that holds arrays; to assign others is to copy their values in, all of them or none."""

    def __set__(self, instance: object, value: Iterable[Any]) -> None:
        if self._name in instance.__dict__:
            instance.__dict__[self._name][:] = value
        else:
            arrays = Arrays(value)
            arrays.name = self._name
            super().__set__(instance, arrays)
