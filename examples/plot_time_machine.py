"""
Time machine
============

What is drawn for an example depends on the seed and the example's number alone. So a run can be seen again at any of
its examples, to the bit, and gone on with from there in another way: here the bars, from example 5,000 on, at a
twentieth of the learning rate.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws.history import History, branch

bars = fastws.Bars()
machine = fastws.Machine([16, 8, 1])
machine.gen_biases[1][:] = -3.0
history = History(fastws.Simulation(machine, bars, [(100_000, (0.2, 0.001, 0.001))], True, seed=1)).advance()

# %%
# Any example again
# -----------------
# A few snapshots and what is learned again from the nearest one make this a matter of milliseconds.
distribution = bars.distribution()


def divergence_bits(run):
    return fastws.exact.report(run.machine, *distribution).asymmetric_divergence_bits


examples = np.unique(np.geomspace(100, 100_000, 40).astype(int))
first = [divergence_bits(history.at(example)) for example in examples]

# %%
# And on from there
# -----------------
# A branch leaves the run that it comes from as it is, and has a history of its own.
other = History(branch(history.at(5_000), [(95_000, (0.01, 0.001, 0.001))])).advance()
later = examples[examples >= 5_000]
second = [divergence_bits(other.at(example)) for example in later]

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.semilogx(examples, first, label="as it was")
axes.semilogx(later, second, label="from example 5,000 on at a twentieth of the rate")
axes.set(xlabel="examples", ylabel="KL(data ‖ model) [bits]", ylim=(0, None))
axes.legend()

# %%
# The same example twice is the same machine; the branch is another one.
same = history.at(50_000), history.at(50_000)
assert all((a == b).all() for a, b in zip(same[0].machine.gen_weights, same[1].machine.gen_weights, strict=True))
assert (other.at(50_000).machine.gen_weights[0] != same[0].machine.gen_weights[0]).any()
plt.show()
