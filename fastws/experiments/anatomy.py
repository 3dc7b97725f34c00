"""What the hidden units of a bars machine code, and what is wrong with a run that failed."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from fastws.machine import Machine

__all__ = ["Anatomy", "anatomy"]

LARGE = 0.4
"""A weight is large if it is above this part of the machine's largest.

In 64 runs of the paper's recipe no weight lies between 0.35 and 0.47 of the largest: those to the pixels of a bar are
above, the others below. Those to a bar differ because the pixels of a cross have twice as low a bias to make up for.
"""


@dataclass(frozen=True)
class Anatomy:
    """Which bars the units of the first hidden layer code.

    Attributes
    ----------
    size : int
        Bars of each orientation.
    bars : tuple of tuples of int
        Those of each unit, whose pixels its generative weights turn on: rows are 0 to ``size - 1`` from the top, and
        columns the numbers after them, from the left.
    dead : tuple of int
        Units without a large weight.

    Examples
    --------
    >>> from fastws.experiments.anatomy import Anatomy
    >>> found = Anatomy(size=2, bars=((0,), (1, 2), ()), dead=(2,))
    >>> found.crosses, found.missing, found.faults
    ((1,), (3,), ('cross', 'dead unit', 'missing bar'))
    """

    size: int
    bars: tuple[tuple[int, ...], ...]
    dead: tuple[int, ...]

    @property
    def crosses(self) -> tuple[int, ...]:
        """Units that code a row and a column together."""
        return tuple(unit for unit, bars in enumerate(self.bars) if bars and bars[0] < self.size <= bars[-1])

    @property
    def fragments(self) -> tuple[int, ...]:
        """Units that turn some pixels on, but no whole bar."""
        return tuple(unit for unit, bars in enumerate(self.bars) if not bars and unit not in self.dead)

    @property
    def missing(self) -> tuple[int, ...]:
        """Bars that no unit codes."""
        coded = {bar for bars in self.bars for bar in bars}
        return tuple(bar for bar in range(2 * self.size) if bar not in coded)

    @property
    def duplicates(self) -> tuple[int, ...]:
        """Bars that two units or more code."""
        units = Counter(bar for bars in self.bars for bar in bars)
        return tuple(sorted(bar for bar, count in units.items() if count > 1))

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, of: cross, dead unit, fragment, duplicate, missing bar. Nothing, if each unit has a bar."""
        found = {
            "cross": self.crosses,
            "dead unit": self.dead,
            "fragment": self.fragments,
            "duplicate": self.duplicates,
            "missing bar": self.missing,
        }
        return tuple(fault for fault, where in found.items() if where)

    @property
    def labels(self) -> tuple[str, ...]:
        """What to write under each unit: its bars, or that it is dead or turns on a fragment."""
        return tuple(
            " + ".join(map(self._name, bars)) if bars else "dead" if unit in self.dead else "fragment"
            for unit, bars in enumerate(self.bars)
        )

    def _name(self, bar: int) -> str:
        return f"row {bar + 1}" if bar < self.size else f"column {bar - self.size + 1}"


def anatomy(machine: Machine) -> Anatomy:
    """Say which bars each unit of the first hidden layer codes: those to all of whose pixels it has large weights.

    Large is what is above 0.4 of the machine's largest weight to the inputs. It is meant for machines that keep
    these from going negative; without that, units take ink away too, and their weights do not say what they code.

    Parameters
    ----------
    machine : Machine
        Its inputs are the pixels of a square image.

    Returns
    -------
    Anatomy

    Raises
    ------
    ValueError
        If the number of inputs is no square, or a parameter is not finite.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments.anatomy import anatomy
    >>> machine = fastws.Machine([4, 2])
    >>> machine.gen_weights[0] = [[9, 9, 0, 0], [9, 9, 9, 0]]  # the upper row; it and the left column
    >>> anatomy(machine).labels
    ('row 1', 'row 1 + column 1')
    """
    n_inputs = machine.layer_sizes[0]
    size = math.isqrt(n_inputs)
    if size * size != n_inputs:
        raise ValueError(f"the machine has {n_inputs} inputs; images of bars are square, so that it must be a square.")
    machine.check_finite()
    weights = np.asarray(machine.gen_weights[0], np.float64).reshape(-1, size, size)
    large = weights > LARGE * weights.max()
    whole = np.concatenate([large.all(axis=2), large.all(axis=1)], axis=1)
    return Anatomy(
        size,
        tuple(tuple(np.flatnonzero(of_unit).tolist()) for of_unit in whole),
        tuple(np.flatnonzero(~large.any(axis=(1, 2))).tolist()),
    )
