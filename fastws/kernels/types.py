"""What kernels take, in a few tuples: a net, the rule it learns by, its draws, the room to work in, a source of inputs.

The classes of sources, and of the ways of nets, say how kernels go about it: `dispatch` chooses by them.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.layout import Stack

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Key = NDArray[np.uint32]
States = NDArray[np.uint8]
Lanes = Any
"""Sixteen numbers, neighbouring units of one machine or one unit of each of sixteen machines; or a block of them."""


class Narrow(NamedTuple):
    """One machine, a group of units after the other."""


class Wide(NamedTuple):
    """One machine of which a connection is wide or has no padding, with room for lists of the units that are on.

    Attributes
    ----------
    active : ndarray of int64, shape (4, n)
    counts : ndarray of int64, shape (4,)
        How many each list has.
    """

    active: Integers
    counts: Integers


class Grouped(NamedTuple):
    """One machine of which a hidden layer or more is divided into softmax groups, with room for what these compare.

    Attributes
    ----------
    binary : Narrow or Wide
        How its layers of binary units are gone about.
    groups : ndarray of int64
        The units of a group of each layer; 1 where units are binary.
    numbers : ndarray of float64, shape (2, n)
    probabilities : ndarray of float32, shape (1, n)
    """

    binary: Any
    groups: Integers
    numbers: Doubles
    probabilities: Floats


class Together(NamedTuple):
    """Sixteen machines of one shape, a lane each, and the stacks where they are at home.

    Attributes
    ----------
    generative, recognition : Stack
        Those of one machine, but for the data: a tuple of the sixteen machines' own.
    """

    generative: Stack
    recognition: Stack


class Net(NamedTuple):
    """What is driven and learns.

    Attributes
    ----------
    way : Narrow, Wide, Grouped or Together
        How kernels go about it.
    sizes : ndarray of int64
        The units of each layer, and then a 0, the empty layer that drives the top one.
    generative, recognition : Stack
        The connections of each level.
    """

    way: Any
    sizes: Integers
    generative: Stack
    recognition: Stack


class Connection(NamedTuple):
    """The weights between two layers and, in row 0, the biases of the driven one.

    Attributes
    ----------
    weights : ndarray of float32
    sizes : ndarray of int64
        The units of each layer.
    driving, driven : int
        The two layers.
    """

    weights: Floats
    sizes: Integers
    driving: int
    driven: int


class Rule(NamedTuple):
    """How a net learns.

    Attributes
    ----------
    rates : ndarray of float32
        The learning rate ε of each level.
    floor : float32
        The least value that a generative weight to an input may take: 0, or minus infinity.
    """

    rates: Floats
    floor: np.float32


class Reweighting(NamedTuple):
    """How a net learns from several representations of an input.

    Attributes
    ----------
    rule : Rule
    awake, asleep : bool
        Whether recognition learns from the representations, and whether from fantasies.
    """

    rule: Rule
    awake: bool
    asleep: bool


class Draws(NamedTuple):
    """Which random numbers a run uses: the stream of a key, so many an example.

    Attributes
    ----------
    key : ndarray of uint32, shape (4,) or, together, (4, 16)
    an_input : int
        Draws that make an example's input.
    an_example : int
        All draws of an example: those, and one a unit drawn, awake, as often as it is, and asleep.
    """

    key: Key
    an_input: int
    an_example: int


class Room(NamedTuple):
    """Memory that kernels work in: that of one machine or, with an axis more, of sixteen.

    Attributes
    ----------
    states : ndarray of float32
        A row a layer, 0.0 or 1.0 a unit, and then a row for bars.
    inputs : ndarray of float32
        A row an example of a block.
    thresholds : ndarray of float32
        Row 0 holds draws, independent logistic variates t: a unit with logit a is on, with the probability of Eq 1,
        where a > t. They do not depend on the net and are made ahead of it, for a block of examples.
    parts : ndarray of float64, shape (2, 16)
        A cost on its way.
    """

    states: Floats
    inputs: Floats
    thresholds: Floats
    parts: Doubles


class Samples(NamedTuple):
    """Memory for several total representations of an input, beside the room that a machine works in.

    Attributes
    ----------
    room : Room
    states : ndarray of float32, shape (n_samples, n_rows, n_columns)
        The states of `Room` a sample.
    weights : ndarray of float64, shape (1, n)
        The normalised weight of each sample, and then what fills a vector.
    generative, recognition : ndarray of float32
        Of the shape of the states: the logits of Eq 1 of the units of a layer, given the layer that drives it.
    active, counts : ndarray of int64
        The lists of `Wide` a sample.
    """

    room: Room
    states: Floats
    weights: Doubles
    generative: Floats
    recognition: Floats
    active: Integers
    counts: Integers


class Record(NamedTuple):
    """What is written down of a step of one machine: arrays of float32, a row a layer, a column a unit.

    Attributes
    ----------
    wake_states, sleep_states : ndarray of float32
    generative, recognition : ndarray of float32
        The probabilities of those states, given the layer that drives theirs. Recognition has none for the inputs.
    """

    wake_states: Floats
    generative: Floats
    sleep_states: Floats
    recognition: Floats


class BarsSource(NamedTuple):
    """Inputs are bars images.

    Attributes
    ----------
    orientation : float32
        The logit of an image being vertical.
    bars : ndarray of float32, shape (size, 3)
        The logits of bar k being there when some but not all of the bars before it are, when all are and when none is;
        they differ only where the full or the blank image is excluded.
    """

    orientation: np.float32
    bars: Floats


class ImagesSource(NamedTuple):
    """Inputs are images of a finite set, each once a sweep, in an order that each machine shuffles anew.

    Attributes
    ----------
    images : ndarray of uint8, shape (n_images, n_0)
    keys : ndarray of uint32, shape (n_machines, 4)
        What the orders are drawn with.
    orders : ndarray of int64, shape (n_machines, n_images)
    sweep : ndarray of uint64, shape (1,)
        One more than the sweep that the orders are of; 0 if they are of none.
    bits : ndarray of uint32, shape (1, GROUP)
        Room for shuffling.
    """

    images: States
    keys: Key
    orders: Integers
    sweep: NDArray[np.uint64]
    bits: Key


class RowsSource(NamedTuple):
    """Inputs are rows that Python filled, those of the next examples.

    Attributes
    ----------
    rows : ndarray of uint8, shape (n_examples, n_0)
    first : uint64
        The number of the example in the first row.
    """

    rows: States
    first: np.uint64
