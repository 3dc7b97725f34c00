import json
from contextlib import contextmanager

import numpy as np
import pytest

from chance import INTERPRETED
from fastws.cli import density as command
from fastws.cli.session import INTERRUPTED
from fastws.experiments.density import METHODS, NAMES, sets, synthetic
from fastws.experiments.density import protocol as protocol_module

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")
KEYS = {"set", "seed", "draws", "entropy_bits", "costs_bits", "sizes", "sweeps", "seconds"}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(sets, "SIZES", (60, 40, 80))
    monkeypatch.setattr(synthetic, "N_PIXELS", 20)
    monkeypatch.setattr(protocol_module, "_LEAST_DRAWN", 100)


def own_images(tmp_path, n=65):
    x = np.random.default_rng(0).random((n, 6)) < [0.1, 0.9, 0.5, 0.5, 0.2, 0.3]
    np.savez(tmp_path / "own.npz", x=x.astype(np.uint8))
    return "own.npz"


def test_the_sets_of_the_help_are_those_that_there_are():
    assert command._SETS == NAMES


def test_density_prints_a_table_beside_1996_and_writes_its_files(run, tmp_path):
    code, out, err = run("density", "--set", "mixture", "--seeds", 2, "--seed", 5)
    assert (code, err.strip()) == (0, "")
    words = ("Mixture 20⇒100: 2 draws, seed 5", "above the entropy", "36.7", "+6.2", "half a 95 % interval")
    for said in (*words, "Cheaper than the Helmholtz machine, of 2 draws: gzip in", "fastws-density/"):
        assert said in " ".join(out.split())
    assert {path.name for path in (tmp_path / "fastws-density").iterdir()} == {"gaps.png", "gaps.svg", "result.json"}


def test_density_json_is_one_object_with_a_cost_of_each_method_and_draw(run, tmp_path):
    code, out, _ = run("density", "--set", "bn", "--seeds", 2, "--json", "--out", "here")
    result = json.loads(out)
    assert code == 0
    assert set(result) == KEYS
    assert result == json.loads((tmp_path / "here" / "result.json").read_text())
    assert (result["set"], result["seed"], result["draws"]) == ("bn", 0, 2)
    assert set(result["costs_bits"]) == set(METHODS)
    for costs in (result["entropy_bits"], *result["costs_bits"].values()):
        assert len(costs) == 2
        assert all(0 < cost < 60 for cost in costs)


def test_a_set_of_unknown_entropy_and_images_of_ones_own(run, tmp_path):
    code, out, _ = run("density", "--set", own_images(tmp_path), "--seeds", 1, "--json")
    result = json.loads(out)
    assert (code, result["entropy_bits"], result["set"]) == (0, None, str(tmp_path / "own.npz"))
    code, out, _ = run("density", "--set", "own.npz", "--seeds", 1)
    assert code == 0
    assert "own.npz: one draw, seed 0" in out
    assert "1996" not in out
    assert "interval" not in out


def test_digits_are_said_to_be_other_images(run):
    code, out, _ = run("density", "--set", "digits", "--seeds", 1)
    assert code == 0
    assert "are not public; these are others" in out
    assert "39.1" in out


@contextmanager
def interrupting(label, total, already=0):
    """Stand in for the progress bar: press Ctrl-C as soon as something is done."""

    def show(count):
        if count > already:
            raise KeyboardInterrupt

    yield show


def interrupt(run, monkeypatch, *words):
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.density.progress_bar", interrupting)
        # A look after each task, so that there is one left.
        patched.setattr("fastws.experiments.density.study.side_by_side", one_by_one)
        code, _, err = run("density", *words, "--out", "a")
    assert code == INTERRUPTED
    assert "fastws resume" in err


def one_by_one(tasks, watch):
    for task in tasks:
        task(lambda _: None)
        watch()


def test_an_interrupted_study_keeps_what_was_done_and_resumes_to_the_same_result(run, monkeypatch, tmp_path):
    words = ("--set", own_images(tmp_path), "--seeds", 2)
    interrupt(run, monkeypatch, *words)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run.npz"]
    code, resumed, _ = run("resume", "a/run.npz", "--json")
    assert code == 0
    assert not (tmp_path / "a" / "run.npz").exists()
    _, alone, _ = run("density", *words, "--json", "--out", "b")
    resumed, alone = json.loads(resumed), json.loads(alone)
    for key in KEYS - {"seconds"}:
        assert resumed[key] == alone[key]


def test_other_images_than_when_the_study_began_are_refused(run, monkeypatch, tmp_path):
    interrupt(run, monkeypatch, "--set", own_images(tmp_path))
    own_images(tmp_path, 66)
    code, out, err = run("resume", "a/run.npz")
    assert (code, out) == (2, "")
    assert "other images than when the study began" in err
    assert (tmp_path / "a" / "run.npz").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--set", "soup"), "--set is soup: no such file, nor one of mixture, bn,"),
        (("--set", "bn", "--threshold", "3"), "--threshold goes with images of your own, not with --set bn"),
        (("--set", "pairs", "--label-column", "last"), "--label-column goes with images of your own"),
        (("--set", "few.npz"), "the set has 6 images; two of thirteen are held out to validate on, which leaves none"),
        (("--set", "plain.npz"), "all images are the same"),
        (("--seeds", "0"), "--seeds"),
        (("--seed", "-1"), "--seed"),
    ],
)
def test_bad_options_are_one_sentence_before_any_work(run, tmp_path, words, complaint):
    np.savez(tmp_path / "few.npz", x=np.eye(6, dtype=np.uint8))
    np.savez(tmp_path / "plain.npz", x=np.ones((60, 6), np.uint8))
    before = sorted(tmp_path.iterdir())
    code, out, err = run("density", *words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert "Traceback" not in err
    assert sorted(tmp_path.iterdir()) == before
