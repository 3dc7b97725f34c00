import ast
import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import numpy as np
import pytest

import fastws
from fastws.kernels.caching import CacheWarning

README = Path(__file__).parents[1] / "README.md"
SCRIPT = str(Path(sysconfig.get_path("scripts"), "fastws"))
MODULE = [sys.executable, "-m", "fastws"]


def run(command, folder):
    """Run a command away from the checkout, so that it finds the fastws that is installed."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_import_is_nearly_free(tmp_path):
    heavy = {"numpy", "numba", "matplotlib", "sklearn", "scipy", "typer", "rich"}
    code = f"import fastws, sys; print(sorted({heavy} & set(sys.modules)))"
    assert run([sys.executable, "-c", code], tmp_path).stdout == "[]\n"


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["--version"], ["bars", "--help"], ["bars", "--seed", "one"]], ids=" ".join
)
def test_a_command_that_computes_nothing_imports_nothing_that_computes(words, tmp_path):
    heavy = {"numpy", "numba", "llvmlite", "matplotlib", "PIL", "scipy", "sklearn", "pandas", "pyarrow", "dask"}
    code = (
        f"import sys; sys.argv = ['fastws', *{words}]; from fastws.cli import main\n"
        "try: main()\n"
        f"except SystemExit: sys.exit(str(sorted({heavy} & set(sys.modules))))"
    )
    assert run([sys.executable, "-c", code], tmp_path).stderr.splitlines()[-1] == "[]"


@pytest.mark.long
def test_each_public_name_resolves_as_the_first(tmp_path):
    """In one process that forgets fastws each time: what takes long is to import other packages."""
    code = (
        f"import sys\nfor name in {fastws.__all__}:\n"
        "    for module in [module for module in sys.modules if module.partition('.')[0] == 'fastws']:\n"
        "        del sys.modules[module]\n"
        "    import fastws\n"
        "    assert name in dir(fastws)\n"
        "    print(getattr(fastws, name).__name__.removeprefix('fastws.'))"
    )
    result = run([sys.executable, "-c", code], tmp_path)
    assert result.stdout.split() == fastws.__all__, result.stderr


def test_type_checkers_see_the_public_names():
    tree = ast.parse(Path(fastws.__file__).read_text(encoding="utf-8"))
    [block] = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    # A star import must not need Hypothesis.
    public = [*fastws.__all__, "experiments", "testing"]
    assert sorted(alias.name for node in block.body for alias in node.names) == sorted(public)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fastws' has no attribute 'Machin'"):
        fastws.Machin  # noqa: B018


def test_version_is_that_of_the_distribution():
    assert fastws.__version__ == importlib.metadata.version("fastws")


def test_version_option(tmp_path):
    assert run([SCRIPT, "--version"], tmp_path).stdout.split()[-1] == fastws.__version__


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["--version"], 0), (["bars", "--seed", "one"], 2)])
def test_module_works_like_the_script(arguments, code, tmp_path):
    script, module = run([SCRIPT, *arguments], tmp_path), run([*MODULE, *arguments], tmp_path)
    assert module.returncode == script.returncode == code
    for output, expected in [(module.stdout, script.stdout), (module.stderr, script.stderr)]:
        # By words: the box around an error is padded to the length of the name.
        assert output.replace("python -m fastws", "fastws").split() == expected.split()


def test_readme_example_prints_what_readme_says(tmp_path):
    blocks = r"```python\n(.+?)```\n.*?```text\n(.+?)```"
    example, output = re.search(blocks, README.read_text(encoding="utf-8"), re.DOTALL).groups()
    assert len(example.splitlines()) <= 12
    result = run([sys.executable, "-W", "error", "-c", example], tmp_path)
    assert result.stdout == output, result.stderr


def test_what_fastws_warns_of_fails_a_test_and_what_others_deprecate_does_not():
    def warn(module, category):
        warnings.warn_explicit("a draught", category, "a file", 1, module)

    for module in ("fastws", "fastws.exact", "tests.test_exact"):
        for category in (RuntimeWarning, UserWarning, ResourceWarning, CacheWarning):
            with pytest.raises(category, match="a draught"):
                warn(module, category)
    with warnings.catch_warnings(record=True) as shown:
        warn("sklearn.base", UserWarning)
        warn("fastwsx", RuntimeWarning)
        warn("fastws.exact", DeprecationWarning)
        warn("fastws.exact", np.exceptions.VisibleDeprecationWarning)
    assert len(shown) == 4


@pytest.mark.long
@pytest.mark.parametrize("name", ["anatomy", "bars", "compression", "digits", "training", "watched"])
def test_experiments_are_reached_as_the_rest_is(name, tmp_path):
    """README speaks of `fastws.experiments.training.train`."""
    code = f"import fastws; print(fastws.experiments.{name}.__name__)"
    assert run([sys.executable, "-c", code], tmp_path).stdout == f"fastws.experiments.{name}\n"


def test_an_unknown_experiment_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'misspelt'"):
        fastws.experiments.misspelt  # noqa: B018
