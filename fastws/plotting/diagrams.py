"""The bars as a generative model (Fig 1a)."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fastws.plotting.page import LABEL_POINTS, MUTED, Page, add_lines, text_width
from fastws.plotting.shapes import PAPER_LEVEL, mosaic, pixel_size
from fastws.plotting.style import own_style

if TYPE_CHECKING:
    from fastws.streams import Bars

_MOST = 8  # bars of an orientation that are drawn; of more, the first ones and the last
# In dots: images, the lines around them, the room between them and between the two orientations.
_TILE, _FRAME, _BETWEEN_TILES, _BETWEEN_GROUPS = 64, 2, 26, 110
# Heights of the three levels, and how far lines keep from words.
_ROOT, _NODES, _LEAVES, _CLEAR = 20, 150, 250, 24


@own_style()
def bars_model(bars: "Bars", title: str | None = None) -> Figure:
    """Draw the generative model of the bars images as a tree, as in Fig 1a of [1]_.

    Parameters
    ----------
    bars : Bars
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Its caption says which images are left out.

    References
    ----------
    .. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> figure = plotting.bars_model(fastws.Bars(size=4, p_bar=0.25))
    """
    shown = list(range(bars.size)) if bars.size <= _MOST else [*range(_MOST - 2), bars.size - 1]
    slots = [*range(len(shown) - 1), min(bars.size, _MOST) - 1]
    pixel = pixel_size((bars.size, bars.size), _TILE)
    tile = bars.size * pixel + 2 * _FRAME
    step = tile + _BETWEEN_TILES
    below = f"each bar with p = {_number(bars.p_bar)}"
    group = max(slots[-1] * step + tile, text_width(len(below), LABEL_POINTS))
    page = Page(2 * group + _BETWEEN_GROUPS, _LEAVES + tile + 56, title, _caption(bars))
    root = page.width / 2
    page.text(root, _ROOT, "vertical or horizontal?", LABEL_POINTS + 1, ha="center", va="center")
    lines, levels = [], np.full((tile, page.width), PAPER_LEVEL, np.uint8)
    for side, word, p in ((-1, "vertical", bars.p_vertical), (1, "horizontal", 1 - bars.p_vertical)):
        node = root + side * (group + _BETWEEN_GROUPS) / 2
        lines.append(((root, _ROOT + _CLEAR), (node, _NODES - _CLEAR)))
        page.text(
            (root + node) / 2 + 14 * side,
            (_ROOT + _NODES) / 2 - 14,
            f"p = {_number(p)}",
            ha="right" if side < 0 else "left",
        )
        page.text(node, _NODES, word, LABEL_POINTS + 1, ha="center", va="center")
        left = round(node - (slots[-1] * step + tile) / 2)
        for slot, bar in zip(slots, shown, strict=True):
            image = np.zeros((1, bars.size, bars.size), np.uint8)
            image[0, :, bar] = 1
            if word == "horizontal":
                image = image.swapaxes(1, 2)
            at = left + slot * step
            levels[:, at : at + tile] = mosaic(image, 1, pixel, _FRAME)
            lines.append(((node, _NODES + _CLEAR), (at + tile / 2, _LEAVES - 10)))
        if bars.size > _MOST:
            page.text(left + (slots[-1] - 1) * step + tile / 2, _LEAVES + tile / 2, "…", ha="center", va="center")
        page.line(node, _LEAVES + tile + 12, below, ha="center", color=MUTED)
    page.raster(0, _LEAVES, levels)
    add_lines(page.axes(0, 0, page.width, page.height), lines, MUTED, 0.8)
    return page.figure


def _number(p: float) -> str:
    """Return a probability as a short decimal, or as a fraction where only that is exact."""
    fraction = Fraction(p).limit_denominator(9)
    decimal = f"{p:.3g}"
    return str(fraction) if abs(p - fraction) < 1e-9 < abs(p - float(decimal)) else decimal


def _caption(bars: "Bars") -> str:
    left_out = {
        (): "",
        ("blank",): " Blank images are left out.",
        ("full",): " Full images, which both orientations make, are left out.",
        ("blank", "full"): " Blank and full images are left out.",
    }[tuple(sorted(bars.exclude))]
    return (
        f"The generative model of the {bars.size} × {bars.size} images. The top level chooses the orientation; the "
        f"next level decides of each bar of that orientation whether it is in the image.{left_out}"
    )
