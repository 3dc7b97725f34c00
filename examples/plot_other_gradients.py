"""
The exact gradient, estimated, and mean field (note 5)
======================================================
"An unbiased estimate of the exact gradient is easy to obtain, but the noise in this estimate increases with the size of
the network. Alternatively, a mean-field approximation can be made." Both learn the bars here, beside wake-sleep.
"""

import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws import exact, gradients


def new_machine(size, seed=0):
    """Return a machine for bars of this size, with small random weights."""
    machine, rng = fastws.Machine([size**2, 2 * size, 1]), np.random.default_rng(seed)
    for weights in (*machine.gen_weights, *machine.rec_weights):
        weights[...] = rng.normal(0, 0.3, weights.shape)
    return machine


def flat(gradient):
    return np.concatenate([array.ravel() for array in (*gradient.rec_weights, *gradient.rec_biases)])


# %%
# The noise of the estimate from one representation an image: the mean squared length of its error, over that of the
# gradient itself, which enumeration gives. 200 estimates each of three nets of a size; the median net.
sizes, noises = [2, 3, 4, 5], []
for size in sizes:
    images, of_nets = fastws.Bars(size).sample(20), []
    for net in (new_machine(size, seed) for seed in range(3)):
        truth = flat(gradients.enumerated(net, images))
        errors = [flat(gradients.sampled(net, images, 1, seed)) - truth for seed in range(200)]
        of_nets.append(np.square(errors).sum(axis=1).mean() / (truth @ truth))
    noises.append(np.median(of_nets))
assert (np.diff(noises) > 0).all()
assert noises[-1] > 5 * noises[0]

# %%
# The bars: 120,000 examples in steps of twenty for each of the two gradients, which are plain NumPy. The unbiased one
# draws four representations an image and compares each with the others, which takes off most of the noise. Wake-sleep
# is the paper's run of two million examples, compiled; the rates of the other two were tried by hand.
bars = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
patterns, probabilities = bars.distribution()
batches = bars.sample(120_000, seed=1).reshape(-1, 20, 16)
estimated, mean_field, awake_asleep = new_machine(4), new_machine(4), fastws.Machine([16, 8, 1])
estimated.gen_biases[1][:] = mean_field.gen_biases[1][:] = -1.5
awake_asleep.gen_biases[1][:] = -3.0
schedule = [(2_000_000, (0.2, 0.001, 0.001))]
run = fastws.Simulation(awake_asleep, bars, schedule, nonnegative_input_weights=True, seed=1)
run.compile()


def descend(machine, gradient_of, first, last):
    for i in range(first // 20, last // 20):
        rates = np.multiply((2, 0.1, 0.1), 1 if i < 4200 else 0.2)
        gradients.descend(machine, gradient_of(batches[i], i), rates, nonnegative_input_weights=True)


learners = [
    lambda *ends: descend(estimated, lambda x, i: gradients.sampled(estimated, x, 4, seed=i), *ends),
    lambda *ends: descend(mean_field, lambda x, i: gradients.mean_field(mean_field, x), *ends),
    lambda first, last: run.advance(last - first),
]
names, machines = ("unbiased estimate", "mean field", "wake-sleep"), (estimated, mean_field, awake_asleep)
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", width_ratios=[1, 1.7])
left.plot(sizes, noises, "o-", color="#0072b2")
left.set(yscale="log", xticks=sizes, title="noise of the unbiased estimate")
left.set(xlabel="s, for nets of s² + 2s + 1 units", ylabel="squared error / squared gradient")
reports = {}
for name, machine, learn, color in zip(names, machines, learners, ("#0072b2", "0.5", "#d55e00"), strict=True):
    stops = [0, *(1000 * np.array([1, 2, 5, 10, 20, 50, 120, 300, 800, 2000])[: 10 if name == "wake-sleep" else 7])]
    points, seconds = [], 0.0
    for first, last in pairwise(stops):
        started = time.process_time()
        learn(first, last)
        seconds += time.process_time() - started
        reports[name] = exact.report(machine, patterns, probabilities)
        points.append((last, reports[name].asymmetric_divergence_bits))
    words = f"{name}: {last / seconds * 3.6e-6:.1f} billion examples an hour"
    right.loglog(*np.transpose(points), "o-", color=color, label=words)
right.set(title="learning the bars", xlabel="examples seen", ylabel="KL(data ‖ model), bits")
right.legend(frameon=False, fontsize=9)
plt.show()

divergences = [report.asymmetric_divergence_bits for report in reports.values()]
assert divergences[2] < 0.10 < divergences[0] < divergences[1]

# %%
# The mean-field net believes that an image costs less than the entropy of the images, which no code can do: its units
# tell in grey values what a binary state cannot. What an image really costs it is several times as much.
believed = probabilities @ gradients.mean_field_free_energy_bits(mean_field, patterns)
assert believed < reports["mean field"].data_entropy_bits < reports["mean field"].free_energy_bits / 3
