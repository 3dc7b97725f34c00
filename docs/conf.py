"""The documentation: `python -m sphinx -W docs docs/_build` builds it, gallery and all."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx_gallery.directives import imgsgnode

import fastws

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]  # gallery_order, gallery_pictures, bench

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
exclude_patterns = ["_build", "tutorials"]  # the latter are scripts, which become `learn`
nitpicky = True
# What others document, and what stands in signatures for what the words beside it say.
nitpick_ignore_regex = [
    (r"py:class", r"fastws\.(kernels|live|experiments\.density)\..*|list\[tuple\[float"),
    (r"py:.*", r"(numpy|pandas|matplotlib|hypothesis|sklearn|collections|concurrent|pathlib|os|typing|pd|t)\..*"),
]
default_role = "literal"  # the docstrings write `code` as Markdown does

templates_path = ["_templates"]
autosummary_generate = True
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": ["tutorials", "../examples"],
    "gallery_dirs": ["learn", "gallery"],
    "filename_pattern": r"plot_|tutorials",
    "first_notebook_cell": "%pip install --quiet 'fastws[sweep,testing]'\n%matplotlib inline",
    "image_scrapers": ("gallery_pictures.scrape",),
    "within_subsection_order": "gallery_order.in_order",
    "capture_repr": (),
    "matplotlib_animations": True,
    "abort_on_example_error": True,
    "parallel": 2,
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


def put_benchmark_in(app: Any, docname: str, source: list[str]) -> None:
    """Put what `python -m bench --out bench/record` measured into the page about speed, as a table."""
    if docname != "speed":
        return
    from bench.table import distances, heading, quantity

    record = json.loads((Path(__file__).parents[1] / "bench" / "record" / "bench.json").read_text(encoding="utf-8"))
    # What was compiled for fewer instructions than the processor has is in the other table.
    works = [entry for name, entry in record["works"].items() if "," not in name]
    cells: dict[str, list[str]] = {}
    for column, work in enumerate(works):
        for row in work["contestants"]:
            if "to_plain_c" in row:
                cells.setdefault(row["name"], [""] * len(works))[column] = (
                    f"{quantity(row['to_plain_c'], '')} ({quantity(row['median_ns'] * 1e-9, 's')})"
                )
    lines = [["", *(work["title"] for work in works)], *([name, *values] for name, values in cells.items())]
    caption = ". ".join(heading(record))
    source[0] = source[0].replace("BENCHMARK", f"{csv_table(lines)}\n\n{caption}.")
    # On some processors nothing was done by hand.
    lines = distances(record)
    head = ["", "fastws", "by hand", "fastws / by hand"]
    source[0] = source[0].replace("DISTANCES", csv_table([head, *lines]) if lines else "")


def csv_table(lines: list[list[str]]) -> str:
    """Return a table of reStructuredText; the first line is its head."""
    cells = "\n".join("   " + ", ".join(f'"{cell}"' for cell in line) for line in lines)
    return f".. csv-table::\n   :header-rows: 1\n\n{cells}"


def put_densities_in(app: Any, docname: str, source: list[str]) -> None:
    """Put what `fastws density` found, `density/*/result.json`, into the page about densities, as a table."""
    if docname != "density":
        return
    from fastws.experiments.density.published import LABELS, PUBLISHED, TITLES, gaps
    from fastws.experiments.intervals import interval

    found = {}
    for name in TITLES:
        path = Path(__file__).parent / "density" / name / "result.json"
        found[name] = json.loads(path.read_text(encoding="utf-8"))

    def cell(method: str, name: str) -> str:
        entropy, then = found[name]["entropy_bits"], PUBLISHED[name]
        costs = entropy if method == "entropy" else found[name]["costs_bits"].get(method)
        if costs is None:
            return "not known"
        mean, half = interval(costs)
        published = f" ({then[method]:.1f})" if method in then else ""
        if entropy is None or method == "entropy":
            return f"{mean:.1f} ± {half:.1f}{published}"
        if published:
            published = f" ({then[method]:.1f}, +{then[method] - then['entropy']:.1f})"
        above, half = interval(gaps(costs, entropy))
        return f"{mean:.1f}, +{above:.1f} ± {half:.1f}{published}"

    lines = [
        ["bits a test image (1996)", *TITLES.values()],
        *([label, *(cell(method, name) for name in TITLES)] for method, label in LABELS.items()),
        ["seconds of a processor, all draws", *(f"{found[name]['seconds']:,.0f}" for name in TITLES)],
    ]
    table = "\n".join("   " + ", ".join(f'"{cell}"' for cell in line) for line in lines)
    source[0] = source[0].replace("DENSITY", f".. csv-table::\n   :header-rows: 1\n   :stub-columns: 1\n\n{table}", 1)


def put_mnist_in(app: Any, docname: str, source: list[str]) -> None:
    """Put what `python -m bench.mnist --out docs/mnist` found into the page about MNIST, as a table."""
    if docname != "mnist":
        return
    from bench.mnist import table

    result = json.loads((Path(__file__).parent / "mnist" / "result.json").read_text(encoding="utf-8"))
    source[0] = source[0].replace("MNIST_TABLE", csv_table(table(result))).replace("PROCESSOR", result["host"]["cpu"])


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


def write_live_page(app: Any, exception: Exception | None) -> None:
    """Write the live page, which needs no server, beside the pages that its equations are linked to."""
    if exception is None and app.builder.format == "html":
        from fastws.live.static import page

        (Path(app.outdir) / "live.html").write_text(page(docs="./"), encoding="utf-8")


def setup(app: Any) -> None:
    """Connect what is defined here."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math, None))
    app.connect("source-read", put_benchmark_in)
    app.connect("source-read", put_densities_in)
    app.connect("source-read", put_mnist_in)
    app.connect("doctree-read", let_pictures_scroll)
    app.connect("autodoc-process-docstring", escape_bars)
    app.connect("build-finished", write_live_page)
