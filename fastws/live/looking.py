"""What the page asks about a machine: measures, what it dreams and recognises, and what units cost."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws import exact
from fastws.live.requests import Fields, check_list, check_number
from fastws.live.settings import LIMITS
from fastws.live.units import draw_unit, unit_bits
from fastws.live.worlds import LARGEST_BY_HAND, World, largest_weight
from fastws.machine import Machine

Arrays = dict[str, NDArray[Any]]
Answer = tuple[dict[str, Any], Arrays]

_TOP = 32


def measures(world: World, fields: Fields) -> Answer:
    """Measure a machine exactly, in bits."""
    from fastws.experiments.anatomy import anatomy

    fields.end()
    _check_enumerable(world.machine)
    report = exact.report(world.machine, *world.settings.bars.distribution())
    found = anatomy(world.machine)
    return {
        "example": world.example,
        "exact": True,
        "divergence_bits": report.asymmetric_divergence_bits,
        "kl_penalty_bits": report.kl_penalty_bits,
        "free_energy_bits": report.free_energy_bits,
        "entropy_bits": report.data_entropy_bits,
        "labels": list(found.labels),
        "crosses": list(found.crosses),
        "faults": list(found.faults),
        "largest_weight": largest_weight(world.machine),
    }, {}


def fantasies(world: World, fields: Fields) -> Answer:
    """Draw fantasies."""
    n, seed = _n_and_seed(fields)
    fields.end()
    return {}, {"fantasies": world.machine.fantasies(n, seed)}


def clamp(world: World, fields: Fields) -> Answer:
    """Draw fantasies with units held on or off."""
    n, seed = _n_and_seed(fields)
    pairs = check_list(fields.take("clamp"), "clamp", LIMITS["samples"])
    fields.end()
    held = {}
    for pair in pairs:
        match pair:
            case [int(layer), int(unit), int(state)]:
                held[layer, unit] = state
            case _:
                raise ValueError(f"clamp has {str(pair)[:60]}; give [layer, unit, 0 or 1].")
    return {}, {"fantasies": world.machine.fantasies(n, seed, held)}


def data(world: World, fields: Fields) -> Answer:
    """Draw images."""
    n, seed = _n_and_seed(fields)
    fields.end()
    return {}, {"images": world.settings.bars.sample(n, seed)}


def recognise(world: World, fields: Fields) -> Answer:
    """Say what a machine makes of an image: what it draws, and, where they can be gone through, all it could."""
    machine = world.machine
    image = fields.states("image", machine.layer_sizes[0])
    n, seed = _n_and_seed(fields)
    fields.end()
    inputs = np.array([image], np.uint8)
    arrays = {
        "q": np.concatenate(machine.recognition_probabilities(inputs), axis=1)[0],
        "samples": np.concatenate(machine.representations(np.repeat(inputs, n, axis=0), seed), axis=1),
        "reconstruction": machine.reconstruct(inputs)[0],
    }
    if sum(machine.layer_sizes[1:]) > LIMITS["enumerated"]:
        return {}, arrays
    posterior = exact.posterior(machine, inputs)[0]
    top = np.argsort(-posterior, kind="stable")[:_TOP]
    states = exact.representations(machine)[top]
    whole = np.concatenate([np.repeat(inputs, len(top), axis=0), states], axis=1)
    arrays |= {
        "top": states,
        "posterior": posterior[top],
        "recognition": exact.recognition_distribution(machine, inputs)[0][top],
        "cost_bits": unit_bits(machine, whole)[0].sum(axis=1),
    }
    found = exact.measures(machine, inputs)
    return {
        "neg_log_prob_bits": float(found.neg_log_prob_bits[0]),
        "free_energy_bits": float(found.free_energy_bits[0]),
        "kl_penalty_bits": float(found.kl_penalty_bits[0]),
        "entropy_bits": float(found.recognition_entropy_bits[0]),
    }, arrays


def ledger(world: World, fields: Fields) -> Answer:
    """Say what each unit of a representation costs."""
    machine = world.machine
    n_inputs, *hidden = machine.layer_sizes
    row = fields.states("image", n_inputs) + fields.states("states", sum(hidden))
    fields.end()
    states = np.array([row], np.uint8)
    [costs], [surprises] = unit_bits(machine, states)
    return {"total_bits": math.fsum(costs), "returned_bits": math.fsum(surprises)}, {
        "unit_bits": costs,
        "recognition_bits": surprises,
        # A unit that is on costs -log2 p bits, one that is off -log2(1 - p).
        "p_unit": np.where(states[0] == 1, np.exp2(-costs), -np.expm1(-costs * math.log(2))),
    }


def unit(_: World, fields: Fields) -> Answer:
    """Draw the states of one unit (Eq 1)."""
    bias = check_number(fields.take("bias"), "bias", LARGEST_BY_HAND)
    weights = [
        check_number(weight, f"weights[{i}]", LARGEST_BY_HAND)
        for i, weight in enumerate(check_list(fields.take("weights", []), "weights", LIMITS["hidden"]))
    ]
    states = fields.states("states", len(weights))
    n, seed = fields.whole("draws", 1, 1, LIMITS["samples"]), fields.whole("seed", 0)
    fields.end()
    drawn = draw_unit(bias, weights, states, n, seed)
    return {name: drawn[name] for name in ("logit", "p")}, {name: drawn[name] for name in ("thresholds", "states")}


def _n_and_seed(fields: Fields) -> tuple[int, int]:
    return fields.whole("n", 1, 1, LIMITS["samples"]), fields.whole("seed", 0)


def _check_enumerable(machine: Machine) -> None:
    hidden = sum(machine.layer_sizes[1:])
    if hidden > LIMITS["enumerated"]:
        raise ValueError(
            f"the machine has {hidden} hidden units; exact measures go through all states of up to "
            f"{LIMITS['enumerated']}."
        )


LOOKS: dict[str, Callable[[World, Fields], Answer]] = {
    look.__name__: look for look in (measures, fantasies, clamp, data, recognise, ledger, unit)
}
"""What can be asked about a world without changing it, by the name of the operation."""
