"""Checks of images and their shapes, and the mosaics made of them."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastws.checks import check_binary, check_integer

OFF, ON, GAP_LEVEL, PAPER_LEVEL = 0, 255, 128, 255


def check_image_shape(image_shape: Any, n_pixels: int) -> tuple[int, int]:
    """Return (rows, columns) of images of `n_pixels`: by default a square where that is one, else one row."""
    if image_shape is None:
        side = math.isqrt(n_pixels)
        return (side, side) if side * side == n_pixels else (1, n_pixels)
    sizes = tuple(np.ravel(np.asarray(image_shape, dtype=object)).tolist())
    if len(sizes) != 2:
        raise ValueError(f"image_shape is {image_shape!r}; give two numbers, rows and columns, as in (8, 8).")
    rows, columns = (check_integer(size, f"image_shape[{axis}]") for axis, size in enumerate(sizes))
    if rows * columns != n_pixels:
        raise ValueError(
            f"image_shape is ({rows}, {columns}), which makes {rows * columns} pixels; the images have {n_pixels}. "
            "Give rows and columns whose product is that."
        )
    return rows, columns


def check_images(images: ArrayLike, image_shape: Any, name: str) -> NDArray[np.uint8]:
    """Return binary images as an array of shape (n, rows, columns)."""
    flat = check_binary(images, name=name)
    return flat.reshape(-1, *check_image_shape(image_shape, flat.shape[1]))


def pixel_size(image_shape: tuple[int, int], tile: int) -> int:
    """Return the dots a side of a pixel, for images whose longer side takes about `tile` dots."""
    return max(1, round(tile / max(image_shape)))


def mosaic(images: NDArray[np.uint8], n_columns: int, pixel: int, gap: int = 2) -> NDArray[np.uint8]:
    """Return the grey levels of images side by side, row after row, white where a pixel is on.

    Shapes: images (n, rows, columns). Lines `gap` dots wide surround each image; places left over are blank.
    """
    n, rows, columns = images.shape
    n_rows = -(-n // n_columns)
    height, width = rows * pixel, columns * pixel
    levels = np.full((n_rows * (height + gap) + gap, n_columns * (width + gap) + gap), PAPER_LEVEL, np.uint8)
    tiles = np.where(images.repeat(pixel, axis=1).repeat(pixel, axis=2), np.uint8(ON), np.uint8(OFF))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, n_columns)
        top, left = row * (height + gap), column * (width + gap)
        levels[top : top + height + 2 * gap, left : left + width + 2 * gap] = GAP_LEVEL
        levels[top + gap : top + gap + height, left + gap : left + gap + width] = tile
    return levels
