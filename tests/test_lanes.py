"""Compiled, every operation on `Lanes` gives the bits that its NumPy meaning gives."""

import operator

import numpy as np
import pytest
from numba import config, njit

from fastws.kernels.lanes import (
    add_product,
    float_bits,
    float_from_bits,
    lane_numbers,
    load,
    load_bits,
    load_block,
    repeat,
    rotate,
    signed,
    spread,
    spread_element,
    store,
    store_bits,
    to_double,
    to_float,
    where,
)
from fastws.kernels.layout import BLOCK, LANES

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="interpreted, both sides are the same NumPy code")

TYPES = [np.float32, np.float64, np.int32, np.int64, np.uint32]
FLOATS, INTEGERS = TYPES[:2], TYPES[2:]
SHIFTS = [operator.lshift, operator.rshift]
COMPARISONS = [operator.lt, operator.gt, operator.ne]
OF_FLOATS = [operator.add, operator.sub, operator.mul, operator.truediv]
OF_INTEGERS = [operator.add, operator.sub, operator.xor, operator.or_, operator.and_]


def name(value):
    return getattr(value, "__name__", str(value))


def values(dtype):
    """Return the values that are easy to get wrong, and random bit patterns."""
    info = np.finfo(dtype) if dtype in FLOATS else np.iinfo(dtype)
    hard = [0, 1, 2, 3, info.max, info.min]
    if dtype in FLOATS:
        nan_with_payload = np.full(1, 0x7FC12345 if dtype == np.float32 else 0x7FF8123456789ABC)
        nan_with_payload = nan_with_payload.astype(f"u{np.dtype(dtype).itemsize}").view(dtype)[0]
        tiny = info.smallest_subnormal
        hard += [-0.0, -1, 0.1, np.inf, -np.inf, nan_with_payload, tiny, -tiny, info.tiny, info.eps]
    elif info.min < 0:
        hard += [-1, -2, -3, info.min + 1]
    words = np.random.default_rng(1).integers(0, 256, (64, np.dtype(dtype).itemsize), np.uint8)
    return np.concatenate([np.array(hard, dtype), words.view(dtype)[:, 0]])


def pairs(dtype):
    """Return every pair of values, in rows of sixteen."""
    x = values(dtype)
    a, b = (side.ravel()[: len(x) ** 2 // LANES * LANES] for side in np.meshgrid(x, x, indexing="ij"))
    return a.reshape(-1, LANES), b.reshape(-1, LANES)


def bits(x):
    return x.view(f"u{x.itemsize}")


def assert_same(found, expected):
    """Assert equal bits; IEEE 754 leaves open which NaN an operation makes."""
    assert found.dtype == expected.dtype
    made_nan = (expected != expected) & (found != found)
    np.testing.assert_array_equal(bits(found)[~made_nan], bits(expected)[~made_nan])


def lanewise(function):
    """Compile a function of two lanes into one of two arrays."""
    inner = njit(function) if function.__module__ == __name__ else function

    @njit(error_model="numpy")
    def apply(a, b, out):
        for row in range(len(a)):
            store(out, row, 0, inner(load(a, row, 0), load(b, row, 0)))

    return apply


@njit(error_model="numpy")
def apply_to_floats(a, b, out):
    for row in range(len(a)):
        x, y = load(a, row, 0), load(b, row, 0)
        store(out[0], row, 0, x + y)
        store(out[1], row, 0, x - y)
        store(out[2], row, 0, x * y)
        store(out[3], row, 0, x / y)


@njit(error_model="numpy")
def apply_to_integers(a, b, out):
    for row in range(len(a)):
        x, y = load(a, row, 0), load(b, row, 0)
        store(out[0], row, 0, x + y)
        store(out[1], row, 0, x - y)
        store(out[2], row, 0, x ^ y)
        store(out[3], row, 0, x | y)
        store(out[4], row, 0, x & y)


@njit
def compare(a, b, out):
    for row in range(len(a)):
        x, y = load(a, row, 0), load(b, row, 0)
        on, off = spread(np.uint32(1)), np.uint32(0)
        store(out[0], row, 0, where(x < y, on, off))
        store(out[1], row, 0, where(x > y, on, off))
        store(out[2], row, 0, where(x != y, on, off))


# A compiled function a type, for all operators: compiling takes longest.


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's on overflow and NaN
@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_operators(dtype):
    (a, b), floats = pairs(dtype), dtype in FLOATS
    functions = OF_FLOATS if floats else OF_INTEGERS
    out = np.empty((len(functions), *a.shape), dtype)
    (apply_to_floats if floats else apply_to_integers)(a, b, out)
    for found, function in zip(out, functions, strict=True):
        assert_same(found, function(a, b))


@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_comparisons(dtype):
    a, b = pairs(dtype)
    out = np.empty((len(COMPARISONS), *a.shape), np.uint32)
    compare(a, b, out)
    for found, function in zip(out, COMPARISONS, strict=True):
        np.testing.assert_array_equal(found, function(a, b))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("on", [0.0, 1.0])
def test_products_with_states_are_exact_fused_or_not(on):
    @njit(error_model="numpy")
    def apply(a, on, b, out):
        for row in range(len(a)):
            store(out, row, 0, add_product(load(a, row, 0), spread(on), load(b, row, 0)))

    a, b = pairs(np.float32)
    out = np.empty_like(a)
    apply(a, np.float32(on), b, out)
    assert_same(out, add_product(a, np.float32(on), b))
    np.testing.assert_array_equal(out[np.isfinite(b)], (a + b if on else a)[np.isfinite(b)])


def test_lanes_are_as_many_as_in_what_they_go_with():
    @njit
    def apply(x, out):
        block = load_block(x, 0, 3)
        store(out, 0, 0, block)
        store(out, 1, 0, load(x, 1, 2, block))
        store(out, 2, 0, spread(np.float32(7), block))
        store(out, 3, 0, spread_element(x, 1, 5, block))
        store(out, 4, 0, repeat(load(x, 0, 0), block) + block)
        store(out, 5, 0, where(block > 40.0, block, 0.5))

    x = np.arange(200, dtype=np.float32).reshape(2, 100)
    found, expected = np.zeros((6, BLOCK), np.float32), np.zeros((6, BLOCK), np.float32)
    apply(x, found)
    apply.py_func(x, expected)
    np.testing.assert_array_equal(found, expected)
    block = np.arange(3, 3 + BLOCK)
    rows = [block, 99 + block, [7] * BLOCK, [105] * BLOCK, np.tile(np.arange(LANES), BLOCK // LANES) + block]
    np.testing.assert_array_equal(found, [*rows, np.where(block > 40, block, 0.5)])


@pytest.mark.parametrize("dtype", INTEGERS, ids=name)
@pytest.mark.parametrize("function", SHIFTS, ids=name)
def test_shift_is_arithmetic_for_signed_lanes(function, dtype):
    (a, _), shift = pairs(dtype), lanewise(function)
    for n in (0, 1, 13, 23, a.itemsize * 8 - 1):
        out = np.empty_like(a)
        shift(a, np.full_like(a, n), out)
        assert_same(out, function(a, n))


@pytest.mark.parametrize("n", [1, 5, 16, 31])
def test_rotate(n):
    @njit
    def apply(a, n, out):
        for row in range(len(a)):
            store(out, 2 * row, 0, rotate(load(a, row, 0), n))
            store(out, 2 * row + 1, 0, rotate(load(a, row, 0), 13))

    a, _ = pairs(np.uint32)
    out = np.empty((2 * len(a), LANES), np.uint32)
    apply(a, n, out)
    for found, places in ((out[0::2], n), (out[1::2], 13)):
        turned = [f"{word:032b}"[places:] + f"{word:032b}"[:places] for word in a.ravel().tolist()]
        assert found.ravel().tolist() == [int(digits, 2) for digits in turned]
        assert_same(found, rotate(a, places))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_a_number_stands_for_sixteen_of_it(dtype):
    """A Python literal is rounded to the type of the lanes, on either side, as NumPy does."""
    number = 0.1 if dtype in FLOATS else 1234567
    scalar = dtype(number)

    @njit
    def apply(a, x, out):
        for row in range(len(a)):
            lanes = load(a, row, 0)
            store(out, 4 * row, 0, lanes - number)
            store(out, 4 * row + 1, 0, number - lanes)
            store(out, 4 * row + 2, 0, x - lanes)
            store(out, 4 * row + 3, 0, where(lanes > number, lanes, number))

    a, _ = pairs(dtype)
    out = np.empty((4 * len(a), LANES), dtype)
    apply(a, scalar, out)
    assert_same(out[0::4], a - number)
    assert_same(out[1::4], number - a)
    assert_same(out[2::4], scalar - a)
    assert_same(out[3::4], np.where(a > number, a, scalar))


@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_where_takes_whole_elements(dtype):
    def choose(a, b):
        return where(a < b, a, b)

    a, b = pairs(dtype)
    out = np.empty_like(a)
    lanewise(choose)(a, b, out)
    np.testing.assert_array_equal(bits(out), bits(choose(a, b)))  # a NaN keeps its payload


CONVERSIONS = [
    (float_bits, np.float32, np.int32),
    (float_bits, np.float64, np.int64),
    (float_from_bits, np.int32, np.float32),
    (float_from_bits, np.int64, np.float64),
    (signed, np.uint32, np.int32),
    (to_float, np.int32, np.float32),
    (to_double, np.float32, np.float64),
    (to_double, np.int64, np.float64),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("function", "source", "target"), CONVERSIONS, ids=name)
def test_conversion(function, source, target):
    a, _ = pairs(source)
    expected, out = function(a), np.empty(a.shape, target)

    @njit
    def apply(a, out):
        for row in range(len(a)):
            store(out, row, 0, function(load(a, row, 0)))

    apply(a, out)
    if function is to_double:
        assert_same(out, expected)
    else:
        assert out.dtype == expected.dtype
        np.testing.assert_array_equal(bits(out), bits(expected))


@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_load_and_store_move_sixteen_elements_and_no_other(dtype):
    @njit
    def move(source, target, row, first):
        store(target, row, first + 1, load(source, row, first))

    source = pairs(dtype)[0][:9].reshape(3, 48)
    target = np.zeros((3, 48), dtype)
    move(source, target, 1, 5)
    expected = np.zeros((3, 48), dtype)
    store(expected, 1, 6, load(source, 1, 5))
    np.testing.assert_array_equal(bits(expected[1, 6:22]), bits(source[1, 5:21]))
    np.testing.assert_array_equal(bits(target), bits(expected))


@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_load_and_store_move_one_unit_of_sixteen_machines(dtype):
    @njit
    def move(source, target, row, column):
        store(target, row, column + 1, load(source, row, column))

    source = pairs(dtype)[0][:9].reshape(3, 3, LANES)
    target, expected = np.zeros((3, 3, LANES), dtype), np.zeros((3, 3, LANES), dtype)
    move(source, target, 2, 1)
    expected[2, 2] = source[2, 1]
    np.testing.assert_array_equal(bits(target), bits(expected))


@pytest.mark.parametrize("shape", [(3, 48), (3, 3, LANES)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint32, np.int32], ids=name)
def test_load_bits_and_store_bits_move_patterns(dtype, shape):
    def move(source, target, row, column):
        store_bits(target, row, column + 1, load_bits(source, row, column) >> 1)  # without a sign

    source = pairs(np.uint32)[0][:9].reshape(shape)
    compiled, interpreted = np.zeros(shape, dtype), np.zeros(shape, dtype)
    njit(move)(source.view(np.float32), compiled, 1, 1)
    move(source.view(np.float32), interpreted, 1, 1)
    expected = np.zeros(shape, np.uint32)
    store(expected, 1, 2, load(source, 1, 1) >> 1)
    np.testing.assert_array_equal(bits(compiled), expected)
    np.testing.assert_array_equal(bits(interpreted), expected)


def test_load_is_a_value_that_later_stores_leave_alone():
    def swap(array):
        a = load(array, 0, 0)
        store(array, 0, 0, load(array, 1, 0))
        store(array, 1, 0, a)

    compiled, interpreted = (np.arange(32, dtype=np.float32).reshape(2, 16) for _ in range(2))
    njit(swap)(compiled)
    swap(interpreted)
    np.testing.assert_array_equal(compiled, np.roll(np.arange(32).reshape(2, 16), 1, axis=0))
    np.testing.assert_array_equal(interpreted, compiled)


@pytest.mark.parametrize("dtype", TYPES, ids=name)
def test_spread_and_lane_numbers(dtype):
    @njit
    def apply(x, out, numbers):
        for row in range(len(x)):
            store(out, row, 0, spread(x[row]))
        store(numbers, 0, 0, lane_numbers(load(numbers, 0, 0)))

    x, numbers = values(dtype), np.empty((1, LANES), np.uint32)
    out = np.empty((len(x), LANES), dtype)
    apply(x, out, numbers)
    np.testing.assert_array_equal(bits(out), bits(np.array([spread(value) for value in x])))
    np.testing.assert_array_equal(numbers[0], lane_numbers(load(numbers, 0, 0)))


@pytest.mark.long
@pytest.mark.parametrize(("row", "first"), [(0, 5), (2, 5), (0, 17), (-1, 5), (3, 5), (0, -1), (0, 18), (3, 18)])
@pytest.mark.parametrize("n_axes", [2, 3])
def test_bounds_are_checked_when_asked(row, first, n_axes):
    @njit(boundscheck=True)
    def read(array, row, first):
        store(np.empty((1, LANES), array.dtype), 0, 0, load(array, row, first))

    @njit(boundscheck=True)
    def write(array, row, first):
        store(array, row, first, spread(np.float32(1)))

    shape = (3, 33) if n_axes == 2 else (3, 33 - LANES + 1, LANES)
    array = np.zeros(shape, np.float32)
    inside = 0 <= row < 3 and 0 <= first <= 33 - LANES
    for function in (read, write):
        if inside:
            function(array, row, first)
        else:
            with pytest.raises(IndexError, match="out of bounds"):
                function(array, row, first)
    assert array.sum() == (LANES if inside else 0)


@pytest.mark.parametrize(("row", "first"), [(-1, 0), (0, -1), (0, -16)])
@pytest.mark.parametrize("shape", [(3, 48), (3, 48, LANES)])
def test_nothing_is_counted_from_the_end(row, first, shape):
    array = np.zeros(shape, np.float32)
    with pytest.raises(IndexError, match="out of bounds"):
        load(array, row, first)
    with pytest.raises(IndexError, match="out of bounds"):
        store(array, row, first, np.ones(LANES, np.float32))
    assert not array.any()
