"""How the house is built: files that are read in one sitting, few arguments, and kernels that need no library."""

import ast
from pathlib import Path

import pytest

import fastws

PACKAGE = Path(fastws.__file__).parent
KERNELS = PACKAGE / "kernels"
MOST_LINES = 300
MOST_ARGUMENTS = 7
# They run in Python.
NOT_COMPILED = (
    "layout.py",
    "rooms.py",
    "caching.py",
    "jit.py",
    "dispatch.py",
    "lanes.py",
    "vectors.py",
    "types.py",
    "wasm.py",
    "__init__.py",
)
DECORATORS = {"jit", "inner", "inline", "uncached"}
# Casts of a number, and what is no call.
OF_NUMPY = {"float32", "float64", "int64", "uint8", "uint32", "uint64", "inf"}


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


every_file = pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
every_kernel_file = pytest.mark.parametrize("path", sorted(KERNELS.glob("*.py")), ids=name_of)


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions_of(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]


def n_lines_besides_docstrings(path):
    """Return how many lines a file has, but for those of docstrings: strings that stand alone."""
    alone = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return len(path.read_text(encoding="utf-8").splitlines()) - sum(n.end_lineno - n.lineno + 1 for n in alone)


def compiled(path):
    """Return the functions of a file that are compiled."""
    for node in functions_of(tree_of(path)):
        if not isinstance(node, ast.Lambda) and {ast.unparse(d) for d in node.decorator_list} & DECORATORS:
            yield node


@every_file
def test_a_file_can_be_read_in_one_sitting(path):
    assert n_lines_besides_docstrings(path) <= MOST_LINES


@every_kernel_file
def test_no_function_of_the_kernels_takes_more_than_seven_arguments(path):
    for node in functions_of(tree_of(path)):
        arguments = node.args
        n = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
        assert n <= MOST_ARGUMENTS, f"line {node.lineno}"


def test_kernels_are_where_this_test_looks():
    found = {path.name: len(list(compiled(path))) for path in KERNELS.glob("*.py")}
    assert sum(found.values()) > 50
    assert {name for name, n in found.items() if n == 0} == set(NOT_COMPILED)


@every_kernel_file
def test_kernels_allocate_nothing_and_call_no_library(path):
    """Compiled for another machine there is neither memory to ask for nor a logarithm of a library."""
    for function in compiled(path):
        for node in ast.walk(function):
            where = f"{function.name}, line {getattr(node, 'lineno', '?')}"
            match node:
                case ast.BinOp(op=ast.Pow(), left=ast.Constant(), right=ast.Constant() | ast.UnaryOp()):
                    pass  # a number
                case ast.BinOp(op=ast.MatMult() | ast.Pow()):
                    pytest.fail(f"{where}: a library's product or power")
                case ast.Attribute(value=ast.Name(id="np"), attr=attr):
                    # Annotations are no code.
                    assert attr in OF_NUMPY, f"{where}: np.{attr}"
                case ast.Attribute(value=ast.Name(id="math")):
                    pytest.fail(f"{where}: {ast.unparse(node)}")
                case ast.Call(func=ast.Attribute(attr="copy" | "astype" | "sum" | "fill" | "reshape" | "mean" | "dot")):
                    pytest.fail(f"{where}: {ast.unparse(node)}")
                case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
                    pytest.fail(f"{where}: {ast.unparse(node)}")
