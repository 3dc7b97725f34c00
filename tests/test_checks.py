import re
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse

from fastws.checks import (
    check_binary,
    check_contrast,
    check_integer,
    check_layer_sizes,
    check_probability,
    check_rates,
    check_threshold,
)
from memory import traced_memory

NAN, INF = float("nan"), float("inf")


def whole(message):
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1)])
def test_integer(value):
    found = check_integer(value, "n")
    assert (found, type(found)) == (1, int)


@pytest.mark.parametrize("value", [1.0, True, np.True_, "1", None, NAN, [1], np.array([1])])
def test_not_an_integer(value):
    with pytest.raises(ValueError, match=whole(f"n is {value!r}; give a whole number of at least 5.")):
        check_integer(value, "n", at_least=5)


def test_integer_out_of_range():
    assert check_integer(0, "seed", at_least=0) == 0
    with pytest.raises(ValueError, match=r"^seed is -1; it must be at least 0\.$"):
        check_integer(-1, "seed", at_least=0)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int8(1), Fraction(1, 2)])
def test_probability(value):
    found = check_probability(value, "p_bar")
    assert (found, type(found)) == (value, float)


@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9, NAN, INF, -INF, True, "0.5", None, 0.5j, [0.5]])
def test_not_a_probability(value):
    with pytest.raises(ValueError, match=whole(f"p_bar is {value!r}; a probability lies between 0 and 1.")):
        check_probability(value, "p_bar")


def test_layer_sizes():
    assert check_layer_sizes(np.array([16, 8, 1], np.int32)) == (16, 8, 1)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([16], r"layer_sizes has 1 layer\(s\); a machine has an input layer and at least one hidden layer"),
        ("16,8", "layer_sizes is '16,8'; give the units of each layer, input first"),
        ({16, 8}, "layer_sizes is {.*}; give the units of each layer"),
        (np.array(16), r"layer_sizes is array\(16\); give the units of each layer"),
        ([16, 8, 0], r"layer_sizes\[2\] is 0; it must be at least 1"),
        ([16, [8], 1], r"layer_sizes\[1\] is \[8\]; give a whole number"),
    ],
)
def test_wrong_layer_sizes(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_layer_sizes(sizes)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (0.1, [0.1, 0.1, 0.1]),
        (np.float32(0.5), [0.5, 0.5, 0.5]),
        (0, [0, 0, 0]),
        ((0.2, 0, 1e-3), [0.2, 0, 1e-3]),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (1.2e-38, [1.2e-38] * 3),
    ],
)
def test_rates(rates, expected):
    found = check_rates(rates, 3)
    assert found.dtype == np.float32
    assert found.tolist() == np.array(expected, np.float32).tolist()


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([0.1, 0.1], "rates has 2 learning rates; this machine has 3 levels"),
        ([], "rates has 0 learning rates"),
        (-0.5, r"rates\[0\] is -0\.5; a learning rate is a finite number of at least 0"),
        ([0.1, NAN, 0.1], r"rates\[1\] is nan"),
        ([0.1, 0.1, INF], r"rates\[2\] is inf"),
        ([0.1, 10**400, 0.1], r"rates\[1\] is 1000"),
        ([0.1, 1e39, 0.1], r"rates\[1\] is 1e\+39"),  # infinite as a float32
        ([0.1, 1e-46, 0.1], r"rates\[1\] is 1e-46; machines learn in 32-bit floats, which know no such number"),
        ([0.1, 1.17e-38, 0.1], r"rates\[1\] is 1\.17e-38; machines learn"),  # subnormal as a float32
        (Fraction(1, 10**400), r"rates\[0\] is Fraction\(1, 1000"),
        ([0.1, "0.1", 0.1], r"rates\[1\] is '0\.1'"),
        ([True, 0.1, 0.1], r"rates\[0\] is True"),
        ([[0.1], [0.1], [0.1]], r"rates\[0\] is \[0\.1\]"),
        (None, "rates is None"),
        (True, "rates is True|rates.0. is True"),
        (np.array(0.1), r"rates is array\(0\.1\)"),
    ],
)
def test_wrong_rates(rates, message):
    with pytest.raises(ValueError, match=f"^({message})"):
        check_rates(rates, 3)


def test_rates_are_called_by_the_name_given():
    with pytest.raises(ValueError, match=r"^schedule\[1\]\[1\]\[2\] is -1;"):
        check_rates([0, 0, -1], 3, "schedule[1][1]")


ROWS = [[0, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.uint16, np.float16, np.float32, np.float64])
def test_binary(dtype):
    for x in (np.array(ROWS, dtype), np.array(ROWS, dtype, order="F"), np.array(ROWS, dtype)[:, ::-1][:, ::-1]):
        found = check_binary(x, 3)
        assert found.dtype == np.uint8
        assert found.flags.c_contiguous
        assert found.tolist() == ROWS


def test_binary_from_lists():
    assert check_binary(ROWS).tolist() == ROWS
    assert check_binary([True, False]).tolist() == [[1, 0]]
    assert check_binary([-0.0, 1.0]).tolist() == [[0, 1]]


def test_one_row_may_come_without_its_outer_dimension():
    assert check_binary([0, 1, 1], 3).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_binary_bytes_are_not_copied(dtype):
    x = np.zeros((1000, 1000), dtype)
    with traced_memory() as peak_bytes:
        assert np.shares_memory(check_binary(x), x)
        # A part of the array is checked at a time.
        assert peak_bytes() < 8 << 20


def test_checking_needs_little_memory():
    x = np.zeros((2**14, 2**12), np.uint8)
    with traced_memory() as peak_bytes:
        check_binary(x)
        assert peak_bytes() < x.nbytes / 8


@pytest.mark.parametrize("value", [2, -1, 0.5, NAN, INF])
def test_binary_names_the_first_wrong_value(value):
    x = np.zeros((2000, 1000))  # several blocks
    x[1800, 7] = x[1800, 9] = x[1900, 1] = value
    message = (
        f"images[1800, 7] is {float(value)!r}; every input unit is 0 or 1. "
        "Threshold grey images first, for example images > images.mean()."
    )
    with pytest.raises(ValueError, match=whole(message)):
        check_binary(x, name="images")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[0, 1], [1]], "x is not a rectangular array: its rows differ in length"),
        (np.zeros((2, 3, 4)), r"x has 3 dimensions; give one row an image.* x\.reshape\(len\(x\), -1\)"),
        (1, "x has 0 dimensions, being int; give one row"),
        ([], r"x is empty \(shape \(1, 0\)\)"),
        (np.zeros((0, 3)), r"x is empty \(shape \(0, 3\)\)"),
        ([[]], r"x is empty \(shape \(1, 0\)\)"),
        ([[0, 1]], "x has 2 columns; the input layer has 3 units"),
        ([["0", "1", "1"]], "x holds <U1; give numbers 0 and 1"),
        ([[0, 1, None]], r"x holds objects, and x\[0, 2\] is missing; give numbers 0 and 1, or booleans"),
        (np.array([["0", "1", 0]], object), r"x holds objects, and x\[0, 0\] is '0', no number"),
        (np.array([[0, 2, 1]], object), r"x\[0, 1\] is 2\.0; every input unit is 0 or 1"),
        (np.array([[0, float("nan"), 1]], object), r"x\[0, 1\] is nan; every input unit"),
        (np.array([["2020-01-01"] * 3], "M8[D]"), r"x holds datetime64\[D\]; give numbers"),
        (np.ma.masked_array([[0, 1]], [[False, True]]), "x is a masked array with values masked; fill them"),
        ([np.ma.masked_array([0, 1], [False, True])], "x is a masked array with values masked"),
        ((row for row in [[0, 1]]), "x has 0 dimensions, being generator; give one row an image"),
        (scipy.sparse.csr_matrix(np.eye(2)), r"x is a sparse matrix; give x\.toarray\(\)"),
        (scipy.sparse.coo_array(np.eye(2)), r"x is a sparse matrix; give x\.toarray\(\)"),
        ([[0, 1, 1j]], "x holds complex128"),
    ],
)
def test_not_binary(x, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_binary(x, 3)


class Tensor:
    """What has an array to give, as PyTorch's tensors do."""

    def __array__(self, dtype=None, copy=None):
        return np.eye(3, dtype=dtype)


@pytest.mark.parametrize(
    "x",
    [
        np.eye(3).astype(object),
        np.eye(3, dtype=bool).astype(object),
        [[True, False, 0], [0, 1.0, np.False_], [Fraction(0), 0, np.uint8(1)]],
        np.ma.masked_array(np.eye(3), False),
        np.eye(3, dtype=np.float16),
        Tensor(),
    ],
    ids=["objects", "objects that are booleans", "a mixture", "nothing masked", "float16", "a tensor"],
)
def test_what_else_is_binary(x):
    found = check_binary(x, 3)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.eye(3))


@pytest.mark.parametrize("dtype", ["boolean", "Int8", "Float32", "category", "bool", "object"])
def test_frames_of_pandas(dtype):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.eye(3, dtype=np.uint8)).astype(dtype)
    np.testing.assert_array_equal(check_binary(frame), np.eye(3))
    np.testing.assert_array_equal(check_binary(frame[1]), [[0, 1, 0]])


@pytest.mark.parametrize("dtype", ["boolean", "Int8"])
def test_a_missing_value_of_pandas_is_named(dtype):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.eye(3, dtype=np.uint8)).astype(dtype)
    frame.iloc[1, 2] = pandas.NA
    with pytest.raises(ValueError, match=r"^x holds objects, and x\[1, 2\] is missing; give numbers 0 and 1"):
        check_binary(frame)


@pytest.mark.parametrize("order", ["C", "F"])
def test_booleans_of_any_bytes_are_0_or_1(order):
    """NumPy takes any byte but 0 for True, whatever a file or another library put there."""
    odd = np.array([[0, 1, 2], [255, 0, 128]], np.uint8, order=order).view(bool)
    assert check_binary(odd).tolist() == [[0, 1, 1], [1, 0, 1]]
    assert check_binary(odd[:, 1]).tolist() == [[1, 0]]
    assert odd.view(np.uint8).max() == 255


def test_booleans_whose_bytes_are_not_1():
    """As Pillow's arrays of a bit a pixel have them; what is true is on, and not 255."""
    x = np.array([[0, 255, 1], [255, 0, 0]], np.uint8).view(bool)
    found = check_binary(x)
    assert (found.dtype, found.tolist()) == (np.uint8, [[0, 1, 1], [1, 0, 0]])
    assert x.view(np.uint8).max() == 255, "the input was changed"


@pytest.mark.parametrize("value", [NAN, True, np.True_, "1", None, [1], 1j, np.float64("nan")])
def test_not_a_threshold(value):
    with pytest.raises(ValueError, match=r"^the threshold is .*; give a number that pixels lie above or below\.$"):
        check_threshold(value)


@pytest.mark.parametrize(
    ("x", "threshold", "message"),
    [
        (np.zeros((3, 4)), None, "all images are the same; there is nothing to tell apart: every pixel is 0."),
        (np.ones((3, 4), bool), 0.5, "all images are the same; there is nothing to tell apart: every pixel is 1."),
        (
            np.eye(4, dtype=np.uint8),
            127,
            "all images are the same: no pixel lies above the threshold 127, since they run from 0 to 1. Give a "
            "threshold between.",
        ),
        (
            np.eye(4) + 2.5,
            -INF,
            "all images are the same: every pixel lies above the threshold -inf, since they run from 2.5 to 3.5. Give "
            "a threshold between.",
        ),
        (np.eye(4), 1, "all images are the same: no pixel lies above the threshold 1, since they run from 0 to 1"),
    ],
)
def test_images_without_contrast(x, threshold, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        check_contrast(x, threshold)


@pytest.mark.parametrize(("x", "threshold"), [(np.eye(2), None), (np.eye(2), 0), (np.array([[3, 5]]), 4)])
def test_images_with_contrast(x, threshold):
    check_contrast(x, threshold)


def test_what_is_only_a_part_may_be_blank_but_not_by_the_threshold():
    check_contrast(np.zeros((3, 4)), None, whole=False)
    check_contrast(np.zeros((3, 4)), 5, whole=False)
    check_contrast(np.eye(4)[:1], 5, whole=False)
    with pytest.raises(ValueError, match="no pixel lies above the threshold 5"):
        check_contrast(np.eye(4), 5, whole=False)


@pytest.mark.parametrize("value", [10**400, -(10**400), Fraction(10**400)])
def test_numbers_beyond_all_floats(value):
    with pytest.raises(ValueError, match="a probability lies between 0 and 1"):
        check_probability(value, "p")
    with pytest.raises(ValueError, match="give a number that pixels lie above or below"):
        check_threshold(value)
    with pytest.raises(ValueError, match="a learning rate is a finite number of at least 0"):
        check_rates(value, 2)


def test_a_rate_that_is_text_is_named_whole():
    for text in ("0.1", "0.1,0.2", b"0.1"):
        with pytest.raises(ValueError, match=whole(f"rates is {text!r}; give a learning rate, or one a level.")):
            check_rates(text, 3)
