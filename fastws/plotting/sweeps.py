"""How often many machines succeed, against what was varied."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from fastws.plotting.page import (
    BLUE,
    CAPTION_POINTS,
    INK,
    LABEL_POINTS,
    MUTED,
    VERMILION,
    Page,
    line_height,
    text_width,
)
from fastws.plotting.scales import LEAST_BITS, log_ticks, open_axes, set_ticks, set_x_label, set_y
from fastws.plotting.style import own_style

_MOST_IN_A_ROW = 4
# In dots: how tall the two axes of a panel are, how wide alone and among others, and room for ticks and labels.
_RATES, _BITS, _ALONE, _AMONG = 260, 420, 800, 360
_LEFT, _BELOW, _BETWEEN, _HEADING = 110, 84, 36, line_height(LABEL_POINTS) + 14
_WIDE_SPAN = 30  # numbers that differ by this factor lie on a logarithmic axis
_GOLDEN = (math.sqrt(5) - 1) / 2
_MANY = 5000  # points, which an SVG had better hold as an image


@own_style()
def success_rates(
    values: Sequence[Any],
    divergence_bits: ArrayLike,
    within_bits: float = 0.10,
    label: str = "setting",
    panels: Sequence[Any] | None = None,
    panel_label: str = "",
    title: str | None = None,
) -> Figure:
    """Draw how often runs succeed, and how far each ended from the data, against a setting.

    Parameters
    ----------
    values : sequence of length n
        What the setting was in each run. Numbers lie where they are, on a logarithmic axis if they span a factor of
        30; anything else lies side by side in the order in which it comes.
    divergence_bits : array_like, shape (n,)
        KL(data ‖ model) of each run, in bits. NaN is a run that failed; it is left out.
    within_bits : float, default=0.10
        A run succeeds if its divergence is at most this.
    label : str
        The name of the setting.
    panels : sequence of length n, optional
        A second setting: each of its values has axes of its own.
    panel_label : str
        The name of the second setting.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Above, the share of the runs that succeed, with Wilson's 95 % intervals; below, the divergence of each run,
        and the medians.

    Raises
    ------
    ValueError
        If the lengths differ, no run is left, or `within_bits` is not above 0.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.success_rates([0.1, 0.1, 0.2, 0.2], [0.7, 0.6, 0.05, 0.6], label="p(bar)")
    """
    if not 0 < within_bits < math.inf:
        raise ValueError(f"within_bits is {within_bits!r}; give a number above 0.")
    bits = np.asarray(divergence_bits, np.float64)
    others = [None] * len(values) if panels is None else list(panels)
    if bits.ndim != 1 or not len(values) == len(bits) == len(others):
        raise ValueError(
            f"there are {len(values)} values, divergences of shape {bits.shape} and {len(others)} values of a second "
            "setting; give one of each a run."
        )
    done = np.isfinite(bits)
    if not done.any():
        raise ValueError("no run has a divergence; there is nothing to draw.")
    axis, panel = _scale(values), _scale(others)
    n_panels = len(panel.words)
    n_columns = -(-n_panels // -(-n_panels // _MOST_IN_A_ROW))
    width = max(_ALONE if n_panels == 1 else _AMONG, 0 if axis.numeric else _room(axis.words))
    heading = _HEADING if panels is not None else 0
    height = heading + _RATES + _BETWEEN + _BITS + _BELOW
    page = Page(
        _LEFT + n_columns * (width + _BETWEEN) - _BETWEEN,
        -(-n_panels // n_columns) * height,
        title,
        _caption(axis, panel, done, within_bits),
    )
    positive = bits[done & (bits >= LEAST_BITS)]
    low = min(float(positive.min(initial=1.0)), within_bits) / 1.3
    high = max(float(bits[done].max()), within_bits) * 1.3
    for number, word in enumerate(panel.words):
        row, column = divmod(number, n_columns)
        left, top = _LEFT + column * (width + _BETWEEN), row * height
        if panels is not None:
            page.line(left, top, f"{panel_label} = {word}")
        shown = done & (panel.codes == number)
        place = _Place(left, top + heading, width, first=column == 0)
        _draw_rates(page, place, axis, shown, bits <= within_bits)
        _draw_bits(page, place, axis, shown, bits, within_bits, (low, high), label)
    return page.figure


class _Scale(NamedTuple):
    """Where the values of a setting lie on an axis: one number and one word a value, and which value each run has."""

    numeric: bool
    places: NDArray[np.float64]
    words: list[str]
    codes: NDArray[np.intp]

    @property
    def step(self) -> float:
        """The least distance between two places."""
        return float(np.diff(self.places).min(initial=math.inf)) if len(self.places) > 1 else 1.0

    @property
    def limits(self) -> tuple[float, float]:
        pad = max(0.6 * self.step, 0.03 * float(np.ptp(self.places)))
        return float(self.places[0]) - pad, float(self.places[-1]) + pad


class _Place(NamedTuple):
    """The top left corner and the width of a panel, and whether it is the first of its row."""

    left: int
    top: int
    width: int
    first: bool


def _scale(values: Sequence[Any]) -> _Scale:
    if all(_is_number(value) for value in values):
        numbers, codes = np.unique(np.array([float(value) for value in values]), return_inverse=True)
        wide = numbers[0] > 0 and numbers[-1] >= _WIDE_SPAN * numbers[0]
        return _Scale(True, np.log10(numbers) if wide else numbers, [_word(number) for number in numbers], codes)
    words = list(dict.fromkeys(map(_word, values)))
    codes = np.array([words.index(_word(value)) for value in values])
    return _Scale(False, np.arange(len(words), dtype=np.float64), words, codes)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _word(value: Any) -> str:
    if _is_number(value):
        word = f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"
        return word.replace("-", "\N{MINUS SIGN}")
    return "default" if str(value) in ("None", "nan", "<NA>") else str(value)


def _room(words: Sequence[str]) -> int:
    """Return the width of an axis on which every word has room."""
    return len(words) * (text_width(max(map(len, words)), CAPTION_POINTS) + 16)


def _caption(axis: _Scale, panel: _Scale, done: NDArray[np.bool_], within_bits: float) -> str:
    _, counts = np.unique(np.stack([axis.codes, panel.codes])[:, done], axis=1, return_counts=True)
    least, most = int(counts.min()), int(counts.max())
    n_failed = len(done) - int(done.sum())
    parts = [
        f"Above: how many runs end within {within_bits:g} bits of the data, with 95 % intervals (Wilson).",
        "Below: KL(data ‖ model) of each run, blue where it is within them; the bars are medians.",
        f"{least:,} runs a point." if least == most else f"Between {least:,} and {most:,} runs a point.",
        f"Left out: {n_failed:,} with an error." if n_failed else "",
    ]
    return " ".join(part for part in parts if part)


def _draw_rates(page: Page, place: _Place, axis: _Scale, shown: NDArray[np.bool_], good: NDArray[np.bool_]) -> None:
    from fastws.sweep import success_interval

    axes = open_axes(page, place.left, place.top, place.width, _RATES)
    runs = np.bincount(axis.codes[shown], minlength=len(axis.words))
    successes = np.bincount(axis.codes[shown & good], minlength=len(axis.words))
    there = np.flatnonzero(runs)
    x, rates = axis.places[there], successes[there] / runs[there]
    intervals = np.array([success_interval(int(successes[k]), int(runs[k])) for k in there])
    axes.vlines(x, *intervals.T, color=BLUE, linewidth=1.4, label="intervals")
    axes.plot(
        x, rates, color=BLUE, linewidth=0.8 if axis.numeric else 0.0, marker="o", markersize=4.5, label="success rates"
    )
    axes.set_xlim(*axis.limits)
    set_ticks(axes.xaxis, axis.places, axis.limits, words=[""] * len(axis.words))
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    words = [f"{100 * tick:.0f} %" if place.first else "" for tick in ticks]
    set_y(axes, (-0.03, 1.03), ticks, "runs that succeed" if place.first else "", words)


def _draw_bits(
    page: Page,
    place: _Place,
    axis: _Scale,
    shown: NDArray[np.bool_],
    bits: NDArray[np.float64],
    within_bits: float,
    limits: tuple[float, float],
    label: str,
) -> None:
    axes = open_axes(page, place.left, place.top + _RATES + _BETWEEN, place.width, _BITS)
    axes.set_yscale("log")
    axes.axhline(within_bits, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    half = 0.3 * axis.step
    x, y, medians = axis.places[axis.codes], np.maximum(bits, limits[0]), []
    for code in np.unique(axis.codes[shown]):
        here = shown & (axis.codes == code)
        # Points side by side, in an order without a pattern that is the same each time.
        x[here] += half * (2 * (np.arange(here.sum()) * _GOLDEN % 1) - 1)
        medians.append((axis.places[code], float(np.median(y[here]))))
    for color, which, name in ((VERMILION, bits > within_bits, "others"), (BLUE, bits <= within_bits, "successes")):
        axes.plot(
            *(x[shown & which], y[shown & which]),
            color=color,
            linewidth=0.0,
            marker="o",
            markersize=3.0,
            markeredgewidth=0.0,
            alpha=0.6,
            label=name,
            rasterized=bool(shown.sum() > _MANY),
        )
    middle, height = np.array(medians).T
    axes.hlines(height, middle - 1.3 * half, middle + 1.3 * half, color=INK, linewidth=1.8, zorder=3, label="medians")
    axes.set_xlim(*axis.limits)
    set_ticks(axes.xaxis, axis.places, axis.limits, words=_thinned(axis, place.width))
    set_x_label(axes, label)
    ticks = log_ticks(*limits)
    words = [f"{tick:g}" if place.first else "" for tick in ticks]
    set_y(axes, limits, ticks, "divergence, bits" if place.first else "", words)


def _thinned(axis: _Scale, width: int) -> list[str]:
    """Return the words of an axis, those left empty that would touch the ones before them."""
    low, high = axis.limits
    words, end = [], -math.inf
    for place, word in zip(axis.places, axis.words, strict=True):
        middle, half = (place - low) / (high - low) * width, text_width(len(word), CAPTION_POINTS) / 2
        fits = middle - half > end + 8
        words.append(word if fits else "")
        end = middle + half if fits else end
    return words
