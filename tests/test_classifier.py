import itertools
import math
import pickle
import re
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

from chance import INTERPRETED
from fastws import DescriptionLengthClassifier, Machine, estimate
from fastws.classifier import SCORES, run_to_end
from fastws.simulation import load_runs, save_runs
from machines import parameter_bits
from memory import traced_memory

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from tens of thousands of images")

# scikit-learn leaves it out unless the environment asks for it.
LEFT_OUT = {"check_array_api_input"}
NOT_EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "it shuffles the rows as well, whose order decides the draws"
}


@pytest.fixture(scope="module")
def digits():
    """Return grey images and labels of the digits 0, 1 and 7, forty of each."""
    x, y = load_digits(return_X_y=True)
    chosen = np.concatenate([np.flatnonzero(y == label)[:40] for label in (0, 1, 7)])
    return x[chosen], y[chosen]


@pytest.fixture(scope="module")
def binary(digits):
    return (digits[0] > 8).astype(np.uint8), digits[1]


def small(**parameters):
    return DescriptionLengthClassifier(**{"hidden": (6, 2), "sweeps": 5, "n_runs": 3, **parameters})


def bits_of(classifier):
    return [parameter_bits(machine).tolist() for machine in classifier.machines_]


# Good standing in scikit-learn.


@pytest.mark.parametrize("threshold", [pytest.param(0.0, marks=pytest.mark.long), 0.5])
def test_estimator_checks_of_scikit_learn(threshold):
    """They use data of their own, which only a threshold makes binary."""
    results = check_estimator(
        DescriptionLengthClassifier(sweeps=5, threshold=threshold), on_skip=None, expected_failed_checks=NOT_EXPECTED
    )
    assert len(results) > 40
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= LEFT_OUT | {*NOT_EXPECTED}


def test_pipeline(digits):
    x, y = digits
    alone = small(threshold=0.5).fit(MinMaxScaler().fit_transform(x), y)
    pipeline = make_pipeline(MinMaxScaler(), small(threshold=0.5)).fit(x, y)
    np.testing.assert_array_equal(pipeline.predict(x), alone.predict(MinMaxScaler().fit_transform(x)))
    assert cross_val_score(make_pipeline(Binarizer(threshold=8), small(sweeps=20)), x, y, cv=3).mean() > 0.8


def test_grid_search_over_everything_and_score_among_it(binary):
    grid = {"score": list(SCORES), "hidden": [(4,), (6, 2)], "learning_rate": np.array([0.01, 0.05])}
    search = GridSearchCV(small(), grid, cv=2).fit(*binary)
    assert search.best_params_["score"] in SCORES
    best = search.best_estimator_
    assert best.get_params()["score"] == search.best_params_["score"]
    assert best.score(*binary) == search.score(*binary) > 0.8
    # The nets do not depend on `score`, and the three do not agree on everything.
    scores = search.cv_results_["mean_test_score"].reshape(2, 2, 3)
    assert (scores != scores[:, :, :1]).any()


@pytest.mark.parametrize("score", SCORES)
def test_parameter_and_method_of_the_same_name(binary, score):
    x, y = binary
    classifier = small(score=score).fit(x, y)
    assert classifier.get_params()["score"] == score
    assert classifier.score(x, y) == accuracy_score(y, classifier.predict(x))
    assert clone(classifier).get_params() == classifier.get_params()
    assert classifier.set_params(score="importance") is classifier
    assert classifier.get_params()["score"] == "importance"
    assert callable(classifier.score)
    assert f"score='{score}'" in repr(small(score=score)) or score == "description_length"
    assert callable(DescriptionLengthClassifier.score)


def test_clone_and_pickle(binary):
    x, y = binary
    classifier = small(score="free_energy", random_state=3).fit(x, y)
    copy = clone(classifier)
    with pytest.raises(NotFittedError):
        copy.predict(x)
    assert bits_of(copy.fit(x, y)) == bits_of(classifier)
    again = pickle.loads(pickle.dumps(classifier))
    assert bits_of(again) == bits_of(classifier)
    np.testing.assert_array_equal(again.predict_proba(x), classifier.predict_proba(x))
    assert again.score(x, y) == classifier.score(x, y)
    assert bits_of(again.partial_fit(x, y)) == bits_of(classifier.partial_fit(x, y))


def test_feature_names(binary):
    pandas = pytest.importorskip("pandas")
    x, y = binary
    frame = pandas.DataFrame(x).rename(columns="pixel {}".format)
    classifier = small().fit(frame, y)
    assert classifier.feature_names_in_.tolist() == [f"pixel {i}" for i in range(64)]
    np.testing.assert_array_equal(classifier.predict(frame), small().fit(x, y).predict(x))
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame.rename(columns={"pixel 3": "another"}))


@pytest.mark.parametrize("n_jobs", [2, 5, -1, -2, np.int64(2)])
def test_any_number_of_threads_gives_the_same_bits(binary, n_jobs):
    x, y = binary
    one = small().fit(x, y)
    several = small(n_jobs=n_jobs)
    if n_jobs == -2:
        several.n_jobs = -1
    several.fit(x, y)
    assert bits_of(several) == bits_of(one)
    np.testing.assert_array_equal(several.description_lengths_bits(x), one.description_lengths_bits(x))
    assert bits_of(several.partial_fit(x, y)) == bits_of(one.partial_fit(x, y))


@pytest.mark.parametrize(("sampling", "sweeps"), [({"n_samples": 3}, 2), ({"n_samples": 2, "recognition": "both"}, 1)])
def test_several_samples_an_image_are_those_of_a_simulation(binary, sampling, sweeps):
    x, y = binary
    classifier = small(sweeps=sweeps, **sampling)
    runs = classifier.simulations(x, y)
    assert [(run.n_samples, run.recognition) for run in runs] == [
        (sampling["n_samples"], sampling.get("recognition", "sleep"))
    ] * 3
    found = bits_of(classifier.fit(x, y))
    assert found == [parameter_bits(run.advance().machine).tolist() for run in runs]
    assert found != bits_of(small(sweeps=sweeps).fit(x, y))
    if sweeps == 1:
        assert found == bits_of(small(**sampling).partial_fit(x, y, np.unique(y)))


def test_kinds_of_arrays_give_the_same_bits(binary):
    x, y = binary
    expected = bits_of(small().fit(x, y))
    for other in (x.astype(bool), x.astype(np.float32), np.asfortranarray(x), x.astype(object), x.tolist()):
        assert bits_of(small().fit(other, y)) == expected
    for labels in (y.tolist(), y.astype(np.float64), y.astype(np.uint8)):
        assert bits_of(small().fit(x, labels)) == expected


def test_random_state(binary):
    x, y = binary
    zero = bits_of(small().fit(x, y))
    assert bits_of(small(random_state=np.int64(0)).fit(x, y)) == zero
    assert bits_of(small(random_state=1).fit(x, y)) != zero
    assert bits_of(small(random_state=None).fit(x, y)) != bits_of(small(random_state=None).fit(x, y))
    states = [bits_of(small(random_state=np.random.RandomState(5)).fit(x, y)) for _ in range(2)]
    assert states[0] == states[1] != zero
    # Each class has draws of its own: equal images make different machines.
    twins = small().fit(np.concatenate([x[:40], x[:40]]), np.repeat([0, 1], 40))
    assert bits_of(twins)[0] != bits_of(twins)[1]


# What it says.


def test_it_learns_to_tell_two_digits_apart():
    """A net a digit, twenty sweeps: at most 5 % of 177 images of fives and sixes that it has not seen."""
    x, y = load_digits(return_X_y=True)
    x, y = x[(y == 5) | (y == 6)], y[(y == 5) | (y == 6)]
    classifier = DescriptionLengthClassifier(sweeps=20, threshold=8, n_jobs=-1).fit(x[:186], y[:186])
    for score in SCORES:
        assert classifier.set_params(score=score).score(x[186:], y[186:]) >= 0.95


@pytest.mark.parametrize("score", SCORES)
def test_a_class_is_that_of_the_cheapest_description(binary, score):
    x, y = binary
    classifier = small(score=score, random_state=4).fit(x, y)
    bits = classifier.description_lengths_bits(x)
    assert bits.shape == (120, 3)
    assert bits.dtype == np.float64
    np.testing.assert_array_equal(bits, classifier.measures_bits(x)[score])
    np.testing.assert_array_equal(classifier.predict(x), classifier.classes_[bits.argmin(axis=1)])
    probabilities = classifier.predict_proba(x)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    # P(class | d) ∝ 2^-bits.
    ratios = np.log2(probabilities[:, :1] / probabilities)
    np.testing.assert_allclose(ratios, bits - bits[:, :1], atol=1e-9)


def test_probabilities_of_costs_that_no_float_holds_the_power_of():
    machines = [Machine([4, 1]), Machine([4, 1]), Machine([4, 1])]
    for machine, bias in zip(machines, (1e4, -1e4, -5e3), strict=True):
        machine.gen_biases[0][:] = bias
    classifier = small().use_machines(machines, ["a", "b", "c"])
    np.testing.assert_array_equal(classifier.predict_proba([[1, 1, 1, 1], [0, 0, 0, 0]]), [[1, 0, 0], [0, 0.5, 0.5]])
    assert np.isfinite(classifier.predict_proba([[1, 1, 1, 0]])).all()


def test_measures_are_the_estimates(binary):
    """On average: the draws are others."""
    x, y = binary
    classifier = small(n_runs=200).fit(x, y)
    functions = (estimate.description_length_bits, estimate.free_energy_bits, estimate.neg_log_prob_bits)
    for name, function in zip(SCORES, functions, strict=True):
        bits = np.column_stack([function(machine, x, 200) for machine in classifier.machines_])
        assert np.abs(classifier.measures_bits(x)[name].mean(axis=0) - bits.mean(axis=0)).max() < 0.2


@pytest.mark.parametrize("state", [1, np.random.RandomState(1)])
def test_reading_in_blocks_is_reading_at_once(binary, monkeypatch, state):
    x, y = binary
    classifier = small(sweeps=1).fit(x, y).set_params(n_runs=1, random_state=state)
    saved = pickle.dumps(classifier)
    expected = classifier.predict(x)
    monkeypatch.setattr("fastws.classifier._READ_AT_ONCE", 7)
    np.testing.assert_array_equal(pickle.loads(saved).predict(x), expected)
    assert (classifier.set_params(random_state=5).predict(x) != expected).any()


def test_more_runs_bring_less_variance(binary):
    x, y = binary
    classifier = small().fit(x, y)
    few, many = (
        np.array([classifier.set_params(n_runs=n, random_state=s).description_lengths_bits(x) for s in range(8)])
        for n in (2, 32)
    )
    assert many.var(axis=0).mean() < 0.25 * few.var(axis=0).mean()


def test_labels_are_any_text(binary):
    x, y = binary
    names = np.array(["zero", "one", "?", "?", "?", "?", "?", "seven/7"])[y]
    classifier = small(sweeps=20).fit(x, names)
    assert classifier.classes_.tolist() == ["one", "seven/7", "zero"]
    assert classifier.score(x, names) > 0.9
    assert set(classifier.predict(x)) <= set(names)


# Learning bit by bit.


def test_partial_fit_goes_on_where_it_is(binary):
    x, y = binary
    classifier = small(learning_rate=0.05)
    assert classifier.partial_fit(x, y, classes=[0, 1, 7]) is classifier
    costs = [classifier.measures_bits(x)["free_energy"][y == 0, 0].mean()]
    machines = classifier.machines_
    for _ in range(10):
        classifier.partial_fit(x, y)
        costs.append(classifier.measures_bits(x)["free_energy"][y == 0, 0].mean())
    assert costs[-1] < costs[0] - 5
    assert all(a is b for a, b in zip(machines, classifier.machines_, strict=True))
    assert classifier.score(x, y) > 0.9


def test_partial_fit_with_some_of_the_classes_leaves_the_others_alone(binary):
    x, y = binary
    classifier = small().partial_fit(x, y, classes=[0, 1, 7])
    before = bits_of(classifier)
    classifier.partial_fit(x[y == 1][:1], [1])
    after = bits_of(classifier)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    assert classifier.predict(x).shape == (120,)


def test_partial_fit_with_a_class_to_come(binary):
    x, y = binary
    classifier = small().partial_fit(x[y < 7], y[y < 7], classes=np.array([7, 1, 0, 0]))
    assert classifier.classes_.tolist() == [0, 1, 7]
    assert not any(parameter_bits(classifier.machines_[2]))
    classifier.partial_fit(x[y == 7], y[y == 7], classes=[0, 1, 7])
    assert any(parameter_bits(classifier.machines_[2]))


def test_partial_fit_calls_draw_anew(binary):
    """Or sweeps would repeat each other's draws: the orders, the representations and the fantasies."""
    x, y = binary
    calls = small()
    seeds = [tuple(calls._seeds(3, call)) for call in range(4)]
    assert len(set(itertools.chain.from_iterable(seeds))) == 12
    calls.fit(x, y).partial_fit(x, y)
    assert calls._n_calls == 2
    machines = [machine.copy() for machine in small().fit(x, y).machines_]
    again = small(random_state=0).use_machines(machines, np.unique(y)).partial_fit(x, y)
    assert bits_of(again) == bits_of(calls)
    assert again.machines_[0] is machines[0]


def test_fit_forgets_and_partial_fit_after_it_does_not(binary):
    x, y = binary
    fresh = bits_of(small().fit(x, y))
    classifier = small().partial_fit(x[:, :30], y, classes=[0, 1, 7]).fit(x, y)
    assert bits_of(classifier) == fresh
    assert classifier.n_features_in_ == 64
    assert bits_of(classifier.partial_fit(x, y)) != fresh


def test_a_call_that_fails_changes_nothing(binary):
    x, y = binary
    classifier = small()
    for wrong in ({"classes": None}, {"classes": [0, 1]}, {"classes": [7]}):
        with pytest.raises(ValueError, match="class"):
            classifier.partial_fit(x, y, **wrong)
        assert not hasattr(classifier, "machines_")
        assert not hasattr(classifier, "classes_")
    classifier.fit(x, y)
    before = bits_of(classifier)
    for wrong in ((x, np.where(y == 7, 8, y)), (x * 0.5, y)):
        with pytest.raises(ValueError, match=r"which is not among|every input unit"):
            classifier.partial_fit(*wrong)
    with pytest.raises(ValueError, match="one class only"):
        classifier.fit(x, np.zeros(120))
    assert bits_of(classifier) == before
    assert classifier.classes_.tolist() == [0, 1, 7]


def test_a_fit_that_was_interrupted_saved_and_resumed_ends_in_the_same_nets(binary, tmp_path):
    x, y = binary
    whole = small(sweeps=30).fit(x, y)
    runs = small(sweeps=30).simulations(x, y)
    runs[0].advance(77)
    runs[1].advance()
    save_runs(tmp_path / "fit.npz", runs, {"note": "from Python"})
    resumed, notes = load_runs(tmp_path / "fit.npz")
    assert notes == {"note": "from Python"}
    for run in resumed:
        run_to_end(run)(lambda seen: None)
    classifier = small(sweeps=30).use_machines([run.machine for run in resumed], np.unique(y))
    assert bits_of(classifier) == bits_of(whole)
    np.testing.assert_array_equal(classifier.description_lengths_bits(x), whole.description_lengths_bits(x))
    assert bits_of(classifier.partial_fit(x, y)) == bits_of(whole.partial_fit(x, y))


# What is refused.


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"score": "bits"}, "score is 'bits'; choose one of description_length, free_energy, importance"),
        ({"score": None}, "score is None; choose one of"),
        ({"hidden": ()}, r"hidden is \(\); give the units of each hidden layer, as in \(16, 16, 4\)"),
        ({"hidden": 16}, "hidden is 16; give the units"),
        ({"hidden": "16,4"}, "hidden is '16,4'; give the units"),
        ({"hidden": (16, 0)}, r"hidden\[1\] is 0; it must be at least 1"),
        ({"hidden": (16, 2.5)}, r"hidden\[1\] is 2.5; give a whole number"),
        ({"sweeps": 0}, "sweeps is 0; it must be at least 1"),
        ({"sweeps": 1.5}, "sweeps is 1.5; give a whole number"),
        ({"learning_rate": -0.1}, r"learning_rate\[0\] is -0.1; a learning rate is a finite number"),
        ({"learning_rate": (0.1, 0.2)}, "learning_rate has 2 learning rates; this machine has 3 levels"),
        ({"learning_rate": float("nan")}, r"learning_rate\[0\] is nan"),
        ({"random_state": -1}, "random_state is -1; it must be at least 0"),
        ({"random_state": "x"}, "'x' cannot be used to seed"),
        ({"n_samples": 0}, "n_samples is 0; it must be at least 1"),
        ({"recognition": "wake"}, "recognition is 'wake' with n_samples=1"),
        ({"n_samples": 2, "recognition": "dream"}, "recognition is 'dream'; it learns from"),
        ({"n_jobs": 0}, "n_jobs is 0; give the number of threads, or -1 for all cores"),
        ({"n_jobs": 1.5}, "n_jobs is 1.5; give a whole number"),
        ({"n_jobs": True}, "n_jobs is True; give a whole number"),
        ({"n_jobs": "2"}, "n_jobs is '2'; give a whole number"),
        ({"priors": "equal"}, "priors is 'equal'; give 'frequencies', None or a probability a class"),
        ({"priors": [0.5, 0.5]}, r"priors is \[0.5, 0.5\]; give a probability for each of 3 classes"),
        ({"priors": [0.5, 0.6, -0.1]}, "probabilities are at least 0 and sum to 1"),
        ({"priors": [0.5, 0.6, 0.1]}, "probabilities are at least 0 and sum to 1"),
        ({"priors": [0.5, 0.5, np.nan]}, "probabilities are at least 0 and sum to 1"),
        ({"priors": {0: 0.5, 1: 0.25, 7: 0.25}}, "give a probability for each of 3 classes"),
    ],
)
def test_bad_parameters(binary, parameters, message):
    x, y = binary
    with pytest.raises(ValueError, match=message):
        small(**parameters).fit(x, y)
    with pytest.raises(ValueError, match=message):
        small(**parameters).partial_fit(x, y, classes=y) if "sweeps" not in parameters else small(**parameters).fit(
            x, y
        )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"score": "bits"}, "score is 'bits'; choose one of"),
        ({"n_runs": 0}, "n_runs is 0; it must be at least 1"),
        ({"n_jobs": 0}, "n_jobs == 0 in Parallel has no meaning"),
    ],
)
def test_bad_parameters_of_reading(binary, parameters, message):
    classifier = small().fit(*binary).set_params(**parameters)
    for method in (classifier.predict, classifier.predict_proba, classifier.description_lengths_bits):
        with pytest.raises(ValueError, match=message):
            method(binary[0])


def changed(x, row, column, value):
    x = x.astype(np.float64)
    x[row, column] = value
    return x


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (changed(x, 50, 3, 0.5), y), r"X\[50, 3\] is 0.5; every input unit is 0 or 1.*threshold"),
        (lambda x, y: (changed(x, 50, 3, np.nan), y), "Input X contains NaN"),
        (lambda x, y: (changed(x, 50, 3, np.inf), y), "Input X contains infinity"),
        (lambda x, y: (x, np.zeros(120)), "y has one class only, 0.0; give images of two classes at least"),
        (lambda x, y: (x, y[:-1]), "inconsistent numbers of samples"),
        (lambda x, y: (x[:0], y[:0]), r"0 sample\(s\)"),
        (lambda x, y: (x[:, :0], y), r"0 feature\(s\)"),
        (lambda x, y: (x[0], y), "Expected 2D array"),
        (lambda x, y: (x, y + 0.5), "Unknown label type: continuous"),
        (lambda x, y: (x, np.where(y > 0, np.nan, 0)), "contains NaN"),
        (lambda x, y: (x.astype(str).astype("U3"), y), "strings"),
    ],
)
def test_bad_images_and_labels(binary, change, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*change(*binary))


def test_objects_that_are_no_numbers(binary):
    x, y = binary
    x = x.astype(object)
    x[3, 5] = {}
    with pytest.raises(TypeError, match=r"^X holds something that is not a number .*; give numbers 0 and 1"):
        small().fit(x, y)


def test_grey_images_with_a_threshold(digits):
    x, y = digits
    expected = bits_of(small().fit(x > 8, y))
    assert bits_of(small(threshold=8).fit(x, y)) == expected
    assert bits_of(small(threshold=8).fit(x.astype(np.uint8), y)) == expected
    assert bits_of(small(threshold=8).partial_fit(x, y, classes=y)) == bits_of(small().partial_fit(x > 8, y, classes=y))
    classifier = small(threshold=8).fit(x, y)
    np.testing.assert_array_equal(
        classifier.description_lengths_bits(x), small().fit(x > 8, y).description_lengths_bits(x > 8)
    )


def test_wrong_images_to_read(binary):
    x, y = binary
    classifier = small()
    with pytest.raises(NotFittedError):
        classifier.predict(x)
    classifier.fit(x, y)
    with pytest.raises(ValueError, match="63 features, but DescriptionLengthClassifier is expecting 64"):
        classifier.predict(x[:, 1:])
    with pytest.raises(ValueError, match=r"X\[0, 0\] is 0.25; every input unit is 0 or 1"):
        classifier.predict(x + 0.25)


def test_partial_fit_with_other_classes_or_pixels(binary):
    x, y = binary
    classifier = small().partial_fit(x, y, classes=[0, 1, 7])
    with pytest.raises(ValueError, match=r"classes are \[0 1 8\], but the machines are those of \[0 1 7\]"):
        classifier.partial_fit(x, y, classes=[0, 1, 8])
    with pytest.raises(ValueError, match=r"y has the class 8, which is not among the classes \[0 1 7\]"):
        classifier.partial_fit(x, np.where(y == 7, 8, y))
    with pytest.raises(ValueError, match="63 features"):
        classifier.partial_fit(x[:, 1:], y)
    with pytest.raises(ValueError, match="the first call of partial_fit needs classes"):
        small().partial_fit(x, y)


def test_machines_of_ones_own_that_do_not_fit():
    with pytest.raises(ValueError, match="there are 2 machines for 3 classes; give one a class"):
        small().use_machines([Machine([4, 1]), Machine([4, 1])], [0, 1, 2])
    with pytest.raises(ValueError, match="the machines have 4 and 5 inputs; they must agree"):
        small().use_machines([Machine([4, 1]), Machine([5, 1])], [0, 1])
    with pytest.raises(ValueError, match="classes has one class only"):
        small().use_machines([Machine([4, 1])], [0])
    classifier = small().use_machines([Machine([4, 1]), Machine([4, 3, 2])], [0, 1])
    assert classifier.predict([[0, 1, 1, 0]]).tolist() == [0]


@pytest.mark.long
@pytest.mark.parametrize("threshold", [None, 0.5])
def test_memory_stays_within_twice_the_data_and_the_machines(threshold):
    """Beside the images themselves, as NumPy counts; checks go over them in blocks of a megabyte."""
    x = np.random.default_rng(0).integers(0, 2, (2000, 8000), np.uint8)
    y = np.arange(len(x)) % 10
    classifier = DescriptionLengthClassifier((4,), sweeps=1, n_runs=1, threshold=threshold).fit(x[:100], y[:100])
    nets = [machine.net for machine in classifier.machines_]
    machines = sum(net.generative.data.nbytes + net.recognition.data.nbytes for net in nets)
    for method, arguments in ((classifier.fit, (x, y)), (classifier.predict, (x,))):
        with traced_memory() as peak_bytes:
            method(*arguments)
            assert peak_bytes() < 1.3 * x.nbytes + machines + 4e6


@pytest.mark.parametrize("threshold", [300, 16, -1, math.inf, -math.inf])
def test_a_threshold_on_the_wrong_scale_is_an_error_that_says_the_range(digits, threshold):
    x, y = digits
    for learn in (small(threshold=threshold).fit, partial(small(threshold=threshold).partial_fit, classes=y)):
        with pytest.raises(ValueError, match=r"all images are the same: .* pixel lies above .* run from 0 to 16"):
            learn(x, y)


@pytest.mark.parametrize("threshold", [math.nan, True, "8", np.float32("nan")])
def test_thresholds_that_are_none(digits, threshold):
    with pytest.raises(ValueError, match=r"the threshold is .*; give a number that pixels lie above or below"):
        small(threshold=threshold).fit(*digits)


def test_a_class_may_be_blank_and_so_may_be_what_is_read(binary):
    x, y = binary
    x = np.where((y == 7)[:, np.newaxis], 0, x)
    classifier = small().fit(x, y)
    assert (classifier.predict(np.zeros((3, 64))) == 7).all()
    classifier.partial_fit(x[y == 7], y[y == 7])
    with pytest.raises(ValueError, match="all images are the same; there is nothing to tell apart: every pixel is 0"):
        small().fit(np.zeros_like(x), y)


@pytest.mark.parametrize("rate", [1e30, 100.0])
def test_learning_that_diverges_is_an_error_that_names_the_rate(binary, rate):
    x, y = binary
    for learn in (small(learning_rate=rate).fit, partial(small(learning_rate=rate).partial_fit, classes=y)):
        with pytest.raises(ValueError, match=re.escape(f"learning diverged at the learning rate {rate:g}: after")):
            learn(x, y)
