"""How long the measures of the paper take: by enumeration and by sampling."""

from functools import partial
from typing import Any

import numpy as np

import fastws
from bench.host import on_one_core, on_the_clock
from bench.race import Say
from bench.works import noisy_digits
from fastws import estimate, exact

SAMPLES = 10


def measure(n_rounds: int, quick: bool, rows: dict[str, Any], say: Say) -> None:
    """Fill in seconds, and representations a second, to be read at any time."""
    n_images = 100 if quick else 1000
    x, _ = noisy_digits(n_images)
    probabilities = np.full(n_images, 1 / n_images)
    for hidden in ((14,), (7, 7)) if quick else ((20,), (10, 10)):
        machine = _random_machine((64, *hidden))
        exact.report(machine, x[:1], [1.0])
        net = "-".join(map(str, machine.layer_sizes))
        for what, function, arguments in (
            ("all measures", exact.report, (x, probabilities)),
            ("−log P(d)", exact.neg_log_prob_bits, (x,)),
        ):
            name = f"exact, {net}, {n_images:,} images: {what}"
            row = rows[name] = {"unit": "s", "values": []}
            # Enumeration takes its time.
            for number in range(min(n_rounds, 2)):
                say(f"evaluation: {name}, round {number + 1}")
                row["values"].append(on_the_clock(partial(function, machine, *arguments))[0])

    machine = _random_machine((64, 16, 16, 4))
    x, _ = noisy_digits(10 * n_images)
    estimate.measures(machine, x[:1], SAMPLES)
    for where, clock in (("one core", on_one_core), ("all cores", on_the_clock)):
        name = f"sampled, 64-16-16-4, representations: {where}"
        row = rows[name] = {"unit": "/s", "values": []}
        for number in range(n_rounds):
            say(f"evaluation: {name}, round {number + 1} of {n_rounds}")
            seconds, _ = clock(partial(estimate.measures, machine, x, SAMPLES))
            row["values"].append(len(x) * SAMPLES / seconds)


def _random_machine(sizes: tuple[int, ...]) -> fastws.Machine:
    machine, rng = fastws.Machine(sizes), np.random.default_rng(0)
    for weights in (*machine.gen_weights, *machine.rec_weights):
        weights[:] = rng.normal(0, 0.5, weights.shape)
    return machine
