"""The sheet that every picture is drawn on: a title, a drawing laid out in whole dots, a caption below it."""

import io
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray

from fastws.plotting.style import own_style

# Lengths are whole dots of the saved PNG, so that pixels of images and gaps between them come out equally wide.
DOTS_PER_INCH = 160
DOTS_PER_POINT = DOTS_PER_INCH / 72

# The first comes with matplotlib, so that a PNG is the same everywhere; a viewer of an SVG may need the other.
FONT = ("DejaVu Sans", "sans-serif")
TITLE_POINTS = 11.0
LABEL_POINTS = 9.0
CAPTION_POINTS = 8.0
SMALL_POINTS = 7.0

PAPER = "#ffffff"
INK = "#1a1a1a"
MUTED = "#5f5f5f"
RULE = "#c4c4c4"
# Two colours of Okabe and Ito's colour-blind safe set.
BLUE = "#0072b2"
VERMILION = "#d55e00"

MARGIN = 40
LEAST_WIDTH = 640
# Pixels of a notebook's page that a figure takes at most.
_SHOWN = (800, 1200)
_LINE = 1.45  # distance of lines of text, in font sizes
# Generous mean widths of a character, in font sizes: an SVG viewer may lack the font.
_CHARACTER, _CHARACTER_OF_PROSE = 0.6, 0.555


def text_width(characters: int, points: float) -> int:
    """Return the dots that a label of so many characters may take."""
    return round(characters * points * _CHARACTER * DOTS_PER_POINT)


def line_height(points: float) -> int:
    """Return the dots from one line of text to the next."""
    return round(points * _LINE * DOTS_PER_POINT)


class Sheet(Figure):
    """A figure that a notebook shows, whether or not anything has told it how, no wider than its page."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        dots = np.array(self.get_size_inches()) * DOTS_PER_INCH
        shown = dots * min(0.6, *(most / n for most, n in zip(_SHOWN, dots, strict=True)))
        content = io.BytesIO()
        with own_style():
            # Two dots a pixel, for screens that have them.
            self.savefig(content, format="png", dpi=DOTS_PER_INCH * min(1.0, 2 * shown[0] / dots[0]))
        return content.getvalue(), {"width": round(shown[0]), "height": round(shown[1])}


class Page:
    """A figure with a drawing area of a given size in dots, whose origin is its top left corner.

    Parameters
    ----------
    width, height : int
        Size of the drawing area, in dots.
    title, caption : str, optional
        Set above and below it; the caption is wrapped.
    """

    def __init__(self, width: int, height: int, title: str | None = None, caption: str | None = None) -> None:
        sheet = max(width, LEAST_WIDTH, text_width(len(title or ""), TITLE_POINTS))
        title_height = line_height(TITLE_POINTS) + 12 if title else 0
        lines = textwrap.wrap(caption or "", int(sheet / (CAPTION_POINTS * DOTS_PER_POINT * _CHARACTER_OF_PROSE)))
        caption_height = len(lines) * line_height(CAPTION_POINTS) + 24 if lines else 0
        self.width, self.height = width, height
        self._size = (sheet + 2 * MARGIN, title_height + height + caption_height + 2 * MARGIN)
        self._top = MARGIN + title_height
        inches = self._size[0] / DOTS_PER_INCH, self._size[1] / DOTS_PER_INCH
        self.figure = Sheet(inches, DOTS_PER_INCH, facecolor=PAPER)
        self.figure.set_layout_engine("none")  # whatever a user's settings ask for
        if title:
            self.line(0, -title_height, title, TITLE_POINTS)
        for number, line in enumerate(lines):
            self.line(0, height + 24 + number * line_height(CAPTION_POINTS), line, CAPTION_POINTS, color=MUTED)

    def text(self, x: float, y: float, words: str, points: float = LABEL_POINTS, **style: Any) -> Text:
        """Write at (x, y), in dots right of and below the top left corner of the drawing area."""
        at = (MARGIN + x) / self._size[0], 1.0 - (self._top + y) / self._size[1]
        style = {"color": INK, "fontfamily": FONT, "fontsize": points, **style}
        # A dollar sign in a user's label is a dollar sign.
        return self.figure.text(*at, words, parse_math=False, **style)

    def line(self, x: float, top: float, words: str, points: float = LABEL_POINTS, **style: Any) -> Text:
        """Write a line whose top, not counting on the letters in it, is at `top`."""
        return self.text(x, top + points * DOTS_PER_POINT, words, points, va="baseline", **style)

    def axes(self, left: int, top: int, width: int, height: int, framed: bool = False) -> Axes:
        """Add axes over a rectangle; unframed ones have dots as their coordinates, from the top left corner."""
        sheet_width, sheet_height = self._size
        corner = (MARGIN + left) / sheet_width, 1.0 - (self._top + top + height) / sheet_height
        axes = self.figure.add_axes((*corner, width / sheet_width, height / sheet_height))
        axes.set_facecolor(PAPER)
        if not framed:
            axes.set_axis_off()
            axes.set_xlim(0, width)
            axes.set_ylim(height, 0)
        return axes

    def raster(self, left: int, top: int, levels: NDArray[np.uint8]) -> Axes:
        """Show grey levels, shape (height, width), one a dot, and return their axes."""
        height, width = levels.shape
        axes = self.axes(left, top, width, height)
        axes.imshow(
            np.repeat(levels[:, :, np.newaxis], 3, axis=2),
            extent=(0, width, height, 0),
            interpolation="none",
            aspect="auto",
        )
        return axes


def add_boxes(axes: Axes, boxes: NDArray[np.float64], colors: Any) -> PolyCollection:
    """Add filled rectangles, all of them one artist; boxes has their left, top, width and height, shape (n, 4)."""
    left, top, width, height = boxes.T
    x, y = np.stack([left, left + width]), np.stack([top, top + height])
    corners = np.stack([x[[0, 1, 1, 0]], y[[0, 0, 1, 1]]]).transpose(2, 1, 0)
    artist = PolyCollection(list(corners), facecolors=colors, edgecolors="none", linewidths=0)
    axes.add_collection(artist, autolim=False)
    return artist


def add_lines(axes: Axes, segments: Sequence[Any], color: str = RULE, width: float = 1.0) -> LineCollection:
    """Add straight lines, each ((x0, y0), (x1, y1)), all of them one artist."""
    lines = LineCollection(segments, colors=color, linewidths=width, capstyle="butt")
    axes.add_collection(lines, autolim=False)
    return lines
