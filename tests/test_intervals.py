import pytest
from scipy import stats

from fastws.experiments.intervals import interval


def test_intervals_are_students():
    values = [1.0, 2.0, 4.0]
    mean, half = interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean - half, mean + half) == pytest.approx(tuple(expected))
    assert interval([2.5]) == (2.5, None)
