"""The options by which commands read a user's images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fastws.cli.session import busy

if TYPE_CHECKING:
    from fastws.datasets import ImageSet

FORMATS = ".npz, .npy, .mat, CSV, IDX (.gz too), or a folder of pictures or IDX files"

Data = Annotated[Path, typer.Argument(metavar="DATA", help=f"Images: {FORMATS}.")]
Threshold = Annotated[float | None, typer.Option(help="Pixels above it are on; without one they must be 0 or 1.")]
Binarise = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="SEED",
        help="Draw each pixel once, on with its grey level as probability; the same seed gives the same bits.",
    ),
]
Key = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The images' name in an .npz or .mat.  \\[default: x_train, x_test or x]"),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(help="Of a CSV: first, last or none.  \\[default: what its header calls label]", show_default=False),
]


def read_images(
    path: Path,
    part: str,
    key: str | None,
    threshold: float | None,
    binarise: int | None,
    label_column: str | None,
    labels: bool = False,
) -> "ImageSet":
    """Return the images of a file as `fastws.datasets.load` does, saying on standard error that this is under way.

    Raises
    ------
    OSError, ValueError
        As `fastws.datasets.load`.
    """
    from fastws.datasets import load

    with busy(f"Reading {path}"):
        return load(path, part, key, threshold, binarise, label_column, labels)
