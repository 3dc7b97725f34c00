"""The session: whatever is asked, its worlds have the bits of plain simulations, and what cannot be is a sentence."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastws import exact
from fastws.live import Session
from fastws.live.settings import LIMITS
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, OnePhase
from machines import parameter_bits

SMALL = {"size": 2, "hidden": [3, 2], "initial_bias": -1, "schedule": [[7, [0.5, 0.25, 0.125]], [9, 0.3]]}
RATES = [[0.5, 0.25, 0.125]] * 7 + [[0.3] * 3]
IMAGE = [0, 1, 1, 0]


def unpacked(reply, content):
    """Return the arrays of a reply by name."""
    return {
        place["name"]: np.frombuffer(content, place["dtype"], math.prod(place["shape"]), place["offset"]).reshape(
            place["shape"]
        )
        for place in reply["arrays"]
    }


def ask(session, op, **fields):
    """Ask as a page does, through JSON, and return the values and the arrays."""
    request = json.loads(json.dumps({"id": 7, "op": op, **fields}, allow_nan=False))
    reply, content = session.handle(request)
    json.dumps(reply, allow_nan=False)
    assert reply["id"] == 7
    assert "error" not in reply, reply["error"]
    assert reply["op"] == op
    return reply, unpacked(reply, content)


def refusal(session, request):
    reply, content = session.handle(request)
    json.dumps(reply, allow_nan=False)
    assert set(reply) == {"id", "error"}
    assert content == b""
    return reply["error"]


def new_session(seed=3, **changes):
    session = Session()
    ask(session, "reset", settings=SMALL | changes, seed=seed)
    return session


def assert_bits(arrays, machine):
    for name, array in machine.arrays().items():
        np.testing.assert_array_equal(arrays[name].view(np.uint32), array.view(np.uint32), err_msg=name)


class Model:
    """What a world should be: for each example its phases and rates, and edits before it; learned anew each time."""

    def __init__(self):
        self.seen, self.done, self.edits = 0, [], []
        self.phases, self.rates = "both", None

    def now(self):
        """Return the phases and rates in force for the next example."""
        return self.done[self.seen] if self.seen < len(self.done) else (self.phases, self.rates)

    def learn(self, n):
        for _ in range(n):
            if self.seen == len(self.done):
                self.done.append((self.phases, self.rates))
            self.seen += 1

    def cut(self, phases, rates):
        """Forget what lies ahead; from here on, these are in force."""
        del self.done[self.seen :]
        self.edits = [edit for edit in self.edits if edit[0] <= self.seen]
        self.phases, self.rates = phases, rates

    def machine(self):
        machine = Machine([4, 3, 2])
        machine.gen_biases[1][:] = -1
        for example in range(self.seen + 1):
            for at, name, level, index, value in self.edits:
                if at == example:
                    getattr(machine, name)[level][index] = value
            if example == self.seen:
                return machine
            phases, rates = self.done[example]
            rates = RATES[min(example, 7)] if rates is None else rates
            stream = Bars(2) if phases == "both" else OnePhase(Bars(2), phases)
            run = Simulation(machine, stream, [(100, rates)], True, 3)
            run._moved(machine, example).advance(1)


COUNTS = st.integers(0, 6)
CALLS = st.one_of(
    st.tuples(st.just("advance"), COUNTS, st.sampled_from(["both", "wake", "sleep", None])),
    st.tuples(st.just("at"), st.integers(0, 12)),
    st.tuples(st.just("at"), st.integers(0, 4)),
    st.tuples(st.just("step")),
    st.tuples(st.just("rates"), st.sampled_from([[0.5, 0.0, 0.25], [0.1, 0.2, 0.3]])),
    st.tuples(st.just("edit"), st.integers(0, 2), st.integers(0, 3), st.sampled_from([0.0, 1.5])),
    st.tuples(st.just("branch"), st.integers(0, 12)),
    st.tuples(st.just("restore")),
)


@pytest.mark.long
@settings(max_examples=100)
@given(st.lists(CALLS, max_size=12))
def test_any_sequence_of_requests_ends_in_the_bits_of_a_plain_simulation(calls):
    session, model, world = new_session(), Model(), "main"
    for number, (op, *words) in enumerate(calls):
        if op == "advance":
            n, phases = words
            before, rates = model.now()
            if phases is not None and phases != before:
                model.cut(phases, rates)
            ask(session, op, world=world, n=n, **({"phases": phases} if phases else {}))
            model.learn(n)
        elif op == "at":
            ask(session, op, world=world, n=words[0])
            model.learn(max(0, words[0] - model.seen))
            model.seen = words[0]
        elif op == "step":
            ask(session, op, world=world)
            model.learn(1)
        elif op == "rates":
            ask(session, op, world=world, rates=words[0])
            model.cut(model.now()[0], words[0])
        elif op == "edit":
            row, column, value = words
            ask(session, op, world=world, name="gen_weights", level=0, index=[row, column], value=value)
            model.cut(*model.now())
            model.edits.append((model.seen, "gen_weights", 0, (row, column), value))
        elif op == "branch":
            n = min(words[0], len(model.done))
            ask(session, op, world=world, to=f"branch{number}", n=n)
            world, model.seen = f"branch{number}", n
            model.cut(*model.now())
        else:
            plan = ask(session, "plan", world=world)[0]["plan"]
            world = f"restored{number}"
            ask(session, op, world=world, plan=plan)
            model.cut(*model.now())
        values, arrays = ask(session, "state", world=world)
        assert (values["example"], values["furthest"]) == (model.seen, max(model.seen, len(model.done)))
        assert_bits(arrays, model.machine())
    plan = ask(session, "plan", world=world)[0]["plan"]
    assert_bits(ask(Session(), "restore", plan=plan)[1], model.machine())


@pytest.mark.parametrize("phases", ["both", "wake", "sleep"])
def test_a_step_shows_what_it_learned_from(phases):
    session = new_session()
    _, before = ask(session, "advance", n=5, phases=phases)
    values, step = ask(session, "step")
    assert (values["example"], values["seen"], values["rates"]) == (5, 6, [0.5, 0.25, 0.125])
    _, after = ask(session, "state")
    for name in after:
        np.testing.assert_array_equal(step[name], before[name])
        np.testing.assert_array_equal(step[f"d_{name}"], after[name] - before[name])
    assert ("image" in step) == ("p_0" in step) == (phases != "sleep")
    assert ("sleep_states_0" in step) == ("q_1" in step) == (phases != "wake")
    if phases != "sleep":
        # Eq 4 of a bias: rate (s - p).
        expected = 0.25 * (step["wake_states_1"] - step["p_1"])
        np.testing.assert_allclose(step["d_gen_biases_1"], expected, atol=1e-6)
        np.testing.assert_array_equal(step["image"], step["wake_states_0"])
    if phases != "wake":
        expected = 0.5 * (step["sleep_states_1"] - step["q_0"])
        np.testing.assert_allclose(step["d_rec_biases_0"], expected, atol=1e-6)


def test_measures_are_those_of_enumeration():
    session = new_session()
    ask(session, "advance", n=30)
    machine = session.world("main").machine
    values, _ = ask(session, "measures")
    patterns, probabilities = Bars(2).distribution()
    report = exact.report(machine, patterns, probabilities)
    assert values["divergence_bits"] == report.asymmetric_divergence_bits
    assert values["free_energy_bits"] == report.free_energy_bits
    assert values["entropy_bits"] == report.data_entropy_bits
    assert len(values["labels"]) == 3


def test_a_ledger_is_equation_2_unit_by_unit():
    session = new_session()
    ask(session, "advance", n=30)
    machine = session.world("main").machine
    values, arrays = ask(session, "ledger", image=IMAGE, states=[1, 0, 1, 0, 1])
    layers = [np.array(IMAGE), np.array([1, 0, 1]), np.array([0, 1]), np.zeros(0)]
    weights = [*(w.astype(float) for w in machine.gen_weights), np.zeros((0, 2))]
    p = np.concatenate([1 / (1 + np.exp(-(layers[l + 1] @ weights[l] + machine.gen_biases[l]))) for l in range(3)])
    states = np.concatenate(layers[:3])
    np.testing.assert_allclose(arrays["p_unit"], p, rtol=1e-6)
    np.testing.assert_allclose(arrays["unit_bits"], -np.log2(np.where(states == 1, p, 1 - p)), rtol=1e-6)
    assert values["total_bits"] == pytest.approx(arrays["unit_bits"].sum())
    row = exact.representations(machine).tolist().index([1, 0, 1, 0, 1])
    surprise = -np.log2(exact.recognition_distribution(machine, IMAGE)[0][row])
    assert values["returned_bits"] == pytest.approx(surprise)
    assert values["returned_bits"] == pytest.approx(arrays["recognition_bits"].sum())


def test_recognition():
    session = new_session()
    ask(session, "advance", n=30)
    machine = session.world("main").machine
    values, arrays = ask(session, "recognise", image=IMAGE, n=20, seed=1)
    measures = exact.measures(machine, IMAGE)
    assert values["free_energy_bits"] == measures.free_energy_bits[0]
    assert arrays["samples"].shape == (20, 5)
    np.testing.assert_array_equal(
        arrays["samples"], np.concatenate(machine.representations([IMAGE] * 20, seed=1), axis=1)
    )
    assert (np.diff(arrays["posterior"]) <= 0).all()
    assert arrays["posterior"].sum() == pytest.approx(1)  # all 32 are shown
    # Eq 6: a representation is as probable as it is cheap.
    np.testing.assert_allclose(
        -np.log2(arrays["posterior"]) + values["neg_log_prob_bits"], arrays["cost_bits"], rtol=1e-9
    )
    big = new_session(hidden=[30, 1])
    assert set(ask(big, "recognise", image=IMAGE)[1]) == {"q", "samples", "reconstruction"}


def test_dreams_images_and_clamps():
    session = new_session()
    machine = session.world("main").machine
    np.testing.assert_array_equal(ask(session, "fantasies", n=9, seed=4)[1]["fantasies"], machine.fantasies(9, 4))
    np.testing.assert_array_equal(ask(session, "data", n=9, seed=4)[1]["images"], Bars(2).sample(9, 4))
    held = ask(session, "clamp", n=9, seed=4, clamp=[[2, 1, 1], [0, 0, 0]])[1]["fantasies"]
    np.testing.assert_array_equal(held, machine.fantasies(9, 4, {(2, 1): 1, (0, 0): 0}))


def test_one_unit_is_on_where_its_logit_is_above_the_threshold():
    values, arrays = ask(Session(), "unit", bias=-0.5, weights=[2.0, 1.0, 4.0], states=[1, 1, 0], draws=4096, seed=2)
    assert values["logit"] == 2.5
    assert values["p"] == pytest.approx(1 / (1 + math.exp(-2.5)), abs=1e-6)
    np.testing.assert_array_equal(arrays["states"], arrays["thresholds"] < 2.5)
    # 4096 draws: six standard deviations, a false alarm in 5e8.
    assert abs(arrays["states"].mean() - values["p"]) < 6 * math.sqrt(values["p"] * (1 - values["p"]) / 4096)
    assert ask(Session(), "unit", bias=1.5, weights=[], states=[])[0]["logit"] == 1.5


def test_recipes_have_their_schedules():
    values, _ = ask(Session(), "reset", settings={"recipe": "robust", "hidden": [8, 3, 1]})
    assert values["settings"]["initial_bias"] == -5
    assert values["settings"]["schedule"][0][1] == [0.5, 0.0, 0.0, 0.0]
    hello, _ = ask(Session(), "hello")
    assert hello["settings"]["schedule"] == [[2_000_000, [0.2, 0.001, 0.001]]]
    assert hello["limits"] == LIMITS


def test_copy_as_python_gives_the_same_bits():
    session = new_session()
    ask(session, "advance", n=20)
    ask(session, "rates", rates=[0.5, 0.0, 0.25])
    ask(session, "advance", n=4, phases="wake")
    ask(session, "edit", edits=[{"name": "gen_biases", "level": 1, "index": [2], "value": -0.1}])
    ask(session, "advance", n=3, phases="sleep")
    ask(session, "advance", n=5, phases="both")
    ask(session, "advance", n=50)
    ask(session, "at", n=31)
    text = ask(session, "python")[0]["text"]
    text += "import sys; sys.stdout.write(repr({k: v.tolist() for k, v in run.machine.arrays().items()}))\n"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = {name: array.tolist() for name, array in session.world("main").machine.arrays().items()}
    assert done.stdout.endswith(repr(expected))


def test_a_script_of_a_long_run_outlasts_its_schedule():
    session = new_session()
    ask(session, "advance", n=200)
    space = {}
    exec(ask(session, "python")[0]["text"], space)
    np.testing.assert_array_equal(parameter_bits(space["run"].machine), parameter_bits(session.world("main").machine))


WRONG = [
    ({"op": "advance", "n": -1}, "n is -1; it must be at least 0"),
    ({"op": "advance", "n": 1.5}, "n is 1.5; give a whole number"),
    ({"op": "advance", "n": True}, "n is True; give a whole number"),
    ({"op": "advance"}, "n is None; give a whole number"),
    ({"op": "advance", "n": 10**9}, "n is 1000000000; it must be at most"),
    ({"op": "advance", "n": 1, "phases": "dream"}, "phases is 'dream'; give one of both, wake, sleep"),
    ({"op": "at", "n": 10**12}, "it must be at most"),
    ({"op": "step", "path": "/etc/passwd"}, "the request has 'path', which nobody knows here"),
    ({"op": "open"}, "op is 'open'; give one of"),
    ({"op": ["hello"]}, "op is"),
    ({"op": "__init__"}, "op is '__init__'; give one of"),
    ({"op": "state", "world": ""}, "world is ''; give a name"),
    ({"op": "state", "world": {}}, "world is"),
    ({"op": "reset", "settings": {"size": 7}}, "size is 7; it must be at most 6"),
    ({"op": "reset", "settings": {"size": "4"}}, "size is '4'; give a whole number"),
    ({"op": "reset", "settings": {"hidden": [8, 10**6]}}, "hidden is"),
    ({"op": "reset", "settings": {"hidden": []}}, "hidden is"),
    ({"op": "reset", "settings": {"hidden": [1] * 9}}, "hidden is"),
    ({"op": "reset", "settings": {"p_bar": 1.5}}, "p_bar is 1.5; a probability"),
    ({"op": "reset", "settings": {"schedule": [[5, [1e9, 0, 0]]]}}, "give numbers from 0 to 100"),
    ({"op": "reset", "settings": {"schedule": [[0, 0.1]]}}, "schedule"),
    ({"op": "reset", "settings": {"schedule": 3}}, "schedule is 3"),
    ({"op": "reset", "settings": {"nonnegative": 1}}, "nonnegative is 1; give true or false"),
    ({"op": "reset", "settings": {"initial_bias": 1e300}}, "initial_bias is 1e"),
    ({"op": "reset", "settings": {"recipe": "secret"}}, "recipe is 'secret'; give one of paper, robust"),
    ({"op": "reset", "settings": {"colour": 1}}, "settings has 'colour', which nobody knows"),
    ({"op": "reset", "settings": []}, "settings is []; it has to be an object"),
    ({"op": "reset", "seed": -1}, "seed is -1"),
    ({"op": "rates", "rates": [0.1]}, "rates has 1 learning rates"),
    ({"op": "rates", "rates": [0.1, -0.1, 0.1]}, r"rates[1] is -0.1"),
    ({"op": "rates"}, "rates is None"),
    ({"op": "edit", "name": "label", "level": 0, "index": [0], "value": 1}, "name is 'label'; give one of gen_weights"),
    ({"op": "edit", "name": "gen_weights", "level": 5, "index": [0, 0], "value": 1}, "there is no gen_weights[5]"),
    ({"op": "edit", "name": "gen_weights", "level": 0, "index": [3, 0], "value": 1}, "index [3, 0] is outside"),
    ({"op": "edit", "name": "gen_weights", "level": 0, "index": [0], "value": 1}, "index [0] is outside"),
    ({"op": "edit", "name": "gen_weights", "level": 0, "index": [-1, 0], "value": 1}, "index[0] is -1"),
    ({"op": "edit", "name": "gen_weights", "level": 0, "index": [0, 0], "value": 1e30}, "value is 1e+30"),
    ({"op": "edit", "edits": [{"name": "gen_weights"}]}, "value is None"),
    ({"op": "branch", "to": "main", "n": 0}, "to is 'main'; give the name of another world"),
    ({"op": "branch", "to": "b", "n": 99}, "n is 99; it must be at most 9"),
    ({"op": "restore", "plan": {"path": [["import", 3, "os"]]}}, "which is no change that a world knows"),
    ({"op": "restore", "plan": {"path": [["phases", 5, "wake"], ["phases", 3, "both"]]}}, "it has to go ahead"),
    ({"op": "restore", "plan": {"path": [["phases", 5, "wake"]], "example": 2}}, "before what its path does"),
    ({"op": "restore", "plan": 3}, "plan is 3; it has to be an object"),
    ({"op": "fantasies", "n": 10**7}, "it must be at most 4096"),
    ({"op": "clamp", "clamp": [[9, 0, 1]]}, "clamp has (9, 0): 1"),
    ({"op": "clamp", "clamp": ["x"]}, "clamp has x"),
    ({"op": "recognise", "image": [0, 1]}, "image is [0, 1]; give 4 numbers, each 0 or 1"),
    ({"op": "ledger", "image": [0, 1, 2, 0], "states": [0] * 5}, "give 4 numbers, each 0 or 1"),
    ({"op": "unit", "bias": "1", "weights": [], "states": []}, "bias is '1'"),
    ({"op": "unit", "bias": 1, "weights": [1] * 500, "states": [1] * 500}, "weights is"),
]


@pytest.mark.parametrize(("request_", "sentence"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_what_cannot_be_is_a_sentence_and_changes_nothing(request_, sentence):
    session = new_session()
    ask(session, "advance", n=9)
    before = parameter_bits(session.world("main").machine)
    error = refusal(session, {"id": 1, **request_})
    assert sentence in error
    assert len(error) < 300
    values, _ = ask(session, "state")
    assert (values["example"], values["furthest"], values["settings"]["size"]) == (9, 9, 2)
    np.testing.assert_array_equal(parameter_bits(session.world("main").machine), before)
    assert ask(session, "plan")[0]["plan"]["path"] == []


@pytest.mark.parametrize("request_", [None, [], "hello", 3, {}, {"id": "x", "op": "hello"}, {1: 2}])
def test_what_is_no_request_is_a_sentence(request_):
    reply, _ = Session().handle(request_)
    if not (isinstance(request_, dict) and request_.get("op") == "hello"):
        assert isinstance(reply["error"], str)
    assert reply["id"] is None


def test_worlds_and_changes_are_counted():
    session = Session()
    for number in range(LIMITS["worlds"]):
        ask(session, "reset", world=str(number), settings=SMALL)
    assert "drop one first" in refusal(session, {"op": "reset", "world": "more"})
    ask(session, "drop", world="3")
    ask(session, "reset", world="more", settings=SMALL)


def test_the_same_place_changed_again_is_one_change():
    session = new_session()
    for value in (1, 2, 3):
        ask(session, "edit", name="gen_weights", level=0, index=[0, 0], value=value)
    assert ask(session, "plan")[0]["plan"]["path"] == [["edit", 0, "gen_weights", 0, [0, 0], 3.0]]
