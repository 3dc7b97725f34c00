"""Tables of numbers as text, a row an image: CSV and its like."""

import csv
import gzip
import io
import math
import os
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastws.datasets.idx import open_bytes

LABEL_COLUMNS = ("first", "last", "none")
_NAMES_OF_LABELS = {"label", "labels", "class", "target", "y", "digit"}
# How programs write what is missing; a class may well be called none, or NA.
_MISSING = {"", "nan", "<na>"}
_NAMES_OF_ROWS = {"id", "index", "unnamed: 0"}
_DELIMITERS = "\t;,"
_LONGEST_LINE = 1 << 24


def read_table(path: str | os.PathLike[str], label_column: str | None = None) -> dict[str, NDArray[Any]]:
    """Return the numbers of a table as `x`, and the column of labels, if there is one, as `y`.

    Parameters
    ----------
    path : path
        Commas, semicolons, tabs or spaces between the numbers; with a header or without one; compressed by gzip or not.
    label_column : {"first", "last", "none"}, optional
        By default a column that the header calls label, labels, class, target, y or digit, if it is the first or the
        last, and else none.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such table, or its rows differ in length.
    """
    name = os.fspath(path)
    try:
        with open_bytes(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline=None) as file:
            return _read(file, label_column)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name} is damaged ({error}).") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is neither a set of images that fastws knows nor text in UTF-8.") from error
    except (ValueError, csv.Error) as error:
        text = str(error).partition("; use `usecols`")[0].rstrip(".")
        raise ValueError(f"{name} is not a table of numbers, a row an image ({text}).") from error


def _read(file: IO[str], label_column: str | None) -> dict[str, NDArray[Any]]:
    line = "\n"
    while line and not line.strip():
        line = file.readline(_LONGEST_LINE)
    if not line:
        raise ValueError("it is empty")
    if len(line) == _LONGEST_LINE or "\0" in line:
        raise ValueError("it does not begin with a line of text")
    delimiter = next((sign for sign in _DELIMITERS if sign in line), None)
    cells = [cell.strip() for cell in (next(csv.reader([line], delimiter=delimiter)) if delimiter else line.split())]
    is_header = _is_header(cells)
    label = _label_index(cells if is_header else [], len(cells), label_column)
    lines = file if is_header else _after(line, file)
    names: dict[str, int] = {}
    converters: dict[int | str, Any] | None = None
    if label is not None:
        converters = {label: lambda text: float(names.setdefault(text.strip(), len(names)))}
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise ValueError("it has a header and no row")
    table = np.loadtxt(
        _after(first, lines), delimiter=delimiter, ndmin=2, comments=None, quotechar='"', converters=converters
    )
    if table.shape[1] != len(cells):
        raise ValueError(f"the header has {len(cells)} columns and the rows have {table.shape[1]}")
    if label is None:
        _ask_for_labels(table)
        return {"x": table}
    if table.shape[1] == 1:
        raise ValueError("its one column is the labels")
    return {"x": np.delete(table, label, axis=1), "y": _labels(list(names), table[:, label].astype(np.intp))}


def _after(line: str, lines: Any) -> Any:
    yield line
    yield from lines


def _is_header(cells: list[str]) -> bool:
    """Return whether this is no row of pixels: text where only numbers can be, or pandas's numbers of columns."""
    numbered = [str(number) for number in range(len(cells))]
    if len(cells) > 4 and (cells == numbered or cells[1:] == numbered[:-1] or cells[:-1] == numbered[:-1]):
        return True
    return not cells[0] or not all(map(_is_number, cells[1:-1] or cells))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_index(header: list[str], n_columns: int, label_column: str | None) -> int | None:
    if header and not header[0]:
        raise ValueError(
            "the first column has no name, as an index of rows that pandas wrote; write the table with index=False"
        )
    if header and header[0].lower() in _NAMES_OF_ROWS and label_column != "first":
        raise ValueError(f"the first column, {header[0]}, numbers the rows and is no pixel; leave it out")
    places = {"first": 0, "last": n_columns - 1, "none": None}
    if label_column is not None:
        return places[label_column]
    named = [place for place, name in enumerate(header) if name.lower() in _NAMES_OF_LABELS]
    if len(named) > 1 or not set(named) <= {0, n_columns - 1}:
        found = " and ".join(f"{header[place]} (column {place + 1})" for place in named)
        raise ValueError(
            f"its header has {found}; say which column has the labels by --label-column: first, last or none"
        )
    return named[0] if named else None


def _ask_for_labels(table: NDArray[np.float64]) -> None:
    """Refuse what would take the labels of grey images for a pixel: 785 columns of which one has other values."""
    n = table.shape[1]
    if math.isqrt(n) ** 2 == n or math.isqrt(n - 1) ** 2 != n - 1 or n < 5:
        return
    for place, column in (("first", table[:, 0]), ("last", table[:, -1])):
        if ((column != 0) & (column != 1)).any() and (column == np.round(column)).all() and column.max() < n:
            raise ValueError(
                f"of its {n} columns the {place} may be the labels, and {n - 1} make a square; say --label-column "
                f"{place}, or --label-column none if it is a pixel"
            )


def _labels(names: list[str], numbers: NDArray[np.intp]) -> NDArray[Any]:
    """Return the labels of all rows: whole numbers where all of them are, or else text."""
    for number, name in enumerate(names):
        if name.lower() in _MISSING:
            row = int(np.argmax(numbers == number))
            raise ValueError(f"image {row}, counted from 0, has no label ({name!r}); leave it out, or label it")
    try:
        values = np.array([float(name) for name in names])
    except ValueError:
        return np.array(names)[numbers]
    return values[numbers]
