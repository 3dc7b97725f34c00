import numpy as np
import pytest

from fastws import plotting


def drawn(bits, published=None):
    [axes] = plotting.cost_gaps(bits, published).axes
    return axes


def test_each_draw_is_a_point_in_the_row_of_its_method_and_the_first_method_is_on_top():
    axes = drawn({"one": [3.0, 5.0, 4.0], "two": [1.0]})
    points = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_array_equal(points["one"][:, 0], [3, 5, 4])
    np.testing.assert_array_equal(points["two"], [[1, 0]])
    assert (np.abs(points["one"][:, 1] - 1) < 0.5).all()
    assert {label.get_text(): label.get_position()[1] for label in axes.get_yticklabels()} == {"one": 1, "two": 0}


def test_lines_are_at_the_mean_and_at_what_was_published():
    axes = drawn({"one": [3.0, 5.0], "two": [1.0]}, {"one": 9.0, "elsewhere": 100.0})
    lines = {lines.get_label(): lines.get_segments()[0][:, 0].tolist() for lines in axes.collections}
    assert lines == {"mean, one": [4, 4], "then, one": [9, 9], "mean, two": [1, 1]}
    assert axes.get_xlim()[0] < 0
    assert 9 < axes.get_xlim()[1] < 20


@pytest.mark.parametrize(
    ("bits", "complaint"), [({}, "no method"), ({"a": []}, "the bits of a are"), ({"a": [np.nan]}, "finite")]
)
def test_what_cannot_be_drawn_is_said(bits, complaint):
    with pytest.raises(ValueError, match=complaint):
        plotting.cost_gaps(bits)
