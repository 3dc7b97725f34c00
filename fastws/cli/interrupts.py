"""Ctrl-C: it sets a flag, which is never lost, and is raised only where that does no harm."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(Exception):
    """Ctrl-C was pressed; the text says what is saved and how to go on."""


class _State:
    """Whether Ctrl-C was pressed and not answered yet, and whether it is raised as soon as it is pressed."""

    pressed = False
    raising = False


def _press(*_: Any) -> None:
    _State.pressed = True
    if _State.raising:
        raise KeyboardInterrupt


def listen() -> Any:
    """Let Ctrl-C set the flag from now on; return what it did before."""
    _State.pressed = _State.raising = False
    if threading.current_thread() is threading.main_thread():
        return signal.signal(signal.SIGINT, _press)
    return None


def stop_listening(before: Any) -> None:
    """Give Ctrl-C back what it did before; None leaves it as it is."""
    if before is not None:
        signal.signal(signal.SIGINT, before)


def answered() -> bool:
    """Return whether Ctrl-C was pressed since this was asked last."""
    pressed, _State.pressed = _State.pressed, False
    return pressed


def check() -> None:
    """Raise `KeyboardInterrupt` if Ctrl-C was pressed: where an interrupt does no harm while others are held."""
    if answered():
        raise KeyboardInterrupt


@contextmanager
def flagged() -> Iterator[None]:
    """Let Ctrl-C set the flag only while the block runs, and leave it set."""
    before, _State.raising = _State.raising, False
    try:
        yield
    finally:
        _State.raising = before


@contextmanager
def held() -> Iterator[None]:
    """Hold Ctrl-C while the block runs, but for its calls of `check`; raise it afterwards if it was raised before."""
    with flagged():
        yield
    if _State.raising:
        check()


@contextmanager
def raised() -> Iterator[None]:
    """Raise Ctrl-C in the block as soon as it is pressed.

    Much of what runs there is not ours and may swallow a `KeyboardInterrupt`, or make another error of it; then the
    block ends with one nevertheless.
    """
    before = _State.raising
    try:
        _State.raising = True
        check()
        yield
    except (KeyboardInterrupt, Interrupted):
        raise
    except Exception:
        _State.raising = before
        check()
        raise
    finally:
        _State.raising = before


def ends_with_its_caller() -> bool:
    """Return whether the caller of the function that asks is the script itself, so that the process ends after it."""
    return bool(sys._getframe(2).f_globals.get("__name__") == "__main__")
