"""Sixteen machines of one shape in the lanes of a vector: their parameters come together before they learn."""

from fastws.kernels.jit import inline, inner
from fastws.kernels.layout import Stack
from fastws.kernels.types import Integers, Net, Together


@inline
def move(way: Together, net: Net, home: bool) -> None:
    """Bring the parameters of sixteen machines together, or home."""
    copy(way.generative, net.generative, net.sizes, home)
    copy(way.recognition, net.recognition, net.sizes[1:], home)


@inner
def copy(own: Stack, together: Stack, driven: Integers, home: bool) -> None:
    """Copy the parameters of each machine from its own array into its lane of the other, or back home."""
    for level in range(len(together.places)):
        for row in range(together.places[level, 1]):
            here = together.places[level, 0] + row * together.places[level, 2]
            there = own.places[level, 0] + row * own.places[level, 2]
            for machine, data in enumerate(own.data):
                for column in range(driven[level]):
                    if home:
                        data[there + column] = together.data[here + column, machine]
                    else:
                        together.data[here + column, machine] = data[there + column]
