"""Figure 2: ten machines, one a digit, classify images by which of them describes each most economically."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws import estimate
from fastws.classifier import DescriptionLengthClassifier
from fastws.datasets import DigitData
from fastws.experiments.watched import WatchedRun, train
from fastws.machine import Machine
from fastws.streams import Images
from fastws.threads import one_blas_thread, side_by_side

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

BASELINES = ("none", "nearest", "all")
QUICK_SECONDS = 60
_BATCH = 50
# Of two cores: a batch, and a weight in a batch, of supervised learning; a pixel that is compared.
_SECONDS_A_BATCH, _SECONDS_A_WEIGHT, _SECONDS_A_COMPARISON = 1.8e-4, 8e-9, 6e-11
# What is done between two looks whether Ctrl-C was pressed: some tenths of a second.
_READ_AT_ONCE = 1 << 11
_COMPARED_AT_ONCE = 1 << 32
_WEIGHTS_AT_ONCE = 1 << 26


class DigitRun(WatchedRun):
    """The machine of one class; its curve holds the description length of training images in bits, by Eq 3.

    Examples
    --------
    >>> from fastws import datasets
    >>> from fastws.experiments import digits
    >>> run = digits.new_runs(datasets.load_bundled(), n_sweeps=2)[0]
    >>> run.n_sweeps, run.images.shape[1]
    (2, 64)
    """

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

    Examples
    --------
    >>> from fastws import datasets
    >>> from fastws.experiments import digits
    >>> runs = digits.new_runs(datasets.load_bundled(), n_sweeps=2)
    >>> len(runs), runs[0].simulation.machine
    (10, Machine([64, 16, 16, 4]))
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

    Examples
    --------
    >>> import numpy as np
    >>> from fastws.experiments.digits import Reading
    >>> bits = {"description_length": np.array([[3.0, 5.0], [4.0, 2.0], [1.0, 2.0]])}
    >>> reading = Reading(bits, classes=np.array([0, 1]), labels=np.array([0, 1, 1]))
    >>> reading.confusion().tolist()
    [[1, 0], [1, 1]]
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


def read(
    machines: Sequence[Machine],
    data: DigitData,
    seed: int = 0,
    n_runs: int = 10,
    watch: Callable[[int], object] = lambda done: None,
) -> Reading:
    """Describe every test image with every machine: `n_runs` runs of each recognition net an image [16].

    `watch` is called with the number of images read.

    Examples
    --------
    >>> import fastws
    >>> from fastws.experiments import digits
    >>> data = fastws.datasets.load_bundled()
    >>> reading = digits.read([fastws.Machine([64, 4]) for _ in range(10)], data, n_runs=1)
    >>> reading.bits["description_length"].shape
    (597, 10)
    """
    classifier = DescriptionLengthClassifier(n_runs=n_runs, random_state=seed, n_jobs=-1)
    classifier.use_machines(machines, np.unique(data.y_train))
    parts = []
    for first in range(0, len(data.x_test), _READ_AT_ONCE):
        parts.append(classifier.measures_bits(data.x_test[first : first + _READ_AT_ONCE]))
        watch(min(first + _READ_AT_ONCE, len(data.x_test)))
    bits = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Reading(bits, classifier.classes_, data.y_test)


@dataclass
class Comparison:
    """How far the nearest neighbours have come.

    Attributes
    ----------
    n_compared : int
        Of the test images, from the first on.
    n_wrong : int
        Of those.
    """

    n_compared: int = 0
    n_wrong: int = 0


def nearest_neighbour_error(
    data: DigitData, watch: Callable[[int], object] = lambda done: None, so_far: Comparison | None = None
) -> float:
    """Return the test error of 1-nearest-neighbour classification by Hamming distance.

    `watch` is called with the number of images compared; `so_far` is kept up to date, and gone on from.

    Examples
    --------
    >>> from fastws import datasets
    >>> from fastws.experiments import digits
    >>> digits.nearest_neighbour_error(datasets.load_bundled()) < 0.1
    True
    """
    from sklearn.neighbors import KNeighborsClassifier

    done = Comparison() if so_far is None else so_far
    # Between binary rows the squared Euclidean distance is the Hamming distance.
    classifier = KNeighborsClassifier(1, algorithm="brute").fit(data.x_train.astype(np.float64), data.y_train)
    step = max(1, _COMPARED_AT_ONCE // data.x_train.size)
    while done.n_compared < len(data.x_test):
        part = slice(done.n_compared, done.n_compared + step)
        found = classifier.predict(data.x_test[part].astype(np.float64))
        done.n_wrong += int((found != data.y_test[part]).sum())
        done.n_compared += len(found)
        watch(done.n_compared)
    return done.n_wrong / len(data.x_test)


@dataclass(frozen=True)
class Backprop:
    """The best supervised net with one hidden layer, and where it was found.

    Examples
    --------
    >>> from fastws.experiments.digits import Backprop
    >>> Backprop(error=0.06, n_hidden=64, decay=0.1, n_sweeps=20).n_hidden
    64
    """

    error: float
    n_hidden: int
    decay: float
    n_sweeps: int


@dataclass
class Baselines:
    """Which baselines are wanted, and how far they have come.

    Attributes
    ----------
    wanted : str
        One of `BASELINES`.
    nearest : Comparison
    nets : dict of Backprop
        What `backprop` has found.
    """

    wanted: str
    nearest: Comparison = field(default_factory=Comparison)
    nets: dict[str, Backprop] = field(default_factory=dict)

    def notes(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)

    @classmethod
    def restored(cls, notes: dict[str, Any]) -> "Baselines":
        """Return the baselines that gave these notes."""
        nets = {name: Backprop(**found) for name, found in notes["nets"].items()}
        return cls(notes["wanted"], Comparison(**notes["nearest"]), nets)


def net_names() -> list[str]:
    """Return the names of the supervised nets that `backprop` tries: hidden units and weight decay."""
    return [f"{n_hidden},{decay:g}" for n_hidden, decay in itertools.product(BACKPROP_HIDDEN, BACKPROP_DECAYS)]


def backprop(
    data: DigitData,
    seed: int = 0,
    watch: Callable[[int], object] = lambda done: None,
    found: dict[str, Backprop] | None = None,
) -> Backprop:
    """Return the lowest test error over hidden units, weight decay and training time, all chosen on the test data.

    So the paper did, in favour of this baseline. `watch` is called with the number of sweeps done. `found` gets the
    best of each net that is done, and nets that are in it are not trained again.

    Examples
    --------
    >>> from fastws import datasets
    >>> from fastws.experiments import digits
    >>> digits.backprop(datasets.load_bundled()).error < 0.1  # doctest: +SKIP
    True
    """
    from sklearn.neural_network import MLPClassifier

    known = {} if found is None else found
    x_train, x_test = data.x_train.astype(np.float64), data.x_test.astype(np.float64)
    classes = np.unique(data.y_train)
    nets = dict(zip(net_names(), itertools.product(BACKPROP_HIDDEN, BACKPROP_DECAYS), strict=True))
    done = [BACKPROP_SWEEPS * len(known)]

    def search(name: str, check: Callable[[object], None]) -> None:
        n_hidden, decay = nets[name]
        # scikit-learn's seeds are below 2^32.
        state = seed % 2**32
        net = MLPClassifier((n_hidden,), alpha=decay, batch_size=min(_BATCH, len(x_train)), random_state=state)
        best = Backprop(1.0, n_hidden, decay, 0)
        rng = np.random.default_rng(state)
        for sweep in range(1, BACKPROP_SWEEPS + 1):
            for part in _parts(len(x_train), n_hidden * x_train.shape[1], rng):
                check(sweep)
                net.partial_fit(x_train[part], data.y_train[part], classes=classes)
            check(sweep)
            error = float(1 - net.score(x_test, data.y_test))
            if error < best.error:
                best = Backprop(error, n_hidden, decay, sweep)
            done[0] += 1
        known[name] = best

    tasks = [partial(search, name) for name in nets if name not in known]
    with one_blas_thread():
        side_by_side(tasks, watch=lambda: watch(done[0]))
    return min((known[name] for name in nets), key=lambda best: best.error)


def _parts(n_images: int, n_weights: int, rng: np.random.Generator) -> list[Any]:
    """Return the images of a sweep in parts that do not take long; if there are several, in a new order."""
    size = _BATCH * max(1, _WEIGHTS_AT_ONCE // n_weights // _BATCH)
    if n_images <= size:
        return [slice(None)]
    order = rng.permutation(n_images)
    return [order[start : start + size] for start in range(0, n_images, size)]


def baseline_seconds(data: DigitData) -> dict[str, float]:
    """Return about how long each baseline takes on two cores, by counting what is to be done."""
    n_train, n_pixels = data.x_train.shape
    n_batches = BACKPROP_SWEEPS * len(BACKPROP_DECAYS) * -(-n_train // _BATCH)
    batches = [n_batches * (_SECONDS_A_BATCH + _SECONDS_A_WEIGHT * n_pixels * n_hidden) for n_hidden in BACKPROP_HIDDEN]
    return {"nearest": _SECONDS_A_COMPARISON * data.x_train.size * len(data.x_test), "backprop": sum(batches)}


def interval(error: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of an error rate measured on n images."""
    from scipy.stats import binomtest

    found = binomtest(round(error * n), n).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def result(
    runs: Sequence[DigitRun],
    reading: Reading,
    data: DigitData,
    nearest_neighbour: float | None,
    backprop: Backprop | None,
    seed: int,
) -> dict[str, Any]:
    """Return what ``result.json`` says of the experiment; a baseline that was left out is None."""
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
        "backprop_error": None if backprop is None else backprop.error,
        "n_train": len(data.x_train),
        "n_test": len(data.x_test),
        "sweeps": runs[0].n_sweeps,
        "confusion": confusion.tolist(),
        "error_by_class": {str(label): float(error) for label, error in zip(reading.classes, misread, strict=True)},
        "seconds": sum(run.seconds for run in runs),
        "compile_seconds": runs[0].compile_seconds,
        "mean_description_length_bits": reading.own_bits(),
    }
