import math
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer
from sklearn.utils.estimator_checks import check_estimator

import naive
from chance import INTERPRETED
from fastws import Bars, HelmholtzMachine, estimate
from machines import parameter_bits, random_machine

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from thousands of images")

# scikit-learn leaves it out unless the environment asks for it.
LEFT_OUT = {"check_array_api_input"}
SIZES = [9, 5, 3, 2]


@pytest.fixture(scope="module")
def bars():
    return Bars(3, p_bar=0.4).sample(60)


def small(**parameters):
    return HelmholtzMachine(**{"hidden": (5, 3, 2), "sweeps": 3, "learning_rate": 0.1, **parameters})


@pytest.fixture
def fitted(bars):
    """Return a transformer whose machine has parameters that differ from each other."""
    transformer = small().fit(bars)
    source = random_machine(SIZES)
    for name in ("gen_weights", "gen_biases", "rec_weights", "rec_biases"):
        setattr(transformer.machine_, name, getattr(source, name))
    return transformer


# Good standing in scikit-learn.


@pytest.mark.parametrize(("threshold", "layer"), [pytest.param(0.0, "all", marks=pytest.mark.long), (0.5, 2)])
def test_estimator_checks_of_scikit_learn(threshold, layer):
    """They use data of their own, which only a threshold makes binary."""
    estimator = HelmholtzMachine((4, 2), layer, sweeps=2, threshold=threshold)
    results = check_estimator(estimator, on_skip=None)
    assert len(results) > 40
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= LEFT_OUT


def test_clone_and_pickle(bars):
    transformer = small(random_state=3).fit(bars)
    with pytest.raises(NotFittedError):
        clone(transformer).transform(bars)
    copy = clone(transformer).fit(bars)
    np.testing.assert_array_equal(parameter_bits(copy.machine_), parameter_bits(transformer.machine_))
    again = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(again.score_samples(bars), transformer.score_samples(bars))
    again.partial_fit(bars)
    transformer.partial_fit(bars)
    np.testing.assert_array_equal(parameter_bits(again.machine_), parameter_bits(transformer.machine_))


def test_pipeline_and_search(bars):
    grey, y = bars * 0.6 + 0.1, bars[:, 0]
    pipeline = make_pipeline(Binarizer(threshold=0.5), small(), LogisticRegression())
    assert pipeline.fit(grey, y).predict(grey).shape == (60,)
    direct = small().fit(bars)
    np.testing.assert_array_equal(pipeline[:-1].transform(grey), direct.transform(bars))
    np.testing.assert_array_equal(small(threshold=0.5).fit(grey).transform(grey), direct.transform(bars))
    search = GridSearchCV(small(), {"hidden": [(2,), (5,)], "layer": [1]}, cv=2).fit(bars)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max() < 0


def test_output_as_frames(bars):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(bars).rename(columns="pixel {}".format)
    transformer = small(layer=2).set_output(transform="pandas").fit(frame)
    assert transformer.feature_names_in_.tolist() == [f"pixel {i}" for i in range(9)]
    shown = transformer.transform(frame)
    assert shown.columns.tolist() == [f"helmholtzmachine{i}" for i in range(3)]
    np.testing.assert_array_equal(shown, small(layer=2).fit(bars).transform(bars))


# What it says.


def logistic(a):
    return 1 / (1 + math.exp(-a))


def upwards(machine, image):
    """Return the probabilities of each hidden layer of one image, unit by unit."""
    layers, lower = [], list(map(float, image))
    for weights, biases in zip(machine.rec_weights, machine.rec_biases, strict=True):
        lower = [
            logistic(float(biases[v]) + sum(s * float(weights[u, v]) for u, s in enumerate(lower)))
            for v in range(len(biases))
        ]
        layers.append(lower)
    return layers


def test_transform_is_the_chain_of_recognition_probabilities(fitted, bars):
    expected = [upwards(fitted.machine_, image) for image in bars[:7]]
    everything = fitted.transform(bars[:7])
    np.testing.assert_allclose(everything, [np.concatenate(layers) for layers in expected], rtol=1e-12)
    for layer in (1, 2, np.int64(3)):
        fitted.set_params(layer=layer)
        np.testing.assert_allclose(fitted.transform(bars[:7]), [layers[layer - 1] for layers in expected], rtol=1e-12)
        assert fitted.get_feature_names_out().shape == (SIZES[layer],)
    np.testing.assert_array_equal(fitted.transform(bars), fitted.transform(bars))


@pytest.mark.parametrize("layer", ["all", 1, 2, 3])
def test_inverse_transform_goes_down_as_it_went_up(fitted, bars, layer):
    fitted.set_params(layer=layer)
    units = fitted.transform(bars[:5])
    found = fitted.inverse_transform(units)
    assert found.shape == (5, 9)
    start = 1 if layer == "all" else layer
    for row, pixels in zip(units, found, strict=True):
        upper = list(row[: SIZES[start]])
        for level in reversed(range(start)):
            weights, biases = fitted.machine_.gen_weights[level], fitted.machine_.gen_biases[level]
            upper = [
                logistic(float(biases[v]) + sum(s * float(weights[u, v]) for u, s in enumerate(upper)))
                for v in range(len(biases))
            ]
        np.testing.assert_allclose(pixels, upper, rtol=1e-12)
    for wrong, message in (
        (units[:, 1:], f"^X has {units.shape[1] - 1} columns; transform returns {units.shape[1]}"),
        (units + 1, r"^X has values from .* to .*; give probabilities"),
        (np.ma.masked_array(units, units > 0.5), "^X is a masked array"),
        (units * np.nan, "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            fitted.inverse_transform(wrong)


def test_scores_are_minus_the_free_energy_in_nats(fitted, bars):
    """Of enumeration by the standard library; ten hidden units are few enough for it to be exact."""
    found = fitted.score_samples(bars[:4])
    expected = [-naive.free_energy_bits(fitted.machine_, image) * math.log(2) for image in bars[:4]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert fitted.score(bars[:4]) == found.mean()


def test_scores_of_larger_machines_are_estimates_that_do_not_change(bars):
    transformer = small(hidden=(12, 6), n_runs=4000, random_state=None, n_jobs=2).fit(bars)
    found = transformer.score_samples(bars)
    exact_of_many = -estimate.free_energy_bits(transformer.machine_, bars, 4000, seed=8) * np.log(2)
    np.testing.assert_allclose(found, exact_of_many, atol=0.5)
    np.testing.assert_array_equal(transformer.score_samples(bars[::-1]), found[::-1])
    np.testing.assert_array_equal(transformer.set_params(n_jobs=None).score_samples(bars), found)
    assert (transformer.set_params(random_state=1).score_samples(bars) != found).any()


def test_learning_raises_the_score(bars):
    transformer = small(hidden=(8,)).partial_fit(bars)
    before = transformer.score(bars)
    for _ in range(60):
        transformer.partial_fit(bars)
    assert transformer.score(bars) > before + 0.5
    assert transformer._n_calls == 61


def test_partial_fit_goes_on_and_fit_forgets(bars):
    one = small(sweeps=1).fit(bars)
    other = small().partial_fit(bars)
    np.testing.assert_array_equal(parameter_bits(one.machine_), parameter_bits(other.machine_))
    other.partial_fit(bars)
    assert (parameter_bits(one.machine_) != parameter_bits(other.machine_)).any()
    np.testing.assert_array_equal(parameter_bits(other.fit(bars).machine_), parameter_bits(small().fit(bars).machine_))


def test_samples(fitted):
    found = fitted.sample(50)
    assert (found.shape, found.dtype) == ((50, 9), np.uint8)
    np.testing.assert_array_equal(fitted.sample(50), found)
    np.testing.assert_array_equal(fitted.sample(50, 7), fitted.machine_.fantasies(50, 7))
    assert (fitted.sample(50, 7) != found).any()
    for new in (np.random.RandomState, np.random.default_rng):
        state = new(0)
        first = fitted.sample(50, state)
        assert (fitted.sample(50, state) != first).any()
        np.testing.assert_array_equal(fitted.sample(50, new(0)), first)
    assert fitted.sample().shape == (1, 9)
    with pytest.raises(ValueError, match="n_samples is 0"):
        fitted.sample(0)


# What is refused.


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layer": 0}, "layer is 0; give a hidden layer, 1 to 3, or 'all'"),
        ({"layer": 4}, "layer is 4; give a hidden layer, 1 to 3, or 'all'"),
        ({"layer": -1}, "layer is -1; give a hidden layer"),
        ({"layer": "top"}, "layer is 'top'; give a hidden layer"),
        ({"layer": 1.0}, r"layer is 1\.0; give a hidden layer"),
        ({"layer": None}, "layer is None; give a hidden layer"),
        ({"hidden": ()}, r"hidden is \(\); give the units"),
        ({"learning_rate": -1}, "learning_rate.* is -1"),
        ({"random_state": -1}, "random_state is -1"),
        ({"random_state": 0.5}, "cannot be used to seed"),
    ],
)
def test_bad_parameters(bars, parameters, message):
    for method in (small(**parameters).fit, small(**parameters).partial_fit):
        with pytest.raises(ValueError, match=f"^{message}" if "cannot" not in message else message):
            method(bars)
    with pytest.raises(ValueError, match="sweeps is 0"):
        small(sweeps=0).fit(bars)
    with pytest.raises(ValueError, match="n_jobs == 0"):
        small(n_jobs=0).fit(bars).score_samples(bars)
    with pytest.raises(ValueError, match="n_runs is 0"):
        small(n_runs=0).fit(bars).score_samples(bars)


def test_images_that_are_not_binary(bars):
    transformer = small().fit(bars)
    for method in (transformer.fit, transformer.partial_fit, transformer.transform, transformer.score_samples):
        with pytest.raises(ValueError, match=r"^X\[0, 0\] is .*; every input unit is 0 or 1.*The parameter threshold"):
            method(bars + 0.25)
        with pytest.raises(ValueError, match=r"^X is a masked array"):
            method(np.ma.masked_array(bars, bars == 1))
    with pytest.raises(ValueError, match="8 features, but HelmholtzMachine is expecting 9"):
        transformer.transform(bars[:, 1:])


@pytest.mark.parametrize("read", ["transform", "score_samples", "score"])
def test_images_on_another_scale_than_the_threshold_are_not_read_as_blank(read):
    x = Bars(4).sample(30)
    transformer = small(threshold=127).fit(x * 255)
    with pytest.raises(ValueError, match="no pixel lies above the threshold 127, since they run from 0 to 1"):
        getattr(transformer, read)(x)


def test_pixels_given_by_what_is_not_finite_are_refused(fitted):
    fitted.machine_.gen_biases[1][0] = np.nan
    with pytest.raises(ValueError, match=r"^gen_biases\[1\]\[0\] is nan"):
        fitted.inverse_transform(np.ones((1, 10)))
