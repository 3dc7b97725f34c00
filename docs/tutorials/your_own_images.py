"""
Your own images
===============
From a folder of pictures to fantasies: how grey pictures become binary, which layers and rates to begin with, when to
stop, and what a run looks like that went wrong.

So that you can follow, the pictures are scikit-learn's 1797 handwritten digits, written into a folder as anybody's
pictures would lie there. Put your own folder in its place and the rest of the page stays as it is, but for the numbers.
"""

# %%
# From files to pixels
# --------------------
# Sub-folders are classes, if there are any. Other files do as well: `.npz`, `.npy`, CSV, MATLAB's `.mat`, the IDX files
# of MNIST; :doc:`/own-images` has the list.
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import fastws
from fastws import plotting
from fastws.datasets import load
from fastws.experiments.training import train

folder = Path(tempfile.mkdtemp(), "digits")
digits = load_digits()
for number, (picture, label) in enumerate(zip(digits.images, digits.target, strict=True)):
    path = folder / str(label) / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture * 15.9).astype(np.uint8)).save(path)

# %%
# A machine's pixels are on or off, so grey pictures have to be told how to become so. Forget it, and you are asked:
try:
    load(folder)
except ValueError as error:
    print(error)

# %%
# A threshold turns a pixel on above it. Too high or too low, and what you see is no longer there; so look at the images
# before anything learns from them. (`binarise=SEED` draws each pixel once with its grey level as probability.)
images = load(folder, threshold=127)
print(f"{len(images.x)} images of {images.image_shape}, classes {', '.join(np.unique(images.y))}")
rng = np.random.default_rng(1)
shown = rng.permutation(len(images.x))[:60]
plotting.image_grid(images.x[shown], images.image_shape, n_columns=15)

# %%
# Layers and rates
# ----------------
# Begin with a first hidden layer of about half as many units as there are pixels, each layer above it half of that,
# and the rate 0.01. Hold a tenth of the images out: nothing is learned from them, and their *free energy*, the bits
# that it takes to describe one, says whether the machine learned what images like these have in common. It is measured
# after every sweep over the images.
run = train(fastws.Machine([64, 32, 16]), images.x, validation=0.1, patience=10, seed=0)
seen, training_bits, held_out_bits = zip(*run.curve, strict=True)
print(f"at first {held_out_bits[0]:.1f} bits an image: one a pixel, since it knows nothing")
print(f"kept     {min(held_out_bits):.1f} bits an image, after {run.kept_at / len(run.images):.0f} sweeps")
assert min(held_out_bits) < 0.6 * held_out_bits[0]

# %%
# The curve says when to stop. As long as both lines fall, go on; when the images held out no longer become cheaper, the
# machine learns its images by heart. `train` stops after `patience` sweeps without a gain, and `run.machine` is the one
# at the lowest point.
plotting.free_energy_curve(seen, training_bits, held_out_bits, kept_at=run.kept_at)

# %%
# Is the choice good? Measure others against it: everything else the same, one line a machine. Bits of images held out
# may be compared between machines of any size.
tries = {}
for layers in ([64, 16], [64, 32, 16], [64, 48, 24]):
    for rate in (0.003, 0.01, 0.1):
        length = len(images.x) * 40
        one = train(fastws.Machine(layers), images.x, [(length, rate)], validation=0.1, patience=5, seed=0)
        tries[tuple(layers), rate] = min(bits for _, _, bits in one.curve)
        print(f"{'-'.join(map(str, layers)):10} rate {rate:<6} {tries[tuple(layers), rate]:.1f} bits held out")

# %%
# Too low a rate has not arrived after forty sweeps, too high a one never settles. A schedule has both: fast first, then
# slow for the last bits.
phases = [(len(images.x) * 40, 0.03), (len(images.x) * 40, 0.003)]
run = train(fastws.Machine([64, 32, 16]), images.x, phases, validation=0.1, patience=15, seed=0)
print(f"{min(bits for _, _, bits in run.curve):.1f} bits held out")
assert min(bits for _, _, bits in run.curve) < min(tries.values()) + 1

# %%
# Fantasies
# ---------
# What the machine dreams, beside what it saw. They need not be beautiful: this net has 48 hidden units and knows no
# classes. They should have the strokes of your images, and differ from one another.
plotting.samples(images.x[shown[:40]], run.machine.fantasies(40, seed=1), images.image_shape)

# %%
# What a bad run looks like
# -------------------------
# **The rate is far too high.** Parameters run away and images cost more than they would without any machine. This is
# an error, not a result, and it says what to change.
from fastws.checks import LearningDiverged

try:
    train(fastws.Machine([64, 32, 16]), images.x, [(len(images.x), 50.0)], seed=0)
except LearningDiverged as error:
    print(error)

# %%
# **The threshold is on another scale** than the pixels: every image comes out blank.
try:
    load(folder, threshold=255)
except ValueError as error:
    print(error)

# %%
# **All fantasies are alike**, one average image with noise: the machine has learned how often each pixel is on, and
# nothing else. That is every run's first stage, and where it stays if it is stopped too soon.
short = train(fastws.Machine([64, 32, 16]), images.x, [(len(images.x) // 2, 0.01)], seed=0)
assert short.curve[-1][1] > run.curve[-1][1]
plotting.samples(images.x[shown[:40]], short.machine.fantasies(40, seed=1), images.image_shape)

# %%
# On the command line
# -------------------
# All of this is one command, and `fastws-train/` then has the curve, the fantasies and the machine::
#
#     fastws train --data digits/ --threshold 127 --layers 64,32,16 --validation 0.1
#
# Keep the machine; :doc:`reading_and_compressing` puts one to use.
run.machine.save(folder.parent / "digits.npz")
