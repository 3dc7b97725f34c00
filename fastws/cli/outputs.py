"""Where results go: checked before any work; and tables of what was found of each image."""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastws.cli.output import quoted

if TYPE_CHECKING:
    from fastws.datasets import ImageSet

STATE_FILE = "run.npz"
_SUFFIXES = (".npz", ".json", ".png", ".svg", ".csv")


def prepare_folder(folder: Path) -> Path:
    """Make the folder of a new run if need be, and try to write in it before any work is done.

    Raises
    ------
    OSError
        If that cannot be done, or a folder has a name that is for a file of results.
    ValueError
        If an interrupted run is there, which would be lost.
    """
    state = folder / STATE_FILE
    if state.is_file():
        raise ValueError(
            f"{folder} holds an interrupted run. Go on with it by fastws resume {quoted(state)}, delete {state}, or "
            "give another folder with --out."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"cannot write into the folder {folder}: {why(error)}. Give another with --out.") from error
    check_folder(folder, "Give another with --out.")
    return folder


def check_folder(folder: Path, advice: str) -> None:
    """Try to write in a folder that is there, before any work is done.

    Raises
    ------
    OSError
        If that cannot be done, or a folder has a name that is for a file of results.
    """
    _try_to_write(folder, f"cannot write into the folder {folder}", advice)
    for path in sorted(folder.iterdir()):
        if path.suffix in _SUFFIXES and path.is_dir():
            raise OSError(f"{path} is a folder, in the way of a file of that name. {advice}")
        if path.suffix in _SUFFIXES:
            _check_replaceable(path, advice)


def check_output(path: Path, *inputs: Path) -> Path:
    """Return the path of a file that is to be written, when it could be, before any work is done.

    Raises
    ------
    OSError
        If its folder is not there or cannot be written, or it is a folder itself, a device or a link in a circle.
    ValueError
        If it is one of the inputs, or in a folder that is one, or holds the labels of one, and so would be lost.
    """
    # Unlike that of `Path` it takes names that are too long.
    if os.path.isdir(path):
        raise OSError(f"cannot write {path}: it is a folder. Give the name of a file.")
    _check_replaceable(path, "Give another file.")
    if path.exists() and any(path.samefile(other) for other in _all_read(inputs)):
        raise ValueError(f"{path} is read and would be overwritten; give another name for what is written.")
    folder = Path(os.path.realpath(path)).parent
    _try_to_write(folder, f"cannot write {path}", "Give a file in a folder that is there and can be written.")
    return path


def _all_read(inputs: Sequence[Path]) -> Iterable[Path]:
    """Return the files that are read where these are given: all in a folder, and the labels beside images."""
    from fastws.datasets.idx import labels_beside

    for one in inputs:
        if one.is_dir():
            yield from (path for path in one.rglob("*") if path.is_file())
        elif one.exists():
            yield one
            labels = labels_beside(one)
            if labels is not None:
                yield labels


def _check_replaceable(path: Path, advice: str) -> None:
    from fastws.files import check_replaceable

    try:
        check_replaceable(path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {why(error)}. {advice}") from error


def _try_to_write(folder: Path, problem: str, advice: str) -> None:
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"{problem}: {why(error)}. {advice}") from error


def why(error: OSError) -> str:
    """Return what the system says of an error, without its number."""
    return error.strerror or str(error)


def write_table(path: Path, images: "ImageSet", columns: Mapping[str, Sequence[Any]]) -> None:
    """Write a CSV with a row an image, which begins with its number, from 0, or the name of its file; atomically.

    The names of files come out as the bytes that they are.
    """
    from fastws.files import write_atomically

    first = range(len(images.x)) if images.files is None else images.files.tolist()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", *columns])
    writer.writerows(zip(first, *columns.values(), strict=True))
    write_atomically(path, lambda file: file.write(text.getvalue().encode(errors="surrogateescape")))
