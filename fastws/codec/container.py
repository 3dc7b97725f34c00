"""The ``.fws`` file around the code, which `docs/file-format.md` describes."""

import hashlib
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION = 1
METHODS = ("bits-back", "two-part")
"""How a representation is sent: the bits of its choice come back, or they do not, and C(α, d) of Eq 3 is paid whole."""
WORD_BITS = 32
DIGEST_BYTES = 16

_MAGIC = b"\x89FWS"
_LEAD = struct.Struct("<4sBBH")
_COUNTS = struct.Struct("<QIIQQ")
# A file has a word for every so many pixels, if only of padding: what it makes a receiver allocate, it has paid for.
_MAX_PIXELS_A_WORD = 1 << 14

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

    Examples
    --------
    >>> import fastws
    >>> about = fastws.codec.describe(fastws.codec.compress(fastws.Machine([4, 2]), [[0, 1, 1, 0]], image_shape=(2, 2)))
    >>> about.layer_sizes, about.image_shape
    ((4, 2), (2, 2))
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


def n_initial_words(layer_sizes: tuple[int, ...], method: str) -> int:
    """Return two, the coder's own state, and for bits-back a bit for each hidden unit: more no choice takes on average.

    A stack that runs dry all the same can still be decoded; the choices are only less random then.
    """
    return 2 + (-(-sum(layer_sizes[1:]) // WORD_BITS) if method == "bits-back" else 0)


def pack(
    method: str,
    layer_sizes: tuple[int, ...],
    fingerprint: str,
    n_images: int,
    image_shape: tuple[int, int],
    seed: int,
    words: Words,
) -> bytes:
    """Return the content of a file; `Description` says what the arguments are, and `unpack` gives them back."""
    n_words = max(len(words), -(-n_images * layer_sizes[0] // _MAX_PIXELS_A_WORD))
    content = b"".join(
        (
            _LEAD.pack(_MAGIC, FORMAT_VERSION, METHODS.index(method), len(layer_sizes)),
            struct.pack(f"<{len(layer_sizes)}I", *layer_sizes),
            bytes.fromhex(fingerprint),
            _COUNTS.pack(n_images, *image_shape, seed, n_words),
            np.pad(words, (0, n_words - len(words))).astype("<u4").tobytes(),
        )
    )
    return content + _digest(content)


def unpack(blob: bytes) -> tuple[Description, Words]:
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
    if len(view) < _LEAD.size + DIGEST_BYTES or _digest(view[:-DIGEST_BYTES]) != view[-DIGEST_BYTES:]:
        raise ValueError("the .fws file is truncated or was altered: its checksum is wrong. Get the file anew.")
    try:
        return _parse(view[:-DIGEST_BYTES], method, n_layers)
    except struct.error as error:
        raise ValueError("the header of the .fws file is shorter than it says; compress the images again.") from error


def _parse(content: memoryview, method: int, n_layers: int) -> tuple[Description, Words]:
    position = _LEAD.size
    layer_sizes = struct.unpack_from(f"<{n_layers}I", content, position)
    position += 4 * n_layers
    machine = bytes(content[position : position + DIGEST_BYTES])
    position += DIGEST_BYTES
    n_images, height, width, seed, n_words = _COUNTS.unpack_from(content, position)
    position += _COUNTS.size
    if method >= len(METHODS):
        raise ValueError(f"the .fws file names method {method}; there are 0 and 1. Compress the images again.")
    name = METHODS[method]
    if len(layer_sizes) < 2 or height * width != layer_sizes[0] or min(layer_sizes) == 0 or n_images == 0:
        raise ValueError(
            f"the .fws file claims {n_images} images of {height} x {width} pixels for {layers_in_words(layer_sizes)}, "
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
        payload_bits=WORD_BITS * n_words,
        initial_bits=WORD_BITS * n_initial_words(layer_sizes, name),
        header_bits=8 * (position + DIGEST_BYTES),
    )
    return about, np.trim_zeros(words, "b")


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]


def layers_in_words(sizes: tuple[int, ...]) -> str:
    """Return the layer sizes as an error message names them."""
    return f"layers {list(sizes)}" if len(sizes) <= 8 else f"{len(sizes)} layers"
