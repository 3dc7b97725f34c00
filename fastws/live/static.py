"""The page in one file that needs no server, its kernels WebAssembly: python -m fastws.live.static PAGE.html.

The kernels are kept compiled, with the hash of the sources that they came from; after a change of these,
``python -m fastws.live.static --kernels`` compiles them anew.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fastws
from fastws.kernels import layout, random, rooms
from fastws.live import front
from fastws.live.settings import LIMITS, RECIPES, new_settings
from fastws.randomness import Use

__all__ = ["page"]

KERNELS = (
    "all_costs",
    "mean_field",
    "run_asleep",
    "run_awake_on_bars",
    "run_bars",
    "sample_bars",
    "sample_fantasies",
    "sample_representations",
    "sample_unit",
    "step_of_bars",
    "summed_costs",
    "unit_costs",
)
"""What of `fastws.kernels.wasm.exported` the page needs."""

_FOLDER = Path(__file__).parent / "hosts" / "static"
_WASM, _HASH = _FOLDER / "kernels.wasm.gz", _FOLDER / "kernels.sha256"


def page(docs: str = "") -> str:
    """Return the page as one HTML file: it opens from a disk, too, and asks nobody for anything.

    Parameters
    ----------
    docs : str, optional
        Where the documentation is that equations are linked to, as seen from the page; nowhere by default.

    Returns
    -------
    str
    """
    script, exports = re.subn(r"^export default\b", "const page =", front.script(), flags=re.MULTILINE)
    if exports != 1:
        raise RuntimeError(f"the page's script has {exports} lines that begin with 'export default'; it needs one.")
    filled = (_FOLDER / "page.html").read_text(encoding="utf-8")
    model = (_FOLDER / "model.mjs").read_text(encoding="utf-8")
    for name, text in {"style": front.style(), "host": host(docs), "script": script, "model": model}.items():
        # What would end the element that the text stands in.
        filled = filled.replace(f"/* {name} */", re.sub(r"</(?=script|style)", r"<\\/", text, flags=re.IGNORECASE))
    return filled


def host(docs: str = "") -> str:
    """Return the script that answers the page: a function `handle`, in a browser's worker, or anywhere else."""
    sources = sorted(_FOLDER.glob("*.js"))
    kernels = base64.b64encode(gzip.decompress(_WASM.read_bytes())).decode()
    constants = f'"use strict";\nconst FACTS = {json.dumps(_facts() | {"docs": docs})};\nconst KERNELS = "{kernels}";\n'
    return constants + "\n".join(source.read_text(encoding="utf-8") for source in sources)


def _facts() -> dict[str, Any]:
    """Return what the host has to know of fastws."""
    return {
        "version": fastws.__version__,
        "limits": LIMITS,
        "recipes": {name: new_settings({"recipe": name}).described() for name in RECIPES},
        "uses": {use.name: int(use) for use in Use},
        "lanes": layout.LANES,
        "group": random.GROUP,
        "block": rooms._BLOCK,
        "draws_ahead": rooms._DRAWS_AHEAD,
    }


def hash_of_sources() -> str:
    """Return the hash of all that the compiled kernels come from."""
    digest = hashlib.sha256(" ".join(KERNELS).encode())
    for source in sorted((Path(__file__).parents[1] / "kernels").glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def is_stale() -> bool:
    """Return whether the sources of the kernels have changed since they were compiled."""
    return _HASH.read_text().strip() != hash_of_sources()


def compile_kernels() -> None:
    """Compile the kernels and keep them; in a process whose Numba compiles for no processor in particular."""
    from fastws.kernels.wasm import exported, module

    known = exported()
    _WASM.write_bytes(gzip.compress(module({name: known[name] for name in KERNELS}), mtime=0))
    _HASH.write_text(hash_of_sources() + "\n")


def main() -> int:
    """Write the page, or compile the kernels."""
    parser = argparse.ArgumentParser(prog="python -m fastws.live.static", description="Write the live page.")
    parser.add_argument("file", type=Path, nargs="?", metavar="PAGE.html", help="the file to write")
    parser.add_argument("--kernels", action="store_true", help="compile the kernels first")
    options = parser.parse_args()
    if options.file is None and not options.kernels:
        parser.error("give the name of the page to write, PAGE.html, or --kernels")
    if options.file is not None and not options.file.parent.is_dir():
        parser.error(f"there is no folder {options.file.parent}")
    if options.kernels:
        settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        with TemporaryDirectory() as cache:
            settings |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CACHE_DIR": cache}
            program = "from fastws.live.static import compile_kernels; compile_kernels()"
            code = subprocess.run([sys.executable, "-c", program], env=settings).returncode
        if code:
            return code
    if options.file is not None:
        options.file.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
