"""How many bits an image takes: by general compressors, by the code of `fastws.codec`, and by what theory promises."""

import gzip
import io
import lzma
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import codec, estimate
from fastws.checks import Whole, check_binary, check_integer
from fastws.machine import Machine

__all__ = ["Rates", "codeword_bits", "gzip_bits", "rates"]


@dataclass(frozen=True)
class Rates:
    """Bits an image, by how the images are sent.

    Attributes
    ----------
    raw_bits : float
        A bit a pixel.
    gzip_bits, lzma_bits : float
        Of all pixels, packed eight a byte, at the highest level.
    png_bits : float
        One 1-bit picture of all images side by side.
    two_part_bits, bits_back_bits : float
        Of the payloads less the initial bits.
    free_energy_bits : float
        Eq 5, sampled.
    neg_log_prob_bits : float
        -log2 P(d), bounded from above by importance weighting.

    Examples
    --------
    >>> from fastws.experiments.compression import Rates
    >>> found = Rates(64, 36.8, 35.1, 38.2, 42.3, 26.45, 26.45, 25.9)
    >>> found.bits_back_bits < found.two_part_bits
    True
    """

    raw_bits: float
    gzip_bits: float
    lzma_bits: float
    png_bits: float
    two_part_bits: float
    bits_back_bits: float
    free_energy_bits: float
    neg_log_prob_bits: float


def rates(
    machine: Machine,
    x: NDArray[np.uint8],
    blobs: Mapping[str, bytes],
    image_shape: tuple[int, int],
    n_samples: int = 10,
    seed: int = 0,
) -> Rates:
    """Return the rates of images whose code `codec.compress` made, by each of `codec.METHODS`.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.compression import rates
    >>> machine, x = fastws.Machine([4, 2]), fastws.Bars(size=2).sample(50)
    >>> blobs = {method: fastws.codec.compress(machine, x, method=method) for method in fastws.codec.METHODS}
    >>> found = rates(machine, x, blobs, image_shape=(2, 2))
    >>> found.raw_bits, round(found.free_energy_bits, 6)
    (4.0, 4.0)
    """
    measures = estimate.measures(machine, x, n_samples, seed)
    packed = np.packbits(x).tobytes()
    return Rates(
        raw_bits=float(x.shape[1]),
        gzip_bits=gzip_bits(x),
        lzma_bits=8 * len(lzma.compress(packed, preset=9 | lzma.PRESET_EXTREME)) / len(x),
        png_bits=8 * len(png_sheet(x, image_shape)) / len(x),
        two_part_bits=codec.describe(blobs["two-part"]).net_bits / len(x),
        bits_back_bits=codec.describe(blobs["bits-back"]).net_bits / len(x),
        free_energy_bits=float(measures.free_energy_bits.mean()),
        neg_log_prob_bits=float(measures.neg_log_prob_bits.mean()),
    )


def codeword_bits(machine: Machine, x: ArrayLike, n_codewords: Whole = 10, seed: Whole = 0) -> NDArray[np.float64]:
    """Return the lengths of codewords of images: C(α, d) of representations that are drawn from Q(·|d) (Eq 3).

    Who sends the shortest of them saves bits, and gives away those that the choice could carry. However many there are,
    none is shorter than -log2 P(d). Frey and Hinton (Computer Journal 40, 1997, 157-165) set the shortest of ten beside
    bits-back.

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n, n_0)
    n_codewords : int, default=10
        Of each image.
    seed : int, default=0
        The first codewords are the same for any greater number of them.

    Returns
    -------
    ndarray of float64, shape (n, n_codewords)
        In bits.

    Raises
    ------
    ValueError
        If x has another width or a value other than 0 and 1, n_codewords or the seed is out of range, or a parameter of
        the machine is not finite.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.compression import codeword_bits
    >>> codeword_bits(fastws.Machine([3, 2]), [[0, 1, 1]], n_codewords=4).round(6)  # all are as long
    array([[5., 5., 5., 5.]])
    """
    inputs = check_binary(x, machine.layer_sizes[0])
    copies = np.tile(inputs, (check_integer(n_codewords, "n_codewords"), 1))
    return estimate.description_length_bits(machine, copies, 1, seed).reshape(-1, len(inputs)).T


def gzip_bits(x: NDArray[np.uint8]) -> float:
    """Return the bits an image that gzip takes for all pixels, packed eight a byte, at its highest level.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws.experiments.compression import gzip_bits
    >>> gzip_bits(np.zeros((1000, 64), np.uint8)) < 1
    True
    """
    return 8 * len(gzip.compress(np.packbits(x).tobytes(), 9, mtime=0)) / len(x)


def png_sheet(x: NDArray[np.uint8], image_shape: tuple[int, int]) -> bytes:
    """Return a 1-bit PNG of all images, row after row in about as many columns; places left over are blank."""
    from PIL import Image

    height, width = image_shape
    n_columns = int(np.ceil(np.sqrt(len(x))))
    n_rows = -(-len(x) // n_columns)
    places = np.zeros((n_rows * n_columns, height, width), bool)
    places[: len(x)] = x.reshape(-1, height, width)
    sheet = places.reshape(n_rows, n_columns, height, width).swapaxes(1, 2).reshape(n_rows * height, n_columns * width)
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "png", optimize=True)
    return file.getvalue()
