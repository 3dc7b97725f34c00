"""Classifiers derived from ours, as scikit-learn's users derive theirs."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer

from fastws import DescriptionLengthClassifier, HelmholtzMachine

X = (np.random.default_rng(0).random((24, 6)) < np.repeat([[0.9] * 3 + [0.1] * 3, [0.1] * 3 + [0.9] * 3], 12, 0)) * 1
Y = np.repeat([0, 1], 12)
QUICK = {"hidden": (2,), "sweeps": 2, "n_runs": 2}


class OwnScore(DescriptionLengthClassifier):
    """Its score is 1 above ours, so that one knows which was asked."""

    def score(self, X, y, sample_weight=None):
        return 1 + super().score(X, y, sample_weight)


class ScoreOfMixin:
    def score(self, X, y):
        return -1.0


class Mixed(ScoreOfMixin, DescriptionLengthClassifier):
    pass


class Grandchild(OwnScore):
    pass


class Fewer(DescriptionLengthClassifier):
    def __init__(self, hidden=(2,), n_runs=2):
        super().__init__(hidden=hidden, sweeps=2, n_runs=n_runs, score="free_energy")


class More(DescriptionLengthClassifier):
    def __init__(self, hidden=(2,), sweeps=2, score="importance", reader=None, flip=False):
        super().__init__(hidden, sweeps, score=score)
        self.reader = reader
        self.flip = flip

    def fit(self, X, y):
        return super().fit(1 - X if self.flip else X, y)


class NoSuper(DescriptionLengthClassifier):
    def __init__(self, hidden=(2,), extra=3):
        self.hidden = hidden
        self.extra = extra


SUBCLASSES = (OwnScore, Mixed, Grandchild, Fewer, More, NoSuper)


def quick(kind):
    wanted = {name: value for name, value in QUICK.items() if name in inspect.signature(kind).parameters}
    return kind(**wanted).set_params(**wanted)


@pytest.mark.parametrize("kind", SUBCLASSES)
def test_a_subclass_learns_reads_clones_pickles_and_goes_through_a_search(kind):
    estimator = quick(kind)
    assert list(estimator.get_params()) == sorted(inspect.signature(kind).parameters)
    fitted = clone(estimator).fit(X, Y)
    assert clone(fitted).get_params() == estimator.get_params()
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.score(X, Y) == fitted.score(X, Y)
    assert kind.__name__ in repr(fitted)
    search = GridSearchCV(estimator, {"hidden": [(1,), (2,)]}, cv=2, error_score="raise").fit(X, Y)
    assert search.best_estimator_.hidden in ((1,), (2,))
    pipe = make_pipeline(Binarizer(threshold=0.5), estimator).fit(X, Y)
    np.testing.assert_array_equal(pipe.predict(X), fitted.predict(X))


@pytest.mark.parametrize(("kind", "above"), [(OwnScore, 1), (Grandchild, 1)])
def test_the_score_of_a_subclass_is_the_one_that_is_called(kind, above):
    fitted = quick(kind).fit(X, Y)
    accuracy = (fitted.predict(X) == Y).mean()
    assert fitted.score(X, Y) == above + accuracy
    assert DescriptionLengthClassifier.score(fitted, X, Y) == accuracy
    assert kind.score(fitted, X, Y) == above + accuracy
    search = GridSearchCV(quick(kind), {"score": ["free_energy", "importance"]}, cv=2).fit(X, Y)
    assert search.best_score_ >= above
    assert search.best_estimator_.get_params()["score"] == search.best_params_["score"]


def test_the_score_of_a_mixin_is_called_too():
    assert quick(Mixed).fit(X, Y).score(X, Y) == -1


@pytest.mark.parametrize("kind", [OwnScore, Mixed, Grandchild, More])
def test_the_parameter_of_a_subclass_is_set_and_used(kind):
    fitted = quick(kind).set_params(score="free_energy").fit(X, Y)
    assert fitted.get_params()["score"] == "free_energy"
    np.testing.assert_array_equal(fitted.description_lengths_bits(X), fitted.measures_bits(X)["free_energy"])
    with pytest.raises(ValueError, match="score is 'bits'; choose one of"):
        fitted.set_params(score="bits").predict(X)


def test_a_parameter_that_a_subclass_does_not_take_may_still_be_set_by_it():
    fitted = Fewer().fit(X, Y)
    np.testing.assert_array_equal(fitted.description_lengths_bits(X), fitted.measures_bits(X)["free_energy"])
    assert "score" not in fitted.get_params()


def test_what_a_subclass_does_not_set_is_as_by_default():
    assert (NoSuper().sweeps, NoSuper().n_runs, NoSuper().threshold) == (500, 10, None)
    fitted = NoSuper().fit(X, Y)
    alike = DescriptionLengthClassifier((2,)).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), alike.predict_proba(X))
    with pytest.raises(AttributeError, match="'NoSuper' object has no attribute 'machines_'"):
        NoSuper().machines_  # noqa: B018


def test_parameters_of_parameters():
    outer = More(reader=DescriptionLengthClassifier(sweeps=7))
    assert outer.get_params()["reader__sweeps"] == 7
    assert outer.set_params(reader__score="free_energy").reader.get_params()["score"] == "free_energy"
    assert "reader__sweeps" not in outer.get_params(deep=False)
    assert clone(outer).reader.get_params() == outer.reader.get_params()


class FewParameters(HelmholtzMachine):
    def __init__(self, hidden=(2,), sweeps=2):
        self.hidden = hidden
        self.sweeps = sweeps


class MoreParameters(HelmholtzMachine):
    def __init__(self, hidden=(2,), sweeps=2, layer=1, note="kept"):
        super().__init__(hidden=hidden, sweeps=sweeps, layer=layer)
        self.note = note


@pytest.mark.parametrize("kind", [FewParameters, MoreParameters])
def test_transformers_of_ones_own_have_the_parameters_that_they_have(kind):
    """One with fewer ended in an AttributeError, as classifiers had done."""
    transformer = clone(kind()).fit(X)
    assert set(transformer.get_params()) == set(inspect.signature(kind).parameters)
    same = HelmholtzMachine(hidden=(2,), sweeps=2).fit(X)
    for one in (transformer, pickle.loads(pickle.dumps(transformer))):
        np.testing.assert_array_equal(one.transform(X), same.transform(X))
        assert one.score(X) == same.score(X)
    with pytest.raises(AttributeError, match="no attribute 'misspelt'"):
        transformer.misspelt  # noqa: B018
