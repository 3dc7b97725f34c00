"""What an example costs as a net gets wider and deeper, beside what the machine's memory and arithmetic allow."""

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numba import njit

import fastws
from bench.host import on_one_core
from bench.race import Say
from bench.rivals import BY_HAND, FASTWS, PLAIN_C
from bench.skipped import Skipped
from bench.works import noisy_digits

RATE = 0.01
IMAGES = 64
SHARE_ON = 0.3
# The slope is that of the widths from here on.
WIDE = 512
DEEP_LAYER = 16
SECONDS = 0.1
# Fewer bytes are in a core's nearest memory as well, and their loop is too short to measure.
LEAST_BYTES = 1 << 14
CACHE_LINE = 64
MATRIX = 1024


def measure(n_rounds: int, quick: bool, growth: dict[str, Any], say: Say) -> None:
    """Fill in the curves, to be read at any time."""
    growth["multiply_adds_a_second"] = multiply_adds_a_second()
    prepared = {}
    for contestant in (FASTWS, PLAIN_C, BY_HAND):
        try:
            prepared[contestant.name] = contestant.find()
        except Skipped as reason:
            say(f"growth: {contestant.name} is left out, {reason}")
    widths = [2**k for k in range(3, 10 if quick else 13)]
    depths = range(1, 4 if quick else 7)
    rng = np.random.default_rng(0)
    digits, _ = noisy_digits(IMAGES)
    nets = {
        "width": [(w, (w, w), (rng.random((IMAGES, w)) < SHARE_ON).astype(np.uint8)) for w in widths],
        "depth": [(d, (64, *[DEEP_LAYER] * d), digits) for d in depths],
    }
    for axis, points in nets.items():
        curves = growth[axis] = {"x": [], "bytes": [], "multiply_adds": [], "memory_ns": [], "arithmetic_ns": []}
        curves["ns_an_example"] = {name: [] for name in prepared}
        for x, sizes, images in points:
            say(f"growth: a net of {'-'.join(map(str, sizes))}")
            point = _point(sizes, images, prepared, n_rounds, growth["multiply_adds_a_second"])
            costs = point.pop("ns_an_example")
            for name, cost in costs.items():
                curves["ns_an_example"][name].append(cost)
            for key, value in {"x": x, **point}.items():
                curves[key].append(value)
    growth["slopes"] = {name: _slope(growth["width"]["x"], ns) for name, ns in growth["width"]["ns_an_example"].items()}


def _point(sizes, images, prepared, n_rounds, arithmetic) -> dict[str, Any]:
    """Return what an example of one net costs, and the least that it could."""
    rng = np.random.default_rng(0)
    machine = fastws.Machine(sizes)
    # Memory that nobody has written to is no memory yet.
    for weights in (*machine.gen_weights, *machine.rec_weights):
        weights[:] = rng.normal(0, 0.1 / np.sqrt(len(weights)), weights.shape)
    stream = fastws.Images(images)
    figures = {name: [] for name in prepared}
    for _ in range(n_rounds):
        for name, prepare in prepared.items():
            figures[name].append(_nanoseconds(prepare, machine, stream))
    n_bytes, multiply_adds = least_work(machine, images)
    bandwidth = bytes_a_second(sum(weights.nbytes for weights in (*machine.gen_weights, *machine.rec_weights)))
    return {
        "bytes": n_bytes,
        "multiply_adds": multiply_adds,
        "memory_ns": n_bytes / bandwidth * 1e9,
        "arithmetic_ns": multiply_adds / arithmetic * 1e9,
        "ns_an_example": {name: statistics.median(values) for name, values in figures.items()},
    }


def _nanoseconds(prepare: Callable[..., Callable[[], Any]], machine: fastws.Machine, stream: fastws.Images) -> float:
    """Return what an example costs, from a run that is long enough to measure."""
    examples = 1
    while True:
        seconds, _ = on_one_core(prepare(machine, stream, examples, [RATE] * len(machine.layer_sizes), False))
        if seconds > SECONDS:
            return seconds / examples * 1e9
        examples *= min(100, max(2, int(1.5 * SECONDS / max(seconds, 1e-6))))


def least_work(machine: fastws.Machine, images: np.ndarray) -> tuple[float, float]:
    """Return the bytes and the multiply-adds that an example takes if silent units cost nothing.

    Each equation reads the weights of the units that are on, once; an update also writes them.
    """
    rates = [0.0] * len(machine.layer_sizes)
    awake = _units_on(fastws.wake_step(machine, image, rates, seed=i) for i, image in enumerate(images))
    asleep = _units_on(fastws.sleep_step(machine, rates, seed=i) for i in range(len(images)))
    n_floats, multiply_adds = 0.0, 0.0
    levels = (itertools.pairwise(layers) for layers in (machine.layer_sizes, awake, asleep))
    for (lower, upper), (lower_awake, upper_awake), (lower_asleep, upper_asleep) in zip(*levels, strict=True):
        draws = lower_awake * upper + upper_asleep * lower  # Eq 1, up in the wake phase and down in the sleep phase
        deltas = upper_awake * lower + lower_asleep * upper  # Eqs 4 and 7: their logits, and their updates
        n_floats += draws + 3 * deltas
        multiply_adds += draws + 2 * deltas
    return 4 * n_floats, multiply_adds


def _units_on(examples: Iterable[list[np.ndarray]]) -> list[float]:
    """Return how many units of each layer are on, on average over examples."""
    return np.mean([[np.count_nonzero(states) for states in layers] for layers in examples], axis=0).tolist()


def bytes_a_second(n_bytes: int) -> float:
    """Return how fast one core goes through so many bytes again and again, two reads and a write at a time."""
    n = max(n_bytes, LEAST_BYTES) // 8
    x, y = (_aligned_ones(n) for _ in range(2))
    passes = 1
    _add_multiple(x, y, 0)
    while True:
        seconds, _ = on_one_core(partial(_add_multiple, x, y, passes))
        if seconds > SECONDS:
            return 12 * n * passes / seconds
        passes *= 2


def _aligned_ones(n: int) -> np.ndarray:
    memory = np.ones(n + CACHE_LINE // 4, np.float32)
    offset = -memory.ctypes.data % CACHE_LINE // 4
    return memory[offset : offset + n]


@njit(nogil=True)
def _add_multiple(x, y, passes):
    for _ in range(passes):
        for i in range(len(x)):
            x[i] += np.float32(1e-9) * y[i]


def multiply_adds_a_second() -> float:
    """Return what one core does in a product of two matrices that fit its caches, which is near all that it can."""
    a, b = np.random.default_rng(0).random((2, MATRIX, MATRIX), np.float32)
    best = min(on_one_core(partial(np.matmul, a, b))[0] for _ in range(5))
    return MATRIX**3 / best


def _slope(widths: Sequence[int], nanoseconds: Sequence[float]) -> float | None:
    """Return the power of the width that the cost grows with, fitted to the wide nets."""
    points = [(np.log(w), np.log(ns)) for w, ns in zip(widths, nanoseconds, strict=True) if w >= WIDE]
    return float(np.polyfit(*np.transpose(points), 1)[0]) if len(points) > 1 else None
