"""The stack of bits that images are pushed on and popped from, around the kernels of `fastws.kernels.code`."""

import numpy as np

from fastws.checks import Whole
from fastws.codec.container import Words, n_initial_words
from fastws.kernels.code import Cascade, Stack, pop_images, push_images
from fastws.kernels.layout import LANES
from fastws.kernels.types import States
from fastws.machine import Machine
from fastws.randomness import Use

IMAGES_A_CALL = 256
# Fewer images where they are long work, so that progress is shown and Ctrl-C noticed.
_PARAMETERS_A_CALL = 1 << 24

# A choice takes more bits than there are in one of 2^32 files or fewer; in a forged one, image after image.
_MOST_DRY = 64
NO_IMAGES = "the payload does not decode to whole images; compress them again."


class Coder:
    """A stack of bits that images are pushed on and popped from."""

    def __init__(self, machine: Machine, method: str, words: Words) -> None:
        sizes = machine.layer_sizes
        self._net = machine.net
        self._bits_back = method == "bits-back"
        self._states = machine.room().states
        top = len(sizes) - 1
        self._up = self._cascade(True, [(level, level + 1) for level in range(top)])
        self._down = self._cascade(False, [(level, level) for level in range(top, -1, -1)])
        self._stack = stack_of(words, len(words))
        self._most_words = 2 * len(words) + sum(sizes)
        self.images_a_call = max(1, min(IMAGES_A_CALL, _PARAMETERS_A_CALL // machine.n_parameters))

    def _cascade(self, upward: bool, route: list[tuple[int, int]]) -> Cascade:
        n_units = np.array([self._net.sizes[driven] for _, driven in route])
        ends = np.cumsum(n_units)
        steps = np.column_stack([route, ends - n_units])
        return Cascade(upward, steps, np.empty((1, ends[-1] + LANES)))

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
            left = push_images(self._net, self._up, self._down, self._states, self._stack, *rows)
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
            done += pop_images(self._net, self._up, self._down, self._states, self._stack, rest, self._bits_back)
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
        for _, driven, first in cascade.steps.tolist():
            n = self._net.sizes[driven]
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
