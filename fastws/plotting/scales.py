"""Axes with ticks and labels, for whatever is a curve or points."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from fastws.plotting.page import CAPTION_POINTS, FONT, INK, LABEL_POINTS, MUTED, RULE, Page

LEAST_BITS = 1e-3
"""Smaller values do not stretch a logarithmic axis: they are drawn on its lower edge."""


def open_axes(page: Page, left: int, top: int, width: int, height: int) -> Axes:
    """Add axes over a rectangle of a page, with a line on the left and below."""
    axes = page.axes(left, top, width, height, framed=True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    return axes


def set_x_label(axes: Axes, label: str) -> None:
    """Write what the horizontal axis is of."""
    axes.set_xlabel(label, color=INK, fontfamily=FONT, fontsize=LABEL_POINTS, labelpad=6)


def set_y(
    axes: Axes,
    limits: tuple[float, float],
    ticks: Iterable[float],
    label: str,
    words: Sequence[str] | None = None,
) -> None:
    """Give the vertical axis its limits, ticks with lines across, and a label; ticks say their values or `words`."""
    axes.set_ylim(*limits)
    set_ticks(axes.yaxis, ticks, limits, words=words)
    axes.set_ylabel(label, color=INK, fontfamily=FONT, fontsize=LABEL_POINTS, labelpad=6)
    axes.grid(visible=False)  # whatever a user's style says
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)


def set_ticks(
    axis: Axis,
    ticks: Iterable[float],
    limits: tuple[float, float],
    unit: float = 1.0,
    words: Sequence[str] | None = None,
) -> None:
    """Set the ticks, given in a unit, that lie within the limits; they say their values or `words`, one a tick."""
    ticks = list(ticks)
    said = [f"{tick:g}" for tick in ticks] if words is None else words
    inside = [k for k, tick in enumerate(ticks) if limits[0] <= tick * unit <= limits[1]]
    axis.set_ticks([ticks[k] * unit for k in inside], [said[k] for k in inside])
    axis.set_minor_locator(NullLocator())
    axis.set_tick_params(
        color=MUTED, labelcolor=INK, labelsize=CAPTION_POINTS, labelfontfamily=FONT, length=3, width=0.8
    )


def log_ticks(low: float, high: float) -> NDArray[np.float64]:
    """Return 1, 2 and 5 times powers of ten, or the powers alone where that would be more than nine."""
    decades = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1, dtype=np.float64)
    steps = (1.0, 2.0, 5.0) if math.log10(high / low) < 3 else (1.0,)
    return np.sort(np.outer(steps, 10.0**decades).ravel())
