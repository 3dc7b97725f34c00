"""The bars as a generative model (Fig 1a)."""

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from fastws.plotting.page import LABEL_POINTS, MUTED, Page, add_lines
from fastws.plotting.shapes import mosaic, pixel_size

if TYPE_CHECKING:
    from fastws.streams import Bars

_TILE = 64
_STEP = _TILE + 26
_MOST = 8  # bars of an orientation that are drawn; of more, the first ones and the last


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
    """
    size = bars.size
    drawn = list(range(size)) if size <= _MOST else [*range(_MOST - 2), size - 1]
    slots = list(range(len(drawn))) if size <= _MOST else [*range(_MOST - 2), _MOST - 1]
    group = max(slots) * _STEP + _TILE
    between = 110
    root, middle, leaf = 20, 150, 250
    page = Page(2 * group + between, leaf + _TILE + 56, title, _caption(bars))
    axes = page.axes(0, 0, page.width, page.height)
    horizontal = np.zeros((size, size, size), np.uint8)
    horizontal[np.arange(size), np.arange(size)] = 1
    centres = (group / 2, group + between + group / 2)
    x_root = page.width / 2
    lines = []
    for left, centre, word, p, images in (
        (0, centres[0], "vertical", bars.p_vertical, horizontal.swapaxes(1, 2)),
        (group + between, centres[1], "horizontal", 1 - bars.p_vertical, horizontal),
    ):
        lines.append(((x_root, root + 24), (centre, middle - 24)))
        outward = "right" if centre < x_root else "left"
        x_middle = (x_root + centre) / 2
        page.text(
            x_middle + (-14 if outward == "right" else 14), (root + middle) / 2 - 14, f"p = {_number(p)}", ha=outward
        )
        page.text(centre, middle, word, LABEL_POINTS + 1, ha="center", va="center")
        for slot, index in zip(slots, drawn, strict=True):
            x = left + slot * _STEP
            levels = mosaic(images[index : index + 1], 1, pixel_size((size, size), _TILE))
            page.raster(x, leaf, levels)
            lines.append(((centre, middle + 24), (x + levels.shape[1] / 2, leaf - 10)))
        if size > _MOST:
            page.text(left + (_MOST - 2) * _STEP + _TILE / 2, leaf + _TILE / 2, "…", ha="center", va="center")
        page.line(centre, leaf + _TILE + 16, f"each bar with p = {_number(bars.p_bar)}", ha="center", color=MUTED)
    page.text(x_root, root, "vertical or horizontal?", LABEL_POINTS + 1, ha="center", va="center")
    add_lines(axes, lines, MUTED, 0.8)
    return page.figure


def _number(p: float) -> str:
    """Return a probability as a fraction where it is a simple one, as people write it."""
    fraction = Fraction(p).limit_denominator(9)
    if 3 <= fraction.denominator and fraction.denominator not in (4, 5, 8) and abs(p - fraction) < 1e-9:
        return str(fraction)
    return f"{p:.3g}"


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
