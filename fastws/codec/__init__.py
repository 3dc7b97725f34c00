"""Bits-back: images sent in the number of bits that the free energy promises (Eq 5 of [1]_; [2]_).

The sender draws a representation α from Q(·|d), not with a random generator but by decoding it from the bits that are
to be sent already, which costs the receiver -log2 Q(α|d) of them. Then it codes α and the image given α, C(α, d) bits
(Eq 3). The receiver decodes both, knows d, and so knows Q(·|d) and which bits the choice was made with: those come
back. Image by image the code is a stack, on which asymmetric numeral systems (ANS) push and pop units;
`docs/file-format.md` describes the code and the file.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
.. [2] Hinton and Zemel, NIPS 6 (1994), 3-10; Frey and Hinton, Computer Journal 40 (1997), 157-165.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import Whole, check_binary, check_integer
from fastws.codec.coder import NO_IMAGES, Coder, initial_words
from fastws.codec.container import (
    DIGEST_BYTES,
    METHODS,
    Description,
    layers_in_words,
    pack,
    unpack,
)
from fastws.codec.limits import check_claim
from fastws.machine import Machine
from fastws.softmax import check_binary_units

__all__ = ["METHODS", "Description", "Ledger", "compress", "decompress", "describe", "fingerprint", "ledger"]

Progress = Callable[[int], object]
States = NDArray[np.uint8]


class Ledger(NamedTuple):
    """What the code of each image pays and gets back, in bits.

    Attributes
    ----------
    paid_bits : ndarray of float64, shape (n, L + 1)
        For the input given its representation, for each hidden layer given the one above, and for the top layer. They
        add up to C(α, d) of Eq 3.
    returned_bits : ndarray of float64, shape (n, L)
        Got back from the choice of the first hidden layer's states, and so on up; they add up to -log2 Q(α|d).

    Examples
    --------
    >>> import fastws
    >>> account = fastws.codec.ledger(fastws.Machine([4, 3, 2]), [[0, 1, 1, 0], [1, 1, 1, 1]])
    >>> account.paid_bits.shape, account.returned_bits.shape
    ((2, 3), (2, 2))
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
        If x has another width or a value other than 0 and 1, a parameter of the machine is not finite, it has
        softmax groups, or another argument is out of range.

    Examples
    --------
    >>> import fastws
    >>> machine, x = fastws.Machine([8, 2]), fastws.Bars(size=2).sample(100).repeat(2, axis=1)
    >>> blob = fastws.codec.compress(machine, x)
    >>> bool((fastws.codec.decompress(machine, blob) == x).all())
    True
    """
    _check_machine(machine)
    inputs = check_binary(x, machine.layer_sizes[0])
    check_method(method)
    shape = _check_shape(image_shape, machine.layer_sizes[0])
    _check_seed(seed)
    coder = Coder(machine, method, initial_words(machine.layer_sizes, method, seed))
    chosen = np.empty((0, 0), np.uint8)
    if method == "two-part":
        chosen = np.concatenate(machine.representations(inputs, seed), axis=1)
    # What is pushed last is popped first, so the last image goes first.
    for left in range(len(inputs), 0, -coder.images_a_call):
        part = slice(max(0, left - coder.images_a_call), left)
        coder.push(inputs[part], chosen[part])
        _report(progress, len(inputs) - part.start)
    return pack(method, machine.layer_sizes, fingerprint(machine), len(inputs), shape, int(seed), coder.words())


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
        another machine, or the machine has softmax groups or a parameter that is not finite. Nothing is allocated or
        decoded before that is known.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([4, 2])
    >>> fastws.codec.decompress(machine, fastws.codec.compress(machine, [[0, 1, 1, 0]]))
    array([[0, 1, 1, 0]], dtype=uint8)
    """
    _check_machine(machine)
    about, words = unpack(blob)
    if about.layer_sizes != machine.layer_sizes:
        raise ValueError(
            f"the images were compressed with a machine of {layers_in_words(about.layer_sizes)}; this one has "
            f"{layers_in_words(machine.layer_sizes)}. Give the machine that compressed them."
        )
    if about.fingerprint != fingerprint(machine):
        raise ValueError(
            "the images were compressed with a machine of other parameters (its fingerprint is "
            f"{about.fingerprint}, this one's {fingerprint(machine)}). Give the machine that compressed them."
        )
    check_claim(machine, about, words)
    coder = Coder(machine, about.method, words)
    # It grows with what is decoded: what a file claims takes no memory.
    pixels = bytearray()
    room = np.empty((min(coder.images_a_call, about.n_images), machine.layer_sizes[0]), np.uint8)
    for done in range(0, about.n_images, len(room)):
        images = room[: about.n_images - done]
        coder.pop(images)
        pixels += images.data
        _report(progress, done + len(images))
    # What is left are the bits from before the first image; a slip anywhere in the decoding would have changed them.
    if not np.array_equal(coder.words(), initial_words(machine.layer_sizes, about.method, about.seed)):
        raise ValueError(NO_IMAGES)
    return np.frombuffer(pixels, np.uint8).reshape(about.n_images, -1)


def describe(blob: bytes) -> Description:
    """Return what a ``.fws`` file holds and how many bits its parts take.

    Raises
    ------
    ValueError
        If the content is not that of a whole ``.fws`` file, was altered, or has a later version.

    Examples
    --------
    >>> import fastws
    >>> about = fastws.codec.describe(fastws.codec.compress(fastws.Machine([4, 2]), [[0, 1, 1, 0]] * 30))
    >>> about.n_images, about.method
    (30, 'bits-back')
    """
    return unpack(blob)[0]


def fingerprint(machine: Machine) -> str:
    """Return 32 hexadecimal digits that stand for the layer sizes and all parameters, of either direction.

    Raises
    ------
    ValueError
        If the machine has softmax groups.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([4, 2])
    >>> fastws.codec.fingerprint(machine) == fastws.codec.fingerprint(machine.copy())
    True
    """
    check_binary_units(machine, "fastws.codec")
    state = hashlib.sha256(struct.pack(f"<{len(machine.layer_sizes)}I", *machine.layer_sizes))
    for array in machine.arrays().values():
        state.update(array.astype("<f4").tobytes())
    return state.digest()[:DIGEST_BYTES].hex()


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
    ValueError
        As `compress`.

    Examples
    --------
    >>> import fastws
    >>> account = fastws.codec.ledger(fastws.Machine([4, 2]), [[0, 1, 1, 0]])
    >>> account.paid_bits.round(2), account.returned_bits.round(2)
    (array([[4., 2.]]), array([[2.]]))
    """
    _check_machine(machine)
    inputs = check_binary(x, machine.layer_sizes[0])
    _check_seed(seed)
    coder = Coder(machine, "bits-back", initial_words(machine.layer_sizes, "bits-back", seed))
    n_levels = len(machine.layer_sizes) - 1
    paid, returned = np.empty((len(inputs), n_levels + 1)), np.empty((len(inputs), n_levels))
    for row in reversed(range(len(inputs))):
        coder.push(inputs[row : row + 1], np.empty((0, 0), np.uint8))
        generative, recognition = coder.bits()
        paid[row] = generative[::-1]
        returned[row] = recognition
    return Ledger(paid, returned)


def _check_machine(machine: Machine) -> None:
    check_binary_units(machine, "fastws.codec")
    machine.check_finite()


def check_method(method: str) -> None:
    """Raise `ValueError` if this is no method of `compress`."""
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; choose one of {', '.join(METHODS)}.")


def _report(progress: Progress | None, done: int) -> None:
    if progress is not None:
        progress(done)


def _check_shape(shape: Sequence[int] | None, n_pixels: int) -> tuple[int, int]:
    if shape is None:
        return 1, n_pixels
    if len(shape) != 2 or shape[0] * shape[1] != n_pixels:
        raise ValueError(
            f"image_shape is {shape!r}; give height and width, which make the {n_pixels} pixels of an image."
        )
    return check_integer(shape[0], "image_shape[0]"), check_integer(shape[1], "image_shape[1]")


def _check_seed(seed: Whole) -> None:
    if check_integer(seed, "seed", at_least=0) >= 1 << 64:
        raise ValueError(f"seed is {seed}; the file has room for whole numbers below 2^64.")
