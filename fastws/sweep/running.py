"""`run`: from settings and seeds to a table."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from fastws.checks import Whole, check_integer
from fastws.kernels.layout import LANES
from fastws.sweep.engines import in_threads, on_executor, worker_processes
from fastws.sweep.groups import Group, Outcome, grouped
from fastws.sweep.settings import Experiment, Setting, expand
from fastws.sweep.table import Rows

if TYPE_CHECKING:
    import pandas as pd

ENGINES = ("lanes", "threads", "processes")
"""The engines of `run` that have a name."""
_LARGEST_SEED = 2**63 - 1  # for a column of integers


def run(
    experiment: Experiment,
    vary: Mapping[str, Any] | Iterable[Mapping[str, Setting]],
    seeds: Whole | Iterable[Whole],
    engine: Any = "lanes",
    path: str | os.PathLike[str] | None = None,
    progress: Callable[[float, int], object] | None = None,
    workers: Whole | None = None,
) -> "pd.DataFrame":
    """Run an experiment at each of several settings with each of several seeds.

    The same settings and seed give the same parameters to the bit, and exact measures of them to 1e-12, whichever
    engine it is and wherever its workers are. A run that fails, whose settings do not go together or whose measures are
    not finite, is a row with an error.

    Parameters
    ----------
    experiment : Experiment
        For example `fastws.experiments.bars.BARS`.
    vary : mapping of str to values, or list of mappings of str to value
        A mapping makes the grid of all combinations: ``{"p_bar": [0.1, 0.2], "hidden": [8, 10]}`` is four settings.
        A list has the settings of each run one by one. What is not said is at its default.
    seeds : int or iterable of int
        A number of seeds, from 0, or the seeds.
    engine : str, concurrent.futures.Executor or dask.distributed.Client, default="lanes"
        What runs them. ``"lanes"``: up to 16 runs of a setting at once in the lanes of a core's vectors, and as many
        of these groups as there are cores. ``"threads"``: a run a core. ``"processes"``: groups, in processes of
        their own; so do an executor and Dask, whose tasks they are.
    path : path, optional
        A ``.csv`` or ``.parquet`` file to keep the rows in, written every second or so. If it is there, its runs are
        not done again, but for those that failed, and all its rows stay in it: a file may grow by one grid after the
        other as long as the experiment is the same. Several sweeps may write one file at the same time, also on
        several computers that share its folder: each takes over the rows of the others before it writes, under a
        lock, so that none is lost; a killed one holds no lock. What two of them ask for is done by both.
    progress : callable, optional
        Called in this thread, ten times a second, with how many runs are done and how many there are. Where runs
        learn in this process the first is no whole number: it counts what is done of those under way.
    workers : int, optional
        Threads or processes of an engine given by its name; as many as there are cores by default.

    Returns
    -------
    pandas.DataFrame
        A row a run, in the order of the settings and then the seeds; `fastws.sweep` says what its columns are.

    Raises
    ------
    ValueError
        If there is no such setting or engine, a value has another type than the setting, no run can begin with it,
        or the file is of another sweep. Nothing has been run then.
    OSError
        If the file cannot be written, or the workers are lost: what was finished and written stays in the file. So it
        does after Ctrl-C.
    ImportError
        If pandas, or for a Parquet file pyarrow, is not installed.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> table = sweep.run(BARS, {"size": [2, 3], "examples": 100}, seeds=2, path="bars.csv")
    >>> table[["size", "seed"]].to_numpy().tolist()
    [[2, 0], [2, 1], [3, 0], [3, 1]]
    """
    execute = _engine(engine, workers)
    settings, numbers = expand(experiment, vary), _check_seeds(seeds)
    rows = Rows(experiment, path)
    _check_beginnings(experiment, settings, numbers[0])
    keys = [(tuple(values.values()), seed) for values in settings for seed in numbers]
    groups = []
    for values in settings:
        missing = [seed for seed in numbers if not rows.done((tuple(values.values()), seed))]
        groups += grouped(values, missing, 1 if engine == "threads" else LANES)
    n_done = len(keys) - sum(len(group.seeds) for group in groups)

    def finished(group: Group, outcomes: Sequence[Outcome]) -> None:
        nonlocal n_done
        n_done += len(group.seeds)
        for outcome in outcomes:
            rows.add(group.settings, outcome)

    def watch(under_way: float) -> None:
        rows.write_if_due()
        if progress is not None:
            progress(n_done + under_way, len(keys))

    if groups:
        rows.write()  # what cannot be written is to be known before the work
        try:
            execute(experiment, groups, finished, watch)
        except BaseException:
            rows.write()
            raise
    rows.write(keys)
    return rows.table(keys)


def _engine(engine: Any, workers: Whole | None) -> Callable[..., None]:
    n_workers = None if workers is None else check_integer(workers, "workers")
    if n_workers is not None and engine not in ENGINES:
        raise ValueError("workers goes with an engine given by its name; an executor and a client have their own.")
    if engine in ("lanes", "threads"):
        return lambda experiment, groups, *calls: in_threads(experiment, groups, n_workers, *calls)
    if engine == "processes":

        def in_processes(*arguments: Any) -> None:
            with worker_processes(n_workers) as pool:
                on_executor(pool, *arguments)

        return in_processes
    if isinstance(engine, Executor):
        return lambda *arguments: on_executor(engine, *arguments)
    if hasattr(engine, "get_executor"):  # a dask.distributed.Client
        return lambda *arguments: on_executor(engine.get_executor(pure=False), *arguments)
    raise ValueError(
        f"engine is {engine!r}; give one of {', '.join(ENGINES)}, a concurrent.futures.Executor or a "
        "dask.distributed.Client."
    )


def _check_seeds(seeds: Whole | Iterable[Whole]) -> list[int]:
    if not isinstance(seeds, Iterable):
        return list(range(check_integer(seeds, "seeds")))
    checked = list(dict.fromkeys(check_integer(seed, "a seed", at_least=0) for seed in seeds))
    if not checked:
        raise ValueError("seeds is empty; give at least one.")
    if max(checked) > _LARGEST_SEED:
        raise ValueError(f"the seed {max(checked)} is too large for a column of a table; give at most 2**63 - 1.")
    return checked


def _check_beginnings(experiment: Experiment, settings: Sequence[dict[str, Setting]], seed: int) -> None:
    """Raise what keeps every run that has some value of a setting from beginning."""
    errors: dict[tuple[str, Setting], ValueError | None] = {}
    for values in settings:
        try:
            experiment.simulation(values, seed)
            error = None
        except ValueError as found:
            error = found
        for item in values.items():
            errors[item] = error and errors.get(item, error)
    for error in errors.values():
        if error is not None:
            raise error
