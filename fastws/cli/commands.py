"""All commands under one name, and what becomes of their errors."""

import atexit
import gc
import os
import shutil
import sys
from collections.abc import Callable
from typing import Annotated

import typer

import fastws
from fastws.cli import bars, classify, codec, density, digits, live, models, represent, resume, sweep, train
from fastws.cli.interrupts import Interrupted
from fastws.cli.output import write_readably
from fastws.cli.session import INTERRUPTED, USER_ERROR, complain, ending_on_interrupt, saying_own_warnings

# Imports leave 300,000 objects behind and next to no garbage.
_OBJECTS_BEFORE_COLLECTING = 500_000
_LEAST_WIDTH = 80
_COMMANDS: dict[Callable[..., None], str] = {
    bars.bars: "fastws bars --recipe robust --seed 3 --out robust",
    digits.digits: "fastws digits --sweeps 50 --hidden 16,4 --out quick",
    density.density: "fastws density --set mrfs --seeds 3 --out mrfs",
    train.train: "fastws train --data images.npz --layers 64,16,4 --sweeps 50 --validation 0.1",
    models.evaluate: "fastws evaluate fastws-train/machine.npz images.npz --per-image bits.csv",
    models.fantasies: "fastws fantasies fastws-train/machine.npz -n 24 --shape 8x8",
    models.show: "fastws show fastws-bars/machine.npz --shape 4x4",
    classify.classify: "fastws classify quick images.npz --out read",
    represent.represent: "fastws represent fastws-train/machine.npz images.npz hidden.npz --probabilities",
    codec.compress: "fastws compress fastws-train/machine.npz images.npz images.fws",
    codec.decompress: "fastws decompress fastws-train/machine.npz images.fws back.npz",
    live.live: "fastws live --seed 3",
    resume.resume: "fastws resume fastws-bars/run.npz",
    sweep.plot_sweep: "fastws plot-sweep p_bar.csv --within 0.2",
}
"""Each command, and an example that its help ends with."""

app = typer.Typer(
    name="fastws",
    help="Run the wake-sleep algorithm of Hinton, Dayan, Frey and Neal (1995), fast and checkably right.",
    epilog="Example: fastws bars --seed 1",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command, example in _COMMANDS.items():
    app.command(epilog=f"Example: {example}")(ending_on_interrupt(command))
app.add_typer(sweep.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"fastws {fastws.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run the wake-sleep algorithm of Hinton, Dayan, Frey and Neal (1995), fast and checkably right."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def run() -> int:
    """Run the command that was typed, say what went wrong, and return the exit code."""
    write_readably(sys.stdout, sys.stderr)
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    # Matplotlib cannot even be imported with a backend that is not there, and no command shows a window.
    os.environ["MPLBACKEND"] = "agg"
    if shutil.get_terminal_size().columns < _LEAST_WIDTH:
        # Narrower, the names of options are cut in help. Typer asks for it when it first draws a page.
        os.environ.setdefault("TERMINAL_WIDTH", str(_LEAST_WIDTH))
    atexit.register(gc.freeze)  # a process that ends need not look for garbage
    try:
        with saying_own_warnings():
            app()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else USER_ERROR if ending.code else 0
    except Interrupted as interruption:
        complain(str(interruption))
        return INTERRUPTED
    except (ValueError, FloatingPointError, OSError, ImportError) as error:
        complain(f"Error: {error}")
    except MemoryError:
        complain("Error: there is not enough memory for that; give smaller layers, or fewer images.")
    return USER_ERROR
