"""Markov random fields of two or three layers of binary units, sampled and scored exactly by enumeration."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_integer

__all__ = ["MOST_ENUMERATED", "Field"]

MOST_ENUMERATED = 20
"""Hidden units next to the visible ones whose states are listed one by one."""

_AT_ONCE = 1 << 20

Floats = NDArray[np.float64]
States = NDArray[np.uint8]


class Field:
    """P(v, h, t) ∝ exp(h·Wv + h·Ut): visible units, hidden ones and, where there are any, a layer beyond; no biases.

    The states of the hidden layer between are enumerated; given them the units of the layers on either side are
    independent, so that examples are drawn exactly and one by one, with no chain that has to settle. To score, the
    states of the layer beyond are enumerated, given which and the visible ones the hidden units are independent.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_hidden, n_visible)
    beyond : ndarray of float64, shape (n_hidden, n_beyond), optional

    Raises
    ------
    ValueError
        If there are more than `MOST_ENUMERATED` units in a layer that is enumerated.
    """

    def __init__(
        self, weights: Floats, beyond: Floats | None = None, check: Callable[[object], object] = lambda _: None
    ) -> None:
        self.weights = weights
        self.beyond = np.zeros((len(weights), 0)) if beyond is None else beyond
        for n in (len(weights), self.beyond.shape[1]):
            if check_integer(n, "units", at_least=0) > MOST_ENUMERATED:
                raise ValueError(f"a layer of {n} units cannot be enumerated; give at most {MOST_ENUMERATED}.")
        both = np.concatenate([self.weights, self.beyond], axis=1).astype(np.float32)
        n_states = 1 << len(weights)
        log_weights = np.empty(n_states)
        step = max(1, _AT_ONCE // both.shape[1])
        for start in range(0, n_states, step):
            check(start)
            part = slice(start, min(start + step, n_states))
            log_weights[part] = _softplus(_states(part, len(weights)) @ both).sum(axis=1, dtype=np.float64)
        largest = log_weights.max()
        cumulative = np.cumsum(np.exp(log_weights - largest))
        self._log_sum = largest + np.log(cumulative[-1])
        self._cumulative = cumulative / cumulative[-1]

    def sample(self, n: int, rng: np.random.Generator) -> States:
        """Draw the states of the visible units, shape (n, n_visible)."""
        hidden = np.searchsorted(self._cumulative, rng.random(n), side="right")
        hidden = np.minimum(hidden, len(self._cumulative) - 1)
        logits = _bits(hidden, len(self.weights)) @ self.weights
        return (logits > rng.logistic(size=logits.shape)).astype(np.uint8)

    def neg_log_prob_bits(self, x: States, check: Callable[[object], object] = lambda _: None) -> Floats:
        """Return -log2 P(v) of rows of visible states, shape (n,)."""
        n_beyond = self.beyond.shape[1]
        from_beyond = _states(slice(0, 1 << n_beyond), n_beyond) @ self.beyond.T.astype(np.float32)
        nats = np.empty(len(x))
        step = max(1, _AT_ONCE // from_beyond.size)
        for start in range(0, len(x), step):
            check(start)
            part = (x[start : start + step] @ self.weights.T).astype(np.float32)
            terms = _softplus(part[:, np.newaxis] + from_beyond).sum(axis=2, dtype=np.float64)
            nats[start : start + step] = self._log_sum - np.logaddexp.reduce(terms, axis=1)
        return nats / np.log(2)


def _bits(numbers: NDArray[np.int64], n: int) -> NDArray[np.float32]:
    """Return whole numbers as rows of n states, the last unit changing fastest."""
    return ((numbers[:, np.newaxis] >> np.arange(n - 1, -1, -1)) & 1).astype(np.float32)


def _states(part: slice, n: int) -> NDArray[np.float32]:
    return _bits(np.arange(part.start, part.stop), n)


def _softplus(a: NDArray[np.float32]) -> NDArray[np.float32]:
    # Four times as fast as np.logaddexp.
    return np.asarray(np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a))))
