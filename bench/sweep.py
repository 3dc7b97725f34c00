"""Machines a second of a sweep on each engine, and what a million runs would take: python -m bench.sweep [--quick].

Dask runs on a local cluster of two workers, and is left out where it is not installed.
"""

import argparse
import importlib.util
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.host import describe, load_average, on_the_clock
from fastws import sweep
from fastws.experiments.bars import BARS
from fastws.kernels.layout import LANES
from fastws.threads import available_cores

EXAMPLES, QUICK_EXAMPLES = 2_000_000, 20_000
MACHINES = (1, 8, 16, 32, 64)
MILLION = 1_000_000
NODES = (1, 10, 100)
EMPTY_TASKS = 500


@contextmanager
def local_cluster() -> Iterator[Any]:
    """Yield the client of a Dask cluster of two worker processes on this machine."""
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        yield client


def seconds_of(engine: Any, n_machines: int, examples: int) -> float:
    """Return the seconds that one setting with this many seeds takes, once compiled."""
    return on_the_clock(lambda: sweep.run(BARS, {"examples": examples}, n_machines, engine))[0]


def overhead_a_task(client: Any) -> float:
    """Return the seconds of the scheduler that a task takes: those of one that does nothing."""
    with client.get_executor(pure=False) as executor:
        list(executor.map(abs, range(EMPTY_TASKS)))
        return on_the_clock(lambda: list(executor.map(abs, range(EMPTY_TASKS))))[0] / EMPTY_TASKS


def measure(engine: Any, name: str, examples: int, table: Table) -> dict[int, float]:
    """Add a row a number of machines; return the seconds of each."""
    seconds_of(engine, 2 * LANES, QUICK_EXAMPLES)  # each worker loads its kernels
    seconds_of(engine, 1, QUICK_EXAMPLES)
    seconds = {n: seconds_of(engine, n, examples) for n in MACHINES}
    for n, taken in seconds.items():
        rate = n * examples / taken
        table.add_row(name, str(n), f"{taken:.2f} s", f"{n / taken:.2f}", f"{rate / 1e6:.2f} million")
    return seconds


def model(seconds_a_group: float, overhead: float, cores: int) -> Table:
    """Return what a million runs take: groups of sixteen shared out among the cores of the nodes, and the scheduler."""
    table = Table(title="A million runs of the bars on nodes like this one", title_justify="left")
    for column in ("nodes", "learning", "scheduler", "in all"):
        table.add_column(column, justify="right")
    groups = math.ceil(MILLION / LANES)
    for nodes in NODES:
        learning = math.ceil(groups / (nodes * cores)) * seconds_a_group
        scheduler = groups * overhead
        in_all = max(learning, scheduler)
        table.add_row(str(nodes), *(f"{taken / 3600:.2f} h" for taken in (learning, scheduler, in_all)))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, to see whether it works")
    examples = QUICK_EXAMPLES if parser.parse_args().quick else EXAMPLES
    console, cores = Console(highlight=False), available_cores()
    console.print(describe(), f"load {load_average()}")
    table = Table(title=f"Bars runs of {examples:,} examples on {cores} cores", title_justify="left")
    for column in ("engine", "machines", "time", "machines a second", "machine-examples a second"):
        table.add_column(column, justify="left" if column == "engine" else "right")
    seconds = {engine: measure(engine, engine, examples, table) for engine in ("lanes", "threads", "processes")}
    overhead = None
    if importlib.util.find_spec("distributed") is not None:
        with local_cluster() as client:
            measure(client, "dask, two workers", examples, table)
            overhead = overhead_a_task(client)
    console.print(table)
    if overhead is None:
        console.print("Dask and the model are left out: Dask is not installed (pip install '.[cluster]').")
        return
    # A group on every core at once, as a full node has it.
    seconds_a_group = seconds["lanes"][MACHINES[-1]] * cores * LANES / MACHINES[-1]
    console.print(f"{overhead * 1e3:.1f} ms a task of Dask's scheduler, {seconds_a_group:.1f} s a task of {LANES} runs")
    console.print(model(seconds_a_group, overhead, cores))


if __name__ == "__main__":
    main()
