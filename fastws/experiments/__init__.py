"""The two experiments of the paper, one of its sequel, training and compression, as functions that return results."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastws.experiments import anatomy, bars, compression, density, digits, training, watched

__all__ = ["anatomy", "bars", "compression", "density", "digits", "training", "watched"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import a module when it is first used."""
        if name in __all__:
            return import_module(f"fastws.experiments.{name}")
        raise AttributeError(f"module 'fastws.experiments' has no attribute {name!r}")
