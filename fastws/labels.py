"""Labels of classes and their priors: what people call classes, and how often they expect each."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import check_nothing_masked


def check_labels(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return labels as an array, of strings or of numbers.

    Raises
    ------
    ValueError
        If they are not in one row, mix strings and numbers, or one is missing or neither.
    """
    check_nothing_masked(values, name)
    check_unmixed(values, name)
    check_none_missing(values, name)
    labels = np.asarray(values)
    if labels.ndim != 1:
        raise ValueError(f"{name} has {labels.ndim} dimensions; give one label after the other.")
    if labels.dtype.kind == "O":
        for label in labels:
            if not isinstance(label, str | numbers.Number | np.bool_):
                raise ValueError(f"{name} has {label!r}; a label is a string or a number.")
        labels = np.array(list(labels))
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(f"{name} has {labels[~np.isfinite(labels)][0]}; leave out what has no label.")
    return labels


def check_unmixed(values: Any, name: str) -> None:
    """Check that there are no strings beside numbers, of which NumPy would make strings."""
    if isinstance(values, list | tuple) or getattr(values, "dtype", None) == np.object_:
        if len({isinstance(value, str) for value in values if isinstance(value, str | numbers.Number)}) > 1:
            raise ValueError(f"{name} mixes strings and numbers: {list(values[:5])!r}; give labels of one form.")


def check_none_missing(values: Any, name: str) -> None:
    """Check that no label is None, NaN among objects, or what pandas has for one that is missing."""
    array = np.asarray(values, object) if isinstance(values, list | tuple) else np.asarray(values)
    if values is None or array.dtype.kind != "O":
        return
    for place, label in enumerate(array.ravel()):
        if label is None or (str(label) in ("<NA>", "NaT", "nan") and not isinstance(label, str)):
            raise ValueError(f"{name}[{place}] is missing ({label!s}); leave out what has no label.")


def check_same_form(labels: NDArray[Any], name: str, classes: NDArray[Any], those_of: str) -> None:
    """Check that labels are strings where the classes are, and numbers where they are numbers."""
    (form, label), (expected, known) = _form(labels), _form(classes)
    if form != expected:
        raise ValueError(
            f"{name} has the {form} {label!r}, but {those_of} the {expected} {known!r}; give all labels in one form."
        )


def _form(labels: NDArray[Any]) -> tuple[str, Any]:
    [label] = labels[:1].tolist()
    return "string" if isinstance(label, str) else "bytes" if isinstance(label, bytes) else "number", label


def several_classes(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the classes of labels, sorted, of which there must be two at least."""
    classes = np.unique(labels)
    if len(classes) == 0:
        raise ValueError(f"{name} is empty; give two classes at least.")
    if len(classes) < 2:
        raise ValueError(f"{name} has one class only, {classes[0]}; give images of two classes at least.")
    return classes


def counts_of(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often each class is among labels."""
    return np.array([(labels == label).sum() for label in classes], np.int64)


def prior_bits(priors: Any, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return -log2 of each class's prior probability, or zeros where all are equal.

    Parameters
    ----------
    priors : None, "frequencies" or array_like, shape (n_classes,)
    counts : ndarray of int, shape (n_classes,)
        The images of each class learned from.

    Raises
    ------
    ValueError
        If there is not a probability a class, they do not sum to 1, or nothing was counted.
    """
    if priors is None:
        return np.zeros(len(counts))
    if isinstance(priors, str):
        if priors != "frequencies":
            raise ValueError(f"priors is {priors!r}; give 'frequencies', None or a probability a class.")
        if not counts.any():
            raise ValueError("priors is 'frequencies', but no labels were learned from; give a probability a class.")
        probabilities = counts / counts.sum()
    else:
        check_nothing_masked(priors, "priors")
        probabilities = np.asarray(priors)
        if probabilities.shape != counts.shape or probabilities.dtype.kind not in "biuf":
            raise ValueError(f"priors is {priors!r}; give a probability for each of {len(counts)} classes.")
        if not (probabilities >= 0).all() or not np.isclose(probabilities.sum(), 1):
            raise ValueError(f"priors is {priors!r}; probabilities are at least 0 and sum to 1.")
    with np.errstate(divide="ignore"):
        return np.asarray(-np.log2(probabilities, dtype=np.float64))
