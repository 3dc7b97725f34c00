import threading
from pathlib import Path

import numpy as np
import pytest
from matplotlib.animation import FuncAnimation
from matplotlib.figure import Figure

from fastws import plotting
from fastws.plotting import saving


def test_several_figures_make_the_files_that_each_makes_alone(tmp_path):
    figures = {name: plotting.image_grid(np.eye(4), n_columns=n) for name, n in (("a", 1), ("b", 2), ("c", 3))}
    together = saving.save_all({tmp_path / name: figure for name, figure in figures.items()})
    assert [path.name for path in together] == ["a.png", "a.svg", "b.png", "b.svg", "c.png", "c.svg"]
    for name, figure in figures.items():
        for path in plotting.save(figure, tmp_path / f"alone-{name}"):
            assert path.read_bytes() == (tmp_path / path.name.removeprefix("alone-")).read_bytes()


def test_a_figure_can_be_drawn_before_its_folder_is_known(tmp_path):
    figure = plotting.image_grid(np.eye(4))
    early = saving.drawn(figure)
    paths = saving.save_all({tmp_path / "early": early, tmp_path / "late": figure})
    assert [path.name for path in paths] == ["early.png", "early.svg", "late.png", "late.svg"]
    png, svg = (path.read_bytes() for path in paths[:2])
    assert [path.read_bytes() for path in paths[2:]] == [png, svg]
    assert png.startswith(b"\x89PNG")
    assert b"<svg" in svg


class Sketch:
    """A figure that is soon drawn."""

    def __init__(self):
        self.drawn = threading.Event()

    def savefig(self, file, format, **options):
        file.write(format.encode())
        if format == "svg":
            self.drawn.set()


def test_a_slow_disk_does_not_hold_up_the_next_figure(tmp_path, monkeypatch):
    first, last = Sketch(), Sketch()

    def write_slowly(path, write):
        assert last.drawn.wait(10), "it was not drawn before the first figure was on disk"
        with open(path, "wb") as file:
            write(file)

    monkeypatch.setattr(saving, "write_atomically", write_slowly)
    paths = saving.save_all({tmp_path / "first": first, tmp_path / "last": last})
    assert [path.read_text() for path in paths] == ["png", "svg", "png", "svg"]


def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch):
    def fail(path, write):
        if Path(path).name == "first.svg":
            raise OSError("no space left")

    monkeypatch.setattr(saving, "write_atomically", fail)
    with pytest.raises(OSError, match="no space left"):
        saving.save_all({tmp_path / "first": Sketch(), tmp_path / "last": Sketch()})


def film(sign=1):
    figure = Figure(figsize=(2, 2))
    (line,) = figure.add_subplot().plot([0, 1], [0, sign])
    return FuncAnimation(figure, lambda k: line.set_data([0, 1], [0, k * sign]), frames=3)


def test_a_film_that_cannot_be_finished_leaves_the_earlier_one(tmp_path):
    """Frames were written where the earlier film was."""
    files = plotting.save_film(film(), tmp_path / "film")
    before = [path.read_bytes() for path in files]

    def fail(k):
        if k == 2:
            raise ValueError("no third frame")

    figure = Figure(figsize=(2, 2))
    broken = FuncAnimation(figure, fail, frames=3, init_func=lambda: None, cache_frame_data=False)
    with pytest.raises(ValueError, match="no third frame"):
        plotting.save_film(broken, tmp_path / "film")
    assert [path.read_bytes() for path in files] == before
    assert {path.name for path in tmp_path.iterdir()} == {"film.gif", "film.html"}


def test_the_title_of_a_film_is_text(tmp_path):
    _, page = plotting.save_film(film(), tmp_path / "a <b> & c")
    assert "<title>a &lt;b&gt; &amp; c</title>" in page.read_text(encoding="utf-8")


def test_a_film_is_written_as_other_files_are(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "write_atomically", lambda path, write: None)
    plotting.save_film(film(), tmp_path / "film")
    assert not list(tmp_path.iterdir())
