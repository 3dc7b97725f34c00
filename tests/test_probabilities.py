import itertools
import math

import numpy as np
import pytest

from fastws import exact
from fastws.machine import Machine
from fastws.probabilities import driven, logistic
from machines import random_machine

X = np.array(list(itertools.product((0, 1), repeat=4)))


def on(biases, weights, driving):
    """Eq 1 by the standard library."""
    return [
        1 / (1 + math.exp(-(float(b) + math.fsum(s * float(w[v]) for s, w in zip(driving, weights, strict=True)))))
        for v, b in enumerate(biases)
    ]


@pytest.mark.parametrize("sizes", [[4, 3], [4, 5, 2], [4, 2, 3, 2]])
def test_probabilities_go_up_by_equation_1_and_back_by_it(sizes):
    machine = random_machine(sizes, seed=2)
    layers, pixels = machine.recognition_probabilities(X), machine.reconstruct(X)
    assert [layer.shape for layer in layers] == [(16, size) for size in sizes[1:]]
    for row, image in enumerate(X):
        driving = image
        for level, layer in enumerate(layers):
            driving = on(machine.rec_biases[level], machine.rec_weights[level], driving)
            np.testing.assert_allclose(layer[row], driving, rtol=1e-12)
        expected = on(machine.gen_biases[0], machine.gen_weights[0], layers[0][row])
        np.testing.assert_allclose(pixels[row], expected, rtol=1e-12)


def test_those_of_the_first_layer_are_those_of_the_recognition_distribution():
    machine = random_machine([4, 3, 2], seed=5)
    q, first = exact.recognition_distribution(machine, X), exact.representations(machine)[:, :3]
    np.testing.assert_allclose(machine.recognition_probabilities(X)[0], q @ first, rtol=1e-9)


def test_blocks_do_not_matter(monkeypatch):
    machine = random_machine([4, 3, 2])
    whole = machine.recognition_probabilities(X)[1]
    monkeypatch.setattr("fastws.probabilities._BLOCK", 12)
    np.testing.assert_allclose(machine.recognition_probabilities(X)[1], whole, rtol=1e-12)


def test_an_image_alone():
    machine = Machine([4, 2])
    assert machine.recognition_probabilities([0, 1, 1, 0])[0].tolist() == [[0.5, 0.5]]
    assert machine.reconstruct(X).tolist() == [[0.5] * 4] * 16


@pytest.mark.parametrize("method", [Machine.recognition_probabilities, Machine.reconstruct])
def test_what_has_no_probability(method):
    machine = random_machine([4, 2])
    with pytest.raises(ValueError, match="x has 3 columns; the input layer has 4 units"):
        method(machine, X[:, 1:])
    with pytest.raises(ValueError, match="every input unit is 0 or 1"):
        method(machine, X * 2)
    machine.rec_weights[0][1, 1] = np.nan
    with pytest.raises(ValueError, match=r"rec_weights\[0\]\[1, 1\] is nan; every parameter has to be finite"):
        method(machine, X)


def test_the_logistic_does_not_overflow():
    with np.errstate(over="raise", invalid="raise"):
        assert logistic(np.array([-700.0, 0.0, 800.0])).tolist() == [pytest.approx(math.exp(-700)), 0.5, 1.0]
    assert (
        driven(np.zeros((2, 0), np.uint8), np.zeros((0, 3), np.float32), np.zeros(3, np.float32)).tolist()
        == [[0.5] * 3] * 2
    )
