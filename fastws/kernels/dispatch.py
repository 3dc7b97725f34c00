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
        Compiled functions of the same parameters.
    """

    def choose(*arguments: Any) -> Any:
        return choices[type(arguments[0])](*arguments)

    for kind, function in choices.items():
        _overload(choose, kind, function)
    return choose


def _overload(choose: Callable[..., Any], kind: type, function: Any) -> None:
    python = getattr(function, "py_func", function)

    def chosen(*arguments: Any) -> Callable[..., Any] | None:
        return python if getattr(arguments[0], "instance_class", None) is kind else None

    chosen.__signature__ = inspect.signature(python)  # type: ignore[attr-defined]
    # Compiled as it is declared: into what calls it, or by itself.
    options: Any = getattr(function, "targetoptions", INLINE)
    overload(choose, jit_options=options, strict=False)(chosen)
