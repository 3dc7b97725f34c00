import json
import math
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from scipy import stats

import fastws
from chance import INTERPRETED
from fastws.cli import session
from fastws.cli.words import image_shape, layer_sizes, numbers
from fastws.files import save_arrays
from machines import parameter_bits, random_machine

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

TRAIN_KEYS = {"seed", "layer_sizes", "examples", "n_samples", "recognition"} | {
    *("free_energy_bits", "seconds", "compile_seconds")
}
TRAIN_FILES = {"machine.npz", "result.json"} | {
    f"{picture}.{suffix}" for picture in ("learning-curve", "fantasies") for suffix in ("png", "svg")
}
MEASURES = ("description_length_bits", "free_energy_bits", "neg_log_prob_bits")
EVALUATE_KEYS = {*MEASURES, "n_images", "exact", "half_intervals", "bounds"}
X = fastws.Bars(3).sample(40)


@pytest.fixture(autouse=True)
def some_files(run):
    """Put some files where the commands run."""
    np.savez("x.npz", x=X, x_test=X[:7])
    np.save("x.npy", X)
    random_machine([9, 5, 2], seed=1).save("small.npz")
    random_machine([9, 18, 3], seed=1).save("large.npz")


FILES = {"x.npz", "x.npy", "small.npz", "large.npz"}


def files_in(folder):
    return {path.name for path in folder.iterdir()}


def assert_refused(run, folder, words, complaint):
    before = files_in(folder)
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    assert files_in(folder) == before


# train


def test_train_learns_what_the_options_say(run, tmp_path):
    words = ("--layers", "9,4,2", "--rates", "0.2,0.01,0.05", "--sweeps", 30, "--nonnegative", "--seed", 5)
    code, out, _ = run("train", "--data", "x.npz", *words, "--json", "--out", "here")
    assert code == 0
    result = json.loads(out)
    assert set(result) == TRAIN_KEYS
    assert (result["seed"], result["layer_sizes"], result["examples"]) == (5, [9, 4, 2], 1200)
    assert result == json.loads((tmp_path / "here" / "result.json").read_text())
    assert files_in(tmp_path / "here") == TRAIN_FILES
    machine, schedule = fastws.Machine([9, 4, 2]), [(1200, (0.2, 0.01, 0.05))]
    fastws.Simulation(machine, fastws.Images(X), schedule, nonnegative_input_weights=True, seed=5).advance()
    saved = fastws.Machine.load("here/machine.npz")
    np.testing.assert_array_equal(parameter_bits(saved), parameter_bits(machine))
    assert result["free_energy_bits"] == fastws.estimate.free_energy_bits(machine, X).mean()


def test_train_prints_a_table(run, tmp_path):
    code, out, _ = run("train", "--data", "x.npy", "--layers", "9,4")
    assert code == 0
    for words in ("Machine([9, 4]), seed 0", "4,000", "free energy of a training image", "bits of 9", "fastws-train/"):
        assert words in out
    assert files_in(tmp_path) == FILES | {"fastws-train"}


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "bool.npy", "train.npz", "three.npz", "grey.npy"])
def test_train_reads_any_kind_of_file(run, name):
    np.save("bool.npy", X.astype(bool))
    np.savez("train.npz", x_train=X, x=X[:3])
    np.savez_compressed("three.npz", x=X.reshape(-1, 3, 3).astype(float))
    np.save("grey.npy", X * 100 + 30)
    words = ("--threshold", 99) if name == "grey.npy" else ()
    code, _, err = run("train", "--data", name, "--layers", "9,4", "--sweeps", 3, *words)
    assert code == 0, err
    machine = fastws.Machine([9, 4])
    fastws.Simulation(machine, fastws.Images(X), [(120, 0.01)]).advance()
    np.testing.assert_array_equal(
        parameter_bits(fastws.Machine.load("fastws-train/machine.npz")), parameter_bits(machine)
    )


def test_train_leaves_a_npy_file_on_disk(run, monkeypatch):
    seen = []

    class Watched(fastws.Images):
        def __init__(self, x):
            super().__init__(x)
            base = self.x
            while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
                base = base.base
            seen.append(base)

    monkeypatch.setattr("fastws.streams.Images", Watched)
    assert run("train", "--data", "x.npy", "--layers", "9,4", "--sweeps", 1)[0] == 0
    assert seen[0].filename.name == "x.npy"  # a copy of a mapped array has none


@contextmanager
def interrupting(label, total, already=0):
    """Stand in for the progress bar: press Ctrl-C as soon as something was learned."""

    def show(count):
        if count > already:
            raise KeyboardInterrupt

    yield show


def test_an_interrupted_training_resumes_to_the_same_machine(run, monkeypatch, tmp_path):
    words = ("--data", "x.npy", "--layers", "9,20,4", "--sweeps", 20_000)
    monkeypatch.setattr("fastws.threads._SECONDS_A_LOOK", 0.01)
    with monkeypatch.context() as patched:
        patched.setattr("fastws.cli.session.progress_bar", interrupting)
        code, out, err = run("train", *words, "--out", "a")
    assert (code, out) == (session.INTERRUPTED, "")
    assert "fastws resume a" in err
    assert files_in(tmp_path / "a") == {"run.npz"}
    [unfinished], _ = fastws.simulation.load_runs("a/run.npz")
    assert 0 < unfinished.examples_seen < unfinished.total_examples
    code, out, _ = run("resume", "a/run.npz", "--json")
    assert code == 0
    resumed, alone = json.loads(out), json.loads(run("train", *words, "--json", "--out", "b")[1])
    for key in TRAIN_KEYS - {"seconds", "compile_seconds"}:
        assert resumed[key] == alone[key]
    nets = [fastws.Machine.load(f"{folder}/machine.npz") for folder in "ab"]
    np.testing.assert_array_equal(*map(parameter_bits, nets))
    assert files_in(tmp_path / "a") == TRAIN_FILES


GOOD = {"--data": "x.npy", "--layers": "9,4"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"--layers": "8,4"}, "--layers begins with 8 input units; the images have 9 pixels"),
        ({"--layers": "9"}, "layer_sizes has 1 layer(s)"),
        ({"--layers": "9,x"}, "--layers is '9,x'; give whole numbers of at least 1 with commas, as in 64,16,16,4"),
        ({"--layers": ""}, "--layers is ''; give whole numbers"),
        ({"--layers": "9,²"}, "--layers is '9,²'; give whole numbers"),
        ({"--rates": "0.1,0.2,0.3"}, "--rates has 3 learning rates; this machine has 2 levels"),
        ({"--rates": "fast"}, "--rates is 'fast'; give numbers with commas between them"),
        ({"--rates": "-0.1"}, "--rates[0] is -0.1; a learning rate is a finite number"),
        ({"--rates": "nan"}, "--rates[0] is nan"),
        ({"--rates": "0.1,inf"}, "--rates[1] is inf"),
        ({"--sweeps": "0"}, "--sweeps"),
        ({"--seed": "-1"}, "--seed"),
        ({"--data": "nowhere.npz"}, "nowhere.npz"),
        ({"--data": "small.npz"}, "small.npz has no array named x_train or x; it has metadata, gen_weights_0"),
        ({"--data": "."}, "directory"),
        ({"--threshold": "nan"}, "the threshold is nan"),
        ({"--data": None}, "--data"),
        ({"--layers": None}, "--layers"),
        ({"--out": "x.npy"}, "cannot write into the folder x.npy"),
    ],
)
def test_train_refuses(run, tmp_path, changes, complaint):
    options = {**GOOD, **changes}
    words = [word for option, value in options.items() if value is not None for word in (option, value)]
    assert_refused(run, tmp_path, ("train", *words), complaint)


@pytest.mark.parametrize(
    ("array", "complaint"),
    [
        (np.full((3, 9), 0.5), "x[0, 0] is 0.5; every input unit is 0 or 1. Threshold grey images first"),
        (np.where(X, np.nan, 0), "x has NaN among its pixels"),
        (X[:0], "x is empty"),
        (X.astype(str), "x holds <U"),
        (np.array([{}, {}], dtype=object), "bad.npy holds Python objects"),
    ],
)
def test_train_refuses_bad_arrays(run, tmp_path, array, complaint):
    np.save("bad.npy", array)
    assert_refused(run, tmp_path, ("train", "--data", "bad.npy", "--layers", "9,4"), complaint)


# evaluate


def test_evaluate_a_small_machine_exactly(run, tmp_path):
    code, out, err = run("evaluate", "small.npz", "x.npz", "--json")
    assert (code, err) == (0, "")
    result, machine = json.loads(out), fastws.Machine.load("small.npz")
    assert set(result) == EVALUATE_KEYS
    assert (result["exact"], result["n_images"], result["bounds"]) == (True, 7, [])  # x_test comes before x
    for key in ("description_length_bits", "free_energy_bits", "neg_log_prob_bits"):
        assert result[key] == pytest.approx(getattr(fastws.exact, key)(machine, X[:7]).mean(), rel=1e-12)
    assert files_in(tmp_path) == FILES


def test_evaluate_a_large_machine_by_sampling(run):
    code, out, _ = run("evaluate", "large.npz", "x.npy", "--samples", 30, "--seed", 4, "--json")
    assert code == 0
    result, machine = json.loads(out), fastws.Machine.load("large.npz")
    assert (result["exact"], result["n_images"]) == (False, 40)
    for key in ("description_length_bits", "free_energy_bits", "neg_log_prob_bits"):
        assert result[key] == getattr(fastws.estimate, key)(machine, X, 30, 4).mean()


def half_interval(values):
    """Return half of Student's 95 % interval of the mean of 40 values; SciPy's own is another way to it."""
    low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    return pytest.approx((high - low) / 2, rel=1e-9)


def test_evaluate_says_how_sure_each_mean_is(run):
    sampled = partial(fastws.estimate.measures, n_samples=100)
    for model, by in (("small.npz", fastws.exact.measures), ("large.npz", sampled)):
        result = json.loads(run("evaluate", model, "x.npy", "--json")[1])
        found = by(fastws.Machine.load(model), X)
        assert set(result["half_intervals"]) == set(MEASURES)
        for name, half in result["half_intervals"].items():
            assert half == half_interval(getattr(found, name))
    np.save("one.npy", X[:1])
    result = json.loads(run("evaluate", "small.npz", "one.npy", "--json")[1])
    assert set(result["half_intervals"].values()) == {None}
    assert "±" not in run("evaluate", "small.npz", "one.npy")[1]


def test_evaluate_gives_a_bound_by_each_number_of_samples(run):
    code, out, _ = run("evaluate", "large.npz", "x.npy", "--samples", "100, 1,10,1", "--json")
    assert code == 0
    result, machine = json.loads(out), fastws.Machine.load("large.npz")
    assert [bound["n_samples"] for bound in result["bounds"]] == [1, 10, 100]
    for bound in result["bounds"]:
        n = bound["n_samples"]
        bits = fastws.estimate.neg_log_prob_bits(machine, X, n)
        assert bound == {"n_samples": n, "bits": bits.mean(), "half_interval_bits": half_interval(bits)}
    assert result["neg_log_prob_bits"] == result["bounds"][-1]["bits"]
    code, out, _ = run("evaluate", "large.npz", "x.npy", "--samples", "1000,10")
    text = " ".join(out.split())
    assert "by 1,000 representations drawn an image" in text
    assert "an upper bound by 10 weighted" in text
    assert "an upper bound by 1,000 weighted" in text


def test_both_ways_of_evaluating_agree(run, monkeypatch):
    """Of 40 images, 300 draws each, the mean is within 0.5 bits: ten standard errors."""
    exactly = json.loads(run("evaluate", "small.npz", "x.npy", "--json")[1])
    monkeypatch.setattr("fastws.exact.is_enumerable", lambda machine: False)
    sampled = json.loads(run("evaluate", "small.npz", "x.npy", "--samples", 300, "--json")[1])
    assert (exactly["exact"], sampled["exact"]) == (True, False)
    assert sampled["description_length_bits"] == pytest.approx(exactly["description_length_bits"], abs=0.5)
    assert sampled["free_energy_bits"] == pytest.approx(exactly["free_energy_bits"], abs=0.5)
    assert exactly["neg_log_prob_bits"] < sampled["neg_log_prob_bits"] < exactly["free_energy_bits"]


def test_evaluate_prints_a_table(run):
    code, out, _ = run("evaluate", "small.npz", "x.npy")
    text = " ".join(out.split())
    assert code == 0
    for words in ("Machine([9, 5, 2]) on 40 images of 9 pixels, exactly", "Eq 3", "Eq 5", "-log2 P(d)"):
        assert words in text
    _, out, _ = run("evaluate", "large.npz", "x.npy", "--samples", 5)
    text = " ".join(out.split())
    assert "by 5 representations drawn an image" in text
    assert "an upper bound by importance weighting" in text


def test_evaluate_grey_images_with_a_threshold(run):
    np.save("grey.npy", X * 0.5 + 0.2)
    grey = run("evaluate", "small.npz", "grey.npy", "--threshold", 0.3, "--json")
    assert grey == run("evaluate", "small.npz", "x.npy", "--json")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("small.npz", "wide.npy"), "x has 10 columns; the input layer has 9 units"),
        (("large.npz", "wide.npy"), "x has 10 columns; the input layer has 9 units"),
        (("small.npz", "grey.npy"), "x[0, 0] is 0.25; every input unit is 0 or 1"),
        (("x.npz", "x.npz"), "x.npz is not a fastws machine file"),
        (("small.npz", "small.npz"), "small.npz has no array named x_test or x or x_train"),
        (("nowhere.npz", "x.npz"), "nowhere.npz"),
        (("small.npz", "nowhere.npz"), "nowhere.npz"),
        (("small.npz",), "DATA"),
        (("small.npz", "x.npz", "--samples", "0"), "--samples is '0'; give whole numbers of at least 1"),
        (("large.npz", "x.npz", "--samples", "10,,1"), "--samples is '10,,1'"),
        (("large.npz", "x.npz", "--samples", "1e3"), "as in 1,10,100."),
        (("small.npz", "x.npz", "--seed", "-1"), "--seed"),
        (("nan.npz", "x.npz"), "nan.npz is damaged: gen_biases[1][0] is nan; every parameter has to be finite"),
        (("large-nan.npz", "x.npz"), "finite"),
    ],
)
def test_evaluate_refuses(run, tmp_path, words, complaint):
    np.save("wide.npy", np.ones((3, 10)))
    np.save("grey.npy", np.full((3, 9), 0.25))
    for name, sizes in (("nan.npz", [9, 2]), ("large-nan.npz", [9, 30])):
        arrays = fastws.Machine(sizes).arrays()
        arrays["gen_biases_1"][0] = math.nan
        save_arrays(name, "fastws machine", {"layer_sizes": sizes}, arrays)
    assert_refused(run, tmp_path, ("evaluate", *words), complaint)


# fantasies and show


def test_fantasies(run, tmp_path):
    code, out, _ = run("fantasies", "small.npz", "-n", 10, "--seed", 3)
    assert code == 0
    assert "10 fantasies of Machine([9, 5, 2])." in out
    names = {"fantasies.npz", "fantasies.png", "fantasies.svg", "result.json"}
    assert files_in(tmp_path / "fastws-fantasies") == names
    with np.load("fastws-fantasies/fantasies.npz") as content:
        np.testing.assert_array_equal(content["x"], fastws.Machine.load("small.npz").fantasies(10, 3))
        assert content["shape"].tolist() == [3, 3]
    # They are data like any other.
    assert run("evaluate", "small.npz", "fastws-fantasies/fantasies.npz")[0] == 0


def test_shape_of_fantasies(run, tmp_path):
    for shape, expected in (("1x9", [1, 9]), ("9X1", [9, 1]), (" 3 x 3 ", [3, 3])):
        code, out, _ = run("fantasies", "small.npz", "-n", 2, "--shape", shape, "--json", "--out", "there")
        assert (code, json.loads(out)) == (0, {"n": 2, "seed": 0})
        with np.load("there/fantasies.npz") as content:
            assert content["shape"].tolist() == expected


def test_show(run, tmp_path):
    code, out, _ = run("show", "small.npz")
    assert code == 0
    assert "The generative weights of Machine([9, 5, 2])." in out
    assert files_in(tmp_path / "fastws-show") == {"weights.png", "weights.svg", "result.json"}
    code, out, _ = run("show", "small.npz", "--shape", "1x9", "--json", "--out", "there")
    assert (code, json.loads(out)) == (0, {"layer_sizes": [9, 5, 2]})
    different = [(tmp_path / folder / "weights.png").read_bytes() for folder in ("fastws-show", "there")]
    assert different[0] != different[1]


@pytest.mark.parametrize("command", ["fantasies", "show"])
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("small.npz", "--shape", "2x4"), "images of 2 x 4 do not have 9 pixels"),
        (("small.npz", "--shape", "0x9"), "images of 0 x 9 do not have 9 pixels"),
        (("small.npz", "--shape", "9"), "--shape is '9'; give height x width, as in 8x8"),
        (("small.npz", "--shape", "3x3x1"), "--shape is '3x3x1'"),
        (("small.npz", "--shape", "-3x-3"), "--shape is '-3x-3'"),
        (("small.npz", "--shape", "axb"), "--shape is 'axb'"),
        (("x.npz",), "x.npz is not a fastws machine file"),
        (("x.npy",), "x.npy is not a fastws machine file"),
        (("nowhere.npz",), "nowhere.npz"),
        (("small.npz", "--out", "x.npy"), "cannot write into the folder x.npy"),
        ((), "MODEL"),
    ],
)
def test_pictures_are_refused(run, tmp_path, command, words, complaint):
    assert_refused(run, tmp_path, (command, *words), complaint)


@pytest.mark.parametrize("words", [("-n", "0"), ("-n", "x"), ("--seed", "-1")])
def test_fantasies_refuses_numbers(run, tmp_path, words):
    assert_refused(run, tmp_path, ("fantasies", "small.npz", *words), words[0])


# Words.


def test_lists_of_numbers():
    assert numbers("0.2, 1e-3,1", "--rates") == [0.2, 1e-3, 1.0]
    assert layer_sizes("64, 16,4", "--layers") == [64, 16, 4]
    assert image_shape(None, 12) == (1, 12)
    with pytest.raises(ValueError, match=r"^--layers is '64,,4'; give whole numbers"):
        layer_sizes("64,,4", "--layers")
