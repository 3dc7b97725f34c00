"""The Helmholtz machine: two stacks of connections between the same layers of stochastic units."""

import itertools
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws import notebook
from fastws.attributes import CopiedArrays, Fixed
from fastws.checks import NotFiniteError, Whole, check_binary, check_integer, check_layer_sizes
from fastws.files import load_arrays, save_arrays
from fastws.kernels.layout import WIDE, Stack, connection, is_padded, new_stack, whole_vectors
from fastws.kernels.types import Grouped, Narrow, Net, Room, Wide
from fastws.probabilities import driven
from fastws.randomness import Use, make_key
from fastws.softmax import check_clamped, check_groups, has_groups

__all__ = ["Machine"]

_KIND = "fastws machine"
# NumPy's header of an array takes 128 bytes, or a multiple of 64 more.
_HEADER = 1024
# Up to this many numbers, padding included, are looked through sooner all at once than array by array.
_FEW = 1 << 16
_PARAMETERS = ("gen_weights", "gen_biases", "rec_weights", "rec_biases")
_SET_WHEN_MADE = {"layer_sizes", "groups", "_label", "_sizes", "_generative", "_recognition", *_PARAMETERS}


class Machine:
    """A Helmholtz machine with float32 parameters, all of them zero at first.

    Layers are numbered from 0 (input) to L (top); level l lies between layers l and l + 1. A weight array has a row a
    driving unit and a column a driven unit. The arrays are views: write into them to change the machine. What is
    assigned is copied in: ``machine.gen_biases[0] += 1``, ``machine.gen_weights[1] = array`` and
    ``machine.gen_weights = arrays`` change the machine too. A number assigned to one array fills it.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of each layer, input first: ``Machine([16, 8, 1])`` is the net of the paper's Figure 1.
    groups : sequence of int, optional
        Units of a softmax group of each layer, in which exactly one is on; 1, everywhere by default, is binary units,
        as the inputs have to be. ``Machine([100, 20], groups=[1, 20])`` is a mixture of 20 components.

    Attributes
    ----------
    layer_sizes : tuple of int, length L + 1
    groups : tuple of int, length L + 1
        A unit v of a group is on with the probability exp(a_v) / Σ exp(a), the sum over its group, in the place of
        Eq 1; a_v are the logits. What knows binary units only refuses a machine with groups.
    gen_weights : tuple of ndarray, `gen_weights[l]` of shape (n_{l+1}, n_l)
        Generative weights, from layer l + 1 down to layer l.
    gen_biases : tuple of ndarray, `gen_biases[l]` of shape (n_l,), l = 0 … L
        Generative biases; those of the top layer, which nothing drives, come last.
    rec_weights : tuple of ndarray, `rec_weights[l]` of shape (n_l, n_{l+1})
        Recognition weights, from layer l up to layer l + 1.
    rec_biases : tuple of ndarray, `rec_biases[l]` of shape (n_{l+1},)
        Recognition biases of layer l + 1.
    label : str, int, float, bool or None
        Of which class the machine is, if of any: `fastws digits` says so. It is saved with the machine.

    Raises
    ------
    ValueError
        If there are fewer than two layers or one has no unit, or groups are not one divisor a layer, 1 for the inputs.

    Examples
    --------
    >>> import fastws
    >>> machine = fastws.Machine([16, 8, 1])
    >>> machine.gen_biases[1][:] = -3  # hidden units begin nearly always off
    >>> machine.gen_weights[0].shape, machine.rec_weights[0].shape
    ((8, 16), (16, 8))
    >>> machine.fantasies(5).shape
    (5, 16)
    """

    layer_sizes = Fixed[tuple[int, ...]]()
    groups = Fixed[tuple[int, ...]]()
    gen_weights = CopiedArrays()
    gen_biases = CopiedArrays()
    rec_weights = CopiedArrays()
    rec_biases = CopiedArrays()

    def __init__(self, layer_sizes: Any, groups: Any = None) -> None:
        self.layer_sizes = check_layer_sizes(layer_sizes)
        self.groups = check_groups(groups, self.layer_sizes)
        self.label = None
        sizes = self.layer_sizes
        levels = range(len(sizes) - 1)
        # The top layer is driven by a layer of no units, so that its biases are a connection like the others.
        self._sizes = np.array([*sizes, 0])
        self._generative, self._recognition = new_stacks(sizes)
        generative = [connection(self._generative, l) for l in range(len(sizes))]
        recognition = [connection(self._recognition, l) for l in levels]
        self.gen_weights = tuple(generative[l][1:, : sizes[l]] for l in levels)
        self.gen_biases = tuple(generative[l][0, : sizes[l]] for l in range(len(sizes)))
        self.rec_weights = tuple(recognition[l][1:, : sizes[l + 1]] for l in levels)
        self.rec_biases = tuple(recognition[l][0, : sizes[l + 1]] for l in levels)

    @property
    def net(self) -> Net:
        """What kernels take."""
        room = (np.empty((4, max(self.layer_sizes) // 2 + 4), np.int64), np.empty(4, np.int64))
        wide = any(min(pair) >= WIDE for pair in itertools.pairwise(self.layer_sizes)) or not (
            is_padded(self._generative) and is_padded(self._recognition)
        )
        way: Narrow | Wide | Grouped = Wide(*room) if wide else Narrow()
        if has_groups(self):
            n = whole_vectors(max(self.layer_sizes))
            way = Grouped(way, np.array(self.groups), np.ones((2, n)), np.zeros((1, n), np.float32))
        return Net(way, self._sizes, self._generative, self._recognition)

    @property
    def label(self) -> str | int | float | bool | None:
        """Of which class the machine is, if of any."""
        return self._label

    @label.setter
    def label(self, label: Any) -> None:
        plain = label.item() if isinstance(label, np.generic) else label
        if plain is not None and (not isinstance(plain, str | int | float) or plain != plain):
            raise ValueError(f"label is {label!r}; give a word, a number or None.")
        self._label = plain

    def __repr__(self) -> str:
        groups = f", groups={list(self.groups)}" if has_groups(self) else ""
        return f"Machine({list(self.layer_sizes)}{groups})"

    def _repr_html_(self) -> str:
        groups = {"softmax groups of": self.groups} if has_groups(self) else {}
        rows = {"layer sizes": self.layer_sizes, **groups, "parameters": f"{self.n_parameters:,}", "label": self.label}
        return notebook.shown("Machine", rows, notebook.hinton(self.gen_weights[0]))

    def __getstate__(self) -> dict[str, Any]:
        more = {name: value for name, value in vars(self).items() if name not in _SET_WHEN_MADE}
        made = {"layer_sizes": self.layer_sizes, "groups": self.groups, "label": self.label}
        return {**made, "arrays": self.arrays(), "more": more}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._restore(state)
        self.check_finite()

    def _restore(self, state: dict[str, Any]) -> None:
        # A subclass may take other arguments; what it has set is there.
        Machine.__init__(self, state["layer_sizes"], state.get("groups"))
        self.label = state["label"]
        self._assign(state["arrays"])
        vars(self).update(state["more"])

    @property
    def n_parameters(self) -> int:
        """How many weights and biases there are, of either direction."""
        return sum(array.size for array in self._named_arrays().values())

    def check_finite(self) -> float:
        """Check that every parameter is finite; return the largest magnitude.

        Whatever uses parameters begins with this. They may be set to anything, but nothing is computed from those
        that are not finite.

        Raises
        ------
        NotFiniteError
            If one is infinite or not a number. It is a `ValueError` that names the parameter.
        """
        stacks = (self._generative.data, self._recognition.data)
        if sum(stack.size for stack in stacks) <= _FEW:
            largest = [float(np.abs(stack).max()) for stack in stacks]
            if math.isfinite(sum(largest)):
                return max(largest)
        return max(largest_magnitude(name, level, array) for name, level, array in self.levels())

    def levels(self) -> Iterator[tuple[str, int, NDArray[np.float32]]]:
        """Give the name, the level and the array of each kind of parameters."""
        for name in _PARAMETERS:
            for level, array in enumerate(getattr(self, name)):
                yield name, level, array

    def copy(self) -> Self:
        """Return a machine of its own with the same parameters and label, and whatever else has been set on it."""
        other = type(self).__new__(type(self))
        other._restore(self.__getstate__())
        return other

    def _named_arrays(self) -> dict[str, NDArray[np.float32]]:
        return {f"{name}_{level}": array for name, level, array in self.levels()}

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the parameter arrays by name: ``gen_weights_0``, ``gen_biases_0`` and so on."""
        return {name: array.copy() for name, array in self._named_arrays().items()}

    def _assign(self, arrays: dict[str, NDArray[Any]]) -> None:
        for name, array in self._named_arrays().items():
            array[...] = arrays[name]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the machine as an ``.npz`` file, atomically: an earlier file is replaced whole or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If a parameter is not finite: the file could not be loaded.
        """
        self.check_finite()
        label = {} if self.label is None else {"label": self.label}
        save_arrays(path, _KIND, {**self.made_with(), **label}, self.arrays())

    def made_with(self) -> dict[str, Any]:
        """Return, for JSON, the layer sizes, and the groups if there are any."""
        return {"layer_sizes": self.layer_sizes, **({"groups": self.groups} if has_groups(self) else {})}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Machine":
        """Return the machine saved in a file.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not the whole file of a machine, or one of a later format version.
        """
        metadata, arrays = load_arrays(path, _KIND, lambda metadata: _bytes_needed(metadata.get("layer_sizes")))
        try:
            machine = cls.from_arrays(metadata.get("layer_sizes"), arrays, metadata.get("groups"))
            machine.label = metadata.get("label")
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} is damaged: {error}") from error
        return machine

    @classmethod
    def from_arrays(cls, layer_sizes: Any, arrays: dict[str, NDArray[Any]], groups: Any = None) -> "Machine":
        """Return a machine with the parameters that `arrays` gave.

        Raises
        ------
        ValueError
            If an array is missing, not float32, not finite or of another shape than the layer sizes ask for, or these
            or the groups are none.
        """
        sizes = check_layer_sizes(layer_sizes)
        sizes_of_groups = check_groups(groups, sizes)
        for name, shape in _shapes(sizes).items():
            found = arrays.get(name)
            if found is None or found.shape != shape or found.dtype != np.float32:
                raise ValueError(f"{name} is missing or not float32 of shape {shape}.")
        # A subclass may take other arguments.
        machine = cls(sizes, sizes_of_groups) if max(sizes_of_groups) > 1 else cls(sizes)
        machine._assign(arrays)
        machine.check_finite()
        return machine

    def fantasies(
        self, n: Whole, seed: Whole = 0, clamp: Mapping[tuple[int, int], int] | None = None
    ) -> NDArray[np.uint8]:
        """Draw from the generative model, top-down: what the net sees asleep.

        Parameters
        ----------
        n : int
            How many fantasies, at least 1.
        seed : int, default=0
        clamp : mapping of (layer, unit) to {0, 1}, optional
            Units that are held on or off, whatever drives them. Layers above them do not come to know of it: only for
            units of the top layer is this P(d | the unit is on). With the same seed all other units have the same draws
            as without a clamp.

        Returns
        -------
        ndarray of uint8, shape (n, n_0)

        Raises
        ------
        ValueError
            If n or the seed is not a whole number in range, a clamp names no unit of the machine or another state, or a
            parameter is not finite.
        """
        from fastws.kernels.steps import sample_fantasies

        self.check_finite()
        fantasies = np.empty((check_integer(n, "n"), self.layer_sizes[0]), np.uint8)
        machine = self._clamped(clamp) if clamp else self
        sample_fantasies(make_key(seed, Use.FANTASIES), machine.net, self.room(), fantasies)
        return fantasies

    def _clamped(self, clamp: Mapping[tuple[int, int], int]) -> "Machine":
        """Return a machine whose units are driven by an infinite bias where `clamp` says."""
        clamped = self.copy()
        for (layer, unit), state in clamp.items():
            if not (0 <= layer < len(self.layer_sizes) and 0 <= unit < self.layer_sizes[layer]) or state not in (0, 1):
                raise ValueError(
                    f"clamp has ({layer}, {unit}): {state!r}; give (layer, unit): 0 or 1, for a unit of layers of "
                    f"{list(self.layer_sizes)} units, all counted from 0."
                )
            clamped.gen_biases[layer][unit] = np.inf if state else -np.inf
        for layer, size in enumerate(self.groups):
            check_clamped(clamped.gen_biases[layer], size, layer)
        return clamped

    def representations(self, x: ArrayLike, seed: Whole = 0) -> list[NDArray[np.uint8]]:
        """Draw a total representation of each input from the recognition distribution Q(·|d).

        Parameters
        ----------
        x : array_like of {0, 1}, shape (n, n_0)
        seed : int, default=0

        Returns
        -------
        list of ndarray of uint8, each of shape (n, n_l), l = 1 … L

        Raises
        ------
        ValueError
            If x has another width or a value other than 0 and 1, or a parameter is not finite.
        """
        from fastws.kernels.steps import sample_representations

        self.check_finite()
        inputs = check_binary(x, self.layer_sizes[0])
        drawn = np.empty((len(inputs), sum(self.layer_sizes[1:])), np.uint8)
        key = make_key(seed, Use.REPRESENTATIONS)
        sample_representations(key, self.net, self.room(), inputs, drawn)
        return np.split(drawn, np.cumsum(self.layer_sizes[1:-1]), axis=1)

    def recognition_probabilities(self, x: ArrayLike) -> list[NDArray[np.float64]]:
        """Return the probabilities with which recognition turns the hidden units on, by Eq 1, from the bottom up.

        Of the first hidden layer they are those of Q(·|d), exactly. A layer above is driven by the probabilities of the
        layer below it in the place of its states (mean field, as in note [5]): nothing is drawn, and the same input
        always has the same probabilities. `representations` draws states.

        Parameters
        ----------
        x : array_like of {0, 1}, shape (n, n_0)

        Returns
        -------
        list of ndarray of float64, each of shape (n, n_l), l = 1 … L

        Raises
        ------
        ValueError
            If x has another width or a value other than 0 and 1, or a parameter of the machine is not finite.
        """
        self.check_finite()
        inputs = check_binary(x, self.layer_sizes[0])
        layers: list[NDArray[np.float64]] = []
        for weights, biases, size in zip(self.rec_weights, self.rec_biases, self.groups[1:], strict=True):
            layers.append(driven(layers[-1] if layers else inputs, weights, biases, size))
        return layers

    def reconstruct(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities with which generation gives each pixel back from what recognition made of the input.

        Recognition drives the first hidden layer, and its probabilities drive the inputs, by Eq 1. The layers above do
        not come into it, as they do not into C(d|α) of Eq 3: given the first hidden layer, they say nothing of the
        input.

        Parameters
        ----------
        x : array_like of {0, 1}, shape (n, n_0)

        Returns
        -------
        ndarray of float64, shape (n, n_0)

        Raises
        ------
        ValueError
            If x has another width or a value other than 0 and 1, or a parameter of the machine is not finite.
        """
        self.check_finite()
        inputs = check_binary(x, self.layer_sizes[0])
        hidden = driven(inputs, self.rec_weights[0], self.rec_biases[0], self.groups[1])
        return driven(hidden, self.gen_weights[0], self.gen_biases[0])

    def clip_input_weights(self) -> None:
        """Set the generative weights to the inputs that are negative to zero."""
        np.maximum(self.gen_weights[0], 0, out=self.gen_weights[0])

    def room(self) -> Room:
        """Return what kernels work in: states of all layers, and draws for one example."""
        from fastws.kernels.rooms import new_room

        return new_room(self._sizes, int(self._sizes.sum()))


def _shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameter arrays by name, as ``arrays()`` has them."""
    shapes: dict[str, tuple[int, ...]] = {}
    for level, (lower, upper) in enumerate(itertools.pairwise(sizes)):
        shapes[f"gen_weights_{level}"] = (upper, lower)
        shapes[f"rec_weights_{level}"] = (lower, upper)
        shapes[f"rec_biases_{level}"] = (upper,)
    return shapes | {f"gen_biases_{layer}": (n,) for layer, n in enumerate(sizes)}


def _bytes_needed(layer_sizes: Any) -> int:
    """Return how many bytes the entries of a machine's arrays may take, their headers included."""
    return sum(4 * math.prod(shape) + _HEADER for shape in _shapes(check_layer_sizes(layer_sizes)).values())


def new_stacks(sizes: tuple[int, ...], together: bool = False) -> tuple[Stack, Stack]:
    """Return the generative and the recognition connections of layers of these sizes, all zero."""
    upward = list(itertools.pairwise(sizes))
    return new_stack([*((above, below) for below, above in upward), (0, sizes[-1])], together), new_stack(
        upward, together
    )


def largest_magnitude(name: str, level: int, array: NDArray[np.float32]) -> float:
    """Return the largest magnitude in a parameter array.

    Raises
    ------
    NotFiniteError
        If a value is infinite or not a number.
    """
    # No copy of the magnitudes: an array may be most of the memory.
    largest = max(float(array.max()), -float(array.min()))
    if math.isfinite(largest):
        return largest
    place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
    raise NotFiniteError(
        f"{name}[{level}][{', '.join(map(str, place))}] is {array[place]}; every parameter has to be finite. Set it to "
        "a number, or load a machine that was saved before."
    )
