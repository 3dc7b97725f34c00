import math

import numpy as np
from numba import njit

import naive
from fastws.kernels import elementary as kernels
from fastws.kernels.lanes import load, store
from fastws.kernels.layout import LANES
from lanewise import apply


@njit(error_model="numpy")
def logistics(x, out):
    for row in range(len(x)):
        store(out, row, 0, kernels.logistic(load(x, row, 0)))


@njit(error_model="numpy")
def logs_of_quotients(a, b, out):
    for row in range(len(a)):
        store(out, row, 0, kernels.log_of_quotient(load(a, row, 0), load(b, row, 0)))


def test_logistic_is_accurate():
    a = np.linspace(-100, 100, 200_000, dtype=np.float32)
    p = apply(logistics, a)
    exact = np.array([naive.probability(x) for x in a.tolist()])
    np.testing.assert_allclose(p, exact, rtol=0, atol=2e-7)
    inside = np.abs(a) < 87
    np.testing.assert_allclose(p[inside], exact[inside], rtol=1e-5)  # a small probability is small by as much
    assert p.min() > 0  # a unit can always be off, and cost something
    assert p.max() <= 1


def test_logistic_at_its_ends():
    p = apply(logistics, np.array([0, -0.0, np.inf, -np.inf, -87.5, -87], np.float32))
    assert p[:3].tolist() == [0.5, 0.5, 1]
    np.testing.assert_allclose(p[3:], math.exp(-87), rtol=1e-5)


def test_logarithms_of_quotients_are_accurate():
    rng = np.random.default_rng(0)
    tiny, most = (np.float32(x).view(np.uint32) for x in (1e-18, 1e18))
    near_one = np.float32(1).view(np.uint32) + np.arange(-(2**16), 2**16)
    near_half_steps = 0x3F400000 + np.arange(-1000, 1000)  # where the exponent changes
    words = np.concatenate([rng.integers(tiny, most, 200_000), near_one, near_half_steps])
    a = words[: len(words) // LANES * LANES].astype(np.uint32).view(np.float32).reshape(-1, LANES)
    for b in (np.ones_like(a), rng.permutation(a.ravel()).reshape(a.shape)):
        found = np.empty_like(a)
        logs_of_quotients(a, b, found)
        exact = np.log(a.astype(np.float64) / b)
        assert np.max(np.abs(found - exact) / np.maximum(np.abs(exact), 1)) < 2e-7
