"""Learning step by step as the paper says, by the oracle, with the random numbers that fastws uses."""

import numpy as np

import naive
from fastws.kernels.layout import LANES
from fastws.kernels.random import GROUP, shuffle
from fastws.randomness import Use, make_key
from lanewise import draw_ahead, draw_thresholds


def thresholds_of(seed, use, example, n):
    thresholds = np.empty((1, n + 4 * LANES), np.float32)
    draw_thresholds(make_key(seed, use), np.uint64(example), n, thresholds)
    return thresholds[0, :n].tolist()


def states_by_eq_1(weights, biases, driving, thresholds):
    """Draw a layer; the draws used are taken from `thresholds`."""
    logits = naive.logits(weights, biases, driving)
    # Closer than this, float32 might have decided otherwise; seeds are such that it does not happen.
    assert all(abs(a - t) > 1e-5 for a, t in zip(logits, thresholds, strict=False))
    states = [int(a > t) for a, t in zip(logits, thresholds, strict=False)]
    del thresholds[: len(states)]
    return states


def representation_by_eq_1(machine, d, thresholds):
    layers = [list(d)]
    for weights, biases in zip(machine.rec_weights, machine.rec_biases, strict=True):
        layers.append(states_by_eq_1(weights, biases, layers[-1], thresholds))
    return layers


def fantasy_by_eq_1(machine, thresholds):
    layers = [states_by_eq_1([], machine.gen_biases[-1], [], thresholds)]
    for weights, biases in zip(machine.gen_weights[::-1], machine.gen_biases[-2::-1], strict=True):
        layers.insert(0, states_by_eq_1(weights, biases, layers[0], thresholds))
    return layers


def order_of(seed, sweep, n):
    """Return the order of a sweep of a simulation of this seed."""
    order = np.empty(n, np.int64)
    shuffle(make_key(seed, Use.ORDER), np.uint64(sweep), order, np.empty((1, GROUP), np.uint32))
    return order.tolist()


def draws_of_an_example(sizes):
    return 2 * sum(sizes) - sizes[0]


def stream_of_thresholds(seed, n):
    """Return the first draws of a simulation of this seed."""
    thresholds = np.empty((1, n + 4 * LANES), np.float32)
    draw_ahead(make_key(seed, Use.LEARNING), np.uint64(0), n, thresholds)
    return thresholds[0, :n].tolist()


def replay(machine, inputs, rates, seed, first_draw=0):
    """Learn from inputs in turn as the paper says, with the random numbers that a simulation of this seed uses."""
    n_draws = first_draw + draws_of_an_example(machine.layer_sizes)
    stream = stream_of_thresholds(seed, len(inputs) * n_draws)
    for example, d in enumerate(inputs):
        thresholds = stream[example * n_draws :][first_draw:n_draws]
        naive.wake_update(machine, representation_by_eq_1(machine, d, thresholds), rates, nonnegative=True)
        naive.sleep_update(machine, fantasy_by_eq_1(machine, thresholds), rates)
        assert thresholds == []


def assert_close_after_a_run(machine, expected, n):
    """Each of the 2n updates adds a rounding error of up to about 1e-7 to a parameter."""
    for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases"):
        for found, wanted in zip(getattr(machine, name), getattr(expected, name), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-7 * n, err_msg=name)
