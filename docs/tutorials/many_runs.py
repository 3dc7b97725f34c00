"""
Many runs
=========
One run shows that something can happen; many show how often it does. A sweep is settings times seeds: a table with a
row a run, that goes on where it was cut, keeps the runs that failed, and does not care where the work was done.

It needs `pip install '.[sweep]'`, for pandas.
"""

# %%
# A sweep
# -------
# How often does the paper's net find the bars, and does it depend on how unequal the two orientations are? Two values
# of p(vertical), sixteen seeds each, and all else as in the paper. Sixteen runs of one setting learn side by side in
# each core, so that all of it takes some ten seconds.
import tempfile
from pathlib import Path

import fastws
from fastws import plotting, sweep
from fastws.experiments.bars import BARS

print("settings:", ", ".join(f"{name}={value}" for name, value in BARS.defaults.items()))
path = Path(tempfile.mkdtemp(), "bars.csv")  # or any file of yours, .csv or .parquet
grid = {"p_vertical": [0.5, 0.75]}
table = sweep.run(BARS, grid, seeds=16, path=path)
print(table[["p_vertical", "seed", "asymmetric_divergence_bits", "kl_penalty_bits"]].round(2).head(8))
assert len(table) == 32

# %%
# How often did it work? A run succeeds within 0.10 bits of the data, which the paper's net reached. Of sixteen runs
# the interval is wide: say it whenever you say the rate.
rates = sweep.success_rates(table)
print(rates[["p_vertical", "runs", "succeeded", "rate_low", "rate_high", "failed"]].round(2).to_string(index=False))
assert rates["succeeded"].is_monotonic_increasing

# %%
# The picture has the rates with their intervals, and below them each run.
plotting.success_rates(table["p_vertical"], table["asymmetric_divergence_bits"], label="p(vertical)")

# %%
# On the command line this is::
#
#     fastws sweep bars --vary p_vertical=0.5,0.75 --seeds 16 --out bars.csv
#     fastws plot-sweep bars.csv
#
# Going on
# --------
# Ctrl-C, a power cut, or a cluster that throws you out: the same command does what is missing. Nothing that is in the
# file is done again, so asking for more is cheap. Here is the file after such an accident, with half of its rows.
lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
path.write_text("".join(lines[:17]), encoding="utf-8")
print(f"{len(sweep.read(path))} rows are left")
again = sweep.run(BARS, grid, seeds=16, path=path)
print(f"{len(sweep.read(path))} rows, the new ones what the lost ones were, to the bit")
assert again["largest_weight"].tolist() == table["largest_weight"].tolist()

# %%
# Failure
# -------
# What is wrong with a whole setting is said before anything runs:
try:
    sweep.run(BARS, {"hidden": [8, 25]}, seeds=2)
except ValueError as error:
    print(error)

# %%
# What goes wrong in single runs is a row with its error, and the others go on. In the next sweep one combination of
# two settings cannot be: with 17 hidden units and four top units there are more than can be enumerated. Rows like that
# count as failed, not as runs without success; the same command tries them again.
odd = sweep.run(BARS, {"hidden": [8, 17], "top": [1, 4], "examples": 10_000}, seeds=1)
for row in odd.itertuples():
    print(f"hidden {row.hidden:2}  top {row.top}  {row.error or 'ok'}")
assert (odd["error"] != "").sum() == 1

# %%
# Restarts
# --------
# If half of the seeds fail, begin with several and keep one. Which one is right need not be known: the free energy of
# the training images says so, after a quarter of the schedule. `best_of` takes anything that returns a simulation of a
# seed.


def new(seed):
    return BARS.simulation({**BARS.defaults, "p_vertical": 0.75}, seed)


best = fastws.best_of(new, n=3, seed=0)
report = fastws.exact.report(best.machine, *best.stream.distribution())
print(f"best of three, by free energy: {report.asymmetric_divergence_bits:.2f} bits from the data")

# %%
# An experiment of your own
# -------------------------
# A sweep needs to know of an experiment what its settings are, how to begin a run, and what to measure at its end. A
# class with five members will do. This one asks which rate is best for digits.
import numpy as np

data = fastws.datasets.load_bundled()


class Digits:
    """One machine for all digits; what it makes of images that it did not learn from."""

    name = "digits"
    defaults = {"rate": 0.01, "hidden": 16, "sweeps": 20}
    types = {}
    measure_names = ("free_energy_bits",)

    def simulation(self, settings, seed):
        net = fastws.Machine([64, settings["hidden"], 8])
        schedule = [(len(data.x_train) * settings["sweeps"], settings["rate"])]
        return fastws.Simulation(net, fastws.Images(data.x_train), schedule, seed=seed)

    def measures(self, run):
        return {"free_energy_bits": fastws.estimate.free_energy_bits(run.machine, data.x_test).mean()}


found = sweep.run(Digits(), {"rate": [0.003, 0.03, 0.3], "hidden": [16, 32]}, seeds=2)
means = found.groupby(["rate", "hidden"])["free_energy_bits"].mean().unstack()
print(means.round(1))
assert np.isfinite(means.to_numpy()).all()

# %%
# A cluster
# ---------
# Where the runs are does not change a bit of what is learned. `engine` says where:
#
# * `"lanes"`, the default: sixteen runs at a time in each core of this computer;
# * `"processes"`, or any executor of `concurrent.futures`;
# * a `dask.distributed.Client`, after `pip install '.[cluster]'`, and so whatever Dask runs on.
#
# Start a scheduler on one computer, and workers, which have fastws and the same Python, on all of them::
#
#     dask scheduler                               # prints its address
#     dask worker tcp://10.0.0.1:8786              # on each computer
#
# and, from anywhere, either of::
#
#     fastws sweep bars --vary p_bar=0.1:0.5:9 --seeds 64 --out bars.csv --engine dask --scheduler tcp://10.0.0.1:8786
#
#     from dask.distributed import Client
#     table = sweep.run(BARS, grid, seeds=64, path="bars.csv", engine=Client("tcp://10.0.0.1:8786"))
#
# Workers that die lose their runs to the others. Without Dask, on computers that share a folder, start the same command
# on each with seeds of its own and one file: they add their rows under a lock. An experiment of your own has to be in a
# module that the workers can import.
