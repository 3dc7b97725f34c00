"""`fastws resume` on notes that are damaged: a sentence that says where, and nothing is done."""

import copy
import json

import numpy as np
import pytest

import fastws
from fastws.cli.notes import check_notes
from fastws.experiments.bars import learn, new_contest, new_run
from fastws.experiments.digits import Backprop, Baselines, Comparison, new_runs
from fastws.experiments.training import new_training
from fastws.restarts import trial_length
from fastws.simulation import save_runs

JUNK = (
    None,
    True,
    -1,
    0,
    3,
    0.5,
    1e999,
    float("nan"),
    10**400,
    "",
    "no",
    [],
    [[]],
    [0],
    [1, 2, 3, 4],
    {},
    {"curve": []},
)


def bars_state(restarts=2):
    """Return the simulations and the notes of two seeds of `fastws bars`, interrupted in their trial or after it."""
    contests = [new_contest(seed, restarts, lambda own: new_run(own, n_examples=80)) for seed in (0, 1)]
    runs = [run for contest in contests for run in contest.runs]
    learn(runs, trial_length(runs[0].simulation))
    return [run.simulation for run in runs], {
        "command": "bars",
        "recipe": "paper",
        "several": True,
        "runs": [run.notes() for run in runs],
        "contests": [(c.seed, len(c.runs), c.restarts, c.given_up) for c in contests],
    }


def digits_state():
    """Return the simulations and the notes of `fastws digits` on 9 images of three classes, at the end."""
    x = np.eye(9, 4, dtype=np.uint8)
    data = fastws.datasets.DigitData("nine", x, np.arange(9) % 3, x, np.arange(9) % 3, (2, 2))
    runs = new_runs(data, n_sweeps=3, hidden=(2,))
    for run in runs:
        run.run()
    source = {"data": "nine.npz", "threshold": None, "seed": 0, "key": None, "binarise": None, "label_column": None}
    baselines = Baselines("all", Comparison(5, 2), {"16,0.001": Backprop(0.1, 16, 0.001, 3)})
    return [run.simulation for run in runs], {
        "command": "digits",
        "source": source,
        "runs": [run.notes() for run in runs],
        "baselines": baselines.notes(),
    }


def train_state():
    """Return the simulations and the notes of `fastws train` with images held out, interrupted after two sweeps."""
    run = new_training(fastws.Machine([4, 2]), np.eye(4), [(8, 0.1)], validation=np.eye(4)[:2])
    run.simulation.advance(5)
    run.curve = [(0, 4.0, 4.0), (4, 3.5, 3.25)]
    return run.simulations(), {"command": "train", "run": run.notes(), "shape": (2, 2)}


def density_state():
    """Return the notes of two draws of `fastws density`, interrupted; it has no simulations to save."""
    ways = {"key": None, "threshold": None, "binarise": None, "label_column": None}
    found = [{"gzip": [50.5, 51.5, 0], "helmholtz 50-20": [40.0, 41.0, 30]}, {}]
    return [], {
        "command": "density",
        "settings": {"set": "own.npz", "seed": 0, "seeds": 2, **ways},
        "images": 7,
        "study": {"found": found, "seconds": 1.5},
    }


STATES = {"bars": bars_state, "density": density_state, "digits": digits_state, "train": train_state}


@pytest.fixture(scope="module", params=STATES)
def state(request):
    runs, notes = STATES[request.param]()
    return request.param, runs, json.loads(json.dumps(notes))


def places(value, path=()):
    """Yield where everything is in a value of JSON."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def damaged(notes):
    """Yield notes with one thing gone, or something else in its place, and where that is."""
    for path in places(notes):
        if not path or path == ("command",):
            continue
        for junk in (..., *JUNK):
            changed = copy.deepcopy(notes)
            at = changed
            for key in path[:-1]:
                at = at[key]
            if junk is ...:
                del at[path[-1]]
            elif type(at[path[-1]]) is type(junk) and junk == at[path[-1]]:
                continue
            else:
                at[path[-1]] = junk
            yield path, junk, changed


def test_whole_notes_pass(state):
    command, runs, notes = state
    check_notes(command, notes, runs)


def may_be(notes, path, junk):
    """Return whether notes with this value, or with none for `...`, at this place say nothing that cannot be."""
    whole = isinstance(junk, int) and not isinstance(junk, bool) and junk >= 0
    number = isinstance(junk, int | float) and not isinstance(junk, bool) and abs(junk) < 1e300
    if path[0] == "run" and "curve" in path:
        if len(path) < 4:
            return junk == [] if len(path) == 2 else junk is ...
        # The points are 0 and 4, of 5 examples: one may be another if they still follow each other.
        return number if path[-1] > 0 else whole and (junk < 4 if path[2] == 0 else 0 < junk <= 5)
    if path[0] == "baselines":
        fine = {
            "error": number and junk >= 0,
            "decay": number and junk >= 0,
            "n_sweeps": whole,
            "n_hidden": whole and junk,
        }
        fine |= {"nets": junk == {}, "n_compared": whole and junk >= 2, "n_wrong": whole and junk <= 5}
        return fine.get(path[-1], junk is ... and path[-1] == "16,0.001")
    if path[:2] == ("study", "found") and len(path) > 2:
        # What is missing is done when the study goes on.
        left_out = junk == {} if len(path) == 3 else junk is ... and len(path) == 4
        return left_out or (len(path) == 5 and (whole if path[-1] == 2 else number))
    if path[0] in ("source", "settings") and path[-1] in ("key", "label_column", "binarise"):
        return junk is None or (whole if path[-1] == "binarise" else isinstance(junk, str))
    if "curve" in path:
        # What is missing at the end is measured when the run goes on.
        last = junk is ... and len(path) == 4 and path[3] == len(notes["runs"][path[1]]["curve"]) - 1
        return last or (len(path) == 5 and path[-1] > 0 and number)
    if path[0] == "contests":
        return len(path) == 3 and path[-1] in (0, 3) and whole
    fine = {"seconds": number and junk >= 0, "threshold": junk is None or number, "data": isinstance(junk, str)}
    fine |= {"set": isinstance(junk, str), "images": whole}
    return {**fine, "seed": whole, "several": junk is True, "patience": whole and junk > 0}.get(path[-1], False)


def is_refused(command, notes, runs):
    try:
        check_notes(command, notes, runs)
    except ValueError:
        return True
    return False


def test_damaged_notes_are_a_value_error(state):
    command, runs, notes = state
    wrong = [(path, junk, changed) for path, junk, changed in damaged(notes) if not may_be(notes, path, junk)]
    assert [(path, junk) for path, junk, changed in wrong if not is_refused(command, changed, runs)] == []
    assert len(wrong) > 100 or command == "train"


@pytest.mark.parametrize("command", STATES)
def test_notes_that_go_with_other_simulations_are_a_value_error(command):
    _, notes = STATES[command]()
    others = [runs for name, new in STATES.items() for runs, _ in [new()] if name != command]
    for runs in others if command == "density" else ([], *others):
        with pytest.raises(ValueError, match=r"\w"):
            check_notes(command, json.loads(json.dumps(notes)), runs)


def test_runs_that_differ_in_more_than_seeds_are_a_value_error():
    runs, notes = bars_state()
    runs[1] = new_run(1, n_examples=90).simulation.advance(runs[0].examples_seen)
    with pytest.raises(ValueError, match="differ in more than their seeds"):
        check_notes("bars", json.loads(json.dumps(notes)), runs)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda notes: notes.pop("runs"), "the notes has no 'runs'"),
        (lambda notes: notes.update(runs=3), "runs is 3, no list"),
        (lambda notes: notes["runs"].pop(), "runs has 3 entries for 4 simulations"),
        (lambda notes: notes["runs"][1].update(curve=[["a"]]), "curve[0] is ['a'], no list of 3"),
        (lambda notes: notes["runs"][1]["curve"].pop(2), "runs[1] has a curve that is not that of 20 examples"),
        (lambda notes: notes.update(recipe="soup"), "recipe is 'soup', none of paper, robust"),
        (lambda notes: notes.update(contests=[]), "the contests are not those of 4 simulations"),
    ],
)
def test_resume_says_what_is_damaged_and_does_nothing(run, tmp_path, change, complaint):
    runs, notes = bars_state()
    notes = json.loads(json.dumps(notes))
    change(notes)
    save_runs("run.npz", runs, notes)
    code, out, err = run("resume", "run.npz")
    assert (code, out) == (2, "")
    assert f"Error: run.npz is damaged ({complaint})" in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.npz"]
