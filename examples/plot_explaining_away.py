"""
Explaining away, and how the wake phase avoids it (Eq 8)
========================================================
The units of a layer choose independently, so recognition cannot say "a or b, but not both". This is not fatal: the wake
phase bends the generative model until its posterior distribution is nearly factorial, and the KL penalty goes away.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws

# %%
# Two rare causes, a and b, either of which turns the input on. When it is on, one of them is there, hardly ever both.
machine = fastws.Machine([1, 2])
machine.gen_biases[1][:] = -3
machine.gen_weights[0][:] = 18
machine.gen_biases[0][:] = -9
on = [[1]]

# %%
# Twenty thousand fantasies teach recognition all it can say: each cause is there half of the time, whatever the other
# does. Half of its choices are then "neither" or "both", which are dear. That is the KL penalty, last term of Eq 8.
for seed in range(20_000):
    fastws.sleep_step(machine, 0.1 if seed < 10_000 else 0.01, seed=seed)
before = fastws.exact.posterior(machine, on)[0], fastws.exact.recognition_distribution(machine, on)[0]
penalty = fastws.exact.kl_penalty_bits(machine, on)[0]
assert before[0][1] + before[0][2] > 0.9
np.testing.assert_allclose(before[1], 0.25, atol=0.08)
assert penalty > 1

# %%
# Now wake and sleep steps together, on data that the machine already describes as well as can be: on in one of eleven.
# The probability of the data stays as it was. What changes is how the model explains them.
p_on = 2 ** -fastws.exact.neg_log_prob_bits(machine, on)[0]
data = np.arange(1000)[:, np.newaxis] < 1000 * p_on
fastws.Simulation(machine, fastws.Images(data), [(200_000, 0.02), (200_000, 0.002)], seed=0).advance()
after = fastws.exact.posterior(machine, on)[0], fastws.exact.recognition_distribution(machine, on)[0]
penalty_after = fastws.exact.kl_penalty_bits(machine, on)[0]
assert abs(2 ** -fastws.exact.neg_log_prob_bits(machine, on)[0] - p_on) < 0.02
assert penalty_after < 0.1 * penalty

# %%
# The same happens in the paper's run on the bars. The penalty grows as the net begins to use its hidden units, and then
# falls to about 0.08 bits.
bars = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
net = fastws.Machine([16, 8, 1])
net.gen_biases[1][:] = -3.0
run = fastws.Simulation(net, bars, [(2_000_000, (0.2, 0.001, 0.001))], nonnegative_input_weights=True, seed=1)
seen = np.unique(np.geomspace(100, 2_000_000, 60).astype(int))
penalties = []
for n in seen:
    run.advance(n - run.examples_seen)
    penalties.append(fastws.exact.report(net, *bars.distribution()).kl_penalty_bits)
assert max(penalties) > 4 * penalties[-1]
assert penalties[-1] < 0.12

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", width_ratios=[2, 2, 3])
for ax, pair, words in ((left, before, f"{penalty:.2f}"), (middle, after, f"{penalty_after:.2f}")):
    ax.bar(np.arange(4) - 0.2, pair[0], 0.4, label="posterior P", color="0.6")
    ax.bar(np.arange(4) + 0.2, pair[1], 0.4, label="recognition Q", color="#0072b2")
    ax.set_xticks(range(4), ["neither", "b", "a", "both"])
    ax.set(ylim=(0, 1.05), xlabel=f"KL penalty {words} bits")
left.set(title="what recognition cannot say", ylabel="probability, the input being on")
left.legend(frameon=False)
middle.set(title="after the wake phase")
right.semilogx(seen, penalties, color="#d55e00")
right.axhline(0.08, color="0.5", linestyle="--", linewidth=1)
right.annotate("the paper: 0.08", (seen[0], 0.08), (0, 4), textcoords="offset points", color="0.35")
right.set(title="learning the bars", xlabel="examples seen", ylabel="KL penalty, bits", ylim=(0, None))
for ax in fig.axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
