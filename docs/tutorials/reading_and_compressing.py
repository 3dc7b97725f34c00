"""
Reading and compressing
=======================
What a machine that has learned is good for: it tells classes apart, it represents images for other programs, and it
sends them in the bits that it promised.

The images are scikit-learn's digits again: 1200 to learn from and 597 to test on.
"""

# %%
# Telling classes apart
# ---------------------
# The paper's way: one machine a class, which learns its class only; an image belongs to the class whose machine
# describes it in the fewest bits. In scikit-learn's terms it is a classifier like any other.
import gzip

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws import codec, datasets, estimate, plotting

data = datasets.load_bundled()
readers = fastws.DescriptionLengthClassifier(hidden=(16, 16, 4), sweeps=150, random_state=0, n_jobs=-1)
readers.fit(data.x_train, data.y_train)
read = readers.predict(data.x_test)
error = (read != data.y_test).mean()
print(f"{100 * error:.1f} % of the test images are misread; by chance it would be 90 %")
assert error < 0.15

# %%
# A row is what an image is, a column what it is taken for: what is off the diagonal is misread.
counts = np.zeros((10, 10), int)
np.add.at(counts, (data.y_test, read), 1)
plotting.confusion(counts, readers.classes_)

# %%
# Behind each answer are the bits that every machine asks for. Here are images that were misread, with what the two
# cheapest machines ask. Where these are close the readers say themselves that they do not know, and `predict_proba`
# makes probabilities of it.
bits = readers.description_lengths_bits(data.x_test)
cheapest, second = np.sort(bits, axis=1)[:, :2].T
first, next_best = readers.classes_[np.argsort(bits, axis=1)[:, :2]].T
some = np.flatnonzero(first != data.y_test)[:12]
plotting.misread(
    data.x_test[some], data.y_test[some], first[some], cheapest[some], next_best[some], second[some], (8, 8)
)

# %%
# On the command line `fastws digits` trains such readers, and `fastws classify fastws-digits new-images.npz` reads with
# them.
#
# Representing
# ------------
# One machine for all images, with three hidden layers.
net = fastws.Machine([64, 32, 16, 8])
sweeps = [(len(data.x_train) * 200, 0.03), (len(data.x_train) * 200, 0.005)]
fastws.Simulation(net, fastws.Images(data.x_train), sweeps, seed=0).advance()
states = net.representations(data.x_test, seed=0)  # drawn: 0 or 1
probabilities = net.recognition_probabilities(data.x_test)  # the probabilities themselves: nothing is drawn
print("states of the hidden layers:", *(layer.shape for layer in states))
print("one image, first layer:     ", "".join(map(str, states[0][0])))

# %%
# How much of an image is left in 32 probabilities? `reconstruct` goes up to the first hidden layer and back down.
back = net.reconstruct(data.x_test)
wrong = ((back > 0.5) != data.x_test).mean()
print(f"{100 * wrong:.1f} % of the pixels come back wrong")
assert wrong < 0.15
fig, axes = plt.subplots(2, 10, figsize=(9, 2), layout="constrained")
for column, (image, again) in enumerate(zip(data.x_test, back[:10], strict=False)):
    axes[0, column].imshow(image.reshape(8, 8), cmap="gray")
    axes[1, column].imshow(again.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("image")
axes[1, 0].set_ylabel("back")
plt.show()

# %%
# Other programs take it from there. Nobody told this machine about classes, and yet a straight line through its
# probabilities tells them apart. (:class:`fastws.HelmholtzMachine` is the same as a step of a scikit-learn pipeline,
# and `fastws represent` writes it into a file.)
from sklearn.linear_model import LogisticRegression

up = [np.hstack(net.recognition_probabilities(x)) for x in (data.x_train, data.x_test)]
line = LogisticRegression(max_iter=2000).fit(up[0], data.y_train)
print(f"{100 * (1 - line.score(up[1], data.y_test)):.1f} % of the test images misread, from the representation only")
assert line.score(up[1], data.y_test) > 0.7

# %%
# Compressing
# -----------
# A machine says how many bits an image takes: its free energy. *Bits-back* coding really sends it in so many. The
# sender picks a representation by bits that were to be sent anyway, and the receiver, who can tell which it was, gets
# those bits back.
blob = codec.compress(net, data.x_test)
np.testing.assert_array_equal(codec.decompress(net, blob), data.x_test)
about = codec.describe(blob)
promised = estimate.free_energy_bits(net, data.x_test, n_samples=50).mean()
zipped = 8 * len(gzip.compress(np.packbits(data.x_test).tobytes(), 9, mtime=0)) / len(data.x_test)
rates = {
    "raw": data.x_test.shape[1],
    "gzip": zipped,
    "two-part": codec.describe(codec.compress(net, data.x_test, method="two-part")).net_bits / len(data.x_test),
    "bits-back": about.net_bits / len(data.x_test),
    "free energy": promised,
}
for name, rate in rates.items():
    print(f"{name:12} {rate:5.1f} bits an image")
assert abs(rates["bits-back"] - promised) < 0.5 < rates["two-part"] - rates["bits-back"]

# %%
# The machine never saw these images. Two-part coding pays for the choice of a representation; bits-back gets that back,
# and meets the promise to a fraction of a bit. Each file takes some bits to begin with, so send many images in one.
fig, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
ax.barh(*zip(*list(rates.items())[::-1], strict=True), color=["0.6", "#0072b2", "#d55e00", "0.6", "0.6"])
ax.set(xlabel="bits an image")
ax.spines[["top", "right"]].set_visible(False)
plt.show()

# %%
# `fastws compress machine.npz images.npz images.fws` writes such a file, `fastws decompress` reads it, and
# :doc:`/file-format` describes it. :doc:`/gallery/plot_bits_back` shows where each bit goes.
