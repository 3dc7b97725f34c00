"""The page that lists everything public, against the package."""

import pkgutil
import re
from importlib import import_module

import pytest

import fastws
from reference_page import PAGE, listed, resolved

MODULES = {module.name for module in pkgutil.walk_packages(fastws.__path__, "fastws.")}
# What only others of fastws use; a module without `__all__` is here, or somebody forgot to decide.
INTERNAL = {
    "fastws.__main__",
    "fastws.attributes",
    "fastws.checks",
    "fastws.divergence",
    "fastws.estimator",
    "fastws.experiments.intervals",
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
    "fastws.softmax",
    "fastws.threads",
    "fastws.together",
}
PARTS_OF = tuple(
    f"fastws.{name}."
    for name in (
        "codec",
        "datasets",
        "exact",
        "experiments.density",
        "kernels",
        "live",
        "plotting",
        "streams",
        "sweep",
        "testing",
    )
)
PARTS_OF += ("fastws.cli",)


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
    "path",
    [
        PAGE.parents[1] / "README.md",
        *sorted(PAGE.parents[1].glob("examples/*.py")),
        *sorted(PAGE.parent.glob("tutorials/*.py")),
    ],
    ids=lambda path: path.name,
)
def test_readme_gallery_and_tutorials_use_what_is_public_only(path):
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
