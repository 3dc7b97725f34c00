"""How much memory something takes."""

import tracemalloc
from contextlib import contextmanager


@contextmanager
def traced_memory():
    """Give a function that returns the most bytes that were in use at once since the block began."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
