"""The pictures, checked on what is drawn: areas, colours, pixels, places and words."""

import io
import math
import re
import sys
import threading

import matplotlib
import numpy as np
import pytest
from matplotlib.animation import ArtistAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from PIL import Image

import fastws
from fastws import plotting
from fastws.plotting.curves import spread
from fastws.plotting.page import DOTS_PER_INCH

GREY, BLACK, WHITE = 128, 0, 255


def words(figure):
    return " ".join(text.get_text() for text in figure.texts)


def boxes(figure, gid):
    """Return left, top, width and height of the rectangles of one artist, and their colours."""
    (artist,) = (a for a in figure.findobj(PolyCollection) if a.get_gid() == gid)
    corners = np.array([path.vertices[:4] for path in artist.get_paths()]).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    return np.hstack([low, high - low]), artist.get_facecolors()


def levels(axes):
    return np.asarray(axes.images[0].get_array())[:, :, 0]


def tiles(raster, shape, n_columns):
    """Read the images back from a mosaic: find its grid of grey lines, and take the middle of each pixel."""
    inner_rows, inner_columns = (np.flatnonzero(~(raster == GREY).all(axis=axis)) for axis in (1, 0))
    starts = [cut[np.r_[True, np.diff(cut) > 1]] for cut in (inner_rows, inner_columns)]
    pixel = (np.flatnonzero(np.diff(inner_columns) > 1)[0] + 1) // shape[1] if len(starts[1]) > 1 else None
    assert pixel, "one column only"
    assert len(starts[1]) == n_columns
    middle = [np.arange(n) * pixel + pixel // 2 for n in shape]
    return np.array(
        [raster[np.ix_(top + middle[0], left + middle[1])] == WHITE for top in starts[0] for left in starts[1]]
    )


def framed_images(figure):
    """Return the images of a row of them, each in a grey frame two dots wide."""
    (raster,) = (levels(axes) for axes in figure.axes if axes.images)
    frames = np.flatnonzero((raster == GREY).all(axis=0)).reshape(-1, 4)
    return [raster[2:-2, left + 1 : right] == WHITE for _, left, right, _ in frames]


def png(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    file.seek(0)
    return (matplotlib.image.imread(file)[:, :, :3] * 255).round().astype(np.uint8)


def random_images(n, n_pixels, seed=0):
    return np.random.default_rng(seed).integers(0, 2, (n, n_pixels), dtype=np.uint8)


def random_machine(sizes, seed=0):
    machine = fastws.Machine(sizes)
    rng = np.random.default_rng(seed)
    for array in (*machine.gen_weights, *machine.gen_biases):
        array[...] = rng.normal(0, 3, array.shape)
    return machine


def assert_inside(figure):
    """Check that no text leaves the figure and no two texts overlap."""
    renderer = matplotlib.backends.backend_agg.FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    places = [text.get_window_extent(renderer) for text in figure.findobj(matplotlib.text.Text) if text.get_text()]
    for place in places:
        assert place.x0 >= 0
        assert place.y0 >= 0
        assert place.x1 <= figure.bbox.width
        assert place.y1 <= figure.bbox.height
    for number, one in enumerate(places):
        for other in places[:number]:
            # Boxes of lines include room for accents, which may touch.
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert width <= 1 or height <= 3


@pytest.mark.parametrize("sizes", [[16, 8, 1], [6, 5], [64, 16, 16, 4], [9, 3, 2]])
def test_hinton_areas_are_proportional_to_the_weights_and_colours_tell_their_signs(sizes):
    machine = random_machine(sizes)
    above = machine.gen_weights[1].T.ravel() if len(sizes) > 2 else np.empty(0)
    values = np.concatenate([machine.gen_weights[0].ravel(), above, machine.gen_biases[1], machine.gen_biases[0]])
    squares, colors = boxes(plotting.hinton(machine), "weights")
    assert len(squares) == len(values)
    np.testing.assert_allclose(squares[:, 2], squares[:, 3], rtol=1e-9)
    areas = squares[:, 2] * squares[:, 3]
    np.testing.assert_allclose(areas / areas.max(), np.abs(values) / np.abs(values).max(), rtol=1e-5)
    light = colors[:, :3].mean(axis=1)
    assert (light[values > 0] == 1.0).all()
    assert (light[values < 0] < 0.15).all()


def test_hinton_areas_are_proportional_in_the_dots_of_the_png_too():
    machine = fastws.Machine([16, 1])
    machine.gen_weights[0][0] = np.arange(1, 17)
    figure = plotting.hinton(machine)
    squares, _ = boxes(figure, "weights")
    drawn = png(figure)[:, :, 0].astype(float)
    ground = 0x8C
    ink = []
    for left, top, width, height in squares + np.array([38, 38, 4, 4]):  # the margin is 40 dots
        cut = drawn[int(top) : int(np.ceil(top + height)), int(left) : int(np.ceil(left + width))]
        ink.append(np.maximum(cut - ground, 0).sum() / (255 - ground))
    np.testing.assert_allclose(ink, squares[:, 2] * squares[:, 3], rtol=0.04)


def test_hinton_squares_are_where_the_paper_has_them():
    machine = fastws.Machine([16, 8, 1])
    machine.gen_weights[0][5, 6] = 14.13  # row 1, column 2
    machine.gen_weights[1][0, 5] = -4
    machine.gen_biases[1][5] = 3
    machine.gen_biases[0][15] = -2  # row 3, column 3
    figure = plotting.hinton(machine)
    squares, _ = boxes(figure, "weights")
    grounds, _ = boxes(figure, "grounds")
    blocks = grounds[np.isclose(grounds[:, 2], grounds[:, 2].max())]
    assert len(blocks) == 9  # one a unit, and the inputs
    assert len(np.unique(blocks[:8, 1])) == 2
    assert len(np.unique(blocks[:8, 0])) == 4  # two rows of four
    assert blocks[8, 0] > blocks[:8, 0].max()
    to_input, from_above, bias, input_bias = squares[:, :2] + squares[:, 2:] / 2
    left, top, width, height = blocks[5]
    np.testing.assert_allclose((to_input - (left, top)) / (width, height), (2.5 / 4, 1.5 / 4), atol=0.02)
    assert from_above[1] < top
    assert bias[1] < top
    assert left < from_above[0] < left + width / 4
    assert left + width * 3 / 4 < bias[0] < left + width
    np.testing.assert_allclose((input_bias - blocks[8, :2]) / blocks[8, 2:], (3.5 / 4, 3.5 / 4), atol=0.02)
    # The bottom of the top row's blocks is above the squares that belong to the second row.
    assert blocks[0, 1] + blocks[0, 3] < from_above[1] < blocks[4, 1]


def test_hinton_weights_from_several_units_above_are_beside_each_other():
    machine = fastws.Machine([9, 1, 5])
    machine.gen_weights[1][:, 0] = [1, 2, 3, 4, 5]
    squares, _ = boxes(plotting.hinton(machine, (1, 9)), "weights")
    middle = squares[:, 0] + squares[:, 2] / 2
    np.testing.assert_allclose(np.diff(middle), np.diff(middle)[0])
    assert np.diff(middle)[0] > squares[:, 2].max()


@pytest.mark.parametrize(
    "sizes", [[16, 8, 1], [64, 16, 16, 4], [64, 64, 1], [12, 1], [1, 1, 1], [784, 10, 70], [4, 300]]
)
def test_hinton_squares_stay_on_their_grounds_and_apart(sizes):
    machine = fastws.Machine(sizes)
    for array in (*machine.gen_weights, *machine.gen_biases):
        array[...] = 1.0
    figure = plotting.hinton(machine)
    squares, _ = boxes(figure, "weights")
    grounds, _ = boxes(figure, "grounds")
    assert len(np.unique(squares.round(6), axis=0)) == len(squares)
    # Equal weights are equal squares that fill the grounds but for their borders.
    assert 0.7 < np.prod(squares[:, 2:], axis=1).sum() / np.prod(grounds[:, 2:], axis=1).sum() < 0.9
    middle = squares[:, :2] + squares[:, 2:] / 2
    on = ((middle[:, None] > grounds[:, :2]) & (middle[:, None] < grounds[:, :2] + grounds[:, 2:])).all(axis=2)
    assert (on.sum(axis=1) == 1).all()
    cell = squares[0, 2]
    assert cell >= 0.9 * 7
    assert max(figure.get_size_inches()) * DOTS_PER_INCH < 2**16


def test_hinton_states_the_largest_weight_and_the_title():
    machine = fastws.Machine([16, 8, 1])
    machine.gen_weights[0][3, 3] = 2
    machine.gen_biases[0][0] = -14.13
    caption = words(plotting.hinton(machine, title="After $2 million$"))
    assert "largest weight 14.1" in caption
    assert "After $2 million$" in caption
    machine.gen_biases[0][0] = 0
    machine.gen_weights[0][3, 3] = 0.0213
    assert "largest weight 0.021" in words(plotting.hinton(machine))


def test_hinton_of_zeros_has_no_squares():
    figure = plotting.hinton(fastws.Machine([16, 8, 1]))
    assert len(boxes(figure, "weights")[0]) == 0
    assert "all weights are 0" in words(figure)
    assert png(figure).shape[2] == 3


@pytest.mark.parametrize(
    ("image_shape", "sentence"),
    [
        ((3, 4), r"image_shape is \(3, 4\), which makes 12 pixels; the images have 16"),
        ((16,), r"image_shape is \(16,\); give two numbers"),
        ((4, 2, 2), "give two numbers"),
        ((-4, -4), r"image_shape\[0\] is -4"),
        ((4.0, 4.0), r"image_shape\[0\] is 4.0"),
        ("44", "give two numbers"),
    ],
)
def test_image_shapes_that_do_not_fit_are_refused(image_shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        plotting.hinton(fastws.Machine([16, 8, 1]), image_shape)
    with pytest.raises(ValueError, match=sentence):
        plotting.image_grid(random_images(3, 16), image_shape)


def test_weights_that_are_not_finite_are_refused():
    machine = fastws.Machine([16, 8, 1])
    machine.gen_biases[1][2] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        plotting.hinton(machine)


@pytest.mark.parametrize("shape", [(4, 4), (8, 8), (3, 7), (28, 28)])
def test_grid_shows_the_images_pixel_by_pixel(shape):
    images = random_images(10, shape[0] * shape[1])
    figure = plotting.image_grid(images, shape, n_columns=5, title="Ten")
    raster = levels(figure.axes[0])
    np.testing.assert_array_equal(tiles(raster, shape, 5), images.reshape(-1, *shape))
    # The saved picture holds the very same dots.
    assert words(figure) == "Ten"
    height, width = raster.shape
    drawn = png(figure)[:, :, 0]
    np.testing.assert_array_equal(drawn[-40 - height : -40, 40 : 40 + width], raster)


def test_grid_leaves_places_without_an_image_blank():
    raster = levels(plotting.image_grid(np.zeros((3, 16)), n_columns=2).axes[0])
    height, width = raster.shape
    assert (raster[height // 2 + 5 :, width // 2 + 5 :] == WHITE).all()
    assert (raster[height // 2 + 5 :, : width // 2 - 5] != WHITE).all()


def test_grid_refuses_grey_and_empty_images():
    with pytest.raises(ValueError, match=r"images\[1, 2\] is 0.5"):
        plotting.image_grid([[0, 1, 0, 1], [0, 1, 0.5, 1]])
    with pytest.raises(ValueError, match="empty"):
        plotting.image_grid(np.empty((0, 16)))
    with pytest.raises(ValueError, match="n_columns is 0"):
        plotting.image_grid(np.ones((2, 16)), n_columns=0)


def test_samples_are_training_images_on_the_left_and_fantasies_on_the_right():
    data, fantasies = random_images(48, 16, 1), random_images(48, 16, 2)
    figure = plotting.samples(data, fantasies)
    left, right = figure.axes
    assert left.get_position().x1 < right.get_position().x0
    np.testing.assert_array_equal(tiles(levels(left), (4, 4), 8).reshape(48, 16), data)
    np.testing.assert_array_equal(tiles(levels(right), (4, 4), 8).reshape(48, 16), fantasies)
    assert "48 training images" in words(figure)
    assert "48 fantasies" in words(figure)
    assert_inside(figure)
    with pytest.raises(ValueError, match="16 pixels an image and fantasies 9"):
        plotting.samples(data, fantasies[:, :9])


def test_fantasies_are_those_of_the_seed():
    machine = random_machine([16, 4])
    raster = levels(plotting.fantasies(machine, 24, seed=5).axes[0])
    np.testing.assert_array_equal(tiles(raster, (4, 4), 12).reshape(24, 16), machine.fantasies(24, seed=5))


def test_digit_samples_are_in_order_of_class_two_rows_of_twelve():
    examples = {label: random_images(30, 64, label) for label in range(10)}
    fantasies = {label: random_images(24, 64, 100 + label) for label in reversed(range(10))}
    figure = plotting.digit_samples(examples, fantasies, (8, 8))
    panels = figure.axes
    assert len(panels) == 20
    tops = [panel.get_position().y1 for panel in panels]
    assert tops[::2] == sorted(tops[::2], reverse=True)
    for label in range(10):
        left, right = panels[2 * label : 2 * label + 2]
        assert left.get_position().x1 < right.get_position().x0
        assert left.get_position().y0 == right.get_position().y0
        np.testing.assert_array_equal(tiles(levels(left), (8, 8), 12).reshape(24, 64), examples[label][:24])
        np.testing.assert_array_equal(tiles(levels(right), (8, 8), 12).reshape(24, 64), fantasies[label])
        (name,) = (text for text in figure.texts if text.get_text() == str(label))
        assert left.get_position().y0 < name.get_position()[1] < left.get_position().y1
    bounds = np.array([panel.get_position().extents for panel in panels])
    assert bounds.min() > 0
    assert bounds.max() < 1
    assert_inside(figure)


def test_digit_samples_need_the_same_classes_on_both_sides():
    images = random_images(24, 64)
    with pytest.raises(ValueError, match=r"\[0, 1\] and fantasies of \[0\]"):
        plotting.digit_samples({0: images, 1: images}, {0: images})
    with pytest.raises(ValueError, match="at least one"):
        plotting.digit_samples({}, {})
    with pytest.raises(ValueError, match="which makes 64 pixels; the images have 16"):
        plotting.digit_samples({0: images}, {0: images[:, :16]})


def test_bars_model_shows_each_bar_and_the_probabilities():
    figure = plotting.bars_model(fastws.Bars(size=4, p_vertical=2 / 3, p_bar=0.2))
    said = words(figure)
    assert "2/3" in said
    assert "1/3" in said
    assert said.count("0.2") == 2
    assert "left out" not in said
    images = framed_images(figure)
    assert len(images) == 8
    for image in images[:4]:
        assert (image == image[0]).all()
    for image in images[4:]:
        assert (image == image[:, :1]).all()
    assert all(image.mean() == 0.25 for image in images)
    assert len({image.tobytes() for image in images}) == 8
    assert_inside(figure)


@pytest.mark.parametrize(
    ("exclude", "sentence"),
    [
        (("blank",), "Blank images"),
        (("full",), "Full images"),
        (("full", "blank"), "Blank and full images"),
    ],
)
def test_bars_model_says_which_images_are_left_out(exclude, sentence):
    said = words(plotting.bars_model(fastws.Bars(exclude=exclude)))
    assert re.search(rf"{sentence}.* left out", said)


@pytest.mark.parametrize("size", [1, 2, 8, 9, 100])
def test_bars_model_of_any_size_stays_on_the_page(size):
    figure = plotting.bars_model(fastws.Bars(size=size, p_vertical=0.123456, p_bar=0.5))
    assert_inside(figure)
    assert len(framed_images(figure)) == 2 * min(size, 8) - 2 * (size > 8)
    assert ("…" in words(figure)) == (size > 8)


def test_learning_curve_is_logarithmic_and_marks_the_paper():
    seen = np.linspace(0, 2e6, 21)
    divergence, penalty = 6 * np.exp(-seen / 3e5) + 0.05, np.full(21, 0.08)
    figure = plotting.learning_curve(seen, divergence, penalty)
    axes = figure.axes[0]
    assert axes.get_yscale() == "log"
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["divergence"].get_xdata(), seen)
    np.testing.assert_allclose(lines["divergence"].get_ydata(), divergence)
    np.testing.assert_allclose(lines["KL penalty"].get_ydata(), penalty)
    assert [0.10, 0.10] in [list(line.get_ydata()) for line in axes.lines]
    assert "the paper's divergence 0.10" in words(figure)
    assert "millions" in axes.get_xlabel()
    ticks = dict(zip(axes.get_xticks(), (t.get_text() for t in axes.get_xticklabels()), strict=True))
    assert ticks[1e6] == "1"
    assert_inside(figure)
    assert len(plotting.learning_curve(seen, divergence, penalty, reference_bits=None).axes[0].lines) == 2


def test_learning_curve_bears_zeros_and_short_runs():
    figure = plotting.learning_curve([0, 10_000, 20_000], [5, 1, 0], [0, 0, -1e-17])
    assert "thousands" in figure.axes[0].get_xlabel()
    low, high = figure.axes[0].get_ylim()
    assert 1e-4 < low < high
    for line in figure.axes[0].lines:
        assert np.min(line.get_ydata()) >= low
    assert "divergence < 0.001" in words(figure)
    assert_inside(figure)
    assert_inside(plotting.learning_curve([0], [3.0], [0.0]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0, 1], [1, 2, 3], [1, 2]), r"divergence_bits has shape \(3,\); give one number for each of the 2 points"),
        (([], [], []), "examples_seen has shape"),
        (([0, 1], [1, np.nan], [1, 2]), r"divergence_bits\[1\] is not finite"),
        (([0, 1], [1, 2], [1, 2], 0), "reference_bits is 0"),
    ],
)
def test_curves_refuse_what_cannot_be_drawn(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        plotting.learning_curve(*arguments)


def lines_of(axes):
    return {artist.get_label(): artist for artist in [*axes.lines, *axes.collections]}


def some_divergences(n, seed=0):
    return np.random.default_rng(seed).choice([0.02, 0.09, 0.3, 1.2], n)


def test_success_rates_draws_every_run_the_rates_their_intervals_and_medians():
    p_bar, bits = np.repeat([0.4, 0.1, 0.2], 40), some_divergences(120)
    figure = plotting.success_rates(p_bar, bits, label="p_bar", title="The bars")
    rates, runs = (lines_of(axes) for axes in figure.axes)
    x = [0.1, 0.2, 0.4]
    expected = [(bits[p_bar == value] <= 0.10).mean() for value in x]
    assert 0 < min(expected) < max(expected) < 1
    np.testing.assert_array_equal(rates["success rates"].get_xdata(), x)
    np.testing.assert_allclose(rates["success rates"].get_ydata(), expected)
    for place, rate, segment in zip(x, expected, rates["intervals"].get_segments(), strict=True):
        interval = fastws.sweep.success_interval(round(rate * 40), 40)
        np.testing.assert_allclose(segment, [(place, interval[0]), (place, interval[1])])
    assert figure.axes[1].get_yscale() == "log"
    np.testing.assert_array_equal(np.sort(runs["successes"].get_ydata()), np.sort(bits[bits <= 0.10]))
    np.testing.assert_array_equal(np.sort(runs["others"].get_ydata()), np.sort(bits[bits > 0.10]))
    # A point is nearer to its own value than to another.
    nearest = np.abs(np.subtract.outer(runs["others"].get_xdata(), x)).argmin(axis=1)
    np.testing.assert_array_equal(np.bincount(nearest), [((p_bar == v) & (bits > 0.10)).sum() for v in x])
    medians = runs["medians"].get_segments()
    np.testing.assert_allclose([m[0][1] for m in medians], [np.median(bits[p_bar == value]) for value in x])
    np.testing.assert_allclose([m[:, 0].mean() for m in medians], x)
    assert figure.axes[1].get_xlabel() == "p_bar"
    assert [0.10, 0.10] in [list(line.get_ydata()) for line in figure.axes[1].lines]
    assert "40 runs a point" in words(figure)
    assert "The bars" in words(figure)
    assert to_rgba(runs["successes"].get_color()) != to_rgba(runs["others"].get_color())
    assert_inside(figure)


def test_success_rates_of_two_settings_are_small_multiples():
    hidden, recipe, bits = np.tile([8, 10, 12], 40), ["robust", "paper"] * 60, some_divergences(120)
    figure = plotting.success_rates(hidden, bits, 0.05, "hidden", recipe, "recipe")
    assert len(figure.axes) == 4
    assert "recipe = robust" in words(figure)
    assert words(figure).index("recipe = robust") < words(figure).index("recipe = paper")
    for axes, name in zip(figure.axes[::2], ["robust", "paper"], strict=True):
        expected = [(bits[(hidden == h) & (np.array(recipe) == name)] <= 0.05).mean() for h in (8, 10, 12)]
        np.testing.assert_allclose(lines_of(axes)["success rates"].get_ydata(), expected)
    assert len({axes.get_ylim() for axes in figure.axes[1::2]}) == 1
    assert_inside(figure)
    many = plotting.success_rates(
        recipe, bits, label="recipe", panels=np.repeat(np.arange(10) / 10, 12), panel_label="p"
    )
    assert len(many.axes) == 20
    assert_inside(many)


def test_success_rates_of_words_and_defaults_lie_side_by_side():
    values = [None, "full", "a very long word", float("nan"), "full", True]
    figure = plotting.success_rates(values, [0.1, 0.2, 0.3, 0.04, 0.05, math.nan], label="exclude")
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert labels == ["default", "full", "a very long word", "True"]
    np.testing.assert_array_equal(lines_of(figure.axes[0])["success rates"].get_xdata(), [0, 1, 2])
    np.testing.assert_array_equal(lines_of(figure.axes[0])["success rates"].get_ydata(), [1, 0.5, 0])
    assert "Between 1 and 2 runs a point." in words(figure)
    assert "Left out: 1 with an error." in words(figure)
    assert_inside(figure)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1e5, 1e6, 1e7], ["100,000", "1,000,000", "10,000,000"]),
        ([1000, 1001, 1002, 1003], ["1,000", "1,001", "1,002", "1,003"]),
        ([-6, -3, 0], ["\N{MINUS SIGN}6", "\N{MINUS SIGN}3", "0"]),
        ([1 / 3, 2 / 3], ["0.333", "0.667"]),
        ([0.2], ["0.2"]),
    ],
)
def test_success_rates_says_its_numbers(values, labels):
    figure = plotting.success_rates(values, np.full(len(values), 0.2))
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == labels
    ticks = figure.axes[1].get_xticks()
    if len(ticks) > 2:
        np.testing.assert_allclose(np.diff(ticks), np.diff(ticks)[0])
    assert_inside(figure)


def test_success_rates_leaves_out_words_that_would_touch():
    figure = plotting.success_rates(np.arange(100) / 7, np.linspace(1e-5, 900, 100))
    labels = [label.get_text() for label in figure.axes[1].get_xticklabels()]
    assert len(labels) == 100
    assert 5 < sum(label != "" for label in labels) < 50
    low = figure.axes[1].get_ylim()[0]
    assert low > 1e-4
    assert lines_of(figure.axes[1])["successes"].get_ydata().min() == pytest.approx(low)
    assert_inside(figure)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([1, 2], [0.1]), r"there are 2 values, divergences of shape \(1,\) and 2 values of a second setting"),
        (([1, 2], [0.1, 0.2], 0.1, "x", [1]), "and 1 values of a second setting; give one of each a run"),
        (([], []), "no run has a divergence"),
        (([1, 2], [math.nan, math.nan]), "no run has a divergence"),
        (([1], [0.1], 0), "within_bits is 0; give a number above 0"),
        (([1], [0.1], math.nan), "within_bits is nan"),
    ],
)
def test_success_rates_refuses_what_cannot_be_drawn(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        plotting.success_rates(*arguments)


@pytest.mark.parametrize("n_classes", [1, 2, 10, 20, 40])
def test_description_length_curve_labels_every_class_apart_from_the_others(n_classes):
    sweeps = np.arange(1, 51)
    bits = {f"class {c}": 30 + c / 100 + 10 * np.exp(-sweeps / 10) for c in range(n_classes)}
    figure = plotting.description_length_curve(sweeps, bits)
    assert [line.get_label() for line in figure.axes[0].lines] == list(bits)
    for line, curve in zip(figure.axes[0].lines, bits.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve)
        (label,) = (text for text in figure.texts if text.get_text() == line.get_label())
        assert to_rgba(label.get_color()) == to_rgba(line.get_color())
    assert len({line.get_color() for line in figure.axes[0].lines}) == n_classes
    assert_inside(figure)


def test_description_length_curve_needs_a_class():
    with pytest.raises(ValueError, match="at least one class"):
        plotting.description_length_curve([1, 2], {})


def test_spread_moves_as_little_as_it_can():
    np.testing.assert_allclose(spread(np.array([10.0, 50.0, 90.0]), 5, 100), [10, 50, 90])
    np.testing.assert_allclose(spread(np.array([50.0, 50.0]), 10, 100), [45, 55])
    np.testing.assert_allclose(spread(np.array([99.0, 20.0, 98.0]), 10, 100), [100, 20, 90])
    np.testing.assert_allclose(spread(np.array([0.0, 0.0, 0.0]), 10, 100), [0, 10, 20])


def test_confusion_writes_every_count_in_its_cell():
    matrix = [[90, 3, 0], [12, 80, 1], [0, 0, 70]]
    figure = plotting.confusion(matrix, ["ant", "bee", "wasp"])
    cells = figure.axes[0].get_position()
    for i in range(3):
        for j in range(3):
            x = cells.x0 + (j + 0.5) * cells.width / 3
            y = cells.y1 - (i + 0.5) * cells.height / 3
            here = [t.get_text() for t in figure.texts if np.allclose(t.get_position(), (x, y))]
            assert here == [str(matrix[i][j])]
    (artist,) = figure.findobj(PolyCollection)
    blue = 1 - artist.get_facecolors().reshape(3, 3, 4)[:, :, 0]
    assert blue[1, 0] > blue[0, 1] > blue[1, 2] > blue[0, 2] == 0
    assert len({tuple(artist.get_facecolors().reshape(3, 3, 4)[i, i]) for i in range(3)}) == 1
    said = words(figure)
    assert "true class" in said
    assert "chosen class" in said
    assert "16 of 256 images misread (6.25 %)" in said
    assert_inside(figure)


@pytest.mark.parametrize(
    ("matrix", "labels", "sentence"),
    [
        ([[1, 2, 3], [4, 5, 6]], [0, 1], r"shape \(2, 3\)"),
        ([[1, 2], [3, 4]], [0, 1, 2], "3 labels for 2 classes"),
        ([[1, -2], [3, 4]], [0, 1], "no counts"),
        ([[0.5, 0.5], [0, 1]], [0, 1], "no counts"),
    ],
)
def test_confusion_refuses_what_is_no_matrix_of_counts(matrix, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        plotting.confusion(matrix, labels)


def test_misread_images_have_their_captions_below_them():
    images = random_images(50, 64)
    first, second = np.linspace(20, 30, 50), np.linspace(31, 41, 50)
    figure = plotting.misread(images, ["4"] * 50, ["9"] * 50, first, ["7"] * 50, second, (8, 8))
    said = [text.get_text() for text in figure.texts]
    assert "The first 48 of 50 misread images" in said
    assert said.count("true 4, read 9") == 48
    assert "9: 20.0, 7: 31.0 bits" in said
    raster = levels(figure.axes[0])
    place = figure.axes[0].get_position()
    caption = next(text for text in figure.texts if text.get_text() == "9: 20.2, 7: 31.2 bits")
    left = round((caption.get_position()[0] - place.x0) / place.width * raster.shape[1])
    pixels = raster[3 : 3 + 96, left + 3 : left + 3 + 96][6::12, 6::12]
    np.testing.assert_array_equal((pixels == WHITE).ravel(), images[1])
    assert_inside(figure)


def test_misread_of_nothing_and_of_unequal_lengths():
    assert "No image was misread" in words(plotting.misread(np.empty((0, 64)), [], [], [], [], []))
    assert "1 misread image" in words(plotting.misread(random_images(1, 16), [1], [2], [3.0], [1], [4.0]))
    with pytest.raises(ValueError, match=r"there are 2 images, and \[2, 2, 1, 2, 2\]"):
        plotting.misread(random_images(2, 16), [1, 1], [2, 2], [3.0], [1, 1], [4.0, 4.0])


def test_save_writes_png_and_svg_that_are_the_same_every_time(tmp_path):
    def figure():
        return plotting.learning_curve([0, 1e5, 2e5], [3, 1, 0.1], [0, 0.3, 0.1])

    paths = plotting.save(figure(), tmp_path / "run.v1")
    assert [path.name for path in paths] == ["run.v1.png", "run.v1.svg"]
    first = [path.read_bytes() for path in paths]
    assert first[0].startswith(b"\x89PNG")
    assert b"<text" in first[1]
    assert b"examples seen" in first[1]
    plotting.save(figure(), str(tmp_path / "run.v1"))
    assert [path.read_bytes() for path in paths] == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.v1.png", "run.v1.svg"]
    white = matplotlib.image.imread(paths[0])[:3, :3]
    assert (white == 1.0).all()  # opaque, too


def test_a_save_that_fails_leaves_the_old_files_and_no_others(tmp_path):
    figure = plotting.image_grid(np.eye(4))
    paths = plotting.save(figure, tmp_path / "grid")
    before = [path.read_bytes() for path in paths]
    figure.text(0.5, 0.5, "x").draw = lambda renderer: 1 / 0
    with pytest.raises(ZeroDivisionError):
        plotting.save(figure, tmp_path / "grid")
    assert [path.read_bytes() for path in paths] == before
    assert len(list(tmp_path.iterdir())) == 2
    assert matplotlib.rcParams["svg.hashsalt"] != "fastws"
    with pytest.raises(FileNotFoundError):
        plotting.save(plotting.image_grid(np.eye(4)), tmp_path / "missing" / "grid")


def test_pictures_can_be_saved_in_threads_and_leave_the_settings_alone(tmp_path):
    settings = dict(matplotlib.rcParams)
    machine = random_machine([16, 8, 1])
    threads = [
        threading.Thread(target=lambda k=k: plotting.save(plotting.hinton(machine), tmp_path / f"{k}"))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / f"{k}.svg").read_bytes() for k in range(4)}) == 1
    assert len({(tmp_path / f"{k}.png").read_bytes() for k in range(4)}) == 1
    assert dict(matplotlib.rcParams) == settings


def test_a_users_dark_style_changes_nothing():
    machine = random_machine([16, 8, 1])
    curve = [0, 1e5, 2e5], [3, 1, 0.1], [0, 0.3, 0.1]
    rates = [1, 2, 2], [0.1, 0.2, 0.05]
    plain = [
        png(plotting.hinton(machine)),
        png(plotting.learning_curve(*curve)),
        png(plotting.success_rates(*rates)),
    ]
    with matplotlib.rc_context({"figure.facecolor": "black", "text.color": "white", "axes.facecolor": "black",
                                "axes.edgecolor": "white", "xtick.color": "white", "axes.labelcolor": "white",
                                "font.family": "serif", "font.size": 20, "axes.grid": True}):  # fmt: skip
        styled = [
            png(plotting.hinton(machine)),
            png(plotting.learning_curve(*curve)),
            png(plotting.success_rates(*rates)),
        ]
    for one, other in zip(plain, styled, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_figure_is_open_in_pyplot():
    figure = plotting.hinton(random_machine([16, 8, 1]))
    assert isinstance(figure, Figure)
    assert figure.canvas.manager is None
    if "matplotlib.pyplot" in sys.modules:
        assert not sys.modules["matplotlib.pyplot"].get_fignums()


def test_a_film_is_a_gif_and_a_page_that_needs_no_network(tmp_path):
    figure = plotting.image_grid([[0, 1, 1, 0]])
    axes = figure.axes[0]
    FigureCanvasAgg(figure)
    film = ArtistAnimation(figure, [[axes.plot([0, 9], [0, y])[0]] for y in (3, 6, 9)], interval=200)
    gif, page = plotting.save_film(film, tmp_path / "lines")
    with Image.open(gif) as image:
        assert (image.format, image.n_frames) == ("GIF", 3)
    text = page.read_text(encoding="utf-8")
    assert "<title>lines</title>" in text
    assert text.count("data:image/png;base64") == 3
    assert "http" not in text
    assert text.count("<button") == 9
    assert "<i " not in text
