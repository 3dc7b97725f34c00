"""Curves of learning: divergence and KL penalty (bars), free energies, description lengths (digits)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from fastws.plotting.page import BLUE, CAPTION_POINTS, MUTED, VERMILION, Page, add_lines, line_height, text_width
from fastws.plotting.scales import LEAST_BITS, log_ticks, open_axes, set_ticks, set_x_label, set_y
from fastws.plotting.style import own_style

_WIDTH, _HEIGHT = 800, 520
_LEFT, _BELOW = 96, 84  # room for ticks and labels of the axes


@own_style()
def learning_curve(
    examples_seen: ArrayLike,
    divergence_bits: ArrayLike,
    kl_penalty_bits: ArrayLike,
    reference_bits: float | None = 0.10,
    title: str | None = None,
) -> Figure:
    """Draw the asymmetric divergence and the KL penalty against examples seen, on a logarithmic axis.

    Parameters
    ----------
    examples_seen : array_like, shape (n,)
    divergence_bits : array_like, shape (n,)
        KL(data ‖ model), in bits.
    kl_penalty_bits : array_like, shape (n,)
        Mean over the data of the last term of Eq 8, in bits.
    reference_bits : float, optional
        The paper's divergence, drawn as a horizontal line; None draws none.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths differ, there is no point, or the reference is not above zero.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.learning_curve([0, 1000, 2000], [8.0, 2.5, 0.3], [0.0, 0.4, 0.1])
    """
    if reference_bits is not None and not 0 < reference_bits < math.inf:
        raise ValueError(f"reference_bits is {reference_bits!r}; give a number above 0, or None for no line.")
    x = _finite(examples_seen, "examples_seen")
    curves = {
        "divergence": _finite(divergence_bits, "divergence_bits", len(x)),
        "KL penalty": _finite(kl_penalty_bits, "kl_penalty_bits", len(x)),
    }
    marks = [float(y[y >= LEAST_BITS].min(initial=1.0)) for y in curves.values()]
    low = min([*marks, reference_bits or 1.0]) / 1.3
    high = max([*(float(y.max()) for y in curves.values()), reference_bits or 0.0, 2 * low]) * 1.3
    labels = [f"{name} {_bits(y[-1])}" for name, y in curves.items()]
    colors = [BLUE, VERMILION]
    ends = [max(float(y[-1]), low) for y in curves.values()]
    if reference_bits is not None:
        labels.append(f"the paper's divergence {reference_bits:.2f}")
        colors.append(MUTED)
        ends.append(reference_bits)

    page, axes = _frame(title, labels, "Divergence: KL(data ‖ model). KL penalty: the last term of Eq 8.")
    axes.set_yscale("log")
    _set_x_to_examples(axes, x)
    set_y(axes, (low, high), log_ticks(low, high), "bits")
    if reference_bits is not None:
        axes.axhline(reference_bits, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    for (name, y), color in zip(curves.items(), colors, strict=False):
        _plot(axes, x, np.maximum(y, low), color, name)
    _label_ends(page, np.log(np.array(ends) / low) / math.log(high / low), labels, colors)
    return page.figure


@own_style()
def free_energy_curve(
    examples_seen: ArrayLike,
    training_bits: ArrayLike,
    held_out_bits: ArrayLike | None = None,
    kept_at: float | None = None,
    title: str | None = None,
) -> Figure:
    """Draw the free energy of training images, and of images held out, against examples seen.

    Parameters
    ----------
    examples_seen : array_like, shape (n,)
    training_bits : array_like, shape (n,)
        Mean free energy C(d), Eq 5, of training images, in bits.
    held_out_bits : array_like, shape (n,), optional
        That of images that nothing was learned from.
    kept_at : float, optional
        After how many examples the machine was kept; a vertical line is drawn there.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths differ, there is no point, or a number is not finite.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.free_energy_curve([0, 1000, 2000], [64, 30, 28], held_out_bits=[64, 31, 33], kept_at=1000)
    """
    x = _finite(examples_seen, "examples_seen")
    curves = {"training images": _finite(training_bits, "training_bits", len(x))}
    if held_out_bits is not None:
        curves["images held out"] = _finite(held_out_bits, "held_out_bits", len(x))
    low, high = _padded(list(curves.values()))
    labels = [f"{name} {y[-1]:.2f}" for name, y in curves.items()]
    caption = "Mean free energy C(d), Eq 5." + ("" if kept_at is None else " Dashed: the machine that was kept.")

    page, axes = _frame(title, labels, caption)
    _set_x_to_examples(axes, x)
    set_y(axes, (low, high), _even_ticks(low, high), "bits an image")
    if kept_at is not None:
        axes.axvline(kept_at, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    colors = [BLUE, VERMILION][: len(curves)]
    for (name, y), color in zip(curves.items(), colors, strict=True):
        _plot(axes, x, y, color, name)
    ends = np.array([y[-1] for y in curves.values()])
    _label_ends(page, (ends - low) / (high - low), labels, colors)
    return page.figure


@own_style()
def description_length_curve(
    sweeps: ArrayLike, bits_by_class: Mapping[Any, ArrayLike], title: str | None = None
) -> Figure:
    """Draw the mean description length of the images of each class against sweeps, one line a class.

    Parameters
    ----------
    sweeps : array_like, shape (n,)
    bits_by_class : mapping of label to array_like, shape (n,)
        Mean description length by the net of that class, in bits an image.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Each line is labelled with its class at its right end.

    Raises
    ------
    ValueError
        If there is no class, the lengths differ, or there is no point.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.description_length_curve([0, 1, 2], {"zeros": [64, 40, 30], "ones": [64, 30, 20]})
    """
    x = _finite(sweeps, "sweeps")
    if not bits_by_class:
        raise ValueError("bits_by_class is empty; give the description lengths of at least one class.")
    curves = {str(label): _finite(y, f"bits_by_class[{label!r}]", len(x)) for label, y in bits_by_class.items()}
    low, high = _padded(list(curves.values()))
    colors = [to_hex(color) for color in colormaps["viridis"](np.linspace(0.0, 0.85, len(curves)))]

    page, axes = _frame(
        title, list(curves), "Mean description length of the images of each class by the net of that class."
    )
    _set_x(axes, x, "sweeps")
    set_y(axes, (low, high), _even_ticks(low, high), "bits an image")
    for (label, y), color in zip(curves.items(), colors, strict=True):
        _plot(axes, x, y, color, label)
    ends = np.array([y[-1] for y in curves.values()])
    _label_ends(page, (ends - low) / (high - low), list(curves), colors)
    return page.figure


@own_style()
def bound_curves(
    bounds: Mapping[str, Sequence[tuple[int, float]]],
    published: Mapping[str, float] | None = None,
    label: str = "bits an image",
    title: str | None = None,
) -> Figure:
    """Draw bounds on the negative log probability against the samples that they take, a line a machine.

    Parameters
    ----------
    bounds : mapping of str to sequence of (n_samples, bound)
        By machine; numbers of samples are at least 1.
    published : mapping of str to float, optional
        What was found elsewhere; a dashed line each.
    label : str
        What the bounds are.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Each line is labelled at its right end.

    Raises
    ------
    ValueError
        If there is no machine, one has no bound, a bound is not finite, or a number of samples is below 1.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.bound_curves({"64-16": [(1, 30.2), (10, 28.1), (100, 27.7)]}, published={"elsewhere": 29.0})
    """
    if not bounds:
        raise ValueError("bounds is empty; give those of one machine at least.")
    curves = {}
    for name, points in bounds.items():
        samples = _finite([n for n, _ in points], f"the numbers of samples of {name}")
        if samples.min() < 1:
            raise ValueError(f"bounds[{name!r}] has {samples.min():g} samples; a bound takes one at least.")
        curves[name] = samples, _finite([bound for _, bound in points], f"the bounds of {name}")
    lines = dict(published or {})
    everything = [y for _, y in curves.values()]
    if lines:
        everything.append(_finite(list(lines.values()), "published"))
    most = max(float(samples.max()) for samples, _ in curves.values())
    low, high = _padded(everything)
    last = {name: float(y[-1]) for name, (_, y) in curves.items()} | lines
    labels = [f"{name}: {bound:.1f}" for name, bound in last.items()]
    colors = [to_hex(color) for color in colormaps["viridis"](np.linspace(0.0, 0.85, len(curves)))]
    caption = "−log of the mean of P(α, d) / Q(α∣d) over the samples." + (" Dashed: published." if lines else "")

    page, axes = _frame(title, labels, caption)
    axes.set_xscale("log")
    limits = 1.0, max(most, 2.0)
    axes.set_xlim(*limits)
    set_ticks(axes.xaxis, log_ticks(*limits), limits)
    set_x_label(axes, "samples an image")
    set_y(axes, (low, high), _even_ticks(low, high), label)
    for (name, (x, y)), color in zip(curves.items(), colors, strict=True):
        _plot(axes, x, y, color, name)
    for name, bound in lines.items():
        axes.axhline(bound, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1, label=name)
    ends = np.array([*last.values()])
    _label_ends(page, (ends - low) / (high - low), labels, [*colors, *[MUTED] * len(lines)])
    return page.figure


def _padded(curves: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return a range that holds all curves and some room."""
    everything = np.concatenate(curves)
    pad = 0.04 * float(np.ptp(everything)) or 1.0
    return float(everything.min()) - pad, float(everything.max()) + pad


def _even_ticks(low: float, high: float) -> NDArray[np.float64]:
    return np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high))


def _finite(values: ArrayLike, name: str, n: int | None = None) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0 or (n is not None and len(array) != n):
        wanted = "at least one number" if n is None else f"one number for each of the {n} points"
        raise ValueError(f"{name} has shape {array.shape}; give {wanted}.")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name}[{np.flatnonzero(~np.isfinite(array))[0]}] is not finite; a curve needs finite numbers."
        )
    return array


def _bits(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}" if value >= LEAST_BITS else f"< {LEAST_BITS:g}"


def _frame(title: str | None, labels: Sequence[str], caption: str) -> tuple[Page, Axes]:
    """Return a page and axes on it, with room for labels at the right ends of curves."""
    room = text_width(max(map(len, labels)), CAPTION_POINTS) + _leader(len(labels)) + 6
    height = max(_HEIGHT, len(labels) * line_height(CAPTION_POINTS))
    page = Page(_LEFT + _WIDTH + room, height + _BELOW, title, caption)
    axes = open_axes(page, _LEFT, 0, _WIDTH, height)
    return page, axes


def _set_x(axes: Axes, x: NDArray[np.float64], label: str, unit: float = 1.0) -> None:
    low, high = min(0.0, float(x.min())), float(x.max())
    axes.set_xlim(low, high if high > low else low + 1.0)
    ticks = MaxNLocator(6, steps=[1, 2, 5, 10], integer=unit == 1.0).tick_values(low / unit, axes.get_xlim()[1] / unit)
    set_ticks(axes.xaxis, ticks, axes.get_xlim(), unit)
    set_x_label(axes, label)


def _set_x_to_examples(axes: Axes, x: NDArray[np.float64]) -> None:
    unit, words = (1e6, " (millions)") if x.max() >= 1e6 else (1e3, " (thousands)") if x.max() >= 1e4 else (1.0, "")
    _set_x(axes, x, f"examples seen{words}", unit)


def _plot(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], color: str, label: str) -> None:
    axes.plot(x, y, color=color, linewidth=1.6, marker="o" if len(x) == 1 else "", label=label, solid_joinstyle="round")


def _leader(n_labels: int) -> int:
    """Return the width of the lines from curves to labels; many need room to fan out."""
    return 16 + 2 * n_labels


def _label_ends(page: Page, heights: NDArray[np.float64], labels: Sequence[str], colors: Sequence[str]) -> None:
    """Label curves at the right edge; `heights` are where they end, as fractions of the axes from below."""
    height = page.height - _BELOW
    ends = height * (1 - heights)
    places = spread(ends, line_height(CAPTION_POINTS), height)
    right = _LEFT + _WIDTH
    leader = _leader(len(labels))
    axes = page.axes(right, 0, leader, height)
    for end, place, label, color in zip(ends, places, labels, colors, strict=True):
        add_lines(axes, [((2, end), (leader, place))], color, 0.8).set_clip_on(False)
        page.text(right + leader + 6, place, label, CAPTION_POINTS, color=color, va="center_baseline")


def spread(places: NDArray[np.float64], distance: float, room: float) -> NDArray[np.float64]:
    """Return the places from 0 to `room` nearest to the given ones, in least squares, that keep a distance.

    Where there is not enough room they go beyond it.
    """
    order = np.argsort(places, kind="stable")
    # With the distances taken off, they must not decrease: pool those that do (isotonic regression).
    pools: list[tuple[float, int]] = []
    for rank, place in enumerate(places[order]):
        total, count = float(place - rank * distance), 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    result = np.empty(len(places))
    pooled = np.concatenate([np.full(n, total / n) for total, n in pools])
    last = max(0.0, room - (len(places) - 1) * distance)
    result[order] = np.clip(pooled, 0.0, last) + np.arange(len(places)) * distance
    return result
