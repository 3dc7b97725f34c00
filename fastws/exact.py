"""Exact evaluation by enumeration, in float64: Eqs 3, 5, 6 and 8 of [1]_ and the divergences of its note 15.

The layers form a chain: given the states h of layer l + 1, nothing above it depends on layer l. So every measure of
layer l follows from the same measure of layer l + 1, tabulated over all h, and the inputs are the rows of layer 0. Only
pairs of adjacent layers are ever enumerated.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import check_binary
from fastws.machine import Machine
from fastws.threads import shares, side_by_side

__all__ = [
    "MAX_HIDDEN",
    "Report",
    "description_length_bits",
    "free_energy_bits",
    "kl_penalty_bits",
    "neg_log_prob_bits",
    "posterior",
    "recognition_distribution",
    "recognition_entropy_bits",
    "report",
    "representations",
]

Floats = NDArray[np.float64]
States = NDArray[np.uint8]

MAX_HIDDEN = 20
"""Hidden units that can be enumerated, all layers together."""
MOST_QUICKLY_ENUMERATED = 14
"""Hidden units up to which enumeration is preferred to sampling where many images are measured."""

_MAX_BYTES = 2**30
_TOLERANCE = 1e-9
# A block of 2**16 numbers, with its like beside it, stays in a core's second-level cache.
_BLOCK = 2**16
_MAX_TRAILING = 10
# Terms of a sum of at most 2**10 that underflow are parts of it below a float's precision, if it is at least this.
_LEAST_SUM = 1e-285


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
    """

    asymmetric_divergence_bits: float
    kl_penalty_bits: float
    free_energy_bits: float
    neg_log_prob_bits: float
    description_length_bits: float
    recognition_entropy_bits: float
    data_entropy_bits: float


def check_size(machine: Machine) -> None:
    """Raise `ValueError` if the machine has too many hidden units to enumerate."""
    n_hidden = sum(machine.layer_sizes[1:])
    if n_hidden > MAX_HIDDEN:
        raise ValueError(
            f"the machine has {n_hidden} hidden units; exact evaluation enumerates all 2**{n_hidden} representations, "
            f"so it takes at most {MAX_HIDDEN}. Use fastws.estimate, which samples them."
        )


def representations(machine: Machine) -> States:
    """Return all total representations, in the order of `posterior` and `recognition_distribution`.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.

    Returns
    -------
    ndarray of uint8, shape (2**H, H)
        Row r holds the binary digits of r. The first hidden layer's units come first and are the most significant.

    Raises
    ------
    ValueError
        If the machine has more than 20 hidden units.
    """
    check_size(machine)
    return _all_states(sum(machine.layer_sizes[1:]))


def neg_log_prob_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the negative log probability of each input under the generative model.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        -log2 P(d), the first two terms of Eq 8, in bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, or the machine has more than 20 hidden units or a
        parameter that is not finite.
    """
    level, inputs = _prepare(machine, x)
    return _bits(-level.log_probs(inputs))


def description_length_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the description length of each input, expected under the recognition distribution.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        The mean of C(α, d) of Eq 3 over Q(α|d), in bits.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`.
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.description_lengths(inputs))


def recognition_entropy_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the entropy of the recognition distribution Q(·|d) of each input.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        The second term of Eq 5, in bits.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`.
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.entropies(inputs))


def free_energy_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the free energy of each input: its description length less the recognition entropy.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        C(d) of Eq 5, in bits.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`.
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.description_lengths(inputs) - level.entropies(inputs))


def kl_penalty_bits(machine: Machine, x: ArrayLike) -> Floats:
    """Return the KL penalty of each input, by how much its free energy exceeds -log2 P(d).

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n,)
        The last term of Eq 8, the sum of Q(α|d) log2 Q(α|d) / P(α|d), in bits; at least 0.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`.
    """
    level, inputs = _prepare(machine, x)
    return _bits(level.kl_penalties(inputs, level.log_probs(inputs)))


def posterior(machine: Machine, x: ArrayLike) -> Floats:
    """Return the posterior distribution over total representations given each input.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n, 2**H)
        P(α|d) of Eq 6; its columns are in the order of `representations`.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`, or if the result takes more than 1 GiB.
    """
    level, inputs = _prepare(machine, x)
    return _fill(level.posterior, inputs, sum(machine.layer_sizes[1:]))


def recognition_distribution(machine: Machine, x: ArrayLike) -> Floats:
    """Return the recognition distribution over total representations of each input.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
    x : array_like of {0, 1}, shape (n, n_0)

    Returns
    -------
    ndarray of float64, shape (n, 2**H)
        Q(α|d); its columns are in the order of `representations`.

    Raises
    ------
    ValueError
        As `neg_log_prob_bits`, or if the result takes more than 1 GiB.
    """
    level, inputs = _prepare(machine, x)
    return _fill(level.recognition, inputs, sum(machine.layer_sizes[1:]))


def report(machine: Machine, patterns: ArrayLike, probabilities: ArrayLike) -> Report:
    """Return every measure at once, averaged over a distribution of inputs.

    Parameters
    ----------
    machine : Machine
        At most 20 hidden units.
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
        As `neg_log_prob_bits`, or if the probabilities are not m finite numbers of at least 0 that sum to 1.
    """
    level, inputs = _prepare(machine, patterns, "patterns")
    weights = _check_probabilities(probabilities, len(inputs))
    possible = weights > 0
    inputs, which = np.unique(inputs[possible], axis=0, return_inverse=True)
    weights = np.bincount(which.ravel(), weights[possible]).astype(np.float64)

    log_probs = level.log_probs(inputs)
    description_lengths = level.description_lengths(inputs)
    entropies = level.entropies(inputs)

    def average(nats: Floats) -> float:
        return float(weights @ nats) / math.log(2)

    return Report(
        asymmetric_divergence_bits=max(0.0, average(np.log(weights) - log_probs)),  # rounding may pass below 0
        kl_penalty_bits=average(level.kl_penalties(inputs, log_probs)),
        free_energy_bits=average(description_lengths - entropies),  # Eq 5
        neg_log_prob_bits=average(-log_probs),
        description_length_bits=average(description_lengths),
        recognition_entropy_bits=average(entropies),
        data_entropy_bits=average(-np.log(weights)),
    )


class _Level:
    """Level l of a machine: layer l, whose rows of states are given, and all states h of layer l + 1, in nats.

    A number for every h is a table of shape (2**n_leading, 2**n_trailing): a row for each state of the upper layer's
    leading units, a column for each state of its trailing units. A sum over units then splits in two, and what a pair
    (s, h) adds to it costs an addition or two. Parameters may be huge: every logarithm comes from logits and stays
    finite, and a probability that underflows multiplies finite numbers only.
    """

    def __init__(self, machine: Machine, level: int) -> None:
        self.gen_weights, self.gen_biases, self.rec_weights, self.rec_biases = (
            np.asarray(parameter[level], np.float64)
            for parameter in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases)
        )
        n_upper, self.n_lower = self.gen_weights.shape
        self.n_trailing = min(n_upper, _MAX_TRAILING)
        self.n_leading = n_upper - self.n_trailing
        self.leading_states, self.trailing_states = (
            _all_states(n).astype(np.float64) for n in (self.n_leading, self.n_trailing)
        )
        self.above = _Level(machine, level + 1) if level + 2 < len(machine.layer_sizes) else None
        self.top_biases = np.asarray(machine.gen_biases[-1], np.float64)

    def log_probs(self, rows: States) -> Floats:
        """Return log P(s) of each row s: the sum over h of P(h) P(s|h), shape (n,)."""
        log_probs = np.empty(len(rows))
        for block, s in self._blocks(rows):
            leading, trailing = self._driven_sums(s)
            log_probs[block] = _log_sum_exp(self._log_sums(trailing) + leading) + s @ self.gen_biases
        return log_probs

    def _log_sums(self, trailing: Floats) -> Floats:
        """Return the logarithm of the sum over trailing units of exp(log factor + trailing), a column a leading state.

        The sum is a product of matrices, unless it is so small that terms which underflow would count.
        """
        largest, factors = self._scaled_factors
        own_largest = trailing.max(axis=1, keepdims=True)
        sums = np.exp(trailing - own_largest) @ factors.T
        log_sums: Floats = np.log(np.maximum(sums, _LEAST_SUM)) + largest + own_largest
        for k in np.flatnonzero((sums < _LEAST_SUM).any(axis=0)):
            small = sums[:, k] < _LEAST_SUM
            log_sums[small, k] = _log_sum_exp(self._log_factors[k] + trailing[small])
        return log_sums

    @cached_property
    def _scaled_factors(self) -> tuple[Floats, Floats]:
        """The largest log factor of each leading state, and the factors as parts of it."""
        largest = self._log_factors.max(axis=1)
        return largest, np.exp(self._log_factors - largest[:, np.newaxis])

    def description_lengths(self, rows: States) -> Floats:
        """Return the mean of C(s|h) + C(h, above) over Q(h, above|s) for each row s, shape (n,)."""
        lengths = np.empty(len(rows))
        for block, s in self._blocks(rows):
            logits = self._rec_logits(s)
            # C(s|h) is the sum of softplus(a) - s a, and the mean of the logits a is the logit of the mean h.
            mean_logits = np.exp(-_softplus(-logits)) @ self.gen_weights + self.gen_biases
            lengths[block] = self._expected(self._upper_lengths + self._softplus_sums, logits)
            lengths[block] -= np.vecdot(s, mean_logits)
        return lengths

    def entropies(self, rows: States) -> Floats:
        """Return the entropy of Q(h, above|s) for each row s, shape (n,)."""
        entropies = np.empty(len(rows))
        for block, s in self._blocks(rows):
            logits = self._rec_logits(s)
            on, off = _softplus(-logits), _softplus(logits)  # costs of a unit being on, and off
            own = (np.exp(-on) * on + np.exp(-off) * off).sum(axis=1)
            entropies[block] = own + self._expected(self._upper_entropies, logits)
        return entropies

    def kl_penalties(self, rows: States, log_probs: Floats) -> Floats:
        """Return KL(Q(h, above|s) ‖ P(h, above|s)) for each row s, whose log P(s) are given, shape (n,).

        By the chain rule it is the mean over Q(h|s) of log Q(h|s) - log P(h|s) and of the same divergence above h.
        """
        penalties = np.empty(len(rows))
        table = self._upper_penalties - self._log_factors
        for block, s in self._blocks(rows):
            gen_leading, gen_trailing = self._driven_sums(s)
            logits = self._rec_logits(s)
            rec_leading, rec_trailing = self._log_recognition(logits)
            own = np.vecdot(np.exp(rec_leading), rec_leading - gen_leading)
            own += np.vecdot(np.exp(rec_trailing), rec_trailing - gen_trailing)
            penalties[block] = own + self._expected(table, logits) + log_probs[block] - s @ self.gen_biases
        return np.maximum(penalties, 0.0)  # rounding may pass below 0

    def posterior(self, rows: States) -> Floats:
        """Return P(h, above|s) of each row s, Eq 6, shape (n, states of all layers above)."""
        s = rows.astype(np.float64)
        leading, trailing = self._driven_sums(s)
        leading += (s @ self.gen_biases - self.log_probs(rows))[:, np.newaxis]
        own = np.exp(self._log_factors + trailing[:, np.newaxis, :] + leading[:, :, np.newaxis])
        return self._join(own, self._upper_posterior)

    def recognition(self, rows: States) -> Floats:
        """Return Q(h, above|s) of each row s, shape (n, states of all layers above)."""
        leading, trailing = self._log_recognition(self._rec_logits(rows.astype(np.float64)))
        own = np.exp(trailing[:, np.newaxis, :] + leading[:, :, np.newaxis])
        return self._join(own, self._upper_recognition)

    @cached_property
    def _states(self) -> States:
        return _all_states(self.n_leading + self.n_trailing)

    @cached_property
    def _softplus_sums(self) -> Floats:
        """The sum over layer l of softplus(a), a being the logits that h gives."""
        sums = np.empty((len(self.leading_states), len(self.trailing_states)))
        trailing = self.trailing_states @ self.gen_weights[self.n_leading :] + self.gen_biases
        leading = self.leading_states @ self.gen_weights[: self.n_leading]

        def add_up(states: Sequence[int], check: Callable[[object], None]) -> None:
            for k in states:
                check(k)
                sums[k] = _softplus(trailing + leading[k]).sum(axis=1)

        side_by_side([partial(add_up, states) for states in shares(range(len(leading)))])
        return sums

    @cached_property
    def _log_factors(self) -> Floats:
        """What log P(s, h) holds that does not depend on s: log P(h) less the sum of softplus(a)."""
        return self._upper_log_probs - self._softplus_sums

    @cached_property
    def _top_costs(self) -> Floats:
        leading, trailing = np.split(self.top_biases[np.newaxis], [self.n_leading], axis=1)
        return _costs(leading, self.leading_states).T + _costs(trailing, self.trailing_states)

    @cached_property
    def _upper_log_probs(self) -> Floats:
        return self._table(self.above.log_probs(self._states)) if self.above else -self._top_costs

    @cached_property
    def _upper_lengths(self) -> Floats:
        return self._table(self.above.description_lengths(self._states)) if self.above else self._top_costs

    @cached_property
    def _upper_entropies(self) -> Floats:
        return self._table(self.above.entropies(self._states)) if self.above else np.zeros_like(self._top_costs)

    @cached_property
    def _upper_penalties(self) -> Floats:
        if not self.above:
            return np.zeros_like(self._top_costs)
        return self._table(self.above.kl_penalties(self._states, self._upper_log_probs.ravel()))

    @cached_property
    def _upper_posterior(self) -> Floats | None:
        return self.above.posterior(self._states) if self.above else None

    @cached_property
    def _upper_recognition(self) -> Floats | None:
        return self.above.recognition(self._states) if self.above else None

    def _table(self, values: Floats) -> Floats:
        return values.reshape(len(self.leading_states), len(self.trailing_states))

    def _blocks(self, rows: States) -> Iterator[tuple[slice, Floats]]:
        step = max(1, _BLOCK // max(len(self.trailing_states), self.n_lower))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            yield block, rows[block].astype(np.float64)

    def _driven_sums(self, s: Floats) -> tuple[Floats, Floats]:
        """Return the part of Σ s a that h decides, from leading and from trailing units."""
        leading, trailing = np.split(s @ self.gen_weights.T, [self.n_leading], axis=1)
        return leading @ self.leading_states.T, trailing @ self.trailing_states.T

    def _rec_logits(self, s: Floats) -> Floats:
        return s @ self.rec_weights + self.rec_biases

    def _log_recognition(self, logits: Floats) -> tuple[Floats, Floats]:
        """Return the terms of log Q(h|s) from leading and from trailing units."""
        leading, trailing = np.split(logits, [self.n_leading], axis=1)
        return -_costs(leading, self.leading_states), -_costs(trailing, self.trailing_states)

    def _expected(self, table: Floats, logits: Floats) -> Floats:
        """Return the mean of a table over Q(h|s), shape (n,)."""
        leading, trailing = self._log_recognition(logits)
        means: Floats = np.vecdot(np.exp(leading), np.exp(trailing) @ table.T)
        return means

    @staticmethod
    def _join(own: Floats, upper: Floats | None) -> Floats:
        """Return the distribution over h and all above it from that over h and that above each h."""
        joint = own.reshape(len(own), -1)
        return joint if upper is None else (joint[:, :, np.newaxis] * upper).reshape(len(own), -1)


def _prepare(machine: Machine, x: ArrayLike, name: str = "x") -> tuple[_Level, States]:
    check_size(machine)
    machine.check_finite()
    return _Level(machine, 0), check_binary(x, machine.layer_sizes[0], name)


def _check_probabilities(probabilities: ArrayLike, n_patterns: int) -> Floats:
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


def _fill(distribution: Callable[[States], Floats], inputs: States, n_hidden: int) -> Floats:
    """Return a distribution over 2**n_hidden representations for each input, made a few inputs at a time."""
    n_states = 2**n_hidden
    most = _MAX_BYTES // (8 * n_states)
    if len(inputs) > most:
        raise ValueError(
            f"x has {len(inputs)} rows; over 2**{n_hidden} representations the result would take "
            f"{8 * n_states * len(inputs) / 2**30:.2f} GiB, and at most 1 GiB is returned at once. "
            f"Give at most {most} rows at a time."
        )
    filled = np.empty((len(inputs), n_states))
    step = max(1, 64 * _BLOCK // n_states)
    for start in range(0, len(inputs), step):
        filled[start : start + step] = distribution(inputs[start : start + step])
    return filled


def _all_states(n: int) -> States:
    """Return all states of n <= 32 units, row r being the binary digits of r, shape (2**n, n)."""
    digits = np.unpackbits(np.arange(2**n, dtype=">u4").view(np.uint8).reshape(-1, 4), axis=1)
    return np.ascontiguousarray(digits[:, 32 - n :])


def _softplus(a: Floats) -> Floats:
    """Return log(1 + exp(a)): the cost of a unit with logit a being off, or with logit -a being on (Eq 2)."""
    return np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))


def _costs(logits: Floats, states: Floats) -> Floats:
    """Return the cost of each row of states (columns) under each row of logits (rows): Eq 2, summed over units."""
    return _softplus(logits) @ (1.0 - states).T + _softplus(-logits) @ states.T


def _log_sum_exp(values: Floats) -> Floats:
    """Return log Σ exp of each row of finite values."""
    largest = values.max(axis=1)
    logs: Floats = largest + np.log(np.exp(values - largest[:, np.newaxis]).sum(axis=1))
    return logs


def _bits(nats: Floats) -> Floats:
    return nats / math.log(2)
