"""Pictures as files."""

import os
import threading
from pathlib import Path
from typing import IO, Any

import matplotlib
from matplotlib.figure import Figure

from fastws.files import write_atomically
from fastws.plotting.page import PAPER

# Text stays text, and ids come from the drawing alone. Matplotlib takes both from its global settings only.
_SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "fastws"}
_settings: Any = matplotlib.rcParams
_settings_lock = threading.Lock()


def save(figure: Figure, path_without_suffix: str | os.PathLike[str]) -> list[Path]:
    """Save a figure as PNG and as SVG, each whole or not at all; the same figure makes the same files.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path_without_suffix : path
        ``.png`` and ``.svg`` are appended to it.

    Returns
    -------
    list of pathlib.Path
        The PNG and the SVG.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    base = os.fspath(path_without_suffix)
    png, svg = Path(f"{base}.png"), Path(f"{base}.svg")
    write_atomically(png, lambda file: figure.savefig(file, format="png", facecolor=PAPER, metadata={"Software": None}))
    write_atomically(svg, lambda file: _write_svg(figure, file))
    return [png, svg]


def _write_svg(figure: Figure, file: IO[bytes]) -> None:
    with _settings_lock:
        before = {name: _settings[name] for name in _SVG_SETTINGS}
        _settings.update(_SVG_SETTINGS)
        try:
            figure.savefig(file, format="svg", facecolor=PAPER, metadata={"Date": None})
        finally:
            _settings.update(before)
