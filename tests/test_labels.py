import numpy as np
import pytest

from fastws.labels import check_labels, check_same_form, prior_bits


@pytest.mark.parametrize(
    "labels",
    [[1, 0], ("b", "a"), np.array([0.5, 1]), np.array(["b", "a"]), np.array(["b", "a"], object), [True, False]],
)
def test_labels(labels):
    found = check_labels(labels, "y")
    assert found.tolist() == list(labels)
    assert found.dtype.kind in "iufbU"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, "a"], r"y mixes strings and numbers: \[0, 'a'\]; give labels of one form"),
        (np.array(["a", 1], object), "y mixes strings and numbers"),
        ([[0], [1]], "y has 2 dimensions"),
        (0, "y has 0 dimensions"),
        ([0, None], r"y\[1\] is missing \(None\); leave out what has no label"),
        (["a", None], r"y\[1\] is missing \(None\); leave out what has no label"),
        ([0.0, float("nan")], r"y\[1\] is missing \(nan\); leave out what has no label"),
        (np.array(["a", float("nan")], object), "y mixes strings and numbers"),
        (np.array([0.0, float("nan")]), "y has nan; leave out what has no label"),
        (np.ma.masked_array([0, 1], [True, False]), "y is a masked array with values masked"),
    ],
)
def test_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_labels(labels, "y")


def test_labels_of_pandas():
    pandas = pytest.importorskip("pandas")
    for dtype in ("Int64", "string", "category", "boolean"):
        assert check_labels(pandas.Series([1, 0]).astype(dtype), "y").dtype.kind in "iUb"
    for column in (pandas.Series([1, None], dtype="Int64"), pandas.Series(["a", None], dtype="string")):
        with pytest.raises(ValueError, match=r"^y(\[1\] is missing \(<NA>\)| has nan); leave"):
            check_labels(column, "y")


def test_strings_and_numbers_are_told_apart():
    with pytest.raises(
        ValueError, match=r"^y has the string '3', but classes has the number 0; give all labels in one"
    ):
        check_same_form(np.array(["3"]), "y", np.arange(2), "classes has")
    with pytest.raises(ValueError, match=r"^y has the number 3\.0, but classes has the string 'a'"):
        check_same_form(np.array([3.0]), "y", np.array(["a"], object), "classes has")
    check_same_form(np.array([True]), "y", np.array([0.0, 1.0]), "classes has")
    check_same_form(np.array(["a"], object), "y", np.array(["a", "b"]), "classes has")


def test_priors_in_bits():
    counts = np.array([1, 2, 5])
    assert prior_bits(None, counts).tolist() == [0, 0, 0]
    assert prior_bits("frequencies", counts)[:2].tolist() == [3, 2]
    assert prior_bits([0.5, 0.5, 0], counts).tolist() == [1, 1, np.inf]
    assert prior_bits([1, 0, 0], counts).tolist() == [0, np.inf, np.inf]
    with pytest.raises(ValueError, match=r"^priors is .frequencies., but no labels were learned"):
        prior_bits("frequencies", 0 * counts)
