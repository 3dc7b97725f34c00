"""The oracle of softmax groups: their equations with nothing but NumPy, in float64.

A machine is anything with layer_sizes, groups, gen_weights, gen_biases, rec_weights and rec_biases. `layers` are the
states of all layers, input first. Costs are in nats.
"""

import itertools

import numpy as np

NAMES = ("gen_weights", "gen_biases", "rec_weights", "rec_biases")


def parameters(machine):
    """Return copies of a machine's parameters in float64, a list a name."""
    return {name: [np.array(array, np.float64) for array in getattr(machine, name)] for name in NAMES}


def probabilities(logits, size):
    """Return the probabilities of units that are on: Eq 1, or exp(a) / Σ exp(a) over each group."""
    logits = np.asarray(logits, np.float64)
    if size == 1:
        return np.exp(-np.logaddexp(0, -logits))
    groups = np.exp(logits.reshape(-1, size) - logits.reshape(-1, size).max(axis=1, keepdims=True))
    return (groups / groups.sum(axis=1, keepdims=True)).ravel()


def cost(logits, states, size):
    """Return what the states of a layer cost: Eq 2, or log Σ exp(a) - a of the unit that is on in each group."""
    logits, states = np.asarray(logits, np.float64), np.asarray(states)
    if size == 1:
        return float((np.logaddexp(0, logits) - states * logits).sum())
    groups = logits.reshape(-1, size)
    return float(np.logaddexp.reduce(groups, axis=1).sum() - logits @ states)


def states_of_layer(n, size):
    """Return all states of a layer, the last group changing fastest, and of a group the first unit first."""
    if size == 1:
        return [np.array(states) for states in itertools.product((0, 1), repeat=n)]
    return [np.concatenate(units) for units in itertools.product(np.eye(size, dtype=int), repeat=n // size)]


def representations(machine):
    """Return all total representations, the top layer changing fastest."""
    layers = zip(machine.layer_sizes[1:], machine.groups[1:], strict=True)
    return list(itertools.product(*(states_of_layer(n, size) for n, size in layers)))


def generative_logits(p, layers, level):
    if level == len(layers) - 1:
        return p["gen_biases"][level]
    return np.asarray(layers[level + 1]) @ p["gen_weights"][level] + p["gen_biases"][level]


def recognition_logits(p, layers, level):
    return np.asarray(layers[level]) @ p["rec_weights"][level] + p["rec_biases"][level]


def description_length(p, groups, layers):
    """C(α, d), Eq 3."""
    return sum(cost(generative_logits(p, layers, l), states, groups[l]) for l, states in enumerate(layers))


def surprise(p, groups, layers):
    """-log Q(α|d)."""
    above = list(enumerate(layers))[1:]
    return sum(cost(recognition_logits(p, layers, l - 1), states, groups[l]) for l, states in above)


def wake_update(p, groups, layers, rates, nonnegative=False):
    """Apply Eq 4 in place: Δw_uv = ε s_u (s_v - p_v)."""
    for level, states in enumerate(layers):
        delta = rates[level] * (states - probabilities(generative_logits(p, layers, level), groups[level]))
        p["gen_biases"][level] += delta
        if level < len(layers) - 1:
            p["gen_weights"][level] += np.outer(layers[level + 1], delta)
    if nonnegative:
        p["gen_weights"][0] = np.maximum(p["gen_weights"][0], 0)


def sleep_update(p, groups, layers, rates):
    """Apply Eq 7 in place."""
    for level, states in enumerate(layers[1:]):
        delta = rates[level] * (states - probabilities(recognition_logits(p, layers, level), groups[level + 1]))
        p["rec_biases"][level] += delta
        p["rec_weights"][level] += np.outer(layers[level], delta)


def draw(logits, size, t):
    """Draw a layer by logistic variates t: a unit is on where a > t, or where a - log(-log σ(t)) is the largest."""
    logits, t = np.asarray(logits, np.float64), np.asarray(t, np.float64)
    if size == 1:
        assert np.abs(logits - t).min() > 1e-5, "float32 might have decided otherwise; take another seed"
        return (logits > t).astype(int)
    race = (logits - np.log(-np.log(1 / (1 + np.exp(-t))))).reshape(-1, size)
    ahead = np.sort(race, axis=1)
    assert (ahead[:, -1] - ahead[:, -2]).min() > 1e-5, "float32 might have decided otherwise; take another seed"
    return np.eye(size, dtype=int)[race.argmax(axis=1)].ravel()


def recognise(p, groups, d, t):
    """Return the states of all layers, and the draws that are left."""
    layers, t = [np.asarray(d)], list(t)
    for level, biases in enumerate(p["rec_biases"]):
        own, t = t[: len(biases)], t[len(biases) :]
        layers.append(draw(recognition_logits(p, layers, level), groups[level + 1], own))
    return layers, t


def fantasise(p, groups, t):
    """Return the states of all layers, and the draws that are left."""
    layers, t = [None] * len(groups), list(t)
    for level in reversed(range(len(groups))):
        own, t = t[: len(p["gen_biases"][level])], t[len(p["gen_biases"][level]) :]
        layers[level] = draw(generative_logits(p, layers, level), groups[level], own)
    return layers, t
