"""
Early fantasies are unlike the data, and sleep descends the other divergence (Eqs 7 and 9)
==========================================================================================
Recognition learns from fantasies, which at first have little to do with the data. And what it descends is KL(P ‖ Q),
where the free energy has KL(Q ‖ P): the one makes Q cover all that P allows, the other would have it settle for a part.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws

# %%
# The paper's run, stopped on its way. Twelve fantasies at each stop, and how far their distribution is from the data's.
bars = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
net = fastws.Machine([16, 8, 1])
net.gen_biases[1][:] = -3.0
run = fastws.Simulation(net, bars, [(2_000_000, (0.2, 0.001, 0.001))], nonnegative_input_weights=True, seed=1)
stops = [1_000, 10_000, 100_000, 2_000_000]
dreams, divergences = [], []
for n in stops:
    run.advance(n - run.examples_seen)
    dreams.append(net.fantasies(12, seed=4))
    divergences.append(fastws.exact.report(net, *bars.distribution()).asymmetric_divergence_bits)
assert divergences[0] > 20 * divergences[-1]
assert divergences[-1] < 0.10

# %%
# Eq 9 on a machine small enough to enumerate. Either of two causes turns the input on, hardly ever both. Let
# recognition choose a with probability q, and independently b with probability 1 - q.
small = fastws.Machine([1, 2])
small.gen_biases[1][:] = -3
small.gen_weights[0][:] = 18
small.gen_biases[0][:] = -9
on = [[1]]
q = np.linspace(0.001, 0.999, 999)
forward, backward = [], []
for logit in np.log(q / (1 - q)):
    small.rec_biases[0][:] = logit, -logit
    posterior, recognition = fastws.exact.posterior(small, on)[0], fastws.exact.recognition_distribution(small, on)[0]
    forward.append(posterior @ np.log2(posterior / recognition))
    backward.append(fastws.exact.kl_penalty_bits(small, on)[0])
best = q[np.argmin(forward)], q[np.argmin(backward)]
assert abs(best[0] - 0.5) < 0.01  # both causes, each half of the time
assert min(best[1], 1 - best[1]) < 0.05  # one cause alone

# %%
# The sleep rule goes where KL(P ‖ Q) is least, from either side.
for start in (-3, 3):
    small.rec_biases[0][:] = start, -start
    for seed in range(20_000):
        fastws.sleep_step(small, 0.1 if seed < 10_000 else 0.01, seed=seed)
    learned = 1 / (1 + np.exp(-(small.rec_weights[0][0] + small.rec_biases[0])))
    np.testing.assert_allclose(learned, 0.5, atol=0.1)

# %%
# Above, the dreams of the net; below, the two divergences.
fig = plt.figure(figsize=(10, 6.2), layout="constrained")
above, below = fig.subfigures(2, 1, height_ratios=[1, 1.2])
panels = above.subplots(1, 5)
images = [bars.sample(12, seed=0), *dreams]
words = ["the data", *(f"{n:,} examples\n{bits:.2f} bits away" for n, bits in zip(stops, divergences, strict=True))]
for ax, rows, title in zip(panels, images, words, strict=True):
    sheet = np.full((3 * 5 + 1, 4 * 5 + 1), 0.5)
    for i, image in enumerate(rows):
        top, left = 1 + 5 * (i // 4), 1 + 5 * (i % 4)
        sheet[top : top + 4, left : left + 4] = image.reshape(4, 4)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
ax = below.subplots()
ax.plot(q, forward, color="#0072b2", label="KL(P ‖ Q), which the sleep rule descends (Eq 9)")
ax.plot(q, backward, color="#d55e00", label="KL(Q ‖ P), in the free energy (Eq 8)")
ax.plot(best[0], min(forward), "o", color="#0072b2")
ax.plot([best[1], 1 - best[1]], [min(backward)] * 2, "o", color="#d55e00")
ax.set(xlabel="probability q of choosing a, where b is chosen with 1 - q", ylabel="bits", ylim=(0, 6))
ax.legend(frameon=False, loc="upper center")
ax.spines[["top", "right"]].set_visible(False)
plt.show()
