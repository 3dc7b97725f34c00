"""The three works that contestants do: the paper's two nets and a big one."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage
from sklearn.datasets import load_digits

import fastws
from fastws import estimate, exact
from fastws.streams import Stream

NOISE = 0.02
DIGIT = 3
SWEEPS = 500
IMAGES_A_CLASS = 700
BIG_IMAGES = 2000
IMAGES_TO_ESTIMATE = 500


@dataclass(frozen=True)
class Work:
    """A net, what it learns from, and how well it then describes that: `reached(machine)`, in bits."""

    name: str
    layer_sizes: tuple[int, ...]
    stream: Stream
    rates: tuple[float, ...]
    examples: int
    measure: str
    reached: Callable[[fastws.Machine], float] = field(repr=False)
    nonnegative: bool = False
    first_bias: float = 0.0
    many_machines: bool = False

    @property
    def title(self) -> str:
        """The name and the layer sizes."""
        return f"{self.name} {'-'.join(map(str, self.layer_sizes))}"

    def machine(self) -> fastws.Machine:
        """Return a machine that has learned nothing."""
        machine = fastws.Machine(self.layer_sizes)
        machine.gen_biases[1][:] = self.first_bias
        return machine


def noisy_digits(n: int, seed: int = 0, side: int = 8, ink: float = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return n images of scikit-learn's digits and their labels, as many of each.

    A pixel is on where there is more than so much ink, of 16; one in fifty is wrong.
    """
    digits, rng = load_digits(), np.random.default_rng(seed)
    grey = digits.images if side == 8 else ndimage.zoom(digits.images, (1, side / 8, side / 8), order=1)
    labels = np.arange(n) % 10
    chosen = np.empty(n, np.int64)
    for label in range(10):
        own = np.flatnonzero(digits.target == label)
        chosen[labels == label] = rng.choice(own, np.count_nonzero(labels == label))
    black = grey.reshape(len(grey), side**2) > ink
    images = np.empty((n, side**2), np.uint8)
    for block in np.array_split(np.arange(n), max(1, n // 10_000)):
        images[block] = black[chosen[block]] ^ (rng.random((len(block), side**2)) < NOISE)
    return images, labels


def bars() -> Work:
    """Return the run of Figure 1, by note [15]."""
    stream = fastws.Bars()
    distribution = stream.distribution()
    return Work(
        name="bars",
        layer_sizes=(16, 8, 1),
        stream=stream,
        rates=(0.2, 0.001, 0.001),
        examples=2_000_000,
        measure="asymmetric divergence",
        reached=lambda machine: exact.report(machine, *distribution).asymmetric_divergence_bits,
        nonnegative=True,
        first_bias=-3.0,
        many_machines=True,
    )


def digits() -> Work:
    """Return the learning of one of the ten nets of Figure 2."""
    x, labels = noisy_digits(10 * IMAGES_A_CLASS)
    x = x[labels == DIGIT]
    return Work(
        name="digits",
        layer_sizes=(64, 16, 16, 4),
        stream=fastws.Images(x),
        rates=(0.01,) * 4,
        examples=SWEEPS * IMAGES_A_CLASS,
        measure="free energy",
        reached=lambda machine: float(estimate.free_energy_bits(machine, x[:IMAGES_TO_ESTIMATE]).mean()),
        many_machines=True,
    )


def big() -> Work:
    """Return a net with wide layers, learning from all digits at 28 × 28 pixels."""
    x, _ = noisy_digits(BIG_IMAGES, side=28, ink=10)
    return Work(
        name="big",
        layer_sizes=(784, 200, 200),
        stream=fastws.Images(x),
        rates=(0.01,) * 3,
        examples=10 * BIG_IMAGES,
        measure="free energy",
        reached=lambda machine: float(estimate.free_energy_bits(machine, x[:IMAGES_TO_ESTIMATE]).mean()),
    )


WORKS = {"bars": bars, "digits": digits, "big": big}
