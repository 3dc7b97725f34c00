"""Machines learn from a stream: what the kernels take for that is put together here."""

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fastws.kernels.halves import run_asleep, run_awake
from fastws.kernels.layout import LANES
from fastws.kernels.rooms import draws_of_learning, new_record, room_to_learn, room_to_learn_together
from fastws.kernels.run import run
from fastws.kernels.types import Draws, Net, Record, Room, RowsSource, Rule, Together
from fastws.kernels.whole import step
from fastws.machine import Machine, new_stacks
from fastws.randomness import Use, make_key
from fastws.softmax import check_binary_units

_ROWS_A_CALL = 4096

Seen = NDArray[np.uint64]


def learn(
    stream: Any, machines: Sequence[Machine], seeds: Sequence[int], n_examples: int, seen: Sequence[Seen], rule: Rule
) -> None:
    """Let a machine, or up to sixteen of one shape, learn from the examples after the first ``seen[0][0]`` of a stream.

    Each learns to the same bits as by itself. All have seen as many examples; the counts are kept in step.

    Raises
    ------
    ValueError
        If a stream's own `fill` leaves values other than 0 and 1, or there are several and one has softmax groups.
    """
    if len(machines) > 1:
        for machine in machines:
            check_binary_units(machine, "learning sixteen at a time")
        # The kernel always runs sixteen: the last machine is there as often as it takes.
        missing = LANES - len(machines)
        machines, seeds, seen = ([*what, *[what[-1]] * missing] for what in (machines, seeds, seen))
    net, draws, room = prepare(stream, machines, seeds)
    for source, part in sources(stream, machines[0], seeds, n_examples, seen[0]):
        run(source, net, rule, draws, room, part, tuple(seen))


def learn_one(stream: Any, machine: Machine, seed: int, seen: Seen, rule: Rule) -> Record:
    """Let a machine learn from the next example of a stream, to the same bits as by `learn`; return what it was.

    Raises
    ------
    ValueError
        As `learn`.
    """
    net, draws, room = prepare(stream, [machine], [seed])
    [(source, _)] = sources(stream, machine, [seed], 1, seen)
    record = new_record(net.sizes)
    step(source, net, rule, draws, room, record, seen)
    return record


def learn_awake(stream: Any, machine: Machine, seed: int, n_examples: int, seen: Seen, rule: Rule) -> None:
    """Let a machine do what it does in `learn`, with the same draws, but its wake steps only.

    Raises
    ------
    ValueError
        As `learn`.
    """
    net, draws, room = prepare(stream, [machine], [seed])
    for source, part in sources(stream, machine, [seed], n_examples, seen):
        run_awake(source, net, rule, draws, room, part, seen)


def learn_asleep(stream: Any, machine: Machine, seed: int, n_examples: int, seen: Seen, rule: Rule) -> None:
    """Let a machine do what it does in `learn`, with the same draws, but its sleep steps only."""
    net, draws, room = prepare(stream, [machine], [seed])
    run_asleep(net, rule, draws, room, n_examples, seen)


def least_input_weight(nonnegative: bool) -> np.float32:
    """Return the floor that the kernels hold the generative weights to the inputs to."""
    return np.float32(0 if nonnegative else -np.inf)


def _fills(stream: Any) -> bool:
    return hasattr(stream, "fill")


def prepare(
    stream: Any, machines: Sequence[Machine], seeds: Sequence[int], n_samples: int = 1
) -> tuple[Net, Draws, Room]:
    """Return what kernels take of one machine, or of sixteen, besides what its inputs are made from.

    Each input is represented `n_samples` times.
    """
    net = machines[0].net
    an_input = 0 if _fills(stream) else stream.draws_an_input
    an_example = an_input + draws_of_learning(net.sizes, n_samples)
    keys = [make_key(seed, Use.LEARNING) for seed in seeds]
    if len(machines) == 1:
        return net, Draws(keys[0], an_input, an_example), room_to_learn(net.sizes, an_example)
    draws = Draws(np.ascontiguousarray(np.stack(keys, axis=1)), an_input, an_example)
    return _net_together([machine.net for machine in machines]), draws, room_to_learn_together(net.sizes, an_example)


def _net_together(nets: Sequence[Net]) -> Net:
    first = nets[0]
    way = Together(
        first.generative._replace(data=tuple(net.generative.data for net in nets)),
        first.recognition._replace(data=tuple(net.recognition.data for net in nets)),
    )
    return Net(way, first.sizes, *new_stacks(tuple(first.sizes[:-1].tolist()), together=True))


# A source may have something to go on from, as a shuffled order: it is kept while both stream and machine are there.
_kept: WeakKeyDictionary[Any, WeakKeyDictionary[Machine, tuple[list[int], Any]]] = WeakKeyDictionary()


def _source(stream: Any, machine: Machine, seeds: Sequence[int]) -> Any:
    sources = _kept.setdefault(stream, WeakKeyDictionary())
    if machine not in sources or sources[machine][0] != list(seeds):
        sources[machine] = list(seeds), stream.source(seeds)
    return sources[machine][1]


def sources(
    stream: Any, machine: Machine, seeds: Sequence[int], n_examples: int, seen: Seen
) -> Iterator[tuple[Any, int]]:
    """Give what the next inputs are made from, and for how many examples it serves: one call of kernels each.

    Between two of them, so many have to be added to `seen`.
    """
    if not _fills(stream):
        yield _source(stream, machine, seeds), n_examples
        return
    for start in range(0, max(1, n_examples), _ROWS_A_CALL):
        part = min(_ROWS_A_CALL, n_examples - start)
        yield _filled(stream, part, int(seen[0])), part


def _filled(stream: Any, n_examples: int, first_example: int) -> RowsSource:
    rows = np.zeros((n_examples, stream.n_inputs), np.uint8)
    if n_examples > 0:
        stream.fill(rows, first_example)
        if rows.max() > 1:
            row, column = np.argwhere(rows > 1)[0]
            raise ValueError(
                f"the stream's fill left {rows[row, column]} for input {column} of example {first_example + row}; "
                "every input unit is 0 or 1."
            )
    return RowsSource(rows, np.uint64(first_example))
