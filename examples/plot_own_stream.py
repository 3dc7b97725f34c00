"""
A stream of examples of your own
================================

:class:`fastws.Bars` makes bars, :class:`fastws.Images` goes through a set of images. Anything else is a class of yours
that says how wide its examples are and fills rows with them: here digits that move, so that no image comes twice.
"""

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws import datasets

digits = datasets.load_bundled().x_train.reshape(-1, 8, 8)


class Moving:
    """Handwritten digits, each moved by up to a pixel across and down."""

    n_inputs = 64

    def __init__(self, seed):
        self.seed = seed

    def fill(self, rows, first_example):
        for row, example in enumerate(range(first_example, first_example + len(rows))):
            which, down, across = np.random.default_rng((self.seed, example)).integers((0, -1, -1), (len(digits), 2, 2))
            rows[row] = np.roll(digits[which], (down, across), axis=(0, 1)).ravel()


# %%
# An example is made from its number and from nothing else: a run is then the same to the bit however it is cut into
# calls, saved and loaded, and beside others.


def new_run():
    return fastws.Simulation(fastws.Machine([64, 24, 8]), Moving(seed=0), [(20_000, 0.05), (20_000, 0.01)])


simulation = new_run().advance()
in_parts = new_run().advance(1).advance(7777).advance()
np.testing.assert_array_equal(in_parts.machine.gen_weights[0], simulation.machine.gen_weights[0])

# %%
# A file has the name of the class and no more: ``fastws.Simulation.load(path, stream=Moving(seed=0))`` goes on.

seen = np.zeros((16, 64), np.uint8)
simulation.stream.fill(seen, 0)
figure, axes = plt.subplots(1, 2, figsize=(7, 3.6))
for ax, title, images in zip(axes, ("Examples", "Fantasies"), (seen, simulation.machine.fantasies(16)), strict=True):
    ax.imshow(images.reshape(4, 4, 8, 8).swapaxes(1, 2).reshape(32, 32), cmap="gray_r")
    ax.set_title(title)
    ax.axis("off")
plt.show()
