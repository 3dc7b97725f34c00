"""The page of the documentation that lists everything public."""

import re
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "api.rst"


def resolved(name):
    """Return what a dotted name stands for."""
    parts = name.split(".")
    for n_module in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:n_module]))
        except ModuleNotFoundError:
            continue
        for part in parts[n_module:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


def listed():
    """Return the names that the page lists, in full."""
    names, module, in_list = [], "", False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        elif line.startswith(".. autodata::"):
            names.append(line.split()[-1])
        if line and not line.startswith(" "):
            in_list = line.startswith(".. autosummary::")
        elif in_list and re.fullmatch(r" {3}[\w.]+", line):
            names.append(f"{module}.{line.strip()}")
    return names
