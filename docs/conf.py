"""The documentation: `python -m sphinx -W docs docs/_build` builds it, gallery and all."""

import re
import sys
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx_gallery.directives import imgsgnode

import fastws

sys.path.insert(0, str(Path(__file__).parent))  # gallery_order

project = "fastws"
author = "The fastws developers"
version = release = fastws.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
default_role = "literal"  # the docstrings write `code` as Markdown does

templates_path = ["_templates"]
autosummary_generate = True
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "plot_",
    "within_subsection_order": "gallery_order.in_order",
    "capture_repr": (),
    "matplotlib_animations": True,
    "abort_on_example_error": True,
    "show_memory": False,
    "min_reported_time": 3600,
    "write_computation_times": False,
    "download_all_examples": False,
    "remove_config_comments": True,
}

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"fastws {release}"
html_static_path = ["_static"]
html_css_files = ["fastws.css"]
html_copy_source = False
html_show_copyright = False


def escape_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape the bar of Q(·|d), which would begin a substitution."""
    lines[:] = [re.sub(r"\|(?=[a-z, ]+\))", r"\\|", line) for line in lines]


def let_pictures_scroll(app: Any, doctree: Any) -> None:
    """Put the pictures of the gallery into boxes that scroll: on a phone their words would be too small to read."""
    for picture in list(doctree.findall(imgsgnode)):
        box = nodes.container(classes=["picture-box"])
        picture.replace_self(box)
        box += picture


def visit_math(translator: Any, node: Any) -> None:
    """Write a formula as MathML, which browsers draw without a script from the network."""
    formula, *number = re.split(r"\\tag\{(.*)\}", node.astext())
    display = "block" if isinstance(node, nodes.math_block) else "inline"
    mathml = latex2mathml.converter.convert(formula, display=display)
    if display == "block":
        mathml = f'<div class="formula">{mathml}<span class="number">({number[0]})</span></div>'
    translator.body.append(mathml)
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Connect what is defined here."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.connect("doctree-read", let_pictures_scroll)
    app.connect("autodoc-process-docstring", escape_bars)
