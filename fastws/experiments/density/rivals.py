"""What the Helmholtz machine is compared with."""

import numpy as np
from numpy.typing import NDArray

from fastws.experiments.compression import gzip_bits
from fastws.experiments.density.protocol import RATE, SWEEPS_A_LOOK, Check, Parts, Result, learn
from fastws.kernels.layout import LANES
from fastws.kernels.visible import learn_visible

__all__ = ["BernoulliMixture", "VisibleNet", "base_rates", "compressed", "fully_visible", "mixture"]

Images = NDArray[np.uint8]
Floats = NDArray[np.float64]

_ROWS_AT_ONCE = 1 << 13


def compressed(parts: Parts) -> Result:
    """Return what gzip makes of the test images, all of them one file."""
    return Result(gzip_bits(parts.validation), gzip_bits(parts.test))


def base_rates(parts: Parts) -> Result:
    """Take pixels for independent, each on as often as in training, with one extra case on and one off."""
    rates = (parts.train.sum(axis=0) + 1) / (len(parts.train) + 2)

    def cost(x: Images) -> float:
        return float(-(x @ np.log2(rates) + (1 - x) @ np.log2(1 - rates)).mean())

    return Result(cost(parts.validation), cost(parts.test))


class BernoulliMixture:
    """A mixture of components in each of which pixels are independent, learned by expectation and maximisation.

    Parameters
    ----------
    x : ndarray of uint8, shape (n, n_pixels)
        What it begins with: each component near an image drawn from these.
    n_components : int
    rng : numpy.random.Generator
    """

    def __init__(self, x: Images, n_components: int, rng: np.random.Generator) -> None:
        chosen = x[rng.integers(len(x), size=n_components)]
        self.rates = 0.25 + 0.5 * chosen
        self.shares = np.full(n_components, 1 / n_components)

    def log_joint(self, x: Images | Floats) -> Floats:
        """Return log P(component, image) in nats, shape (n, n_components)."""
        on, off = np.log(self.rates), np.log1p(-self.rates)
        return np.asarray(x @ (on - off).T + (off.sum(axis=1) + np.log(self.shares)))

    def step(self, x: Images) -> None:
        """Do one expectation and one maximisation, with one extra case on and one off of each pixel of a component."""
        n, n_pixels = x.shape
        counts = np.ones_like(self.shares)
        on = np.ones((len(counts), n_pixels))
        for start in range(0, n, _ROWS_AT_ONCE):
            part = x[start : start + _ROWS_AT_ONCE].astype(np.float64)
            log_joint = self.log_joint(part)
            belongs = np.exp(log_joint - np.logaddexp.reduce(log_joint, axis=1, keepdims=True))
            counts += belongs.sum(axis=0)
            on += belongs.T @ part
        self.shares = counts / counts.sum()
        self.rates = on / (counts + 1)[:, np.newaxis]

    def neg_log_prob_bits(self, x: Images) -> Floats:
        """Return -log2 P of each image, shape (n,)."""
        parts = (self.log_joint(x[start : start + _ROWS_AT_ONCE]) for start in range(0, len(x), _ROWS_AT_ONCE))
        return np.concatenate([-np.logaddexp.reduce(part, axis=1) for part in parts]) / np.log(2)


def mixture(parts: Parts, n_components: int, rng: np.random.Generator, check: Check = lambda _: None) -> Result:
    """Fit a mixture by EM, whose steps take the place of sweeps, and test it."""
    fitted = BernoulliMixture(parts.train, n_components, rng)

    def sweep(n_sweeps: int) -> None:
        for step in range(n_sweeps):
            check(step)
            fitted.step(parts.train)

    costs = learn(sweep, lambda: float(fitted.neg_log_prob_bits(parts.validation).mean()))
    return Result(costs[-1], float(fitted.neg_log_prob_bits(parts.test).mean()), SWEEPS_A_LOOK * len(costs))


class VisibleNet:
    """A fully visible belief net: the logit of a pixel is a bias and a weighted sum of the pixels before it.

    Parameters
    ----------
    n_pixels : int

    Attributes
    ----------
    parameters : ndarray of float32, shape (1 + n_pixels, n_pixels)
        Biases, and then a row a driving pixel; those to itself and to the pixels before it are 0.
    """

    def __init__(self, n_pixels: int) -> None:
        padded = -(-n_pixels // LANES) * LANES
        self._weights = np.zeros((1 + n_pixels, padded), np.float32)
        self._states = np.zeros((1, padded), np.float32)
        self.parameters = self._weights[:, :n_pixels]

    def learn(self, x: Images, order: NDArray[np.int64], rate: float = RATE) -> None:
        """Learn from images in an order, one after the other, by the delta rule of Eq 4."""
        learn_visible(x, order, np.float32(rate), self._states, self._weights)

    def neg_log_prob_bits(self, x: Images) -> Floats:
        """Return -log2 P of each image, shape (n,)."""
        weights = self.parameters.astype(np.float64)
        nats = np.empty(len(x))
        for start in range(0, len(x), _ROWS_AT_ONCE):
            part = x[start : start + _ROWS_AT_ONCE]
            logits = part @ weights[1:] + weights[0]
            nats[start : start + _ROWS_AT_ONCE] = (np.logaddexp(0, logits) - part * logits).sum(axis=1)
        return nats / np.log(2)


def fully_visible(parts: Parts, rng: np.random.Generator, check: Check = lambda _: None) -> Result:
    """Let a fully visible belief net learn by the delta rule at the common rate, and test it."""
    n, n_pixels = parts.train.shape
    net = VisibleNet(n_pixels)

    def sweep(n_sweeps: int) -> None:
        for _ in range(n_sweeps):
            for order in np.array_split(rng.permutation(n), -(-n // 1000)):
                check(n)
                net.learn(parts.train, order)

    costs = learn(sweep, lambda: float(net.neg_log_prob_bits(parts.validation).mean()))
    return Result(costs[-1], float(net.neg_log_prob_bits(parts.test).mean()), SWEEPS_A_LOOK * len(costs))
