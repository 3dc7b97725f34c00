"""Dispatch by the type of the first argument: compiled and interpreted alike."""

from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from chance import INTERPRETED
from fastws.kernels.dispatch import by_type
from fastws.kernels.jit import inline, inner


class Factor(NamedTuple):
    """A number to multiply by."""

    factor: float


class Shift(NamedTuple):
    """A number to add; the same field types as those of `Factor`."""

    shift: float


class Nothing(NamedTuple):
    """Nothing at all."""


class Stranger(NamedTuple):
    """A class that nothing is chosen for."""

    factor: float


@inline
def multiply(what, x):
    return what.factor * x


@inner
def shift(what, x):
    return what.shift + x


@inner
def leave(what, x):
    return x


choose = by_type({Factor: multiply, Shift: shift, Nothing: leave})
other = by_type({Factor: leave, Shift: multiply})


@njit
def chosen(what, x):
    return choose(what, x)


@njit
def twice(one, two, x):
    """Two choices in one function, and the result of one goes into the other."""
    return choose(one, choose(two, x))


@njit
def by_the_other(what, x):
    return other(what, x)


CASES = [(Factor(3.0), 15.0), (Shift(3.0), 8.0), (Nothing(), 5.0)]


@pytest.mark.parametrize(("what", "expected"), CASES, ids=str)
def test_the_function_of_the_class_is_called(what, expected):
    assert chosen(what, 5.0) == chosen(what, np.float32(5)) == expected
    if INTERPRETED:
        assert choose(what, 5.0) == expected


def test_each_of_two_is_chosen_by_its_own_argument():
    assert twice(Factor(3.0), Shift(1.0), 5.0) == 18.0
    assert twice(Shift(1.0), Factor(3.0), 5.0) == 16.0
    assert twice(Nothing(), Nothing(), 5.0) == 5.0


def test_choices_of_the_same_classes_are_kept_apart():
    assert by_the_other(Factor(3.0), 5.0) == 5.0


def test_what_nothing_is_chosen_for_is_an_error():
    """Also if its fields are those of a class that there is something for."""
    with pytest.raises(Exception, match=r"Stranger"):
        chosen(Stranger(3.0), 5.0)
