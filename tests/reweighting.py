"""The oracle of reweighted wake-sleep (Bornschein and Bengio 2015): NumPy in float64, nothing of fastws.

A machine is anything with gen_weights, gen_biases, rec_weights and rec_biases; a sample is the states of all layers.
"""

import itertools
from types import SimpleNamespace

import numpy as np

NAMES = ("gen_weights", "gen_biases", "rec_weights", "rec_biases")


def doubles(machine):
    return SimpleNamespace(**{name: [np.array(a, np.float64) for a in getattr(machine, name)] for name in NAMES})


def connections(machine, sample):
    """Give direction, level, logits of the driven layer, driving and driven states, for all that a sample comes by."""
    layers = [np.asarray(states, np.float64) for states in sample]
    top = len(layers) - 1
    for l in range(top):
        a = machine.gen_biases[l] + layers[l + 1] @ machine.gen_weights[l]
        yield "gen", l, a, layers[l + 1], layers[l]
    yield "gen", top, machine.gen_biases[top], np.zeros(0), layers[top]
    for l in range(top):
        a = machine.rec_biases[l] + layers[l] @ machine.rec_weights[l]
        yield "rec", l, a, layers[l], layers[l + 1]


def log_probability(machine, sample, direction):
    """Return log P(h, x) for "gen" and log Q(h|x) for "rec"."""
    of = [(a, driven) for to, _, a, _, driven in connections(machine, sample) if to == direction]
    return sum(float((driven * a - np.logaddexp(0, a)).sum()) for a, driven in of)


def log_weights(machine, samples):
    return np.array([log_probability(machine, s, "gen") - log_probability(machine, s, "rec") for s in samples])


def softmax(logs):
    shares = np.exp(logs - logs.max())
    return shares / shares.sum()


def updated(machine, samples, rates, recognition=False, weights=None):
    """Return what a machine is after an update: every gradient is that at its parameters before."""
    before, after = doubles(machine), doubles(machine)
    if weights is None:
        weights = softmax(log_weights(before, samples))
    for weight, sample in zip(weights, samples, strict=True):
        for direction, l, a, driving, driven in connections(before, sample):
            if direction == "gen" or recognition:
                delta = rates[l] * weight * (driven - 1 / (1 + np.exp(-a)))
                getattr(after, f"{direction}_biases")[l] += delta
                if len(driving):
                    getattr(after, f"{direction}_weights")[l] += np.outer(driving, delta)
    return after


def all_samples(layer_sizes, x):
    """Return all samples of an input."""
    hidden = [list(itertools.product((0, 1), repeat=n)) for n in layer_sizes[1:]]
    return [[list(x), *map(list, layers)] for layers in itertools.product(*hidden)]


def choices(machine, layer_sizes, x, n_samples):
    """Give all that n_samples representations of x can be, and how likely."""
    machine = doubles(machine)
    samples = all_samples(layer_sizes, x)
    q = [np.exp(log_probability(machine, sample, "rec")) for sample in samples]
    for chosen in itertools.product(range(len(samples)), repeat=n_samples):
        yield [samples[i] for i in chosen], float(np.prod([q[i] for i in chosen]))


def bound(machine, choices_of_x):
    """Return E[log mean_k w_k], the choices and their probabilities being given."""
    machine, total = doubles(machine), 0.0
    for samples, probability in choices_of_x:
        logs = log_weights(machine, samples)
        total += probability * (logs.max() + np.log(np.mean(np.exp(logs - logs.max()))))
    return total
