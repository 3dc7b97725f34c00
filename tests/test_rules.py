"""Rules of one's own that learn: the built-in rules, given as such, are the oracle."""

import pickle
from types import MappingProxyType

import numpy as np
import pytest
from numba import njit

import fastws
from chance import INTERPRETED
from fastws import rules, sweep
from fastws.checks import NotFiniteError
from fastws.rules import connection_rule
from fastws.simulation import Simulation, advance_together, load_runs, save_runs
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine
from test_own_streams import Rows

SEED = 3
N = 30
SIZES = (9, 5, 2)
X = np.random.default_rng(0).integers(0, 2, (7, 9), np.uint8)
WAKE, SLEEP = {"wake_rule": fastws.wake_update}, {"sleep_rule": fastws.sleep_update}


def new_run(stream=None, sizes=SIZES, seed=SEED, nonnegative=True, **own):
    schedule = [(20, (0.2, 0.1, 0.3)[: len(sizes)]), (N - 20, 0.1)]
    return Simulation(random_machine(sizes, seed), stream or Bars(3), schedule, nonnegative, seed, **own)


def bits_of(run):
    return parameter_bits(run.machine).tolist()


def delta_rule(weights, biases, driving, driven, rate, probabilities):
    for v in range(len(driven)):
        delta = rate * (driven[v] - probabilities[v])
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


def delta_rule_by_itself(weights, biases, driving, driven, rate):
    for v in range(len(driven)):
        a = biases[v]
        for u in range(len(driving)):
            a += driving[u] * weights[u, v]
        delta = rate * (driven[v] - 1 / (1 + np.exp(-a)))
        biases[v] += delta
        for u in range(len(driving)):
            if driving[u] == 1:
                weights[u, v] += delta


def decay(machine, states, rates):
    for array in (*machine.gen_weights, *machine.gen_biases):
        array *= np.float32(1 - rates[0] / 100)


compiled, compiled_by_itself = njit(delta_rule), njit(error_model="numpy")(delta_rule_by_itself)


def both(kernel):
    return {"wake_rule": connection_rule(kernel, "wake"), "sleep_rule": connection_rule(kernel, "sleep")}


# The same bits.


@pytest.mark.parametrize("own", [WAKE, SLEEP, WAKE | SLEEP], ids=["wake", "sleep", "both"])
@pytest.mark.parametrize("make", [lambda: Bars(3), lambda: Images(X), lambda: Rows(X)], ids=["bars", "images", "rows"])
def test_the_built_in_rules_given_as_rules_give_the_built_in_bits(make, own):
    expected = bits_of(new_run(make()).advance())
    run = new_run(make(), **own)
    for n in (0, 1, 0, 12):
        run.advance(n)
    step = run.step()
    assert (step.example, run.examples_seen) == (13, 14)
    assert bits_of(run.advance()) == expected


@pytest.mark.long
@pytest.mark.parametrize("nonnegative", [True, False])
@pytest.mark.parametrize("sizes", [(9, 3), (9, 18, 2), pytest.param((70, 65, 3), marks=pytest.mark.long)])
def test_a_compiled_delta_rule_is_the_built_in_one(sizes, nonnegative):
    stream = Images(np.random.default_rng(1).integers(0, 2, (7, sizes[0]), np.uint8))
    expected = new_run(stream, sizes, nonnegative=nonnegative).advance()
    for own in (both(compiled), {"wake_rule": connection_rule(compiled)}):
        run = new_run(stream, sizes, nonnegative=nonnegative, **own)
        run.advance(4)
        run.step()
        run.advance()
        # Each of two updates an example rounds once, and need not round what the built-in one does.
        for found, wanted in zip(run.machine.arrays().values(), expected.machine.arrays().values(), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-6 * N)


@pytest.mark.long
@pytest.mark.parametrize("kernel", [compiled, compiled_by_itself, delta_rule_by_itself], ids=["given", "own", "Python"])
def test_however_a_run_is_cut_a_rule_for_connections_gives_the_same_bits(kernel):
    one_go, cut = new_run(**both(kernel)).advance(), new_run(**both(kernel))
    assert cut.compile() > 0
    assert cut.examples_seen == 0
    for _ in range(3):
        cut.advance(5)
        cut.step()
    assert bits_of(cut.advance()) == bits_of(one_go)
    assert (one_go.machine.gen_weights[0] >= 0).all()


def test_weights_are_clipped_for_a_rule_that_does_not_do_it_itself():
    def lower(machine, states, rates):
        machine.gen_weights[0] -= np.float32(1)
        machine.gen_biases[0] -= np.float32(1)

    held, free = new_run(wake_rule=lower).advance(), new_run(nonnegative=False, wake_rule=lower).advance()
    assert held.machine.gen_weights[0].min() == 0
    assert held.machine.gen_biases[0].max() < 0
    assert free.machine.gen_weights[0].max() < 0


def test_a_rule_sees_the_states_and_rates_of_its_example():
    seen = []

    def watch(machine, states, rates):
        seen.append((states, rates))
        fastws.wake_update(machine, states, rates, nonnegative_input_weights=True)

    run, plain = new_run(wake_rule=watch), new_run()
    run.advance(2)
    for example in range(2):
        expected = plain.step()
        states, rates = seen[example]
        assert [layer.tolist() for layer in states] == [layer.tolist() for layer in expected.wake_states]
        assert {layer.dtype for layer in states} == {np.dtype(np.uint8)}
        assert rates == tuple(map(float, np.float32([0.2, 0.1, 0.3])))


# Sweeps, restarts and runs beside each other.


class OwnRuleExperiment:
    name, measure_names = "own", ("first",)
    types, defaults = MappingProxyType({}), MappingProxyType({"own": True})

    def simulation(self, settings, seed):
        return new_run(seed=seed, **(WAKE if settings["own"] else {}))

    def measures(self, simulation):
        return {"first": float(simulation.machine.gen_biases[0][0])}


def test_runs_beside_each_other_and_sweeps():
    runs = [new_run(seed=seed, **WAKE) for seed in range(10)]
    advance_together(runs)
    expected = [new_run(seed=seed).advance() for seed in range(10)]
    assert [bits_of(run) for run in runs] == [bits_of(run) for run in expected]
    table = sweep.run(OwnRuleExperiment(), {"own": [True, False]}, 2)
    assert table["error"].fillna("").tolist() == [""] * 4
    assert table["first"].tolist()[:2] == table["first"].tolist()[2:]


def test_the_best_of_restarts():
    best, expected = (fastws.best_of(lambda seed, own=own: new_run(seed=seed, **own), 2) for own in (WAKE | SLEEP, {}))
    assert bits_of(best) == bits_of(expected)


def test_a_restart_that_a_rule_lets_grow_is_given_up():
    def explode(machine, states, rates):
        machine.gen_biases[0] *= np.float32(1e20)

    run = Simulation(random_machine(SIZES), Bars(3), [(N, 0.0)], wake_rule=explode)
    with np.errstate(over="ignore"):
        with pytest.raises(NotFiniteError, match="learning went wrong"):
            run.advance()
        kept = fastws.best_of(lambda seed: new_run(seed=seed, **WAKE) if seed else run, 2)
    assert kept is not run


# Files.


@pytest.mark.parametrize("own", [WAKE, SLEEP, both(compiled)], ids=["wake", "sleep", "compiled"])
def test_a_saved_run_goes_on_with_its_rules(own, tmp_path):
    path, expected = tmp_path / "run.npz", bits_of(new_run(**own).advance())
    run = new_run(**own).advance(11)
    run.save(path)
    for what in own:
        with pytest.raises(ValueError, match=rf"cannot be loaded like that: its machine learns by a {what[:4]}"):
            Simulation.load(path, **{k: v for k, v in own.items() if k != what})
    assert bits_of(Simulation.load(path, **own).advance()) == expected
    assert bits_of(pickle.loads(pickle.dumps(run)).advance()) == expected


def test_a_rule_of_another_name_or_that_no_run_needs_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    save_runs(path, [new_run(**WAKE).advance(3), new_run()])
    runs, _ = load_runs(path, **WAKE)
    assert [bits_of(run.advance()) for run in runs] == [bits_of(new_run().advance())] * 2
    with pytest.raises(ValueError, match=r"a wake rule of your own, wake_update; the rule that is given is decay"):
        load_runs(path, wake_rule=decay)
    with pytest.raises(ValueError, match=r"learned by no sleep rule of your own, such as sleep_update. Leave that out"):
        load_runs(path, **WAKE, **SLEEP)
    with pytest.raises(ValueError, match=r"wake_rule is 3; give a function"):
        load_runs(path, wake_rule=3)


# What is wrong.


class NoRule:
    def __call__(self, machine, states, rates):
        pass


@pytest.mark.parametrize("what", ["wake_rule", "sleep_rule"])
@pytest.mark.parametrize(
    "rule", ["delta", 1.0, NoRule, lambda machine: None, lambda *, machine, states, rates: None, delta_rule_by_itself]
)
def test_what_is_no_rule_is_refused_at_once(what, rule):
    with pytest.raises(ValueError, match=rf"^{what} is .*; give a function rule\(machine.*connection_rule"):
        new_run(**{what: rule})


def test_a_rule_of_the_other_phase_and_a_stream_that_learns_itself_are_refused():
    with pytest.raises(ValueError, match=r"sleep_rule is connection_rule\(delta_rule, 'wake'\), which learns in"):
        new_run(sleep_rule=connection_rule(delta_rule, "wake"))

    class Own(Bars):
        def learn(self, *arguments):
            pass

    with pytest.raises(ValueError, match=r"the stream, a Own, has a `learn` of its own"):
        new_run(Own(3), **WAKE)


@pytest.mark.parametrize("kernel", [None, lambda weights: None, NoRule()])
def test_what_is_no_kernel_is_refused(kernel):
    with pytest.raises(ValueError, match=r"give a function kernel\(weights, biases, driving, driven, rate\)"):
        connection_rule(kernel)
    with pytest.raises(ValueError, match="phase is 'day'"):
        connection_rule(delta_rule, "day")


def nan(machine, states, rates):
    machine.gen_weights[1][0, 0] = np.nan


def functional(machine, states, rates):
    return machine.copy()


def raising(machine, states, rates):
    machine.gen_biases[0] += 1
    raise RuntimeError("no idea")


@pytest.mark.parametrize("how", ["advance", "step"])
@pytest.mark.parametrize(
    ("rule", "error", "says"),
    [
        (nan, ValueError, r"the wake rule nan failed at the first example: gen_weights\[1\]\[0, 0\] is nan"),
        (functional, ValueError, "the wake rule functional returned Machine and changed nothing"),
        (raising, RuntimeError, "no idea"),
    ],
)
def test_a_rule_that_fails_at_once_leaves_the_machine_as_it_was(rule, error, says, how):
    run = new_run(nonnegative=False, wake_rule=rule)
    before = bits_of(run)
    with pytest.raises(error, match=says) as caught:
        getattr(run, how)()
    assert not isinstance(caught.value, NotFiniteError)
    assert (run.examples_seen, bits_of(run)) == (0, before)


def test_what_interrupts_a_rule_leaves_the_run_ready_to_go_on():
    calls = []

    def interrupted(machine, states, rates):
        calls.append(0)
        if len(calls) == 10:
            machine.rec_biases[0] += 1
            raise KeyboardInterrupt
        fastws.sleep_update(machine, states, rates)

    run = new_run(sleep_rule=interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.advance()
    assert 0 < run.examples_seen < 10
    assert bits_of(run.advance()) == bits_of(new_run().advance())


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_a_kernel_that_does_not_compile_or_returns_its_result_is_refused():
    def wrong(weights, biases, driving, driven, rate):
        weights.no_such_thing()

    def functional(weights, biases, driving, driven, rate):
        return weights + rate

    with pytest.raises(ValueError, match="the wake rule wrong does not compile for float32 weights"):
        new_run(wake_rule=connection_rule(njit(wrong))).compile()
    run = new_run(nonnegative=False, wake_rule=connection_rule(njit(functional)))
    with pytest.raises(ValueError, match=r"the wake rule functional returned array\(float32, .*and changed nothing"):
        run.advance()
    with pytest.raises(ValueError, match=r"wake_rule is delta_rule\(weights.*any of Numba's"):
        new_run(wake_rule=compiled)


@pytest.mark.long
@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_a_compiled_rule_is_compiled_once_and_called_in_compiled_code(monkeypatch):
    kernel = njit(delta_rule)
    monkeypatch.setattr(rules, "_run_by_calls", None)
    for seed in range(3):
        new_run(seed=seed, **both(kernel)).advance()
    assert len(kernel.signatures) == 1


def test_a_run_says_what_it_learns_by():
    assert ", the wake rule wake_update, seed 3" in repr(new_run(**WAKE))
    assert "rule" not in repr(new_run())
