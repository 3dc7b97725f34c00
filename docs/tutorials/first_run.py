"""
First run
=========
Install fastws, let a net discover what makes images of bars, and learn to read the four pictures that every run leaves.
Nothing is taken for granted but some Python.

You need Python 3.11 or later. In the folder of fastws::

    python3 -m venv .venv
    .venv/bin/pip install .
    .venv/bin/fastws bars

The last line is the whole experiment of the paper's Figure 1, in some seconds, most of which is compiling and is saved
the next time. It prints a table, and puts a machine and four pictures into `fastws-bars/`. The rest of this page does
the same in Python (`.venv/bin/python`), one picture after the other. What shows a picture here does so in a notebook;
in a script, `plotting.save(picture, "name")` writes it as `name.png` and `name.svg`.
"""

# %%
# What there is to discover
# -------------------------
# An image is made in two steps. A coin decides whether its bars are vertical or horizontal; then each bar of that
# orientation is there or not, by a coin of its own. The diagram says it with probabilities on its arrows. The net is
# told nothing of this.
import fastws
from fastws import plotting
from fastws.experiments import bars

stream = fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2)
plotting.bars_model(stream)

# %%
# A net that learns
# -----------------
# A machine has layers of units that are on or off: here 16 pixels, 8 hidden units, and one unit on top. *Generative*
# weights go down, from causes to pixels; *recognition* weights go up. Hidden units start nearly always off, by a bias
# of -3: causes are rare.
machine = fastws.Machine([16, 8, 1])
machine.gen_biases[1][:] = -3.0
schedule = [(2_000_000, (0.2, 0.001, 0.001))]  # examples, and a learning rate for each level
run = fastws.Simulation(machine, stream, schedule, nonnegative_input_weights=True, seed=0)
run.advance(1000)
print(run)

# %%
# After a thousand examples it knows little. How far the net's own images are from the data can be said exactly, since
# so small a net can be enumerated: KL(data ‖ model), in bits an image. Zero would be perfect.
before = fastws.exact.report(machine, *stream.distribution())
run.advance()  # to the end of the schedule
after = fastws.exact.report(machine, *stream.distribution())
print(f"after 1,000 examples      {before.asymmetric_divergence_bits:.2f} bits from the data")
print(f"after 2,000,000 examples  {after.asymmetric_divergence_bits:.2f} bits from the data")
assert after.asymmetric_divergence_bits < before.asymmetric_divergence_bits

# %%
# Luck
# ----
# Did yours end below 0.10 bits, where the paper's net did, or near 0.65? Both are what this algorithm does: six seeds
# of ten succeed. So here are sixteen, which learn side by side in the time of a few. `bars.new_run` is the experiment
# ready-made, and `bars.learn` measures it forty times on the way.
runs = [bars.new_run(seed) for seed in range(16)]
bars.learn(runs)
print("bits from the data:", *(f"{run.divergence_bits:.2f}" for run in runs))
good = min(runs, key=lambda run: run.divergence_bits)
bad = max(runs, key=lambda run: run.divergence_bits)
assert good.succeeded

# %%
# The four pictures
# -----------------
# **1. The model of the data** is the diagram above, `fig1a-model` among the files of `fastws bars`.
#
# **2. Samples**, `fig1b-samples`: images from the data on the left; on the right *fantasies*, which the net makes up
# from the top down. If you cannot tell which are which, neither can the net. Look for a row and a column in one image:
# the data never have that.
net = good.simulation.machine
plotting.samples(stream.sample(24, seed=1), net.fantasies(24, seed=1))

# %%
# **3. Weights**, `fig1c-weights`, a Hinton diagram. Each block is a hidden unit, and shows its weights to the 4 × 4
# pixels: area is magnitude, white is positive, black is negative. The two squares above a block are the weight from the
# top unit, left, and the unit's bias, right. A good run has one whole bar in each block and no bar twice, and the top
# unit pushes the rows one way and the columns the other: it has found the coin.
plotting.hinton(net)

# %%
# **4. The learning curve**, `learning-curve`: how far the fantasies are from the data, and the *KL penalty*, how many
# bits recognition wastes by not being the exact posterior. Both should come down and stay down; the dashed line is
# where the paper's net ended.
plotting.learning_curve(*zip(*good.curve, strict=True))

# %%
# What a failed run looks like
# ----------------------------
# Here are the weights of the worst of the sixteen. `anatomy` names what each unit codes. Nearly always one unit has a
# row and a column together, a *cross*, and another one is left over. More examples do not help: it is a local optimum.
from fastws.experiments.anatomy import anatomy

found = anatomy(bad.simulation.machine)
print(f"{bad.divergence_bits:.2f} bits from the data: {', '.join(found.faults)}")
plotting.hinton(bad.simulation.machine, labels=found.labels, marked=found.crosses)

# %%
# Three ways out
# --------------
# Try another seed. Or begin with several machines and go on with the one that needs the fewest bits, which is known
# without knowing the truth: `fastws bars --restarts 3`, and :func:`fastws.best_of` in Python. Or take a schedule of
# rates with which nine machines of ten succeed: `fastws bars --recipe robust`. :doc:`/success-rates` says how often
# each works, and why.
#
# Keep what you have, and go on with :doc:`your_own_images`.
import tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp())  # or any folder of yours
net.save(folder / "bars.npz")
plotting.save(plotting.hinton(net), folder / "weights")
again = fastws.Machine.load(folder / "bars.npz")
assert (again.fantasies(5) == net.fantasies(5)).all()
print(sorted(path.name for path in folder.iterdir()))
