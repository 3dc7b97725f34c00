"""
Principal components and competitive learning, in bits (note 7)
===============================================================
Both can be seen as minimum description length with one hidden layer: principal components analysis ignores what the
hidden activities cost, competitive learning sends which unit won. With everything paid for, both need more bits for the
digits than a net that wake-sleep has trained.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

import fastws
from fastws import datasets

data = datasets.load_bundled()
train, test = data.x_train.astype(float), data.x_test.astype(float)


# %%
# A Gaussian codes a number to a stated precision, by the probability of the interval around it. Pixels are 0 or 1, so
# their precision is 1. All share one width, the one that costs least on the training images.
def gaussian_bits(values, width, precision):
    """Return the cost of each row of numbers under zero-mean Gaussians."""
    interval = ndtr((values + precision / 2) / width) - ndtr((values - precision / 2) / width)
    return -np.log2(np.maximum(interval, 1e-300)).sum(axis=1)


def error_bits(reconstruct):
    """Return the mean cost of the reconstruction errors of a test image."""
    errors = train - reconstruct(train)
    width = min(np.linspace(0.15, 0.6, 19), key=lambda width: gaussian_bits(errors, width, 1).sum())
    return gaussian_bits(test - reconstruct(test), width, 1).mean()


# %%
# Principal components: the reconstruction is made from activities that are rounded to whole numbers, and these are sent
# by Gaussians of the components' own widths, to that same precision of 1.
numbers = [1, 2, 4, 8, 16, 32, 64]
components, activities = [], []
for n in numbers:
    pca = PCA(n).fit(train)
    components.append(error_bits(lambda x, pca=pca: pca.inverse_transform(np.round(pca.transform(x)))))
    widths = np.sqrt(pca.explained_variance_ + 1e-12)
    activities.append(gaussian_bits(np.round(pca.transform(test)), widths, 1).mean())

# %%
# Competitive learning: the winner is sent by how often it wins, its weight vector is the reconstruction. With more than
# a hundred clusters, for 1200 images to learn from, the cost of images never seen rises again.
clusters, winners = [], []
for n in numbers:
    means = KMeans(n, n_init=1, random_state=0).fit(train)
    clusters.append(error_bits(lambda x, means=means: means.cluster_centers_[means.predict(x)]))
    wins = np.bincount(means.labels_, minlength=n) + 1
    winners.append(-np.log2(wins / wins.sum())[means.predict(test)].mean())

# %%
# Wake-sleep, on the same images: the free energy pays for everything.
machine = fastws.Machine([64, 32, 16, 8])
fastws.Simulation(machine, fastws.Images(data.x_train), [(300_000, 0.05), (300_000, 0.01)], seed=0).advance()
wake_sleep = fastws.estimate.free_energy_bits(machine, data.x_test).mean()
totals = np.add(components, activities), np.add(clusters, winners)
assert min(components) < wake_sleep < min(totals[0])  # what is ignored is what makes it look cheap
assert wake_sleep < min(totals[1])

fig, ax = plt.subplots(figsize=(8.5, 4.6), layout="constrained")
pairs = [
    ("principal components", components, totals[0], "#0072b2"),
    ("competitive learning", clusters, totals[1], "#d55e00"),
]
for name, errors, total, color in pairs:
    ax.plot(numbers, total, "o-", color=color, label=f"{name}: all")
    ax.plot(numbers, errors, "o--", color=color, alpha=0.6, label=f"{name}: errors only")
ax.axhline(wake_sleep, color="0.2", label=f"wake-sleep, 64-32-16-8: free energy, {wake_sleep:.1f} bits")
ax.axhline(64, color="0.6", linestyle=":", label="pixels as they are: 64 bits")
ax.set_xscale("log", base=2)
ax.set_xticks(numbers, numbers)
ax.set(xlabel="hidden units: components, or clusters", ylabel="bits an image never seen", ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
fig.legend(loc="outside right upper", frameon=False, fontsize=9)
plt.show()
