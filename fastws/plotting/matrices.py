"""The confusion matrix of a classifier."""

from collections.abc import Hashable, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from fastws.plotting.page import (
    BLUE,
    CAPTION_POINTS,
    INK,
    LABEL_POINTS,
    MUTED,
    PAPER,
    RULE,
    Page,
    add_boxes,
    line_height,
    text_width,
)
from fastws.plotting.style import own_style

_DIAGONAL = "#ececec"
_HEADING = line_height(LABEL_POINTS) + 14


@own_style()
def confusion(matrix: ArrayLike, labels: Sequence[Hashable], title: str | None = None) -> Figure:
    """Draw a confusion matrix: a row a true class, a column a chosen one, coloured where the reading was wrong.

    Parameters
    ----------
    matrix : array_like of int, shape (n_classes, n_classes)
        How many images of the row's class were read as the column's.
    labels : sequence of length n_classes
    title : str, optional
        By default the number of misread images and their share.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the matrix is not square, has an entry that is no count, or the labels are not one a row.

    Examples
    --------
    >>> from fastws import plotting
    >>> figure = plotting.confusion([[9, 1], [0, 10]], labels=["zero", "one"])
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or len(counts) == 0:
        raise ValueError(f"matrix has shape {counts.shape}; give a row and a column a class.")
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError("matrix has entries that are no counts; give whole numbers of at least 0.")
    n = len(counts)
    if len(labels) != n:
        raise ValueError(f"there are {len(labels)} labels for {n} classes; give one a class.")
    names = [str(label) for label in labels]
    longest = text_width(max(map(len, names)), LABEL_POINTS)
    cell = max(56, text_width(len(str(counts.max())), CAPTION_POINTS) + 16)
    upright = longest <= cell - 8
    left, top = _HEADING + longest + 14, _HEADING + (line_height(LABEL_POINTS) if upright else longest) + 8
    total, wrong = int(counts.sum()), int(counts.sum() - np.trace(counts))
    if title is None:
        share = f" ({100 * wrong / total:.3g} %)" if total else ""
        title = f"{wrong:,} of {total:,} images misread{share}"
    page = Page(left + n * cell, top + n * cell, title)
    axes = page.axes(left, top, n * cell, n * cell)
    off_diagonal = np.where(np.eye(n, dtype=bool), 0, counts)
    shades = off_diagonal / max(1, off_diagonal.max())
    colors = LinearSegmentedColormap.from_list("misread", [PAPER, BLUE])(shades.ravel()).reshape(n, n, 4)
    colors[np.arange(n), np.arange(n), :3] = int(_DIAGONAL[1:3], 16) / 255
    row, column = np.indices((n, n)).reshape(2, -1)
    boxes = add_boxes(axes, cell * np.column_stack([column, row, row * 0 + 1, row * 0 + 1]), colors.reshape(-1, 4))
    boxes.set(edgecolor=RULE, linewidth=0.5, clip_on=False)

    for i in range(n):
        page.text(left - 12, top + (i + 0.5) * cell, names[i], ha="right", va="center_baseline")
        rotation = {} if upright else {"rotation": 90}
        page.text(left + (i + 0.5) * cell, top - 10, names[i], ha="center", va="bottom", **rotation)
        for j in range(n):
            count = int(counts[i, j])
            color = RULE if count == 0 else PAPER if shades[i, j] > 0.7 else INK
            at = left + (j + 0.5) * cell, top + (i + 0.5) * cell
            page.text(*at, f"{count}", CAPTION_POINTS, ha="center", va="center_baseline", color=color)
    page.line(left + n * cell / 2, 0, "chosen class", ha="center", color=MUTED)
    page.text(0, top + n * cell / 2, "true class", ha="left", va="center", rotation=90, color=MUTED)
    return page.figure
