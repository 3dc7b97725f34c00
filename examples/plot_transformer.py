"""
A Helmholtz machine in a pipeline of scikit-learn
=================================================
One machine learns all ten digits without their labels. What its recognition net says of an image, the probabilities of
its hidden units, then serves a linear classifier that sees few labels; the generative net turns them back into pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

import fastws
from fastws import datasets

data = datasets.load_bundled()
machine = fastws.HelmholtzMachine(hidden=(32, 16, 8), sweeps=100, learning_rate=0.02).fit(data.x_train)

# %%
# The score is minus the free energy, in nats: images never seen cost a little more than those learned from, and far
# less than pixels whose places have been shuffled.
shuffled = np.random.default_rng(0).permuted(data.x_test, axis=1)
train, test, noise = (machine.score(x) for x in (data.x_train, data.x_test, shuffled))
print(f"learned from {train:.1f}, never seen {test:.1f}, shuffled {noise:.1f} nats an image")
assert noise < test - 10 < train

# %%
# A linear classifier on the first hidden layer, from 200 labels.
machine.set_params(layer=1)
classifier = LogisticRegression(max_iter=2000).fit(machine.transform(data.x_train[:200]), data.y_train[:200])
accuracy = classifier.score(machine.transform(data.x_test), data.y_test)
print(f"{accuracy:.0%} of the digits never seen are read from 200 labels")
assert accuracy > 0.7

# %%
# Down again: from the first layer images come back almost as they were, from the top what eight units know of them.
fig, axes = plt.subplots(3, 8, figsize=(8, 3.4), layout="constrained")
rows, errors = {"image": data.x_test[:8].astype(float)}, {}
for layer in (1, 3):
    machine.set_params(layer=layer)
    pixels = machine.inverse_transform(machine.transform(data.x_test))
    errors[layer] = np.abs(pixels - data.x_test).mean()
    rows[f"from layer {layer}"] = pixels[:8]
assert errors[1] < errors[3] < np.abs(data.x_test.mean(axis=0) - data.x_test).mean()
for row, (name, images) in zip(axes, rows.items(), strict=True):
    row[0].set_ylabel(name, fontsize=9)
    for ax, image in zip(row, images, strict=True):
        ax.imshow(image.reshape(data.image_shape), cmap="gray", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
plt.show()
