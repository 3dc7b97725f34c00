"""Sets of images in three parts, each drawn by a seed: the synthetic ones, bundled digits, and a user's own."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.checks import check_contrast, check_integer
from fastws.datasets import load_bundled
from fastws.experiments.density import synthetic
from fastws.experiments.density.protocol import Check, Parts

__all__ = ["NAMES", "ImageSource", "Source", "SyntheticSource", "bundled", "split"]

SIZES = (10_000, 10_000, 80_000)
"""Images of the parts of a synthetic set."""
PARTS = (6, 2, 5)
"""Of thirteen images of another set, so many are to learn from, to validate and to test on."""
NETS = ((50, 20), (50,), (20, 10), (20,))
"""Hidden layers of the nets that are tried, first to top."""
NETS_OF_DIGITS = {"digits": ((32, 24, 16),), "pairs": ((64, 32, 16),)}
NAMES = (*synthetic.SETS, *NETS_OF_DIGITS)
"""The sets that `fastws density` knows by name."""

_DATA = 0  # beside the seed: the use of what is drawn by it
Images = NDArray[np.uint8]


class Draw(NamedTuple):
    """One draw of a set.

    Attributes
    ----------
    parts : Parts
    entropy_bits : callable or None
        As `synthetic.Drawn` has it.
    """

    parts: Parts
    entropy_bits: Callable[[Check], float] | None = None


def has_entropy(name: str) -> bool:
    """Return whether the entropy of a set's true models is known: there is one, and it is small enough."""
    return name in synthetic.SETS and name != "deep-bn"


def nets_of(name: str) -> tuple[tuple[int, ...], ...]:
    """Return the hidden layers of the nets that are tried on a set, first to top."""
    return NETS_OF_DIGITS.get(name, NETS)


class SyntheticSource:
    """One of the synthetic sets, by name.

    Raises
    ------
    ValueError
        If there is no such set.

    Examples
    --------
    >>> from fastws.experiments.density import SyntheticSource
    >>> SyntheticSource("no set")
    Traceback (most recent call last):
        ...
    ValueError: ...
    """

    def __init__(self, name: str) -> None:
        if name not in synthetic.SETS:
            raise ValueError(f"there is no synthetic set {name!r}; choose one of {', '.join(synthetic.SETS)}.")
        self.name = name

    def draw(self, seed: int, check: Check) -> Draw:
        """Draw a true model, and images from it."""
        drawn = synthetic.SETS[self.name](sum(SIZES), _rng(seed), check)
        return Draw(Parts(*np.split(drawn.x, np.cumsum(SIZES)[:2])), drawn.entropy_bits)


class ImageSource:
    """Images that there are: a draw is another choice of those to learn from, to validate and to test on.

    Parameters
    ----------
    name : str
        None of a synthetic set. Of `pairs`, two images of a part are put together: half as many.
    x : ndarray of uint8, shape (n, n_pixels)

    Raises
    ------
    ValueError
        If there are too few images for three parts, or nothing to tell apart.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws.experiments.density import ImageSource
    >>> draw = ImageSource("mine", np.eye(90, dtype=np.uint8)).draw(0, lambda _: None)
    >>> sum(map(len, draw.parts))
    90
    """

    def __init__(self, name: str, x: Images) -> None:
        if name in synthetic.SETS:
            raise ValueError(f"{name} is a synthetic set; give images of your own another name.")
        check_contrast(x)
        n = len(x) // 2 if name == "pairs" else len(x)
        split(x[:n], np.arange(n))
        self.name, self.x = name, x

    def draw(self, seed: int, check: Check) -> Draw:
        """Choose the images of the parts."""
        rng = _rng(seed)
        parts = split(self.x, rng.permutation(len(self.x)))
        if self.name == "pairs":
            parts = Parts(*(np.concatenate(np.split(part[: len(part) // 2 * 2], 2), axis=1) for part in parts))
        check_contrast(parts.train, what="training images")
        return Draw(parts)


Source = SyntheticSource | ImageSource


def split(x: Images, order: NDArray[np.int64]) -> Parts:
    """Return six thirteenths of the images to learn from, two to validate and five to test on, taken in an order.

    Raises
    ------
    ValueError
        If a part would have no image.
    """
    n = len(x)
    n_validation, n_test = (n * part // sum(PARTS) for part in PARTS[1:])
    if not n_validation:
        raise ValueError(
            f"the set has {n} images; two of thirteen are held out to validate on, which leaves none. Give at least "
            f"{-(-sum(PARTS) // PARTS[1])} images."
        )
    n_train = n - n_validation - n_test
    return Parts(*np.split(x[order], [n_train, n_train + n_validation]))


def bundled(name: str) -> ImageSource:
    """Return scikit-learn's 1797 digits, or pairs of them: other images than those of 1996, which are not public.

    Examples
    --------
    >>> from fastws.experiments.density import bundled
    >>> draw = bundled("digits").draw(0, lambda _: None)
    >>> draw.parts.test.shape[1]
    64
    """
    data = load_bundled()
    x = np.concatenate([data.x_train, data.x_test])
    return ImageSource(name, x)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng((check_integer(seed, "seed", at_least=0), _DATA))
