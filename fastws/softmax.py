"""Softmax groups as users give them: which layers have them, which states they allow, and what does not know them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_integer


def check_groups(groups: Any, layer_sizes: tuple[int, ...], name: str = "groups") -> tuple[int, ...]:
    """Return the units of a group of each layer, all 1 where none are given.

    Raises
    ------
    ValueError
        If there is not a whole number of at least 1 for each layer, the inputs have groups, or a group does not divide
        its layer.
    """
    if groups is None:
        return (1,) * len(layer_sizes)
    if isinstance(groups, str) or not isinstance(groups, Sequence | np.ndarray) or np.shape(groups) == ():
        raise ValueError(
            f"{name} is {groups!r}; give the units of a group of each layer, input first, as in [1, 20], where 1 is "
            "binary units."
        )
    if len(groups) != len(layer_sizes):
        raise ValueError(
            f"{name} has {len(groups)} sizes of groups; the machine has {len(layer_sizes)} layers, the input layer "
            "included, and needs one each: 1 for binary units."
        )
    checked = tuple(check_integer(size, f"{name}[{layer}]") for layer, size in enumerate(groups))
    if checked[0] != 1:
        raise ValueError(f"{name}[0] is {checked[0]}; input units are binary. Give 1, and groups of hidden units only.")
    for layer, (size, n) in enumerate(zip(checked, layer_sizes, strict=True)):
        if n % size:
            raise ValueError(
                f"{name}[{layer}] is {size}, which does not divide the {n} units of layer {layer}; give a divisor of "
                f"{n}, or another size of the layer."
            )
    return checked


def has_groups(machine: Any) -> bool:
    """Return whether a machine has a softmax group."""
    return max(machine.groups) > 1


def check_binary_units(machine: Any, what: str) -> None:
    """Refuse a machine of softmax groups where `what`, a part of fastws, takes units for independent.

    Raises
    ------
    ValueError
    """
    if has_groups(machine):
        raise ValueError(
            f"{machine} has softmax groups, and {what} knows binary units only; give a machine without groups."
        )


def check_one_on(rows: NDArray[np.uint8], size: int, name: str) -> None:
    """Check that exactly one unit of each group is on in rows of states, shape (n, units).

    Raises
    ------
    ValueError
    """
    if size == 1:
        return
    on = rows.reshape(len(rows), -1, size).sum(axis=2)
    wrong = np.argwhere(on != 1)
    if len(wrong):
        row, group = wrong[0]
        raise ValueError(
            f"{name} has {on[row, group]} units on in group {group}, units {group * size} to "
            f"{(group + 1) * size - 1}; exactly one unit of a softmax group is on."
        )


def check_clamped(biases: NDArray[np.float32], size: int, layer: int) -> None:
    """Check that a clamp, by infinite biases of a layer, leaves each group one unit to be on, and only one.

    Raises
    ------
    ValueError
    """
    if size == 1:
        return
    for group, own in enumerate(biases.reshape(-1, size)):
        if (own == np.inf).sum() > 1 or (own == -np.inf).all():
            held = "holds more than one unit on" if (own == np.inf).any() else "holds all units off"
            raise ValueError(
                f"clamp {held} in group {group} of layer {layer}; exactly one unit of a softmax group is on."
            )
