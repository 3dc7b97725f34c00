"""A stand-in for `fastws.threads.side_by_side`."""

import itertools

from fastws.threads import Stopped


def stopping_at(question):
    """Return a function that runs the first task only, and stops it when it asks for the n-th time."""

    def side_by_side(tasks, n_threads=None):
        asked = itertools.count(1)

        def check(_):
            if next(asked) == question:
                raise Stopped

        tasks[0](check)

    return side_by_side
