"""The entropy coder: asymmetric numeral systems (ANS), a stack of bits that units are pushed on and popped from [1]_.

All is whole numbers but the probabilities, on which sender and receiver must agree to the bit, on any two computers.
`docs/file-format.md` describes it.

References
----------
.. [1] Duda, arXiv 1311.2540 (2013); Townsend, Bird and Barber, ICLR (2019), for its use in bits-back.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.connection import generative, recognition
from fastws.kernels.jit import inline, jit
from fastws.kernels.lanes import float_bits, float_from_bits, store, to_double, where
from fastws.kernels.layout import LANES
from fastws.kernels.types import Doubles, Floats, Integers, Lanes, Net, States
from fastws.kernels.units import logits

CODE_BITS = 22
"""A probability in a code is a whole number of 2^-22."""
CODE_ONE = 2.0**CODE_BITS
SLOT_BITS = 24

Words = NDArray[np.uint32]

# Compiled, a uint64 and a Python integer would make a float.
_ONE = np.uint64(1 << CODE_BITS)
_ONE_BITS = np.uint64(CODE_BITS)
_SLOTS = np.uint64(1 << SLOT_BITS)
_SLOT_BITS = np.uint64(SLOT_BITS)
_LAST_SLOT = np.uint64((1 << SLOT_BITS) - 1)
_SPARE_SLOTS = np.uint64((1 << SLOT_BITS) - 2)
_FULL_BITS = np.uint64(64 - SLOT_BITS)
_WORD_BITS = np.uint64(32)
_WORD = np.uint64(0xFFFFFFFF)
_NOTHING = np.uint64(0)
_EXTRA_SLOT = np.uint64(1)


@inline
def logistic_of_files(a: Lanes) -> Lanes:
    """Return 1 / (1 + exp(-a)) of float32 lanes, to 2e-7, by the bits that the format of files has."""
    a = where(a > -87.0, a, -87.0)
    a = where(a < 87.0, a, 87.0)
    # exp(-a) = 2^n exp(f); adding 1.5 * 2^23 rounds to the whole number n and leaves it in the low bits.
    y = a * -1.44269504
    n = y + 12582912.0
    f = (y - (n - 12582912.0)) * 0.69314718
    z = f * f
    # The polynomial of degree 5 that is 1 + f + … and nearest to exp(f), to 1.05e-7 of it, for |f| <= log(2) / 2.
    p = (f + 1.0) + z * ((f * 0.16667115 + 0.4999923) + z * (f * 0.0083125 + 0.04189033))
    return 1.0 / (float_from_bits(float_bits(p) + (float_bits(n) << 23)) + 1.0)


@jit
def code_probabilities(net: Net, upward: bool, level: int, states: Floats, probabilities: Doubles, first: int) -> None:
    """Write the probabilities of Eq 1, each the nearest k / 2^22 with 0 < k < 2^22, for the layer that a level drives.

    Upward it is driven by recognition. They go into row 0 of `probabilities` from column `first` on; those after them,
    up to a whole vector, may change too.
    """
    between = recognition(net, level) if upward else generative(net, level)
    for unit in range(0, net.sizes[between.driven], LANES):
        p = logistic_of_files(logits(between.weights, net.sizes, states, between.driving, unit))
        # Adding 1.5 * 2^23 rounds to a whole number: it works up to 2^22 in float32, which is why there are 22 bits.
        k = (p * CODE_ONE + 12582912.0) - 12582912.0
        k = where(k > 1.0, k, 1.0)
        k = where(k < CODE_ONE - 1.0, k, CODE_ONE - 1.0)
        store(probabilities, 0, first + unit, to_double(k) * (1.0 / CODE_ONE))


class Stack(NamedTuple):
    """A stack of bits: `head`, shape (1,), on top of the first `n_words`, shape (1,), of the words.

    `ran_dry`, shape (1,), counts images (or representations) for which more was popped than there was.
    """

    words: Words
    head: NDArray[np.uint64]
    n_words: NDArray[np.int64]
    ran_dry: NDArray[np.int64]


class Cascade(NamedTuple):
    """Connections through which each layer drives the next, as a code of all layers but the one that drives only.

    Attributes
    ----------
    upward : bool
        Whether they are those of recognition.
    steps : ndarray of int64, shape (n, 3)
        The level of each connection, the layer that it drives, and the first column of that layer's probabilities.
    probabilities : ndarray of float64, shape (1, n_columns)
    """

    upward: bool
    steps: Integers
    probabilities: Doubles


@inline
def slots_of_off(p: float) -> np.uint64:
    """Return how many of the 2^24 slots a unit that is on with the probability p = k / 2^22 leaves to being off."""
    k = np.uint64(p * CODE_ONE)
    return (((_ONE - k) * _SPARE_SLOTS) >> _ONE_BITS) + _EXTRA_SLOT


@inline
def write_probabilities(net: Net, cascade: Cascade, states: Floats, step: int) -> tuple[int, int]:
    """Write the probabilities of the units of a layer; return its number and the column of the first."""
    level, driven, first = cascade.steps[step, 0], cascade.steps[step, 1], cascade.steps[step, 2]
    code_probabilities(net, cascade.upward, level, states, cascade.probabilities, first)
    return driven, first


@jit
def pop_layers(net: Net, cascade: Cascade, states: Floats, stack: Stack) -> None:
    """Pop the states of the driven layers, one layer after the other."""
    head, count = stack.head[0], stack.n_words[0]
    dry = False
    for step in range(len(cascade.steps)):
        driven, first = write_probabilities(net, cascade, states, step)
        for v in range(net.sizes[driven]):
            off = slots_of_off(cascade.probabilities[0, first + v])
            slot = head & _LAST_SLOT
            on = slot >= off
            states[driven, v] = on
            head = (_SLOTS - off if on else off) * (head >> _SLOT_BITS) + slot - (off if on else _NOTHING)
            if head <= _WORD:
                if count > 0:
                    count -= 1
                    head = head << _WORD_BITS | np.uint64(stack.words[count])
                else:
                    dry = True
    stack.head[0], stack.n_words[0] = head, count
    stack.ran_dry[0] += dry


@jit
def push_layers(net: Net, cascade: Cascade, states: Floats, stack: Stack) -> None:
    """Push the states of the driven layers: the inverse of `pop_layers`. Each unit takes room for a word at most."""
    head, count = stack.head[0], stack.n_words[0]
    for step in range(len(cascade.steps)):
        write_probabilities(net, cascade, states, step)
    for step in range(len(cascade.steps) - 1, -1, -1):
        driven, first = cascade.steps[step, 1], cascade.steps[step, 2]
        for v in range(net.sizes[driven] - 1, -1, -1):
            off = slots_of_off(cascade.probabilities[0, first + v])
            on = states[driven, v] > 0
            n = _SLOTS - off if on else off
            if head >> _FULL_BITS >= n:
                stack.words[count] = np.uint32(head & _WORD)
                count += 1
                head = head >> _WORD_BITS
            whole = head // n
            head = (whole << _SLOT_BITS) + (head - whole * n) + (off if on else _NOTHING)
    stack.head[0], stack.n_words[0] = head, count


@jit
def push_images(
    net: Net, up: Cascade, down: Cascade, states: Floats, stack: Stack, inputs: States, drawn: States
) -> int:
    """Push images, the last first, while there is room; return how many are left.

    Each goes with the representation in its row of `drawn`, or, if that has no rows, with one popped from the stack.
    """
    most = len(down.probabilities[0]) - LANES
    for row in range(len(inputs) - 1, -1, -1):
        if len(stack.words) - stack.n_words[0] < most:
            return row + 1
        for u in range(net.sizes[0]):
            states[0, u] = inputs[row, u]
        if len(drawn) == 0:
            pop_layers(net, up, states, stack)
        else:
            unit = 0
            for layer in range(1, len(net.sizes) - 1):
                for u in range(net.sizes[layer]):
                    states[layer, u] = drawn[row, unit + u]
                unit += net.sizes[layer]
        push_layers(net, down, states, stack)
    return 0


@jit
def pop_images(
    net: Net, up: Cascade, down: Cascade, states: Floats, stack: Stack, images: States, bits_back: bool
) -> int:
    """Pop images while there is room for the bits that come back; return how many."""
    most = len(up.probabilities[0]) - LANES
    for row in range(len(images)):
        if bits_back and len(stack.words) - stack.n_words[0] < most:
            return row
        pop_layers(net, down, states, stack)
        if bits_back:
            push_layers(net, up, states, stack)
        for u in range(net.sizes[0]):
            images[row, u] = np.uint8(states[0, u])
    return len(images)
