"""The settings of Matplotlib that pictures are made and saved with, whatever a user has set."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib

# Matplotlib has one set of settings for all threads. Pictures call each other.
_lock = threading.RLock()


@contextmanager
def own_style() -> Iterator[None]:
    """Let the block, or the function it decorates, draw with Matplotlib's own defaults and ours.

    A backend, fonts, LaTeX or a style that were chosen for other figures neither change ours nor are needed for them.
    """
    with _lock, matplotlib.rc_context():
        matplotlib.rcdefaults()
        # Text stays text, and ids come from the drawing alone. Matplotlib takes both from its settings only.
        matplotlib.rc("svg", fonttype="none", hashsalt="fastws")
        yield
