"""One phase without the other: by the kernel, and by hand with the public steps."""

import numpy as np
import pytest

import fastws
from fastws import learning
from fastws.history import branch
from fastws.simulation import Simulation
from fastws.streams import Bars, Images, OnePhase
from machines import parameter_bits, random_machine

RATES = (0.3, 0.1, 0.2)
STREAMS = {
    "bars": lambda: Bars(3),
    "images": lambda: Images(np.random.default_rng(0).integers(0, 2, (7, 9))),
}


@pytest.mark.parametrize("kind", sorted(STREAMS))
@pytest.mark.parametrize("phase", ["wake", "sleep"])
def test_what_one_phase_learns_is_what_its_updates_do(kind, phase):
    stream = STREAMS[kind]()
    run = Simulation(random_machine([9, 5, 2]), OnePhase(stream, phase), [(40, RATES)], True, 3)
    by_hand = random_machine([9, 5, 2])
    by_hand.clip_input_weights()
    for _ in range(40):
        # Rates of 0 show what would be drawn.
        there = Simulation(by_hand, stream, [(41, 0.0)], False, 3)._moved(by_hand, run.examples_seen)
        step = there.step()
        if phase == "wake":
            fastws.wake_update(by_hand, step.wake_states, RATES, nonnegative_input_weights=True)
        else:
            fastws.sleep_update(by_hand, step.sleep_states, RATES)
        run.advance(1)
        np.testing.assert_array_equal(parameter_bits(run.machine), parameter_bits(by_hand))
    again = Simulation(random_machine([9, 5, 2]), OnePhase(stream, phase), [(40, RATES)], True, 3).advance()
    np.testing.assert_array_equal(parameter_bits(again.machine), parameter_bits(by_hand))


@pytest.mark.parametrize(("phase", "frozen"), [("wake", "rec"), ("sleep", "gen")])
def test_the_other_half_is_frozen(phase, frozen):
    before = random_machine([9, 5, 2])
    run = Simulation(before.copy(), OnePhase(Bars(3), phase), [(100, RATES)]).advance()
    for name, array in run.machine.arrays().items():
        same = np.array_equal(array, before.arrays()[name])
        assert same == name.startswith(frozen), name


class Rows:
    n_inputs = 9

    def fill(self, rows, first_example):
        rows[...] = (first_example + np.arange(len(rows))[:, np.newaxis] + np.arange(9)) % 3 == 0


def test_rows_of_ones_own(monkeypatch):
    monkeypatch.setattr(learning, "_ROWS_A_CALL", 16)
    run = Simulation(random_machine([9, 5, 2]), OnePhase(Rows(), "wake"), [(60, RATES)])
    parts = Simulation(random_machine([9, 5, 2]), OnePhase(Rows(), "wake"), [(60, RATES)])
    for n in (1, 17, 42):
        parts.advance(n)
    np.testing.assert_array_equal(parameter_bits(run.advance().machine), parameter_bits(parts.machine))


def test_errors():
    with pytest.raises(ValueError, match="phase is 'dream'; give one of 'wake', 'sleep'"):
        OnePhase(Bars(), "dream")
    with pytest.raises(ValueError, match="which does both phases"):
        OnePhase(OnePhase(Bars(), "wake"), "sleep")
    with pytest.raises(ValueError, match="the stream is of type str"):
        OnePhase("bars", "wake")
    run = Simulation(random_machine([16, 3]), OnePhase(Bars(), "wake"), [(9, 0.1)])
    with pytest.raises(ValueError, match=r"Use advance\(1\)"):
        run.step()
    assert branch(run, stream=Bars()).step().example == 0
