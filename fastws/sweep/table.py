"""The table of a sweep: its columns, and the file that holds it and is whole at any moment."""

import operator
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastws.files import write_atomically
from fastws.sweep.groups import Outcome
from fastws.sweep.lock import locked
from fastws.sweep.settings import Experiment, Setting, check_setting, setting_type, unwritable

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
Row = tuple[Any, ...]
Key = tuple[tuple[Setting, ...], int]
"""The values of all settings, and the seed: what makes a run that run."""

_SECONDS_A_WRITE = 1.0
_SHARE_OF_WRITING = 0.05
_DTYPES = {
    (bool, False): "bool",
    (int, False): "int64",
    (float, False): "float64",
    (str, False): "str",
    (bool, True): "boolean",
    (int, True): "Int64",
    (float, True): "float64",
    (str, True): "string",
}


def pandas() -> Any:
    """Return the package pandas.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("a sweep needs the package pandas; install it by pip install 'fastws[sweep]'.") from error
    return pandas


def check_suffix(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that a table can be kept in.

    Raises
    ------
    ValueError
        If its suffix is neither .csv nor .parquet.
    ImportError
        If what reads and writes such files is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{os.fspath(path)} does not end in {' or '.join(SUFFIXES)}; a sweep's table is one of these.")
    pandas()
    if suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "a Parquet file needs the package pyarrow; install it by pip install 'fastws[sweep]', or give a name "
                "that ends in .csv."
            ) from error
    return Path(path)


def read(path: str | os.PathLike[str]) -> "pd.DataFrame":
    """Return the table in a file that a sweep wrote, finished or not.

    A CSV file does not say which settings are words: where all look like numbers, or like True and False, they are.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it does not end in .csv or .parquet, or holds something else.
    ImportError
        If pandas, or for a Parquet file pyarrow, is not installed.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> table = sweep.run(BARS, {"size": 2, "examples": 100}, seeds=3, path="bars.csv")
    >>> len(sweep.read("bars.csv"))
    3
    """
    return _read(path, [])


def _read(path: str | os.PathLike[str], words: Sequence[str]) -> "pd.DataFrame":
    """Return the table in a file; the values in the columns `words` are text even where they look like numbers."""
    file, pd = check_suffix(path), pandas()
    try:
        if file.suffix.lower() == ".csv":
            # Types are found here, since not every pandas reads a number to the last bit.
            text = pd.read_csv(file, dtype="str", keep_default_na=False)
            table = text.apply(lambda column: column if column.name in ("error", *words) else _typed(column))
        else:
            table = pd.read_parquet(file, engine="pyarrow")
        setting_names(table)
    except OSError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{os.fspath(path)} is not a table that a sweep wrote ({reason}).") from error
    return table


def _typed(column: "pd.Series") -> "pd.Series":
    """Return a column of text as booleans, whole numbers or numbers if that is what all of it is."""
    if len(column) and column.isin(["True", "False"]).all():
        return column == "True"
    numbers = np.array([text or "nan" for text in column], dtype=object)
    for dtype in ("int64", "float64"):
        try:
            return pandas().Series(numbers.astype(dtype), column.index)
        except (ValueError, OverflowError):
            continue
    return column


def setting_names(table: "pd.DataFrame") -> list[str]:
    """Return which columns of a table are settings.

    Raises
    ------
    ValueError
        If the table is not one of a sweep.

    Examples
    --------
    >>> from fastws import sweep
    >>> from fastws.experiments.bars import BARS
    >>> sweep.setting_names(sweep.run(BARS, {"size": 2, "examples": 100}, seeds=1))[:3]
    ['recipe', 'examples', 'size']
    """
    columns = [str(column) for column in table.columns]
    if len(columns) < 4 or columns[0] != "experiment" or "seed" not in columns or columns[-2:] != ["seconds", "error"]:
        raise ValueError(f"its columns are {', '.join(columns[:5]) or 'none'} …")
    return columns[1 : columns.index("seed")]


class Rows:
    """The rows of a sweep, in memory and, where there is a path, in a file.

    The file is always whole: it is written beside itself and put in its own place. Rows of the same experiment that
    the sweep at hand does not ask for stay in it, at the end. Others may write the same file at the same time, in this
    process or on another computer: each waits for the others and takes over what they have written before it writes.

    Parameters
    ----------
    experiment : Experiment
    path : path, optional
        If there is such a file, its rows are those to begin with.

    Raises
    ------
    OSError, ValueError, ImportError
        If the file cannot be read, or holds something else than rows of this experiment; or a name of the experiment,
        a setting or a measure has a control character.
    """

    def __init__(self, experiment: Experiment, path: str | os.PathLike[str] | None = None) -> None:
        self.experiment = experiment
        self.path = None if path is None else check_suffix(path)
        self.columns = ["experiment", *experiment.defaults, "seed", *experiment.measure_names, "seconds", "error"]
        types = ((setting_type(experiment, name), default is None) for name, default in experiment.defaults.items())
        measures = ["float64"] * len(experiment.measure_names)
        for name in (experiment.name, *self.columns):
            if unwritable(name):
                raise ValueError(f"the experiment has the name {name!r}; a table takes none with control characters.")
        self.dtypes = ["str", *(_DTYPES[found] for found in types), "int64", *measures, "float64", "str"]
        self._rows: dict[Key, Row] = {}
        self._unwritten = False
        self._next_write = 0.0
        self._version: object = None
        """The file whose rows are all known; None if there is none."""
        if self.path is not None:
            self._take_over(self.path)

    def done(self, key: Key) -> bool:
        """Return whether there is a row of this run, and it did not fail."""
        return key in self._rows and not self._rows[key][-1]

    def add(self, settings: dict[str, Setting], outcome: Outcome) -> None:
        """Add the row of a run, in the place of an earlier one."""
        values = tuple(settings.values())
        measures = outcome.measures or (float("nan"),) * len(self.experiment.measure_names)
        row = (self.experiment.name, *values, outcome.seed, *measures, outcome.seconds, outcome.error)
        self._rows[values, outcome.seed] = row
        self._unwritten = True

    def table(self, keys: Iterable[Key]) -> "pd.DataFrame":
        """Return the rows of these runs, as far as there are any, in this order."""
        return self._frame([self._rows[key] for key in keys if key in self._rows])

    def write_if_due(self) -> None:
        """Write the file if rows were added, but seldom enough that writing takes little of the time."""
        if self._unwritten and time.monotonic() >= self._next_write:
            self.write()

    def write(self, first: Sequence[Key] = ()) -> None:
        """Write the file, if there is one, with the rows of these runs at its beginning and in this order.

        Raises
        ------
        OSError
            If it cannot be written; the earlier one is then still there.
        ValueError
            If it is no longer the file of such a sweep: it is left as it is.
        """
        if self.path is None:
            return
        started = time.monotonic()
        try:
            with locked(self.path):
                self._take_over(self.path)
                self._put_in_place(self.path, first)
        except OSError as error:
            raise OSError(f"cannot write {self.path}: {error.strerror or error}.") from error
        self._unwritten = False
        took = time.monotonic() - started
        self._next_write = time.monotonic() + max(_SECONDS_A_WRITE, took / _SHARE_OF_WRITING)

    def _put_in_place(self, path: Path, first: Sequence[Key]) -> None:
        table = self.table(dict.fromkeys([*first, *self._rows]) if first else self._rows)
        csv = path.suffix.lower() == ".csv"

        def fill(file: Any) -> None:
            if csv:
                file.write(table.to_csv(index=False, lineterminator="\n").encode())
            else:
                table.to_parquet(file, engine="pyarrow", index=False)

        write_atomically(path, fill)
        self._version = _version(path)

    def _take_over(self, path: Path) -> None:
        """Add the rows of the file, if it is not the one that was read or written last, but for those known better."""
        version = _version(path)
        if version is None or version == self._version:
            return
        for key, row in self._loaded(path).items():
            if not self.done(key) and (key not in self._rows or not row[-1]):
                self._rows[key] = row
        self._version = version

    def _frame(self, rows: Sequence[Row]) -> "pd.DataFrame":
        pd = pandas()
        columns = zip(*rows, strict=True) if rows else [()] * len(self.columns)
        return pd.DataFrame(
            {
                name: pd.Series(list(values), dtype=dtype)
                for name, dtype, values in zip(self.columns, self.dtypes, columns, strict=True)
            }
        )

    def _loaded(self, path: Path) -> dict[Key, Row]:
        words = [name for name in self.experiment.defaults if setting_type(self.experiment, name) is str]
        table = _read(path, words)
        another = f"{path} is of another sweep, or damaged"
        lacking = [name for name in getattr(self.experiment, "later", ()) if name not in table]
        if list(table.columns) == [name for name in self.columns if name not in lacking]:
            table = table.assign(**{name: self.experiment.defaults[name] for name in lacking})[self.columns]
        columns = list(table.columns)
        if columns != self.columns:
            differing = ", ".join(sorted({*columns} ^ {*self.columns})) or "their order"
            raise ValueError(f"{another}: its columns differ ({differing}). Give another file.")
        names = set(table["experiment"]) - {self.experiment.name}
        if names:
            raise ValueError(
                f"{another}: it has rows of the experiment {names.pop()!r}, not {self.experiment.name!r}. Give another "
                "file."
            )
        table = table.astype(object).where(table.notna(), None)
        try:
            settings = [self._checked(name, table[name].tolist()) for name in self.experiment.defaults]
            seeds = [operator.index(seed) for seed in table["seed"]]
            numbers = [table[name] for name in (*self.experiment.measure_names, "seconds")]
            measured = [[float("nan") if value is None else float(value) for value in column] for column in numbers]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{another}: {error} Give another file.") from error
        rows: dict[Key, Row] = {}
        for *row, said in zip(*settings, seeds, *measured, table["error"], strict=True):
            key = tuple(row[: len(settings)]), row[len(settings)]
            rows[key] = (self.experiment.name, *row, said)
        return rows

    def _checked(self, name: str, values: list[Any]) -> list[Setting]:
        """Return the values of a setting that were read from a file as `check_setting` does."""
        checked = {value: check_setting(self.experiment, name, value) for value in dict.fromkeys(values)}
        return [checked[value] for value in values]


def _version(path: Path) -> object:
    """Return what differs between a file and whatever takes its place; None if there is none."""
    try:
        # Opened and not only asked for, so that a folder of another computer is looked at again.
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
