"""Measures of the paper by sampling, for machines of any size: total representations are drawn from Q(·|d)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import Whole, check_binary, check_integer
from fastws.kernels.costs import average_costs, sampled_costs
from fastws.kernels.elementary import LOG_2
from fastws.machine import Machine
from fastws.randomness import Use, make_key
from fastws.threads import shares, side_by_side

__all__ = ["Measures", "description_length_bits", "free_energy_bits", "measures", "neg_log_prob_bits"]

# Costs and surprises of one call of the kernel: 256 KiB, which stay in a core's cache until they are averaged.
_DRAWN_AT_ONCE = 1 << 14

Costs = NDArray[np.float64]


class Measures(NamedTuple):
    """Three measures of the same representations; each of shape (n,), in bits.

    Attributes
    ----------
    description_length_bits : ndarray of float64
    free_energy_bits : ndarray of float64
    neg_log_prob_bits : ndarray of float64
        As the functions of these names give them.

    Examples
    --------
    >>> import fastws
    >>> fastws.estimate.measures(fastws.Machine([3, 2]), [[0, 1, 1], [0, 0, 0]]).free_energy_bits.round(6)
    array([3., 3.])
    """

    description_length_bits: Costs
    free_energy_bits: Costs
    neg_log_prob_bits: Costs


def description_length_bits(machine: Machine, x: ArrayLike, n_samples: Whole = 10, seed: Whole = 0) -> Costs:
    """Estimate the expected description length of each input: the mean of C(α, d) over representations drawn (Eq 3).

    The paper classifies digits by this, with ten runs of each net [16]. The estimate is unbiased; its variance falls as
    1 / n_samples. Shape (n,), in bits; see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.estimate.description_length_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([5.])
    """
    return measures(machine, x, n_samples, seed).description_length_bits


def free_energy_bits(machine: Machine, x: ArrayLike, n_samples: Whole = 10, seed: Whole = 0) -> Costs:
    """Estimate the free energy of each input: the mean of C(α, d) + log Q(α|d) over representations drawn (Eq 5).

    The estimate is unbiased; its variance falls as 1 / n_samples. Shape (n,), in bits; see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.estimate.free_energy_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([3.])
    """
    return measures(machine, x, n_samples, seed).free_energy_bits


def neg_log_prob_bits(machine: Machine, x: ArrayLike, n_samples: Whole = 10, seed: Whole = 0) -> Costs:
    """Bound -log2 P(d) of each input from above by importance weighting.

    P(d) is the expectation of exp(-C(α, d)) / Q(α|d) under Q; this is minus the logarithm of a mean of such weights.
    Its expectation is the free energy for one sample, never rises with n_samples (Burda, Grosse and Salakhutdinov,
    2016) and tends to -log2 P(d). A single estimate, being random, may lie below. Shape (n,), in bits; see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.estimate.neg_log_prob_bits(fastws.Machine([3, 2]), [[0, 1, 1]], n_samples=100).round(6)
    array([3.])
    """
    return measures(machine, x, n_samples, seed).neg_log_prob_bits


def measures(
    machine: Machine,
    x: ArrayLike,
    n_samples: Whole = 10,
    seed: Whole = 0,
    same_in_any_company: bool = False,
    n_threads: int | None = None,
) -> Measures:
    """Estimate all three measures of each input from representations that are drawn once.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    n_samples : int, default=10
        Representations drawn an input.
    seed : int, default=0
        The first n representations drawn are the same for every n_samples >= n.
    same_in_any_company : bool, default=False
        Let the draws for an input depend on its pixels and not on its row: an image then has the same estimates among
        any other images, and equal images have equal ones.
    n_threads : int, optional
        As many as there are cores by default; the estimates are the same.

    Returns
    -------
    Measures

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, n_samples, the seed or n_threads is out of range, or a
        parameter of the machine is not finite.

    Examples
    --------
    >>> import fastws
    >>> found = fastws.estimate.measures(fastws.Machine([3, 2]), [[0, 1, 1]], n_samples=20)
    >>> [bits.round(6).tolist() for bits in found]  # of a machine that knows nothing, whatever is drawn
    [[5.0], [3.0], [3.0]]
    """
    inputs = check_binary(x, machine.layer_sizes[0])
    n_samples = check_integer(n_samples, "n_samples")
    if n_threads is not None:
        check_integer(n_threads, "n_threads")
    key = make_key(seed, Use.ESTIMATES)
    machine.check_finite()
    nats = np.empty((3, len(inputs)))
    rows = min(len(inputs), max(1, _DRAWN_AT_ONCE // n_samples))

    def draw(firsts: Sequence[int], check: Callable[[object], None]) -> None:
        space = np.empty((2, rows, n_samples))
        room = machine.room()
        for first in firsts:
            check(first)
            block = inputs[first : first + rows]
            costs, surprises = space[:, : len(block)]
            rows_of_block = np.arange(first, first + len(block), dtype=np.uint64)
            numbers = _numbers(block) if same_in_any_company else rows_of_block
            sampled_costs(key, numbers, machine.net, room, block, costs, surprises)
            average_costs(costs, surprises, nats[:, first : first + len(block)], room.parts)

    side_by_side([partial(draw, firsts) for firsts in shares(range(0, len(inputs), rows))], n_threads)
    return Measures(*(nats / LOG_2))


def _numbers(inputs: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a whole number below 2^32 for each input, a hash of its pixels."""
    packed = np.packbits(inputs, axis=1)
    n_words = -(-packed.shape[1] // 8)
    words = np.pad(packed, ((0, 0), (0, 8 * n_words - packed.shape[1]))).view("<u8")
    factors = np.random.SeedSequence(0).generate_state(n_words, np.uint64) | np.uint64(1)
    return np.asarray((words * factors).sum(axis=1) >> np.uint64(32))
