"""One wake step or sleep step, and learning from states that are given."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import Whole, check_binary, check_rates
from fastws.kernels import steps as kernels
from fastws.kernels.types import Rule
from fastws.learning import least_input_weight
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.softmax import check_one_on

__all__ = ["sleep_step", "sleep_update", "wake_step", "wake_update"]


def wake_step(
    machine: Machine, x: ArrayLike, rates: Any, seed: Whole = 0, nonnegative_input_weights: bool = False
) -> list[NDArray[np.uint8]]:
    """Learn from one input: recognition drives the units, the generative parameters learn in place (Eq 4).

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n_0,)
    rates : float or sequence of float, length L + 1
        The learning rate ε of each level; the last is that of the top layer's generative biases.
    seed : int, default=0
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Returns
    -------
    list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The states of all layers that the step used.

    Raises
    ------
    ValueError
        If x is not one binary input of the machine's width, a rate is not a finite number of at least 0 or too small
        for a 32-bit float, or a parameter is not finite.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 2])
    >>> states = fastws.wake_step(machine, [1, 0, 1], rates=0.1)
    >>> [layer.shape for layer in states]
    [(3,), (2,)]
    >>> print(machine.gen_biases[0].round(3))  # 0.1 (s - p), and p was 1/2
    [ 0.05 -0.05  0.05]
    """
    machine.check_finite()
    inputs = check_binary(x, machine.layer_sizes[0])
    if len(inputs) != 1:
        raise ValueError(f"x has {len(inputs)} rows; a wake step learns from one input.")
    rule = make_rule(machine, rates, nonnegative_input_weights)
    key = make_key(seed, Use.WAKE_STEP)
    room = machine.room()
    room.states[0, : machine.layer_sizes[0]] = inputs[0]
    if nonnegative_input_weights:
        machine.clip_input_weights()
    kernels.wake_step(key, machine.net, rule, room)
    return layers_of(room.states, machine.layer_sizes)


def sleep_step(machine: Machine, rates: Any, seed: Whole = 0) -> list[NDArray[np.uint8]]:
    """Learn from one fantasy: generation drives the units, the recognition parameters learn in place (Eq 7).

    Parameters
    ----------
    machine : Machine
    rates : float or sequence of float, length L + 1
        The learning rate ε of each level; the last one, of a level without recognition parameters, has no effect.
    seed : int, default=0

    Returns
    -------
    list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The states of all layers: the fantasy and its causes.

    Raises
    ------
    ValueError
        If a rate or a parameter is not what `wake_step` takes.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 2])
    >>> fantasy, causes = fastws.sleep_step(machine, rates=0.1)
    >>> print(abs(machine.rec_biases[0]).round(3))  # 0.1 (s - q), and q was 1/2
    [0.05 0.05]
    """
    machine.check_finite()
    rule = make_rule(machine, rates)
    key = make_key(seed, Use.SLEEP_STEP)
    room = machine.room()
    kernels.sleep_step(key, machine.net, rule, room)
    return layers_of(room.states, machine.layer_sizes)


def wake_update(machine: Machine, states: Any, rates: Any, nonnegative_input_weights: bool = False) -> None:
    """Learn from given states as `wake_step` does from those that it draws: the generative parameters, by Eq 4.

    Parameters
    ----------
    machine : Machine
    states : sequence of array_like of {0, 1}, each of shape (n_l,), l = 0 … L
        The states of all layers, as `wake_step` returns them.
    rates : float or sequence of float, length L + 1
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Raises
    ------
    ValueError
        If the states do not fit the machine or are not binary, a softmax group has not exactly one unit on, or a rate
        or a parameter is not what `wake_step` takes.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 2])
    >>> fastws.wake_update(machine, [[1, 0, 1], [1, 0]], rates=0.1)
    >>> print(machine.gen_weights[0].round(3))  # the second hidden unit was off
    [[ 0.05 -0.05  0.05]
     [ 0.    0.    0.  ]]
    """
    machine.check_finite()
    checked = check_states(machine, states)
    rule = make_rule(machine, rates, nonnegative_input_weights)
    if nonnegative_input_weights:
        machine.clip_input_weights()
    kernels.wake_update(machine.net, rule, checked)


def sleep_update(machine: Machine, states: Any, rates: Any) -> None:
    """Learn from given states as `sleep_step` does from those that it draws: the recognition parameters, by Eq 7.

    Parameters
    ----------
    machine : Machine
    states : sequence of array_like of {0, 1}, each of shape (n_l,), l = 0 … L
        The states of all layers, as `sleep_step` returns them.
    rates : float or sequence of float, length L + 1

    Raises
    ------
    ValueError
        As `wake_update`.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 2])
    >>> fastws.sleep_update(machine, [[1, 0, 1], [1, 0]], rates=0.1)
    >>> print(machine.rec_biases[0].round(3))
    [ 0.05 -0.05]
    """
    machine.check_finite()
    checked = check_states(machine, states)
    kernels.sleep_update(machine.net, make_rule(machine, rates), checked)


def layers_of(states: NDArray[np.float32], layer_sizes: tuple[int, ...]) -> list[NDArray[np.uint8]]:
    """Return the states of each layer from those that kernels work with."""
    return [states[layer, :size].astype(np.uint8) for layer, size in enumerate(layer_sizes)]


def make_rule(machine: Machine, rates: Any, nonnegative_input_weights: bool = False) -> Rule:
    """Return the delta rule as kernels take it."""
    return Rule(check_rates(rates, len(machine.layer_sizes)), least_input_weight(nonnegative_input_weights))


def check_states(machine: Machine, states: Any, name: str = "states") -> NDArray[np.float32]:
    """Return states of all layers as the kernels take them."""
    if len(states) != len(machine.layer_sizes):
        raise ValueError(
            f"{name} has {len(states)} layers; the machine has {len(machine.layer_sizes)}, the input layer included."
        )
    checked = machine.room().states
    for layer, size in enumerate(machine.layer_sizes):
        rows = check_binary(states[layer], name=f"{name}[{layer}]")
        if rows.shape != (1, size):
            raise ValueError(f"{name}[{layer}] has shape {np.shape(states[layer])}; its layer has {size} units.")
        check_one_on(rows, machine.groups[layer], f"{name}[{layer}]")
        checked[layer, :size] = rows[0]
    return checked
