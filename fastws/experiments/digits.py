"""Figure 2: ten machines, one a digit, classify images by which of them describes each most economically."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws import estimate
from fastws.classifier import DescriptionLengthClassifier
from fastws.datasets import DigitData
from fastws.experiments.watched import WatchedRun, train
from fastws.machine import Machine
from fastws.streams import Images
from fastws.threads import side_by_side

__all__ = ["Backprop", "DigitRun", "Reading", "backprop", "nearest_neighbour_error", "new_runs", "read"]

PAPER_ERROR = 0.048
PAPER_NEAREST_NEIGHBOUR_ERROR = 0.067
PAPER_BACKPROP_ERROR = 0.056
PAPER_SWEEPS = 500
PAPER_HIDDEN = (16, 16, 4)

_POINTS_OF_CURVE = 25
_IMAGES_MEASURED = 100

BACKPROP_HIDDEN = (16, 32, 64, 128)
BACKPROP_DECAYS = (1e-3, 0.1, 1.0)
BACKPROP_SWEEPS = 60
BACKPROP_TOTAL = len(BACKPROP_HIDDEN) * len(BACKPROP_DECAYS) * BACKPROP_SWEEPS


class DigitRun(WatchedRun):
    """The machine of one class; its curve holds the description length of training images in bits, by Eq 3."""

    @property
    def images(self) -> NDArray[np.uint8]:
        """The training images of the class."""
        stream = self.simulation.stream
        assert isinstance(stream, Images)
        return stream.x

    @property
    def n_sweeps(self) -> int:
        """Length of the schedule in sweeps."""
        return self.simulation.total_examples // len(self.images)

    @property
    def points(self) -> list[int]:
        """The numbers of examples at which the run is measured."""
        # Whole sweeps, which are the same for all classes; closer together at first, when more happens.
        sweeps = {-(-self.n_sweeps * k * k // _POINTS_OF_CURVE**2) for k in range(_POINTS_OF_CURVE + 1)}
        return [len(self.images) * sweep for sweep in sorted(sweeps)]

    def run(self, check: Callable[[object], None] = lambda seen: None) -> None:
        """Learn to the end of the schedule; what `check` raises ends it in good order."""
        sample = self.images[:_IMAGES_MEASURED]

        def measure(machine: Machine) -> tuple[float]:
            return (float(estimate.description_length_bits(machine, sample).mean()),)

        train([self], self.points, measure, check)


def new_runs(
    data: DigitData, seed: int = 0, n_sweeps: int = PAPER_SWEEPS, hidden: Sequence[int] = PAPER_HIDDEN
) -> list[DigitRun]:
    """Return the runs of all classes, not begun, with note [16]'s learning rate of 0.01 and everything at 0.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    classifier = DescriptionLengthClassifier(hidden, n_sweeps, random_state=seed)
    return [DigitRun(simulation) for simulation in classifier.simulations(data.x_train, data.y_train)]


def are_of(runs: Sequence[DigitRun], data: DigitData) -> bool:
    """Return whether the runs learn from these images, a class each."""
    classes = np.unique(data.y_train)
    return len(runs) == len(classes) and all(
        np.array_equal(run.images, data.x_train[data.y_train == label])
        for run, label in zip(runs, classes, strict=True)
    )


@dataclass(frozen=True)
class Reading:
    """What the machines make of the test images.

    Attributes
    ----------
    bits : dict of ndarray, shape (n_test, n_classes)
        By measure, the names being those of `fastws.classifier.SCORES`.
    classes : ndarray, shape (n_classes,)
    labels : ndarray, shape (n_test,)
        The true classes.
    """

    bits: dict[str, NDArray[np.float64]]
    classes: NDArray[Any]
    labels: NDArray[Any]

    def chosen(self, measure: str = "description_length") -> NDArray[Any]:
        """Return the class of the cheapest description of each image."""
        return self.classes[self.bits[measure].argmin(axis=1)]

    def error(self, measure: str = "description_length") -> float:
        """Return the fraction of images that are misread."""
        return float((self.chosen(measure) != self.labels).mean())

    def confusion(self) -> NDArray[np.int64]:
        """Return how often each class (row) was read as each (column), by description length."""
        from sklearn.metrics import confusion_matrix

        return np.asarray(confusion_matrix(self.labels, self.chosen(), labels=self.classes))

    def own_bits(self, measure: str = "description_length") -> float:
        """Return the mean cost of describing an image by the machine of its own class."""
        own = np.searchsorted(self.classes, self.labels)
        return float(self.bits[measure][np.arange(len(own)), own].mean())


def read(machines: Sequence[Machine], data: DigitData, seed: int = 0, n_runs: int = 10) -> Reading:
    """Describe every test image with every machine: `n_runs` runs of each recognition net an image [16]."""
    classifier = DescriptionLengthClassifier(n_runs=n_runs, random_state=seed, n_jobs=-1)
    classifier.use_machines(machines, np.unique(data.y_train))
    return Reading(classifier.measures_bits(data.x_test), classifier.classes_, data.y_test)


def nearest_neighbour_error(data: DigitData) -> float:
    """Return the test error of 1-nearest-neighbour classification by Hamming distance."""
    from sklearn.neighbors import KNeighborsClassifier

    # Between binary rows the squared Euclidean distance is the Hamming distance.
    classifier = KNeighborsClassifier(1, algorithm="brute").fit(data.x_train.astype(np.float64), data.y_train)
    return float(1 - classifier.score(data.x_test.astype(np.float64), data.y_test))


@dataclass(frozen=True)
class Backprop:
    """The best supervised net with one hidden layer, and where it was found."""

    error: float
    n_hidden: int
    decay: float
    n_sweeps: int


def backprop(data: DigitData, seed: int = 0, watch: Callable[[int], object] = lambda done: None) -> Backprop:
    """Return the lowest test error over hidden units, weight decay and training time, all chosen on the test data.

    So the paper did, in favour of this baseline. `watch` is called with the number of sweeps done.
    """
    from sklearn.neural_network import MLPClassifier

    x_train, x_test = data.x_train.astype(np.float64), data.x_test.astype(np.float64)
    classes = np.unique(data.y_train)
    done = [0]

    def search(n_hidden: int, decay: float, check: Callable[[object], None]) -> Backprop:
        # scikit-learn's seeds are below 2^32.
        state = seed % 2**32
        net = MLPClassifier((n_hidden,), alpha=decay, batch_size=min(50, len(x_train)), random_state=state)
        best = Backprop(1.0, n_hidden, decay, 0)
        for sweep in range(1, BACKPROP_SWEEPS + 1):
            check(sweep)
            net.partial_fit(x_train, data.y_train, classes=classes)
            error = float(1 - net.score(x_test, data.y_test))
            if error < best.error:
                best = Backprop(error, n_hidden, decay, sweep)
            done[0] += 1
        return best

    tasks = [
        lambda check, n_hidden=n_hidden, decay=decay: search(n_hidden, decay, check)
        for n_hidden in BACKPROP_HIDDEN
        for decay in BACKPROP_DECAYS
    ]
    return min(side_by_side(tasks, watch=lambda: watch(done[0])), key=lambda found: found.error)


def interval(error: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an error rate measured on n images."""
    from scipy.stats import binomtest

    found = binomtest(round(error * n), n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def result(
    runs: Sequence[DigitRun],
    reading: Reading,
    data: DigitData,
    nearest_neighbour: float,
    backprop: Backprop,
    seed: int,
) -> dict[str, Any]:
    """Return what ``result.json`` says of the experiment."""
    confusion = reading.confusion()
    n_images = confusion.sum(axis=1)
    misread = (n_images - confusion.diagonal()) / np.maximum(1, n_images)
    return {
        "seed": seed,
        "data": data.name,
        "error_rate": reading.error(),
        "free_energy_error_rate": reading.error("free_energy"),
        "importance_error_rate": reading.error("importance"),
        "nearest_neighbour_error": nearest_neighbour,
        "backprop_error": backprop.error,
        "n_train": len(data.x_train),
        "n_test": len(data.x_test),
        "sweeps": runs[0].n_sweeps,
        "confusion": confusion.tolist(),
        "error_by_class": {str(label): float(error) for label, error in zip(reading.classes, misread, strict=True)},
        "seconds": sum(run.seconds for run in runs),
        "compile_seconds": runs[0].compile_seconds,
        "mean_description_length_bits": reading.own_bits(),
    }
