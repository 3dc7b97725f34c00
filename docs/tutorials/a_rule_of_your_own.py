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
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws.testing import PROPERTIES, BrokenProperty, check_update_rule


def logistic(a):
    return 1 / (1 + np.exp(-a))


def from_memory(machine, states, rates):
    for level, (driven, driving) in enumerate(pairwise(states)):
        error = driven - logistic(driving @ machine.gen_weights[level] + machine.gen_biases[level])
        machine.gen_weights[level] += rates[level] * np.outer(driving, error)
        machine.gen_biases[level] += rates[level] * error


# %%
# Watch the check catch it
# ------------------------
# The rule is tried on machines that Hypothesis draws. A failure names the property that is broken, and shows the
# smallest machine that breaks it, with the numbers.
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
for name in PROPERTIES.keys() - {"positivity"}:
    try:
        check_update_rule(with_tolerance, phase="wake", properties=[name])
        kept.append(name)
    except BrokenProperty:
        given_up.append(name)
print("keeps   ", *sorted(kept))
print("gives up", *sorted(given_up))
assert "gradient" in given_up
assert "locality" in kept

# %%
# Let it learn
# ------------
# A failed property is a fact about a rule, and not yet a reason against it. The question is what it learns. A
# :class:`fastws.Simulation` takes a rule of yours in the place of Eq 4 (`wake_rule`) or Eq 7 (`sleep_rule`), and all
# else stays as it is: streams, schedules, saving and resuming. In Python some ten thousand examples a second are what
# there is, so this is a small world, 3 × 3 pixels.
bars = fastws.Bars(size=3)
N_EXAMPLES, EVERY = 12_000, 1200


def new_machine():
    machine = fastws.Machine([9, 6, 1])
    machine.gen_biases[1][:] = -2
    return machine


def learning(name, **rules):
    """Return how far a machine is from the data while it learns by these rules."""
    run = fastws.Simulation(new_machine(), bars, [(N_EXAMPLES, (0.1, 0.02, 0.02))], seed=1, **rules)
    bits = []
    for _ in range(N_EXAMPLES // EVERY):
        run.advance(EVERY)
        bits.append(fastws.exact.report(run.machine, *bars.distribution()).asymmetric_divergence_bits)
    print(f"{name:28} {bits[-1]:.2f} bits from the data")
    return bits


curves = {
    "Eq 4, built in": learning("Eq 4, built in"),
    "Eq 4 in Python": learning("Eq 4 in Python", wake_rule=wake),
    "without the top's biases": learning("without the top's biases", wake_rule=from_memory),
    "with a tolerance": learning("with a tolerance", wake_rule=with_tolerance),
}
np.testing.assert_allclose(curves["Eq 4 in Python"], curves["Eq 4, built in"], atol=0.3)

# %%
# Your Eq 4 learns what the built-in one does, with the same random numbers: only rounding tells them apart.
fig, ax = plt.subplots(figsize=(6.5, 3.5), layout="constrained")
for name, bits in curves.items():
    ax.plot(EVERY * np.arange(1, len(bits) + 1), bits, label=name)
ax.set(xlabel="examples seen", ylabel="KL(data ‖ model), bits")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
plt.show()

# %%
# Fast
# ----
# A rule that needs to know one connection only, its weights and the states on both of its sides, can be compiled. It is
# written for one connection with Numba's `@njit`; `connection_rule` applies it to all of them, and the simulation then
# runs in compiled code. It must take the bits of the protocol: float32 parameters, changed in place.
from numba import njit

from fastws.testing import connection_rule


@njit
def delta_rule(weights, biases, driving, driven, rate):
    for v in range(len(driven)):
        logit = biases[v]
        for u in range(len(driving)):
            logit += driving[u] * weights[u, v]
        error = rate * (driven[v] - 1 / (1 + np.exp(-logit)))
        biases[v] += error
        for u in range(len(driving)):
            weights[u, v] += driving[u] * error


fast = connection_rule(delta_rule, phase="wake")
check_update_rule(fast, phase="wake")
paper = [(2_000_000, (0.2, 0.001, 0.001))]
machine = fastws.Machine([16, 8, 1])
machine.gen_biases[1][:] = -3
run = fastws.Simulation(machine, fastws.Bars(), paper, nonnegative_input_weights=True, seed=0, wake_rule=fast)
run.advance()
after = fastws.exact.report(machine, *fastws.Bars().distribution()).asymmetric_divergence_bits
print(f"two million examples, {after:.2f} bits from the data")

# %%
# A run with a rule of yours is saved and goes on like any other, but the file has only the rule's name:
# `fastws.Simulation.load(path, wake_rule=fast)` asks for it. Whether a rule is better is a question of many runs:
# :doc:`many_runs`.
