"""`fastws sweep` and `fastws plot-sweep`: many machines, and how often they succeed."""

import json as json_module
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.interrupts import Interrupted, answered, check, flagged, held, raised
from fastws.cli.output import quoted
from fastws.cli.outputs import prepare_folder
from fastws.cli.session import (
    Json,
    Out,
    complain,
    ending_on_interrupt,
    print_table,
    progress_bar,
    report,
)

if TYPE_CHECKING:
    import pandas as pd

    from fastws.sweep import Experiment, Setting

_EXAMPLE = "Example: fastws sweep bars --vary p_bar=0.1:0.5:9 --seeds 8 --out p_bar.csv"

app = typer.Typer(name="sweep", no_args_is_help=True, epilog=_EXAMPLE)

_SECONDS_FOR_SCHEDULER = 5
_BITS = "asymmetric_divergence_bits"

Within = Annotated[float, typer.Option(help="A run succeeds if its KL(data ‖ model) is at most this many bits.")]


@app.callback()
def sweep() -> None:
    """Run an experiment at many settings with many seeds, and keep a table with a row a run."""


@app.command(epilog=_EXAMPLE)
@ending_on_interrupt
def bars(
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="A setting and its values: p_bar=0.1:0.5:9 (nine from 0.1 to 0.5), hidden=8,10, p_vertical=1/2,2/3, "
            "recipe=paper,robust, exclude=none,full+blank, nonnegative=false. Settings: recipe, examples, size, "
            "hidden, top, p_vertical, p_bar, exclude, first_hidden_bias, nonnegative, n_samples, recognition. Several "
            "make a grid."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="Runs of each combination: seeds S, S+1 ….")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="The first seed, S.")] = 0,
    out: Annotated[
        Path, typer.Option(help="The table, .csv or .parquet. If it is there, only what it lacks is run.")
    ] = Path("fastws-sweep.csv"),
    engine: Annotated[
        str, typer.Option(help="lanes, threads, processes or dask: where the runs are; the results are the same.")
    ] = "lanes",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, as in tcp://host:8786.  \\[default: a cluster on this computer]",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads or processes.  \\[default: one a core]", show_default=False)
    ] = None,
    within: Within = 0.10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run the bars (Figure 1) at many settings with many seeds, and say how often they succeed.

    Prints a line a combination of the settings. A sweep that was interrupted or killed goes on by the same command.
    """
    from fastws.cli.words import choices
    from fastws.experiments.bars import BARS

    _check_within(within)
    values = choices(BARS, vary or (), "--vary")
    with flagged():
        try:
            with raised(), _engine(engine, scheduler, workers) as how:
                table, seconds = _run(BARS, values, range(seed, seed + seeds), how, out)
        except KeyboardInterrupt:
            answered()
            raise Interrupted(
                f"Interrupted; the runs that were done are in {out}. To go on, give the same command again."
            ) from None
    result = {"file": str(out), "seconds": seconds, **_summary(table, within)}
    if json:
        print(json_module.dumps(result))
        return
    _print(result, table, within)
    print(f"The table is {out}; to draw it: fastws plot-sweep {quoted(out)}")


def plot_sweep(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="The .csv or .parquet file of a sweep.")],
    within: Within = 0.10,
    out: Out = None,
    json: Json = False,
) -> None:
    """Draw how often the runs of a sweep succeed, and how far they end from the data, against what was varied.

    A picture a setting that varies. Where two vary, the other one has a panel a value; where more do, they are held at
    the value that most runs have.
    """
    from fastws import sweep

    _check_within(within)
    rows = sweep.read(table)
    if _BITS not in rows or rows[_BITS].isna().all():
        raise ValueError(f"{table} has no run with a divergence; there is nothing to draw.")
    folder = prepare_folder(out or Path("fastws-plot-sweep"))
    result = {"file": str(table), **_summary(rows, within)}
    report(result, folder, _draw(rows, within, folder), json, lambda: _print(result, rows, within))


@contextmanager
def _engine(engine: str, scheduler: str | None, workers: int | None) -> Iterator[dict[str, Any]]:
    """Give the arguments of `fastws.sweep.run` that say where the runs are."""
    from fastws.sweep import ENGINES

    if engine not in (*ENGINES, "dask"):
        raise ValueError(f"there is no engine {engine!r}; choose one of {', '.join((*ENGINES, 'dask'))}.")
    if scheduler is not None and engine != "dask":
        raise ValueError("--scheduler goes with --engine dask.")
    if scheduler is not None and workers is not None:
        raise ValueError("--workers does not go with --scheduler: the cluster has as many as it has.")
    if engine == "dask":
        with _dask_client(scheduler, workers) as client:
            yield {"engine": client}
    else:
        yield {"engine": engine, "workers": workers}


@contextmanager
def _dask_client(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    from fastws.sweep.engines import children_ignoring_interrupts
    from fastws.threads import available_cores

    try:
        from dask.distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError("--engine dask needs Dask; install it by pip install 'fastws[cluster]'.") from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # a lost cluster is our own error's to tell
    if scheduler is None:
        with children_ignoring_interrupts():
            cluster = LocalCluster(
                n_workers=workers or available_cores(),
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        with cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=_SECONDS_FOR_SCHEDULER)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no Dask scheduler answers at {scheduler} ({error}). Start one by dask scheduler, or leave --scheduler "
            "out for a cluster on this computer."
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            complain(f"The scheduler at {scheduler} has no workers yet; waiting for one: dask worker {scheduler}")
        yield client


def _run(
    experiment: "Experiment", vary: "dict[str, list[Setting]]", seeds: range, how: dict[str, Any], out: Path
) -> "tuple[pd.DataFrame, float]":
    """Run the sweep under a bar; return its table and the seconds that it took."""
    from fastws.sweep import run

    started = time.perf_counter()
    # A second Ctrl-C must not end the writing of what is done, to which the first one led.
    with held(), ExitStack() as stack:
        show: Callable[[float], None] | None = None

        def progress(count: float, total: int) -> None:
            nonlocal show
            check()
            # Begun here, the bar does not take runs of an earlier sweep for fast ones of this.
            show = show or stack.enter_context(progress_bar("Running", total, count))
            show(count)

        table = run(experiment, vary, seeds, path=out, progress=progress, **how)
    return table, time.perf_counter() - started


def _check_within(within: float) -> None:
    if not 0 < within < math.inf:
        raise ValueError(f"--within is {within}; give a number of bits above 0.")


def _summary(table: "pd.DataFrame", within: float) -> dict[str, Any]:
    """Return, for JSON, how many runs there are and how those of each combination of settings ended."""
    from fastws.sweep import success_rates

    rates = success_rates(table, within)
    rates = rates.astype(object).where(rates.notna(), None)
    return {
        "experiment": table["experiment"].iloc[0],
        "runs": len(table),
        "failed": int((table["error"] != "").sum()),
        "within_bits": within,
        "settings": rates.to_dict("records"),
    }


def _print(result: dict[str, Any], table: "pd.DataFrame", within: float) -> None:
    from fastws.sweep import varied

    names = varied(table)
    rows = []
    for line in result["settings"]:
        rate, median = line["success_rate"], line[f"median_{_BITS}"]
        rows.append(
            (
                *(_short(line[name]) for name in names),
                f"{line['runs']:,}",
                "" if rate is None else f"{100 * rate:.0f} %",
                "" if rate is None else f"{100 * line['rate_low']:.0f} to {100 * line['rate_high']:.0f} %",
                "" if median is None else f"{median:.3f} bits",
                *([f"{line['failed']:,}"] if result["failed"] else []),
            )
        )
    columns = [
        *names,
        "runs",
        "succeed",
        "95 % interval",
        "median divergence",
        *(["errors"] if result["failed"] else []),
    ]
    print_table(f"{result['experiment']}: runs that end within {within:g} bits of the data", columns, rows)
    if result["failed"]:
        first = table[table["error"] != ""].iloc[0]
        print(f"{result['failed']:,} runs have an error. The first, of seed {first['seed']}: {first['error']}")


def _draw(table: "pd.DataFrame", within: float, folder: Path) -> list[Path]:
    from fastws import plotting
    from fastws.sweep import setting_names, varied

    names = varied(table)
    files = []
    for name in names or setting_names(table)[:1]:
        others = [other for other in names if other != name]
        rows, title, panels = table, str(table["experiment"].iloc[0]), {}
        if len(others) == 1:
            panels = {"panels": rows[others[0]].tolist(), "panel_label": others[0]}
        elif others:
            _, rows = max(rows.groupby(others, dropna=False, sort=False), key=lambda group: len(group[1]))
            title += " with " + ", ".join(f"{other} = {_short(rows[other].iloc[0])}" for other in others)
        figure = plotting.success_rates(rows[name].tolist(), rows[_BITS], within, name, title=title, **panels)
        files += plotting.save(figure, folder / f"success-{name}")
    return files


def _short(value: Any) -> str:
    if value is None or value != value or str(value) == "<NA>":
        return "default"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
