"""The entropy coder: asymmetric numeral systems (ANS), a stack of bits that units are pushed on and popped from [1]_.

`docs/file-format.md` describes it. All is whole numbers but the probabilities, which `fastws.kernels` makes the same on
every machine.

References
----------
.. [1] Duda, arXiv 1311.2540 (2013); Townsend, Bird and Barber, ICLR (2019), for its use in bits-back.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws import kernels
from fastws.caching import cached_njit
from fastws.checks import Whole
from fastws.codec.container import Words, n_initial_words
from fastws.kernels import Doubles, Floats, Integers, States, code_probabilities, inline
from fastws.machine import Machine
from fastws.randomness import Use
from fastws.storage import LANES

jit: Callable[..., Any] = cached_njit([*kernels.SOURCES, __file__], **kernels.OPTIONS)

SLOT_BITS = 24
IMAGES_A_CALL = 256
# Fewer images where they are long work, so that progress is shown and Ctrl-C noticed.
_WEIGHTS_A_CALL = 1 << 24

# A choice takes more bits than there are in one of 2^32 files or fewer; in a forged one, image after image.
_MOST_DRY = 64
NO_IMAGES = "the payload does not decode to whole images; compress them again."

# Compiled, a uint64 and a Python integer would make a float.
_ONE = np.uint64(1 << kernels.CODE_BITS)
_ONE_BITS = np.uint64(kernels.CODE_BITS)
_SLOTS = np.uint64(1 << SLOT_BITS)
_SLOT_BITS = np.uint64(SLOT_BITS)
_LAST_SLOT = np.uint64((1 << SLOT_BITS) - 1)
_SPARE_SLOTS = np.uint64((1 << SLOT_BITS) - 2)
_FULL_BITS = np.uint64(64 - SLOT_BITS)
_WORD_BITS = np.uint64(32)
_WORD = np.uint64(0xFFFFFFFF)
_NOTHING = np.uint64(0)
_EXTRA_SLOT = np.uint64(1)


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

    The rows of `steps` are (level of the connection, driving layer, driven layer, first column of its probabilities).
    """

    weights: Floats
    steps: Integers
    probabilities: Doubles


@inline
def slots_of_off(p: float) -> np.uint64:
    """Return how many of the 2^24 slots a unit that is on with the probability p = k / 2^22 leaves to being off."""
    k = np.uint64(p * kernels.CODE_ONE)
    return (((_ONE - k) * _SPARE_SLOTS) >> _ONE_BITS) + _EXTRA_SLOT


@inline
def write_probabilities(sizes: Integers, cascade: Cascade, states: Floats, step: int) -> tuple[int, int]:
    """Write the probabilities of the units of a layer; return its number and the column of the first."""
    level, driving, driven = cascade.steps[step, 0], cascade.steps[step, 1], cascade.steps[step, 2]
    first = cascade.steps[step, 3]
    code_probabilities(cascade.weights[level], sizes, states, driving, driven, cascade.probabilities, first)
    return driven, first


@jit
def pop_layers(sizes: Integers, cascade: Cascade, states: Floats, stack: Stack) -> None:
    """Pop the states of the driven layers, one layer after the other."""
    head, count = stack.head[0], stack.n_words[0]
    dry = False
    for step in range(len(cascade.steps)):
        driven, first = write_probabilities(sizes, cascade, states, step)
        for v in range(sizes[driven]):
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
def push_layers(sizes: Integers, cascade: Cascade, states: Floats, stack: Stack) -> None:
    """Push the states of the driven layers: the inverse of `pop_layers`. Each unit takes room for a word at most."""
    head, count = stack.head[0], stack.n_words[0]
    for step in range(len(cascade.steps)):
        write_probabilities(sizes, cascade, states, step)
    for step in range(len(cascade.steps) - 1, -1, -1):
        driven, first = cascade.steps[step, 2], cascade.steps[step, 3]
        for v in range(sizes[driven] - 1, -1, -1):
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
    sizes: Integers, up: Cascade, down: Cascade, states: Floats, stack: Stack, inputs: States, drawn: States
) -> int:
    """Push images, the last first, while there is room; return how many are left.

    Each goes with the representation in its row of `drawn`, or, if that has no rows, with one popped from the stack.
    """
    most = len(down.probabilities[0]) - LANES
    for row in range(len(inputs) - 1, -1, -1):
        if len(stack.words) - stack.n_words[0] < most:
            return row + 1
        for u in range(sizes[0]):
            states[0, u] = inputs[row, u]
        if len(drawn) == 0:
            pop_layers(sizes, up, states, stack)
        else:
            unit = 0
            for layer in range(1, len(sizes) - 1):
                for u in range(sizes[layer]):
                    states[layer, u] = drawn[row, unit + u]
                unit += sizes[layer]
        push_layers(sizes, down, states, stack)
    return 0


@jit
def pop_images(
    sizes: Integers, up: Cascade, down: Cascade, states: Floats, stack: Stack, images: States, bits_back: bool
) -> int:
    """Pop images while there is room for the bits that come back; return how many."""
    most = len(up.probabilities[0]) - LANES
    for row in range(len(images)):
        if bits_back and len(stack.words) - stack.n_words[0] < most:
            return row
        pop_layers(sizes, down, states, stack)
        if bits_back:
            push_layers(sizes, up, states, stack)
        for u in range(sizes[0]):
            images[row, u] = np.uint8(states[0, u])
    return len(images)


class Coder:
    """A stack of bits that images are pushed on and popped from."""

    def __init__(self, machine: Machine, method: str, words: Words) -> None:
        sizes = machine.layer_sizes
        self._sizes, _, generative, recognition = machine.parameters
        self._bits_back = method == "bits-back"
        self._states = np.zeros((len(sizes), max(sizes)), np.float32)
        top = len(sizes) - 1
        self._up = self._cascade(recognition, [(level, level, level + 1) for level in range(top)])
        self._down = self._cascade(generative, [(level, level + 1, level) for level in range(top, -1, -1)])
        self._stack = stack_of(words, len(words))
        self._most_words = 2 * len(words) + sum(sizes)
        n_weights = generative[:, 0].size + sum(a.size for a in (*machine.gen_weights, *machine.rec_weights))
        self.images_a_call = max(1, min(IMAGES_A_CALL, _WEIGHTS_A_CALL // n_weights))

    def _cascade(self, weights: Floats, route: list[tuple[int, int, int]]) -> Cascade:
        ends = np.cumsum([self._sizes[driven] for _, _, driven in route])
        steps = np.array([(*step, end - self._sizes[step[2]]) for step, end in zip(route, ends, strict=True)])
        return Cascade(weights, steps, np.empty((1, ends[-1] + LANES)))

    def _make_room(self) -> None:
        """Make room for one more image at least, and half as much again as there is."""
        words = self._stack.words
        more = max(len(words) // 2, self._down.probabilities.shape[1])
        self._stack = self._stack._replace(words=np.concatenate([words, np.empty(more, np.uint32)]))

    def push(self, images: States, drawn: States) -> None:
        """Push images, the last first, each with a representation: that in its row of `drawn`, or one popped."""
        left = len(images)
        while True:
            rows = images[:left], drawn[:left]
            left = push_images(self._sizes, self._up, self._down, self._states, self._stack, *rows)
            if left == 0:
                return
            self._make_room()

    def pop(self, images: States) -> None:
        """Pop images into `images`, and leave the stack as it was before they were pushed.

        Raises
        ------
        ValueError
            If no images of this machine can have been pushed: the stack runs dry again and again, or it grows instead
            of shrinking. `docs/file-format.md` says how sure that is.
        """
        done = 0
        while True:
            rest = images[done:]
            done += pop_images(self._sizes, self._up, self._down, self._states, self._stack, rest, self._bits_back)
            if self._stack.ran_dry[0] > _MOST_DRY or self._stack.n_words[0] > self._most_words:
                raise ValueError(NO_IMAGES)
            if done == len(images):
                return
            self._make_room()

    def bits(self) -> tuple[list[float], list[float]]:
        """Return what the states pushed or popped last cost: the layers by generation, top first; by recognition."""
        return self._costs(self._down), self._costs(self._up)

    def _costs(self, cascade: Cascade) -> list[float]:
        costs = []
        for _, _, driven, first in cascade.steps.tolist():
            n = self._sizes[driven]
            p = cascade.probabilities[0, first : first + n]
            costs.append(-float(np.log2(np.where(self._states[driven, :n] == 1, p, 1 - p)).sum()))
        return costs

    def words(self) -> Words:
        """Return the stack, as `stack_of` takes it."""
        head, count = int(self._stack.head[0]), self._stack.n_words[0]
        ends = np.array([head & 0xFFFFFFFF, head >> 32], np.uint32)
        return np.trim_zeros(np.concatenate([self._stack.words[:count], ends]), "b")


def stack_of(words: Words, n_words: int) -> Stack:
    """Return a stack of the first so many words, the last of them on top; the others are room."""
    head, count = 0, n_words
    while head < 1 << 32 and count > 0:
        count -= 1
        head = head << 32 | int(words[count])
    return Stack(np.array(words, np.uint32), np.array([head], np.uint64), np.array([count]), np.array([0]))


def initial_words(layer_sizes: tuple[int, ...], method: str, seed: Whole) -> Words:
    """Return the words that lie on the stack before the first image."""
    n_words = n_initial_words(layer_sizes, method)
    words = np.random.SeedSequence(int(seed), spawn_key=(Use.START_UP,)).generate_state(n_words).astype(np.uint32)
    # The stack ends with a word that is not 0.
    words[-1] |= 1
    return words
