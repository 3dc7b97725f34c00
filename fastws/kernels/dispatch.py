"""One function by the type of its first argument, compiled and interpreted alike."""

import inspect
from collections.abc import Callable
from typing import Any

from numba.extending import overload

from fastws.kernels.jit import INLINE


def by_type(choices: dict[type, Callable[..., Any]]) -> Callable[..., Any]:
    """Return a function that calls the one of the class of its first argument, a NamedTuple.

    Compiled, the choice is made while compiling: what is not chosen costs nothing.

    Parameters
    ----------
    choices : dict of class to function
        They have the same parameters, and are compiled into those that call them.
    """

    functions = {kind: getattr(function, "py_func", function) for kind, function in choices.items()}

    def choose(*arguments: Any) -> Any:
        return functions[type(arguments[0])](*arguments)

    def chosen(*arguments: Any) -> Callable[..., Any] | None:
        return functions.get(getattr(arguments[0], "instance_class", None))  # type: ignore[arg-type]

    signature = inspect.signature(next(iter(functions.values())))
    choose.__signature__ = chosen.__signature__ = signature  # type: ignore[attr-defined]
    overload(choose, jit_options=INLINE, strict=False)(chosen)
    return choose
