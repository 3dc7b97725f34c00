"""Pictures as files."""

import html
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from matplotlib.animation import Animation
from matplotlib.figure import Figure

from fastws.files import write_atomically
from fastws.plotting.page import PAPER
from fastws.plotting.style import own_style
from fastws.threads import threads

Drawn = dict[str, io.BytesIO]
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

    Examples
    --------
    >>> import fastws
    >>> from fastws import plotting
    >>> figure = plotting.hinton(fastws.Machine([4, 2]))
    >>> [path.name for path in plotting.save(figure, "weights")]
    ['weights.png', 'weights.svg']
    """
    return save_all({path_without_suffix: figure})


def save_all(figures: Mapping[str | os.PathLike[str], Figure | Drawn]) -> list[Path]:
    """Save figures, by path without suffix, as `save` does; the disk takes one while the next is drawn."""
    paths, written = [], []
    with threads(1) as disk:
        for base, figure in figures.items():
            for suffix, content in figure.items() if isinstance(figure, dict) else _contents(figure):
                paths.append(Path(f"{os.fspath(base)}{suffix}"))
                written.append(disk.submit(write_atomically, paths[-1], _copy(content)))
    for writing in written:
        writing.result()
    return paths


def drawn(figure: Figure) -> Drawn:
    """Return what the files of a figure hold, by suffix, for `save_all` later on."""
    return dict(_contents(figure))


def save_film(animation: Animation, path_without_suffix: str | os.PathLike[str]) -> list[Path]:
    """Save an animation as a GIF, and as a page with controls that needs no server and nothing from the network.

    Each file is whole or not at all.

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

    Examples
    --------
    >>> from matplotlib import pyplot as plt, animation
    >>> from fastws import plotting
    >>> figure, axes = plt.subplots()
    >>> film = animation.ArtistAnimation(figure, [[axes.imshow([[0, 1]])], [axes.imshow([[1, 0]])]])
    >>> [path.name for path in plotting.save_film(film, "blink")]
    ['blink.gif', 'blink.html']
    """
    base = os.fspath(path_without_suffix)
    gif, page = Path(f"{base}.gif"), Path(f"{base}.html")
    with own_style(), TemporaryDirectory() as folder:
        # Matplotlib's writers want a name.
        drawn = Path(folder, "film.gif")
        animation.save(drawn, writer="pillow", dpi=60)
        film = re.sub(r"<link [^>]*>", "", animation.to_jshtml())
        content = drawn.read_bytes()
    for icon, sign in _SIGNS.items():
        film = film.replace(f'<i class="fa {icon}"></i>', sign)
    text = _PAGE.format(title=html.escape(Path(base).name), film=film)
    write_atomically(gif, lambda file: file.write(content))
    write_atomically(page, lambda file: file.write(text.encode()))
    return [gif, page]


def _contents(figure: Figure) -> Iterator[tuple[str, io.BytesIO]]:
    for suffix, draw in ((".png", _draw_png), (".svg", _draw_svg)):
        content = io.BytesIO()
        with own_style():
            draw(figure, content)
        yield suffix, content


def _draw_png(figure: Figure, file: IO[bytes]) -> None:
    figure.savefig(file, format="png", facecolor=PAPER, metadata={"Software": None})


def _draw_svg(figure: Figure, file: IO[bytes]) -> None:
    figure.savefig(file, format="svg", facecolor=PAPER, metadata={"Date": None})


def _copy(content: io.BytesIO) -> Callable[[IO[bytes]], int]:
    return lambda file: file.write(content.getbuffer())
