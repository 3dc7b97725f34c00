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

# Text stays text, and ids come from the drawing alone. Matplotlib takes both from its global settings only.
_SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "fastws"}
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
            for suffix, draw in ((".png", _draw_png), (".svg", _draw_svg)):
                content = io.BytesIO()
                draw(figure, content)
                paths.append(Path(f"{os.fspath(base)}{suffix}"))
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


def _draw_png(figure: Figure, file: IO[bytes]) -> None:
    figure.savefig(file, format="png", facecolor=PAPER, metadata={"Software": None})


def _draw_svg(figure: Figure, file: IO[bytes]) -> None:
    with _settings_lock:
        before = {name: _settings[name] for name in _SVG_SETTINGS}
        _settings.update(_SVG_SETTINGS)
        try:
            figure.savefig(file, format="svg", facecolor=PAPER, metadata={"Date": None})
        finally:
            _settings.update(before)


def _copy(content: io.BytesIO) -> Callable[[IO[bytes]], int]:
    return lambda file: file.write(content.getbuffer())
