"""The oracle where parameters differ by many orders: logits are exact fractions, and all else has 150 decimal digits.

A machine, and everything else, is as in naive.py.
"""

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import naive

DIGITS = Context(prec=150)


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def softplus(a):
    return max(a, Decimal(0)) + (1 + (-abs(a)).exp()).ln()


def cost(weights, biases, driving, driven):
    """Return the cost of a layer, Eq 2 summed over its units."""
    total = Decimal(0)
    for v, state in enumerate(driven):
        logit = Fraction(biases[v]) + sum((Fraction(weights[u][v]) for u, on in enumerate(driving) if on), Fraction(0))
        total += softplus(decimal(-logit if state else logit))
    return total


def description_length(machine, alpha, d):
    """C(alpha, d), Eq 3."""
    layers = [d, *alpha]
    levels = zip(machine.gen_weights, machine.gen_biases, strict=False)
    own = [cost(w, b, layers[level + 1], layers[level]) for level, (w, b) in enumerate(levels)]
    return sum(own, cost([], machine.gen_biases[-1], [], layers[-1]))


def surprise(machine, alpha, d):
    """-log Q(alpha|d)."""
    layers = [d, *alpha]
    levels = zip(machine.rec_weights, machine.rec_biases, strict=True)
    return sum(cost(w, b, layers[level], layers[level + 1]) for level, (w, b) in enumerate(levels))


def measures(machine, d):
    """Return every measure of an input in bits, by the names of fastws.exact, and both distributions, in floats."""
    with localcontext(DIGITS):
        alphas = naive.representations(machine)
        lengths = [description_length(machine, alpha, d) for alpha in alphas]
        surprises = [surprise(machine, alpha, d) for alpha in alphas]
        least = min(lengths)
        log_p = sum((least - length).exp() for length in lengths).ln() - least
        q = [(-own).exp() for own in surprises]
        length = sum(share * own for share, own in zip(q, lengths, strict=True))
        entropy = sum(share * own for share, own in zip(q, surprises, strict=True))
        bits = {
            "neg_log_prob_bits": -log_p,
            "description_length_bits": length,
            "recognition_entropy_bits": entropy,
            "free_energy_bits": length - entropy,
            "kl_penalty_bits": length - entropy + log_p,
        }
        found = {name: float(nats / Decimal(2).ln()) for name, nats in bits.items()}
        found["posterior"] = [float((-length - log_p).exp()) for length in lengths]
        found["recognition_distribution"] = [float(share) for share in q]
        return found
