"""The exercises of docs/teach.rst: their answers are right, and their links lead to figures that are there."""

import re
import textwrap
from pathlib import Path

from fastws.live import front

TEXT = (Path(__file__).parents[1] / "docs" / "teach.rst").read_text(encoding="utf-8")


def test_the_answers_are_right():
    _, exercises = TEXT.split("Exercises\n---")
    blocks = re.findall(r"^\.\. code-block:: python\n\n((?:   .*\n|\n)+)", exercises, re.MULTILINE)
    assert len(blocks) == 8
    space = {}
    for block in blocks:
        exec(textwrap.dedent(block), space)


def test_links_lead_to_figures():
    figures = set(re.findall(r"^  id: \"(\w+)\"", front.script(), re.MULTILINE))
    linked = re.findall(r"#view=(\w+)", TEXT)
    assert len(set(linked)) > 10
    assert set(linked) <= figures
