"""Files that a command is told to write: checked before any work, and tables of what was found of each image."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastws.datasets import ImageSet


def check_file(path: Path, inputs: Sequence[Path], option: str) -> None:
    """Check that a file can be written where it is wanted, and is none of those that are read.

    Raises
    ------
    OSError
        If its folder does not exist or cannot be written, or the path is a folder.
    ValueError
        If the file is one of the inputs.
    """
    for one in inputs:
        if path.resolve() == one.resolve():
            raise ValueError(f"{option} is {path}, which is read, too; give another file, lest it be lost.")
    if path.is_dir():
        raise IsADirectoryError(f"{option} is {path}, which is a folder; give the name of a file.")
    try:
        probe = path.parent / f".{path.name}.fastws-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}. Give another file for {option}.") from error


def write_table(path: Path, images: "ImageSet", columns: Mapping[str, Sequence[Any]]) -> None:
    """Write a CSV with a row an image, which begins with its number, from 0, or the name of its file; atomically."""
    from fastws.files import write_atomically

    first = range(len(images.x)) if images.files is None else images.files.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *columns])
    writer.writerows(zip(first, *columns.values(), strict=True))
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))
