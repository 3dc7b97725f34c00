"""The record of a benchmark as tables."""

import statistics
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from bench.instructions import NAMES

RATIOS = {"to_plain_c": "/ plain C", "to_fastws": "/ fastws", "to_by_hand": "/ by hand"}
UNITS = ((1, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns"))


def show(record: dict[str, Any], console: Console) -> None:
    """Print everything that was measured."""
    console.print(Group(*heading(record)))
    for table in (_works(record), _growth(record), _others(record)):
        if table.row_count:
            console.print(table)


def heading(record: dict[str, Any]) -> list[str]:
    """Return what is to be known about the machine and the run, in lines."""
    host, load = record["host"], record["load"]
    versions = ", ".join(f"{name} {version}" for name, version in host["versions"].items() if version)
    loads = f"load {load[0][0]:.1f} before, {load[-1][0]:.1f} after" if load[0] else "load not known"
    rounds = f"{record['rounds']} round{'s' * (record['rounds'] > 1)}{', --quick' * record['quick']}"
    return [f"{host['cpu']}, {host['cores']} cores, {loads}; {rounds}", versions]


def quantity(value: float, unit: str) -> str:
    """Return a value with three digits; seconds as s, ms, µs or ns."""
    factor, unit = _scale(value, unit)
    return f"{_three_digits(value * factor)} {unit}".rstrip()


def _scale(value: float, unit: str) -> tuple[float, str]:
    """Return a unit that suits a value, and what to multiply by to get to it."""
    if unit != "s":
        return 1, unit
    return next((factor, name) for factor, name in UNITS if value * factor >= 1 or name == "ns")


def _three_digits(value: float) -> str:
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}"


def span(values: Sequence[float], unit: str) -> str:
    """Return the least and the greatest of some values, in the unit of their median."""
    factor, _ = _scale(statistics.median(values), unit)
    return f"{_three_digits(min(values) * factor)}…{_three_digits(max(values) * factor)}"


def reached(row: dict[str, Any]) -> str:
    """Return how well a contestant describes the data in the end, as a median over the rounds."""
    if not row["reached_bits"]:
        return "—"
    return "cut short" if row["cut_short"] else f"{statistics.median(row['reached_bits']):.2f}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_style="bold", box=None, pad_edge=False)
    table.title_justify = table.caption_justify = "left"
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", header_style="dim", no_wrap=number > 0)
    return table


def title(entry: dict[str, Any]) -> str:
    """Return what a work is called, with the instructions that it was done with."""
    names = [entry["title"], NAMES.get(entry.get("instructions"))]
    return ", ".join(filter(None, names))


def distances(record: dict[str, Any]) -> list[list[str]]:
    """Return a line a work, and way of doing it, that was also done by hand: what fastws takes, by hand, the ratio."""
    lines = []
    for entry in record["works"].values():
        rows = {row["name"]: row for row in entry["contestants"] if "to_by_hand" in row}
        for name in (name for name in rows if name.startswith("fastws")):
            own, limit = rows[name], rows[name.replace("fastws", "C by hand")]
            times = [quantity(row["median_ns"] * 1e-9, "s") for row in (own, limit)]
            lines.append([title(entry) + name.removeprefix("fastws"), *times, _three_digits(own["to_by_hand"])])
    return lines


def _works(record: dict[str, Any]) -> Table:
    table = _table("\nTime an example, one core", "", "median", "range", *RATIOS.values(), "bits")
    measures = dict.fromkeys(f"{entry['measure']} ({entry['title'].split()[0]})" for entry in record["works"].values())
    reasons = {row["skipped"] for entry in record["works"].values() for row in entry["contestants"] if "skipped" in row}
    table.caption = "\n".join([f"bits: {', '.join(measures)} after all examples", *sorted(reasons)])
    for entry in record["works"].values():
        table.add_row(Text(f"{title(entry)} × {entry['examples']:,}", style="bold"))
        for row in entry["contestants"]:
            if "skipped" in row:
                table.add_row(row["name"], "skipped", style="dim")
            elif row.get("ns_an_example"):
                ns = [value * 1e-9 for value in row["ns_an_example"]]
                ratios = [
                    _three_digits(row[key]) if key in row else "" for key in ("to_plain_c", "to_fastws", "to_by_hand")
                ]
                table.add_row(row["name"], quantity(statistics.median(ns), "s"), span(ns, "s"), *ratios, reached(row))
        table.add_row()
    return table


def _growth(record: dict[str, Any]) -> Table:
    growth = record["growth"]
    names = list(growth.get("width", {}).get("ns_an_example", {}))
    table = _table("\nTime an example as the net grows, one core", "", *names, "memory's limit", "arithmetic's limit")
    nets = {"width": "{0}-{0}", "depth": "64, {0} × 16"}
    for axis, net in nets.items():
        curves = growth.get(axis, {"x": []})
        for i, x in enumerate(curves["x"]):
            ns = [*(values[i] for values in curves["ns_an_example"].values())]
            ns += [curves["memory_ns"][i], curves["arithmetic_ns"][i]]
            table.add_row(net.format(x), *(quantity(value * 1e-9, "s") for value in ns))
    slopes = growth.get("slopes", {})
    if any(slopes.values()):
        table.add_row("slope, wide nets", *(f"{slope:.2f}" for slope in slopes.values()))
    return table


def _others(record: dict[str, Any]) -> Table:
    table = _table("\nThreads, evaluation, start-up, rules of one's own", "", "median", "range")
    for rows in record["others"].values():
        for name, row in rows.items():
            if row["values"]:
                median = quantity(statistics.median(row["values"]), row["unit"])
                table.add_row(name, median, span(row["values"], row["unit"]))
    return table
