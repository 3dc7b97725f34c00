"""Figure 2's classifier: a machine a class; an image belongs to the class whose machine describes it most cheaply."""

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fastws import estimate
from fastws.checks import check_binary, check_contrast, check_integer, check_rates, check_threshold
from fastws.divergence import check_learned
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Images
from fastws.threads import available_cores, side_by_side

SCORES = ("description_length", "free_energy", "importance")
"""The measures that classify, in the order of `fastws.estimate.Measures`."""

_READ_AT_ONCE = 1 << 14
# Of fewer, scikit-learn's checks of estimators give data that all lie above whatever threshold there is.
_PIXELS_OF_AN_IMAGE = 16


class _Score:
    """The parameter `score` beside scikit-learn's method of the same name: the parameter is set, the method got."""

    def __get__(self, estimator: Any, owner: type) -> Any:
        return ClassifierMixin.score.__get__(estimator, owner)

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
    learning_rate : float or sequence of float, default=0.01
        ε of Eqs 4 and 7, on all levels, or one a level.
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
        learning_rate: float | Sequence[float] = 0.01,
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
            If a value of X is not 0 or 1 and there is no threshold; if all pixels of all images are the same, as they
            are or by the threshold; if there are fewer than two classes or a class has one image; or a parameter is out
            of range.
        """
        images, labels = self._training_data(X, y, reset=True)
        classes = _several_classes(labels, "y")
        self._check_contrast(images)
        runs = self.simulations(images, labels)
        side_by_side([run_to_end(run) for run in runs], self._n_threads())
        return self._set_machines([run.machine for run in runs], classes)

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None
    ) -> "DescriptionLengthClassifier":
        """Sweep once over more images, each class's machine going on from where it is, also after `fit`.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : array_like, shape (n,)
        classes : array_like, optional
            All classes there will be; needed where nothing was fitted before.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            If a value of X is not 0 or 1 and there is no threshold; if the threshold leaves all pixels of all images
            the same; if the first call names no classes or a later one others, or y has one that was not named; or a
            parameter is out of range.
        """
        first = not hasattr(self, "machines_")
        images, labels = self._training_data(X, y, reset=first)
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes: all the labels that there will be.")
        known = self.classes_ if classes is None else _several_classes(np.asarray(classes), "classes")
        if not first and not np.array_equal(known, self.classes_):
            raise ValueError(f"classes are {known}, but the machines are those of {self.classes_}; leave classes out.")
        unknown = np.setdiff1d(labels, known)
        if len(unknown):
            raise ValueError(f"y has the class {unknown[0]}, which is not among the classes {known}.")
        self._check_contrast(images, whole=False)
        seeds = self._seeds(len(known), 0 if first else self._n_calls)
        machines = [self._new_machine(images.shape[1]) for _ in known] if first else self.machines_
        runs = [
            self._simulation(machine, own, 1, seed)
            for machine, seed, label in zip(machines, seeds, known, strict=True)
            if len(own := images[labels == label])
        ]
        if first:
            self._set_machines(machines, known)
        self._n_calls += 1
        side_by_side([run_to_end(run) for run in runs], self._n_threads())
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
            runs.append(self._simulation(self._new_machine(images.shape[1]), own, sweeps, seed))
        return runs

    def use_machines(self, machines: Sequence[Machine], classes: ArrayLike) -> "DescriptionLengthClassifier":
        """Take trained machines, one a class in sorted order, in the place of `fit`; return self.

        `partial_fit` goes on training them.

        Parameters
        ----------
        machines : sequence of Machine
        classes : array_like
            Their classes; repetitions do not matter.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            If there is not one machine a class, there are fewer than two, or their inputs differ in number.
        """
        known = _several_classes(np.asarray(classes), "classes")
        if len(machines) != len(known):
            raise ValueError(f"there are {len(machines)} machines for {len(known)} classes; give one a class.")
        widths = sorted({machine.layer_sizes[0] for machine in machines})
        if len(widths) > 1:
            raise ValueError(f"the machines have {' and '.join(map(str, widths))} inputs; they must agree.")
        self.n_features_in_ = widths[0]
        return self._set_machines(list(machines), known)

    def _set_machines(self, machines: list[Machine], classes: NDArray[Any]) -> "DescriptionLengthClassifier":
        self.machines_ = machines
        self.classes_ = classes
        # What `fit` draws with is call number 0.
        self._n_calls = 1
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
        score = self._score_name()
        return self._describe(self._images_to_read(X), self._seeds(1)[0], [score])[score]

    def measures_bits(self, X: ArrayLike) -> dict[str, NDArray[np.float64]]:
        """Return what each machine needs to describe each image, by every measure that `score` can name.

        An image costs the same whatever the other rows of X are.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        dict of ndarray of float64, shape (n, n_classes)
            In bits.

        Raises
        ------
        ValueError
            As `description_lengths_bits`.
        """
        return self._describe(self._images_to_read(X), self._seeds(1)[0], SCORES)

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
        score = self._score_name()
        images, seed = self._images_to_read(X), self._seeds(1)[0]
        chosen = np.empty(len(images), np.intp)
        # The costs of all images may take more memory than the images.
        for first in range(0, len(images), _READ_AT_ONCE):
            block = slice(first, first + _READ_AT_ONCE)
            chosen[block] = self._describe(images[block], seed, [score])[score].argmin(axis=1)
        return self.classes_[chosen]

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

    def _images_to_read(self, X: ArrayLike) -> NDArray[Any]:
        """Return images, binary unless there is a threshold."""
        check_is_fitted(self, "machines_")
        images = self._checked(X, reset=False)
        return images if self.threshold is not None else self._binary(images)

    def _describe(self, X: NDArray[Any], seed: int, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        n_runs = check_integer(self.n_runs, "n_runs")
        images = self._binary(X)
        bits = {name: np.empty((len(images), len(self.machines_))) for name in names}

        def describe(column: int, _: object) -> None:
            machine = self.machines_[column]
            measures = estimate.measures(machine, images, n_runs, seed, same_in_any_company=True, n_threads=1)
            for name, values in zip(SCORES, measures, strict=True):
                if name in bits:
                    bits[name][:, column] = values

        side_by_side([partial(describe, column) for column in range(len(self.machines_))], self._n_threads())
        return bits

    def _new_machine(self, n_pixels: int) -> Machine:
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Sequence | np.ndarray) or len(self.hidden) == 0:
            raise ValueError(f"hidden is {self.hidden!r}; give the units of each hidden layer, as in (16, 16, 4).")
        return Machine([n_pixels, *(check_integer(n, f"hidden[{layer}]") for layer, n in enumerate(self.hidden))])

    def _simulation(self, machine: Machine, images: NDArray[Any], sweeps: int, seed: int) -> Simulation:
        rates = check_rates(self.learning_rate, len(machine.layer_sizes), "learning_rate")
        return Simulation(machine, Images(self._binary(images)), [(sweeps * len(images), rates)], seed=seed)

    def _training_data(self, X: ArrayLike, y: ArrayLike, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the images, binary unless there is a threshold, and their labels."""
        self._score_name()
        if self.threshold is not None:
            check_threshold(self.threshold)
        images, labels = self._checked(X, y, reset=reset)
        check_classification_targets(labels)
        # A threshold waits until the images of a class have been picked, lest a second copy of all images be made.
        return images if self.threshold is not None else self._binary(images), np.asarray(labels)

    def _checked(self, *data: ArrayLike, reset: bool) -> Any:
        try:
            return validate_data(self, *data, reset=reset)
        except TypeError as error:
            if "must be a string or a real number" not in str(error):
                raise
            raise TypeError(f"X holds something that is not a number ({error}); give numbers 0 and 1.") from error

    def _binary(self, X: Any) -> NDArray[np.uint8]:
        if self.threshold is not None:
            return check_binary(np.asarray(X) > check_threshold(self.threshold), name="X")
        try:
            return check_binary(X, name="X")
        except ValueError as error:
            raise ValueError(f"{error} The parameter threshold does that.") from error

    def _check_contrast(self, images: NDArray[Any], whole: bool = True) -> None:
        if self.threshold is not None:
            all_on = bool(images.min() > self.threshold > -np.inf)
            if all_on and images.shape[1] < _PIXELS_OF_AN_IMAGE:
                return
        check_contrast(images, self.threshold, whole=whole)

    def _score_name(self) -> str:
        name: str = self.get_params()["score"]
        if name not in SCORES:
            raise ValueError(f"score is {name!r}; choose one of {', '.join(SCORES)}.")
        return name

    def _seeds(self, n: int, call: int = 0) -> list[int]:
        """Return n seeds, and for each call of partial_fit others."""
        state = self.random_state
        if isinstance(state, Integral):
            root = check_integer(state, "random_state", at_least=0)
        else:
            root = int(check_random_state(state).randint(2**31 - 1))
        children = np.random.SeedSequence((root, call)).generate_state(n, np.uint64)
        return [int(child) for child in children]

    def _n_threads(self) -> int:
        n_jobs = 1 if self.n_jobs is None else check_integer(self.n_jobs, "n_jobs", at_least=-available_cores())
        if n_jobs == 0:
            raise ValueError("n_jobs is 0; give the number of threads, or -1 for all cores.")
        return n_jobs if n_jobs > 0 else available_cores() + 1 + n_jobs


def _several_classes(labels: NDArray[Any], name: str) -> NDArray[Any]:
    classes = np.unique(labels)
    if len(classes) < 2:
        raise ValueError(f"{name} has one class only, {classes[0]}; give images of two classes at least.")
    return classes


def run_to_end(run: Simulation) -> Callable[[Callable[[object], None]], object]:
    """Return a task for `side_by_side` that takes a simulation of images to the end of its schedule.

    It raises `fastws.divergence.LearningDiverged` where what was learned cannot be right.
    """

    def task(check: Callable[[object], None]) -> None:
        stream = run.stream
        assert isinstance(stream, Images)
        # Learning that diverges does so soon: after a sweep it can still be stopped.
        for n_examples in (len(stream), None):
            run.advance(n_examples, progress=check)
            check_learned(run, stream.x)

    return task
