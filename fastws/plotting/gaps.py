"""What each of several methods costs above the entropy, a point a draw."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fastws.plotting.page import BLUE, CAPTION_POINTS, INK, VERMILION, Page, text_width
from fastws.plotting.scales import open_axes, set_ticks, set_x_label, set_y
from fastws.plotting.style import own_style

_WIDTH, _ROW, _BELOW, _SPREAD = 760, 56, 90, 0.28


@own_style()
def cost_gaps(
    bits: Mapping[str, Sequence[float]],
    published: Mapping[str, float] | None = None,
    label: str = "test cost above the entropy, bits an image",
    title: str | None = None,
) -> Figure:
    """Draw what a test image costs by each method, a point a draw, as Figure 1 of Frey, Hinton and Dayan (1996) does.

    Parameters
    ----------
    bits : mapping of str to sequence of float
        By method, a finite number a draw; a row each, from the top.
    published : mapping of str to float, optional
        By method, what was found elsewhere; drawn as a line across the row.
    label : str
        What the numbers are.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no method, or one has no number or one that is not finite.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.cost_gaps({"gzip": [9.5, 9.8], "helmholtz": [1.2, 1.4]}, published={"gzip": 10.0})
    """
    if not bits:
        raise ValueError("there is no method; give the bits of one at least.")
    for name, values in bits.items():
        if not len(values) or not np.isfinite(values).all():
            raise ValueError(f"the bits of {name} are {list(values)!r}; give finite numbers, one a draw.")
    there = {name: value for name, value in (published or {}).items() if name in bits}
    points = np.concatenate([np.asarray(values, np.float64) for values in bits.values()])
    everything = np.array([*points, *there.values()])
    low, high = min(0.0, float(everything.min())), float(everything.max())
    pad = 0.04 * (high - low or 1.0)
    left = text_width(max(map(len, bits)), CAPTION_POINTS) + 24
    caption = "A dot is a draw, the dark line its method's mean." + (
        " The orange line is the published figure, of one draw." if there else ""
    )
    height = _ROW * len(bits)
    page = Page(left + _WIDTH, height + _BELOW, title, caption)
    axes = open_axes(page, left, 0, _WIDTH, height)
    rows = list(reversed(range(len(bits))))
    for row, (name, values) in zip(rows, bits.items(), strict=True):
        heights = row - np.linspace(-_SPREAD, _SPREAD, len(values)) if len(values) > 1 else np.array([float(row)])
        axes.plot(values, heights, color=BLUE, linewidth=0.0, marker="o", markersize=4.0, alpha=0.7, label=name)
        axes.vlines(float(np.mean(values)), row - 0.36, row + 0.36, color=INK, linewidth=1.8, label=f"mean, {name}")
        if name in there:
            axes.vlines(there[name], row - 0.36, row + 0.36, color=VERMILION, linewidth=1.4, label=f"then, {name}")
    set_y(axes, (-0.5, len(bits) - 0.5), rows, "", list(bits))
    axes.set_xlim(low - pad, high + pad)
    ticks = MaxNLocator(8).tick_values(low, high)
    set_ticks(axes.xaxis, ticks, (low - pad, high + pad))
    set_x_label(axes, label)
    return page.figure
