"""Grids of binary images: training images and fantasies (Fig 1b, Fig 2), and the misread ones."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from fastws.checks import Whole, check_integer
from fastws.plotting.page import LABEL_POINTS, MUTED, SMALL_POINTS, Page, line_height, text_width
from fastws.plotting.shapes import PAPER_LEVEL, check_image_shape, check_images, mosaic, pixel_size
from fastws.plotting.style import own_style

if TYPE_CHECKING:
    from fastws.machine import Machine

_TILE = 52  # of an image, in dots
_LARGE_TILE = 96
_GAP = 3
_WIDE_GAP = 6  # the strokes of digits reach the edges of their images
_BETWEEN_PANELS = 64
_HEADING = line_height(LABEL_POINTS) + 8


@own_style()
def image_grid(
    images: ArrayLike,
    image_shape: Sequence[int] | None = None,
    n_columns: Whole = 12,
    title: str | None = None,
    caption: str | None = None,
) -> Figure:
    """Draw binary images side by side, row after row; a pixel that is on is white.

    Parameters
    ----------
    images : array_like of {0, 1}, shape (n, n_pixels)
    image_shape : (int, int), optional
        Rows and columns of an image; by default a square if n_pixels is one, else one row.
    n_columns : int, default=12
        Images a row.
    title, caption : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the images are not binary, there are none, or image_shape does not hold them.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> figure = plotting.image_grid(fastws.Bars(size=2).sample(24), n_columns=8, title="Bars")
    """
    array = check_images(images, image_shape, "images")
    columns = min(check_integer(n_columns, "n_columns"), len(array))
    levels = mosaic(array, columns, pixel_size(array.shape[1:], _TILE), _GAP)
    page = Page(levels.shape[1], levels.shape[0], title, caption)
    page.raster(0, 0, levels)
    return page.figure


@own_style()
def fantasies(
    machine: "Machine",
    n: Whole = 48,
    image_shape: Sequence[int] | None = None,
    seed: Whole = 0,
    title: str | None = None,
) -> Figure:
    """Draw fantasies of a machine.

    Parameters
    ----------
    machine : Machine
    n : int, default=48
        How many.
    image_shape : (int, int), optional
        Rows and columns of an input image; by default a square if the number of inputs is one, else one row.
    seed : int, default=0
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If image_shape does not hold the inputs.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> figure = plotting.fantasies(fastws.Machine([6, 2]), n=12, image_shape=(2, 3))
    """
    shape = check_image_shape(image_shape, machine.layer_sizes[0])
    return image_grid(machine.fantasies(n, seed=seed), shape, title=title)


@own_style()
def samples(
    data: ArrayLike,
    fantasies: ArrayLike,
    image_shape: Sequence[int] | None = None,
    n_columns: Whole = 8,
    titles: tuple[str, str] = ("training images", "fantasies"),
    caption: str | None = None,
) -> Figure:
    """Draw training images beside fantasies, as in Fig 1b of [1]_.

    Parameters
    ----------
    data, fantasies : array_like of {0, 1}, shape (n, n_pixels)
        All of them are drawn; the paper shows 48 of each and leaves ambiguous ones out.
    image_shape : (int, int), optional
        Rows and columns of an image; by default a square if n_pixels is one, else one row.
    n_columns : int, default=8
        Images a row, on either side.
    titles : (str, str)
        Above the two sides.
    caption : str, optional
        By default it says what is on which side.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the images are not binary, there are none, or image_shape does not hold them.

    References
    ----------
    .. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> bars = fastws.Bars(size=2)
    >>> figure = plotting.samples(bars.sample(8), fastws.Machine([4, 2]).fantasies(8))
    """
    sides = [check_images(data, image_shape, "data"), check_images(fantasies, image_shape, "fantasies")]
    if sides[0].shape[1:] != sides[1].shape[1:]:
        raise ValueError(
            f"data has {sides[0][0].size} pixels an image and fantasies {sides[1][0].size}; give images of one size."
        )
    columns = check_integer(n_columns, "n_columns")
    panels = [mosaic(side, columns, pixel_size(side.shape[1:], _TILE), _GAP) for side in sides]
    if caption is None:
        caption = (
            f"Left: {len(sides[0])} training images. "
            f"Right: {len(sides[1])} fantasies, drawn by the trained net from the top down."
        )
    width = panels[0].shape[1]
    height = max(panel.shape[0] for panel in panels)
    page = Page(2 * width + _BETWEEN_PANELS, _HEADING + height, caption=caption)
    for number, (panel, heading) in enumerate(zip(panels, titles, strict=True)):
        left = number * (width + _BETWEEN_PANELS)
        page.line(left, 0, heading)
        page.raster(left, _HEADING, panel)
    return page.figure


@own_style()
def digit_samples(
    examples_by_class: Mapping[Any, ArrayLike],
    fantasies_by_class: Mapping[Any, ArrayLike],
    image_shape: Sequence[int] | None = None,
    caption: str | None = None,
) -> Figure:
    """Draw examples of each class beside fantasies of the net of that class, as in Fig 2 of [1]_.

    Parameters
    ----------
    examples_by_class, fantasies_by_class : mapping of label to array_like of {0, 1}, shape (n, n_pixels)
        The first 24 of each are drawn, in two rows of twelve; classes in the order of the first mapping.
    image_shape : (int, int), optional
        Rows and columns of an image; by default a square if n_pixels is one, else one row.
    caption : str, optional
        By default it says what is on which side.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the two have other labels, there are none, or images are not binary or of another size.

    References
    ----------
    .. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> images = {"bars": fastws.Bars(size=2).sample(4), "noise": fastws.Machine([4, 2]).fantasies(4)}
    >>> figure = plotting.digit_samples(images, images)
    """
    labels = list(examples_by_class)
    if not labels or set(labels) != set(fantasies_by_class):
        raise ValueError(
            f"examples are of the classes {labels} and fantasies of {list(fantasies_by_class)}; "
            "give images of the same classes, at least one, on both sides."
        )
    columns, per_class = 12, 24
    shape = check_image_shape(image_shape, np.shape(examples_by_class[labels[0]])[-1])
    pixel = pixel_size(shape, _TILE)
    step_x, step_y = shape[1] * pixel + _WIDE_GAP, shape[0] * pixel + _WIDE_GAP
    side_width, class_height = columns * step_x + _WIDE_GAP, 2 * step_y + 16
    names = [str(label) for label in labels]
    margin = text_width(max(map(len, names)), LABEL_POINTS + 2) + 16
    if caption is None:
        caption = (
            f"Left: {per_class} examples of each class. Right: {per_class} fantasies of the net that was trained on "
            "that class."
        )
    right = margin + side_width + _BETWEEN_PANELS
    page = Page(right + side_width, len(labels) * class_height - 16, caption=caption)
    for number, label in enumerate(labels):
        top = number * class_height
        page.text(0, top + step_y, names[number], LABEL_POINTS + 2, va="center_baseline")
        for left, images, side in ((margin, examples_by_class, "examples"), (right, fantasies_by_class, "fantasies")):
            array = check_images(images[label], shape, f"{side} of class {label}")[:per_class]
            page.raster(left, top, mosaic(array, columns, pixel, _WIDE_GAP))
    return page.figure


@own_style()
def misread(
    images: ArrayLike,
    true_labels: Sequence[Hashable],
    best_labels: Sequence[Hashable],
    best_bits: ArrayLike,
    second_labels: Sequence[Hashable],
    second_bits: ArrayLike,
    image_shape: Sequence[int] | None = None,
    limit: int = 48,
) -> Figure:
    """Draw misread images, each with the description lengths that the two best classes gave it.

    Parameters
    ----------
    images : array_like of {0, 1}, shape (n, n_pixels)
        The misread images only; n may be 0.
    true_labels, best_labels, second_labels : sequence of length n
        The class of each image, the class it was read as, and the next best.
    best_bits, second_bits : array_like, shape (n,)
        Description lengths by the nets of the best and the next best class, in bits.
    image_shape : (int, int), optional
        Rows and columns of an image; by default a square if n_pixels is one, else one row.
    limit : int, default=48
        The most images drawn, the first ones; the title says how many there are.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the lengths differ, the images are not binary, or image_shape does not hold them.

    Examples
    --------
    >>> from fastws import plotting
    >>> image, label, taken_for = [[0, 1, 1, 0]], ["b"], ["a"]
    >>> figure = plotting.misread(image, label, taken_for, [3.0], label, [3.5])
    """
    columns: list[Sequence[Any] | NDArray[Any]] = [
        true_labels,
        best_labels,
        np.ravel(best_bits),
        second_labels,
        np.ravel(second_bits),
    ]
    n = int(np.shape(images)[0]) if np.ndim(images) else 0
    lengths = [len(column) for column in columns]
    if any(length != n for length in lengths):
        raise ValueError(
            f"there are {n} images, and {lengths} true labels, best labels, best bits, second labels and second bits; "
            "give one of each an image."
        )
    if n == 0:
        return Page(1, 1, "No image was misread").figure
    array = check_images(images, image_shape, "images")[: check_integer(limit, "limit")]
    captions = [
        (f"true {true}, read {best}", f"{best}: {bits:.1f}, {second}: {more:.1f} bits")
        for true, best, bits, second, more in list(zip(*columns, strict=True))[: len(array)]
    ]
    pixel = pixel_size(array.shape[1:], _LARGE_TILE)
    height, width = (side * pixel + 2 * _GAP for side in array.shape[1:])
    longest = max(len(line) for caption in captions for line in caption)
    step_x = max(width, text_width(longest, SMALL_POINTS)) + 20
    step_y = height + 2 * line_height(SMALL_POINTS) + 28
    n_columns = min(len(array), max(1, 1320 // step_x))
    drawn = f"{n}" if len(array) == n else f"The first {len(array)} of {n}"
    page = Page(
        n_columns * step_x - 20,
        -(-len(array) // n_columns) * step_y - 20,
        f"{drawn} misread image{'s' if n > 1 else ''}",
        "Below each image: its class, the class it was read as, and the description lengths that the nets of the two "
        "best classes gave it.",
    )
    levels = np.full((page.height, page.width), PAPER_LEVEL, np.uint8)
    for number, (image, (verdict, lengths_bits)) in enumerate(zip(array, captions, strict=True)):
        left, top = number % n_columns * step_x, number // n_columns * step_y
        levels[top : top + height, left : left + width] = mosaic(image[np.newaxis], 1, pixel, _GAP)
        page.line(left, top + height + 6, verdict, SMALL_POINTS)
        page.line(left, top + height + 6 + line_height(SMALL_POINTS), lengths_bits, SMALL_POINTS, color=MUTED)
    page.raster(0, 0, levels)
    return page.figure
