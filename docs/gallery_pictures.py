"""What the tutorials and the gallery show."""

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Show the figures of pyplot, or one of `fastws.plotting` that is the last expression of a block."""
    last = block_vars["example_globals"].get("___")
    if not isinstance(last, Figure):
        return str(matplotlib_scraper(block, block_vars, gallery_conf))
    block_vars["example_globals"]["___"] = None  # it would stay until the next block that ends in an expression
    path = next(block_vars["image_path_iterator"])
    last.savefig(path)
    return str(figure_rst([path], gallery_conf["src_dir"]))
