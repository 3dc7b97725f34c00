"""`fastws resume`: go on with what Ctrl-C interrupted."""

from pathlib import Path
from typing import Annotated

import typer

from fastws.cli.bars import resume_bars
from fastws.cli.digits import resume_digits
from fastws.cli.session import Json
from fastws.cli.train import resume_train


def resume(
    state: Annotated[Path, typer.Argument(help="The run.npz that an interrupted command left.")],
    json: Json = False,
) -> None:
    """Go on with an interrupted run, to the same result, bit for bit, as the run left alone."""
    from fastws.simulation import load_runs

    runs, notes = load_runs(state)
    commands = {"bars": resume_bars, "digits": resume_digits, "train": resume_train}
    command = commands.get(str(notes.get("command")))
    if command is None:
        raise ValueError(
            f"{state} was saved from Python, not by an interrupted command; fastws.Simulation.load goes on with it."
        )
    command(runs, notes, state.parent, json)
