"""How everything in this folder is compiled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

import fastws.kernels.vectors  # noqa: F401 - what is compiled may have lanes in it
from fastws.kernels.caching import cached_njit

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
# Only kernels call these: compiling no entry for Python saves a quarter of the time that the first run takes.
INNER: dict[str, Any] = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINE: Any = INNER | {"forceinline": True}
SOURCES = sorted(map(str, Path(__file__).parent.glob("*.py")))

jit: Callable[..., Any] = cached_njit(SOURCES, **OPTIONS)
inner: Callable[..., Any] = njit(**INNER)
inline: Callable[..., Any] = njit(**INLINE)
