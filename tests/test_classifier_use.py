"""What people do with the classifier on their own."""

import warnings

import numpy as np
import pytest
import scipy.sparse

from chance import INTERPRETED
from fastws import DescriptionLengthClassifier, Machine
from machines import parameter_bits

pytestmark = pytest.mark.skipif(INTERPRETED, reason="learns from thousands of images")


@pytest.fixture(scope="module")
def data():
    """Return noisy images of twelve classes: class k has pixel k on, and its neighbour."""
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12), 20)
    x = np.eye(13, 12, dtype=np.uint8)[:12].repeat(20, axis=0)[:, :12]
    x = x | np.roll(x, 1, axis=1)
    return x ^ (rng.random(x.shape) < 0.03), y


def small(**parameters):
    return DescriptionLengthClassifier(
        **{"hidden": (2,), "sweeps": 30, "learning_rate": 0.1, "n_runs": 2, **parameters}
    )


def bits_of(classifier):
    return [parameter_bits(machine).tolist() for machine in classifier.machines_]


# Machines and their classes.


@pytest.mark.parametrize("kind", [int, str])
def test_machines_loaded_in_the_order_of_their_file_names_follow_their_classes(data, kind, tmp_path):
    x, y = data
    classifier = small().fit(x, y)
    for label, machine in enumerate(classifier.machines_):
        machine.label = kind(label)
        machine.save(tmp_path / f"machine-{label}.npz")
    # machine-0, machine-1, machine-10, machine-11, machine-2 …
    machines = [Machine.load(path) for path in sorted(tmp_path.glob("machine-*.npz"))]
    labels = [machine.label for machine in machines]
    again = small().use_machines(machines, labels)
    assert again.classes_.tolist() == sorted(labels)
    np.testing.assert_array_equal(again.predict(x).astype(int), classifier.predict(x))
    assert again.score(x, y.astype(kind)) > 0.8


@pytest.mark.parametrize(
    ("n_machines", "classes", "message"),
    [
        (3, [0, 1, 1], "classes has 1 more than once; give the class of each machine"),
        (2, [0, 1, 1], "there are 2 machines for 3 classes; give one a class"),
        (3, [0, 1], "there are 3 machines for 2 classes"),
        (2, [0, "1"], "classes mixes strings and numbers"),
        (2, [[0], [1]], "classes has 2 dimensions"),
        (2, [0, np.nan], r"classes\[1\] is missing \(nan\)"),
    ],
)
def test_machines_and_classes_that_do_not_pair(n_machines, classes, message):
    classifier = small()
    with pytest.raises(ValueError, match=f"^{message}"):
        classifier.use_machines([Machine([4, 1]) for _ in range(n_machines)], classes)
    assert not hasattr(classifier, "machines_")


def test_paths_in_the_place_of_machines_and_a_machine_twice():
    with pytest.raises(ValueError, match=r"^machines\[0\] is 'a\.npz'; give machines, as Machine\.load returns them"):
        small().use_machines(["a.npz", "b.npz"], [0, 1])
    with pytest.raises(ValueError, match=r"^a machine is there more than once; give each class a machine of its own"):
        small().use_machines([Machine([4, 1])] * 2, [0, 1])


# The same question, the same answer.

STATES = {
    "None": lambda: None,
    "RandomState": lambda: np.random.RandomState(3),
    "Generator": lambda: np.random.default_rng(3),
    "int": lambda: 3,
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("way", ["fit", "partial_fit", "use_machines"])
def test_a_fitted_classifier_answers_the_same_question_the_same_way(data, way, state):
    x, y = data
    classifier = small(sweeps=1, random_state=STATES[state]())
    if way == "fit":
        classifier.fit(x, y)
    elif way == "partial_fit":
        classifier.partial_fit(x, y, classes=y)
    else:
        classifier.use_machines(small(sweeps=1).fit(x, y).machines_, np.arange(12))
    bits = classifier.description_lengths_bits(x)
    for _ in range(2):
        np.testing.assert_array_equal(classifier.description_lengths_bits(x), bits)
        np.testing.assert_array_equal(classifier.predict_proba(x), classifier.predict_proba(x))
        np.testing.assert_array_equal(classifier.predict(x), classifier.predict(x))


@pytest.mark.parametrize("new", [np.random.RandomState, np.random.default_rng])
def test_a_state_of_chance_decides_and_moves_on(data, new):
    x, y = data
    one, same = (small(sweeps=1, random_state=new(4)).fit(x, y) for _ in range(2))
    assert bits_of(one) == bits_of(same)
    np.testing.assert_array_equal(one.description_lengths_bits(x), same.description_lengths_bits(x))
    assert bits_of(one.fit(x, y)) != bits_of(same)


def test_partial_fit_draws_anew_also_with_a_state_of_chance(data):
    x, y = data
    classifier = small(random_state=np.random.default_rng(1)).partial_fit(x, y, classes=y)
    seeds = [tuple(classifier._seeds(12, call)) for call in range(3)]
    assert len({seed for call in seeds for seed in call}) == 36
    before = bits_of(classifier)
    assert bits_of(classifier.partial_fit(x, y)) != before


# Labels and images as people have them.


def test_a_class_with_a_single_example(data):
    x, y = data
    x, y = x[:41], y[:41]
    classifier = small().fit(x, y)
    assert classifier.classes_.tolist() == [0, 1, 2]
    assert any(parameter_bits(classifier.machines_[2]))
    assert classifier.predict(x[40:]).shape == (1,)
    assert bits_of(small(sweeps=1).fit(x, y)) == bits_of(small().partial_fit(x, y, classes=y))


def test_strings_and_numbers_as_labels_are_told_apart(data):
    x, y = data
    words = y.astype(str)
    with pytest.raises(
        ValueError, match=r"^y has the string '0', but classes has the number 0; give all labels in one"
    ):
        small().partial_fit(x, words, classes=range(12))
    with pytest.raises(ValueError, match=r"^y has the number 0, but classes has the string '0'"):
        small().partial_fit(x, y, classes=words)
    classifier = small().partial_fit(x, y, classes=y)
    with pytest.raises(ValueError, match=r"^classes has the string '0', but the machines are those of the number 0"):
        classifier.partial_fit(x, y, classes=words)
    with pytest.raises(ValueError, match=r"^y has the string '0', but classes has the number 0"):
        classifier.partial_fit(x, words)
    for mixed in ([*words[:50], *y[50:].tolist()], np.array([*words[:50], *y[50:]], object)):
        with pytest.raises(ValueError, match=r"^y mixes strings and numbers"):
            small().fit(x, mixed)


def test_labels_in_half_precision_bring_no_warning(data):
    x, y = data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = small(sweeps=1).fit(x, y.astype(np.float16))
        assert classifier.score(x, y.astype(np.float16)) == classifier.score(x, y)
        classifier.partial_fit(x, y.astype(np.float16), classes=np.arange(12))


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_what_an_array_hides_is_not_lost(data, threshold):
    x, y = data
    classifier = small(threshold=threshold, sweeps=1).fit(x, y)
    masked = np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 5)
    for method, arguments, name in (
        (classifier.fit, (masked, y), "X"),
        (classifier.partial_fit, (masked, y), "X"),
        (classifier.predict, (masked,), "X"),
        (classifier.fit, (x, np.ma.masked_array(y, y == 3)), "y"),
        (classifier.fit, (x, y, np.ma.masked_array(np.ones(240), y == 3)), "sample_weight"),
    ):
        with pytest.raises(ValueError, match=f"^{name} is a masked array with values masked; fill them, or leave"):
            method(*arguments)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        classifier.fit(scipy.sparse.csr_matrix(x), y)
    with pytest.raises(ValueError, match="dim 3"):
        classifier.fit(x.reshape(-1, 3, 4), y)
    with pytest.raises(ValueError, match=r"^X holds datetime64\[s\]; give numbers 0 and 1, or booleans\.$"):
        classifier.fit(x.astype("M8[s]"), y)


def test_frames_of_nullable_columns(data):
    pandas = pytest.importorskip("pandas")
    x, y = data
    expected = bits_of(small(sweeps=1).fit(x, y))
    for dtype in ("boolean", "Int64"):
        frame = pandas.DataFrame(x).astype(dtype)
        assert bits_of(small(sweeps=1).fit(frame, pandas.Series(y).astype("Int64"))) == expected
        frame.iloc[3, 4] = pandas.NA
        with pytest.raises(ValueError, match="NaN"):
            small().fit(frame, y)


# Weights and priors.


@pytest.mark.parametrize("kind", [int, float, list])
def test_a_weight_is_how_often_an_image_is_there(data, kind):
    x, y = data
    times = np.random.default_rng(1).integers(0, 4, len(x))
    weights = times.tolist() if kind is list else times.astype(kind)
    expected = small(sweeps=2).fit(x.repeat(times, axis=0), y.repeat(times))
    assert bits_of(small(sweeps=2).fit(x, y, sample_weight=weights)) == bits_of(expected)
    assert bits_of(small(sweeps=2).fit(x, y, np.ones(len(x)))) == bits_of(small(sweeps=2).fit(x, y))
    assert expected.class_count_.tolist() == np.bincount(y, times).tolist()
    bit_by_bit = small().partial_fit(x, y, classes=y, sample_weight=weights)
    assert bits_of(bit_by_bit) == bits_of(small().partial_fit(x.repeat(times, axis=0), y.repeat(times), classes=y))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (-1, "Negative"),
        (np.nan, "NaN"),
        (np.inf, "infinity"),
        (0.5, r"^sample_weight\[7\] is 0\.5; it says how often an image is there: give whole numbers"),
    ],
)
def test_weights_that_repeat_nothing(data, weight, message):
    x, y = data
    weights = np.ones(len(x))
    weights[7] = weight
    for method in (lambda *a: small().fit(*a), lambda x, y, w: small().partial_fit(x, y, y, w)):
        with pytest.raises(ValueError, match=message):
            method(x, y, weights)
    with pytest.raises(ValueError, match="shape"):
        small().fit(x, y, np.ones(len(x) - 1))


def test_a_class_without_weight_is_not_there(data):
    x, y = data
    assert small(sweeps=1).fit(x, y, y != 3).classes_.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]


@pytest.fixture
def three():
    """Return a classifier whose classes describe any image of 4 pixels in 4 bits, and one other."""
    return small().use_machines([Machine([4, 1]), Machine([4, 1]), Machine([4, 1])], ["a", "b", "c"])


def test_priors_are_those_of_bayes(three):
    x = np.zeros((1, 4))
    np.testing.assert_allclose(three.predict_proba(x), [[1 / 3, 1 / 3, 1 / 3]])
    three.set_params(priors=[0.25, 0.625, 0.125])
    np.testing.assert_allclose(three.predict_proba(x), [[0.25, 0.625, 0.125]])
    np.testing.assert_allclose(three.predict_log_proba(x), np.log([[0.25, 0.625, 0.125]]))
    assert three.predict(x).tolist() == ["b"]
    three.set_params(priors=np.array([0, 0.5, 0.5]))
    np.testing.assert_allclose(three.predict_proba(x), [[0, 0.5, 0.5]])
    np.testing.assert_allclose(three.predict_log_proba(x), [[-np.inf, np.log(0.5), np.log(0.5)]])
    with pytest.raises(ValueError, match=r"^priors is 'frequencies', but no labels were learned from"):
        three.set_params(priors="frequencies").predict(x)
    for method in (three.predict, three.predict_proba, three.predict_log_proba):
        with pytest.raises(ValueError, match="give a probability for each of 3 classes"):
            three.set_params(priors=[0.5, 0.5]) and method(x)


def test_frequencies_are_those_of_the_labels(data):
    x, y = data
    part = np.concatenate([np.arange(20), np.arange(20, 25), np.arange(40, 55)])
    equal = small(sweeps=1).fit(x[part], y[part])
    counted = small(sweeps=1, priors="frequencies").fit(x[part], y[part])
    assert counted.class_count_.tolist() == [20, 5, 15]
    assert bits_of(counted) == bits_of(equal)
    np.testing.assert_array_equal(counted.description_lengths_bits(x), equal.description_lengths_bits(x))
    joint = equal.predict_proba(x) * [20, 5, 15]
    np.testing.assert_allclose(counted.predict_proba(x), joint / joint.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_array_equal(counted.predict(x), joint.argmax(axis=1))
    # With the others' help.
    counted.partial_fit(x[20:40], y[20:40])
    assert counted.class_count_.tolist() == [20, 25, 15]


def test_logarithms_of_probabilities_that_no_float_holds():
    machines = [Machine([4, 1]), Machine([4, 1])]
    for machine, bias in zip(machines, (1e4, -1e4), strict=True):
        machine.gen_biases[0] = bias
    classifier = small().use_machines(machines, ["on", "off"])
    logs = classifier.predict_log_proba([[1, 1, 1, 1], [1, 0, 1, 0]])
    # The class whose machine was first is last in order. Four pixels at 1e4 nats each.
    assert classifier.classes_.tolist() == ["off", "on"]
    np.testing.assert_allclose(logs, [[-4e4, 0], [np.log(0.5)] * 2], rtol=1e-6)
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(np.exp(logs), classifier.predict_proba([[1, 1, 1, 1], [1, 0, 1, 0]]))


def test_a_number_of_threads_that_has_no_meaning_changes_nothing(data):
    x, y = data
    classifier = small(n_jobs=0)
    with pytest.raises(ValueError, match="n_jobs == 0"):
        classifier.partial_fit(x, y, classes=y)
    assert not hasattr(classifier, "machines_")
    assert bits_of(small(n_jobs=-1000, sweeps=1).fit(x, y)) == bits_of(small(sweeps=1).fit(x, y))


# Grey levels of another scale than those learned from.


READERS = ["predict", "predict_proba", "predict_log_proba", "description_lengths_bits", "measures_bits"]


@pytest.mark.parametrize("read", READERS)
def test_images_on_another_scale_than_the_threshold_are_not_read_as_blank(data, read):
    """Learned from 0 to 255 and asked about 0 to 1, it guessed."""
    x, y = np.tile(data[0], (1, 2)), data[1]
    classifier = small(threshold=127, sweeps=1).fit(x * 255, y)
    with pytest.raises(ValueError, match="no pixel lies above the threshold 127, since they run from 0 to 1"):
        getattr(classifier, read)(x)
    assert len(getattr(classifier, read)(x[:1])) > 0  # one image may well be dark


def test_machines_from_a_generator_are_taken(data):
    machines = small(sweeps=1).fit(*data).machines_
    taken = small().use_machines((machine for machine in reversed(machines)), range(11, -1, -1))
    assert all(a is b for a, b in zip(taken.machines_, machines, strict=True))


@pytest.mark.parametrize("missing", [None, "<NA>"])
def test_a_label_that_is_missing_is_named(data, missing):
    pandas = pytest.importorskip("pandas")
    y = data[1].astype(str).astype(object)
    y[3] = pandas.NA if missing else None
    for labels in (y, list(y), pandas.Series(y)) if missing is None else (y, pandas.Series(y, dtype="string")):
        with pytest.raises(ValueError, match=r"^y\[3\] is missing \((None|<NA>|nan)\); leave out what has no label"):
            small().fit(data[0], labels)


def test_no_classes_at_all(data):
    with pytest.raises(ValueError, match=r"^classes is empty; give two classes at least"):
        small().partial_fit(*data, classes=[])


def test_a_weight_that_nobody_can_repeat(data):
    with pytest.raises(ValueError, match=r"^sample_weight\[2\] is 1e\+300; it says how often an image is there"):
        small().fit(*data, sample_weight=np.where(np.arange(240) == 2, 1e300, 1))
