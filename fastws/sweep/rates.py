"""How often the runs of a sweep succeed."""

import math
from typing import TYPE_CHECKING

from fastws.sweep.table import pandas, setting_names

if TYPE_CHECKING:
    import pandas as pd


def success_interval(n_succeeded: int, n_runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a success rate by Wilson's score; (0, 1) of no runs.

    Examples
    --------
    >>> from fastws import sweep
    >>> low, high = sweep.success_interval(6, 10)
    >>> round(low, 2), round(high, 2)
    (0.31, 0.83)
    """
    from scipy.stats import binomtest

    if n_runs == 0:
        return 0.0, 1.0
    low, high = binomtest(n_succeeded, n_runs).proportion_ci(method="wilson")
    return float(low), float(high)


def varied(table: "pd.DataFrame") -> list[str]:
    """Return the settings of a table that have more than one value in it.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> sweep.varied(sweep.run(BARS, {"size": [2, 3], "examples": 100}, seeds=1))
    ['size']
    """
    return [name for name in setting_names(table) if table[name].nunique(dropna=False) > 1]


def success_rates(table: "pd.DataFrame", within_bits: float = 0.10) -> "pd.DataFrame":
    """Return how often the runs of each setting came near the data.

    Parameters
    ----------
    table : pandas.DataFrame
        What `run` and `read` return, of an experiment that measures ``asymmetric_divergence_bits``.
    within_bits : float, default=0.10
        A run succeeds if its KL(data ‖ model) is at most this. The paper's is 0.10.

    Returns
    -------
    pandas.DataFrame
        A row a combination of the settings that vary, in the order of the table, with these columns after theirs:
        ``runs``, those that did not fail, ``succeeded``, ``success_rate``, ``rate_low`` and ``rate_high`` (Wilson's
        95 % interval), ``median_asymmetric_divergence_bits`` and ``failed``, the number of runs with an error or
        with a divergence that is not finite.

    Raises
    ------
    ValueError
        If `within_bits` is not above 0.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> table = sweep.run(BARS, {"size": [2, 3], "examples": 100}, seeds=2)
    >>> sweep.success_rates(table, within_bits=100)[["size", "runs", "succeeded"]].to_numpy().tolist()
    [[2, 2, 2], [3, 2, 2]]
    """
    if not 0 < within_bits < math.inf:
        raise ValueError(f"within_bits is {within_bits!r}; give a number above 0.")
    names = varied(table)
    grouping = table.groupby(names, sort=False, dropna=False) if names else [((), table)]
    rows = []
    for values, group in grouping:
        bits = group["asymmetric_divergence_bits"]
        bits = bits[(group["error"] == "") & (bits.abs() < math.inf)]
        n_runs, n_succeeded = len(bits), int((bits <= within_bits).sum())
        rate = n_succeeded / n_runs if n_runs else float("nan")
        interval = success_interval(n_succeeded, n_runs)
        rows.append((*values, n_runs, n_succeeded, rate, *interval, float(bits.median()), len(group) - n_runs))
    counted = ["runs", "succeeded", "success_rate", "rate_low", "rate_high"]
    return pandas().DataFrame(rows, columns=[*names, *counted, "median_asymmetric_divergence_bits", "failed"])
