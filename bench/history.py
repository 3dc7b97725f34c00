"""A line a record: when, on what kind of machine, with which versions, and the ratios that can be compared."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.picture import plain
from bench.rivals import BY_HAND, FASTWS, PLAIN_C
from bench.table import title
from fastws.files import write_atomically
from fastws.plotting.page import (
    BLUE,
    CAPTION_POINTS,
    DOTS_PER_INCH,
    FONT,
    INK,
    LABEL_POINTS,
    MUTED,
    PAPER,
    TITLE_POINTS,
    VERMILION,
)

FILE = "history.jsonl"
SLOWER = 0.1
YARDSTICKS = {"to_by_hand": BY_HAND.name, "to_plain_c": PLAIN_C.name}
COLORS = {"bars": BLUE, "digits": VERMILION, "big": INK}
MARKERS = {"AVX-512": "o", "AVX2": "s"}

Line = dict[str, Any]


def line_of(record: dict[str, Any]) -> Line:
    """Return what is kept of a record: ratios of times in one run, which depend on the machine less than times do."""
    host, ratios = record["host"], {}
    for entry in record["works"].values():
        for row in entry["contestants"]:
            if row["name"].startswith(FASTWS.name):
                work = title(entry) + row["name"].removeprefix(FASTWS.name)
                ratios |= {f"{work} / {name}": round(row[key], 4) for key, name in YARDSTICKS.items() if key in row}
    machine = ", ".join(filter(None, [host["cpu"], host.get("architecture")]))
    return {"date": record["date"], "machine": machine, "versions": host["versions"], "ratios": ratios}


def read(folder: Path) -> list[Line]:
    """Return the lines that are kept in a folder, the oldest first."""
    path = folder / FILE
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def add(folder: Path, line: Line) -> list[Line]:
    """Keep a line more; return all."""
    lines = [*read(folder), line]
    content = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines)
    write_atomically(folder / FILE, lambda file: file.write(content.encode()))
    return lines


def verdict(lines: Sequence[Line]) -> str:
    """Say in a sentence whether fastws got slower from the last record of the same kind of machine to this one."""
    *earlier, now = lines
    for before in reversed(earlier):
        both = before["ratios"].keys() & now["ratios"].keys()
        if before["machine"] != now["machine"] or not both:
            continue
        growth = {work: now["ratios"][work] / before["ratios"][work] - 1 for work in now["ratios"] if work in both}
        slower = [f"{work} ({more:+.0%})" for work, more in growth.items() if more > SLOWER]
        since = f"since the record of {before['date'][:10]} on a machine of this kind ({now['machine']})"
        if slower:
            return f"fastws got slower {since}: {', '.join(slower)}."
        work = max(growth, key=lambda name: growth[name])
        return f"fastws got no more than {SLOWER:.0%} slower {since}; at worst {work}, {growth[work]:+.0%}."
    return f"There is no earlier record of a machine of this kind ({now['machine']}) to compare with."


def draw(lines: Sequence[Line]) -> Figure:
    """Draw the ratios, record after record; lines join those of one kind of machine."""
    height = 6.4 + 0.2 * len(lines)
    figure = Figure((7.2, height), DOTS_PER_INCH, facecolor=PAPER, layout="constrained")
    panels = figure.subplots(len(YARDSTICKS), sharex=True)
    for panel, yardstick in zip(panels, YARDSTICKS.values(), strict=True):
        end = f" / {yardstick}"
        works = sorted({work for line in lines for work in line["ratios"] if work.endswith(end)})
        for work in works:
            label = work.removesuffix(end)
            style = {"color": _color(label), "marker": _marker(label), "linestyle": "--" if "at once" in label else "-"}
            for machine in dict.fromkeys(line["machine"] for line in lines):
                x = [i for i, line in enumerate(lines) if line["machine"] == machine and work in line["ratios"]]
                if x:
                    panel.plot(x, [lines[i]["ratios"][work] for i in x], **style, markersize=4, label=label)
                    label = None  # once is enough
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("{x:g}")
        panel.set_title(f"time an example, {yardstick} = 1", fontsize=TITLE_POINTS, loc="left", color=INK)
        plain(panel, "both")
        panel.tick_params(which="minor", labelsize=LABEL_POINTS, colors=INK)
        if works:
            panel.legend(fontsize=CAPTION_POINTS, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    panels[-1].set_xlim(-0.5, len(lines) - 0.5)
    names = [f"{line['date'][:10]}\n{line['machine']}" for line in lines]
    panels[-1].set_xticks(range(len(lines)), names, rotation=45, ha="right", rotation_mode="anchor")
    for words in figure.findobj(lambda artist: hasattr(artist, "set_fontfamily")):
        words.set_fontfamily(FONT)
    return figure


def _color(work: str) -> str:
    return next((color for name, color in COLORS.items() if work.startswith(name)), MUTED)


def _marker(work: str) -> str:
    return next((marker for name, marker in MARKERS.items() if name in work), "D")
