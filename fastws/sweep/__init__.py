"""Many machines: a grid or a list of settings, times seeds, to a table with a row a run.

`run` learns them on all cores, in other processes or on a cluster, with the same results, and keeps the rows in a file
from which a sweep that was killed goes on. `read` reads such a file again, and `success_rates` says how often the runs
of each setting came near the data.

The table and its file have these columns: ``experiment``, its name; a column a setting, those not varied too;
``seed``; a column a measure, empty in a run that failed; ``seconds``, the time spent learning (a run that learned in a
group has its share of the group's); and ``error``, empty or what made the run fail.
"""

from fastws.sweep.rates import success_interval, success_rates, varied
from fastws.sweep.running import ENGINES, run
from fastws.sweep.settings import Experiment, Setting, expand
from fastws.sweep.table import read, setting_names

__all__ = [
    "ENGINES",
    "Experiment",
    "Setting",
    "expand",
    "read",
    "run",
    "setting_names",
    "success_interval",
    "success_rates",
    "varied",
]
