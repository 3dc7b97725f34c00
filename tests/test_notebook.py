"""What notebooks show."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import fastws
from fastws import exact, notebook, plotting
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars
from machines import random_machine

SVG = "{http://www.w3.org/2000/svg}"


def parsed(thing):
    """Return the elements of what an object shows, which has to be well formed."""
    return ElementTree.fromstring(thing._repr_html_())


def rows_of(thing):
    return {row[0].text: row[1].text for row in parsed(thing).iter("tr")}


def squares(thing):
    """Return the sides of the squares drawn, positive ones first."""
    paths = parsed(thing).iter(f"{SVG}path")
    return [[float(part.split("h")[1].split("v")[0]) for part in path.get("d").split("M")[1:]] for path in paths]


class Loud(Bars):
    """A stream that says too much."""

    said = "<script>alert('&')</script>" * 50

    def __repr__(self):
        return self.said


class Broken(Bars):
    def __repr__(self):
        raise RuntimeError("no")


def new_run(stream=None, machine=None, **own):
    return Simulation(machine or Machine([9, 4, 2]), stream or Bars(3), [(5, (0.2, 0.1, 0.3)), (5, 0.5)], seed=7, **own)


def test_a_machine_shows_its_sizes_its_label_and_its_weights():
    machine = Machine([4, 3])
    machine.gen_weights[0][:] = [[1, 0, 0, -4], [0, 0, 0, 0], [0, 1, 0, 0]]
    machine.label = "<b>\"7\" & '8'"
    assert rows_of(machine) == {"layer sizes": "(4, 3)", "parameters": "34", "label": machine.label}
    positive, negative = squares(machine)
    # Areas are proportional to magnitudes.
    np.testing.assert_allclose(np.square(positive) / np.square(negative), 1 / 4, rtol=0.02)
    assert (len(positive), len(negative)) == (2, 1)
    assert len(list(parsed(machine).iter(f"{SVG}rect"))) == 3
    assert "<b>" not in machine._repr_html_()
    assert "label" not in rows_of(Machine([4, 3]))


def test_a_run_shows_how_far_it_is():
    run = new_run(wake_rule=fastws.wake_update).advance(6)
    assert rows_of(run) == {
        "machine": "Machine([9, 4, 2])",
        "stream": repr(Bars(3)),
        "examples seen": "6 of 10",
        "learning rates": "0.5, 0.5, 0.5",
        "rules": "the wake rule wake_update",
        "seed": "7",
    }
    assert rows_of(run.advance())["examples seen"] == "10 of 10"
    assert rows_of(new_run())["rules"] == "Eqs 4 and 7"


def test_what_users_wrote_is_escaped_and_cut_short_and_may_fail():
    html = new_run(Loud(3))._repr_html_()
    assert "<script" not in html
    assert rows_of(new_run(Loud(3)))["stream"] == Loud.said[:120] + "…"
    assert rows_of(new_run(Broken(3)))["stream"] == "a Broken"


def test_a_report_shows_all_measures():
    report = exact.report(random_machine([4, 2]), np.eye(4, dtype=np.uint8), np.full(4, 1 / 4))
    rows = rows_of(report)
    assert rows["KL penalty"] == f"{report.kl_penalty_bits:.4f} bits"
    assert rows["data entropy"] == "2.0000 bits"
    assert len(rows) == 7
    assert rows_of(exact.Report(*[float("nan")] * 7))["free energy"] == "nan bits"


@pytest.mark.parametrize("sizes", [(1, 1), (7, 3), (784, 200), (5000, 2), (3, 3000), (2048, 2), (2049, 2)])
@pytest.mark.parametrize("value", [0, 1, -1, 3e38, 1e-45, np.nan, -np.inf])
def test_whatever_a_machine_is_it_shows_itself_in_little_room(sizes, value):
    machine = Machine(sizes)
    machine.gen_weights[0][:] = value
    with np.errstate(all="raise"):
        html = machine._repr_html_()
    ElementTree.fromstring(html)
    assert len(html) < 80_000
    assert ("<svg" in html) == (np.isfinite(value) and sizes[0] <= 2048)
    assert "nan" not in html


def test_nothing_is_computed_for_it(monkeypatch):
    for name in ("report", "measures", "representations"):
        monkeypatch.setattr(exact, name, None)
    monkeypatch.setattr(Machine, "check_finite", None)
    assert Machine([9, 4, 2])._repr_html_()


def test_colours_are_those_of_the_page():
    html = random_machine([4, 3])._repr_html_()
    # Weights lie on a ground of their own; all else is written in what colour the page has.
    assert html.count("fill=") == 3 + 2
    assert "color" not in html
    assert "background" not in html


@pytest.mark.parametrize("sizes", [(16, 8, 1), (784, 30), (40, 400)])
def test_a_figure_shows_itself_no_wider_than_a_page(sizes):
    content, size = plotting.hinton(random_machine(sizes))._repr_png_()
    image = Image.open(io.BytesIO(content))
    assert size["width"] <= 800
    assert size["height"] <= 1200
    assert image.width / size["width"] <= 2.01
    assert image.width / image.height == pytest.approx(size["width"] / size["height"], rel=0.02)


def test_a_bar_of_tqdm_follows_a_run():
    class Bar:
        n = 0

        def update(self, more):
            self.n += more

    bar = Bar()
    new_run().advance(progress=lambda seen: bar.update(seen - bar.n))
    assert bar.n == 10


def test_no_words_are_too_long():
    assert len(notebook.words("x" * 1000)) == 121
