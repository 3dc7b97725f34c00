"""The words that a person types: `fastws` and its commands."""

import atexit
import gc
import sys
from typing import Annotated, Any

import typer

import fastws
from fastws.cli import bars, codec, digits, models, resume, sweep
from fastws.cli.session import INTERRUPTED, USER_ERROR, Interrupted, complain, ending_on_interrupt, saying_own_warnings

# Imports leave 300,000 objects behind and next to no garbage.
_OBJECTS_BEFORE_COLLECTING = 500_000

app = typer.Typer(
    name="fastws",
    help="Run the wake-sleep algorithm of Hinton, Dayan, Frey and Neal (1995), fast and checkably right.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    bars.bars,
    digits.digits,
    models.train,
    models.evaluate,
    models.fantasies,
    models.show,
    codec.compress,
    codec.decompress,
    resume.resume,
    sweep.plot_sweep,
):
    app.command()(ending_on_interrupt(command))
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


def main() -> Any:
    """Run the command line; exit with 0 done, 2 the user's mistake, 130 interrupted with the state saved."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    atexit.register(gc.freeze)  # a process that ends need not look for garbage
    try:
        with saying_own_warnings():
            app()
    except Interrupted as interruption:
        complain(str(interruption))
        sys.exit(INTERRUPTED)
    except (ValueError, OSError, ImportError) as error:
        complain(f"Error: {error}")
        sys.exit(USER_ERROR)
    except MemoryError:
        complain("Error: there is not enough memory for that; give smaller layers, or fewer images.")
        sys.exit(USER_ERROR)
