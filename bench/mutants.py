"""Change the code in small ways and see whether the tests notice; mutants-record.txt is the record.

Usage: ``python bench/mutants.py [--modules NAME …] [--sample N] [--seed S] [--workers N]``. A mutant has one operator,
comparison, constant, condition or statement changed. Its tests run interpreted, in a process forked from one that has
NumPy, Numba, SciPy and Hypothesis loaded: those that reach the changed line, first the ones that found earlier mutants,
then the others, the fastest first. A mutant whose tests all pass has survived; one that makes a test last ten times as
long as it should is too slow, which counts as noticed. Both are printed.
"""

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The test files of each module; those of a package are for each of its modules.
TESTS = {
    "kernels": [
        *("kernels", "random", "elementary", "layout", "streams", "estimate", "machine", "generator", "codec"),
        *("step", "halves", "ledger", "visible", "rules", "softmax", "reweighted"),
    ],
    "streams": ["streams", "kernels", "own_streams", "simulation", "restarts", "halves"],
    "codec": ["codec", "softmax"],
    "learning": ["kernels", "streams", "own_streams", "simulation"],
    "steps": ["kernels", "machine", "testing"],
    "machine": ["machine", "softmax", "layout", "testing", "simulation", "files"],
    "simulation": ["simulation", "own_streams", "stateful", "files", "restarts", "step"],
    "exact": ["exact", "identities", "softmax"],
    "logits": ["logits", "exact"],
    "estimate": ["estimate", "identities", "softmax"],
}
# What starts interpreters of its own, or needs many draws, is slow and finds nothing more.
LEFT_OUT = " and ".join(
    f"not {word}"
    for word in (
        "compiled_and_interpreted",
        "crash",
        "fresh",
        "killed",
        "ctrl_c",
        "fuzzed",
        "two_processes",
        "finds",
        "memory",
    )
)
# The compiled meaning of lanes, and what compiles, keeps and links: interpreted, none of it runs.
NOT_INTERPRETED = (
    "kernels.caching",
    "kernels.dispatch",
    "kernels.jit",
    "kernels.lanes",
    "kernels.vectors",
    "kernels.wasm",
)
MEMORY = 8 * 2**30
PATIENCE = 20
REMEMBERED = 12

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.MatMult: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitXor: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def modules_of(name: str) -> list[str]:
    """Return the modules of a package of fastws, or the one module that has the name."""
    if not (ROOT / "fastws" / name).is_dir():
        return [name]
    modules = [f"{name}.{path.stem}" for path in sorted((ROOT / "fastws" / name).glob("*.py"))]
    return [module for module in modules if module not in NOT_INTERPRETED]


def path_of(module: str) -> Path:
    """Return the file of a module of fastws."""
    return ROOT.joinpath("fastws", *module.split(".")).with_suffix(".py")


def changes_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    changed = copy.deepcopy(node)
    match changed:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            changed.op = OPERATORS[type(op)]()
            yield changed
        case ast.Compare(ops=[op, *_]):
            changed.ops[0] = COMPARISONS[type(op)]()
            yield changed
        case ast.Constant(value=bool()):
            yield ast.Constant(not changed.value)
        case ast.Constant(value=int()):
            yield ast.Constant(changed.value + 1)
        case ast.Constant(value=float()):
            yield ast.Constant(changed.value * 1.01 if changed.value else 1.0)
        case ast.BoolOp():
            changed.op = ast.Or() if isinstance(changed.op, ast.And) else ast.And()
            yield changed
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield changed.operand
        case ast.Call(func=ast.Name(id="range")):
            stop = 0 if len(changed.args) == 1 else 1
            changed.args[stop] = ast.BinOp(changed.args[stop], ast.Sub(), ast.Constant(1))
            yield changed
    match node:
        case ast.If() | ast.IfExp():
            changed = copy.deepcopy(node)
            changed.test = ast.UnaryOp(ast.Not(), changed.test)
            yield changed
    if isinstance(node, ast.Raise | ast.AugAssign) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    ):
        yield ast.Pass()


def places_in(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield where each node hangs: its parent, field and index; annotations, decorators and messages are left out."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            if isinstance(value, ast.AST):
                yield parent, field, None
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield parent, field, index


def unchanging(tree: ast.AST) -> set[ast.AST]:
    """Return the nodes whose change is no mistake: annotations, decorators, what is raised, what types alone see."""
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        roots: list[ast.AST | None] = []
        match node:
            case ast.FunctionDef():
                roots = [*node.decorator_list, node.returns, *(a.annotation for a in node.args.args)]
            case ast.AnnAssign():
                roots = [node.annotation]
            case ast.Raise():
                roots = [node.exc, node.cause]
            case ast.Assign(value=ast.Subscript() | ast.Call(func=ast.Name(id="njit"))):
                roots = [node.value] if isinstance(node.targets[0], ast.Name) and node.col_offset == 0 else []
            case ast.JoinedStr():
                roots = [node]
        for root in roots:
            if root is not None:
                inside.update(ast.walk(root))
    return inside


def lines_of(tree: ast.AST) -> dict[ast.AST, range]:
    """Return the lines of the statement that each node belongs to; of one with a body, those of its head."""
    lines: dict[ast.AST, range] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt):
            body = getattr(statement, "body", None)
            end = body[0].lineno if body else statement.end_lineno + 1
            for node in ast.walk(statement):
                # The walk meets outer statements first, so the innermost has the last word.
                lines[node] = range(statement.lineno, max(end, statement.lineno + 1))
    return lines


def mutants_of(source: str) -> Iterator[tuple[str, range, str]]:
    """Yield a description, the lines that have to be reached, and the source of each mutant."""
    tree = ast.parse(source)
    ignored, lines = unchanging(tree), lines_of(tree)
    for parent, field, index in list(places_in(tree)):
        holder = getattr(parent, field)
        node = holder if index is None else holder[index]
        if node in ignored:
            continue
        for changed in changes_of(node):
            if index is None:
                setattr(parent, field, changed)
            else:
                holder[index] = changed
            ast.fix_missing_locations(tree)
            new = ast.unparse(changed).splitlines()[0]
            description = f"line {node.lineno}: {ast.unparse(node).splitlines()[0]}  ->  {new}"
            yield description, lines[node], ast.unparse(tree)
            if index is None:
                setattr(parent, field, node)
            else:
                holder[index] = node


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from changed source."""

    def __init__(self, name: str, source: str) -> None:
        self.name, self.source = name, source

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """Find the changed module, and no other."""
        if name != self.name:
            return None
        path = ROOT.joinpath(*name.split("."))
        package = [str(path)] if path.is_dir() else None
        origin = str(path / "__init__.py" if package else path.with_suffix(".py"))
        return importlib.util.spec_from_file_location(name, origin, loader=self, submodule_search_locations=package)

    def exec_module(self, module: object) -> None:
        """Run the changed source."""
        exec(compile(self.source, module.__spec__.origin, "exec"), module.__dict__)


class Survey:
    """A pytest plugin that writes down how long each test takes and which lines of some modules it reaches."""

    def __init__(self, modules: list[str], result: str) -> None:
        self.files, self.result = {module: str(path_of(module)) for module in modules}, result
        self.tests: dict[str, tuple[float, dict[str, list[int]]]] = {}

    def pytest_runtest_protocol(self, item: object, nextitem: object) -> None:
        """Measure one test."""
        import coverage
        from _pytest.runner import runtestprotocol

        measured = coverage.Coverage(data_file=None, config_file=False, include=list(self.files.values()))
        measured.set_option("run:disable_warnings", ["no-data-collected"])
        measured.start()
        began = time.monotonic()
        runtestprotocol(item, nextitem=nextitem)
        seconds = time.monotonic() - began
        measured.stop()
        reached = {module: measured.get_data().lines(file) or [] for module, file in self.files.items()}
        self.tests[item.nodeid] = seconds, reached
        return True

    def pytest_sessionfinish(self) -> None:
        """Leave the results to the parent process."""
        Path(self.result).write_text(json.dumps(self.tests), encoding="utf-8")


class Hunt:
    """A pytest plugin that runs the tests named, in their order and each for so long, and says which one fails."""

    def __init__(self, seconds: dict[str, float], result: str) -> None:
        self.seconds, self.result = seconds, result

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Choose and sort."""
        order = {name: number for number, name in enumerate(self.seconds)}
        items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Set the clock; without a handler the signal ends the process."""
        signal.alarm(int(PATIENCE + 10 * self.seconds[nodeid]))

    def pytest_runtest_logreport(self, report: object) -> None:
        """Leave the name of the test that fails to the parent process."""
        if report.failed:
            Path(self.result).write_text(report.nodeid, encoding="utf-8")


def run_tests(name: str, plugin: Survey | Hunt, mutated: Mutated | None = None) -> int:
    """Fork a process that runs the tests of a module or package; return its number."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    import hypothesis
    import pytest

    # A mutant that ten examples do not kill is seldom killed by fifty, and nobody looks at the smallest that do.
    register = hypothesis.settings.register_profile
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    fewer = staticmethod(lambda name, **values: register(name, **{**values, "max_examples": 10, "phases": phases}))
    type.__setattr__(hypothesis.settings, "register_profile", fewer)
    if mutated is not None:
        sys.meta_path.insert(0, mutated)
    files = [f"tests/test_{test}.py" for test in TESTS[name]]
    # Hypothesis is loaded before pytest can rewrite its assertions.
    warning = "ignore::pytest.PytestAssertRewriteWarning"
    options = ["-x", "-q", "-W", warning, "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    options += ["-m", "not long", "-k", LEFT_OUT]
    status = 1
    try:
        status = int(pytest.main([*options, *files], plugins=[plugin]))
    finally:
        os._exit(status)


def survey(name: str) -> dict[str, tuple[float, dict[str, list[int]]]]:
    """Run the tests of a module or package without a mutant; return how long each takes and the lines it reaches."""
    with tempfile.TemporaryDirectory() as folder:
        result = f"{folder}/survey"
        _, status = os.waitpid(run_tests(name, Survey(modules_of(name), result)), 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"the tests of {name} fail without any mutant")
        tests: dict[str, tuple[float, dict[str, list[int]]]] = json.loads(Path(result).read_text(encoding="utf-8"))
    return tests


def outcome_of(status: int) -> str:
    """Return what the end of a process says about its mutant."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return "too slow"
    return "killed" if status else "survived"


def count(
    module: str,
    surveyed: dict[str, tuple[float, dict[str, list[int]]]],
    mutants: list[tuple[str, range, str]],
    workers: int,
) -> dict[str, int]:
    """Run the tests of each mutant of a module; print those that are not killed and return how many end how."""
    tests = {name: (seconds, set(lines[module])) for name, (seconds, lines) in surveyed.items()}
    everywhere = set().union(*(lines for _, lines in tests.values()))
    by_time = sorted(tests, key=lambda name: tests[name][0])
    killers: list[str] = []
    counts = {"killed": 0, "too slow": 0, "survived": 0}
    running: dict[int, tuple[str, str]] = {}
    waiting = list(reversed(mutants))
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < workers:
                mutant, lines, source = waiting.pop()
                # What is reached by no test may still have run when the module was imported.
                only = everywhere.intersection(lines)
                chosen = [name for name in [*killers, *by_time] if not only or only & tests[name][1]]
                result = f"{folder}/{len(waiting)}"
                hunt = Hunt({name: tests[name][0] for name in chosen}, result)
                mutated = Mutated(f"fastws.{module.removesuffix('.__init__')}", source)
                running[run_tests(module.split(".")[0], hunt, mutated)] = mutant, result
            child, status = os.waitpid(-1, 0)
            mutant, result = running.pop(child)
            outcome = outcome_of(status)
            counts[outcome] += 1
            if outcome != "killed":
                print(f"  {outcome}: {module} {mutant}", flush=True)
            elif Path(result).exists():
                killer = Path(result).read_text(encoding="utf-8")
                if killer in tests:
                    killers = [killer, *(name for name in killers if name != killer)][:REMEMBERED]
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", nargs="+", choices=TESTS, default=list(TESTS))
    parser.add_argument("--sample", type=int, help="mutants a module; all by default")
    parser.add_argument("--seed", type=int, default=0, help="chooses the sample")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()

    os.environ.update(NUMBA_DISABLE_JIT="1", CI="1", MPLBACKEND="Agg")
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in ("numpy", "numba", "scipy.stats", "hypothesis.stateful", "pytest", "llvmlite.ir", "numba.np.arrayobj"):
        importlib.import_module(name)

    for name in arguments.modules:
        began = time.monotonic()
        surveyed = survey(name)
        print(f"{name}: {len(surveyed)} tests in {time.monotonic() - began:.0f} s", flush=True)
        for module in modules_of(name):
            mutants = list(mutants_of(path_of(module).read_text(encoding="utf-8")))
            n_all = len(mutants)
            if arguments.sample is not None and arguments.sample < n_all:
                mutants = random.Random(arguments.seed).sample(mutants, arguments.sample)
            began = time.monotonic()
            counts = count(module, surveyed, mutants, arguments.workers)
            seconds = time.monotonic() - began
            print(f"{module}: {sum(counts.values())} of {n_all} mutants, {counts} in {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
