"""A Helmholtz machine as a transformer: what its recognition net makes of images, and how likely it finds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted

from fastws import estimate, exact
from fastws.checks import check_integer, check_nothing_masked
from fastws.estimator import BinaryImageEstimator, draw_root, run_to_end, seeds_from
from fastws.machine import Machine
from fastws.probabilities import driven
from fastws.threads import threads_of

__all__ = ["HelmholtzMachine"]

Floats = NDArray[np.float64]


class HelmholtzMachine(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BinaryImageEstimator):  # type: ignore[misc]
    """Represent binary images by the probabilities of the hidden units of a Helmholtz machine, given the image.

    Parameters
    ----------
    hidden : sequence of int, default=(16, 16, 4)
        Units of each hidden layer, first to top.
    layer : int or "all", default="all"
        The hidden layer that `transform` returns, 1 … L, or all of them side by side.
    sweeps : int, default=500
        How often `fit` visits each image.
    learning_rate : float or sequence of float, default=0.01
        ε of Eqs 4 and 7, on all levels, or one a level.
    n_runs : int, default=10
        Runs of the recognition net an image where `score_samples` estimates.
    random_state : int, numpy.random.Generator, RandomState instance or None, default=0
        What is not a number is drawn from once, when the machine is fitted.
    n_jobs : int or None, default=None
        Threads that `score_samples` uses: 1 for None, all cores for -1. The results do not depend on it.
    threshold : float or None, default=None
        Pixels above it are on. Without one, images must be binary.
    n_samples, recognition : int, default=1, and {"sleep", "wake", "both"}, default="sleep"
        As in `Simulation`: representations of an image that are drawn, and what recognition learns from.

    Attributes
    ----------
    machine_ : Machine
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the images came with names for their columns.

    See Also
    --------
    DescriptionLengthClassifier : A machine a class.

    Examples
    --------
    >>> import fastws
    >>> x = [[0, 0, 1, 1], [1, 1, 0, 0]] * 20
    >>> represent = fastws.HelmholtzMachine(hidden=(3, 2), layer=1, sweeps=10).fit(x)
    >>> represent.transform(x).shape, represent.sample(5).shape
    ((40, 3), (5, 4))
    """

    def __init__(
        self,
        hidden: Sequence[int] = (16, 16, 4),
        layer: int | str = "all",
        sweeps: int = 500,
        learning_rate: float | Sequence[float] = 0.01,
        n_runs: int = 10,
        random_state: Any = 0,
        n_jobs: int | None = None,
        threshold: float | None = None,
        n_samples: int = 1,
        recognition: str = "sleep",
    ) -> None:
        self.hidden = hidden
        self.layer = layer
        self.sweeps = sweeps
        self.learning_rate = learning_rate
        self.n_runs = n_runs
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.threshold = threshold
        self.n_samples = n_samples
        self.recognition = recognition

    def fit(self, X: ArrayLike, y: object = None) -> "HelmholtzMachine":
        """Train a new machine.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : ignored

        Returns
        -------
        HelmholtzMachine
            self

        Raises
        ------
        ValueError
            If a value of X is not 0 or 1 and there is no threshold, all pixels of all images are the same, learning
            diverges, or a parameter is out of range.
        """
        images = self._checked(X, reset=True)
        machine, root = self._new_machine(images.shape[1]), draw_root(self.random_state)
        self._columns(machine)
        self._check_contrast(images)
        sweeps = check_integer(self.sweeps, "sweeps")
        run_to_end(self._simulation(machine, images, sweeps, seeds_from(root, 1)[0]))(lambda _: None)
        self.machine_ = machine
        return self._fitted_with(root)

    def partial_fit(self, X: ArrayLike, y: object = None) -> "HelmholtzMachine":
        """Sweep once over more images, going on from where the machine is, also after `fit`.

        Parameters
        ----------
        X, y
            As in `fit`.

        Returns
        -------
        HelmholtzMachine
            self

        Raises
        ------
        ValueError
            As `fit`, but for images that are blank as they are.
        """
        first = not hasattr(self, "machine_")
        images = self._checked(X, reset=first)
        root = draw_root(self.random_state) if first else self._root
        machine = self._new_machine(images.shape[1]) if first else self.machine_
        self._columns(machine)
        self._check_contrast(images, whole=False)
        seed = (seeds_from(root, 1) if first else self._seeds(1, self._n_calls))[0]
        run = self._simulation(machine, images, 1, seed)
        if first:
            self.machine_ = machine
            self._fitted_with(root)
        else:
            self._n_calls += 1
        run_to_end(run)(lambda _: None)
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """Return the recognition probabilities of the units of `layer`.

        Those of layer 1 are given the image, Eq 1; those of each layer above, the probabilities of the layer below it,
        in the place of states: no random number is drawn.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray of float64, shape (n, n_units)
            For all layers, first to top.

        Raises
        ------
        ValueError
            If X has another width, a value that is not 0 or 1 and there is no threshold, or several images that the
            threshold makes blank: they are on another scale than those learned from.
        """
        images = self._images_to_read(X)
        return np.hstack(self.machine_.recognition_probabilities(images))[:, self._columns(self.machine_)]

    def inverse_transform(self, X: ArrayLike) -> Floats:
        """Return the generative probabilities of the pixels, given those that `transform` returns.

        They go down from `layer` as they went up, probabilities in the place of states; of all layers it is the first
        that drives the pixels.

        Parameters
        ----------
        X : array_like, shape (n, n_units)
            Probabilities, or states.

        Returns
        -------
        ndarray of float64, shape (n, n_pixels)

        Raises
        ------
        ValueError
            If X has another width, or a value outside [0, 1].
        """
        check_is_fitted(self, "machine_")
        check_nothing_masked(X, "X")
        units = np.asarray(check_array(X, dtype=np.float64))
        if units.shape[1] != self._n_features_out:
            raise ValueError(f"X has {units.shape[1]} columns; transform returns {self._n_features_out}.")
        if units.min() < 0 or units.max() > 1:
            raise ValueError(f"X has values from {units.min()} to {units.max()}; give probabilities.")
        machine = self.machine_
        machine.check_finite()
        layer = 1 if self.layer == "all" else int(self.layer)
        units = units[:, : machine.layer_sizes[layer]]
        for level in reversed(range(layer)):
            units = driven(units, machine.gen_weights[level], machine.gen_biases[level])
        return units

    def sample(self, n_samples: int = 1, random_state: Any = None) -> NDArray[np.uint8]:
        """Draw images from the generative model.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, numpy.random.Generator, RandomState instance or None, default=None
            By default the same images are drawn each time.

        Returns
        -------
        ndarray of uint8, shape (n_samples, n_pixels)

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        check_is_fitted(self, "machine_")
        seed = self._seeds(1)[0] if random_state is None else draw_root(random_state)
        return self.machine_.fantasies(check_integer(n_samples, "n_samples"), seed)

    def score_samples(self, X: ArrayLike) -> Floats:
        """Return minus the free energy of each image (Eq 5), in nats: a lower bound on log P(d).

        Up to 14 hidden units it is exact; beyond it is the mean of `n_runs` runs of the recognition net, whose draws
        depend on the pixels of the image and not on the other rows. Divide by log 2 for bits.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray of float64, shape (n,)
            In nats.

        Raises
        ------
        ValueError
            As `transform`.
        """
        images, n_threads, n_runs = (
            self._images_to_read(X),
            threads_of(self.n_jobs),
            check_integer(self.n_runs, "n_runs"),
        )
        if exact.is_enumerable(self.machine_, exact.MOST_QUICKLY_ENUMERATED):
            bits = exact.free_energy_bits(self.machine_, images)
        else:
            seed = self._seeds(1)[0]
            bits = estimate.measures(self.machine_, images, n_runs, seed, True, n_threads).free_energy_bits
        return -bits * np.log(2)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """Return the mean of `score_samples`, in nats.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : ignored

        Returns
        -------
        float

        Raises
        ------
        ValueError
            As `transform`.
        """
        return float(self.score_samples(X).mean())

    @property
    def _n_features_out(self) -> int:
        """How many columns `transform` returns; scikit-learn numbers them after the class."""
        columns = self._columns(self.machine_)
        return len(range(*columns.indices(sum(self.machine_.layer_sizes[1:]))))

    def _columns(self, machine: Machine) -> slice:
        """Return which of the hidden units, first to top, `transform` returns."""
        n_layers = len(machine.layer_sizes) - 1
        if isinstance(self.layer, str) and self.layer == "all":
            return slice(None)
        try:
            layer = check_integer(self.layer, "layer")
        except ValueError as error:
            raise ValueError(f"layer is {self.layer!r}; give a hidden layer, 1 to {n_layers}, or 'all'.") from error
        if layer > n_layers:
            raise ValueError(f"layer is {layer}; give a hidden layer, 1 to {n_layers}, or 'all'.")
        first = sum(machine.layer_sizes[1:layer])
        return slice(first, first + machine.layer_sizes[layer])

    def _images_to_read(self, X: ArrayLike) -> NDArray[np.uint8]:
        check_is_fitted(self, "machine_")
        images = self._checked(X, reset=False)
        self._check_contrast(images, whole=False)
        return self._binary(images)
