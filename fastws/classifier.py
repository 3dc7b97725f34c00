"""Figure 2's classifier: a machine a class; an image belongs to the class whose machine describes it most cheaply."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fastws import estimate
from fastws.checks import check_binary, check_integer
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Images
from fastws.threads import available_cores, side_by_side

SCORES: dict[str, Callable[..., NDArray[np.float64]]] = {
    "description_length": estimate.description_length_bits,
    "free_energy": estimate.free_energy_bits,
    "importance": estimate.neg_log_prob_bits,
}


class _Score:
    """The parameter `score` beside scikit-learn's method of the same name: the parameter is set, the method got."""

    def __get__(self, estimator: Any, owner: type) -> Any:
        return self if estimator is None else ClassifierMixin.score.__get__(estimator, owner)

    def __set__(self, estimator: Any, value: str) -> None:
        estimator.__dict__["score"] = value


class DescriptionLengthClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classify binary images by which of several Helmholtz machines, one a class, describes them in the fewest bits.

    Parameters
    ----------
    hidden : sequence of int, default=(16, 16, 4)
        Units of each hidden layer of each machine, first to top [16].
    sweeps : int, default=500
        How often `fit` visits each image.
    learning_rate : float, default=0.01
        ε of Eqs 4 and 7, on all levels.
    n_runs : int, default=10
        Runs of each recognition net an image when classifying.
    score : {"description_length", "free_energy", "importance"}, default="description_length"
        What is compared: the mean of C(α, d), Eq 3, as in the paper; the free energy, Eq 5; or the importance-weighted
        bound on -log2 P(d). ``get_params()["score"]`` reads it, since ``clf.score`` is scikit-learn's method.
    random_state : int, RandomState instance or None, default=0
    n_jobs : int or None, default=None
        Threads that learn and classify side by side, a class each: 1 for None, all cores for -1. The results do not
        depend on it.
    threshold : float or None, default=None
        Pixels above it are on. Without one, images must be binary.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    machines_ : list of Machine
        In the order of `classes_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the images came with names for their columns.
    """

    score = _Score()

    def __init__(
        self,
        hidden: Sequence[int] = (16, 16, 4),
        sweeps: int = 500,
        learning_rate: float = 0.01,
        n_runs: int = 10,
        score: str = "description_length",
        random_state: Any = 0,
        n_jobs: int | None = None,
        threshold: float | None = None,
    ) -> None:
        self.hidden = hidden
        self.sweeps = sweeps
        self.learning_rate = learning_rate
        self.n_runs = n_runs
        self.score = score
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.threshold = threshold

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, `score` among them."""
        return {name: self.__dict__[name] for name in self._get_param_names()}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Images are reduced to a bit a pixel: two features make four different images.
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> "DescriptionLengthClassifier":
        """Train a new machine on the images of each class.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : array_like, shape (n,)
            The class of each image.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            If a value of X is not 0 or 1 and there is no threshold; if there are fewer than two classes, a class has
            one image, or all images are the same; or a parameter is out of range.
        """
        images, labels = self._training_data(X, y, reset=True)
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only, {labels[0]!r}; give images of two classes at least.")
        runs = self.simulations(images, labels)
        side_by_side([run_to_end(run) for run in runs], self._n_threads())
        self.machines_ = [run.machine for run in runs]
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None
    ) -> "DescriptionLengthClassifier":
        """Sweep once over more images, each class's machine going on from where it is.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : array_like, shape (n,)
        classes : array_like, optional
            All classes there will be; needed in the first call only.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            As for `fit`; and if the first call names no classes, or y has one that was not named.
        """
        first = not hasattr(self, "classes_")
        images, labels = self._training_data(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError("the first call of partial_fit needs classes: all the labels that there will be.")
            self.classes_ = np.unique(np.asarray(classes))
            self.machines_ = [self._new_machine(images.shape[1]) for _ in self.classes_]
            self._n_calls = 0
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(f"y has the class {unknown[0]!r}, which is not among the classes {self.classes_}.")
        seeds = self._seeds(len(self.classes_), self._n_calls)
        runs = [
            Simulation(machine, Images(own), [(len(own), self.learning_rate)], seed=seed)
            for machine, seed, label in zip(self.machines_, seeds, self.classes_, strict=True)
            if len(own := images[labels == label])
        ]
        side_by_side([run_to_end(run) for run in runs], self._n_threads())
        self._n_calls += 1
        return self

    def simulations(self, images: NDArray[np.uint8], labels: NDArray[Any]) -> list[Simulation]:
        """Return the simulations, one a class in the order of the labels, that `fit` runs to their ends.

        Run by hand they can be watched, saved and resumed; `use_machines` makes a classifier of what they learn.
        """
        sweeps = check_integer(self.sweeps, "sweeps")
        classes = np.unique(labels)
        runs = []
        for label, seed in zip(classes, self._seeds(len(classes)), strict=True):
            own = images[labels == label]
            if len(own) < 2:
                raise ValueError(f"class {label} has one image; a machine needs at least two to learn from.")
            schedule = [(sweeps * len(own), self.learning_rate)]
            runs.append(Simulation(self._new_machine(images.shape[1]), Images(own), schedule, seed=seed))
        return runs

    def use_machines(self, machines: Sequence[Machine], classes: ArrayLike) -> "DescriptionLengthClassifier":
        """Take trained machines, one a class in sorted order, in the place of `fit`; return self."""
        self.classes_ = np.unique(np.asarray(classes))
        if len(machines) != len(self.classes_):
            raise ValueError(f"there are {len(machines)} machines for {len(self.classes_)} classes; give one a class.")
        self.machines_ = list(machines)
        self.n_features_in_ = machines[0].layer_sizes[0]
        return self

    def description_lengths_bits(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return what each machine needs to describe each image, by the measure that `score` names.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            In bits.

        Raises
        ------
        ValueError
            If X has another width, or a value that is not 0 or 1 and there is no threshold.
        """
        check_is_fitted(self, "machines_")
        measure = SCORES.get(self.get_params()["score"])
        if measure is None:
            raise ValueError(f"score is {self.get_params()['score']!r}; choose one of {', '.join(SCORES)}.")
        images = self._binary(validate_data(self, X, reset=False, dtype=None))
        seed = self._seeds(1)[0]
        tasks = [
            lambda check, machine=machine: measure(machine, images, self.n_runs, seed) for machine in self.machines_
        ]
        return np.column_stack(side_by_side(tasks, self._n_threads()))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class whose machine describes each image in the fewest bits.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        ValueError
            As `description_lengths_bits`.
        """
        bits = self.description_lengths_bits(X)
        return self.classes_[bits.argmin(axis=1)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the classes, taking 2^-bits for P(d | class) and all classes for equally likely.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            In the order of `classes_`; each row sums to 1.

        Raises
        ------
        ValueError
            As `description_lengths_bits`.
        """
        bits = self.description_lengths_bits(X)
        weights = np.exp2(bits.min(axis=1, keepdims=True) - bits)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _new_machine(self, n_pixels: int) -> Machine:
        return Machine([n_pixels, *self.hidden])

    def _training_data(self, X: ArrayLike, y: ArrayLike, reset: bool) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        X, y = validate_data(self, X, y, reset=reset, dtype=None)
        check_classification_targets(y)
        return self._binary(X), np.asarray(y)

    def _binary(self, X: Any) -> NDArray[np.uint8]:
        return check_binary(X if self.threshold is None else np.asarray(X) > self.threshold, name="X")

    def _seeds(self, n: int, call: int = 0) -> list[int]:
        """Return n seeds, and for each call of partial_fit others."""
        state = self.random_state
        root = state if isinstance(state, int) else int(check_random_state(state).randint(2**31 - 1))
        children = np.random.SeedSequence((root, call)).generate_state(n, np.uint64)
        return [int(child) for child in children]

    def _n_threads(self) -> int:
        n_jobs = 1 if self.n_jobs is None else self.n_jobs
        return n_jobs if n_jobs > 0 else max(1, available_cores() + 1 + n_jobs)


def run_to_end(run: Simulation) -> Callable[[Callable[[object], None]], object]:
    """Return a task for `side_by_side` that takes a simulation to the end of its schedule."""
    return lambda check: run.advance(progress=check)
