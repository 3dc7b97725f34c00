"""Gradients of the free energy, the alternatives to the sleep phase that note [5] of [1]_ names.

The wake rule, Eq 4, follows the gradient of the free energy (Eq 5) in the generative parameters. The sleep rule, Eq 7,
does not in the recognition parameters. `enumerated` is the gradient in both, exactly, and takes exponentially long;
`sampled` is an unbiased estimate of it; `mean_field` is exact, by back-propagation, for an approximate free energy.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
"""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import exact
from fastws.checks import NotFiniteError, Whole, check_binary, check_integer, check_rates
from fastws.logits import logits_of
from fastws.machine import Machine
from fastws.probabilities import logistic
from fastws.softmax import check_binary_units

__all__ = ["Gradient", "descend", "enumerated", "mean_field", "mean_field_free_energy_bits", "sampled"]

Floats = NDArray[np.float64]


class Gradient(NamedTuple):
    """Derivatives of a mean free energy, in nats, with respect to the parameters of a machine.

    They are in nats, not bits, so that a step of ``-rate`` times a derivative is what Eq 4 calls a learning rate ε.

    Attributes
    ----------
    gen_weights, gen_biases, rec_weights, rec_biases : tuple of ndarray of float64
        Of the shapes of the machine's parameters of these names.

    Examples
    --------
    >>> import fastws
    >>> gradient = fastws.gradients.enumerated(fastws.Machine([3, 2]), [[0, 1, 1]])
    >>> [array.shape for array in gradient.rec_weights]
    [(3, 2)]
    """

    gen_weights: tuple[Floats, ...]
    gen_biases: tuple[Floats, ...]
    rec_weights: tuple[Floats, ...]
    rec_biases: tuple[Floats, ...]


def enumerated(machine: Machine, x: ArrayLike, probabilities: ArrayLike | None = None) -> Gradient:
    """Return the gradient of the free energy of Eq 5, a mean over inputs, by enumerating all representations.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)
    probabilities : array_like of float, shape (n,), optional
        How much each input counts; they sum to 1. By default all count the same.

    Returns
    -------
    Gradient

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, the machine has more than 20 hidden units, or the
        probabilities are not n finite numbers of at least 0 that sum to 1.

    Examples
    --------
    >>> import fastws
    >>> fastws.gradients.enumerated(fastws.Machine([3, 2]), [[0, 1, 1]]).gen_biases[0].round(6)  # p - s
    array([ 0.5, -0.5, -0.5])
    """
    check_binary_units(machine, "fastws.gradients")
    machine.check_finite()
    hidden = _split(exact.representations(machine), machine)
    inputs = check_binary(x, machine.layer_sizes[0])
    shares = np.full(len(inputs), 1 / len(inputs))
    if probabilities is not None:
        shares = exact.check_probabilities(probabilities, len(inputs))

    def term(row: NDArray[np.uint8], share: float) -> Gradient:
        layers = [np.broadcast_to(row, (len(hidden[0]), len(row))), *hidden]
        cost, surprise = _costs(machine, layers)
        q = share * np.exp(-surprise)
        return _sum(machine, layers, q, q * (cost - surprise))

    return reduce(_add, map(term, inputs, shares))


def sampled(machine: Machine, x: ArrayLike, n_samples: Whole = 2, seed: Whole = 0) -> Gradient:
    """Return an unbiased estimate of the gradient of the free energy, from representations drawn from Q(·|d).

    A representation drawn counts for the recognition parameters by C(α, d) + log Q(α|d), its own share in the free
    energy, less the mean share of the others drawn for the same input. Taking that off leaves the estimate unbiased
    and makes it far less noisy; a single sample has no others, so that nothing is taken off.

    Parameters
    ----------
    machine : Machine
        Of any size; but the noise grows with it (note [5] of the paper).
    x : array_like of {0, 1}, shape (n, n_0)
    n_samples : int, default=2
        Representations drawn an input.
    seed : int, default=0

    Returns
    -------
    Gradient
        The estimate of the gradient of the mean over the inputs.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, n_samples or the seed is out of range, or a parameter of
        the machine is not finite.

    Examples
    --------
    >>> import fastws
    >>> fastws.gradients.sampled(fastws.Machine([3, 2]), [[0, 1, 1]]).gen_biases[0].round(6)
    array([ 0.5, -0.5, -0.5])
    """
    check_binary_units(machine, "fastws.gradients")
    inputs = check_binary(x, machine.layer_sizes[0]).repeat(check_integer(n_samples, "n_samples"), axis=0)
    layers = [inputs, *machine.representations(inputs, seed)]
    cost, surprise = _costs(machine, layers)
    shares = (cost - surprise).reshape(-1, n_samples)
    if n_samples > 1:
        shares = (shares - shares.mean(axis=1, keepdims=True)) * n_samples / (n_samples - 1)
    each = np.full(len(inputs), 1 / len(inputs))
    return _sum(machine, layers, each, shares.ravel() * each)


def mean_field(machine: Machine, x: ArrayLike) -> Gradient:
    """Return the gradient of `mean_field_free_energy_bits`, a mean over inputs (but in nats), by back-propagation.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    Gradient

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or a parameter of the machine is not finite.

    Examples
    --------
    >>> import fastws
    >>> fastws.gradients.mean_field(fastws.Machine([3, 2]), [[0, 1, 1]]).gen_weights[0].round(6)
    array([[ 0.25, -0.25, -0.25],
           [ 0.25, -0.25, -0.25]])
    """
    rec_logits, means, gen_logits = _mean_field_pass(machine, x)
    n = len(means[0])
    errors = [logistic(logits) - mean for logits, mean in zip(gen_logits, means, strict=True)]
    gen_weights = tuple(upper.T @ error / n for upper, error in zip(means[1:], errors, strict=False))
    gen_biases = tuple(error.mean(axis=0) for error in errors)
    rec_weights: list[Floats] = []
    rec_biases: list[Floats] = []
    from_above: Any = 0.0
    for level in reversed(range(len(rec_logits))):
        # A unit's mean costs -a as a driven unit, weighs on the layer below as a driving one, and has an entropy.
        by_mean = rec_logits[level] - gen_logits[level + 1] + errors[level] @ _double(machine.gen_weights[level]).T
        mean = means[level + 1]
        delta = (by_mean + from_above) * mean * (1 - mean)
        rec_weights.insert(0, means[level].T @ delta / n)
        rec_biases.insert(0, delta.mean(axis=0))
        from_above = delta @ _double(machine.rec_weights[level]).T
    return Gradient(gen_weights, gen_biases, tuple(rec_weights), tuple(rec_biases))


def mean_field_free_energy_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the free energy of each input when every hidden unit passes on its probability in place of a state.

    Both recognition and generation are driven by the probabilities, so no representation is drawn. The result is close
    to `exact.free_energy_bits` where units are nearly certain, and may lie on either side of it.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        In bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or a parameter of the machine is not finite.

    Examples
    --------
    >>> import fastws
    >>> fastws.gradients.mean_field_free_energy_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([3.])
    """
    rec_logits, means, gen_logits = _mean_field_pass(machine, x)
    nats = np.zeros(len(means[0]))
    for logits, mean in zip(gen_logits, means, strict=True):
        nats += _layer_cost(logits, mean)
    for logits, mean in zip(rec_logits, means[1:], strict=True):
        nats -= _layer_cost(logits, mean)
    return nats / math.log(2)


def descend(machine: Machine, gradient: Gradient, rates: Any, nonnegative_input_weights: bool = False) -> None:
    """Take a step down a gradient, in place.

    Parameters
    ----------
    machine : Machine
    gradient : Gradient
    rates : float or sequence of float, length L + 1
        The learning rate ε of each level; the last is that of the top layer's generative biases.
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Raises
    ------
    ValueError
        If a rate is not a finite number of at least 0, or a parameter is not finite, or would not be after the step,
        which is then not taken.

    Examples
    --------
    >>> import fastws
    >>> machine, x = fastws.Machine([3, 2]), [[0, 1, 1]]
    >>> fastws.gradients.descend(machine, fastws.gradients.enumerated(machine, x), rates=0.1)
    >>> print(machine.gen_biases[0].round(3))
    [-0.05  0.05  0.05]
    """
    checked = check_rates(rates, len(machine.layer_sizes))
    machine.check_finite()
    after = machine.copy()
    for name, derivatives in gradient._asdict().items():
        for level, (parameter, derivative) in enumerate(zip(getattr(after, name), derivatives, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):  # it is said better
                parameter -= checked[level] * derivative
            if not np.isfinite(parameter).all():
                raise NotFiniteError(
                    f"with the learning rate {checked[level]:g} of level {level} a step down this gradient makes "
                    f"{name}[{level}] infinite or not a number; give a smaller rate, or a finite gradient."
                )
    machine._assign(after.arrays())
    if nonnegative_input_weights:
        machine.clip_input_weights()


def _costs(machine: Machine, layers: Sequence[NDArray[Any]]) -> tuple[Floats, Floats]:
    """Return C(α, d) of Eq 3 and -log Q(α|d) of each row of states, in nats."""
    cost = _layer_cost(_double(machine.gen_biases[-1]), layers[-1])
    surprise = np.zeros(len(layers[0]))
    for level, (lower, upper) in enumerate(pairwise(layers)):
        cost = cost + _layer_cost(_gen_logits(machine, level, upper), lower)
        surprise += _layer_cost(_rec_logits(machine, level, lower), upper)
    return cost, surprise


def _sum(machine: Machine, layers: Sequence[NDArray[Any]], gen_factors: Floats, rec_factors: Floats) -> Gradient:
    """Return the sums over rows of states of factor times gradient, of C(α, d) and of log Q(α|d)."""
    gen_weights, gen_biases, rec_weights, rec_biases = [], [], [], []
    for level, (lower, upper) in enumerate(pairwise(layers)):
        error = (logistic(_gen_logits(machine, level, upper)) - lower) * gen_factors[:, np.newaxis]  # Eq 4
        gen_weights.append(upper.T @ error)
        gen_biases.append(error.sum(axis=0))
        error = (upper - logistic(_rec_logits(machine, level, lower))) * rec_factors[:, np.newaxis]
        rec_weights.append(lower.T @ error)
        rec_biases.append(error.sum(axis=0))
    gen_biases.append(gen_factors @ (logistic(_double(machine.gen_biases[-1])) - layers[-1]))
    return Gradient(tuple(gen_weights), tuple(gen_biases), tuple(rec_weights), tuple(rec_biases))


def _add(a: Gradient, b: Gradient) -> Gradient:
    return Gradient(*(tuple(map(np.add, x, y)) for x, y in zip(a, b, strict=True)))


def _mean_field_pass(machine: Machine, x: ArrayLike) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Return the logits of recognition (of levels), the means and the logits of generation (of layers)."""
    check_binary_units(machine, "fastws.gradients")
    machine.check_finite()
    means = [check_binary(x, machine.layer_sizes[0]).astype(np.float64)]
    rec_logits = []
    for level in range(len(machine.rec_weights)):
        rec_logits.append(_rec_logits(machine, level, means[-1]))
        means.append(logistic(rec_logits[-1]))
    gen_logits = [_gen_logits(machine, level, upper) for level, upper in enumerate(means[1:])]
    gen_logits.append(np.broadcast_to(_double(machine.gen_biases[-1]), means[-1].shape))
    return rec_logits, means, gen_logits


def _rec_logits(machine: Machine, level: int, lower: NDArray[Any]) -> Floats:
    return logits_of(lower, machine.rec_weights[level], machine.rec_biases[level])


def _gen_logits(machine: Machine, level: int, upper: NDArray[Any]) -> Floats:
    return logits_of(upper, machine.gen_weights[level], machine.gen_biases[level])


def _double(array: NDArray[np.float32]) -> Floats:
    return array.astype(np.float64)


def _layer_cost(logits: Floats, means: NDArray[Any]) -> Floats:
    """Return the sum over a layer of Eq 2, for states or their means, shape (n,)."""
    return np.asarray((np.logaddexp(0.0, logits) - means * logits).sum(axis=1))


def _split(rows: NDArray[np.uint8], machine: Machine) -> list[NDArray[np.uint8]]:
    return np.split(rows, np.cumsum(machine.layer_sizes[1:-1]), axis=1)
