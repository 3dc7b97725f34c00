"""The oracle: the paper's equations term by term, slow and obvious, with nothing but the standard library.

A machine is anything with layer_sizes, gen_weights, gen_biases, rec_weights and rec_biases, indexed [level][u][v] and
[level][v]. A total representation alpha is a tuple of the states of the hidden layers, the first hidden layer first.
Costs are in nats unless a name ends in _bits.
"""

import itertools
import math
from types import SimpleNamespace


def parameters(machine):
    """Return a copy of a machine whose parameters are nested lists of Python floats."""
    return SimpleNamespace(
        layer_sizes=tuple(machine.layer_sizes),
        gen_weights=[[[float(w) for w in row] for row in weights] for weights in machine.gen_weights],
        gen_biases=[[float(b) for b in biases] for biases in machine.gen_biases],
        rec_weights=[[[float(w) for w in row] for row in weights] for weights in machine.rec_weights],
        rec_biases=[[float(b) for b in biases] for biases in machine.rec_biases],
    )


# One unit, one layer.


def softplus(a):
    return max(a, 0.0) + math.log1p(math.exp(-abs(a)))


def probability(logit):
    """Eq 1."""
    return math.exp(-softplus(-logit))


def cost(logit, state):
    """Eq 2."""
    return softplus(-logit) if state else softplus(logit)


def logits(weights, biases, driving):
    return [
        math.fsum([float(bias), *(float(weights[u][v]) for u, state in enumerate(driving) if state)])
        for v, bias in enumerate(biases)
    ]


def layer_costs(weights, biases, driving, driven):
    return [cost(a, s) for a, s in zip(logits(weights, biases, driving), driven, strict=True)]


# A total representation.


def representations(machine):
    """Return all total representations; the last unit of the top layer changes fastest."""
    layers = [list(itertools.product((0, 1), repeat=int(n))) for n in machine.layer_sizes[1:]]
    return list(itertools.product(*layers))


def description_length(machine, alpha, d):
    """C(alpha, d), Eq 3."""
    layers = [tuple(d), *alpha]
    costs = layer_costs([], machine.gen_biases[-1], [], layers[-1])
    for level in range(len(alpha)):
        weights, biases = machine.gen_weights[level], machine.gen_biases[level]
        costs += layer_costs(weights, biases, layers[level + 1], layers[level])
    return math.fsum(costs)


def log_recognition(machine, alpha, d):
    """log Q(alpha|d)."""
    layers = [tuple(d), *alpha]
    costs = []
    for level in range(len(alpha)):
        weights, biases = machine.rec_weights[level], machine.rec_biases[level]
        costs += layer_costs(weights, biases, layers[level], layers[level + 1])
    return -math.fsum(costs)


def log_prob(machine, d):
    """log P(d), by the largest term of the sum over alpha and the ratios to it."""
    costs = [description_length(machine, alpha, d) for alpha in representations(machine)]
    least = min(costs)
    return math.log(math.fsum(math.exp(least - c) for c in costs)) - least


# An input, all representations.


def posterior(machine, d):
    """Eq 6, a list in the order of representations(machine)."""
    log_p = log_prob(machine, d)
    return [math.exp(-description_length(machine, alpha, d) - log_p) for alpha in representations(machine)]


def recognition_distribution(machine, d):
    """Q(alpha|d), a list in the order of representations(machine)."""
    return [math.exp(log_recognition(machine, alpha, d)) for alpha in representations(machine)]


def recognition_mean(machine, d, function):
    """Return the mean of function(alpha) under Q(alpha|d)."""
    pairs = zip(representations(machine), recognition_distribution(machine, d), strict=True)
    return math.fsum(q * function(alpha) for alpha, q in pairs if q > 0)


def in_bits(nats):
    return nats / math.log(2)


def neg_log_prob_bits(machine, d):
    return in_bits(-log_prob(machine, d))


def description_length_bits(machine, d):
    """The first term of Eq 5."""
    return in_bits(recognition_mean(machine, d, lambda alpha: description_length(machine, alpha, d)))


def recognition_entropy_bits(machine, d):
    """The second term of Eq 5."""
    return in_bits(recognition_mean(machine, d, lambda alpha: -log_recognition(machine, alpha, d)))


def free_energy_bits(machine, d):
    """Eq 5."""
    return description_length_bits(machine, d) - recognition_entropy_bits(machine, d)


def kl_penalty_bits(machine, d):
    """The last term of Eq 8."""
    log_p = log_prob(machine, d)

    def log_ratio(alpha):
        return log_recognition(machine, alpha, d) + description_length(machine, alpha, d) + log_p

    return in_bits(recognition_mean(machine, d, log_ratio))


# Learning: one example, given the states of all layers, input first.


def delta_rule(weights, biases, driving, driven, rate):
    """Change one connection in place by Eq 4 or Eq 7, which are the same; a bias is the weight of a unit always on."""
    for v, logit in enumerate(logits(weights, biases, driving)):
        error = rate * (driven[v] - probability(logit))
        biases[v] += error
        for u, state in enumerate(driving):
            weights[u][v] += state * error


def wake_update(machine, states, rates, nonnegative=False):
    """Apply Eq 4 to every generative parameter of parameters(machine); return it."""
    for level, weights in enumerate(machine.gen_weights):
        delta_rule(weights, machine.gen_biases[level], states[level + 1], states[level], rates[level])
    delta_rule([], machine.gen_biases[-1], [], states[-1], rates[-1])
    if nonnegative:
        machine.gen_weights[0] = [[max(w, 0.0) for w in row] for row in machine.gen_weights[0]]
    return machine


def sleep_update(machine, states, rates):
    """Apply Eq 7 to every recognition parameter of parameters(machine); return it."""
    for level, weights in enumerate(machine.rec_weights):
        delta_rule(weights, machine.rec_biases[level], states[level], states[level + 1], rates[level])
    return machine
