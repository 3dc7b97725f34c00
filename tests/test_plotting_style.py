"""Pictures are the same whatever a user's Matplotlib is set to."""

import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.animation import ArtistAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg

import fastws
from fastws import plotting
from fastws.plotting.style import own_style
from machines import random_machine

# LaTeX is not there, and everything else would show.
HOSTILE = {
    "text.usetex": True,
    "text.color": "red",
    "text.parse_math": False,
    "font.family": ["monospace"],
    "font.size": 31,
    "figure.autolayout": True,
    "figure.facecolor": "black",
    "figure.dpi": 33,
    "savefig.dpi": 17,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "axes.facecolor": "black",
    "axes.linewidth": 7,
    "axes.unicode_minus": False,
    "xtick.labelsize": 30,
    "xtick.direction": "in",
    "ytick.color": "red",
    "lines.linewidth": 9,
    "lines.antialiased": False,
    "patch.edgecolor": "red",
    "image.cmap": "jet",
    "svg.fonttype": "path",
    "animation.html": "html5",
}
IMAGES = np.random.default_rng(0).integers(0, 2, (8, 4))
PICTURES = {
    "bars_model": lambda: plotting.bars_model(fastws.Bars()),
    "bound_curves": lambda: plotting.bound_curves({"a": [(1, 9.0), (10, 8.0)], "b": [(5, 7.5)]}, {"c": 8.5}),
    "confusion": lambda: plotting.confusion([[3, 1], [0, 2]], ["a", "b"]),
    "cost_gaps": lambda: plotting.cost_gaps({"a": [1.0, 1.5], "b": [3.0]}, {"a": 2.0}),
    "description_length_curve": lambda: plotting.description_length_curve(
        [0, 1, 2], {"a": [9, 5, 4.0], "b": [8, 5, 3.0]}
    ),
    "digit_samples": lambda: plotting.digit_samples({"a": IMAGES}, {"a": IMAGES}, (2, 2)),
    "fantasies": lambda: plotting.fantasies(random_machine([4, 2]), 4, (2, 2)),
    "free_energy_curve": lambda: plotting.free_energy_curve([1, 10, 100], [9, 8, 7.5], [9, 8.5, 8], kept_at=100),
    "hinton": lambda: plotting.hinton(random_machine([4, 2]), (2, 2)),
    "image_grid": lambda: plotting.image_grid(IMAGES, (2, 2)),
    "learning_curve": lambda: plotting.learning_curve([1, 10, 100], [1, 0.5, 0.1], [0.2, 0.1, 0.1]),
    "misread": lambda: plotting.misread(IMAGES[:1], ["a"], ["b"], [3.0], ["a"], [4.0], (2, 2)),
    "samples": lambda: plotting.samples(IMAGES, IMAGES, (2, 2)),
    "success_rates": lambda: plotting.success_rates([0.1, 0.2], [0.05, 0.4], 0.1, "p_bar"),
}


def contents(paths):
    return [path.read_bytes() for path in paths]


def test_every_picture_is_tried():
    assert {*PICTURES, "save", "save_film"} == set(plotting.__all__)


@pytest.mark.long
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_with_any_settings(name, tmp_path):
    plain = contents(plotting.save(PICTURES[name](), tmp_path / "plain"))
    with matplotlib.rc_context(HOSTILE):
        before = dict(matplotlib.rcParams)
        hostile = contents(plotting.save(PICTURES[name](), tmp_path / "hostile"))
        assert dict(matplotlib.rcParams) == before
    assert hostile == plain


def film():
    figure = plotting.image_grid(IMAGES, (2, 2))
    FigureCanvasAgg(figure)
    return ArtistAnimation(figure, [[figure.text(0.1, 0.1, word)] for word in "ab"])


def test_a_film_is_the_same_with_any_settings(tmp_path):
    (tmp_path / "hostile").mkdir()
    with own_style():
        plain = contents(plotting.save_film(film(), tmp_path / "film"))
    with own_style():
        made = film()
    with matplotlib.rc_context(HOSTILE):
        hostile = contents(plotting.save_film(made, tmp_path / "hostile" / "film"))
    assert hostile[0] == plain[0]


def process(words, folder, **environment):
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "module://nowhere.at_all", "nonsense"]
)
def test_a_command_with_the_surroundings_of_a_notebook_and_of_a_user_of_latex(tmp_path, backend):
    random_machine([4, 2]).save(tmp_path / "m.npz")
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nfont.size: 30\nsavefig.bbox: tight\n")
    surroundings = {
        "plain": {"MATPLOTLIBRC": "nowhere"},
        "hostile": {"MPLBACKEND": backend, "MATPLOTLIBRC": str(tmp_path / "matplotlibrc")},
    }
    for folder, environment in surroundings.items():
        run = process(["-m", "fastws", "show", "m.npz", "--out", folder], tmp_path, **environment)
        assert (run.returncode, run.stderr) == (0, "")
    for name in ("weights.png", "weights.svg"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "hostile" / name).read_bytes()


def test_saving_needs_no_backend_in_python_either(tmp_path):
    code = (
        "import sys, fastws\n"
        "fastws.plotting.save(fastws.plotting.image_grid([[0, 1, 1, 0]], (2, 2)), 'grid')\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = process(["-c", code], tmp_path, MPLBACKEND="module://nowhere.at_all")
    assert (run.returncode, run.stdout) == (0, "False\n"), run.stderr
