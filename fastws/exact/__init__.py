"""Exact evaluation by enumeration, in float64: Eqs 3, 5, 6 and 8 of [1]_ and the divergences of its note 15.

Figures agree on any two computers, and with the truth, to 1e-12 of the largest figure that goes into them; the last
digits are those of the matrix products of NumPy's library. Parameters may have any finite size.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastws import notebook
from fastws.checks import check_binary
from fastws.exact.careful import new_level
from fastws.exact.levels import BLOCK, Floats, Level, States, each_with_each, n_states_of_layer, states_of_layer
from fastws.machine import Machine
from fastws.softmax import has_groups
from fastws.threads import one_blas_thread

__all__ = [
    "MAX_HIDDEN",
    "Measures",
    "Report",
    "description_length_bits",
    "free_energy_bits",
    "kl_penalty_bits",
    "measures",
    "neg_log_prob_bits",
    "posterior",
    "recognition_distribution",
    "recognition_entropy_bits",
    "report",
    "representations",
]


MAX_HIDDEN = 20
"""Hidden units that can be enumerated, all layers together."""
MOST_QUICKLY_ENUMERATED = 14
"""Hidden units up to which enumeration is preferred to sampling where many images are measured."""

_MAX_BYTES = 2**30
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Report:
    """Exact measures of a machine, averaged over a distribution of inputs; all are floats, in bits.

    Attributes
    ----------
    asymmetric_divergence_bits
        KL(data ‖ model), note 15.
    kl_penalty_bits
        KL(Q ‖ P) over total representations, the last term of Eq 8.
    free_energy_bits
        Eq 5: the description length less the recognition entropy.
    neg_log_prob_bits
        -log2 P(d), the first two terms of Eq 8.
    description_length_bits
        Eq 3, expected under the recognition distribution.
    recognition_entropy_bits
        The entropy of the recognition distribution Q(·|d).
    data_entropy_bits
        The entropy of the distribution of inputs.

    Examples
    --------
    >>> import fastws
    >>> bars = fastws.Bars(size=2, p_vertical=0.5, p_bar=0.5)
    >>> report = fastws.exact.report(fastws.Machine([4, 2]), *bars.distribution())
    >>> round(report.data_entropy_bits, 6), round(report.asymmetric_divergence_bits, 6)
    (2.5, 1.5)
    """

    asymmetric_divergence_bits: float
    kl_penalty_bits: float
    free_energy_bits: float
    neg_log_prob_bits: float
    description_length_bits: float
    recognition_entropy_bits: float
    data_entropy_bits: float

    def _repr_html_(self) -> str:
        names = (field.name for field in fields(self))
        rows = {
            name.removesuffix("_bits").replace("kl", "KL").replace("_", " "): f"{getattr(self, name):.4f} bits"
            for name in names
        }
        return notebook.shown("Report", rows)


def n_representations(machine: Machine) -> int:
    """Return how many total representations there are: 2**H of H binary hidden units."""
    layers = zip(machine.layer_sizes[1:], machine.groups[1:], strict=True)
    return math.prod(n_states_of_layer(n, size) for n, size in layers)


def is_enumerable(machine: Machine, most_hidden: int = MAX_HIDDEN) -> bool:
    """Return whether a machine has no more to enumerate than one of so many binary hidden units."""
    largest = max(
        n * n_states_of_layer(n, size) for n, size in zip(machine.layer_sizes[1:], machine.groups[1:], strict=True)
    )
    return n_representations(machine) <= 2**most_hidden and largest <= most_hidden * 2**most_hidden


def check_size(machine: Machine) -> None:
    """Raise `ValueError` if the machine has too many hidden units to enumerate."""
    if is_enumerable(machine):
        return
    if has_groups(machine):
        raise ValueError(
            f"{machine} has too many representations: exact evaluation enumerates all, and takes what {MAX_HIDDEN} "
            f"binary hidden units have, 2**{MAX_HIDDEN}, and as many states of a layer. Use fastws.estimate, which "
            "samples them."
        )
    n_hidden = sum(machine.layer_sizes[1:])
    raise ValueError(
        f"the machine has {n_hidden} hidden units; exact evaluation enumerates all 2**{n_hidden} representations, "
        f"so it takes at most {MAX_HIDDEN}. Use fastws.estimate, which samples them."
    )


def representations(machine: Machine) -> States:
    """Return all total representations, in the order of `posterior` and `recognition_distribution`.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units, or 2**20 representations.

    Returns
    -------
    ndarray of uint8, shape (2**H, H)
        Row r holds the binary digits of r. The first hidden layer's units come first and are the most significant. Of a
        softmax group there are the states in which one unit is on, the first of it first; there are fewer rows then.

    Raises
    ------
    ValueError
        If the machine has more than 20 hidden units.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.representations(fastws.Machine([3, 2])).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    check_size(machine)
    layers = zip(machine.layer_sizes[1:], machine.groups[1:], strict=True)
    return each_with_each([states_of_layer(n, size) for n, size in layers])


class Measures(NamedTuple):
    """Exact measures of each input; each is an ndarray of float64, shape (n,), in bits.

    Attributes
    ----------
    description_length_bits
        The mean of C(α, d) of Eq 3 over Q(α|d).
    recognition_entropy_bits
        The entropy of Q(·|d), the second term of Eq 5.
    free_energy_bits
        C(d) of Eq 5: the description length less the recognition entropy.
    neg_log_prob_bits
        -log2 P(d), the first two terms of Eq 8.
    kl_penalty_bits
        The last term of Eq 8, the sum of Q(α|d) log2 Q(α|d) / P(α|d): by how much the free energy exceeds -log2 P(d).

    Examples
    --------
    >>> import fastws
    >>> found = fastws.exact.measures(fastws.Machine([3, 2]), [[0, 1, 1], [0, 0, 0]])
    >>> found.kl_penalty_bits.round(6)
    array([0., 0.])
    """

    description_length_bits: Floats
    recognition_entropy_bits: Floats
    free_energy_bits: Floats
    neg_log_prob_bits: Floats
    kl_penalty_bits: Floats


@one_blas_thread()
def measures(machine: Machine, x: ArrayLike) -> Measures:
    """Return all measures of each input, from tables over the representations that are made once.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units, or 2**20 representations.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    Measures

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or the machine has more than 20 hidden units or a
        parameter that is not finite.
    FloatingPointError
        If a result is not finite all the same, which NumPy's library must have computed wrongly.

    Examples
    --------
    >>> import fastws
    >>> found = fastws.exact.measures(fastws.Machine([3, 2]), [[0, 1, 1]])
    >>> found.description_length_bits.round(6)  # a bit a pixel and one a hidden unit
    array([5.])
    >>> found.free_energy_bits.round(6)  # the hidden units' bits come back
    array([3.])
    """
    return _measures(*_prepare(machine, x))


def _measures(level: Level, inputs: States) -> Measures:
    lengths, entropies, log_probs = level.description_lengths(inputs), level.entropies(inputs), level.log_probs(inputs)
    penalties = level.kl_penalties(inputs, log_probs)
    return Measures(*map(_bits, (lengths, entropies, lengths - entropies, -log_probs, penalties)))


@one_blas_thread()
def neg_log_prob_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return -log2 P(d) of each input under the generative model, shape (n,); see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.neg_log_prob_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([3.])
    """
    level, inputs = _prepare(machine, x)
    return _bits(-level.log_probs(inputs))


@one_blas_thread()
def description_length_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the expected description length of each input (Eq 3), shape (n,); see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.description_length_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([5.])
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.description_lengths(inputs))


@one_blas_thread()
def recognition_entropy_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the entropy in bits of the recognition distribution Q(·|d) of each input, shape (n,); see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.recognition_entropy_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([2.])
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.entropies(inputs))


@one_blas_thread()
def free_energy_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the free energy of each input (Eq 5), shape (n,); see `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.free_energy_bits(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([3.])
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.description_lengths(inputs) - level.entropies(inputs))


@one_blas_thread()
def kl_penalty_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the KL penalty of each input, the last term of Eq 8, at least 0, shape (n,); see `measures`.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 1])
    >>> machine.rec_biases[0][:] = 1000  # recognition always turns the unit on, generation half of the time
    >>> fastws.exact.kl_penalty_bits(machine, [[0, 1, 1]]).round(6)
    array([1.])
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.kl_penalties(inputs, level.log_probs(inputs)))


@one_blas_thread()
def posterior(machine: Machine, x: ArrayLike) -> Floats:
    """Return the posterior distribution over total representations given each input.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units, or 2**20 representations.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n, 2**H)
        P(α|d) of Eq 6; its columns are in the order of `representations`.

    Raises
    ------
    ValueError
        As `measures`, or if the result takes more than 1 GiB.
    FloatingPointError
        As `measures`.

    Examples
    --------
    >>> import fastws
    >>> fastws.exact.posterior(fastws.Machine([3, 2]), [[0, 1, 1]]).round(6)
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    level, inputs = _prepare(machine, x)
    return _fill(level.posterior, inputs, n_representations(machine))


@one_blas_thread()
def recognition_distribution(machine: Machine, x: ArrayLike) -> Floats:
    """Return the recognition distribution over total representations of each input.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units, or 2**20 representations.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n, 2**H)
        Q(α|d); its columns are in the order of `representations`.

    Raises
    ------
    ValueError
        As `measures`, or if the result takes more than 1 GiB.
    FloatingPointError
        As `measures`.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([3, 2])
    >>> machine.rec_biases[0][0] = 1000
    >>> fastws.exact.recognition_distribution(machine, [[0, 1, 1]]).round(6)
    array([[0. , 0. , 0.5, 0.5]])
    """
    level, inputs = _prepare(machine, x)
    return _fill(level.recognition, inputs, n_representations(machine))


@one_blas_thread()
def report(machine: Machine, patterns: ArrayLike, probabilities: ArrayLike) -> Report:
    """Return every measure at once, averaged over a distribution of inputs.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units, or 2**20 representations.
    patterns : array_like of {0, 1}, shape (m, n_0)
        The inputs, as `Bars.distribution` lists them. One that is given twice has the sum of its probabilities.
    probabilities : array_like of float, shape (m,)
        They sum to 1, to a billionth.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        As `measures`, or if the probabilities are not m finite numbers of at least 0 that sum to 1.
    FloatingPointError
        As `measures`.

    Examples
    --------
    >>> import fastws
    >>> report = fastws.exact.report(fastws.Machine([3, 2]), [[0, 1, 1], [0, 0, 0]], [0.5, 0.5])
    >>> round(report.asymmetric_divergence_bits, 6)  # three bits an image, where one would do
    2.0
    """
    level, inputs = _prepare(machine, patterns, "patterns")
    weights = check_probabilities(probabilities, len(inputs))
    possible = weights > 0
    inputs, which = np.unique(inputs[possible], axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), weights[possible]).astype(np.float64)

    found = _measures(level, inputs)
    surprises = _bits(-np.log(weights))
    # Rounding may pass below 0.
    divergence = float(np.maximum(weights @ (found.neg_log_prob_bits - surprises), 0.0))
    averages = {name: float(weights @ bits) for name, bits in found._asdict().items()}
    return Report(asymmetric_divergence_bits=divergence, data_entropy_bits=float(weights @ surprises), **averages)


def _prepare(machine: Machine, x: ArrayLike, name: str = "x") -> tuple[Level, States]:
    check_size(machine)
    machine.check_finite()
    return new_level(machine), check_binary(x, machine.layer_sizes[0], name)


def check_probabilities(probabilities: ArrayLike, n_patterns: int) -> Floats:
    """Return the probabilities of patterns, finite and at least 0, which sum to 1 to a billionth."""
    try:
        checked = np.asarray(probabilities, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("probabilities are not numbers; give one float for each pattern.") from error
    if checked.shape != (n_patterns,):
        raise ValueError(
            f"probabilities has shape {checked.shape}; there are {n_patterns} patterns, so give shape ({n_patterns},)."
        )
    wrong = np.flatnonzero(~((checked >= 0) & np.isfinite(checked)))
    if len(wrong):
        raise ValueError(
            f"probabilities[{wrong[0]}] is {checked[wrong[0]]}; a probability is a finite number of at least 0."
        )
    if abs(checked.sum() - 1) > _TOLERANCE:
        raise ValueError(f"probabilities sum to {checked.sum()}; they have to sum to 1. Divide them by their sum.")
    return checked


def _fill(distribution: Callable[[States], Floats], inputs: States, n_states: int) -> Floats:
    """Return a distribution over so many representations for each input, made a few inputs at a time."""
    most = _MAX_BYTES // (8 * n_states)
    if len(inputs) > most:
        raise ValueError(
            f"x has {len(inputs)} rows; over {n_states:,} representations the result would take "
            f"{8 * n_states * len(inputs) / 2**30:.2f} GiB, and at most 1 GiB is returned at once. "
            f"Give at most {most} rows at a time."
        )
    filled = np.empty((len(inputs), n_states))
    step = max(1, 64 * BLOCK // n_states)
    for start in range(0, len(inputs), step):
        filled[start : start + step] = _finite(distribution(inputs[start : start + step]))
    return filled


def _bits(nats: Floats) -> Floats:
    return _finite(nats) / math.log(2)


def _finite(results: Floats) -> Floats:
    """Return results, all of which are finite if the parameters are and the computer works.

    Raises
    ------
    FloatingPointError
        If one is not.
    """
    wrong = results[~np.isfinite(results)]
    if wrong.size:
        raise FloatingPointError(
            f"a measure came out as {wrong[0]} though all parameters are finite: the products of matrices of NumPy's "
            "library are wrong on this processor. Try another build of NumPy, or another kernel of the library, such "
            "as OPENBLAS_CORETYPE=Haswell."
        )
    return results
