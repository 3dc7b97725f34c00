"""Fastws: a fast online simulator of the wake-sleep algorithm.

A Helmholtz machine is a net of stochastic binary units with two sets of connections: generative ones from the top
down and recognition ones from the bottom up. Wake-sleep trains each with what the other produces [1]_.

References
----------
.. [1] Hinton, Dayan, Frey and Neal, Science 268 (1995), 1158-1161.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastws import codec, datasets, estimate, exact, gradients, plotting, sweep
    from fastws import experiments as experiments
    from fastws import testing as testing
    from fastws.classifier import DescriptionLengthClassifier
    from fastws.machine import Machine
    from fastws.restarts import best_of
    from fastws.simulation import Simulation
    from fastws.steps import sleep_step, sleep_update, wake_step, wake_update
    from fastws.streams import Bars, Images
    from fastws.transformer import HelmholtzMachine

__all__ = [
    "Bars",
    "DescriptionLengthClassifier",
    "HelmholtzMachine",
    "Images",
    "Machine",
    "Simulation",
    "best_of",
    "codec",
    "datasets",
    "estimate",
    "exact",
    "gradients",
    "plotting",
    "sleep_step",
    "sleep_update",
    "sweep",
    "wake_step",
    "wake_update",
]
__version__ = "0.1.0"

_HOMES = {
    "Bars": "fastws.streams",
    "DescriptionLengthClassifier": "fastws.classifier",
    "HelmholtzMachine": "fastws.transformer",
    "Images": "fastws.streams",
    "Machine": "fastws.machine",
    "Simulation": "fastws.simulation",
    "best_of": "fastws.restarts",
    "sleep_step": "fastws.steps",
    "sleep_update": "fastws.steps",
    "wake_step": "fastws.steps",
    "wake_update": "fastws.steps",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a type checker that saw this function would let every misspelt name pass

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that `import fastws` costs next to nothing."""
        if name in _HOMES:
            value = getattr(import_module(_HOMES[name]), name)
        elif name in (*__all__, "experiments", "testing"):  # a star import must not need Hypothesis
            value = import_module(f"fastws.{name}")
        else:
            raise AttributeError(f"module 'fastws' has no attribute {name!r}")
        globals()[name] = value
        return value
