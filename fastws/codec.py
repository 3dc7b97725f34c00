"""Bits-back: images sent in the number of bits that the free energy promises (Eq 5 of [1]_; [2]_).

The sender draws a representation α from Q(·|d), not with a random generator but by decoding it from the bits that are
to be sent already, which costs the receiver -log2 Q(α|d) of them. Then it codes α and the image given α, C(α, d) bits
(Eq 3). The receiver decodes both, knows d, and so knows Q(·|d) and which bits the choice was made with: those come
back. Image by image the code is a stack, on which asymmetric numeral systems (ANS, of the package constriction) push
and pop units; `docs/file-format.md` describes the code and the file.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
.. [2] Hinton and Zemel, NIPS 6 (1994), 3-10; Frey and Hinton, Computer Journal 40 (1997), 157-165.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import kernels
from fastws.checks import Whole, check_binary, check_integer
from fastws.machine import Machine
from fastws.randomness import Use
from fastws.storage import LANES

__all__ = ["METHODS", "Description", "Ledger", "compress", "decompress", "describe", "fingerprint", "ledger"]

FORMAT_VERSION = 1
METHODS = ("bits-back", "two-part")
"""How a representation is sent: the bits of its choice come back, or they do not, and C(α, d) of Eq 3 is paid whole."""

_MAGIC = b"\x89FWS"
_LEAD = struct.Struct("<4sBBH")
_COUNTS = struct.Struct("<QIIQQ")
_DIGEST_BYTES = 16
_WORD_BITS = 32
# A file has a word for every so many pixels, if only of padding: what it makes a receiver allocate, it has paid for.
_MAX_PIXELS_A_WORD = 1 << 14
_IMAGES_A_LOOK = 256

Progress = Callable[[int], object]
States = NDArray[np.uint8]
Words = NDArray[np.uint32]


@dataclass(frozen=True)
class Description:
    """What the header of a ``.fws`` file says.

    Attributes
    ----------
    method : {"bits-back", "two-part"}
    layer_sizes : tuple of int
    fingerprint : str
        That of the machine; `fingerprint` computes it.
    n_images : int
    image_shape : (height, width)
    seed : int
    payload_bits : int
    initial_bits : int
        Bits of the seed that lay on the stack before the first image and are part of the payload.
    header_bits : int
        Everything but the payload: header and checksum.
    """

    method: str
    layer_sizes: tuple[int, ...]
    fingerprint: str
    n_images: int
    image_shape: tuple[int, int]
    seed: int
    payload_bits: int
    initial_bits: int
    header_bits: int

    @property
    def net_bits(self) -> int:
        """What the images themselves took: the payload less the initial bits."""
        return self.payload_bits - self.initial_bits


class Ledger(NamedTuple):
    """What the code of each image pays and gets back, in bits.

    Attributes
    ----------
    paid_bits : ndarray of float64, shape (n, L + 1)
        For the input given its representation, for each hidden layer given the one above, and for the top layer. They
        add up to C(α, d) of Eq 3.
    returned_bits : ndarray of float64, shape (n, L)
        Got back from the choice of the first hidden layer's states, and so on up; they add up to -log2 Q(α|d).
    """

    paid_bits: NDArray[np.float64]
    returned_bits: NDArray[np.float64]


def compress(
    machine: Machine,
    x: ArrayLike,
    seed: Whole = 0,
    method: str = "bits-back",
    image_shape: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Return images as the content of a ``.fws`` file. `decompress` gives them back, whatever they and the machine are.

    Parameters
    ----------
    machine : Machine
        The better it describes the images, the fewer the bits.
    x : array_like of {0, 1}, shape (n, n_0)
    seed : int, default=0
        Below 2^64. Gives the initial bits, which the first representation is chosen with, or with
        ``method="two-part"`` all representations.
    method : {"bits-back", "two-part"}, default="bits-back"
        Bits-back takes the free energy C(d) an image on average; two-part takes the expected C(α, d), since it does
        without the bits that come back.
    image_shape : (height, width), optional
        Kept in the file for whoever draws the images. One row by default.
    progress : callable, optional
        Called now and then with the number of images done.

    Returns
    -------
    bytes
        `describe` counts their bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, a parameter of the machine is not finite, or another
        argument is out of range.
    ImportError
        If constriction is not installed.
    """
    machine.check_finite()
    inputs = check_binary(x, machine.layer_sizes[0])
    check_method(method)
    shape = _check_shape(image_shape, machine.layer_sizes[0])
    coder = _Coder(machine, method, _check_seed(seed))
    # What is pushed last is popped first, so the last image goes first.
    chosen = machine.representations(inputs, seed) if method == "two-part" else None
    for done, row in enumerate(reversed(range(len(inputs))), 1):
        coder.push(inputs[row], [layer[row] for layer in chosen] if chosen else None)
        _report(progress, done, len(inputs))
    words = coder.words()
    padding = max(0, -(-inputs.size // _MAX_PIXELS_A_WORD) - len(words))
    payload = np.pad(words, (0, padding)).astype("<u4").tobytes()
    content = b"".join(
        (
            _LEAD.pack(_MAGIC, FORMAT_VERSION, METHODS.index(method), len(machine.layer_sizes)),
            struct.pack(f"<{len(machine.layer_sizes)}I", *machine.layer_sizes),
            bytes.fromhex(fingerprint(machine)),
            _COUNTS.pack(len(inputs), *shape, seed, len(words) + padding),
            payload,
        )
    )
    return content + _digest(content)


def decompress(machine: Machine, blob: bytes, progress: Progress | None = None) -> States:
    """Return the images in the content of a ``.fws`` file.

    Parameters
    ----------
    machine : Machine
        The one that compressed them, to the bit.
    blob : bytes
    progress : callable, optional
        Called now and then with the number of images done.

    Returns
    -------
    ndarray of uint8, shape (n, n_0)

    Raises
    ------
    ValueError
        If the content is not that of a whole ``.fws`` file, was altered, has a later version, or was compressed with
        another machine, or a parameter of the machine is not finite. Nothing is allocated or decoded before that is
        known.
    ImportError
        If constriction is not installed.
    """
    machine.check_finite()
    about, words = _read(blob)
    if about.layer_sizes != machine.layer_sizes:
        raise ValueError(
            f"the images were compressed with a machine of {_layers(about.layer_sizes)}; this one has "
            f"{_layers(machine.layer_sizes)}. Give the machine that compressed them."
        )
    if about.fingerprint != fingerprint(machine):
        raise ValueError(
            "the images were compressed with a machine of other parameters (its fingerprint is "
            f"{about.fingerprint}, this one's {fingerprint(machine)}). Give the machine that compressed them."
        )
    coder = _Coder(machine, about.method, about.seed, words)
    inputs = np.empty((about.n_images, machine.layer_sizes[0]), np.uint8)
    for done, image in enumerate(inputs, 1):
        coder.pop(image)
        _report(progress, done, len(inputs))
    # What is left are the bits from before the first image; a slip anywhere in the decoding would have changed them.
    if not np.array_equal(coder.words(), _initial_words(machine.layer_sizes, about.method, about.seed)):
        raise ValueError("the payload does not decode to whole images; compress them again.")
    return inputs


def describe(blob: bytes) -> Description:
    """Return what a ``.fws`` file holds and how many bits its parts take.

    Raises
    ------
    ValueError
        If the content is not that of a whole ``.fws`` file, was altered, or has a later version.
    """
    return _read(blob)[0]


def fingerprint(machine: Machine) -> str:
    """Return 32 hexadecimal digits that stand for the layer sizes and all parameters, of either direction."""
    state = hashlib.sha256(struct.pack(f"<{len(machine.layer_sizes)}I", *machine.layer_sizes))
    for array in machine.arrays().values():
        state.update(array.astype("<f4").tobytes())
    return state.digest()[:_DIGEST_BYTES].hex()


def ledger(machine: Machine, x: ArrayLike, seed: Whole = 0) -> Ledger:
    """Return what bits-back pays for each image and gets back, by layer, in the code that `compress` makes of them.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    seed : int, default=0

    Returns
    -------
    Ledger

    Raises
    ------
    ValueError, ImportError
        As `compress`.
    """
    machine.check_finite()
    inputs = check_binary(x, machine.layer_sizes[0])
    coder = _Coder(machine, "bits-back", _check_seed(seed))
    n_levels = len(machine.layer_sizes) - 1
    paid, returned = np.empty((len(inputs), n_levels + 1)), np.empty((len(inputs), n_levels))
    for row in reversed(range(len(inputs))):
        coder.push(inputs[row])
        paid[row] = coder.generative.bits()[::-1]
        returned[row] = coder.recognition.bits()
    return Ledger(paid, returned)


def check_method(method: str) -> None:
    """Raise `ValueError` if this is no method of `compress`."""
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; choose one of {', '.join(METHODS)}.")


class _Cascade:
    """Connections through which each layer drives the next, as a code of all layers but the first.

    `route` lists (connection, driving layer, driven layer). The states of the layers are shared with other cascades.
    """

    def __init__(self, machine: Machine, states: NDArray[np.float32], route: list[tuple[Any, int, int]]) -> None:
        self._sizes = machine.shape[0]
        self._states = states
        n_units = [machine.layer_sizes[driven] for _, _, driven in route]
        ends = np.cumsum(n_units)
        self._space = np.empty((1, ends[-1] + LANES))
        self._p = self._space[0, : ends[-1]]
        self._symbols = np.empty(ends[-1], np.int32)
        self._steps = [
            (*step, int(end) - n, self._p[end - n : end], self._symbols[end - n : end], states[step[2], :n])
            for step, n, end in zip(route, n_units, ends, strict=True)
        ]

    def push(self, ans: Any, model: Any) -> None:
        """Push the states of the driven layers, given the states that drive them."""
        for weights, driving, driven, first, _, symbols, states in self._steps:
            kernels.code_probabilities(weights, self._sizes, self._states, driving, driven, self._space, first)
            symbols[:] = states
        ans.encode_reverse(self._symbols, model, self._p)

    def pop(self, ans: Any, model: Any) -> None:
        """Pop the states of the driven layers, one layer after the other: the inverse of `push`."""
        for weights, driving, driven, first, p, symbols, states in self._steps:
            kernels.code_probabilities(weights, self._sizes, self._states, driving, driven, self._space, first)
            symbols[:] = ans.decode(model, p)
            states[:] = symbols

    def bits(self) -> list[float]:
        """Return what the symbols pushed or popped last cost, a number a driven layer."""
        return [-float(np.log2(np.where(symbols == 1, p, 1 - p)).sum()) for _, _, _, _, p, symbols, _ in self._steps]


class _Coder:
    """A stack of bits that images are pushed on and popped from."""

    def __init__(self, machine: Machine, method: str, seed: int, words: Words | None = None) -> None:
        constriction = _constriction()
        self._bits_back = method == "bits-back"
        sizes = machine.layer_sizes
        if words is None:
            words = _initial_words(sizes, method, seed)
        self._ans = constriction.stream.stack.AnsCoder(words)
        self._model = constriction.stream.model.Bernoulli(perfect=False)
        _, _, generative, recognition = machine.parameters
        states = np.zeros((len(sizes), max(sizes)), np.float32)
        self._input = states[0, : sizes[0]]
        self._hidden = [states[layer, :n] for layer, n in enumerate(sizes) if layer > 0]
        top = len(sizes) - 1
        upward = [(recognition[level], level, level + 1) for level in range(top)]
        downward = [(generative[level], level + 1, level) for level in range(top, -1, -1)]
        self.recognition = _Cascade(machine, states, upward)
        self.generative = _Cascade(machine, states, downward)

    def push(self, image: States, representation: Sequence[States] | None = None) -> None:
        """Push one image and a representation of it: the one given, by layer, or one popped from the stack first."""
        self._input[:] = image
        if representation is None:
            self.recognition.pop(self._ans, self._model)
        else:
            for states, chosen in zip(self._hidden, representation, strict=True):
                states[:] = chosen
        self.generative.push(self._ans, self._model)

    def pop(self, image: States) -> None:
        """Pop the image that was pushed last into `image`, and leave the stack as it was before."""
        self.generative.pop(self._ans, self._model)
        if self._bits_back:
            self.recognition.push(self._ans, self._model)
        image[:] = self._input

    def words(self) -> Words:
        """Return the stack."""
        return np.asarray(self._ans.get_compressed())


def _constriction() -> Any:
    try:
        import constriction
    except ImportError as error:
        raise ImportError(
            "fastws.codec needs the package constriction; install it by pip install 'fastws[codec]'."
        ) from error
    return constriction


def _initial_words(layer_sizes: tuple[int, ...], method: str, seed: int) -> Words:
    """Return the words that lie on the stack before the first image."""
    n_words = _n_initial_words(layer_sizes, method)
    words = np.random.SeedSequence(seed, spawn_key=(Use.START_UP,)).generate_state(n_words).astype(np.uint32)
    # The stack ends with a word that is not 0.
    words[-1] |= 1
    return words


def _n_initial_words(layer_sizes: tuple[int, ...], method: str) -> int:
    """Return two, the coder's own state, and for bits-back a bit for each hidden unit: more no choice takes on average.

    A stack that runs dry all the same can still be decoded; the choices are only less random then.
    """
    return 2 + (-(-sum(layer_sizes[1:]) // _WORD_BITS) if method == "bits-back" else 0)


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None and (done % _IMAGES_A_LOOK == 0 or done == total):
        progress(done)


def _check_shape(shape: Sequence[int] | None, n_pixels: int) -> tuple[int, int]:
    if shape is None:
        return 1, n_pixels
    if len(shape) != 2 or shape[0] * shape[1] != n_pixels:
        raise ValueError(
            f"image_shape is {shape!r}; give height and width, which make the {n_pixels} pixels of an image."
        )
    return check_integer(shape[0], "image_shape[0]"), check_integer(shape[1], "image_shape[1]")


def _check_seed(seed: Whole) -> int:
    if check_integer(seed, "seed", at_least=0) >= 1 << 64:
        raise ValueError(f"seed is {seed}; the file has room for whole numbers below 2^64.")
    return int(seed)


def _layers(sizes: tuple[int, ...]) -> str:
    return f"layers {list(sizes)}" if len(sizes) <= 8 else f"{len(sizes)} layers"


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


def _read(blob: bytes) -> tuple[Description, Words]:
    """Return the description and the payload, without the padding, of a file that is what its checksum says."""
    if not isinstance(blob, bytes | bytearray | memoryview):
        raise ValueError(f"the blob is of type {type(blob).__name__}; give the bytes of a .fws file.")
    view = memoryview(blob).cast("B")
    if len(view) < _LEAD.size or view[:4] != _MAGIC:
        raise ValueError("this is not a .fws file; give one that fastws compressed.")
    _, version, method, n_layers = _LEAD.unpack_from(view)
    if not 1 <= version <= FORMAT_VERSION:
        raise ValueError(
            f"the .fws file has format version {version}; this fastws reads versions up to {FORMAT_VERSION}. Upgrade "
            "fastws to read it."
        )
    if len(view) < _LEAD.size + _DIGEST_BYTES or _digest(view[:-_DIGEST_BYTES]) != view[-_DIGEST_BYTES:]:
        raise ValueError("the .fws file is truncated or was altered: its checksum is wrong. Get the file anew.")
    try:
        return _parse(view[:-_DIGEST_BYTES], method, n_layers)
    except struct.error as error:
        raise ValueError("the header of the .fws file is shorter than it says; compress the images again.") from error


def _parse(content: memoryview, method: int, n_layers: int) -> tuple[Description, Words]:
    position = _LEAD.size
    layer_sizes = struct.unpack_from(f"<{n_layers}I", content, position)
    position += 4 * n_layers
    machine = bytes(content[position : position + _DIGEST_BYTES])
    position += _DIGEST_BYTES
    n_images, height, width, seed, n_words = _COUNTS.unpack_from(content, position)
    position += _COUNTS.size
    if method >= len(METHODS):
        raise ValueError(f"the .fws file names method {method}; there are 0 and 1. Compress the images again.")
    name = METHODS[method]
    if len(layer_sizes) < 2 or height * width != layer_sizes[0] or min(layer_sizes) == 0 or n_images == 0:
        raise ValueError(
            f"the .fws file claims {n_images} images of {height} x {width} pixels for {_layers(layer_sizes)}, "
            "which do not fit one another; compress the images again."
        )
    if 4 * n_words != len(content) - position:
        raise ValueError(
            f"the .fws file claims a payload of {4 * n_words} bytes and has {len(content) - position}; compress the "
            "images again."
        )
    if n_images * layer_sizes[0] > n_words * _MAX_PIXELS_A_WORD:
        raise ValueError(
            f"the .fws file claims {n_images} images of {layer_sizes[0]} pixels in {4 * n_words} bytes, more than it "
            "can have been written with; compress the images again."
        )
    words = np.frombuffer(content, "<u4", offset=position).astype(np.uint32)
    about = Description(
        method=name,
        layer_sizes=layer_sizes,
        fingerprint=machine.hex(),
        n_images=n_images,
        image_shape=(height, width),
        seed=seed,
        payload_bits=_WORD_BITS * n_words,
        initial_bits=_WORD_BITS * _n_initial_words(layer_sizes, name),
        header_bits=8 * (position + _DIGEST_BYTES),
    )
    return about, np.trim_zeros(words, "b")
