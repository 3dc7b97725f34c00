"""Eq 1 in double precision: the probabilities of a layer's units, given the states or the probabilities below or above.

Learning draws in single precision, in `fastws.kernels`; this is for those who want the probabilities themselves.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BLOCK = 1 << 20


def logistic(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-a)) of each logit a, without overflow."""
    return np.exp(-np.logaddexp(0.0, -logits))


def log_softmax(logits: Floats, size: int) -> Floats:
    """Return the log probabilities of units in softmax groups of a size, from rows of logits, without overflow."""
    groups = logits.reshape(len(logits), -1, size)
    relative = groups - groups.max(axis=2, keepdims=True)
    return (relative - np.log(np.exp(relative).sum(axis=2, keepdims=True))).reshape(logits.shape)


def driven(
    driving: NDArray[np.uint8] | Floats, weights: NDArray[np.float32], biases: NDArray[np.float32], size: int = 1
) -> Floats:
    """Return the probabilities that units are on, by Eq 1 or in softmax groups of a size, shape (n, n_driven).

    Shapes: driving (n, n_driving), weights (n_driving, n_driven), biases (n_driven,). All are finite.
    """
    probabilities = np.empty((len(driving), len(biases)))
    wide = weights.astype(np.float64)
    # States are bytes; all of them at once as doubles would take eight times their memory.
    step = max(1, _BLOCK // max(1, driving.shape[1]))
    for start in range(0, len(driving), step):
        block = driving[start : start + step].astype(np.float64)
        logits = block @ wide + biases
        probabilities[start : start + step] = logistic(logits) if size == 1 else np.exp(log_softmax(logits, size))
    return probabilities
