"""The Helmholtz machine: two stacks of connections between the same layers of stochastic binary units."""

import itertools
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import check_binary, check_integer, check_layer_sizes, check_rates
from fastws.files import load_arrays, save_arrays
from fastws.probabilities import driven
from fastws.randomness import Use, make_key
from fastws.storage import aligned

_KIND = "fastws machine"


class Machine:
    """A Helmholtz machine with float32 parameters, all of them zero at first.

    Layers are numbered from 0 (input) to L (top); level l lies between layers l and l + 1. A weight array has a row a
    driving unit and a column a driven unit. The arrays are views: write into them to change the machine.

    Parameters
    ----------
    layer_sizes : sequence of int
        Units of each layer, input first: ``Machine([16, 8, 1])`` is the net of the paper's Figure 1.

    Attributes
    ----------
    layer_sizes : tuple of int, length L + 1
    gen_weights : tuple of ndarray, `gen_weights[l]` of shape (n_{l+1}, n_l)
        Generative weights, from layer l + 1 down to layer l.
    gen_biases : tuple of ndarray, `gen_biases[l]` of shape (n_l,), l = 0 … L
        Generative biases; those of the top layer, which nothing drives, come last.
    rec_weights : tuple of ndarray, `rec_weights[l]` of shape (n_l, n_{l+1})
        Recognition weights, from layer l up to layer l + 1.
    rec_biases : tuple of ndarray, `rec_biases[l]` of shape (n_{l+1},)
        Recognition biases of layer l + 1.

    Raises
    ------
    ValueError
        If there are fewer than two layers or one has no unit.
    """

    def __init__(self, layer_sizes: Any) -> None:
        self.layer_sizes = check_layer_sizes(layer_sizes)
        n_levels = len(self.layer_sizes)
        # The top layer is driven by a layer of no units, so that its biases are a connection like the others.
        self._sizes = np.array([*self.layer_sizes, 0])
        # Row 0 of a connection holds the biases: the weights from a unit that is always on.
        self._generative = aligned(n_levels, 1 + max(self.layer_sizes[1:]), max(self.layer_sizes))
        self._recognition = aligned(n_levels - 1, 1 + max(self.layer_sizes[:-1]), max(self.layer_sizes[1:]))
        sizes = self.layer_sizes
        levels = range(n_levels - 1)
        self.gen_weights = tuple(self._generative[l, 1 : 1 + sizes[l + 1], : sizes[l]] for l in levels)
        self.gen_biases = tuple(self._generative[l, 0, : sizes[l]] for l in range(n_levels))
        self.rec_weights = tuple(self._recognition[l, 1 : 1 + sizes[l], : sizes[l + 1]] for l in levels)
        self.rec_biases = tuple(self._recognition[l, 0, : sizes[l + 1]] for l in levels)

    @property
    def shape(self) -> tuple[NDArray[np.int64], bool | None]:
        """What kernels take first: sizes, and whether a connection is wide (None if not)."""
        from fastws import kernels

        wide = any(min(pair) >= kernels.WIDE for pair in itertools.pairwise(self.layer_sizes))
        return self._sizes, wide or None

    @property
    def parameters(self) -> tuple[NDArray[np.int64], bool | None, NDArray[np.float32], NDArray[np.float32]]:
        """What kernels take: the shape, then the generative and the recognition connections, padded."""
        return *self.shape, self._generative, self._recognition

    def __repr__(self) -> str:
        return f"Machine({list(self.layer_sizes)})"

    def __getstate__(self) -> dict[str, Any]:
        return {"layer_sizes": self.layer_sizes, "arrays": self.arrays()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["layer_sizes"])  # type: ignore[misc]
        self._assign(state["arrays"])

    def copy(self) -> "Machine":
        """Return a machine of its own with the same parameters."""
        other = Machine(self.layer_sizes)
        other._assign(self.arrays())
        return other

    def _named_arrays(self) -> dict[str, NDArray[np.float32]]:
        return {
            f"{name}_{level}": array
            for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases")
            for level, array in enumerate(getattr(self, name))
        }

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
        """
        save_arrays(path, _KIND, {"layer_sizes": self.layer_sizes}, self.arrays())

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
        metadata, arrays = load_arrays(path, _KIND)
        try:
            return cls.from_arrays(metadata.get("layer_sizes"), arrays)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)} is damaged: {error}") from error

    @classmethod
    def from_arrays(cls, layer_sizes: Any, arrays: dict[str, NDArray[Any]]) -> "Machine":
        """Return a machine with the parameters that `arrays` gave.

        Raises
        ------
        ValueError
            If an array is missing, not float32 or of another shape than the layer sizes ask for.
        """
        sizes = check_layer_sizes(layer_sizes)
        shapes: dict[str, tuple[int, ...]] = {}
        for level, (lower, upper) in enumerate(itertools.pairwise(sizes)):
            shapes[f"gen_weights_{level}"] = (upper, lower)
            shapes[f"rec_weights_{level}"] = (lower, upper)
            shapes[f"rec_biases_{level}"] = (upper,)
        shapes |= {f"gen_biases_{layer}": (n,) for layer, n in enumerate(sizes)}
        for name, shape in shapes.items():
            found = arrays.get(name)
            if found is None or found.shape != shape or found.dtype != np.float32:
                raise ValueError(f"{name} is missing or not float32 of shape {shape}.")
        machine = cls(sizes)
        machine._assign(arrays)
        return machine

    def fantasies(self, n: int, seed: int = 0, clamp: Mapping[tuple[int, int], int] | None = None) -> NDArray[np.uint8]:
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
            If n or the seed is not a whole number in range, or a clamp names no unit of the machine or another state.
        """
        from fastws import kernels

        fantasies = np.empty((check_integer(n, "n"), self.layer_sizes[0]), np.uint8)
        generative = self._clamped(clamp)._generative if clamp else self._generative
        kernels.sample_fantasies(make_key(seed, Use.FANTASIES), *self.shape, generative, fantasies)
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
        return clamped

    def representations(self, x: ArrayLike, seed: int = 0) -> list[NDArray[np.uint8]]:
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
            If x has another width or a value other than 0 and 1.
        """
        from fastws import kernels

        inputs = check_binary(x, self.layer_sizes[0])
        drawn = np.empty((len(inputs), sum(self.layer_sizes[1:])), np.uint8)
        key = make_key(seed, Use.REPRESENTATIONS)
        kernels.sample_representations(key, *self.shape, self._recognition, inputs, drawn)
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
        inputs = check_binary(x, self.layer_sizes[0])
        layers: list[NDArray[np.float64]] = []
        for weights, biases in zip(self.rec_weights, self.rec_biases, strict=True):
            layers.append(driven(layers[-1] if layers else inputs, weights, biases))
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
        inputs = check_binary(x, self.layer_sizes[0])
        hidden = driven(inputs, self.rec_weights[0], self.rec_biases[0])
        return driven(hidden, self.gen_weights[0], self.gen_biases[0])

    def clip_input_weights(self) -> None:
        """Set the generative weights to the inputs that are negative to zero."""
        np.maximum(self.gen_weights[0], 0, out=self.gen_weights[0])

    def _blank_states(self) -> NDArray[np.float32]:
        from fastws import kernels

        return kernels.new_states(self._sizes)

    def _check_states(self, states: Any) -> NDArray[np.float32]:
        """Return states of all layers as the kernels take them."""
        if len(states) != len(self.layer_sizes):
            raise ValueError(
                f"states has {len(states)} layers; the machine has {len(self.layer_sizes)}, the input layer included."
            )
        checked = self._blank_states()
        for layer, size in enumerate(self.layer_sizes):
            rows = check_binary(states[layer], name=f"states[{layer}]")
            if rows.shape != (1, size):
                raise ValueError(f"states[{layer}] has shape {np.shape(states[layer])}; its layer has {size} units.")
            checked[layer, :size] = rows[0]
        return checked

    def _layers(self, states: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
        return [states[layer, :size].astype(np.uint8) for layer, size in enumerate(self.layer_sizes)]


def wake_step(
    machine: Machine, x: ArrayLike, rates: Any, seed: int = 0, nonnegative_input_weights: bool = False
) -> list[NDArray[np.uint8]]:
    """Learn from one input: recognition drives the units, the generative parameters learn in place (Eq 4).

    Parameters
    ----------
    machine : Machine
    x : array_like of {0, 1}, shape (n_0,)
    rates : float or sequence of float, length L + 1
        The learning rate ε of each level; the last is that of the top layer's generative biases.
    seed : int, default=0
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Returns
    -------
    list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The states of all layers that the step used.

    Raises
    ------
    ValueError
        If x is not one binary input of the machine's width, or a rate is not a finite number of at least 0.
    """
    from fastws import kernels

    inputs = check_binary(x, machine.layer_sizes[0])
    if len(inputs) != 1:
        raise ValueError(f"x has {len(inputs)} rows; a wake step learns from one input.")
    checked_rates = check_rates(rates, len(machine.layer_sizes))
    key = make_key(seed, Use.WAKE_STEP)
    states = machine._blank_states()
    states[0, : machine.layer_sizes[0]] = inputs[0]
    if nonnegative_input_weights:
        machine.clip_input_weights()
    kernels.wake_step(
        key,
        *machine.parameters,
        checked_rates,
        least_input_weight(nonnegative_input_weights),
        states,
    )
    return machine._layers(states)


def sleep_step(machine: Machine, rates: Any, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Learn from one fantasy: generation drives the units, the recognition parameters learn in place (Eq 7).

    Parameters
    ----------
    machine : Machine
    rates : float or sequence of float, length L + 1
        The learning rate ε of each level; the last one, of a level without recognition parameters, has no effect.
    seed : int, default=0

    Returns
    -------
    list of ndarray of uint8, each of shape (n_l,), l = 0 … L
        The states of all layers: the fantasy and its causes.

    Raises
    ------
    ValueError
        If a rate is not a finite number of at least 0.
    """
    from fastws import kernels

    checked_rates = check_rates(rates, len(machine.layer_sizes))
    key = make_key(seed, Use.SLEEP_STEP)
    states = machine._blank_states()
    kernels.sleep_step(key, *machine.parameters, checked_rates, states)
    return machine._layers(states)


def wake_update(machine: Machine, states: Any, rates: Any, nonnegative_input_weights: bool = False) -> None:
    """Learn from given states as `wake_step` does from those that it draws: the generative parameters, by Eq 4.

    Parameters
    ----------
    machine : Machine
    states : sequence of array_like of {0, 1}, each of shape (n_l,), l = 0 … L
        The states of all layers, as `wake_step` returns them.
    rates : float or sequence of float, length L + 1
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Raises
    ------
    ValueError
        If the states do not fit the machine or are not binary, or a rate is not a finite number of at least 0.
    """
    from fastws import kernels

    checked_states = machine._check_states(states)
    checked_rates = check_rates(rates, len(machine.layer_sizes))
    if nonnegative_input_weights:
        machine.clip_input_weights()
    floor = least_input_weight(nonnegative_input_weights)
    kernels.wake_update(*machine.shape, machine._generative, checked_rates, floor, checked_states)


def sleep_update(machine: Machine, states: Any, rates: Any) -> None:
    """Learn from given states as `sleep_step` does from those that it draws: the recognition parameters, by Eq 7.

    Parameters
    ----------
    machine : Machine
    states : sequence of array_like of {0, 1}, each of shape (n_l,), l = 0 … L
        The states of all layers, as `sleep_step` returns them.
    rates : float or sequence of float, length L + 1

    Raises
    ------
    ValueError
        As `wake_update`.
    """
    from fastws import kernels

    checked_states = machine._check_states(states)
    checked_rates = check_rates(rates, len(machine.layer_sizes))
    kernels.sleep_update(*machine.shape, machine._recognition, checked_rates, checked_states)


def least_input_weight(nonnegative: bool) -> np.float32:
    """Return the floor that the kernels hold the generative weights to the inputs to."""
    return np.float32(0 if nonnegative else -np.inf)
