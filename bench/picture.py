"""The record of a benchmark as a picture."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter

from bench.growth import WIDE
from bench.rivals import BY_HAND, FASTWS, PLAIN_C
from bench.table import heading, quantity, title
from fastws.plotting.page import (
    BLUE,
    CAPTION_POINTS,
    DOTS_PER_INCH,
    FONT,
    INK,
    LABEL_POINTS,
    MUTED,
    PAPER,
    RULE,
    TITLE_POINTS,
    VERMILION,
)

AXES = {"width": "units of each of two layers", "depth": "hidden layers of 16 units over 64 inputs"}
CHARACTERS_AN_INCH = 15
CURVES = {FASTWS.name: BLUE, PLAIN_C.name: VERMILION, BY_HAND.name: INK}
LIMITS = {"memory_ns": ("memory's limit", "--"), "arithmetic_ns": ("arithmetic's limit", ":")}


def draw(record: dict[str, Any]) -> Figure | None:
    """Draw ratios to plain C on the left and growth on the right, or None if neither was measured."""
    works = [entry for entry in record["works"].values() if _ratios(entry)]
    grown = [axis for axis in AXES if record["growth"].get(axis, {"x": []})["x"]]
    if not works and not grown:
        return None
    lengths = [len(_ratios(entry)) + 2 for entry in works]
    width = 4.6 * (bool(works) + bool(grown))
    height = 1 + max(0.2 * sum(lengths), 3.2 * len(grown))
    figure = Figure((width, height), DOTS_PER_INCH, facecolor=PAPER, layout="constrained")
    parts = iter(figure.subfigures(1, bool(works) + bool(grown), squeeze=False)[0])
    if works:
        panels = next(parts).subplots(len(works), sharex=True, squeeze=False, height_ratios=lengths)
        for panel, entry in zip(panels[:, 0], works, strict=True):
            _bars(panel, entry)
        everything = [ratio for entry in works for ratio in _ratios(entry).values()]
        # Room for the words beside the bars.
        panels[-1, 0].set(xscale="log", xlim=(min(everything) / 1.5, max(everything) * 35))
        panels[-1, 0].xaxis.set_major_formatter("{x:g}")
        panels[-1, 0].set_xlabel("time an example, plain C = 1", fontsize=LABEL_POINTS, color=INK)
    if grown:
        panels = next(parts).subplots(len(grown), squeeze=False)
        for panel, axis in zip(panels[:, 0], grown, strict=True):
            _curves(panel, axis, record["growth"])
        panels[0, 0].legend(fontsize=CAPTION_POINTS, frameon=False)
    lines = (line for part in heading(record) for line in textwrap.wrap(part, int(CHARACTERS_AN_INCH * width)))
    figure.supxlabel("\n".join(lines), fontsize=CAPTION_POINTS, color=MUTED, x=0.01, ha="left")
    for words in figure.findobj(lambda artist: hasattr(artist, "set_fontfamily")):
        words.set_fontfamily(FONT)
    return figure


def _ratios(entry: dict[str, Any]) -> dict[str, float]:
    return {row["name"]: row["to_plain_c"] for row in entry["contestants"] if "to_plain_c" in row}


def _bars(axes: Axes, entry: dict[str, Any]) -> None:
    """Draw a bar a contestant, to the left of plain C if it is faster."""
    ratios = _ratios(entry)
    medians = {row["name"]: row["median_ns"] * 1e-9 for row in entry["contestants"] if row["name"] in ratios}
    names = list(ratios)
    lengths = [ratios[name] - 1 for name in names]
    colors = [BLUE if name.startswith(FASTWS.name) else RULE for name in names]
    axes.barh(names, lengths, left=1, color=colors, height=0.7)
    for name in names:
        axes.annotate(
            f"{quantity(ratios[name], '')}  ({quantity(medians[name], 's')})",
            (max(1, ratios[name]), name),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=CAPTION_POINTS,
            color=INK,
        )
    axes.set_title(title(entry), fontsize=TITLE_POINTS, loc="left", color=INK)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.invert_yaxis()
    plain(axes, "x")


def _curves(axes: Axes, axis: str, growth: dict[str, Any]) -> None:
    """Draw the cost of an example against the size of the net."""
    curves = growth[axis]
    for name, ns in curves["ns_an_example"].items():
        slope = growth.get("slopes", {}).get(name) if axis == "width" else None
        label = name if slope is None else f"{name}, slope {slope:.2f} from {WIDE} units"
        axes.plot(curves["x"], [value * 1e-9 for value in ns], "o-", color=CURVES[name], markersize=3.5, label=label)
    for key, (label, style) in LIMITS.items():
        axes.plot(curves["x"], [value * 1e-9 for value in curves[key]], style, color=MUTED, linewidth=1, label=label)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(EngFormatter("s"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(AXES[axis], fontsize=LABEL_POINTS, color=INK)
    if axis == "width":
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.set_xticks(curves["x"])
    axes.set_title("time an example", fontsize=TITLE_POINTS, loc="left", color=INK)
    plain(axes, "both")


def plain(axes: Axes, grid: str) -> None:
    """Take away what a plot does not need."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=LABEL_POINTS, colors=INK)
    axes.grid(axis=grid, color=RULE, linewidth=0.4)
    axes.set_axisbelow(True)
