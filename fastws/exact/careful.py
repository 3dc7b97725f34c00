"""Levels whose parameters are so large that costs have to be added up without rounding."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fastws.exact.levels import Floats, Level, States
from fastws.logits import ExactSums, are_moderate
from fastws.machine import Machine


def new_level(machine: Machine, level: int = 0) -> Level:
    """Return a level with all above it, which takes more care, and time, where its generative parameters are large."""
    above = new_level(machine, level + 1) if level + 2 < len(machine.layer_sizes) else None
    generative = (np.asarray(array[level], np.float64) for array in (machine.gen_weights, machine.gen_biases))
    return (Level if are_moderate(*generative) else CarefulLevel)(machine, level, above)


class CarefulLevel(Level):
    """A level whose generative parameters are so large that Σ softplus(a) - Σ s a would lose what matters.

    A unit costs max(a, 0) - s a + log(1 + exp(-|a|)), and a group of units max a - s a + log Σ exp(a - max a). The
    first two terms are sums of parameters, and are kept in parts whose sums are exact, those of all units and of all
    levels that are careful; only what is left of them is rounded. So costs may be huge, cancel, and differ by little.
    """

    block = 2**17  # what a leading state costs is worked out anew for each block

    def __init__(self, machine: Machine, level: int, above: Level | None) -> None:
        super().__init__(machine, level, above)
        self._sums = ExactSums(*machine.gen_weights, *machine.gen_biases)
        n_levels = len(machine.gen_weights)
        self._connections = [(part[level], part[n_levels + level]) for part in self._sums.parts]
        self._top_parts = [part[-1] for part in self._sums.parts]

    def log_probs(self, rows: States) -> Floats:
        """Return log P(s) of each row s: the sum over h of P(h) P(s|h), shape (n,)."""
        parts, rest = self.free_energies(rows)
        return -(self._sums.total(list(parts)) + rest)

    def free_energies(self, rows: States) -> tuple[Floats, Floats]:
        """Return -log P(s) of each row s as exact parts, shape (parts, n), and a rest of moderate size, shape (n,)."""
        parts, rest = np.empty((len(self._sums.parts), len(rows))), np.empty(len(rows))
        for block, s in self._blocks(rows):
            parts[:, block], of_least, log_sums = self._least_costs(s)
            rest[block] = of_least - log_sums
        return parts, rest

    def description_lengths(self, rows: States) -> Floats:
        """Return the mean of C(s|h) + C(h, above) over Q(h, above|s) for each row s, shape (n,)."""
        lengths = np.zeros(len(rows))
        for block, s in self._blocks(rows):
            leading, trailing = self._log_recognition(self._rec_logits(s))
            for k, parts, rest in self._costs(s):
                q = np.exp(leading[:, k, np.newaxis] + trailing)
                lengths[block] += np.vecdot(q, self._sums.total(parts) + rest + self._upper_lengths[k])
        return lengths

    def kl_penalties(self, rows: States, log_probs: Floats) -> Floats:
        """Return KL(Q(h, above|s) ‖ P(h, above|s)) for each row s, shape (n,); log P(s) is not precise enough here."""
        penalties = np.empty(len(rows))
        for block, s in self._blocks(rows):
            *least, penalties[block] = self._least_costs(s)
            leading, trailing = self._log_recognition(self._rec_logits(s))
            for k, parts, rest in self._joint_costs(s):
                log_q = leading[:, k, np.newaxis] + trailing
                excess = self._excess(parts, rest, *least)
                penalties[block] += np.vecdot(np.exp(log_q), log_q + excess + self._upper_penalties[k])
        return np.maximum(penalties, 0.0)  # rounding may pass below 0

    def posterior(self, rows: States) -> Floats:
        """Return P(h, above|s) of each row s, Eq 6, shape (n, states of all layers above)."""
        s = rows.astype(np.float64)
        *least, log_sums = self._least_costs(s)
        own = np.empty((len(s), len(self.leading_states), len(self.trailing_states)))
        for k, parts, rest in self._joint_costs(s):
            own[:, k] = np.exp(-self._excess(parts, rest, *least) - log_sums[:, np.newaxis])
        return self._join(own, self._upper_posterior)

    def _least_costs(self, s: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the least C(s, h) over h, in parts and the rest, and log Σ exp of how far the others are above it."""
        sums = np.zeros(len(s))
        least, of_least = np.zeros((len(self._sums.parts), len(s))), np.full(len(s), np.inf)
        for _, parts, rest in self._joint_costs(s):
            excess = self._excess(parts, rest, least, of_least)
            # The least of far larger numbers is found by looking again, from closer by.
            while len(rows := np.flatnonzero(excess.min(axis=1) < -1.0)):
                nearest = excess[rows].argmin(axis=1)
                sums[rows] *= np.exp(excess[rows, nearest])
                least[:, rows] = [part[rows, nearest] for part in parts]
                of_least[rows] = rest[nearest]
                excess = self._excess(parts, rest, least, of_least)
            sums += np.exp(-excess).sum(axis=1)
        return least, of_least, np.log(sums)

    def _excess(self, parts: Sequence[Floats], rest: Floats, least: Floats, of_least: Floats) -> Floats:
        """Return by how much costs, in parts and the rest, exceed one cost a row, shape (n, trailing states)."""
        differences = [part - own[:, np.newaxis] for part, own in zip(parts, least, strict=True)]
        return self._sums.total(differences) + (rest - of_least[:, np.newaxis])

    def _joint_costs(self, s: Floats) -> Iterator[tuple[int, list[Floats], Floats]]:
        """Yield what `_costs` does, but of C(s, h)."""
        upper_parts, upper_rest = self._upper_costs
        for k, parts, rest in self._costs(s):
            yield k, [part + upper[k] for part, upper in zip(parts, upper_parts, strict=True)], rest + upper_rest[k]

    def _costs(self, s: Floats) -> Iterator[tuple[int, list[Floats], Floats]]:
        """Yield each leading state's number, and C(s|h): parts, shape (n, trailing states), and a rest for all s."""
        leading = [self.leading_states @ w[: self.n_leading] + b for w, b in self._connections]
        trailing = [self.trailing_states @ w[self.n_leading :] for w, _ in self._connections]
        driven = [(*self._driven_sums(s, w), (s @ b)[:, np.newaxis]) for w, b in self._connections]
        for k in range(len(self.leading_states)):
            logits = [of_trailing + of_leading[k] for of_leading, of_trailing in zip(leading, trailing, strict=True)]
            a = self._sums.total(logits)
            rest = _rest(a, self.group)
            # Σ max(a, 0) - s a; what cancels here is exact.
            off = [(part * _largest(a, self.group)).sum(axis=1) for part in logits]
            yield k, [o - (x + y[:, k, np.newaxis] + z) for o, (y, x, z) in zip(off, driven, strict=True)], rest

    @cached_property
    def _upper_costs(self) -> tuple[list[Floats], Floats]:
        """What C(s, h) holds that does not depend on s, -log P(h): tables of its parts, and of the rest."""
        if isinstance(self.above, CarefulLevel):
            parts, rest = self.above.free_energies(self._states)
        elif self.above:
            parts, rest = np.zeros((len(self._sums.parts), len(self._states))), -self._upper_log_probs
        else:
            h, a = self._states, self.top_biases[np.newaxis]
            largest = _largest(a, self.upper_group)[0]
            parts = np.array([(part * largest).sum() - h @ part for part in self._top_parts])
            rest = np.full(len(h), _rest(a, self.upper_group)[0])
        return [self._table(part) for part in parts], self._table(rest)


def _largest(a: Floats, size: int) -> NDArray[np.bool_]:
    """Return which logits max(a, 0), or the largest of a group, is made of: those above 0, or one a group."""
    if size == 1:
        return a > 0
    groups = a.reshape(len(a), -1, size)
    return (np.arange(size) == groups.argmax(axis=2, keepdims=True)).reshape(a.shape)


def _rest(a: Floats, size: int) -> Floats:
    """Return what costs hold besides max(a, 0) - s a, or max a - s a of a group, summed over the units of each row."""
    if size == 1:
        return np.asarray(np.log1p(np.exp(-np.abs(a))).sum(axis=1))
    groups = a.reshape(len(a), -1, size)
    return np.asarray(np.log(np.exp(groups - groups.max(axis=2, keepdims=True)).sum(axis=2)).sum(axis=1))
