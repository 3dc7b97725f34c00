"""What the page shows of single units: the draws of one, and what each costs."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.kernels import ledger
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.softmax import check_binary_units


def draw_unit(bias: float, weights: list[float], states: list[int], n: int, seed: int) -> dict[str, Any]:
    """Draw the states of one unit with the kernels (Eq 1).

    Returns
    -------
    dict
        `logit` and `p`, float; `thresholds`, ndarray of float32, shape (n,), and `states`, of uint8: 1 where the logit
        is above the threshold.
    """
    machine = Machine([1, max(1, len(weights))])
    machine.gen_biases[0][:] = bias
    machine.gen_weights[0][: len(weights), 0] = weights
    machine.check_finite()
    room = machine.room()
    room.states[1, : len(states)] = states
    answer, thresholds, drawn = np.zeros(2, np.float32), np.zeros(n, np.float32), np.zeros(n, np.uint8)
    ledger.sample_unit(make_key(seed, Use.STREAM), machine.net, room, answer, thresholds, drawn)
    logit, p = answer.tolist()
    return {"logit": logit, "p": p, "thresholds": thresholds, "states": drawn}


def unit_bits(machine: Machine, states: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each unit costs in bits, of total representations with their inputs, a row each (Eq 2).

    Returns
    -------
    costs : ndarray of float64, shape (n, units of all layers)
        Under the generative model; a row's sum is C(α, d), Eq 3.
    surprises : ndarray of float64, shape (n, hidden units)
        Under recognition; a row's sum is -log2 Q(α|d).
    """
    check_binary_units(machine, "the ledger of units")
    machine.check_finite()
    costs = np.zeros(states.shape)
    surprises = np.zeros((len(states), states.shape[1] - machine.layer_sizes[0]))
    ledger.unit_costs(machine.net, machine.room(), states, costs, surprises)
    return costs / math.log(2), surprises / math.log(2)
