"""Random numbers: Threefry, logistic variates, and drawing ahead.

Threefry-4x32 (Salmon, Moraes, Dror and Shaw, SC11, 2011) with 12 rounds is keyed by the seed; its counter is (number,
group, place), so that any draw can be made at any time, in any order. A group has four words at each of sixteen places:
64 draws, word after word.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.elementary import log_of_quotient
from fastws.kernels.jit import inline, jit
from fastws.kernels.lanes import (
    float_bits,
    float_from_bits,
    lane_numbers,
    load,
    load_bits,
    rotate,
    signed,
    spread,
    store,
    store_bits,
    to_float,
)
from fastws.kernels.layout import LANES
from fastws.kernels.types import Floats, Integers, Key, Lanes
from fastws.kernels.units import units_a_value

PLACES = 16
GROUP = 4 * PLACES


@inline
def four_rounds(a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Apply rounds 0 to 3, and 8 to 11, of Threefry-4x32."""
    a = a + b
    b = rotate(b, 10) ^ a
    c = c + d
    d = rotate(d, 26) ^ c
    a = a + d
    d = rotate(d, 11) ^ a
    c = c + b
    b = rotate(b, 21) ^ c
    a = a + b
    b = rotate(b, 13) ^ a
    c = c + d
    d = rotate(d, 27) ^ c
    a = a + d
    d = rotate(d, 23) ^ a
    c = c + b
    b = rotate(b, 5) ^ c
    return a, b, c, d


@inline
def four_other_rounds(a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Apply rounds 4 to 7 of Threefry-4x32."""
    a = a + b
    b = rotate(b, 6) ^ a
    c = c + d
    d = rotate(d, 20) ^ c
    a = a + d
    d = rotate(d, 17) ^ a
    c = c + b
    b = rotate(b, 11) ^ c
    a = a + b
    b = rotate(b, 25) ^ a
    c = c + d
    d = rotate(d, 10) ^ c
    a = a + d
    d = rotate(d, 18) ^ a
    c = c + b
    b = rotate(b, 20) ^ c
    return a, b, c, d


@inline
def threefry(
    k0: Lanes, k1: Lanes, k2: Lanes, k3: Lanes, number: np.uint64, group: int, lanes: Lanes
) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Return 4 x 16 uniform uint32, those of one value of the counter (a 64-bit number, a group, a lane) a lane."""
    k4 = k0 ^ k1 ^ k2 ^ k3 ^ 0x1BD11BDA
    a = spread(np.uint32(number & np.uint64(0xFFFFFFFF))) + k0
    b = spread(np.uint32(number >> np.uint64(32))) + k1
    c = spread(np.uint32(group)) + k2
    d = lanes + k3
    a, b, c, d = four_rounds(a, b, c, d)
    a, b, c, d = four_other_rounds(a + k1, b + k2, c + k3, d + k4 + 1)
    a, b, c, d = four_rounds(a + k2, b + k3, c + k4, d + k0 + 2)
    return a + k3, b + k4, c + k0, d + k1 + 3


@inline
def draw_group(key: Key, number: np.uint64, group: int, bits: Any, first: int) -> None:
    """Write the 64 draws of a number and a group, uniform uint32, into row 0 from a column on."""
    k0, k1, k2, k3 = spread(key[0]), spread(key[1]), spread(key[2]), spread(key[3])
    for place in range(0, PLACES, LANES):
        store_words(bits, first + place, threefry(k0, k1, k2, k3, number, group, lane_numbers(k0) + np.uint32(place)))


@inline
def store_words(array: NDArray[Any], first: int, words: tuple[Lanes, Lanes, Lanes, Lanes]) -> None:
    """Write the four words of a group at the places that begin with a column into row 0."""
    store_bits(array, 0, first, words[0])
    store_bits(array, 0, first + PLACES, words[1])
    store_bits(array, 0, first + 2 * PLACES, words[2])
    store_bits(array, 0, first + 3 * PLACES, words[3])


@inline
def logistic_variate(bits: Lanes) -> Lanes:
    """Return the logistic variate ±log((1 - u) / u) of uniform bits: one is the sign, 31 are u in (0, 1/2)."""
    u = to_float(signed(bits & 0x7FFFFFFF)) + 0.5
    magnitude = log_of_quotient(u * -1.0 + 2.0**32, u)
    return float_from_bits(float_bits(magnitude) | signed(bits & 0x80000000))


@inline
def make_variates(thresholds: Floats, n_draws: int) -> None:
    """Turn the uniform bits of the first n_draws columns of row 0, up to a whole vector, into logistic variates."""
    for draw in range(0, n_draws, units_a_value(thresholds)):
        store(thresholds, 0, draw, logistic_variate(load_bits(thresholds, 0, draw)))


@inline
def draw_thresholds(key: Key, example: np.uint64, n_draws: int, thresholds: Floats) -> None:
    """Write the first n_draws logistic variates of an example (and up to 63 more) into row 0 of thresholds."""
    for first in range(0, n_draws, GROUP):
        draw_group(key, example, first // GROUP, thresholds, first)
    make_variates(thresholds, n_draws)


@inline
def draw_ahead(key: Key, first_draw: np.uint64, n_draws: int, thresholds: Floats) -> np.int64:
    """Write logistic variates first_draw, first_draw + 1 … of a stream into row 0; return the column of the first.

    The stream is that of groups 0 of the numbers 0, 1 …; up to 63 variates before and after are written too. Together,
    each machine has the stream of its own key.
    """
    start = np.int64(first_draw % np.uint64(GROUP))
    for first in range(0, start + n_draws, GROUP):
        number = (first_draw + np.uint64(first)) // np.uint64(GROUP)
        if key.ndim == 1:
            draw_group(key, number, 0, thresholds, first)
        else:
            draw_group_together(key, number, thresholds, first)
    make_variates(thresholds, start + n_draws)
    return start


@inline
def draw_group_together(keys: Key, number: np.uint64, bits: Any, first: int) -> None:
    """Write the 64 draws of a number, group 0, for sixteen machines: `keys`, shape (4, 16), has a key a machine."""
    k0, k1, k2, k3 = load(keys, 0, 0), load(keys, 1, 0), load(keys, 2, 0), load(keys, 3, 0)
    for place in range(PLACES):
        store_words(bits, first + place, threefry(k0, k1, k2, k3, number, 0, spread(np.uint32(place))))


@jit
def shuffle(key: Key, sweep: np.uint64, order: Integers, bits: Any) -> None:
    """Write the order of a sweep into `order` (Fisher and Yates; a choice among m is fair to m / 2^32).

    `bits`, of uint32, shape (1, GROUP), is room.
    """
    n = len(order)
    for i in range(n):
        order[i] = i
    for i in range(n - 1):
        if i % GROUP == 0:
            draw_group(key, sweep, i // GROUP, bits, 0)
        j = i + np.int64((np.uint64(bits[0, i % GROUP]) * np.uint64(n - i)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]
