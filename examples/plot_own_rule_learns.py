"""
Watch a rule of your own learn
==============================
`Simulation` takes the rules that `check_update_rule` takes, in the place of equation 4, of equation 7 or of both. Here
recognition learns nothing, learns the wrong way round, or forgets as it learns, beside wake-sleep on the bars.
"""

# %%
# A rule for one connection changes its weights and biases in place. Numba's `@njit` compiles it, and `connection_rule`
# makes a rule of it that a run calls in compiled code. The sixth argument, which may be left out, has the probabilities
# of the driven units by equation 1.
import matplotlib.pyplot as plt
import numpy as np
from numba import njit

import fastws
from fastws.rules import connection_rule
from fastws.testing import BrokenProperty, check_update_rule


@njit
def delta_rule(weights, biases, driving, driven, rate, probabilities):
    for v in range(len(driven)):
        delta = rate * (driven[v] - probabilities[v])
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


@njit
def nothing(weights, biases, driving, driven, rate): ...


@njit
def wrong_sign(weights, biases, driving, driven, rate, probabilities):
    delta_rule(weights, biases, driving, driven, -rate, probabilities)


@njit
def forgetful(weights, biases, driving, driven, rate, probabilities):
    for u in range(len(driving)):
        for v in range(len(driven)):
            weights[u, v] -= rate * weights[u, v] * np.float32(0.01)
    delta_rule(weights, biases, driving, driven, rate, probabilities)


RULES = {kernel.__name__: connection_rule(kernel, "sleep") for kernel in (delta_rule, nothing, wrong_sign, forgetful)}

# %%
# The check finds what is the matter with each of them; the delta rule passes.
for name, rule in RULES.items():
    try:
        check_update_rule(rule, phase="sleep", max_examples=10)
    except BrokenProperty as broken:
        print(f"{name} breaks the property {broken.property_name}")

# %%
# Whether it matters is another question, and the runs answer it. They differ in the rule only: they have the same
# images in the same order and the same random numbers. The delta rule ends where the built-in one does. Without
# recognition that learns, or where it forgets a hundredth of each weight, generation has nothing to go by.
N, POINTS, bars = 300_000, 30, fastws.Bars()


def new_run(sleep_rule):
    machine = fastws.Machine([16, 8, 1])
    machine.gen_biases[1][:] = -3
    return fastws.Simulation(machine, bars, [(N, (0.2, 0.001, 0.001))], True, sleep_rule=sleep_rule)


def divergence(run):
    return fastws.exact.report(run.machine, *bars.distribution()).asymmetric_divergence_bits


runs = {"wake-sleep": new_run(None)} | {name: new_run(rule) for name, rule in RULES.items()}
curves = {name: [divergence(run.advance(N // POINTS)) for _ in range(POINTS)] for name, run in runs.items()}
assert max(curves[name][-1] for name in ("wake-sleep", "delta_rule")) < 1
assert min(curves[name][-1] for name in ("nothing", "wrong_sign", "forgetful")) > 3

# %%
# A compiled rule that is given the probabilities takes two to three times as long as the built-in one, and some seconds
# to compile in each process. One in Python takes its own time and some 25 µs an example. `save` keeps the name of a
# rule; whoever loads the run gives the rule, as ``Simulation.load(path, sleep_rule=rule)``, and gets the same bits.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", width_ratios=(1, 1.1))
examples = np.linspace(N / POINTS, N, POINTS) / 1000
for name, curve in curves.items():
    dots = {"linestyle": ":", "linewidth": 4} if name == "delta_rule" else {}
    left.plot(examples, curve, label=name.replace("_", " "), **dots)
left.set(xlabel="thousands of examples seen", ylabel="KL(data ‖ model) in bits", yscale="log")
left.legend(loc=(0.6, 0.3))
del runs["delta_rule"]  # like the first
weights = np.stack([run.machine.gen_weights[0].reshape(8, 4, 4) for run in runs.values()])
weights /= weights.max(axis=(1, 2, 3), keepdims=True)
framed = np.pad(weights, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.5)
right.imshow(framed.swapaxes(1, 2).reshape(4 * 6, 8 * 6), cmap="gray")
right.set(xticks=[], title="generative weights of the hidden units")
right.set_yticks(2.5 + 6 * np.arange(4), [name.replace("_", " ") for name in runs])
plt.show()
