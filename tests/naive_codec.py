"""A receiver of .fws files written from docs/file-format.md, in integers; only probabilities come from fastws."""

import hashlib
import struct

import numpy as np

from fastws.kernels.code import code_probabilities

ONE = 2**22
SLOTS = 2**24


class Stack:
    def __init__(self, words):
        self.words, self.state = list(words), 0
        self._refill()

    def _refill(self):
        while self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()

    @staticmethod
    def _slots(state, k):
        off = (ONE - k) * (SLOTS - 2) // ONE + 1
        return (off, SLOTS - off) if state else (0, off)

    def push(self, state, k):
        first, n = self._slots(state, k)
        if self.state >= 2**40 * n:
            self.words.append(self.state % 2**32)
            self.state >>= 32
        self.state = SLOTS * (self.state // n) + first + self.state % n

    def pop(self, k):
        slot = self.state % SLOTS
        state = int(slot >= self._slots(0, k)[1])
        first, n = self._slots(state, k)
        self.state = n * (self.state // SLOTS) + slot - first
        self._refill()
        return state

    def content(self):
        words = [*self.words, self.state % 2**32, self.state >> 32]
        while words and words[-1] == 0:
            words.pop()
        return words


def integers(machine, upward, layers, driving, driven):
    """Return the k of the units of a layer."""
    sizes, states = machine.layer_sizes, machine.room().states
    if driving < len(layers):
        states[driving, : sizes[driving]] = layers[driving]
    p = np.empty((1, max(sizes) + 16))
    code_probabilities(machine.net, upward, min(driving, driven), states, p, 0)
    k = p[0, : sizes[driven]] * ONE
    assert (k == np.rint(k)).all()
    return [int(value) for value in k]


def initial_words(sizes, method, seed):
    n = 2 + (-(-sum(sizes[1:]) // 32) if method == 0 else 0)
    words = [int(word) for word in np.random.SeedSequence(seed, spawn_key=(8,)).generate_state(n)]
    words[-1] |= 1
    return words


def decompress(machine, blob):
    magic, version, method, n_layers = struct.unpack_from("<4sBBH", blob)
    assert (magic, version) == (b"\x89FWS", 1)
    assert hashlib.sha256(blob[:-16]).digest()[:16] == blob[-16:]
    sizes = struct.unpack_from(f"<{n_layers}I", blob, 8)
    assert sizes == machine.layer_sizes
    at = 8 + 4 * n_layers
    parameters = [*machine.gen_weights, *machine.gen_biases, *machine.rec_weights, *machine.rec_biases]
    content = struct.pack(f"<{n_layers}I", *sizes) + b"".join(array.astype("<f4").tobytes() for array in parameters)
    assert blob[at : at + 16] == hashlib.sha256(content).digest()[:16]
    n, height, width, seed, n_words = struct.unpack_from("<QIIQQ", blob, at + 16)
    assert height * width == sizes[0]
    words = list(struct.unpack(f"<{n_words}I", blob[at + 48 : -16]))
    while words and words[-1] == 0:
        words.pop()
    stack = Stack(words)
    top = len(sizes) - 1
    images = []
    for _ in range(n):
        layers = [None] * len(sizes)
        for layer in range(top, -1, -1):
            k = integers(machine, False, layers, layer + 1, layer)
            layers[layer] = [stack.pop(value) for value in k]
        for layer in range(top, 0, -1) if method == 0 else ():
            k = integers(machine, True, layers, layer - 1, layer)
            for state, value in zip(reversed(layers[layer]), reversed(k), strict=True):
                stack.push(state, value)
        images.append(layers[0])
    assert stack.content() == initial_words(sizes, method, seed)
    return np.array(images, np.uint8)
