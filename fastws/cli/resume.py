"""`fastws resume`: go on with what Ctrl-C interrupted."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fastws.cli.bars import resume_bars
from fastws.cli.density import resume_density
from fastws.cli.digits import resume_digits
from fastws.cli.notes import check_notes
from fastws.cli.outputs import check_folder
from fastws.cli.session import Json
from fastws.cli.train import resume_train


def resume(
    state: Annotated[Path, typer.Argument(help="The run.npz that an interrupted command left.")],
    json: Json = False,
) -> None:
    """Go on with an interrupted run, to the same result, bit for bit, as the run left alone."""
    from fastws.simulation import load_runs

    runs, notes = load_runs(state)
    commands: dict[str, Callable[..., None]] = {
        "bars": resume_bars,
        "density": resume_density,
        "digits": resume_digits,
        "train": resume_train,
    }
    name = str(notes.get("command"))
    if name not in commands:
        raise ValueError(
            f"{state} was saved from Python, not by an interrupted command; fastws.Simulation.load goes on with it."
        )
    try:
        check_notes(name, notes, runs)
    except ValueError as error:
        raise ValueError(
            f"{state} is damaged ({error}); begin anew, in another folder or after deleting it."
        ) from error
    check_folder(state.parent, "Move the state into a folder that can be written.")
    commands[name](runs, notes, state.parent, json)
