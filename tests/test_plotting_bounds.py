import math

import pytest

from fastws import plotting

BOUNDS = {"784-200, K = 1": [(1, 120.0), (10, 114.5), (1000, 111.25)], "784-200, K = 5": [(1, 118.0), (100, 109.0)]}


def test_each_machine_is_a_line_over_its_samples_and_what_was_published_goes_across():
    figure = plotting.bound_curves(BOUNDS, {"elsewhere": 125.5}, "nats an image")
    axes = figure.axes[0]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    for name, points in BOUNDS.items():
        assert lines[name] == [list(point) for point in points]
    assert {y for _, y in lines["elsewhere"]} == {125.5}
    assert axes.get_xscale() == "log"
    assert axes.get_xlim() == (1, 1000)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "10", "100", "1000"]
    low, high = axes.get_ylim()
    assert low < 109 < 125.5 < high
    assert axes.get_ylabel() == "nats an image"
    said = [text.get_text() for text in figure.texts]
    for label in ("784-200, K = 1: 111.2", "784-200, K = 5: 109.0", "elsewhere: 125.5"):
        assert label in said
    assert any("Dashed: published." in text for text in said)


def test_one_bound_alone_is_drawn_without_words_about_others():
    figure = plotting.bound_curves({"a": [(1, 3.0)]})
    assert len(figure.axes[0].lines) == 1
    assert not any("Dashed" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize(
    ("bounds", "complaint"),
    [
        ({}, "bounds is empty"),
        ({"a": []}, "the numbers of samples of a has shape"),
        ({"a": [(0, 3.0)]}, r"bounds\['a'\] has 0 samples"),
        ({"a": [(1, math.nan)]}, r"the bounds of a\[0\] is not finite"),
    ],
)
def test_what_cannot_be_drawn_is_said(bounds, complaint):
    with pytest.raises(ValueError, match=complaint):
        plotting.bound_curves(bounds)


def test_what_was_published_is_finite():
    with pytest.raises(ValueError, match="published"):
        plotting.bound_curves({"a": [(1, 3.0)]}, {"b": math.inf})
