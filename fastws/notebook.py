"""What notebooks show of an object: HTML that takes the colours of its page, light or dark.

Nothing here computes much or raises, whatever the parameters are: a notebook calls it whenever an object ends a cell.
"""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LONGEST = 120  # characters of what a user's object says of itself
_MOST_UNITS = 16
_MOST_SQUARES = 2048
_IN_A_ROW = 8
# In units of the drawing: the side of a block, and the room between two.
_BLOCK, _GAP = 60.0, 8.0
# Smaller ones, a part of the side of the largest, cannot be seen.
_LEAST_SIDE = 0.06
_GROUND, _POSITIVE, _NEGATIVE = "#8c8c8c", "#fff", "#000"


def shown(title: str, rows: Mapping[str, Any], picture: str = "") -> str:
    """Return a title, a table of what is not None, and a picture of `hinton`, one below the other."""
    cells = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(words(value))}</td></tr>'
        for name, value in rows.items()
        if value is not None
    )
    return f"<div><strong>{html.escape(title)}</strong><table><tbody>{cells}</tbody></table>{picture}</div>"


def run(simulation: Any, rates: Sequence[float], rules: str) -> str:
    """Return what a simulation shows, given the learning rates of its next example."""
    rows = {
        "machine": simulation.machine,
        "stream": simulation.stream,
        "examples seen": f"{simulation.examples_seen:,} of {simulation.total_examples:,}",
        "learning rates": ", ".join(f"{rate:.3g}" for rate in rates),
        "rules": rules or "Eqs 4 and 7",
        "seed": simulation.seed,
    }
    return shown("Simulation", rows, hinton(simulation.machine.gen_weights[0]))


def words(value: Any) -> str:
    """Return what an object says of itself, if it can, and not too much of it."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # a user's object
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def hinton(weights: NDArray[np.float32]) -> str:
    """Return a small Hinton diagram, as SVG, of weights from units to inputs, shape (n_units, n_inputs), and a caption.

    Of many units it has the first ones; of more inputs than can be shown, or where a weight is not finite, there is
    none.
    """
    n_inputs = weights.shape[1]
    some = weights[: min(_MOST_UNITS, _MOST_SQUARES // n_inputs)].astype(np.float64)
    largest = float(np.abs(some).max(initial=0.0))
    if not some.size or not math.isfinite(largest):
        return ""
    columns = math.isqrt(n_inputs - 1) + 1
    cell = _BLOCK / columns
    height = -(-n_inputs // columns) * cell
    unit, pixel = np.arange(len(some)), np.arange(n_inputs)
    left = (unit % _IN_A_ROW) * (_BLOCK + _GAP)
    top = (unit // _IN_A_ROW) * (height + _GAP)
    grounds = "".join(
        f'<rect x="{x:g}" y="{y:g}" width="{_BLOCK:g}" height="{height:g}" fill="{_GROUND}"/>'
        for x, y in zip(left, top, strict=True)
    )
    sides = np.sqrt(np.abs(some) / (largest or 1.0))
    x = left[:, np.newaxis] + (pixel % columns + 0.5) * cell
    y = top[:, np.newaxis] + (pixel // columns + 0.5) * cell
    squares = ""
    for color, chosen in ((_POSITIVE, some > 0), (_NEGATIVE, some < 0)):
        visible = chosen & (sides >= _LEAST_SIDE)
        drawn = zip(x[visible], y[visible], 0.92 * cell * sides[visible], strict=True)
        path = "".join(f"M{a - s / 2:.4g} {b - s / 2:.4g}h{s:.3g}v{s:.3g}h-{s:.3g}z" for a, b, s in drawn)
        squares += f'<path fill="{color}" d="{path}"/>'
    wide = min(len(some), _IN_A_ROW) * (_BLOCK + _GAP) - _GAP
    high = float(top[-1]) + height
    which = "each hidden unit" if len(some) == len(weights) else f"{len(some)} of {len(weights):,} hidden units"
    caption = f"Generative weights of {which} to the inputs; white is positive, black negative, largest {largest:.3g}."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{caption}" viewBox="0 0 {wide:g} {high:g}" '
        f'width="{wide:g}" height="{high:g}" style="max-width:100%;height:auto">{grounds}{squares}</svg>'
        f'<div style="max-width:40em"><small>{caption}</small></div>'
    )
