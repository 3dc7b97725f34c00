"""Work side by side on the cores of one machine: kernels leave Python's lock alone, so threads are enough."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from numbers import Integral
from typing import Any, TypeVar

T = TypeVar("T")
# How often a watcher is called, and so how soon Ctrl-C is noticed.
_SECONDS_A_LOOK = 0.1


class Stopped(Exception):
    """Raised inside a task when its siblings failed or the user pressed Ctrl-C."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of(n_jobs: Any) -> int:
    """Return how many threads `n_jobs` stands for, as joblib has it: 1 for None, all cores for -1, all but one for -2.

    Raises
    ------
    ValueError
        If it is 0 or not a whole number.
    """
    if n_jobs is None:
        return 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, Integral):
        raise ValueError(f"n_jobs is {n_jobs!r}; give a whole number of threads, or -1 for all cores.")
    if n_jobs == 0:
        raise ValueError(
            "n_jobs == 0 in Parallel has no meaning: n_jobs is 0; give the number of threads, or -1 for all cores."
        )
    wanted = int(n_jobs)
    return wanted if wanted > 0 else max(1, available_cores() + 1 + wanted)


def shares(things: Sequence[T], at_most: int | None = None) -> list[Sequence[T]]:
    """Return the things in order, cut into as many equal parts as there are cores, or a multiple of that.

    No part is longer than `at_most`, and none is empty.
    """
    n = available_cores()
    if at_most is not None:
        n *= -(-len(things) // (n * at_most))
    n = min(n, len(things))
    return [things[len(things) * part // n : len(things) * (part + 1) // n] for part in range(n)]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's products of matrices in the thread that asks for them.

    Of matrices as small as ours, threads within a product take up to ten times the time of none where cores are busy.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


class _Here(Executor):
    """Does each task at once, in the thread that submits it."""

    def submit(self, function: Callable[..., T], /, *arguments: object, **named: object) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(function(*arguments, **named))
        return future


def threads(n: int) -> Executor:
    """Return n threads, or none while the interpreter ends, when none can be begun: `atexit` calls functions then."""
    return ThreadPoolExecutor(n) if threading.main_thread().is_alive() else _Here()


def side_by_side(
    tasks: Sequence[Callable[[Callable[[object], None]], T]],
    n_threads: int | None = None,
    watch: Callable[[], object] | None = None,
) -> list[T]:
    """Run tasks in threads and return their results in order; one that nobody watches needs no thread.

    Parameters
    ----------
    tasks : sequence of callable
        Each is given a function to call now and then (with anything), which raises `Stopped` when it should end.
    n_threads : int, optional
        As many as there are cores by default.
    watch : callable, optional
        Called ten times a second, in the calling thread, and once at the end.

    Returns
    -------
    list
        What the tasks returned. If one raises, or Ctrl-C is pressed, the others are stopped before that is raised here.
    """
    if len(tasks) == 1 and watch is None:
        return [tasks[0](lambda _: None)]
    stop = threading.Event()

    def check(_: object) -> None:
        if stop.is_set():
            raise Stopped

    with threads(n_threads or min(available_cores(), max(1, len(tasks)))) as pool:
        try:
            futures = [pool.submit(task, check) for task in tasks]
            pending = set(futures)
            while pending:
                done, pending = wait(pending, _SECONDS_A_LOOK, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if watch is not None:
                    watch()
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
