"""Where it was measured: processor, versions, load, and how to stay on one core."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding as llvm
from threadpoolctl import threadpool_limits

import fastws
from fastws.threads import available_cores

T = TypeVar("T")
LIBRARIES = ("numpy", "numba", "scikit-learn", "jax", "torch")


@contextmanager
def one_core() -> Iterator[None]:
    """Keep what this thread does, and the threads that it starts, on one core; where that cannot be, to one thread."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    with threadpool_limits(1):
        if cores:
            os.sched_setaffinity(0, {max(cores)})
        try:
            yield
        finally:
            if cores:
                os.sched_setaffinity(0, cores)


def on_one_core(task: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds of a core that a task takes, and its result.

    They are the processor's seconds: the clock's, less those that other programs take.
    """
    with one_core():
        started = time.process_time()
        result = task()
        return time.process_time() - started, result


def on_the_clock(task: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that a task takes on whatever cores it uses, and its result."""
    started = time.perf_counter()
    result = task()
    return time.perf_counter() - started, result


def compiler() -> str | None:
    """Return the path of the C compiler, if there is one."""
    return shutil.which("gcc") or shutil.which("cc")


def load_average() -> list[float] | None:
    """Return how many programs wanted to run in the last 1, 5 and 15 minutes, where the system tells."""
    return [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None


def describe() -> dict[str, Any]:
    """Return the processor, how many of its cores there are, and what is installed."""
    versions = {"fastws": fastws.__version__, "python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    versions["gcc"] = None
    if (gcc := compiler()) is not None:
        lines = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()
        versions["gcc"] = lines[0].split()[-1]
    kind = {"cpu": _processor(), "architecture": llvm.get_host_cpu_name(), "cores": available_cores()}
    return {**kind, "system": platform.platform(), "versions": versions}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
