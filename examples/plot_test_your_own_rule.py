"""
Test a rule of your own
=======================
`fastws.testing.check_update_rule` asks of a rule what the paper's rules do. A wake rule with momentum passes where it
begins at rest; once it moves, weights from silent units change too, and the check says so.
"""

# %%
# A rule changes a machine in place after one example. It is given the states of all layers, input first, and a learning
# rate a level. Momentum adds a share of the last step to each new one. The check wants rules without a memory, so the
# velocity is an argument, and the first rule to be checked begins at rest.
import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws.testing import BrokenProperty, check_update_rule

MOMENTUM = 0.5


def logistic(a):
    return 1 / (1 + np.exp(-a))


def momentum_step(machine, states, rates, velocity):
    """Eq 4 with momentum; return the new velocity, an array a level with the biases in row 0."""
    new_velocity = []
    for level, driven in enumerate(states):
        if level + 1 < len(states):
            driving, weights = states[level + 1], machine.gen_weights[level]
        else:  # the top layer, which nothing drives
            driving, weights = states[level][:0], np.zeros((0, len(driven)))
        biases = machine.gen_biases[level]
        delta = rates[level] * (driven - logistic(biases + driving @ weights))
        step = np.outer([1, *driving], delta)
        if velocity is not None:
            step += MOMENTUM * velocity[level]
        biases += step[0]
        weights += step[1:]
        new_velocity.append(step)
    return new_velocity


def from_rest(machine, states, rates):
    momentum_step(machine, states, rates, velocity=None)


check_update_rule(from_rest, phase="wake")

# %%
# Now the second of two steps: the machine learned from another example just before, in which every unit was on.


def second_step(machine, states, rates):
    all_on = [np.ones_like(layer) for layer in states]
    velocity = momentum_step(machine.copy(), all_on, rates, velocity=None)
    momentum_step(machine, states, rates, velocity)


try:
    check_update_rule(second_step, phase="wake")
except BrokenProperty as broken:
    failure = broken
print(failure)
assert failure.property_name == "silent_units"

# %%
# The failure is a fact about momentum: a weight goes on learning from an example that is over, although its unit is
# off. Whether that is a mistake is for the reader to say (``properties=`` chooses what is checked): bars are learned
# with and without.


def asymmetric_divergences(rule, n_examples=4000, every=300):
    bars = fastws.Bars(3)
    machine = fastws.Machine([9, 6, 1])
    machine.gen_biases[1][:] = -2
    rates, velocity, curve = (0.1, 0.02, 0.02), None, []
    for example, d in enumerate(bars.sample(n_examples, seed=1)):
        if example % every == 0:
            curve.append(fastws.exact.report(machine, *bars.distribution()).asymmetric_divergence_bits)
        states = [d, *(layer[0] for layer in machine.representations(d, seed=example))]
        velocity = rule(machine, states, rates, velocity)
        fastws.sleep_step(machine, rates, seed=example)
    return curve


def plain_step(machine, states, rates, velocity):
    fastws.wake_update(machine, states, rates)


fig, ax = plt.subplots()
for name, rule in [("Eq 4", plain_step), ("Eq 4 with momentum", momentum_step)]:
    curve = asymmetric_divergences(rule)
    assert curve[-1] < curve[0] / 2
    ax.plot(np.arange(len(curve)) * 300, curve, label=name)
ax.set(xlabel="examples seen", ylabel="KL(data ‖ model) in bits")
ax.legend()
plt.show()
