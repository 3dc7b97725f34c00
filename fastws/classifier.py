"""Figure 2's classifier: a machine a class; an image belongs to the class whose machine describes it most cheaply."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastws import estimate
from fastws.checks import Whole, check_integer, check_nothing_masked, check_threshold
from fastws.estimator import BinaryImageEstimator, draw_root, run_to_end, seeds_from
from fastws.labels import (
    check_labels,
    check_none_missing,
    check_same_form,
    check_unmixed,
    counts_of,
    prior_bits,
    several_classes,
)
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.threads import side_by_side, threads_of

__all__ = ["SCORES", "DescriptionLengthClassifier"]

SCORES = ("description_length", "free_energy", "importance")
"""The measures that classify, in the order of `fastws.estimate.Measures`."""

_READ_AT_ONCE = 1 << 14
_MOST_REPEATED = 1 << 31


class _Score:
    """The parameter `score` beside scikit-learn's method of the same name: the parameter is set, the method got."""

    def __init__(self, method: Any) -> None:
        self.method = method

    def __get__(self, estimator: Any, owner: type) -> Any:
        return self.method.__get__(estimator, owner)

    def __set__(self, estimator: Any, value: str) -> None:
        estimator.__dict__["score"] = value


class DescriptionLengthClassifier(ClassifierMixin, BinaryImageEstimator):  # type: ignore[misc]
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
    random_state : int, numpy.random.Generator, RandomState instance or None, default=0
        What is not a number is drawn from once, when the classifier is fitted: it then reads the same images the same
        way each time.
    n_jobs : int or None, default=None
        Threads that learn and classify side by side, a class each: 1 for None, all cores for -1, all but one for -2.
        The results do not depend on it.
    threshold : float or None, default=None
        Pixels above it are on. Without one, images must be binary.
    priors : None, "frequencies" or array_like of shape (n_classes,), default=None
        Probabilities of the classes, in the order of `classes_`: equal ones for None, or those of the labels learned
        from. A class then costs -log2 of its prior more than its machine says.
    n_samples, recognition : int, default=1, and {"sleep", "wake", "both"}, default="sleep"
        As in `Simulation`: representations of an image that are drawn, and what recognition learns from.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    class_count_ : ndarray of int, shape (n_classes,)
        Images of each class learned from since `fit`, `use_machines` or the first `partial_fit`.
    machines_ : list of Machine
        In the order of `classes_`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where the images came with names for their columns.

    Examples
    --------
    >>> import fastws
    >>> x = [[0, 0, 1, 1], [1, 1, 0, 0]] * 20
    >>> readers = fastws.DescriptionLengthClassifier(hidden=(2,), sweeps=50, learning_rate=0.1)
    >>> readers.fit(x, ["right", "left"] * 20).predict([[0, 0, 1, 1], [1, 1, 0, 0]])
    array(['right', 'left'], dtype='<U5')
    """

    score = _Score(ClassifierMixin.score)
    machines_: list[Machine]
    classes_: NDArray[Any]
    class_count_: NDArray[np.int64]

    def __init__(
        self,
        hidden: Sequence[int] | NDArray[Any] = (16, 16, 4),
        sweeps: Whole = 500,
        learning_rate: float | Sequence[float] | NDArray[Any] = 0.01,
        n_runs: Whole = 10,
        score: str = SCORES[0],
        random_state: Any = 0,
        n_jobs: Whole | None = None,
        threshold: float | None = None,
        priors: Any = None,
        n_samples: Whole = 1,
        recognition: str = "sleep",
    ) -> None:
        self.hidden = hidden
        self.sweeps = sweeps
        self.learning_rate = learning_rate
        self.n_runs = n_runs
        self.score = score
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.threshold = threshold
        self.priors = priors
        self.n_samples = n_samples
        self.recognition = recognition

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A method of a subclass, or of what else it inherits from, must not be hidden by the parameter.
        method = next(vars(parent)["score"] for parent in cls.__mro__ if "score" in vars(parent))
        if not isinstance(method, _Score):
            cls.score = _Score(method)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, `score` among them, and with `deep` those of parameters that have some."""
        params = super().get_params(deep)
        return params | {"score": self._score} if "score" in params else params

    @property
    def _score(self) -> Any:
        return self.__dict__.get("score", SCORES[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Images are reduced to a bit a pixel: two features make four different images.
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> "DescriptionLengthClassifier":
        """Train a new machine on the images of each class.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)
        y : array_like, shape (n,)
            The class of each image.
        sample_weight : array_like of int, shape (n,), optional
            How often each image is there, 0 and more: to learn with weights is to learn from ``X.repeat(weights)``, to
            the bit. Weights that are not whole numbers are refused.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            If a value of X is not 0 or 1 and there is no threshold; if all pixels of all images are the same, as they
            are or by the threshold; if there are fewer than two classes, or a weight is not a whole number of at least
            0; or a parameter is out of range.
        """
        images, labels = self._training_data(X, y, sample_weight, reset=True)
        classes = several_classes(labels, "y")
        self._check_contrast(images)
        counts = counts_of(labels, classes)
        prior_bits(self.priors, counts)  # or an error, before anything is learned
        n_threads, root = threads_of(self.n_jobs), draw_root(self.random_state)
        runs = self._runs(images, labels, root)
        side_by_side([run_to_end(run) for run in runs], n_threads)
        return self._set_machines([run.machine for run in runs], classes, counts, root)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "DescriptionLengthClassifier":
        """Sweep once over more images, each class's machine going on from where it is, also after `fit`.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like, optional
            All classes there will be; needed where nothing was fitted before.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            As `fit`, but for images that are blank as they are, and fewer than two classes among them; and if the first
            call names no classes or a later one others, or y has one that was not named.
        """
        first = not hasattr(self, "machines_")
        images, labels = self._training_data(X, y, sample_weight, reset=first)
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes: all the labels that there will be.")
        known = self.classes_ if classes is None else several_classes(check_labels(classes, "classes"), "classes")
        if not first:
            check_same_form(known, "classes", self.classes_, "the machines are those of")
            if not np.array_equal(known, self.classes_):
                raise ValueError(
                    f"classes are {known}, but the machines are those of {self.classes_}; leave classes out."
                )
        check_same_form(labels, "y", known, "classes has")
        unknown = np.setdiff1d(labels, known)
        if len(unknown):
            raise ValueError(f"y has the class {unknown[0]}, which is not among the classes {known}.")
        self._check_contrast(images, whole=False)
        counts = counts_of(labels, known) + (0 if first else self.class_count_)
        prior_bits(self.priors, counts)
        n_threads = threads_of(self.n_jobs)
        root = draw_root(self.random_state) if first else self._root
        seeds = seeds_from(root, len(known)) if first else self._seeds(len(known), self._n_calls)
        machines = [self._new_machine(images.shape[1]) for _ in known] if first else self.machines_
        runs = [
            self._simulation(machine, own, 1, seed)
            for machine, seed, label in zip(machines, seeds, known, strict=True)
            if len(own := images[labels == label])
        ]
        if first:
            self._set_machines(machines, known, counts, root)
        self.class_count_ = counts
        self._n_calls += 1
        side_by_side([run_to_end(run) for run in runs], n_threads)
        return self

    def simulations(self, images: NDArray[np.uint8], labels: NDArray[Any]) -> list[Simulation]:
        """Return the simulations, one a class in the order of the labels, that `fit` runs to their ends.

        Run by hand they can be watched, saved and resumed; `use_machines` makes a classifier of what they learn.
        """
        return self._runs(images, labels, draw_root(self.random_state))

    def _runs(self, images: NDArray[np.uint8], labels: NDArray[Any], root: int) -> list[Simulation]:
        sweeps = check_integer(self.sweeps, "sweeps")
        classes = np.unique(labels)
        return [
            self._simulation(self._new_machine(images.shape[1]), images[labels == label], sweeps, seed)
            for label, seed in zip(classes, seeds_from(root, len(classes)), strict=True)
        ]

    def use_machines(self, machines: Iterable[Machine], classes: ArrayLike) -> "DescriptionLengthClassifier":
        """Take trained machines, one a class, in the place of `fit`; return self.

        `partial_fit` goes on training them.

        Parameters
        ----------
        machines : iterable of Machine
        classes : array_like
            The class of each, in the order of the machines, which are sorted with their classes.

        Returns
        -------
        DescriptionLengthClassifier
            self

        Raises
        ------
        ValueError
            If there is not one machine a class, there are fewer than two, a class or a machine is there twice, or the
            machines' inputs differ in number.
        """
        labels = check_labels(classes, "classes")
        machines = list(machines)
        for place, machine in enumerate(machines):
            if not isinstance(machine, Machine):
                raise ValueError(f"machines[{place}] is {machine!r}; give machines, as Machine.load returns them.")
        if len(machines) != len(labels):
            raise ValueError(f"there are {len(machines)} machines for {len(labels)} classes; give one a class.")
        known = several_classes(labels, "classes")
        if len(known) < len(labels):
            twice = next(label for label in known if (labels == label).sum() > 1)
            raise ValueError(f"classes has {twice} more than once; give the class of each machine.")
        if len({id(machine) for machine in machines}) < len(machines):
            raise ValueError("a machine is there more than once; give each class a machine of its own, as by copy().")
        widths = sorted({machine.layer_sizes[0] for machine in machines})
        if len(widths) > 1:
            raise ValueError(f"the machines have {' and '.join(map(str, widths))} inputs; they must agree.")
        root = draw_root(self.random_state)
        self.n_features_in_ = widths[0]
        in_order = [machines[place] for place in np.argsort(labels)]
        return self._set_machines(in_order, known, np.zeros(len(known), np.int64), root)

    def _set_machines(
        self, machines: list[Machine], classes: NDArray[Any], counts: NDArray[np.int64], root: int
    ) -> "DescriptionLengthClassifier":
        self.machines_ = machines
        self.classes_ = classes
        self.class_count_ = counts
        return self._fitted_with(root)

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
            If X has another width, a value that is not 0 or 1 and there is no threshold, or several images that the
            threshold makes blank: they are on another scale than those learned from.
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
        """Return the class whose machine describes each image in the fewest bits, those of its prior included.

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
        of_priors = prior_bits(self.priors, self.class_count_)
        chosen = np.empty(len(images), np.intp)
        # The costs of all images may take more memory than the images.
        for first in range(0, len(images), _READ_AT_ONCE):
            block = slice(first, first + _READ_AT_ONCE)
            chosen[block] = (self._describe(images[block], seed, [score])[score] + of_priors).argmin(axis=1)
        return self.classes_[chosen]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the classes, taking 2^-bits for P(d | class): by default all are equally likely.

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
        bits = self._joint_bits(X)
        weights = np.exp2(bits.min(axis=1, keepdims=True) - bits)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the natural logarithms of the probabilities of the classes, also of those that round to 0.

        Parameters
        ----------
        X : array_like of {0, 1}, shape (n, n_pixels)

        Returns
        -------
        ndarray of float64, shape (n, n_classes)
            In nats, in the order of `classes_`; minus infinity only where a prior is 0.

        Raises
        ------
        ValueError
            As `description_lengths_bits`.
        """
        bits = self._joint_bits(X)
        above = bits - bits.min(axis=1, keepdims=True)
        return np.asarray(-np.log(2) * above - np.log(np.exp2(-above).sum(axis=1, keepdims=True)))

    def _joint_bits(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return -log2 P(d, class) of each image and class."""
        check_is_fitted(self, "machines_")
        of_priors = prior_bits(self.priors, self.class_count_)
        return self.description_lengths_bits(X) + of_priors

    def _images_to_read(self, X: ArrayLike) -> NDArray[Any]:
        """Return images, binary unless there is a threshold."""
        check_is_fitted(self, "machines_")
        images = self._checked(X, reset=False)
        self._check_contrast(images, whole=False)
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

        side_by_side([partial(describe, column) for column in range(len(self.machines_))], threads_of(self.n_jobs))
        return bits

    def _training_data(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, reset: bool
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the images, binary unless there is a threshold, and their labels, repeated as the weights say."""
        self._score_name()
        check_unmixed(y, "y")
        check_none_missing(y, "y")
        if self.threshold is not None:
            check_threshold(self.threshold)
        images, labels = self._checked(X, y, reset=reset)
        check_classification_targets(labels)
        if sample_weight is not None:
            times = _whole_weights(sample_weight, images)
            images, labels = images.repeat(times, axis=0), labels.repeat(times)
        # A threshold waits until the images of a class have been picked, lest a second copy of all images be made.
        return images if self.threshold is not None else self._binary(images), np.asarray(labels)

    def _score_name(self) -> str:
        name: str = self._score
        if name not in SCORES:
            raise ValueError(f"score is {name!r}; choose one of {', '.join(SCORES)}.")
        return name


def _whole_weights(sample_weight: ArrayLike, images: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often each image is to be repeated."""
    check_nothing_masked(sample_weight, "sample_weight")
    weights = np.asarray(_check_sample_weight(sample_weight, images, dtype=np.float64, ensure_non_negative=True))
    broken = np.flatnonzero((weights != np.floor(weights)) | (weights > _MOST_REPEATED))
    if len(broken):
        raise ValueError(
            f"sample_weight[{broken[0]}] is {weights[broken[0]]}; it says how often an image is there: give whole "
            "numbers, for example weights times 10, rounded, with a tenth of the sweeps."
        )
    return weights.astype(np.int64)
