"""
Why not simply choose the cheapest representation? (Eq 5)
=========================================================
"It seems obvious that the recognition weights should be adjusted to maximize the probability of picking the α that
minimizes C(α, d). But this is incorrect." Recognition that learns to pick the cheapest representation has the shortest
description lengths, and yet costs more: it gives away the bits that a free choice carries.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws

# %%
# Wake-sleep learns the bars. From here on the generative model stays as it is.
bars = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
patterns, probabilities = bars.distribution()
machine = fastws.Machine([16, 8, 1])
machine.gen_biases[1][:] = -3.0
schedule = [(2_000_000, (0.2, 0.001, 0.001))]
fastws.Simulation(machine, bars, schedule, nonnegative_input_weights=True, seed=1).advance()

# %%
# Two ways to go on with recognition. One is Eq 7: recover the causes of a fantasy. The other takes an input of the data
# and learns, by the same delta rule, the representation that describes it in the fewest bits; enumeration finds that,
# since C(α, d) is least where the posterior of Eq 6 is greatest.
sleeping, picking = machine.copy(), machine.copy()
rates = (0.1, 0.1, 0.0)
cheapest = fastws.exact.representations(machine)[fastws.exact.posterior(machine, patterns).argmax(axis=1)]
drawn = np.random.default_rng(0).choice(len(patterns), size=20_000, p=probabilities)
for seed, i in enumerate(drawn):
    fastws.sleep_step(sleeping, rates, seed=seed)
    fastws.sleep_update(picking, [patterns[i], cheapest[i, :8], cheapest[i, 8:]], rates)

# %%
# Who picks has the shorter description lengths (Eq 3), but hardly any recognition entropy to take off (Eq 5).
reports = [fastws.exact.report(m, patterns, probabilities) for m in (sleeping, picking)]
assert reports[1].description_length_bits < reports[0].description_length_bits - 0.2
assert reports[1].recognition_entropy_bits < 0.1
loss = reports[1].free_energy_bits - reports[0].free_energy_bits
assert loss > 0.1

# %%
# It is lost on the blank image, which happens often and may be of either orientation. A little is gained on the full
# image, all rows or all columns: a choice between those two is beyond a factorial distribution, and picking needs none.
free_energy = [fastws.exact.free_energy_bits(m, patterns) for m in (sleeping, picking)]
lost = probabilities * (free_energy[1] - free_energy[0])
pixels_on = patterns.sum(axis=1)
kinds = {"blank": pixels_on == 0, "full": pixels_on == 16, "others": (pixels_on > 0) & (pixels_on < 16)}
by_kind = [lost[which].sum() for which in kinds.values()]
assert by_kind[0] > 0.2
assert abs(sum(by_kind) - loss) < 1e-9

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=[1.6, 1])
free = np.array([report.free_energy_bits for report in reports])
entropy = [report.recognition_entropy_bits for report in reports]
left.barh([0, 1], free, color="#0072b2", label="free energy, Eq 5")
left.barh([0, 1], entropy, left=free, color="0.8", label="recognition entropy: got back")
for place, bits in enumerate(free):
    left.text(1, place, f"{bits:.2f} bits", color="white", ha="center", va="center")
left.axvline(reports[0].neg_log_prob_bits, color="0.2", linestyle="--", linewidth=1, label="−log₂ P(d), the floor")
left.set_yticks([0, 1], ["sleep rule", "pick the\ncheapest"])
left.set(xlabel="bits an image", ylim=(2.7, -0.5), title="what an image costs")
left.legend(frameon=False, loc="lower left")
right.bar(list(kinds), by_kind, color="#d55e00", width=0.6)
right.axhline(0, color="0.2", linewidth=1)
right.set(title=f"lost by picking, {loss:.2f} bits in all, on", ylabel="bits an image")
for ax in fig.axes:
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
