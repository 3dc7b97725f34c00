"""What a forged ``.fws`` file may cost its receiver: no more images than its payload can hold."""

import numpy as np
from numpy.typing import NDArray

from fastws.codec.container import WORD_BITS, Description, Words, n_initial_words
from fastws.kernels.code import CODE_BITS, SLOT_BITS
from fastws.machine import Machine

# A push adds its bits to within this part of them, and a pop takes at most so many more than its own: whole numbers
# are cut, at worst where the head of the stack is as small as it can be.
_LOST_BY_PUSHING = 1 / 256
_LOST_BY_POPPING = 1 / 128

Bits = NDArray[np.float64]


def check_claim(machine: Machine, about: Description, words: Words) -> None:
    """Raise `ValueError` if more images are claimed than the machine can have put into the payload.

    The payload has at least the initial bits and, for each image, `least_bits`. Where that is nothing (machines that
    are sure of some images, or that get more back than they pay if chance wills), `Coder.pop` notices on the way.
    """
    least = least_bits(machine, about.method)
    # The initial words end with one that is at least 1.
    net = WORD_BITS * (len(words) - n_initial_words(about.layer_sizes, about.method) + 1)
    if about.n_images * least > max(0, net):
        raise ValueError(
            f"the .fws file claims {about.n_images} images in a payload of {4 * len(words)} bytes, more than this "
            f"machine can have put there: each takes {least:.3g} bits at least. Compress the images again."
        )


def least_bits(machine: Machine, method: str) -> float:
    """Return bits that each image adds to the stack at least, whatever it and its representation are; 0 if unknown."""
    paid = [_state_bits(*_logits(w, b), cheapest=True) for w, b in _generative(machine)]
    adds = [(1 - _LOST_BY_PUSHING) * bits for bits in paid]
    if method == "bits-back":
        there = WORD_BITS * (n_initial_words(machine.layer_sizes, method) - 2)
        recognition = zip(machine.rec_weights, machine.rec_biases, strict=True)
        returned = [_state_bits(*_logits(w, b), cheapest=False) + _LOST_BY_POPPING for w, b in recognition]
        # Bits that are not there cannot come back: the sums hold only if no choice can empty the stack.
        if sum(float(bits.max(axis=0).sum()) for bits in returned) > there:
            return 0.0
        adds[1:] = [a - r for a, r in zip(adds[1:], returned, strict=True)]
    return max(0.0, sum(float(bits.min(axis=0).sum()) for bits in adds))


def _generative(machine: Machine) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return the weights and biases that drive each layer, the input layer first; nothing drives the top layer."""
    undriven = np.empty((0, machine.layer_sizes[-1]), np.float32)
    return list(zip((*machine.gen_weights, undriven), machine.gen_biases, strict=True))


def _logits(weights: NDArray[np.float32], biases: NDArray[np.float32]) -> tuple[Bits, Bits]:
    """Return bounds of the logits of a layer, as the kernels add them up in float32, whatever drives it."""
    w, b = weights.astype(float), biases.astype(float)
    rounding = 2.0**-23 * (len(w) + 8) * (np.abs(w).sum(axis=0) + np.abs(b))
    return b + np.minimum(w, 0).sum(axis=0) - rounding, b + np.maximum(w, 0).sum(axis=0) + rounding


def _state_bits(lowest: Bits, highest: Bits, cheapest: bool) -> Bits:
    """Return what off (row 0) and on (row 1) costs each unit of a layer with these logits, at least or at most."""
    p_low, p_high = (1 / (1 + np.exp(-np.clip(logits, -87, 87))) for logits in (lowest, highest))
    # The logistic of the kernels is within 2e-7 of this one.
    margin = 4
    most = 2.0**CODE_BITS - 1
    k_low, k_high = np.clip(np.floor(p_low * most) - margin, 1, most), np.clip(np.ceil(p_high * most) + margin, 1, most)
    off_k, on_k = (k_low, k_high) if cheapest else (k_high, k_low)
    return np.stack(
        [SLOT_BITS - np.log2(_slots_of_off(off_k)), SLOT_BITS - np.log2(2.0**SLOT_BITS - _slots_of_off(on_k))]
    )


def _slots_of_off(k: Bits) -> Bits:
    one = 2.0**CODE_BITS
    return np.floor((one - k) * (2.0**SLOT_BITS - 2) / one) + 1
