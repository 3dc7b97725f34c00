"""
A rule of your own
==================
Wake-sleep is two local rules. Perhaps you have a better one. Write it down, let `check_update_rule` find the mistake in
it, and see it learn the bars.

A rule is a function of three arguments that changes a machine after one example. It is given the states of all layers,
input first, and a learning rate for each level; it draws no random numbers. A *wake* rule changes the generative
parameters, a *sleep* rule the recognition parameters. That is all there is to the protocol.
"""

# %%
# Write one
# ---------
# Here is the paper's wake rule, Eq 4, from memory: each layer is driven by the one above it, and a weight learns by the
# error of the unit it goes to, if the unit it comes from is on. Three lines, and one of them is wrong.
import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws.testing import PROPERTIES, BrokenProperty, check_update_rule


def logistic(a):
    return 1 / (1 + np.exp(-a))


def from_memory(machine, states, rates):
    for level, (driven, driving) in enumerate(zip(states, states[1:], strict=False)):
        error = driven - logistic(driving @ machine.gen_weights[level] + machine.gen_biases[level])
        machine.gen_weights[level] += rates[level] * np.outer(driving, error)
        machine.gen_biases[level] += rates[level] * error


# %%
# Watch the check catch it
# ------------------------
# The rule is tried on machines that Hypothesis draws. A failure names the property that is broken, and shows the smallest
# machine that breaks it, with the numbers.
try:
    check_update_rule(from_memory, phase="wake")
except BrokenProperty as broken:
    failure = broken
print(failure)

# %%
# It is the top layer. Nothing drives it, but it has biases, which the loop never came to: the rule follows the gradient
# of the description length in every parameter but those. A net that learned by it would not find out how often its
# causes occur, and nothing else would look wrong.
assert failure.property_name == "gradient"


def wake(machine, states, rates):
    from_memory(machine, states, rates)
    machine.gen_biases[-1] += rates[-1] * (states[-1] - logistic(machine.gen_biases[-1]))


check_update_rule(wake, phase="wake")

# %%
# Silence is praise: twelve properties hold. :data:`fastws.testing.PROPERTIES` lists them, and a thirteenth for rules
# that take `nonnegative_input_weights`.
#
# Change it
# ---------
# Now something that is not in the paper. Suppose that a unit should learn only where it is really wrong: an error of
# less than a tenth counts as none. Does that still follow the gradient? Of course not, and the check says so; but it
# may keep other properties, and `properties=` asks for those alone.


def with_tolerance(machine, states, rates):
    for level, driven in enumerate(states):
        error = driven - logistic(machine.gen_biases[level] + drive(machine, states, level))
        error[np.abs(error) < 0.1] = 0
        machine.gen_biases[level] += rates[level] * error
        if level + 1 < len(states):
            machine.gen_weights[level] += rates[level] * np.outer(states[level + 1], error)


def drive(machine, states, level):
    return states[level + 1] @ machine.gen_weights[level] if level + 1 < len(states) else 0


kept, given_up = [], []
for name in PROPERTIES:
    try:
        check_update_rule(with_tolerance, phase="wake", properties=[name])
        kept.append(name)
    except BrokenProperty:
        given_up.append(name)
print("keeps   ", *kept)
print("gives up", *given_up)
assert "gradient" in given_up
assert "locality" in kept
