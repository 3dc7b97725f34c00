"""What every command shares: where results go, progress, tables, and what happens on Ctrl-C."""

import itertools
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fastws.cli.interrupts import Interrupted, answered, check, flagged, held, raised
from fastws.cli.output import quoted, readable
from fastws.cli.outputs import STATE_FILE, why

if TYPE_CHECKING:
    from concurrent.futures import Future

    from fastws.simulation import Simulation

USER_ERROR = 2
INTERRUPTED = 130
COMPILING = "Compiling, which the first run takes longer for"
DIVERGED_FILE = "diverged.npz"
RESULT_FILE = "result.json"
# Between two chunks a simulation needs Python for some microseconds; by default it would wait 5 ms for its turn.
_SECONDS_A_TURN = 5e-5

Out = Annotated[
    Path | None, typer.Option(help="Folder for the results.  \\[default: fastws-COMMAND]", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, what result.json holds, and nothing else.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same bits.")]


def ending_on_interrupt(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that raises `Interrupted` on Ctrl-C where it has nothing to save."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            with raised():
                command(*arguments, **options)
        except KeyboardInterrupt:
            answered()
            # Typer would end without a word, or in some versions with another exit code.
            raise Interrupted("Interrupted; nothing was under way that could be saved.") from None

    return run


def complain(message: str) -> None:
    """Say something on standard error."""
    print(message, file=sys.stderr)


@contextmanager
def saying_own_warnings() -> Iterator[None]:
    """Show warnings of fastws as sentences on standard error, and others as Python does."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def say(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if category.__module__.startswith("fastws."):
                complain(str(message))
            else:
                show(message, category, *where, **more)

        warnings.showwarning = say
        yield


@contextmanager
def progress_bar(label: str, total: int, already: float = 0) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error while the block runs; the block calls what it is given with the count so far."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    # Where it is narrow the bar gives way, then the label; numbers stay whole.
    columns = (
        TextColumn(label, table_column=Column(overflow="ellipsis")),
        BarColumn(),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, completed=int(already))
        yield lambda count: progress.update(task, completed=count)


@contextmanager
def busy(label: str) -> Iterator[None]:
    """Show on standard error that something is under way whose end cannot be foreseen."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(label)):
        yield


def learn(
    simulations: "Sequence[Simulation]",
    tasks: Sequence[Callable[[Callable[[object], None]], object]],
    label: str = "Learning",
    until: int | None = None,
    meanwhile: Callable[[], Any] = lambda: None,
) -> Any:
    """Run the tasks by which these simulations learn, side by side, and show how many examples they have seen.

    The tasks end with the schedules, or when `until` examples have been seen by each. Kernels leave Python alone, so
    `meanwhile` may get ready what is needed afterwards; this returns what it does, when it is done, too.
    """
    from concurrent.futures import ThreadPoolExecutor

    from fastws.threads import side_by_side

    def seen() -> int:
        return sum(simulation.examples_seen for simulation in simulations)

    total = sum(simulation.total_examples if until is None else until for simulation in simulations)
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SECONDS_A_TURN)
    try:
        # Raised anywhere else than in `watch`, Ctrl-C might be lost or leave things half done.
        with held(), ThreadPoolExecutor(1) as beside, progress_bar(label, total, seen()) as show:
            ready: list[Future[Any]] = []

            def watch() -> None:
                check()
                # Not from the start on: a simulation that is measured often at first needs Python most often then.
                if not ready:
                    ready.append(beside.submit(meanwhile))
                show(seen())

            side_by_side(tasks, watch=watch)
        return ready[0].result()
    finally:
        sys.setswitchinterval(before)


@contextmanager
def saving_on_interrupt(folder: Path, save: Callable[[Path], object]) -> Iterator[None]:
    """On Ctrl-C in the block, save the state and raise `Interrupted`; after a whole block, remove an earlier state.

    Pressed again, Ctrl-C waits until the state is saved. The state of learning that diverged is saved to be looked at,
    and not to go on with.

    Raises
    ------
    OSError
        If the state cannot be saved.
    """
    from fastws.checks import LearningDiverged, NotFiniteError

    state = folder / STATE_FILE
    with flagged():
        try:
            with raised():
                yield
        except (NotFiniteError, LearningDiverged) as error:
            save(folder / DIVERGED_FILE)
            raise ValueError(
                f"{error} The state is kept in {folder / DIVERGED_FILE}, whose arrays numpy.load reads."
            ) from error
        except KeyboardInterrupt:
            answered()
            try:
                save(state)
            except OSError as error:
                raise OSError(f"interrupted, and the state cannot be saved in {state}: {why(error)}.") from error
            again = " The second Ctrl-C waited for that." if answered() else ""
            raise Interrupted(
                f"Interrupted; the state is saved.{again} To go on:\n  fastws resume {quoted(state)}"
            ) from None
        state.unlink(missing_ok=True)


def write_json(result: dict[str, Any], path: Path) -> None:
    """Write a result as JSON, atomically."""
    from fastws.files import write_atomically

    text = json.dumps(result, indent=2) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with its first column to the left and the others to the right.

    Where it is wider than the terminal its words are set below one another; none is cut, and so no number is.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    title, *texts = (readable(text, console.file) for text in (title, *columns, *itertools.chain(*rows)))
    lines = [texts[start : start + len(columns)] for start in range(0, len(texts), len(columns))]
    borders = 3 * len(columns) + 1
    widths = _column_widths(lines, console.width - borders)
    # As that of a table it would be broken where the table ends.
    console.print(title, style="table.title", soft_wrap=True)
    table = Table()
    for number, (column, width) in enumerate(zip(lines[0], widths, strict=True)):
        table.add_column(column, justify="left" if number == 0 else "right", width=width)
    for line in lines[1:]:
        table.add_row(*line)
    console.width = max(console.width, sum(widths) + borders)
    console.print(table)


def _column_widths(lines: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return how wide the columns are: as their cells, from the last one on, as long as there is room for the words."""
    from rich.cells import cell_len

    widths = [
        max(cell_len(word) for cell in column for word in [*cell.split(), ""]) for column in zip(*lines, strict=True)
    ]
    left = max(0, room - sum(widths))
    for number in reversed(range(len(widths))):
        more = min(left, max(cell_len(line[number]) for line in lines) - widths[number])
        widths[number] += more
        left -= more
    return widths


def with_interval(mean: float, half: float | None, decimals: int = 2) -> str:
    """Return a mean as ``12.34 ± 0.05``, or alone where there is no interval."""
    return f"{mean:.{decimals}f}" if half is None else f"{mean:.{decimals}f} ± {half:.{decimals}f}"


def report(
    result: dict[str, Any], folder: Path, files: Sequence[Path], as_json: bool, show: Callable[[], None]
) -> None:
    """Write ``result.json``; then print the result as JSON, or show it and name the files."""
    write_json(result, folder / RESULT_FILE)
    if as_json:
        print(json.dumps(result))
        return
    show()
    names = ", ".join(path.name for path in [*files, folder / RESULT_FILE])
    print(f"Written to {folder}/: {names}")
