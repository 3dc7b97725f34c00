"""Reweighted wake-sleep: several representations of an input, weighted by how well generation explains it with them.

Representations α_k, k = 1 … K, of an input d are drawn from Q(·|d), and each has the weight w_k = P(α_k, d) / Q(α_k|d),
divided by the sum of all K [1]_. Generation learns from them by Eq 4, each at the learning rate times its weight.
Recognition may learn from them alike, by Eq 7 at the same rates ("wake"), from fantasies as in 1995 ("sleep"), or from
both. In expectation, minus the logarithm of the mean of w_k is a bound on the negative log probability that falls as K
grows (`fastws.estimate.neg_log_prob_bits`); generation follows its gradient. With one representation this is the
wake-sleep of 1995.

References
----------
.. [1] Bornschein and Bengio, "Reweighted Wake-Sleep", ICLR (2015), arXiv 1406.2751.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.checks import Whole, check_integer
from fastws.kernels import reweighted as kernels
from fastws.kernels.rooms import room_for_samples
from fastws.kernels.types import Reweighting, Rule, Samples
from fastws.learning import Seen, prepare, sources
from fastws.machine import Machine
from fastws.softmax import check_binary_units
from fastws.steps import check_states, make_rule

__all__ = ["importance_weights", "reweighted_update"]

RECOGNITION = ("sleep", "wake", "both")


class Sampling:
    """From how many representations of an input a machine learns, and from what recognition does.

    Parameters
    ----------
    machine : Machine
    n_samples : int
    recognition : {"sleep", "wake", "both"}

    Raises
    ------
    ValueError
        If there is no such number or word, one sample has to teach recognition, or several a machine with softmax
        groups.
    """

    def __init__(self, machine: Machine, n_samples: Whole, recognition: str) -> None:
        self.n_samples = check_integer(n_samples, "n_samples")
        if recognition not in RECOGNITION:
            raise ValueError(
                f"recognition is {recognition!r}; it learns from fantasies ('sleep'), from samples ('wake') or from "
                "'both'."
            )
        self.recognition = str(recognition)
        if recognition != "sleep" and self.n_samples == 1:
            raise ValueError(
                f"recognition is {recognition!r} with n_samples=1: from one sample it learns nothing, since the "
                "expected gradient is zero. Give n_samples=2 or more, or recognition='sleep'."
            )
        if self:
            check_binary_units(machine, f"reweighted wake-sleep ({self})")

    def __bool__(self) -> bool:
        return self.n_samples > 1

    def __str__(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.names().items())

    def names(self) -> dict[str, Any]:
        """Return what a file says of it, which is nothing of the wake-sleep of 1995."""
        return {"n_samples": self.n_samples, "recognition": self.recognition} if self else {}

    @staticmethod
    def named_in(description: dict[str, Any]) -> dict[str, Any]:
        """Return, by argument of `Simulation`, what a saved run says of it."""
        return {name: description[name] for name in ("n_samples", "recognition") if name in description}

    def learn(self, stream: Any, machine: Machine, seed: int, n_examples: int, seen: Seen, rule: Rule) -> None:
        """Let a machine learn from the examples after the first ``seen[0]``, as `fastws.learning.learn` does.

        Raises
        ------
        ValueError
            As `fastws.learning.learn`.
        """
        net, draws, room = prepare(stream, [machine], [seed], self.n_samples)
        samples = room_for_samples(net, room, self.n_samples)
        reweighting = Reweighting(rule, self.recognition != "sleep", self.recognition != "wake")
        for source, part in sources(stream, machine, [seed], n_examples, seen):
            kernels.run_reweighted(source, net, reweighting, draws, samples, part, seen)


def importance_weights(machine: Machine, samples: Sequence[Any]) -> NDArray[np.float64]:
    """Return the normalised weights of representations of one input: P(α_k, d) / Q(α_k|d), divided by their sum.

    Parameters
    ----------
    machine : Machine
    samples : sequence of sequences of array_like of {0, 1}
        Each the states of all layers, of shapes (n_l,), l = 0 … L, as `fastws.wake_step` returns them; the input is the
        same in all.

    Returns
    -------
    ndarray of float64, shape (n_samples,)

    Raises
    ------
    ValueError
        If there is no sample, the states do not fit the machine, are not binary or not of one input, a parameter is not
        finite, or the machine has softmax groups.

    Notes
    -----
    Bornschein and Bengio, "Reweighted Wake-Sleep", ICLR (2015), arXiv 1406.2751.

    Examples
    --------
    >>> import fastws
    >>> from fastws.reweighted import importance_weights
    >>> machine = fastws.Machine([3, 2])
    >>> x = [1, 0, 1]
    >>> importance_weights(machine, [[x, [0, 0]], [x, [1, 0]]])  # generation and recognition know nothing yet
    array([0.5, 0.5])
    """
    checked = _check_samples(machine, samples)
    kernels.weigh(machine.net, checked)
    return checked.weights[0, : len(samples)].copy()


def reweighted_update(
    machine: Machine,
    samples: Sequence[Any],
    rates: Any,
    recognition: bool = False,
    nonnegative_input_weights: bool = False,
) -> NDArray[np.float64]:
    """Learn from representations of one input as a `Simulation` of several samples does awake.

    The generative parameters learn by Eq 4 from each sample, at the learning rate times its normalised weight, with
    the probabilities and weights that were before any of it. So do the recognition parameters by Eq 7, if they are to.

    Parameters
    ----------
    machine : Machine
    samples : sequence of sequences of array_like of {0, 1}
        As `importance_weights` takes them.
    rates : float or sequence of float, length L + 1
    recognition : bool, default=False
        Whether recognition learns from the samples, too.
    nonnegative_input_weights : bool, default=False
        Clip the generative weights to the inputs at zero.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        The `importance_weights` that it learned with.

    Raises
    ------
    ValueError
        As `importance_weights`, or if a rate is not what `fastws.wake_update` takes, or one sample is to teach
        recognition.

    Notes
    -----
    Bornschein and Bengio, "Reweighted Wake-Sleep", ICLR (2015), arXiv 1406.2751.

    Examples
    --------
    >>> import fastws
    >>> from fastws.reweighted import reweighted_update
    >>> machine = fastws.Machine([3, 2])
    >>> x = [1, 0, 1]
    >>> weights = reweighted_update(machine, [[x, [1, 0]], [x, [1, 1]]], rates=0.1)
    >>> print(machine.gen_weights[0].round(3))  # the second hidden unit was on in one of two samples of equal weight
    [[ 0.05  -0.05   0.05 ]
     [ 0.025 -0.025  0.025]]
    """
    checked = _check_samples(machine, samples)
    Sampling(machine, len(samples), "both" if recognition else "sleep")
    rule = make_rule(machine, rates, nonnegative_input_weights)
    if nonnegative_input_weights:
        machine.clip_input_weights()
    kernels.reweighted_update(machine.net, Reweighting(rule, bool(recognition), True), checked)
    return checked.weights[0, : len(samples)].copy()


def _check_samples(machine: Machine, samples: Sequence[Any]) -> Samples:
    """Return samples as the kernels take them, of a machine that is finite and binary."""
    check_binary_units(machine, "reweighted wake-sleep")
    machine.check_finite()
    if len(samples) == 0:
        raise ValueError("samples is empty; give the states of all layers of one representation or more.")
    checked = room_for_samples(machine.net, machine.room(), len(samples))
    for k, states in enumerate(samples):
        checked.states[k] = check_states(machine, states, f"samples[{k}]")
        if (checked.states[k, 0] != checked.states[0, 0]).any():
            raise ValueError(
                f"samples[{k}][0] is another input than samples[0][0]; weights compare representations of one input."
            )
    return checked
