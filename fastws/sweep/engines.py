"""The engines of a sweep: threads of this process, or whatever is a `concurrent.futures.Executor`."""

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from fastws.sweep.groups import Group, Outcome, failed, grouped, run_group
from fastws.sweep.settings import Experiment
from fastws.threads import available_cores, side_by_side

_SECONDS_A_LOOK = 0.1

Finished = Callable[[Group, list[Outcome]], None]
"""What is called, in the calling thread, with each group and its outcomes."""
Watch = Callable[[float], None]
"""What is called now and then, in the calling thread, with how many runs the learning of unfinished ones is worth."""


def in_threads(
    experiment: Experiment, groups: Sequence[Group], n_threads: int | None, finished: Finished, watch: Watch
) -> None:
    """Run groups side by side on the cores of this process."""
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(groups)):
        todo.put(number)
    done: queue.SimpleQueue[tuple[int, list[Outcome]]] = queue.SimpleQueue()
    under_way = [0.0] * len(groups)

    def work(check: Callable[[object], None]) -> None:
        while True:
            try:
                number = todo.get_nowait()
            except queue.Empty:
                return
            group = groups[number]

            def progress(part: float, number: int = number, n_runs: int = len(group.seeds)) -> None:
                check(part)
                under_way[number] = part * n_runs

            done.put((number, run_group(experiment, group, progress)))

    def collect() -> None:
        while not done.empty():
            number, outcomes = done.get()
            under_way[number] = 0.0
            finished(groups[number], outcomes)

    def look() -> None:
        collect()
        watch(sum(under_way))

    n_threads = min(n_threads or available_cores(), len(groups))
    try:
        side_by_side([work] * n_threads, n_threads, look)
    finally:
        collect()


def on_executor(
    executor: Executor, experiment: Experiment, groups: Sequence[Group], finished: Finished, watch: Watch
) -> None:
    """Run groups as tasks of an executor.

    Raises
    ------
    ConnectionError
        If the executor loses its workers, or gives its tasks up.
    """
    done: queue.SimpleQueue[Future[list[Outcome]]] = queue.SimpleQueue()
    pending: dict[Future[list[Outcome]], Group] = {}

    def submit(group: Group) -> None:
        future = executor.submit(run_group, experiment, group)
        pending[future] = group
        future.add_done_callback(done.put)

    try:
        for group in groups:
            submit(group)
        while pending:
            with contextlib.suppress(queue.Empty):
                future = done.get(timeout=_SECONDS_A_LOOK)
                error = future.exception()
                if isinstance(error, BrokenExecutor):
                    raise error
                group = pending.pop(future)
                if error is None:
                    finished(group, future.result())
                elif len(group.seeds) == 1:
                    finished(group, [failed(group.seeds[0], error)])
                else:
                    for alone in grouped(group.settings, group.seeds, 1):
                        submit(alone)
            watch(0.0)
    except (BrokenExecutor, CancelledError) as error:
        raise ConnectionError(
            "the workers of the sweep are lost. What they finished is in its file, if it has one, and the same sweep "
            "goes on from there."
        ) from error
    finally:
        for future, group in pending.items():
            if not future.cancel() and future.done() and future.exception() is None:
                finished(group, future.result())


@contextlib.contextmanager
def worker_processes(n_workers: int | None = None) -> Iterator[Executor]:
    """Give an executor of processes, as many as there are cores by default.

    They end with the block, at once if something is raised in it, and with this process, even if it is killed.
    """
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    with reader, writer:
        pool = _Pool(n_workers or available_cores(), context, _begin_worker, (reader,))
        try:
            yield pool
        except BaseException:
            writer.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


class _Pool(ProcessPoolExecutor):
    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        with children_ignoring_interrupts():  # this is where processes are started
            return super().submit(*arguments, **options)


@contextlib.contextmanager
def children_ignoring_interrupts() -> Iterator[None]:
    """Let processes that the block starts leave Ctrl-C to this one, to which it comes after the block."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # it would unblock the signal if it began in the block
    pressed: list[bool] = []
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda *_: pressed.append(True)) if in_main else None
    try:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a new process inherits what is blocked
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if in_main:
            signal.signal(signal.SIGINT, handler)
            if pressed:
                signal.raise_signal(signal.SIGINT)


def _begin_worker(reader: "Connection[Any, Any]") -> None:
    threading.Thread(target=_end_with, args=(reader,), daemon=True).start()


def _end_with(reader: "Connection[Any, Any]") -> None:
    """End this process once the other end of the pipe is closed."""
    with contextlib.suppress(EOFError):
        reader.recv()
    os._exit(1)
