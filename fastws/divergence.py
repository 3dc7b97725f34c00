"""Learning that diverges is an error: what cannot be a result is not reported as one."""

import numpy as np
from numpy.typing import NDArray

from fastws import estimate
from fastws.checks import LearningDiverged
from fastws.simulation import Simulation

FACTOR = 4
"""How many times the bits of its raw pixels an image may take, besides a bit a hidden unit."""

_IMAGES_MEASURED = 100


def check_bits(simulation: Simulation, bits: float) -> None:
    """Check that an image takes a number of bits that learning can lead to: description length or free energy.

    An untrained machine takes a bit a pixel, and a bit a hidden unit more where bits-back does not return it.

    Raises
    ------
    LearningDiverged
        If the number is not finite, or above `FACTOR` bits a pixel and a bit a hidden unit.
    """
    n_pixels, *hidden = simulation.machine.layer_sizes
    if not bits <= FACTOR * n_pixels + sum(hidden):
        found = (
            f"an image takes {bits:.3g} bits, more than {FACTOR} times the {n_pixels} of its raw pixels and one a "
            "hidden unit"
        )
        if simulation.examples_seen == 0:
            raise LearningDiverged(f"the machine to begin with cannot be right: {found}. Give another, or a new one.")
        raise LearningDiverged(_said(simulation, found))


def check_learned(simulation: Simulation, x: NDArray[np.uint8]) -> None:
    """Check what images like those learned from cost: the free energy (Eq 5) of some of them.

    Raises
    ------
    LearningDiverged
        As `check_bits`.
    """
    check_bits(simulation, float(estimate.free_energy_bits(simulation.machine, x[:_IMAGES_MEASURED]).mean()))


def _said(simulation: Simulation, found: str) -> str:
    rates = [float(rate) for rate in _last_rates(simulation)]
    one = len(set(rates)) == 1
    said = f"rate {rates[0]:g}" if one else f"rates {','.join(f'{rate:g}' for rate in rates)}"
    return (
        f"learning diverged at the learning {said}: after {simulation.examples_seen:,} examples {found}. "
        f"Give {'a lower rate' if one else 'lower rates'}."
    )


def _last_rates(simulation: Simulation) -> NDArray[np.float32]:
    """Return the rates of the last example seen, or of the first where there was none."""
    return simulation._schedule.segment(max(0, simulation.examples_seen - 1)).rates
