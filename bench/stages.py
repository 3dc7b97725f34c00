"""Where the processor's time of `fastws bars` goes: imports, by package, and then what is done.

`measure` starts Python with this file, which puts a clock around what loads modules, imports all that the command
needs, puts clocks around some functions, and runs the command.
"""

import functools
import importlib
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from typing import Any

_PACKAGES = {
    "Numba": ("numba", "llvmlite", "scipy"),
    "Matplotlib": ("matplotlib", "mpl_toolkits", "PIL", "pyparsing", "fontTools", "dateutil", "kiwisolver", "cycler"),
    "NumPy": ("numpy",),
    "Typer and Rich": ("typer", "rich", "click", "pydantic", "pydantic_core", "annotated_types", "markdown_it"),
    "fastws": ("fastws",),
}
_MODULES = ("fastws.cli.commands", "fastws.experiments.bars", "fastws.plotting", "rich.progress")
# Where functions are found when they are called, and what they do.
_STAGES = {
    "fastws.kernels.caching:_Cache.load_overload": "compiled code, loaded",
    "fastws.experiments.watched:advance_together": "learning",
    "fastws.exact:report": "exact reports on the way",
    "fastws.plotting.saving:_draw_png": "PNGs, drawn",
    "fastws.plotting.saving:_draw_svg": "SVGs, drawn",
    "fastws.plotting.saving:write_atomically": "files, written",
}


def measure(words: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Return the seconds of the processor that each part of `fastws` with these words takes, and those of the rest."""
    command = [sys.executable, "-m", "bench.stages", *words]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {process.stderr}")
    return json.loads(process.stderr.splitlines()[-1])


class Clock:
    """Adds up the processor's seconds of each part, less those of the parts within."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._here = threading.local()

    def around(self, function: Callable[..., Any], name_of: Callable[..., str | None]) -> Callable[..., Any]:
        """Return the function with its time added to the part that its arguments name, or to the part that it is in."""

        @functools.wraps(function)
        def clocked(*arguments: Any, **named: Any) -> Any:
            within = self._here.__dict__.setdefault("within", [])
            name = name_of(*arguments)
            if name is None or (within and within[-1][0] in _STAGES.values() and name not in _STAGES.values()):
                return function(*arguments, **named)
            within.append([name, 0.0])
            started = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                took = time.thread_time() - started
                self.spent[name] += took - within.pop()[1]
                if within:
                    within[-1][1] += took

        return clocked

    def put_around(self, owner: Any, attribute: str, name_of: Callable[..., str | None]) -> None:
        """Put the clock around a function where it is found."""
        setattr(owner, attribute, self.around(getattr(owner, attribute), name_of))


def import_of(loader: Any, module: Any, *_: Any) -> str:
    """Return the part that the loading of a module is."""
    package = module.__name__.partition(".")[0]
    group = next((name for name, packages in _PACKAGES.items() if package in packages), "others")
    return f"import of {group}"


def main() -> int:
    """Run a command with clocks; say what they show in the last line on standard error."""
    clock, code = Clock(), 0
    for loader in (SourceFileLoader, ExtensionFileLoader):
        clock.put_around(loader, "exec_module", import_of)
    for module in _MODULES:
        importlib.import_module(module)
    for place, stage in _STAGES.items():
        module, path = place.split(":")
        *owners, attribute = path.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        clock.put_around(owner, attribute, lambda *_, stage=stage, **__: stage)
    try:
        importlib.import_module("fastws.cli").main()
    except SystemExit as ending:
        code = ending.code
    rest = time.process_time() - sum(clock.spent.values())
    print(json.dumps(dict(clock.spent.most_common()) | {"the rest": rest}), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
