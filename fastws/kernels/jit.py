"""How everything in this folder is compiled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

import fastws.kernels.vectors  # noqa: F401 - what is compiled may have lanes in it
from fastws.kernels.caching import cached_njit

# Kernels allocate nothing: counting references ("_nrt") would put atomic instructions into loops for nothing, and takes
# part of the time of compiling.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}
# Only kernels call these: compiling no entry for Python saves a quarter of the time that the first run takes.
INNER: dict[str, Any] = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINE: Any = INNER | {"forceinline": True}
SOURCES = sorted(map(str, Path(__file__).parent.glob("*.py")))

jit: Callable[..., Any] = cached_njit(SOURCES, **OPTIONS)
inner: Callable[..., Any] = njit(**INNER)
inline: Callable[..., Any] = njit(**INLINE)
