"""What the properties compare with: the paper's costs in float64, and their derivatives by finite differences."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fastws.machine import Machine

Floats = NDArray[np.float64]
States = NDArray[np.uint8]
Parameters = dict[str, Floats]
Layers = list[States]
"""The states of all layers, a row an example."""

# Central differences of sums of softplus: 1e-11 off by truncation, 1e-10 by rounding.
_STEP = 1e-5


def parameters(machine: Machine) -> Parameters:
    """Return the parameters by name, as ``machine.arrays()`` has them, in float64."""
    return {name: array.astype(np.float64) for name, array in machine.arrays().items()}


def all_layers(layer_sizes: Sequence[int]) -> Layers:
    """Return the states of all layers in every combination."""
    rows = np.array(list(itertools.product((0, 1), repeat=sum(layer_sizes))), np.uint8)
    return split(rows, layer_sizes)


def all_representations(layer_sizes: Sequence[int], d: States) -> Layers:
    """Return an input with each of its total representations."""
    hidden = all_layers(layer_sizes[1:])
    return [np.tile(d, (len(hidden[0]), 1)), *hidden]


def split(rows: States, layer_sizes: Sequence[int]) -> Layers:
    """Cut rows of states into layers."""
    return np.split(rows, np.cumsum(layer_sizes[:-1]), axis=1)


def softplus(a: Floats) -> Floats:
    """Return log(1 + exp(a))."""
    return np.logaddexp(0.0, a)


def _layer_costs(logits: Floats, states: States) -> Floats:
    """Return the cost of a layer in nats: Eq 2, summed over its units, shape (n,)."""
    costs: Floats = (softplus(logits) - states * logits).sum(axis=1)
    return costs


def description_lengths(parameters: Parameters, layers: Layers) -> Floats:
    """Return C(α, d) of Eq 3 of each example in nats, which is -log P(α, d), shape (n,)."""
    top = len(layers) - 1
    costs = _layer_costs(np.broadcast_to(parameters[f"gen_biases_{top}"], layers[top].shape), layers[top])
    for level in range(top):
        logits = layers[level + 1] @ parameters[f"gen_weights_{level}"] + parameters[f"gen_biases_{level}"]
        costs += _layer_costs(logits, layers[level])
    return costs


def recovery_costs(parameters: Parameters, layers: Layers) -> Floats:
    """Return -log Q(α|d) of each example in nats, whose expectation over fantasies Eq 7 lowers, shape (n,)."""
    costs = np.zeros(len(layers[0]))
    for level in range(len(layers) - 1):
        logits = layers[level] @ parameters[f"rec_weights_{level}"] + parameters[f"rec_biases_{level}"]
        costs += _layer_costs(logits, layers[level + 1])
    return costs


def gradient(cost: Callable[[Parameters], float], at: Parameters, names: Sequence[str]) -> Parameters:
    """Return the derivatives of a cost by the parameters of the given names, by central differences."""
    moved = {name: array.copy() for name, array in at.items()}
    derivatives = {}
    for name in names:
        derivative = np.empty(at[name].shape)
        for place in np.ndindex(at[name].shape):
            costs = []
            for step in (_STEP, -_STEP):
                moved[name][place] = at[name][place] + step
                costs.append(cost(moved))
            moved[name][place] = at[name][place]
            derivative[place] = (costs[0] - costs[1]) / (2 * _STEP)
        derivatives[name] = derivative
    return derivatives


def with_exact_recognition(machine: Machine) -> Machine:
    """Return a machine with one hidden layer whose recognition distribution is its posterior.

    It has the first two layers of the given one. Each input keeps one weight: hidden units that share no input are
    independent given the input, and their logits are linear in it.
    """
    n_inputs, n_hidden = machine.layer_sizes[:2]
    exact = Machine([n_inputs, n_hidden])
    exact.gen_biases[0][:] = machine.gen_biases[0]
    exact.gen_biases[1][:] = machine.gen_biases[1]
    for i in range(n_inputs):
        exact.gen_weights[0][i % n_hidden, i] = machine.gen_weights[0][i % n_hidden, i]
    exact.rec_weights[0][...] = exact.gen_weights[0].T
    weights, biases = exact.gen_weights[0].astype(np.float64), exact.gen_biases[0].astype(np.float64)
    exact.rec_biases[0][:] = exact.gen_biases[1] + (softplus(biases) - softplus(biases + weights)).sum(axis=1)
    return exact


def in_bits(nats: float) -> float:
    """Return nats in bits."""
    return nats / math.log(2)
