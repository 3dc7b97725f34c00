"""A level of a machine and all above it, by enumeration: the sums of Eqs 3, 5, 6 and 8, in nats.

The layers form a chain: given the states h of layer l + 1, nothing above it depends on layer l. So every measure of
layer l follows from the same measure of layer l + 1, tabulated over all h, and the inputs are the rows of layer 0. Only
pairs of adjacent layers are ever enumerated.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from fastws.logits import logits_of
from fastws.machine import Machine
from fastws.probabilities import log_softmax
from fastws.threads import shares, side_by_side

Floats = NDArray[np.float64]
States = NDArray[np.uint8]

# A block of 2**16 numbers, with its like beside it, stays in a core's second-level cache.
BLOCK = 2**16
_MAX_TRAILING = 10
# Terms of a sum of at most 2**10 that underflow are parts of it below a float's precision, if it is at least this.
_LEAST_SUM = 1e-285


class Level:
    """Level l of a machine: layer l, whose rows of states are given, and all states h of layer l + 1, in nats.

    A number for every h is a table of shape (2**n_leading, 2**n_trailing): a row for each state of the upper layer's
    leading units, a column for each state of its trailing units. A sum over units then splits in two, and what a pair
    (s, h) adds to it costs an addition or two. Parameters may be huge: every logarithm comes from logits and stays
    finite, and a probability that underflows multiplies finite numbers only.
    """

    block = BLOCK

    def __init__(self, machine: Machine, level: int, above: "Level | None") -> None:
        self.gen_weights, self.gen_biases, self.rec_weights, self.rec_biases = (
            np.asarray(parameter[level], np.float64)
            for parameter in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases)
        )
        n_upper, self.n_lower = self.gen_weights.shape
        self.group, self.upper_group = machine.groups[level : level + 2]
        self.n_trailing = min(n_upper, _trailing_units(self.upper_group))
        self.n_leading = n_upper - self.n_trailing
        self.leading_states, self.trailing_states = (
            states_of_layer(n, self.upper_group).astype(np.float64) for n in (self.n_leading, self.n_trailing)
        )
        self.above = above
        self.top_biases = np.asarray(machine.gen_biases[-1], np.float64)

    def log_probs(self, rows: States) -> Floats:
        """Return log P(s) of each row s: the sum over h of P(h) P(s|h), shape (n,)."""
        log_probs = np.empty(len(rows))
        for block, s in self._blocks(rows):
            leading, trailing = self._driven_sums(s, self.gen_weights)
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
            mean_logits = _probabilities(logits, self.upper_group) @ self.gen_weights + self.gen_biases
            lengths[block] = self._expected(self._upper_lengths + self._softplus_sums, logits)
            lengths[block] -= np.vecdot(s, mean_logits)
        return lengths

    def entropies(self, rows: States) -> Floats:
        """Return the entropy of Q(h, above|s) for each row s, shape (n,)."""
        entropies = np.empty(len(rows))
        for block, s in self._blocks(rows):
            logits = self._rec_logits(s)
            entropies[block] = _entropies(logits, self.upper_group) + self._expected(self._upper_entropies, logits)
        return entropies

    def kl_penalties(self, rows: States, log_probs: Floats) -> Floats:
        """Return KL(Q(h, above|s) ‖ P(h, above|s)) for each row s, whose log P(s) are given, shape (n,).

        By the chain rule it is the mean over Q(h|s) of log Q(h|s) - log P(h|s) and of the same divergence above h.
        """
        penalties = np.empty(len(rows))
        table = self._upper_penalties - self._log_factors
        for block, s in self._blocks(rows):
            gen_leading, gen_trailing = self._driven_sums(s, self.gen_weights)
            logits = self._rec_logits(s)
            rec_leading, rec_trailing = self._log_recognition(logits)
            own = np.vecdot(np.exp(rec_leading), rec_leading - gen_leading)
            own += np.vecdot(np.exp(rec_trailing), rec_trailing - gen_trailing)
            penalties[block] = own + self._expected(table, logits) + log_probs[block] - s @ self.gen_biases
        return np.maximum(penalties, 0.0)  # rounding may pass below 0

    def posterior(self, rows: States) -> Floats:
        """Return P(h, above|s) of each row s, Eq 6, shape (n, states of all layers above)."""
        s = rows.astype(np.float64)
        leading, trailing = self._driven_sums(s, self.gen_weights)
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
        return states_of_layer(self.n_leading + self.n_trailing, self.upper_group)

    @cached_property
    def _softplus_sums(self) -> Floats:
        """The sum over layer l of softplus(a), or over its groups of log Σ exp(a), a being the logits that h gives."""
        sums = np.empty((len(self.leading_states), len(self.trailing_states)))
        trailing = self.trailing_states @ self.gen_weights[self.n_leading :] + self.gen_biases
        leading = self.leading_states @ self.gen_weights[: self.n_leading]

        def add_up(states: Sequence[int], check: Callable[[object], None]) -> None:
            for k in states:
                check(k)
                sums[k] = _normalisers(trailing + leading[k], self.group)

        side_by_side([partial(add_up, states) for states in shares(range(len(leading)))])
        return sums

    @cached_property
    def _log_factors(self) -> Floats:
        """What log P(s, h) holds that does not depend on s: log P(h) less the sum of softplus(a)."""
        return self._upper_log_probs - self._softplus_sums

    @cached_property
    def _top_costs(self) -> Floats:
        leading, trailing = np.split(self.top_biases[np.newaxis], [self.n_leading], axis=1)
        return self._costs_above(leading, self.leading_states).T + self._costs_above(trailing, self.trailing_states)

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
        step = max(1, self.block // max(len(self.trailing_states), self.n_lower))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            yield block, rows[block].astype(np.float64)

    def _driven_sums(self, s: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return the part of Σ s a that h decides, from leading and from trailing units."""
        leading, trailing = np.split(s @ weights.T, [self.n_leading], axis=1)
        return leading @ self.leading_states.T, trailing @ self.trailing_states.T

    def _rec_logits(self, s: Floats) -> Floats:
        return logits_of(s, self.rec_weights, self.rec_biases)

    def _log_recognition(self, logits: Floats) -> tuple[Floats, Floats]:
        """Return the terms of log Q(h|s) from leading and from trailing units."""
        leading, trailing = np.split(logits, [self.n_leading], axis=1)
        return -self._costs_above(leading, self.leading_states), -self._costs_above(trailing, self.trailing_states)

    def _costs_above(self, logits: Floats, states: Floats) -> Floats:
        return _costs(logits, states, self.upper_group)

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


def all_states(n: int) -> States:
    """Return all states of n <= 32 units, row r being the binary digits of r, shape (2**n, n)."""
    digits = np.unpackbits(np.arange(2**n, dtype=">u4").view(np.uint8).reshape(-1, 4), axis=1)
    return np.ascontiguousarray(digits[:, 32 - n :])


def states_of_layer(n: int, size: int) -> States:
    """Return all states of a layer of n units in groups of a size; the last group changes fastest, from its first unit.

    Of binary units they are `all_states`.
    """
    if size == 1:
        return all_states(n)
    return each_with_each([np.eye(size, dtype=np.uint8)] * (n // size))


def each_with_each(parts: Sequence[States]) -> States:
    """Return all rows that have a row of each part, side by side; that of the last part changes fastest."""
    rows = np.zeros((1, 0), np.uint8)
    for part in parts:
        rows = np.concatenate([np.repeat(rows, len(part), axis=0), np.tile(part, (len(rows), 1))], axis=1)
    return rows


def n_states_of_layer(n: int, size: int) -> int:
    """Return how many states `states_of_layer` has."""
    return 2**n if size == 1 else int(size) ** (n // size)


def _trailing_units(size: int) -> int:
    """Return the most units in groups of a size that have 2**10 states, or the units of a group that has more."""
    if size == 1:
        return _MAX_TRAILING
    n_groups = 1
    while n_states_of_layer((n_groups + 1) * size, size) <= 2**_MAX_TRAILING:
        n_groups += 1
    return n_groups * size


def _softplus(a: Floats) -> Floats:
    """Return log(1 + exp(a)): the cost of a unit with logit a being off, or with logit -a being on (Eq 2)."""
    return np.maximum(a, 0.0) + np.log1p(np.exp(-np.abs(a)))


def _probabilities(logits: Floats, size: int) -> Floats:
    """Return the probabilities of units by Eq 1, or in groups of a size."""
    return np.exp(-_softplus(-logits) if size == 1 else log_softmax(logits, size))


def _normalisers(logits: Floats, size: int) -> Floats:
    """Return for each row the sum over units of softplus(a), or over groups of log Σ exp(a)."""
    if size == 1:
        return np.asarray(_softplus(logits).sum(axis=1))
    groups = logits.reshape(-1, size)
    return _log_sum_exp(groups).reshape(len(logits), -1).sum(axis=1)


def _entropies(logits: Floats, size: int) -> Floats:
    """Return the entropy of the states that each row of logits gives."""
    if size > 1:
        logs = log_softmax(logits, size)
        return -np.vecdot(np.exp(logs), logs)
    on, off = _softplus(-logits), _softplus(logits)  # costs of a unit being on, and off
    return np.asarray((np.exp(-on) * on + np.exp(-off) * off).sum(axis=1))


def _costs(logits: Floats, states: Floats, size: int) -> Floats:
    """Return the cost of each row of states (columns) under each row of logits (rows): Eq 2, summed over units."""
    if size > 1:
        return -log_softmax(logits, size) @ states.T
    return _softplus(logits) @ (1.0 - states).T + _softplus(-logits) @ states.T


def _log_sum_exp(values: Floats) -> Floats:
    """Return log Σ exp of each row of finite values."""
    largest = values.max(axis=1)
    logs: Floats = largest + np.log(np.exp(values - largest[:, np.newaxis]).sum(axis=1))
    return logs
