"""Hypothesis strategies for what fastws works with. All shrink to few units, zeros and short runs."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastws.machine import Machine
from fastws.streams import Bars, Images, Stream

EIGHTHS = st.integers(-16, 16).map(lambda n: n / 8)
"""Multiples of 1/8 in [-2, 2]. Float32 adds them without rounding, in any order."""


@st.composite
def layer_sizes(
    draw: Callable[..., Any], max_inputs: int = 3, max_hidden: int = 4, max_hidden_layers: int = 3
) -> list[int]:
    """Draw layer sizes, input first.

    Parameters
    ----------
    max_inputs : int, default=3
    max_hidden : int, default=4
        Hidden units, all layers together.
    max_hidden_layers : int, default=3

    Returns
    -------
    strategy of list of int

    Examples
    --------
    >>> from hypothesis import given
    >>> from fastws.testing import layer_sizes
    >>> @given(layer_sizes(max_hidden=4))
    ... def test_sizes(sizes):
    ...     assert 1 <= sum(sizes[1:]) <= 4
    >>> test_sizes()
    """
    n_layers = draw(st.integers(1, min(max_hidden_layers, max_hidden)))
    sizes = [draw(st.integers(1, max_inputs))]
    left = max_hidden
    for above in reversed(range(n_layers)):
        sizes.append(draw(st.integers(1, left - above)))
        left -= sizes[-1]
    return sizes


@st.composite
def machines(
    draw: Callable[..., Any],
    sizes: st.SearchStrategy[Any] | None = None,
    values: st.SearchStrategy[float] = EIGHTHS,
) -> Machine:
    """Draw machines.

    Parameters
    ----------
    sizes : strategy of sequence of int, optional
        ``layer_sizes()`` by default.
    values : strategy of float, optional
        The parameters, which are rounded to float32; multiples of 1/8 in [-2, 2] by default.

    Returns
    -------
    strategy of Machine

    Examples
    --------
    >>> from hypothesis import given
    >>> from fastws.testing import machines
    >>> @given(machines())
    ... def test_a_machine_has_hidden_units(machine):
    ...     assert len(machine.layer_sizes) > 1
    >>> test_a_machine_has_hidden_units()
    """
    machine = Machine(draw(layer_sizes() if sizes is None else sizes))
    for arrays in (machine.gen_weights, machine.gen_biases, machine.rec_weights, machine.rec_biases):
        for array in arrays:
            drawn = draw(st.lists(values, min_size=array.size, max_size=array.size))
            array[...] = np.reshape(drawn, array.shape)
    return machine


def binary_vectors(n_units: int) -> st.SearchStrategy[NDArray[np.uint8]]:
    """Draw the states of a layer.

    Parameters
    ----------
    n_units : int

    Returns
    -------
    strategy of ndarray of uint8, shape (n_units,)

    Examples
    --------
    >>> from hypothesis import given
    >>> from fastws.testing import binary_vectors
    >>> @given(binary_vectors(5))
    ... def test_states_are_binary(states):
    ...     assert set(states.tolist()) <= {0, 1}
    >>> test_states_are_binary()
    """
    states = st.lists(st.integers(0, 1), min_size=n_units, max_size=n_units)
    return states.map(lambda drawn: np.array(drawn, np.uint8))


def learning_rates(n_levels: int, at_least: float = 0.0) -> st.SearchStrategy[tuple[float, ...]]:
    """Draw a learning rate a level: multiples of 1/16, up to 1.

    Parameters
    ----------
    n_levels : int
        As many as a machine has layers.
    at_least : float, default=0.0

    Returns
    -------
    strategy of tuple of float, length n_levels

    Examples
    --------
    >>> from hypothesis import given
    >>> from fastws.testing import learning_rates
    >>> @given(learning_rates(3, at_least=0.5))
    ... def test_rates(rates):
    ...     assert len(rates) == 3 and min(rates) >= 0.5
    >>> test_rates()
    """
    rate = st.integers(math.ceil(16 * at_least), 16).map(lambda n: n / 16)
    return st.tuples(*[rate] * n_levels)


@st.composite
def streams(draw: Callable[..., Any], n_inputs: int | None = None) -> Stream:
    """Draw streams of examples: `Images`, and `Bars` where the inputs are a square.

    Parameters
    ----------
    n_inputs : int, optional
        Units of the input layer; from 1 to 9 by default.

    Returns
    -------
    strategy of Images or Bars

    Examples
    --------
    >>> from hypothesis import given
    >>> from fastws.testing import streams
    >>> @given(streams(n_inputs=4))
    ... def test_images_fit(stream):
    ...     assert stream.distribution()[0].shape[1] == 4
    >>> test_images_fit()
    """
    n = draw(st.integers(1, 9)) if n_inputs is None else n_inputs
    size = math.isqrt(n)
    if size**2 == n and draw(st.booleans()):
        probability = st.integers(1, 7).map(lambda eighths: eighths / 8)
        exclude = draw(st.sampled_from([(), ("full",), ("blank",)]))
        return Bars(size, draw(probability), draw(probability), exclude)
    return Images(draw(st.lists(binary_vectors(n), min_size=1, max_size=5)))
