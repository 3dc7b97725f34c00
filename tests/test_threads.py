import _thread
import threading
import time

import numpy as np
import pytest

from fastws import threads
from fastws.threads import Stopped, available_cores, side_by_side, threads_of
from waiting import LONGEST


@pytest.fixture
def no_thread_stays():
    before = set(threading.enumerate())  # other packages' may be among them
    yield
    assert set(threading.enumerate()) <= before


def until_stopped(check):
    """Work without end, as long as nobody stops it."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        check(None)
        time.sleep(0.001)


def failing(check):
    raise ZeroDivisionError("in a task")


class Recorder:
    """A task that never ends by itself, and what became of it."""

    def __init__(self):
        self.outcomes, self.began = [], threading.Event()

    def __call__(self, check):
        self.began.set()
        try:
            until_stopped(check)
        except BaseException as error:
            self.outcomes.append(type(error))
            raise


def test_results_come_in_the_order_of_the_tasks():
    first_done = threading.Event()

    def slow(check):
        assert first_done.wait(LONGEST)
        return "slow"

    def fast(check):
        first_done.set()
        return "fast"

    assert side_by_side([slow, fast], n_threads=2) == ["slow", "fast"]


def test_one_thread_does_all_in_turn():
    order = []
    tasks = [lambda check, i=i: order.append((i, threading.get_ident())) for i in range(5)]
    side_by_side(tasks, n_threads=1)
    assert [i for i, _ in order] == list(range(5))
    assert len({thread for _, thread in order}) == 1


def test_one_task_that_nobody_watches_runs_where_it_is_asked_for():
    def task(check):
        check(None)
        return threading.get_ident()

    assert side_by_side([task]) == [threading.get_ident()]
    assert side_by_side([task], watch=lambda: None) != [threading.get_ident()]


def test_no_task():
    assert side_by_side([]) == []


def test_tasks_run_side_by_side():
    barrier = threading.Barrier(3, timeout=LONGEST)
    assert sorted(side_by_side([lambda check: barrier.wait()] * 3, n_threads=3)) == [0, 1, 2]


@pytest.mark.usefixtures("no_thread_stays")
def test_an_exception_stops_the_others():
    running, never_begun = Recorder(), Recorder()

    def failing_beside(check):
        assert running.began.wait(LONGEST)
        failing(check)

    with pytest.raises(ZeroDivisionError, match="in a task"):
        side_by_side([running, failing_beside, never_begun], n_threads=2)
    assert running.outcomes == [Stopped]
    assert never_begun.outcomes in ([], [Stopped])


@pytest.mark.usefixtures("no_thread_stays")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_watch_raises_stops_the_tasks(error):
    tasks = [Recorder(), Recorder()]

    def watch():
        if all(task.began.is_set() for task in tasks):
            raise error

    with pytest.raises(error):
        side_by_side(tasks, n_threads=2, watch=watch)
    assert [task.outcomes for task in tasks] == [[Stopped], [Stopped]]


def test_ctrl_c_stops_the_tasks(monkeypatch):
    tasks, wait = [Recorder(), Recorder()], threads.wait

    def interrupted(*arguments):
        assert all(task.began.wait(LONGEST) for task in tasks)
        _thread.interrupt_main()
        return wait(*arguments)

    monkeypatch.setattr(threads, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side(tasks, n_threads=2)
    assert [task.outcomes for task in tasks] == [[Stopped], [Stopped]]


def test_ctrl_c_while_the_tasks_begin_stops_those_that_have(monkeypatch):
    first, submit = Recorder(), threads.ThreadPoolExecutor.submit

    def interrupted(pool, task, check):
        if task is not first:
            assert first.began.wait(LONGEST)
            raise KeyboardInterrupt
        return submit(pool, task, check)

    monkeypatch.setattr(threads.ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        side_by_side([first, failing], n_threads=2)
    assert first.outcomes == [Stopped]


def test_watch_is_called_in_this_thread_and_once_at_the_end():
    calls, done = [], []
    side_by_side([lambda check: done.append(1)] * 3, watch=lambda: calls.append((threading.get_ident(), len(done))))
    assert {thread for thread, _ in calls} == {threading.get_ident()}
    assert calls[-1][1] == 3


def test_watch_is_called_while_tasks_run():
    calls = []

    def wait_for_calls(check):
        deadline = time.monotonic() + LONGEST
        while len(calls) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)

    side_by_side([wait_for_calls], watch=lambda: calls.append(None))
    assert len(calls) >= 3


def test_there_is_a_core():
    assert available_cores() >= 1


@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 5, 16, 17, 32, 33, 100])
@pytest.mark.parametrize("at_most", [None, 1, 16])
def test_shares_are_all_things_in_order_and_equal(monkeypatch, cores, n, at_most):
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    parts = threads.shares(range(n), at_most)
    assert [thing for part in parts for thing in part] == list(range(n))
    lengths = [len(part) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert 1 <= min(lengths)
    assert max(lengths) <= (at_most or n)
    assert len(parts) % cores == 0 or len(parts) == n


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(None, 1), (1, 1), (5, 5), (np.int8(3), 3), (-1, 4), (-2, 3), (-4, 1), (-5, 1), (-1000, 1), (np.int64(-9), 1)],
)
def test_n_jobs_is_that_of_joblib(n_jobs, expected, monkeypatch):
    monkeypatch.setattr(threads, "available_cores", lambda: 4)
    assert (threads_of(n_jobs), type(threads_of(n_jobs))) == (expected, int)


@pytest.mark.parametrize("n_jobs", [0, np.int64(0)])
def test_no_jobs_have_no_meaning(n_jobs):
    with pytest.raises(ValueError, match=r"^n_jobs == 0 in Parallel has no meaning: .*; give the number of threads"):
        threads_of(n_jobs)


@pytest.mark.parametrize("n_jobs", [1.0, "1", True, np.True_, float("nan"), [1], np.array([1])])
def test_n_jobs_that_is_no_number_of_threads(n_jobs):
    with pytest.raises(ValueError, match=r"^n_jobs is .*; give a whole number of threads"):
        threads_of(n_jobs)
