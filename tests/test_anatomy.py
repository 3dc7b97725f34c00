"""What the units of a bars machine code, on machines made by hand."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.textpath import TextPath

from fastws import Machine, plotting
from fastws.experiments.anatomy import anatomy


def machine_of(*images, size=4):
    """Return a machine with a unit an image: its weights to the inputs."""
    machine = Machine([size * size, len(images), 1])
    machine.gen_weights[0][:] = np.array(images, np.float32).reshape(len(images), -1)
    return machine


def bar(number, size=4, weight=15.0):
    """Return the weights of a unit that codes a bar, and to other pixels ones as small as learning leaves them."""
    image = np.random.default_rng(number).uniform(0, 0.3 * 15, (size, size))
    if number < size:
        image[number] = weight
    else:
        image[:, number - size] = weight
    return image


@pytest.mark.parametrize("size", [2, 4, 6])
def test_a_machine_with_a_unit_a_bar_has_no_faults(size):
    order = np.random.default_rng(size).permutation(2 * size)
    found = anatomy(machine_of(*(bar(k, size) for k in order), size=size))
    assert found.size == size
    assert found.bars == tuple((k,) for k in order)
    assert found.faults == found.dead == found.crosses == found.missing == ()


def test_rows_are_counted_from_the_top_and_columns_from_the_left():
    assert anatomy(machine_of(bar(0), bar(3), bar(4), bar(7))).labels == ("row 1", "row 4", "column 1", "column 4")


def test_a_cross_is_one_unit_with_a_row_and_a_column():
    cross = np.maximum(bar(1), bar(6))
    found = anatomy(machine_of(*(bar(k) for k in (0, 2, 3, 4, 5, 7)), np.full((4, 4), 0.5), cross))
    assert found.crosses == (7,)
    assert found.dead == (6,)
    assert found.faults == ("cross", "dead unit")
    assert found.labels[6:] == ("dead", "row 2 + column 3")
    assert found.missing == found.duplicates == found.fragments == ()


def test_two_bars_of_one_orientation_are_no_cross():
    found = anatomy(machine_of(np.maximum(bar(0), bar(2)), np.maximum(bar(5), bar(6))))
    assert found.bars == ((0, 2), (5, 6))
    assert found.crosses == ()


def test_duplicates_missing_bars_and_fragments_are_told():
    fragment = bar(3)
    fragment[3, 0] = 1
    found = anatomy(machine_of(*(bar(k) for k in (0, 0, 1, 2, 4, 5)), np.maximum(bar(6), bar(1)), fragment))
    assert found.duplicates == (0, 1)
    assert found.missing == (3, 7)
    assert found.fragments == (7,)
    assert found.labels[7] == "fragment"
    assert found.faults == ("cross", "fragment", "duplicate", "missing bar")


def test_large_is_relative_to_the_largest_weight_of_the_machine():
    weak = bar(1, weight=7.4)
    assert anatomy(machine_of(bar(0, weight=18), weak)).bars == ((0,), (1,))
    assert anatomy(machine_of(bar(0, weight=19), weak)).bars == ((0,), ())


def test_a_machine_that_has_learned_nothing_is_all_dead():
    found = anatomy(Machine([16, 3, 1]))
    assert found.dead == (0, 1, 2)
    assert found.missing == tuple(range(8))
    machine = machine_of(-bar(0), -bar(1))
    assert anatomy(machine).dead == (0, 1)


def test_inputs_that_are_no_square_are_refused():
    with pytest.raises(ValueError, match="15 inputs"):
        anatomy(Machine([15, 8, 1]))


def test_the_picture_names_what_each_unit_codes_and_frames_the_cross():
    machine = machine_of(bar(0), np.maximum(bar(1), bar(6)), bar(5))
    found = anatomy(machine)
    figure = plotting.hinton(machine, labels=found.labels, marked=found.crosses)
    texts = {text.get_text(): text for text in figure.texts}
    assert {"row 1", "row 2 + column 3", "column 2"} <= set(texts)
    assert texts["row 2 + column 3"].get_color() != texts["row 1"].get_color()
    artists = {artist.get_gid(): artist for artist in figure.findobj(PolyCollection)}
    [frame] = artists["frames"].get_paths()
    ground = artists["grounds"].get_paths()[1]
    assert frame.get_extents().contains(*ground.get_extents().min)
    assert frame.get_extents().contains(*ground.get_extents().max)
    assert artists["frames"].zorder <= artists["grounds"].zorder
    assert to_hex(artists["frames"].get_facecolor()[0]) == to_hex(texts["row 2 + column 3"].get_color())


def test_long_labels_are_no_wider_than_their_place():
    machine = machine_of(np.ones((4, 4)), bar(0))
    figure = plotting.hinton(machine, labels=anatomy(machine).labels)
    long = plotting.hinton(machine, labels=["w" * 60, "dead"])
    ground = next(a for a in long.findobj(PolyCollection) if a.get_gid() == "grounds")
    width = np.ptp(ground.get_transform().transform(ground.get_paths()[0].vertices)[:, 0])
    text = next(text for text in long.texts if text.get_text() == "w" * 60)
    # By the outlines of the font: dots, of so small letters, are each Matplotlib's own.
    outlines = TextPath((0, 0), text.get_text(), text.get_fontsize(), prop=text.get_fontproperties())
    drawn = outlines.get_extents().width * long.dpi / 72
    assert width < drawn < 1.7 * width  # its place reaches into the gaps, and a w is wider than most letters
    assert figure.get_size_inches().tolist() == long.get_size_inches().tolist()


def test_labels_and_marks_that_fit_no_unit_are_refused():
    machine = machine_of(bar(0), bar(1))
    with pytest.raises(ValueError, match="there are 3 labels and 2 units"):
        plotting.hinton(machine, labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="marked has 2"):
        plotting.hinton(machine, marked=[2])
