"""What the scikit-learn estimators share: images to check, machines to make and seeds to draw."""

import inspect
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from fastws.checks import (
    check_binary,
    check_contrast,
    check_integer,
    check_nothing_masked,
    check_rates,
    check_threshold,
)
from fastws.divergence import check_learned
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Images

# Of fewer, scikit-learn's checks of estimators give data that all lie above whatever threshold there is.
_PIXELS_OF_AN_IMAGE = 16


class BinaryImageEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator whose machines have `hidden` layers and learn from images, binary or above a `threshold`."""

    hidden: Any
    learning_rate: Any
    random_state: Any
    threshold: Any
    n_samples: Any
    recognition: Any

    if not TYPE_CHECKING:  # a type checker that saw this method would let every misspelt name pass

        def __getattr__(self, name: str) -> Any:
            """Return the default of a parameter that a subclass does not have or set."""
            for parent in type(self).__mro__:
                parameter = inspect.signature(parent.__init__).parameters.get(name)
                if parameter is not None and parameter.default is not parameter.empty:
                    return parameter.default
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _checked(self, *data: ArrayLike, reset: bool) -> Any:
        for values, name in zip(data, "Xy", strict=False):
            check_nothing_masked(values, name)
        try:
            return validate_data(self, *data, reset=reset)
        except TypeError as error:
            if "must be a string or a real number" not in str(error):
                raise
            raise TypeError(f"X holds something that is not a number ({error}); give numbers 0 and 1.") from error

    def _binary(self, X: Any) -> NDArray[np.uint8]:
        if self.threshold is not None and np.asarray(X).dtype.kind in "biuf":
            return check_binary(np.asarray(X) > check_threshold(self.threshold), name="X")
        try:
            return check_binary(X, name="X")
        except ValueError as error:
            hint = " The parameter threshold does that." if "Threshold grey images" in str(error) else ""
            raise ValueError(f"{error}{hint}") from error

    def _check_contrast(self, images: NDArray[Any], whole: bool = True) -> None:
        """Check that pixels differ; of a part of what there is, that the threshold lets them."""
        if images.dtype.kind not in "biuf":
            # They have no grey levels, or this is an error that says what they are.
            check_contrast(self._binary(images), whole=whole)
            return
        if self.threshold is not None and images.shape[1] < _PIXELS_OF_AN_IMAGE:
            if images.min() > self.threshold > -np.inf:
                return
        check_contrast(images, self.threshold, whole=whole)

    def _new_machine(self, n_pixels: int) -> Machine:
        if isinstance(self.hidden, str) or not isinstance(self.hidden, Sequence | np.ndarray) or len(self.hidden) == 0:
            raise ValueError(f"hidden is {self.hidden!r}; give the units of each hidden layer, as in (16, 16, 4).")
        return Machine([n_pixels, *(check_integer(n, f"hidden[{layer}]") for layer, n in enumerate(self.hidden))])

    def _simulation(self, machine: Machine, images: NDArray[Any], sweeps: int, seed: int) -> Simulation:
        rates = check_rates(self.learning_rate, len(machine.layer_sizes), "learning_rate")
        stream, schedule = Images(self._binary(images)), [(sweeps * len(images), rates)]
        sampling = {"n_samples": self.n_samples, "recognition": self.recognition}
        return Simulation(machine, stream, schedule, seed=seed, **sampling)

    def _seeds(self, n: int, call: int = 0) -> list[int]:
        """Return n seeds, and for each call of partial_fit others.

        They come from `random_state` where that is a number; else from what was drawn with it when this was fitted, so
        that a fitted estimator answers the same question the same way.
        """
        return seeds_from(
            draw_root(self.random_state) if isinstance(self.random_state, Integral) else self._root, n, call
        )

    def _fitted_with(self, root: int) -> Self:
        self._root = root
        # What `fit` draws with is call number 0.
        self._n_calls = 1
        return self


def draw_root(random_state: Any) -> int:
    """Return the number that all seeds of a fit come from, drawn where `random_state` is not itself a number."""
    if isinstance(random_state, Integral):
        return check_integer(random_state, "random_state", at_least=0)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    return int(check_random_state(random_state).randint(2**31 - 1))


def seeds_from(root: int, n: int, call: int = 0) -> list[int]:
    """Return n seeds that two calls, or two roots, do not share."""
    children = np.random.SeedSequence((root, call)).generate_state(n, np.uint64)
    return [int(child) for child in children]


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
