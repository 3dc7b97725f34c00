"""
Two alternatives of 4 bits cost 3 bits together (Eqs 5 and 6)
=============================================================
If an input can be described in two ways that cost 4 bits each, describing it costs only 3 bits, provided that both are
used equally often: the choice between them carries a bit of its own. If one way is dearer than the other, the best
frequencies are those of the Boltzmann distribution.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws

# %%
# One hidden unit, three input units, and nothing learned: every unit is on or off with a probability of one half. An
# input has two representations, the hidden unit being on or off, and each costs 1 bit for that unit and 3 bits for the
# inputs. The recognition bias decides how often the unit is on.
machine = fastws.Machine([3, 1])
d = [[1, 0, 1]]
chosen = np.linspace(0.001, 0.999, 999)  # Q(the unit is on | d)


def cost_of_choosing(machine):
    """Return the description length (Eq 3) and the free energy (Eq 5), in bits, for each probability of choosing."""
    curves = []
    for q in chosen:
        machine.rec_biases[0][0] = np.log(q / (1 - q))
        measures = fastws.exact.description_length_bits, fastws.exact.free_energy_bits
        curves.append([measure(machine, d)[0] for measure in measures])
    return np.transpose(curves)


# %%
# A generative bias of log 3 makes "on" cheap, 3.4 bits in all, and "off" dear, 5 bits. The Boltzmann distribution, the
# posterior of Eq 6, then chooses "on" three times out of four.
biased = fastws.Machine([3, 1])
biased.gen_biases[1][0] = np.log(3)

fig, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
for ax, net, words in zip(panels, (machine, biased), ("4 bits and 4 bits", "5 bits and 3.4 bits"), strict=True):
    length, free_energy = cost_of_choosing(net)
    p_on = fastws.exact.posterior(net, d)[0, 1]
    least = free_energy.min()
    # The best probability of choosing is that of Eq 6, and what is left then is -log2 P(d): 3 bits.
    assert abs(chosen[free_energy.argmin()] - p_on) < 0.001
    assert abs(least - fastws.exact.neg_log_prob_bits(net, d)[0]) < 1e-5
    assert abs(least - 3) < 1e-5
    ax.plot(chosen, length, color="0.5", label="description length, Eq 3")
    ax.plot(chosen, free_energy, color="#0072b2", label="free energy, Eq 5")
    ax.plot(p_on, least, "o", color="#d55e00", label="Boltzmann distribution, Eq 6")
    ax.annotate(f"{least:.2f} bits at {p_on:.2f}", (p_on, least), (0, -16), textcoords="offset points", ha="center")
    ax.set(title=f"alternatives of {words}", xlabel="probability of choosing the second alternative")
    ax.spines[["top", "right"]].set_visible(False)
panels[0].set(ylabel="bits", ylim=(2.7, 5.3))
panels[0].legend(frameon=False, loc="upper left")
plt.show()
