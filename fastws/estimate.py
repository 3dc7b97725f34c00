"""Measures of the paper by sampling, for machines of any size: total representations are drawn from Q(·|d)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import kernels
from fastws.checks import check_binary, check_integer
from fastws.machine import Machine
from fastws.randomness import Use, make_key

_DRAWN_AT_ONCE = 1 << 20

Costs = NDArray[np.float64]


def description_length_bits(machine: Machine, x: ArrayLike, n_samples: int = 10, seed: int = 0) -> Costs:
    """Estimate the expected description length of each input: the mean of C(α, d) over representations drawn (Eq 3).

    The paper classifies digits by this, with ten runs of each net [16].

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    n_samples : int, default=10
        Runs of the recognition net an input. The estimate is unbiased; its variance falls as 1 / n_samples.
    seed : int, default=0
        The first n representations drawn are the same for every n_samples >= n.

    Returns
    -------
    ndarray of float64, shape (n,)
        In bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or n_samples or the seed is out of range.
    """
    return _average(machine, x, n_samples, seed, lambda costs, surprises: costs.mean(axis=1))


def free_energy_bits(machine: Machine, x: ArrayLike, n_samples: int = 10, seed: int = 0) -> Costs:
    """Estimate the free energy of each input: the mean of C(α, d) + log Q(α|d) over representations drawn (Eq 5).

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    n_samples : int, default=10
        Runs of the recognition net an input. The estimate is unbiased; its variance falls as 1 / n_samples.
    seed : int, default=0
        The first n representations drawn are the same for every n_samples >= n.

    Returns
    -------
    ndarray of float64, shape (n,)
        In bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or n_samples or the seed is out of range.
    """
    return _average(machine, x, n_samples, seed, lambda costs, surprises: (costs - surprises).mean(axis=1))


def neg_log_prob_bits(machine: Machine, x: ArrayLike, n_samples: int = 10, seed: int = 0) -> Costs:
    """Bound -log2 P(d) of each input from above by importance weighting.

    P(d) is the expectation of exp(-C(α, d)) / Q(α|d) under Q; this is minus the logarithm of a mean of such weights.
    Its expectation is the free energy for one sample, never rises with n_samples (Burda, Grosse and Salakhutdinov,
    2016) and tends to -log2 P(d). A single estimate, being random, may lie below.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    n_samples : int, default=10
        Representations drawn an input.
    seed : int, default=0
        The first n representations drawn are the same for every n_samples >= n.

    Returns
    -------
    ndarray of float64, shape (n,)
        In bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or n_samples or the seed is out of range.
    """

    def minus_log_mean_weight(costs: Costs, surprises: Costs) -> Costs:
        exponents = surprises - costs
        largest = exponents.max(axis=1)
        mean: Costs = np.exp(exponents - largest[:, np.newaxis]).mean(axis=1)
        return -(largest + np.log(mean))

    return _average(machine, x, n_samples, seed, minus_log_mean_weight)


def _average(
    machine: Machine, x: ArrayLike, n_samples: int, seed: int, average: Callable[[Costs, Costs], Costs]
) -> Costs:
    inputs = check_binary(x, machine.layer_sizes[0])
    n_samples = check_integer(n_samples, "n_samples")
    key = make_key(seed, Use.ESTIMATES)
    nats = np.empty(len(inputs))
    rows = max(1, _DRAWN_AT_ONCE // n_samples)
    for first in range(0, len(inputs), rows):
        block = inputs[first : first + rows]
        costs, surprises = np.empty((2, len(block), n_samples))
        kernels.sampled_costs(key, first, *machine.parameters, block, costs, surprises)
        nats[first : first + rows] = average(costs, surprises)
    return nats / np.log(2)
