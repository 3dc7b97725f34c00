"""The five synthetic sets of 1996: a true model, drawn anew by seed, images drawn from it, and what it says of them."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws import exact
from fastws.experiments.density.fields import MOST_ENUMERATED, Field
from fastws.experiments.density.protocol import Check
from fastws.machine import Machine
from fastws.probabilities import logistic

__all__ = ["SETS", "Drawn"]

N_PIXELS = 100
N_COMPONENTS = 20
LARGEST_WEIGHT = 2.0
FIELD_WEIGHTS, FIELD_PROBABILITIES = (-4.0, 0.0, 4.0), (0.4, 0.4, 0.2)
LEAST_GAP = 0.2
"""A field is drawn again until base rates cost so many bits a visible unit more than its entropy."""
N_FIELDS = 10

_LEAST_RATE = 1e-9
_TRIED, _SCORED, _SCORED_BY_ENUMERATION, _SCORED_AT_ONCE = 2_000, 10_000, 2_000, 100

States = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Drawn(NamedTuple):
    """Images drawn from a true model.

    Attributes
    ----------
    x : ndarray of uint8, shape (n, n_pixels)
    entropy_bits : callable or None
        Returns the entropy of the model, exact but for how many images its log probability is averaged over; None
        where that cannot be enumerated.
    """

    x: States
    entropy_bits: Callable[[Check], float] | None


def mixture(n: int, rng: np.random.Generator, check: Check) -> Drawn:
    """Draw from a mixture of 20 equal components.

    The mean of a component is from a beta distribution of mean 0.1 and variance 0.02, its base rates from one of that
    mean μ and variance μ(1 - μ)/40; then each rate is replaced by one minus itself with probability 1/2.
    """
    means = _beta(rng, np.full(N_COMPONENTS, 0.1), 0.1 * 0.9 / 0.02)
    rates = _beta(rng, np.repeat(means[:, np.newaxis], N_PIXELS, axis=1), 40.0)
    rates = np.where(rng.random(rates.shape) < 0.5, rates, 1 - rates)
    component = rng.integers(N_COMPONENTS, size=n)
    x = (rng.random((n, N_PIXELS)) < rates[component]).astype(np.uint8)

    def entropy_bits(check: Check) -> float:
        return float(_mixture_bits(rates, x).mean())

    return Drawn(x, entropy_bits)


def _beta(rng: np.random.Generator, mean: Floats, spread: float) -> Floats:
    """Draw from beta distributions of these means and variances mean (1 - mean) / spread, none of exactly 0 or 1."""
    found = rng.beta(mean * (spread - 1), (1 - mean) * (spread - 1))
    return np.clip(found, _LEAST_RATE, 1 - _LEAST_RATE)


def _mixture_bits(rates: Floats, x: States) -> Floats:
    """Return -log2 P of images under equal components of these rates, shape (n,)."""
    on, off = np.log(rates), np.log1p(-rates)
    log_joint = x @ (on - off).T + off.sum(axis=1) - np.log(len(rates))
    return np.asarray(-np.logaddexp.reduce(log_joint, axis=1) / np.log(2))


def belief_net(hidden: Sequence[int], n: int, rng: np.random.Generator, check: Check) -> Drawn:
    """Draw from a sigmoid belief net with biases of 0 and weights uniform in [-2, 2); the top layer comes first."""
    sizes = [N_PIXELS, *reversed(hidden)]
    machine = Machine(sizes)
    for weights in machine.gen_weights:
        weights[:] = rng.uniform(-LARGEST_WEIGHT, LARGEST_WEIGHT, weights.shape)
    layers = [rng.integers(2, size=(n, sizes[-1]), dtype=np.uint8)]
    for weights in reversed(machine.gen_weights):
        logits = layers[0] @ weights.astype(np.float64)
        layers.insert(0, (logits > rng.logistic(size=logits.shape)).astype(np.uint8))
    if sum(hidden) > MOST_ENUMERATED:
        return Drawn(layers[0], None)
    return Drawn(layers[0], partial(_belief_net_entropy, machine, layers))


def _belief_net_entropy(machine: Machine, layers: Sequence[States], check: Check) -> float:
    """Return H(x, h) - H(h|x), in bits: the former by a mean over all h drawn, the latter by enumeration.

    Averaged over as many images, -log2 P(x) itself would be four times as far from its mean.
    """
    joint, entropy = np.full(len(layers[0]), float(machine.layer_sizes[-1])), float(machine.layer_sizes[-1])
    for (lower, upper), weights in zip(pairwise(layers), machine.gen_weights, strict=True):
        logits = upper.astype(np.float64) @ weights.astype(np.float64)
        nats = np.logaddexp(0, logits)
        joint += (nats - lower * logits).sum(axis=1) / np.log(2)
        entropy += float((nats - logistic(logits) * logits).sum(axis=1).mean() / np.log(2))
    surprises = []
    for start in range(0, min(_SCORED_BY_ENUMERATION, len(layers[0])), _SCORED_AT_ONCE):
        check(start)
        part = slice(start, start + _SCORED_AT_ONCE)
        surprises.append(joint[part] - exact.neg_log_prob_bits(machine, layers[0][part]))
    return entropy - float(np.concatenate(surprises).mean())


def fields(n_visible: int, n_hidden: int, n_beyond: int, n: int, rng: np.random.Generator, check: Check) -> Drawn:
    """Draw from as many independent Markov random fields as 100 pixels hold, fully connected between layers.

    Weights are -4, 0 and 4 with probabilities 0.4, 0.4 and 0.2, and biases 0. Each field is drawn again until base
    rates do badly, which here means `LEAST_GAP`.
    """
    chosen = [_bad_for_base_rates(n_visible, n_hidden, n_beyond, rng, check) for _ in range(N_PIXELS // n_visible)]
    x = np.concatenate([field.sample(n, rng) for field in chosen], axis=1)

    def entropy_bits(check: Check) -> float:
        part = np.split(x[-_SCORED:], len(chosen), axis=1)
        return sum(float(field.neg_log_prob_bits(of, check).mean()) for field, of in zip(chosen, part, strict=True))

    return Drawn(x, entropy_bits)


def _bad_for_base_rates(n_visible: int, n_hidden: int, n_beyond: int, rng: np.random.Generator, check: Check) -> Field:
    while True:
        check(n_visible)
        weights, beyond = (
            rng.choice(FIELD_WEIGHTS, (n_hidden, n), p=FIELD_PROBABILITIES) for n in (n_visible, n_beyond)
        )
        field = Field(weights, beyond, check)
        x = field.sample(_TRIED, rng)
        rates = (x.sum(axis=0) + 1) / (len(x) + 2)
        base_rates = float(-(rates * np.log2(rates) + (1 - rates) * np.log2(1 - rates)).sum())
        least = LEAST_GAP * n_visible
        if base_rates > least and base_rates - field.neg_log_prob_bits(x).mean() >= least:
            return field


SETS: dict[str, Callable[[int, np.random.Generator, Check], Drawn]] = {
    "mixture": mixture,
    "bn": partial(belief_net, (20,)),
    "deep-bn": partial(belief_net, (5, 10, 15, 20)),
    "mrf": partial(fields, N_PIXELS, 20, 10),
    "mrfs": partial(fields, N_PIXELS // N_FIELDS, 10, 0),
}
"""What draws each set: given a number of images, a generator, and what to call now and then."""
