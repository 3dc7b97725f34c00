"""
What the top units of digit nets do (Figure 2)
==============================================
A net that has learned a digit dreams of it. Held off or on, a unit of its top layer shows what it stands for: a way of
writing the digit. All other random numbers are the same for both, so that only the unit makes the difference.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws import datasets

# %%
# The nets of note [16], 64-16-16-4, one a digit, on the digits of scikit-learn.
data = datasets.load_bundled()
nets = []
for digit in range(10):
    images = data.x_train[data.y_train == digit]
    nets.append(fastws.Machine([64, 16, 16, 4]))
    fastws.Simulation(nets[-1], fastws.Images(images), [(500 * len(images), 0.01)], seed=0).advance()

# %%
# By how much does a top unit change the probability of each pixel? Nothing drives the top layer, so holding a unit on
# is the same as asking for the fantasies in which it happens to be on: the two means, weighted by how often the unit is
# on (Eq 1), have to make the mean of all fantasies.
TOP, N = 3, 10_000


def effects(net):
    """Return the effects of the units of the top layer on the pixels, shape (4, 64)."""
    everything = net.fantasies(N).mean(axis=0)
    found = []
    for unit, bias in enumerate(net.gen_biases[TOP]):
        off, on = (net.fantasies(N, clamp={(TOP, unit): state}).mean(axis=0) for state in (0, 1))
        p_on = 1 / (1 + np.exp(-bias))
        np.testing.assert_allclose(p_on * on + (1 - p_on) * off, everything, atol=0.03)
        found.append(on - off)
    return np.array(found)


changes = np.array([effects(net) for net in nets])  # digits, units, pixels
strength = np.abs(changes).max(axis=2)
units = strength.argmax(axis=1)

# %%
# The five digits whose top layer decides most. A row a digit: eight fantasies with the unit off, the same eight with it
# on, and the difference that it makes on average. Purple is ink that the unit adds, orange ink that it takes away.
chosen = np.sort(np.argsort(-strength.max(axis=1))[:5])
assert strength[chosen].max(axis=1).min() > 0.25
fig = plt.figure(figsize=(10, 3.8), layout="constrained")
grid = fig.add_gridspec(5, 3, width_ratios=[8, 8, 1.1])
for row, digit in enumerate(chosen):
    clamps = [{(TOP, int(units[digit])): state} for state in (0, 1)]
    sheets = []
    for clamp in clamps:
        images = nets[digit].fantasies(8, seed=1, clamp=clamp).reshape(8, 8, 8).astype(float)
        sheets.append(np.hstack(np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=0.5)))
    for column, (sheet, title) in enumerate(zip(sheets, ("the unit off", "the unit on"), strict=True)):
        ax = fig.add_subplot(grid[row, column], xticks=[], yticks=[], title="" if row else title)
        ax.imshow(sheet, cmap="gray", vmin=0, vmax=1)
        if column == 0:
            ax.set_ylabel(f"{digit}", rotation=0, fontsize=14, ha="right", va="center")
    ax = fig.add_subplot(grid[row, 2], xticks=[], yticks=[], title="" if row else "effect")
    ax.imshow(changes[digit, units[digit]].reshape(8, 8), cmap="PuOr", vmin=-0.6, vmax=0.6)
plt.show()
