"""Pictures as files."""

import io
import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import matplotlib
from matplotlib.animation import Animation
from matplotlib.figure import Figure

from fastws.files import write_atomically
from fastws.plotting.page import PAPER

# Text stays text, and ids come from the drawing alone; of the rest a user may have settings that change a picture.
# Matplotlib takes most of these from its global settings only.
_SETTINGS = {
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "savefig.bbox": None,
    "savefig.dpi": "figure",
    "savefig.transparent": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "fastws",
    "svg.image_inline": True,
}
_settings: Any = matplotlib.rcParams
# What Matplotlib's buttons show as icons of a font that it fetches from a server.
_SIGNS = {
    "fa-minus": "−",
    "fa-fast-backward": "|&lt;",
    "fa-step-backward": "&lt;",
    "fa-play fa-flip-horizontal": "◀",
    "fa-pause": "||",
    "fa-play": "▶",
    "fa-step-forward": "&gt;",
    "fa-fast-forward": "&gt;|",
    "fa-plus": "+",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ text-align: center; }} .animation, .animation img, .animation input {{ max-width: 100%; }}</style>
{film}
</html>
"""
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
    return save_all({path_without_suffix: figure})


def save_all(figures: Mapping[str | os.PathLike[str], Figure]) -> list[Path]:
    """Save figures, by path without suffix, as `save` does; the disk takes one while the next is drawn."""
    paths, written = [], []
    with ThreadPoolExecutor(1) as disk:
        for base, figure in figures.items():
            for kind, nothing_of in (("png", "Software"), ("svg", "Date")):
                content = io.BytesIO()
                _draw(figure, content, kind, nothing_of)
                paths.append(Path(f"{os.fspath(base)}.{kind}"))
                written.append(disk.submit(write_atomically, paths[-1], _copy(content)))
    for writing in written:
        writing.result()
    return paths


def save_film(animation: Animation, path_without_suffix: str | os.PathLike[str]) -> list[Path]:
    """Save an animation as a GIF, and as a page with controls that needs no server and nothing from the network.

    Parameters
    ----------
    animation : matplotlib.animation.Animation
    path_without_suffix : path
        ``.gif`` and ``.html`` are appended to it; its last part is the title of the page.

    Returns
    -------
    list of pathlib.Path
        The GIF and the page.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    base = os.fspath(path_without_suffix)
    gif, page = Path(f"{base}.gif"), Path(f"{base}.html")
    animation.save(gif, writer="pillow", dpi=60)
    film = re.sub(r"<link [^>]*>", "", animation.to_jshtml())
    for icon, sign in _SIGNS.items():
        film = film.replace(f'<i class="fa {icon}"></i>', sign)
    page.write_text(_PAGE.format(title=Path(base).name, film=film), encoding="utf-8")
    return [gif, page]


def _draw(figure: Figure, file: IO[bytes], kind: str, nothing_of: str) -> None:
    with _settings_lock:
        before = {name: _settings[name] for name in _SETTINGS}
        _settings.update(_SETTINGS)
        try:
            figure.savefig(file, format=kind, facecolor=PAPER, metadata={nothing_of: None})
        finally:
            _settings.update(before)


def _copy(content: io.BytesIO) -> Callable[[IO[bytes]], int]:
    return lambda file: file.write(content.getbuffer())
