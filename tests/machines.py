"""Machines to test with."""

import numpy as np

from fastws.machine import Machine


def random_machine(layer_sizes, seed=0, groups=None):
    """Return a machine whose parameters are uniform in [-3, 3]."""
    machine, rng = Machine(layer_sizes, groups), np.random.default_rng(seed)
    for array in parameter_arrays(machine):
        array[...] = rng.uniform(-3, 3, array.shape)
    return machine


def parameter_arrays(machine):
    return [*machine.gen_weights, *machine.gen_biases, *machine.rec_weights, *machine.rec_biases]


def parameter_bits(machine):
    """Return the parameters' bit patterns; machines that are the same to the bit have equal ones."""
    return np.concatenate([np.ascontiguousarray(array).view(np.uint32).ravel() for array in parameter_arrays(machine)])
