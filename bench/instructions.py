"""Vectors of 8 or of 16 floats: which instructions fastws is compiled for, and how to have it compiled for others."""

import llvmlite.binding as llvm
from numba import config

# What LLVM calls the last thing that a processor needs for them; the widest first.
SETS = {"avx512": "avx512vl", "avx2": "avx2"}
LANES = {"avx512": 16, "avx2": 8}
NAMES = {"avx512": "AVX-512", "avx2": "AVX2"}
_WIDER = {"avx512": (), "avx2": ("avx512", "avx10", "evex512")}


def available() -> list[str]:
    """Return the sets that this processor has, the widest first."""
    features = llvm.get_host_cpu_features()
    return [name for name, feature in SETS.items() if features.get(feature)]


def in_use() -> str | None:
    """Return the set that Numba compiles for, or None if it is another one."""
    told = config.CPU_FEATURES
    if told is None:
        return next(iter(available()), None)
    return next((name for name, feature in SETS.items() if f"+{feature}" in told.split(",")), None)


def environment(instructions: str) -> dict[str, str]:
    """Return the settings with which Numba compiles for a set that this processor has."""
    features = {
        name: there and not name.startswith(_WIDER[instructions]) if _WIDER[instructions] else there
        for name, there in llvm.get_host_cpu_features().items()
    }
    return {"NUMBA_CPU_FEATURES": ",".join("-+"[there] + name for name, there in sorted(features.items()))}


def compiler_flags(instructions: str | None) -> tuple[str, ...]:
    """Return what makes a C compiler use a set, of all that this processor has."""
    return ("-march=native", "-mno-avx512f") if instructions == "avx2" else ("-march=native",)
