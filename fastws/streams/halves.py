"""One phase without the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.attributes import Fixed
from fastws.kernels.types import Rule
from fastws.learning import learn_asleep, learn_awake
from fastws.machine import Machine
from fastws.streams.protocol import Stream, check_stream, learns_by_delta_rule

PHASES = ("wake", "sleep")


class OnePhase:
    """The examples of a stream, from which a machine learns in one phase only.

    All draws are those of a run with both phases: the images are the same. Awake only, the generative parameters learn
    from what a recognition that never improves makes of the images (Eq 4). Asleep only, recognition learns to invert
    a generative model that never changes (Eq 7), and no image comes into it.

    Parameters
    ----------
    stream : Bars, Images or a `RowStream` of your own
    phase : {"wake", "sleep"}

    Raises
    ------
    ValueError
        If there is no such phase, or the stream is none, or has a `learn` of its own.

    Examples
    --------
    >>> from fastws import Bars, Machine, Simulation
    >>> from fastws.streams import OnePhase
    >>> machine = Machine([16, 8, 1])
    >>> run = Simulation(machine, OnePhase(Bars(), "wake"), [(1000, 0.1)]).advance()
    >>> bool(machine.gen_biases[0].any()), bool(machine.rec_biases[0].any())
    (True, False)
    """

    stream = Fixed[Any]()
    phase = Fixed[str]()

    def __init__(self, stream: Stream, phase: str) -> None:
        if phase not in PHASES:
            raise ValueError(f"phase is {phase!r}; give one of {', '.join(map(repr, PHASES))}.")
        check_stream(stream, getattr(stream, "n_inputs", 0))
        if not learns_by_delta_rule(stream):
            raise ValueError(
                f"the stream, a {type(stream).__name__}, has a `learn` of its own, which does both phases; give one "
                "that gives examples only."
            )
        self.stream = stream
        self.phase = phase

    def __repr__(self) -> str:
        return f"OnePhase({self.stream!r}, {self.phase!r})"

    @property
    def n_inputs(self) -> int:
        """Units of the input layer that the examples fit."""
        return int(self.stream.n_inputs)

    def learn(
        self,
        machine: Machine,
        seed: int,
        n_examples: int,
        seen: NDArray[np.uint64],
        rates: NDArray[np.float32],
        floor: np.float32,
    ) -> None:
        """Let a machine learn from the examples after the first `seen[0]`, which is kept in step."""
        learn = learn_awake if self.phase == "wake" else learn_asleep
        learn(self.stream, machine, seed, n_examples, seen, Rule(rates, floor))
