"""
A stream of your own: the shifter
=================================
A row of random pixels, and below it the same row, shifted to the left or right (after Dayan and Hinton, Neural Networks
9, 1996). A class with two members makes these images, and runs of it are cut, resumed and done sixteen at a time like
those of bars. Nets find what there is to know: a hidden unit joins a pixel and its copy.
"""

import tempfile
from pathlib import Path
from timeit import timeit

import matplotlib.pyplot as plt
import numpy as np

import fastws
from fastws.simulation import advance_together


# %%
# A stream has `n_inputs` and `fill`. It is asked for many examples at once, from a number on, and each has to depend on
# its number alone: a generator that goes on from where it was would give others after a run was cut. NumPy's Philox has
# a counter to begin from, and 256 bits for each of its values, so that no loop is needed. If an example takes more, a
# `np.random.default_rng([seed, number])` for each row does as well, more slowly.
class Shifter:
    """Rows of random pixels above themselves, shifted by one to the left or right."""

    def __init__(self, width, p_on, seed):
        self.width, self.p_on, self.seed = width, p_on, seed
        self.n_inputs = 2 * width

    def fill(self, rows, first_example):
        words = np.random.Philox(key=self.seed, counter=first_example).random_raw(4 * len(rows))
        draws = words.view(np.uint16).reshape(len(rows), 16)
        above = draws[:, : self.width] < int(self.p_on * 2**16)
        left = draws[:, self.width : self.width + 1] < 2**15
        rows[:, : self.width] = above
        rows[:, self.width :] = np.where(left, np.roll(above, -1, axis=1), np.roll(above, 1, axis=1))


stream = Shifter(width=4, p_on=0.2, seed=1)
images = np.zeros((100_000, stream.n_inputs), np.uint8)
filling = timeit(lambda: stream.fill(images, 0), number=1)

# %%
# Twelve nets that differ in their seeds learn together from the same images, to the same bits as one by one, however
# the run is cut. A saved run has the name of the stream's class only; whoever loads it gives a stream like it.


def new_run(seed):
    """Return the paper's run of bars with the shifter in their place."""
    net = fastws.Machine([stream.n_inputs, 8, 1])
    net.gen_biases[1][:] = -3
    return fastws.Simulation(net, stream, [(1_000_000, (0.2, 0.001, 0.001))], nonnegative_input_weights=True, seed=seed)


runs = [new_run(seed) for seed in range(12)]
path = Path(tempfile.mkdtemp()) / "run.npz"
advance_together(runs, until=50_000)
runs[0].save(path)
resumed = fastws.Simulation.load(path, stream=Shifter(width=4, p_on=0.2, seed=1)).advance(100_000)
alone = new_run(0)
learning = timeit(lambda: alone.advance(150_000), number=1)
advance_together(runs, until=150_000)
for run in (resumed, alone):
    np.testing.assert_array_equal(run.machine.gen_weights[0], runs[0].machine.gen_weights[0])
advance_together(runs)

# %%
# What it costs: kernels copy a row as fast as they draw bars, so the price is the time of `fill`, here about a third of
# the whole. Nets that learn together share it.
print(f"filling {filling * 1e4:.0f} ns an example, of {learning / 150_000 * 1e9:.0f} ns in all")

# %%
# Pixels that knew nothing of each other would take 5.8 bits an image; the images hold 3.4, and the nets come within
# about half a bit of that. In the best, six units join a pixel to its copy on one side.
patterns, counts = np.unique(images, axis=0, return_counts=True)
reports = [fastws.exact.report(run.machine, patterns, counts / len(images)) for run in runs]
divergences = [report.asymmetric_divergence_bits for report in reports]
on = images.mean(axis=0)
apart = -(on * np.log2(on) + (1 - on) * np.log2(1 - on)).sum()
assert max(divergences) < 0.25 * (apart - reports[0].data_entropy_bits)
weights = runs[int(np.argmin(divergences))].machine.gen_weights[0].reshape(8, 2, 4)
large = weights > weights.max() / 4
one_each = (large.sum(axis=2) == 1).all(axis=1)
assert one_each.sum() >= 6
assert all((below - above) % 4 in (1, 3) for above, below in large[one_each].argmax(axis=2))

figure, axes = plt.subplots(2, 8, figsize=(9, 2.2), layout="constrained")
for ax, image in zip(axes[0], images[images.any(axis=1)], strict=False):
    ax.imshow(image.reshape(2, 4), cmap="gray")
for ax, unit in zip(axes[1], weights, strict=True):
    ax.imshow(unit, cmap="gray", vmin=0, vmax=weights.max())
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[0, 0].set_title("examples", loc="left")
axes[1, 0].set_title("hidden units", loc="left")
plt.show()
