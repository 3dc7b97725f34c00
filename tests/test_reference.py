"""The page that lists everything public, against the package."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

import fastws

PAGE = Path(__file__).parents[1] / "docs" / "api.rst"
MODULES = {module.name for module in pkgutil.walk_packages(fastws.__path__, "fastws.")}
# What only others of fastws use; a module without `__all__` is here, or somebody forgot to decide.
INTERNAL = {
    "fastws.__main__",
    "fastws.attributes",
    "fastws.checks",
    "fastws.divergence",
    "fastws.estimator",
    "fastws.experiments",
    "fastws.filenames",
    "fastws.files",
    "fastws.kernels",
    "fastws.labels",
    "fastws.learning",
    "fastws.logits",
    "fastws.notebook",
    "fastws.probabilities",
    "fastws.randomness",
    "fastws.schedule",
    "fastws.threads",
    "fastws.together",
}
PARTS_OF = tuple(
    f"fastws.{name}." for name in ("codec", "datasets", "exact", "kernels", "plotting", "streams", "sweep", "testing")
)
PARTS_OF += ("fastws.cli",)


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


def public():
    """Return the public names of all modules, in full."""
    modules = [name for name in sorted(MODULES) if name not in INTERNAL and not name.startswith(PARTS_OF)]
    return [f"{name}.{public}" for name in ("fastws", *modules) for public in import_module(name).__all__]


@pytest.mark.parametrize("name", listed())
def test_what_the_page_lists_is_there(name):
    resolved(name)


def test_the_page_lists_everything_public_and_once():
    found = [id(resolved(name)) for name in listed()]
    assert len(set(found)) == len(found)
    modules = {id(import_module(name)) for name in MODULES}
    assert [name for name in public() if id(resolved(name)) not in {*found, *modules}] == []


def test_every_module_says_what_of_it_is_public():
    deciding = {name for name in MODULES - INTERNAL if not name.startswith(PARTS_OF)}
    assert [name for name in sorted(deciding) if not hasattr(import_module(name), "__all__")] == []
    assert [name for name in sorted(INTERNAL) if hasattr(import_module(name), "__all__")] == []


def test_what_is_public_of_a_module_is_there_and_in_order():
    for name in sorted(MODULES - INTERNAL):
        module = import_module(name)
        names = getattr(module, "__all__", [])
        assert [one for one in names if not hasattr(module, one)] == []
        kinds = [(not one.isupper(), not one[0].isupper(), one) for one in names]
        assert kinds == sorted(kinds), name


@pytest.mark.parametrize(
    "path", [PAGE.parents[1] / "README.md", *sorted(PAGE.parents[1].glob("examples/*.py"))], ids=lambda path: path.name
)
def test_readme_and_gallery_use_what_is_public_only(path):
    """By import, and by the dotted name."""
    text = path.read_text(encoding="utf-8")
    names = {
        f"{module}.{name.split()[0]}"
        for module, names in re.findall(r"^from (fastws[\w.]*) import (.+)$", text, re.MULTILINE)
        for name in names.split(", ")
    }
    names |= set(re.findall(r"\bfastws\.(?:[a-z_]+\.)*\w+", text))
    known = {*public(), *listed(), *(MODULES - INTERNAL)}
    assert [
        n for n in sorted(names) if not any(f"{n}.".startswith(f"{k}.") or k.startswith(f"{n}.") for k in known)
    ] == []
