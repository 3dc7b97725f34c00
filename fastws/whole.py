"""One step of a simulation, seen whole."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.types import Record
from fastws.machine import Machine
from fastws.steps import layers_of

__all__ = ["Changes", "Step"]

Levels = list[NDArray[np.float32]]


class Changes(NamedTuple):
    """By how much each parameter of a machine changed, in float32; the arrays are those of `Machine`.

    Attributes
    ----------
    gen_weights : list of ndarray, `gen_weights[l]` of shape (n_{l+1}, n_l)
    gen_biases : list of ndarray, `gen_biases[l]` of shape (n_l,), l = 0 … L
    rec_weights : list of ndarray, `rec_weights[l]` of shape (n_l, n_{l+1})
    rec_biases : list of ndarray, `rec_biases[l]` of shape (n_{l+1},)

    Examples
    --------
    >>> import fastws
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(100, 0.1)])
    >>> print(abs(run.step().changes.gen_biases[0]).round(3))  # 0.1 (s - p), and p was 1/2
    [0.05 0.05 0.05 0.05]
    """

    gen_weights: Levels
    gen_biases: Levels
    rec_weights: Levels
    rec_biases: Levels


class Step(NamedTuple):
    """A wake step and a sleep step from one example: what was drawn, what it was compared with, what changed.

    A weight from unit u to unit v changed by ε s_u (s_v - p_v) (Eq 4, and Eq 7 with q for p), a bias by ε (s_v - p_v),
    but for rounding: the changes are the parameters after the step minus those before it, as they are stored in
    float32. What is too small beside a parameter is lost. A weight that may not be negative stops at zero, and one that
    was found negative is set to zero first.

    Attributes
    ----------
    example : int
        The number of the example, from 0 on.
    rates : ndarray of float32, shape (L + 1,)
        The learning rate ε of each level.
    image : ndarray of uint8, shape (n_0,)
    wake_states : list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The image and the total representation of it that recognition drew.
    generative_probabilities : list of ndarray of float32, each of shape (n_l,), l = 0 … L
        The p_v of Eq 4, by Eq 1: with which generation would have turned on the units of a layer, given the wake states
        of the layer above. To the bit, those that the update used.
    sleep_states : list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The fantasy and the total representation that it was drawn from.
    recognition_probabilities : list of ndarray of float32, shapes (n_{l+1},), l = 0 … L - 1
        The q_v of Eq 7: with which recognition would have turned on the units of hidden layer l + 1, given the sleep
        states of layer l.
    changes : Changes

    Examples
    --------
    >>> import fastws
    >>> run = fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(size=2), [(100, 0.1)])
    >>> step = run.step()
    >>> [layer.shape for layer in step.wake_states]
    [(4,), (2,)]
    >>> print(step.generative_probabilities[0].round(3))  # of a machine that has learned nothing yet
    [0.5 0.5 0.5 0.5]
    """

    example: int
    rates: NDArray[np.float32]
    image: NDArray[np.uint8]
    wake_states: list[NDArray[np.uint8]]
    generative_probabilities: Levels
    sleep_states: list[NDArray[np.uint8]]
    recognition_probabilities: Levels
    changes: Changes


def whole_step(machine: Machine, before: Machine, example: int, rates: NDArray[np.float32], record: Record) -> Step:
    """Return a step of a machine, which was like another one before, of which this was written down."""
    sizes = machine.layer_sizes
    generative, recognition = (
        [row[:size].copy() for row, size in zip(rows, sizes, strict=True)]
        for rows in (record.generative, record.recognition)
    )
    wake_states = layers_of(record.wake_states, sizes)
    return Step(
        example,
        rates.copy(),
        wake_states[0].copy(),
        wake_states,
        generative,
        layers_of(record.sleep_states, sizes),
        recognition[1:],
        Changes(*(_differences(getattr(machine, name), getattr(before, name)) for name in Changes._fields)),
    )


def _differences(after: tuple[NDArray[np.float32], ...], before: tuple[NDArray[np.float32], ...]) -> Levels:
    return [new - old for new, old in zip(after, before, strict=True)]
