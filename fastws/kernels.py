"""The compiled core: Eq 1, the delta rule of Eqs 4 and 7, and the loops over examples around them.

What every kernel shares:

- ``generative[l]`` and ``recognition[l]`` hold the connection of level l: row 0 the biases, row 1 + u the weights from
  unit u of the driving layer, one column a driven unit. Columns are padded to whole `Lanes` with units that nothing
  listens to.
- ``sizes`` are the units of each layer and then a 0, the empty layer that drives the top one.
- ``wide`` is True if a layer is `WIDE`, and None if none is: nothing for wide layers is then compiled.
- ``states`` has a row a layer, 0.0 or 1.0 a unit.
- ``thresholds[0]`` holds draws: independent logistic variates t, so that a unit with logit a is on, with the
  probability of Eq 1, where a > t. They do not depend on the net and are made ahead of it, for a block of examples.
- ``floor`` is the least value that a generative weight to an input may take: 0, or minus infinity.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fastws import lanes, storage
from fastws.caching import cached_njit
from fastws.lanes import (
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
    to_double,
    to_float,
    where,
)
from fastws.storage import LANES, aligned

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Key = NDArray[np.uint32]
States = NDArray[np.uint8]
Lanes = Any
Wide = bool | None

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
SOURCES = [__file__, lanes.__file__, storage.__file__]
jit: Callable[..., Any] = cached_njit(SOURCES, **_OPTIONS)
# Only kernels call these: compiling no entry for Python saves a quarter of the time that the first run takes.
_INNER = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
inner: Callable[..., Any] = njit(**_INNER)
inline: Callable[..., Any] = njit(forceinline=True, **_INNER)

GROUP = 4 * LANES
BLOCK = 64
# Draws are made for at most this many units ahead, to stay within the first-level cache.
DRAWS_AHEAD = 4096
MINUS_INFINITY = np.float32(-np.inf)
OFF = np.float32(0)
ON = np.float32(1)


# How arrays are laid out. Two-dimensional states, thresholds and connections are those of one machine: a column is a
# unit, and sixteen neighbouring units are one value. Three-dimensional ones are those of sixteen machines, which learn
# together: the last axis is the machine, and one unit of each is one value. The equations are the same.


@inline
def state(states: Floats, layer: int, u: int) -> Lanes:
    """Return the state of a unit: sixteen times that of one machine, or those of sixteen machines."""
    if states.ndim == 2:
        return spread(states[layer, u])
    return load(states, layer, u)


@inline
def units_a_group(array: Floats) -> int:
    """Return how many units one value holds: sixteen of one machine, or one of sixteen machines."""
    if array.ndim == 2:
        return LANES
    return 1


# Random numbers: Threefry-4x32 (Salmon, Moraes, Dror and Shaw, SC11, 2011) with 12 rounds, keyed by the seed; its
# counter is (example, group of 64 draws, lane), so that any draw can be made at any time, in any order.


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
def random_bits(key: Key, number: np.uint64, group: int) -> tuple[Lanes, Lanes, Lanes, Lanes]:
    """Return 4 x 16 uniform uint32: the 64 draws of one number and group."""
    return threefry(spread(key[0]), spread(key[1]), spread(key[2]), spread(key[3]), number, group, lane_numbers())


@inline
def store_group(array: NDArray[Any], first: int, words: tuple[Lanes, Lanes, Lanes, Lanes]) -> None:
    """Write the 64 draws of a group into row 0 from a column on."""
    store_bits(array, 0, first, words[0])
    store_bits(array, 0, first + LANES, words[1])
    store_bits(array, 0, first + 2 * LANES, words[2])
    store_bits(array, 0, first + 3 * LANES, words[3])


@inline
def log(x: Lanes) -> Lanes:
    """Return the logarithm of positive normal float32 lanes, to 2 units in the last place (as logf of Cephes)."""
    exponent = (float_bits(x) - 0x3F3504F3) >> 23
    m = float_from_bits(float_bits(x) - (exponent << 23)) - 1.0
    z = m * m
    p = m * 7.0376836292e-2 - 1.1514610310e-1
    p = p * m + 1.1676998740e-1
    p = p * m - 1.2420140846e-1
    p = p * m + 1.4249322787e-1
    p = p * m - 1.6668057665e-1
    p = p * m + 2.0000714765e-1
    p = p * m - 2.4999993993e-1
    p = p * m + 3.3333331174e-1
    return m + (p * m * z - z * 0.5) + to_float(exponent) * 0.69314718


@inline
def logistic_variate(bits: Lanes) -> Lanes:
    """Return the logistic variate ±log(u / (1 - u)) of uniform bits: one is the sign, 31 are u in (0, 1/2)."""
    magnitude = bits & 0x7FFFFFFF
    u = (to_float(signed(magnitude)) + 0.5) * 2.0**-32
    t = log(u / (1.0 - u))
    return where(bits != magnitude, t, t * -1.0)


@inline
def make_variates(thresholds: Floats, n_draws: int) -> None:
    """Turn the uniform bits of the first n_draws columns (and up to 15 more) of row 0 into logistic variates."""
    for draw in range(0, n_draws, units_a_group(thresholds)):
        store(thresholds, 0, draw, logistic_variate(load_bits(thresholds, 0, draw)))


@jit
def draw_thresholds(key: Key, example: np.uint64, n_draws: int, thresholds: Floats) -> None:
    """Write the first n_draws logistic variates of an example (and up to 63 more) into row 0 of thresholds."""
    for first in range(0, n_draws, GROUP):
        store_group(thresholds, first, random_bits(key, example, first // GROUP))
    make_variates(thresholds, n_draws)


@jit
def draw_thresholds_ahead(key: Key, first_draw: np.uint64, n_draws: int, thresholds: Floats) -> np.int64:
    """Write logistic variates first_draw, first_draw + 1 … of a stream into row 0; return the column of the first.

    The stream is that of groups 0 of the numbers 0, 1 …; up to 63 variates before and after are written too.
    """
    start = np.int64(first_draw % np.uint64(GROUP))
    for first in range(0, start + n_draws, GROUP):
        number = (first_draw + np.uint64(first)) // np.uint64(GROUP)
        store_group(thresholds, first, random_bits(key, number, 0))
    make_variates(thresholds, start + n_draws)
    return start


@jit
def draw_thresholds_together(keys: Key, first_draw: np.uint64, n_draws: int, thresholds: Floats) -> np.int64:
    """Do as `draw_thresholds_ahead` for sixteen machines: `keys`, shape (4, 16), has a key a machine."""
    k0, k1, k2, k3 = load(keys, 0, 0), load(keys, 1, 0), load(keys, 2, 0), load(keys, 3, 0)
    start = np.int64(first_draw % np.uint64(GROUP))
    for first in range(0, start + n_draws, GROUP):
        number = (first_draw + np.uint64(first)) // np.uint64(GROUP)
        for lane in range(LANES):
            a, b, c, d = threefry(k0, k1, k2, k3, number, 0, spread(np.uint32(lane)))
            store_bits(thresholds, 0, first + lane, a)
            store_bits(thresholds, 0, first + LANES + lane, b)
            store_bits(thresholds, 0, first + 2 * LANES + lane, c)
            store_bits(thresholds, 0, first + 3 * LANES + lane, d)
    make_variates(thresholds, start + n_draws)
    return start


# The equations.


@inline
def logistic(a: Lanes) -> Lanes:
    """Return 1 / (1 + exp(-a)) of float32 lanes, to 2e-7; |a| is cut at 87, within e-38 of 0 or 1."""
    a = where(a > -87.0, a, -87.0)
    a = where(a < 87.0, a, 87.0)
    # exp(-a) = 2^n exp(f); adding 1.5 * 2^23 rounds to the whole number n and leaves it in the low bits.
    y = a * -1.44269504
    n = y + 12582912.0
    f = (y - (n - 12582912.0)) * 0.69314718
    z = f * f
    # The polynomial of degree 5 that is 1 + f + … and nearest to exp(f), to 1.05e-7 of it, for |f| <= log(2) / 2.
    p = (f + 1.0) + z * ((f * 0.16667115 + 0.4999923) + z * (f * 0.0083125 + 0.04189033))
    return 1.0 / (float_from_bits(float_bits(p) + (float_bits(n) << 23)) + 1.0)


@inline
def layer_logits(weights: Floats, sizes: Integers, states: Floats, driving: int, first: int) -> Lanes:
    """Return b_v + sum_u s_u w_uv for a group of units v, the exponent of Eq 1.

    Four sums run side by side, since each addition waits for the one before it.
    """
    a = load(weights, 0, first)
    b = spread(OFF)
    c = spread(OFF)
    d = spread(OFF)
    n = sizes[driving]
    whole = n - n % 4
    for u in range(0, whole, 4):
        a = a + state(states, driving, u) * load(weights, 1 + u, first)
        b = b + state(states, driving, u + 1) * load(weights, 2 + u, first)
        c = c + state(states, driving, u + 2) * load(weights, 3 + u, first)
        d = d + state(states, driving, u + 3) * load(weights, 4 + u, first)
    for u in range(whole, n):
        a = a + state(states, driving, u) * load(weights, 1 + u, first)
    return (a + b) + (c + d)


@inline
def sample_units(a: Lanes, states: Floats, driven: int, first: int, thresholds: Floats, draw: int) -> None:
    """Draw the states of a group of units with logits a (Eq 1)."""
    store(states, driven, first, where(a > load(thresholds, 0, draw + first), spread(ON), OFF))


@inline
def error_of_units(a: Lanes, states: Floats, driven: int, first: int) -> Lanes:
    """Return s_v - p_v for a group of units with logits a."""
    return load(states, driven, first) - logistic(a)


@inline
def update(weights: Floats, u: int, first: int, on: Lanes, delta: Lanes, floor: np.float32) -> None:
    """Add the deltas of a group of units to the weights from unit u where it is on, and hold them to the floor."""
    # Adding -0.0 leaves every bit of a weight as it is: the rows of silent units are skipped.
    w = load(weights, 1 + u, first) + where(on, delta, -0.0)
    store(weights, 1 + u, first, where(w < floor, spread(floor), w))


@inline
def sample_layer(
    weights: Floats,
    sizes: Integers,
    wide: Wide,
    states: Floats,
    driving: int,
    driven: int,
    thresholds: Floats,
    draw: int,
) -> int:
    """Draw the states of one layer given the layer that drives it (Eq 1); return the number of the next draw."""
    if states.ndim == 3:
        sample_together(weights, sizes, states, driving, driven, thresholds, draw)
    elif wide is not None and is_wide(sizes[driving], sizes[driven]):
        sample_wide_layer(weights, sizes, states, driving, driven, thresholds, draw)
    else:
        for first in range(0, sizes[driven], LANES):
            a = layer_logits(weights, sizes, states, driving, first)
            sample_units(a, states, driven, first, thresholds, draw)
    return draw + sizes[driven]


@inline
def learn(
    weights: Floats,
    sizes: Integers,
    wide: Wide,
    states: Floats,
    driving: int,
    driven: int,
    rate: np.float32,
    floor: np.float32,
) -> None:
    """Apply the delta rule Δw_uv = ε s_u (s_v - p_v) to one connection (Eqs 4 and 7)."""
    if states.ndim == 3:
        learn_together(weights, sizes, states, driving, driven, rate, floor)
    elif wide is not None and is_wide(sizes[driving], sizes[driven]):
        learn_wide(weights, sizes, states, driving, driven, rate, floor)
    else:
        for first in range(0, sizes[driven], LANES):
            a = layer_logits(weights, sizes, states, driving, first)
            delta = rate * error_of_units(a, states, driven, first)
            store(weights, 0, first, load(weights, 0, first) + delta)
            for u in range(sizes[driving]):
                update(weights, u, first, spread(states[driving, u]) > OFF, delta, floor)


# Sixteen machines, or wide layers: the same sums in the same order and the same rule, a whole layer at a time. The rows
# of the states from len(sizes) on are room for its logits and deltas.


@inline
def learn_whole_layer(
    weights: Floats, sizes: Integers, states: Floats, driven: int, rate: np.float32, room: int
) -> None:
    """Turn the logits in a row of the states into the deltas of the layer; its biases learn."""
    for first in range(0, sizes[driven], units_a_group(states)):
        delta = rate * error_of_units(load(states, room, first), states, driven, first)
        store(states, room, first, delta)
        store(weights, 0, first, load(weights, 0, first) + delta)


@inline
def write_logits_together(weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int) -> int:
    """Write the logits of a layer of sixteen machines into a row of the states; return its number.

    Two units side by side share each state that is read.
    """
    room = len(sizes)
    n = sizes[driving]
    whole = n - n % 4
    even = sizes[driven] - sizes[driven] % 2
    for v in range(0, even, 2):
        a, e = load(weights, 0, v), load(weights, 0, v + 1)
        b, c, d = spread(OFF), spread(OFF), spread(OFF)
        f, g, h = spread(OFF), spread(OFF), spread(OFF)
        for u in range(0, whole, 4):
            s = load(states, driving, u)
            a, e = a + s * load(weights, 1 + u, v), e + s * load(weights, 1 + u, v + 1)
            s = load(states, driving, u + 1)
            b, f = b + s * load(weights, 2 + u, v), f + s * load(weights, 2 + u, v + 1)
            s = load(states, driving, u + 2)
            c, g = c + s * load(weights, 3 + u, v), g + s * load(weights, 3 + u, v + 1)
            s = load(states, driving, u + 3)
            d, h = d + s * load(weights, 4 + u, v), h + s * load(weights, 4 + u, v + 1)
        for u in range(whole, n):
            s = load(states, driving, u)
            a, e = a + s * load(weights, 1 + u, v), e + s * load(weights, 1 + u, v + 1)
        store(states, room, v, (a + b) + (c + d))
        store(states, room, v + 1, (e + f) + (g + h))
    for v in range(even, sizes[driven]):
        store(states, room, v, layer_logits(weights, sizes, states, driving, v))
    return room


@inline
def sample_together(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, thresholds: Floats, draw: int
) -> None:
    """Do what `sample_layer` does."""
    room = write_logits_together(weights, sizes, states, driving, driven)
    for v in range(sizes[driven]):
        sample_units(load(states, room, v), states, driven, v, thresholds, draw)


@inline
def learn_together(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, rate: np.float32, floor: np.float32
) -> None:
    """Do what `learn` does."""
    room = write_logits_together(weights, sizes, states, driving, driven)
    learn_whole_layer(weights, sizes, states, driven, rate, room)
    for u in range(sizes[driving]):
        on = load(states, driving, u) > OFF
        for v in range(sizes[driven]):
            update(weights, u, v, on, load(states, room, v), floor)


# In wide layers lists of the units that are on lead to whole rows of weights; a narrow layer is done sooner than its
# list is made.

WIDE = 64


@inline
def is_wide(n_driving: int, n_driven: int) -> bool:
    """Return whether a connection is worth lists of active units."""
    return min(n_driving, n_driven) >= WIDE


@jit
def list_active(sizes: Integers, states: Floats, driving: int) -> tuple[Integers, Integers]:
    """Return the units that are on and how many they are: one list for each of the four sums of `layer_logits`."""
    n = sizes[driving]
    whole = n - n % 4
    active = np.empty((4, whole // 4 + 4), dtype=np.int64)
    counts = np.zeros(4, dtype=np.int64)
    for u in range(n):
        part = u % 4 if u < whole else 0
        active[part, counts[part]] = u
        counts[part] += states[driving, u] > OFF
    return active, counts


@jit
def write_wide_logits(
    weights: Floats, sizes: Integers, states: Floats, driven: int, active: Integers, counts: Integers
) -> int:
    """Write the logits of a layer into a row of the states, whose number is returned; three more rows are used."""
    room = len(sizes)
    n = sizes[driven]
    for first in range(0, n, LANES):
        store(states, room, first, load(weights, 0, first))
        for part in range(1, 4):
            store(states, room + part, first, spread(OFF))
    for part in range(4):
        count = counts[part]
        whole = count - count % 4
        for k in range(0, whole, 4):
            i, j, l, m = active[part, k], active[part, k + 1], active[part, k + 2], active[part, k + 3]
            for first in range(0, n, LANES):
                a = load(states, room + part, first) + load(weights, 1 + i, first)
                a = a + load(weights, 1 + j, first)
                a = a + load(weights, 1 + l, first)
                store(states, room + part, first, a + load(weights, 1 + m, first))
        for k in range(whole, count):
            u = active[part, k]
            for first in range(0, n, LANES):
                store(states, room + part, first, load(states, room + part, first) + load(weights, 1 + u, first))
    for first in range(0, n, LANES):
        a = load(states, room, first) + load(states, room + 1, first)
        store(states, room, first, a + (load(states, room + 2, first) + load(states, room + 3, first)))
    return room


@jit
def sample_wide_layer(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, thresholds: Floats, draw: int
) -> None:
    """Do what `sample_layer` does."""
    active, counts = list_active(sizes, states, driving)
    room = write_wide_logits(weights, sizes, states, driven, active, counts)
    for first in range(0, sizes[driven], LANES):
        sample_units(load(states, room, first), states, driven, first, thresholds, draw)


@jit
def learn_wide(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, rate: np.float32, floor: np.float32
) -> None:
    """Do what `learn` does."""
    active, counts = list_active(sizes, states, driving)
    room = write_wide_logits(weights, sizes, states, driven, active, counts)
    learn_whole_layer(weights, sizes, states, driven, rate, room)
    on = spread(ON) > OFF
    for part in range(4):
        for k in range(counts[part]):
            for first in range(0, sizes[driven], LANES):
                update(weights, active[part, k], first, on, load(states, room, first), floor)


# The phases.


@inline
def recognise(sizes: Integers, wide: Wide, recognition: Floats, states: Floats, thresholds: Floats, draw: int) -> int:
    """Draw a total representation of the input in states[0], bottom-up; return the number of the next draw."""
    for level in range(len(sizes) - 2):
        draw = sample_layer(recognition[level], sizes, wide, states, level, level + 1, thresholds, draw)
    return draw


@inline
def fantasise(sizes: Integers, wide: Wide, generative: Floats, states: Floats, thresholds: Floats, draw: int) -> int:
    """Draw a fantasy, from the top layer down to the input; return the number of the next draw."""
    for level in range(len(sizes) - 2, -1, -1):
        draw = sample_layer(generative[level], sizes, wide, states, level + 1, level, thresholds, draw)
    return draw


@inline
def learn_generative(
    sizes: Integers, wide: Wide, generative: Floats, states: Floats, rates: Floats, floor: np.float32
) -> None:
    """Wake phase: make each layer of a representation better at reconstructing the layer below (Eq 4)."""
    for level in range(len(sizes) - 2, -1, -1):
        least = floor if level == 0 else MINUS_INFINITY
        if rates[level] > 0:
            learn(generative[level], sizes, wide, states, level + 1, level, rates[level], least)


@inline
def learn_recognition(sizes: Integers, wide: Wide, recognition: Floats, states: Floats, rates: Floats) -> None:
    """Sleep phase: make recognition better at recovering the causes of a fantasy (Eq 7)."""
    for level in range(len(sizes) - 2):
        if rates[level] > 0:
            learn(recognition[level], sizes, wide, states, level, level + 1, rates[level], MINUS_INFINITY)


# What a kernel needs room for is made here, in Python, which has nothing to compile for it.


def new_states(sizes: Integers) -> Floats:
    """Return silent states and four rows of room; each has space for the sixteen units that begin with its last."""
    return aligned(len(sizes) + 4, int(sizes.max()) + LANES)


def new_thresholds(n_draws: int) -> Floats:
    """Return room for the thresholds of n_draws draws, for a group before them and for one after."""
    return aligned(1, n_draws + 2 * GROUP)


def block_length(n_draws: int) -> int:
    """Return how many examples to draw ahead."""
    return max(1, min(BLOCK, DRAWS_AHEAD // n_draws))


def draws_of_learning(sizes: Integers) -> int:
    """Return the draws of a wake and a sleep step: one a unit drawn."""
    return int(2 * sizes.sum() - sizes[0])


# The loops over examples.


@inner
def learn_from_block(
    block: int,
    inputs: Floats,
    thresholds: Floats,
    first_draw: int,
    draws_between: int,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
    states: Floats,
) -> None:
    """Run a wake step and a sleep step on each of the first inputs in turn.

    The draws of an example begin with column first_draw of the thresholds, and those of the next draws_between later.
    """
    for row in range(block):
        for first in range(0, sizes[0], units_a_group(states)):
            store(states, 0, first, load(inputs, row, first))
        draw = recognise(sizes, wide, recognition, states, thresholds, first_draw + row * draws_between)
        learn_generative(sizes, wide, generative, states, rates, floor)
        fantasise(sizes, wide, generative, states, thresholds, draw)
        learn_recognition(sizes, wide, recognition, states, rates)


@inline
def draw_bars(
    orientation: np.float32, bars: Floats, thresholds: Floats, draw: int, on: Floats, images: Floats, row: int
) -> None:
    """Draw the bars image of an example into a row of `images`.

    `bars[k]` has the logits of bar k being there when some but not all of the bars before it are, when all are and
    when none is; they differ only where the full or the blank image is excluded. The image's orientation is vertical
    with the logit `orientation`. One draw each: the orientation, then the bars.
    """
    size = bars.shape[0]
    vertical = state(thresholds, 0, draw) < orientation
    yes, no = spread(ON), spread(OFF)
    all_before, none_before = yes, yes
    for k in range(size):
        logit = where(all_before > OFF, spread(bars[k, 1]), where(none_before > OFF, spread(bars[k, 2]), bars[k, 0]))
        there = where(state(thresholds, 0, draw + 1 + k) < logit, yes, no)
        store(on, 0, k, there)
        all_before = all_before * there
        none_before = none_before * (yes - there)
    for i in range(size):
        for first in range(0, size, units_a_group(on)):
            # The units past the end of a row of pixels are written again by the next row.
            store(images, row, i * size + first, where(vertical, load(on, 0, first), state(on, 0, i)))


def run_bars(
    orientation: np.float32,
    bars: Floats,
    key: Key,
    n_examples: int,
    seen: NDArray[np.uint64],
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
) -> None:
    """Learn from bars images number seen[0], seen[0] + 1 …; `seen` is kept in step with the parameters."""
    size = len(bars)
    n_draws = 1 + size + draws_of_learning(sizes)
    ahead = block_length(n_draws)
    _run_bars(
        orientation,
        bars,
        key,
        n_examples,
        seen,
        n_draws,
        sizes,
        wide,
        generative,
        recognition,
        rates,
        floor,
        new_states(sizes),
        aligned(ahead, sizes[0] + LANES),
        aligned(1, size + LANES),
        new_thresholds(ahead * n_draws),
    )


@jit
def _run_bars(
    orientation: np.float32,
    bars: Floats,
    key: Key,
    n_examples: int,
    seen: NDArray[np.uint64],
    n_draws: int,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
    states: Floats,
    inputs: Floats,
    on: Floats,
    thresholds: Floats,
) -> None:
    size = bars.shape[0]
    ahead = inputs.shape[0]
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        draw = draw_thresholds_ahead(key, seen[0] * np.uint64(n_draws), block * n_draws, thresholds)
        for row in range(block):
            draw_bars(orientation, bars, thresholds, draw + row * n_draws, on, inputs, row)
        draw += 1 + size
        learn_from_block(
            block, inputs, thresholds, draw, n_draws, sizes, wide, generative, recognition, rates, floor, states
        )
        seen[0] += np.uint64(block)


@inner
def gather(connections: tuple[Floats, ...], together: Floats) -> None:
    """Write the first columns of the connections of sixteen machines; the last axis is the machine."""
    n_levels, n_rows, n_columns, _ = together.shape
    for machine in range(LANES):
        for level in range(n_levels):
            for row in range(n_rows):
                for column in range(n_columns):
                    together[level, row, column, machine] = connections[machine][level, row, column]


@inner
def scatter(together: Floats, connections: tuple[Floats, ...]) -> None:
    """Write what `gather` returned back."""
    n_levels, n_rows, n_columns, _ = together.shape
    for machine in range(LANES):
        for level in range(n_levels):
            for row in range(n_rows):
                for column in range(n_columns):
                    connections[machine][level, row, column] = together[level, row, column, machine]


def run_bars_together(
    orientation: np.float32,
    bars: Floats,
    keys: Key,
    n_examples: int,
    seen: tuple[NDArray[np.uint64], ...],
    sizes: Integers,
    generative: tuple[Floats, ...],
    recognition: tuple[Floats, ...],
    rates: Floats,
    floor: np.float32,
) -> None:
    """Let sixteen machines, which have seen as many examples, learn from bars images, each as `run_bars` would.

    Shapes: keys (4, 16). A machine that is there twice, with the same key, learns once.
    """
    size = len(bars)
    n_draws = 1 + size + draws_of_learning(sizes)
    ahead = block_length(4 * n_draws)
    together = [
        aligned(n_levels, n_rows, n_columns, LANES)
        for (n_levels, n_rows, _), n_columns in (
            (generative[0].shape, int(sizes.max())),
            (recognition[0].shape, int(sizes[1:].max())),
        )
    ]
    _run_bars_together(
        orientation,
        bars,
        keys,
        n_examples,
        seen,
        n_draws,
        sizes,
        generative,
        recognition,
        rates,
        floor,
        *together,
        aligned(len(sizes) + 1, int(sizes.max()), LANES),
        aligned(ahead, int(sizes[0]), LANES),
        aligned(1, size, LANES),
        aligned(1, ahead * n_draws + 2 * GROUP, LANES),
    )


@jit
def _run_bars_together(
    orientation: np.float32,
    bars: Floats,
    keys: Key,
    n_examples: int,
    seen: tuple[NDArray[np.uint64], ...],
    n_draws: int,
    sizes: Integers,
    generative: tuple[Floats, ...],
    recognition: tuple[Floats, ...],
    rates: Floats,
    floor: np.float32,
    generative_together: Floats,
    recognition_together: Floats,
    states: Floats,
    inputs: Floats,
    on: Floats,
    thresholds: Floats,
) -> None:
    size = bars.shape[0]
    ahead = inputs.shape[0]
    gather(generative, generative_together)
    gather(recognition, recognition_together)
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        first_draw = (seen[0][0] + np.uint64(start)) * np.uint64(n_draws)
        draw = draw_thresholds_together(keys, first_draw, block * n_draws, thresholds)
        for row in range(block):
            draw_bars(orientation, bars, thresholds, draw + row * n_draws, on, inputs, row)
        learn_from_block(
            block,
            inputs,
            thresholds,
            draw + 1 + size,
            n_draws,
            sizes,
            None,
            generative_together,
            recognition_together,
            rates,
            floor,
            states,
        )
    scatter(generative_together, generative)
    scatter(recognition_together, recognition)
    now = seen[0][0] + np.uint64(n_examples)
    for machine in range(LANES):
        seen[machine][0] = now


def sample_bars(orientation: np.float32, bars: Floats, key: Key, samples: States) -> None:
    """Draw bars images into the rows of `samples`, shape (n, size * size)."""
    size = len(bars)
    image = aligned(1, samples.shape[1] + LANES)
    _sample_bars(orientation, bars, key, samples, aligned(1, size + LANES), image, new_thresholds(1 + size))


@jit
def _sample_bars(
    orientation: np.float32, bars: Floats, key: Key, samples: States, on: Floats, image: Floats, thresholds: Floats
) -> None:
    for example in range(samples.shape[0]):
        draw_thresholds(key, np.uint64(example), 1 + bars.shape[0], thresholds)
        draw_bars(orientation, bars, thresholds, 0, on, image, 0)
        for i in range(samples.shape[1]):
            samples[example, i] = np.uint8(image[0, i])


@jit
def shuffle(key: Key, sweep: np.uint64, order: Integers) -> None:
    """Write the order of a sweep into `order` (Fisher and Yates; a choice among m is fair to m / 2^32)."""
    n = len(order)
    bits = np.empty((1, GROUP), dtype=np.uint32)
    for i in range(n):
        order[i] = i
    for i in range(n - 1):
        if i % GROUP == 0:
            store_group(bits, 0, random_bits(key, sweep, i // GROUP))
        j = i + np.int64((np.uint64(bits[0, i % GROUP]) * np.uint64(n - i)) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]


def run_images(
    images: States,
    order_key: Key,
    key: Key,
    n_examples: int,
    seen: NDArray[np.uint64],
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
) -> None:
    """Learn from the rows of `images`, each once a sweep in an order of its own, going on after seen[0] examples."""
    n_draws = draws_of_learning(sizes)
    ahead = block_length(n_draws)
    _run_images(
        images,
        order_key,
        key,
        n_examples,
        seen,
        n_draws,
        sizes,
        wide,
        generative,
        recognition,
        rates,
        floor,
        np.empty(len(images), dtype=np.int64),
        new_states(sizes),
        aligned(ahead, sizes[0] + LANES),
        new_thresholds(ahead * n_draws),
    )


@jit
def _run_images(
    images: States,
    order_key: Key,
    key: Key,
    n_examples: int,
    seen: NDArray[np.uint64],
    n_draws: int,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
    order: Integers,
    states: Floats,
    inputs: Floats,
    thresholds: Floats,
) -> None:
    n_images = images.shape[0]
    ahead = inputs.shape[0]
    shuffled = np.uint64(0)
    for start in range(0, n_examples, ahead):
        block = min(ahead, n_examples - start)
        draw = draw_thresholds_ahead(key, seen[0] * np.uint64(n_draws), block * n_draws, thresholds)
        for row in range(block):
            example = seen[0] + np.uint64(row)
            sweep = example // np.uint64(n_images)
            if start + row == 0 or sweep != shuffled:
                shuffle(order_key, sweep, order)
                shuffled = sweep
            image = order[example % np.uint64(n_images)]
            for i in range(sizes[0]):
                inputs[row, i] = images[image, i]
        learn_from_block(
            block, inputs, thresholds, draw, n_draws, sizes, wide, generative, recognition, rates, floor, states
        )
        seen[0] += np.uint64(block)


@jit
def wake_update(
    sizes: Integers, wide: Wide, generative: Floats, rates: Floats, floor: np.float32, states: Floats
) -> None:
    """Learn from given states as a wake step does (Eq 4)."""
    learn_generative(sizes, wide, generative, states, rates, floor)


@jit
def sleep_update(sizes: Integers, wide: Wide, recognition: Floats, rates: Floats, states: Floats) -> None:
    """Learn from given states as a sleep step does (Eq 7)."""
    learn_recognition(sizes, wide, recognition, states, rates)


def wake_step(
    key: Key,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
    states: Floats,
) -> None:
    """Represent the input in states[0] by recognition; the generative parameters learn (Eq 4)."""
    n_draws = int(sizes.sum() - sizes[0])
    _wake_step(key, sizes, wide, generative, recognition, rates, floor, states, n_draws, new_thresholds(n_draws))


@jit
def _wake_step(
    key: Key,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    floor: np.float32,
    states: Floats,
    n_draws: int,
    thresholds: Floats,
) -> None:
    draw_thresholds(key, np.uint64(0), n_draws, thresholds)
    recognise(sizes, wide, recognition, states, thresholds, 0)
    learn_generative(sizes, wide, generative, states, rates, floor)


def sleep_step(
    key: Key, sizes: Integers, wide: Wide, generative: Floats, recognition: Floats, rates: Floats, states: Floats
) -> None:
    """Draw a fantasy; the recognition parameters learn to recover its causes (Eq 7)."""
    n_draws = int(sizes.sum())
    _sleep_step(key, sizes, wide, generative, recognition, rates, states, n_draws, new_thresholds(n_draws))


@jit
def _sleep_step(
    key: Key,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    rates: Floats,
    states: Floats,
    n_draws: int,
    thresholds: Floats,
) -> None:
    draw_thresholds(key, np.uint64(0), n_draws, thresholds)
    fantasise(sizes, wide, generative, states, thresholds, 0)
    learn_recognition(sizes, wide, recognition, states, rates)


def sample_fantasies(key: Key, sizes: Integers, wide: Wide, generative: Floats, fantasies: States) -> None:
    """Draw a fantasy into each row of `fantasies`, shape (n, n_0)."""
    n_draws = int(sizes.sum())
    _sample_fantasies(key, sizes, wide, generative, fantasies, n_draws, new_states(sizes), new_thresholds(n_draws))


@jit
def _sample_fantasies(
    key: Key,
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    fantasies: States,
    n_draws: int,
    states: Floats,
    thresholds: Floats,
) -> None:
    for example in range(fantasies.shape[0]):
        draw_thresholds(key, np.uint64(example), n_draws, thresholds)
        fantasise(sizes, wide, generative, states, thresholds, 0)
        for v in range(sizes[0]):
            fantasies[example, v] = np.uint8(states[0, v])


def sample_representations(
    key: Key, sizes: Integers, wide: Wide, recognition: Floats, inputs: States, representations: States
) -> None:
    """Draw a total representation of each input; its layers, first to top, are a row of `representations`."""
    n_draws = int(sizes.sum() - sizes[0])
    _sample_representations(
        key, sizes, wide, recognition, inputs, representations, n_draws, new_states(sizes), new_thresholds(n_draws)
    )


@jit
def _sample_representations(
    key: Key,
    sizes: Integers,
    wide: Wide,
    recognition: Floats,
    inputs: States,
    representations: States,
    n_draws: int,
    states: Floats,
    thresholds: Floats,
) -> None:
    for example in range(inputs.shape[0]):
        draw_thresholds(key, np.uint64(example), n_draws, thresholds)
        for i in range(sizes[0]):
            states[0, i] = inputs[example, i]
        recognise(sizes, wide, recognition, states, thresholds, 0)
        column = 0
        for layer in range(1, len(sizes) - 1):
            for v in range(sizes[layer]):
                representations[example, column] = np.uint8(states[layer, v])
                column += 1


# Costs, in float64 nats. Libraries round exponentials and logarithms each in its own way: these are the package's own.

LOG_2 = 0.6931471805599453
BITS_OF_SQRT_HALF = 0x3FE6A09E667F3BCD


@inline
def log_of_doubles(x: Lanes) -> Lanes:
    """Return the logarithm of positive normal float64 lanes, to 1 unit in the last place (as log of fdlibm)."""
    exponent = (float_bits(x) - BITS_OF_SQRT_HALF) >> 52
    n = to_double(exponent)
    f = float_from_bits(float_bits(x) - (exponent << 52)) - 1.0
    s = f / (f + 2.0)
    z = s * s
    p = z * 1.479819860511658591e-01 + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    half = f * f * 0.5
    return n * 0.6931471803691238 - ((half - (s * (half + p * z) + n * 1.9082149292705877e-10)) - f)


@inline
def exp_of_minus_magnitude(a: Lanes) -> Lanes:
    """Return exp(-|a|) of float64 lanes, to 1e-15 of its value; |a| is cut at 708."""
    x = where(a < 0.0, a, a * -1.0)
    x = where(x > -708.0, x, -708.0)
    # exp(x) = 2^n exp(f); adding 1.5 * 2^52 rounds to the whole number n and leaves it in the low bits.
    n = x * 1.4426950408889634 + 6755399441055744.0
    whole = n - 6755399441055744.0
    f = (x - whole * 0.6931471803691238) - whole * 1.9082149292705877e-10
    p = f * (1 / 479001600) + (1 / 39916800)
    p = p * f + (1 / 3628800)
    p = p * f + (1 / 362880)
    p = p * f + (1 / 40320)
    p = p * f + (1 / 5040)
    p = p * f + (1 / 720)
    p = p * f + (1 / 120)
    p = p * f + (1 / 24)
    p = p * f + (1 / 6)
    p = p * f + 0.5
    p = p * f + 1.0
    p = p * f + 1.0
    return float_from_bits(float_bits(p) + (float_bits(n) << 52))


@inline
def add_layer_cost(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, cost: Lanes, factor: Lanes
) -> tuple[Lanes, Lanes]:
    """Add the cost in nats of the states of a layer, given the layer that drives it, to a sum (Eq 2).

    A unit with logit a costs log(1 + exp(a)) - s a: this is max(a, 0) - s a plus the logarithm of 1 + exp(-|a|). The
    sum is that of the lanes of `cost` and of the logarithms of the lanes of `factor`, each of which is in [1, 2).
    """
    for first in range(0, sizes[driven], LANES):
        a = to_double(load(weights, 0, first))
        b = to_double(spread(OFF))
        n = sizes[driving]
        for u in range(0, n - 1, 2):
            a = a + np.float64(states[driving, u]) * to_double(load(weights, 1 + u, first))
            b = b + np.float64(states[driving, u + 1]) * to_double(load(weights, 2 + u, first))
        if n % 2 == 1:
            a = a + np.float64(states[driving, n - 1]) * to_double(load(weights, n, first))
        a = a + b
        there = lane_numbers() < np.uint32(min(LANES, sizes[driven] - first))
        cost = cost + where(there, where(a > 0.0, a, 0.0) - to_double(load(states, driven, first)) * a, 0.0)
        factor = factor * where(there, exp_of_minus_magnitude(a) + 1.0, 1.0)
        exponent = (float_bits(factor) >> 52) - 1023
        cost = cost + to_double(exponent) * LOG_2
        factor = float_from_bits(float_bits(factor) - (exponent << 52))
    return cost, factor


@inline
def total_cost(cost: Lanes, factor: Lanes, space: Doubles) -> float:
    """Return the sum that `add_layer_cost` made; `space`, shape (1, 16), is scratch."""
    store(space, 0, 0, cost + log_of_doubles(factor))
    total = 0.0
    for v in range(LANES):
        total += space[0, v]
    return total


def sampled_costs(
    key: Key,
    numbers: NDArray[np.uint64],
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    inputs: States,
    costs: Doubles,
    surprises: Doubles,
) -> None:
    """Draw total representations α of each input from Q(·|d); inputs of the same number share their draws.

    Written in place, shape (n, n_samples), in nats: `costs`, the C(α, d) of Eq 3, and `surprises`, -log Q(α|d).
    """
    n_draws = int(sizes.sum() - sizes[0])
    _sampled_costs(
        key,
        numbers,
        sizes,
        wide,
        generative,
        recognition,
        inputs,
        costs,
        surprises,
        n_draws,
        new_states(sizes),
        new_thresholds(n_draws),
    )


@jit
def _sampled_costs(
    key: Key,
    numbers: NDArray[np.uint64],
    sizes: Integers,
    wide: Wide,
    generative: Floats,
    recognition: Floats,
    inputs: States,
    costs: Doubles,
    surprises: Doubles,
    n_draws: int,
    states: Floats,
    thresholds: Floats,
) -> None:
    n_levels = len(sizes) - 1
    space = np.empty((1, LANES), dtype=np.float64)
    nothing = to_double(spread(OFF))
    for image in range(inputs.shape[0]):
        for i in range(sizes[0]):
            states[0, i] = inputs[image, i]
        for sample in range(costs.shape[1]):
            draw = (np.uint64(sample) << np.uint64(32)) + numbers[image]
            draw_thresholds(key, draw, n_draws, thresholds)
            recognise(sizes, wide, recognition, states, thresholds, 0)
            cost, factor = nothing, nothing + 1.0
            for level in range(n_levels):
                cost, factor = add_layer_cost(generative[level], sizes, states, level + 1, level, cost, factor)
            costs[image, sample] = total_cost(cost, factor, space)
            cost, factor = nothing, nothing + 1.0
            for level in range(n_levels - 1):
                cost, factor = add_layer_cost(recognition[level], sizes, states, level, level + 1, cost, factor)
            surprises[image, sample] = total_cost(cost, factor, space)


@jit
def average_costs(costs: Doubles, surprises: Doubles, averages: Doubles) -> None:
    """Average over the representations drawn of each input, first to last; all in nats.

    Written in place, shape (3, n): the means of C(α, d) and of C(α, d) + log Q(α|d), and minus the logarithm of the
    mean weight exp(-C(α, d)) / Q(α|d).
    """
    n_samples = costs.shape[1]
    space = np.zeros((1, LANES), dtype=np.float64)
    for image in range(costs.shape[0]):
        lengths, energies, least = 0.0, 0.0, np.inf
        for sample in range(n_samples):
            energy = costs[image, sample] - surprises[image, sample]
            lengths += costs[image, sample]
            energies += energy
            least = min(least, energy)
        weights = 0.0
        for first in range(0, n_samples, LANES):
            n = min(LANES, n_samples - first)
            for lane in range(n):
                space[0, lane] = costs[image, first + lane] - surprises[image, first + lane] - least
            store(space, 0, 0, exp_of_minus_magnitude(load(space, 0, 0)))
            for lane in range(n):
                weights += space[0, lane]
        store(space, 0, 0, log_of_doubles(spread(weights / n_samples)))
        averages[0, image] = lengths / n_samples
        averages[1, image] = energies / n_samples
        averages[2, image] = least - space[0, 0]


# Probabilities for an entropy coder. Sender and receiver must agree on them to the bit, on any two computers.

CODE_BITS = 22
"""A probability in a code is a whole number of 2^-22."""
CODE_ONE = 2.0**CODE_BITS


@jit
def code_probabilities(
    weights: Floats, sizes: Integers, states: Floats, driving: int, driven: int, probabilities: Doubles, first: int
) -> None:
    """Write the probabilities of Eq 1, each the nearest k / 2^22 with 0 < k < 2^22, for the units of a layer.

    They go into row 0 of `probabilities` from column `first` on; the fifteen columns after them may change too.
    """
    for unit in range(0, sizes[driven], LANES):
        p = logistic(layer_logits(weights, sizes, states, driving, unit))
        # Adding 1.5 * 2^23 rounds to a whole number: it works up to 2^22 in float32, which is why there are 22 bits.
        k = (p * CODE_ONE + 12582912.0) - 12582912.0
        k = where(k > 1.0, k, 1.0)
        k = where(k < CODE_ONE - 1.0, k, CODE_ONE - 1.0)
        store(probabilities, 0, first + unit, to_double(k) * (1.0 / CODE_ONE))
