"""The layers of DESIGN.md: the contracts themselves stand in pyproject.toml, under tool.importlinter."""

import ast
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import fastws

ROOT = Path(__file__).parents[1]
PACKAGE = Path(fastws.__file__).parent
BELOW_CLI = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "cli"]


def test_import_contracts_are_kept():
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("path", BELOW_CLI, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_below_cli_prints(path):
    printing = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if ast.unparse(node) in {"print", "sys.stdout", "sys.stderr"} and isinstance(node, ast.expr)
    ]
    assert printing == []
