import copy
import itertools
import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest

from chance import FALSE_ALARM, INTERPRETED, assert_frequencies, chi_square_p_value, draws
from fastws import learning
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images, stream_from_description
from machines import parameter_arrays, parameter_bits, random_machine

EXCLUDES = [(), ("full",), ("blank",), ("blank", "full")]
excludes = pytest.mark.parametrize("exclude", EXCLUDES, ids=str)


def probabilities(size, p_vertical, p_bar, exclude=()):
    """Return the probabilities of the bars images by the definition, one image and one orientation at a time."""
    by_image = {}
    for bars in itertools.product((0, 1), repeat=size):
        if ("full" in exclude and all(bars)) or ("blank" in exclude and not any(bars)):
            continue
        p = math.prod(p_bar if on else 1 - p_bar for on in bars)
        vertical, horizontal = bars * size, tuple(on for on in bars for _ in range(size))
        by_image[vertical] = by_image.get(vertical, 0) + p_vertical * p
        by_image[horizontal] = by_image.get(horizontal, 0) + (1 - p_vertical) * p
    total = math.fsum(by_image.values())
    return {image: p / total for image, p in by_image.items() if p > 0}


def counts_of(images, expected):
    """Count each expected image; any other is an error."""
    numbers = {image: i for i, image in enumerate(expected)}
    return np.bincount([numbers[tuple(image)] for image in images.tolist()], minlength=len(expected))


# The bars distribution.


@excludes
@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize(("p_vertical", "p_bar"), [(2 / 3, 0.2), (0.5, 0.5), (1, 0.9), (0, 0.05), (0.3, 0), (0.3, 1)])
def test_distribution_is_the_definition(size, p_vertical, p_bar, exclude):
    expected = probabilities(size, p_vertical, p_bar, exclude) if set(exclude) < {"full", "blank"} or size > 1 else {}
    if not expected:
        with pytest.raises(ValueError, match=r"^no image is left: with size=\d and p_bar="):
            Bars(size, p_vertical, p_bar, exclude)
        return
    patterns, p = Bars(size, p_vertical, p_bar, exclude).distribution()
    assert patterns.dtype == np.uint8
    assert len({tuple(image) for image in patterns.tolist()}) == len(patterns) == len(expected)
    assert p.tolist() == pytest.approx([expected[tuple(image)] for image in patterns.tolist()], rel=1e-12)
    assert math.fsum(p) == pytest.approx(1, abs=1e-12)


def test_distribution_of_many_bars():
    patterns, p = Bars(14).distribution()
    assert patterns.shape == (2 * 2**14 - 2, 196)
    assert math.fsum(p) == pytest.approx(1, abs=1e-9)
    with pytest.raises(ValueError, match=r"^size is 15; .* up to size 14\. Use sample\(\)"):
        Bars(15).distribution()


@pytest.mark.long
@excludes
@pytest.mark.parametrize(
    ("size", "p_vertical", "p_bar"), [(4, 2 / 3, 0.2), (2, 0.5, 0.7), (5, 0.3, 0.5), (1, 0.5, 0.4)]
)
def test_sample_has_the_distribution(size, p_vertical, p_bar, exclude):
    """False alarms: < 1e-6 each."""
    if size == 1 and len(exclude) > 0:
        pytest.skip("one image is left, or none")
    images = Bars(size, p_vertical, p_bar, exclude).sample(draws(100_000))
    assert images.dtype == np.uint8
    expected = probabilities(size, p_vertical, p_bar, exclude)
    assert_frequencies(counts_of(images, expected), list(expected.values()))


@pytest.mark.parametrize(
    ("arguments", "images"),
    [
        ((2, 1, 0), [[0, 0, 0, 0]]),
        ((2, 0, 1), [[1, 1, 1, 1]]),
        ((1, 0.5, 0.5, ("full",)), [[0]]),
        ((1, 0.5, 0.5, ("blank",)), [[1]]),
        ((2, 1, 0.5, ("full", "blank")), [[0, 1, 0, 1], [1, 0, 1, 0]]),
        ((2, 0, 0.5, ("full", "blank")), [[0, 0, 1, 1], [1, 1, 0, 0]]),
        ((1, 0.5, 0.4), [[0], [1]]),
        ((2, 1, 1e-3, "blank"), [[0, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 1]]),
    ],
)
def test_sample_at_the_edges(arguments, images):
    found = Bars(*arguments).sample(10_000 if not INTERPRETED else 3000)
    assert {tuple(image) for image in found.tolist()} <= {tuple(image) for image in images}
    assert {tuple(image) for image in found.tolist()} >= {tuple(image) for image in images[:2]}


@excludes
@pytest.mark.parametrize("size", [17, 20, 40])
def test_images_wider_than_the_lanes(size, exclude):
    """Each is all columns or all rows, with as many bars as chance has it. False alarms: < 1e-6 each."""
    n, p_bar = draws(20_000), 0.1
    images = Bars(size, p_vertical=0.7, p_bar=p_bar, exclude=exclude).sample(n).reshape(n, size, size)
    vertical = (images == images[:, :1, :]).all(axis=(1, 2))
    horizontal = (images == images[:, :, :1]).all(axis=(1, 2))
    assert (vertical | horizontal).all()
    both = vertical & horizontal
    n_bars = np.where(vertical, images[:, 0, :].sum(axis=1), images[:, :, 0].sum(axis=1))
    p = np.array([math.comb(size, k) * p_bar**k * (1 - p_bar) ** (size - k) for k in range(size + 1)])
    p[[0] * ("blank" in exclude) + [size] * ("full" in exclude)] = 0
    assert_frequencies(np.bincount(n_bars.astype(np.int64), minlength=size + 1), p / p.sum())
    assert_frequencies(np.bincount(vertical[~both], minlength=2), [0.3, 0.7])
    places = np.concatenate([images[vertical & ~both][:, 0, :], images[horizontal & ~both][:, :, 0]]).sum(axis=0)
    assert_frequencies(places, [1 / size] * size)


TINY = [5e-324, 1e-300, 1e-100, 1e-17, 1e-16, 3e-9]
EXTREME = [*TINY, 0.2, 0.5, 1 - 2.0**-53, 1 - 1e-16, 1 - 3e-9]


def log_of(fraction):
    """Return the logarithm of a fraction, however large or small."""
    return math.log(fraction.numerator) - math.log(fraction.denominator) if fraction else -math.inf


def weight(bars, p_bar, exclude):
    """Return how probable this choice of bars is among those that are not excluded, but for a factor, exactly."""
    if ("full" in exclude and all(bars)) or ("blank" in exclude and not any(bars)):
        return Fraction(0)
    p = Fraction(p_bar)
    return math.prod((p if on else 1 - p for on in bars), start=Fraction(1))


@excludes
@pytest.mark.parametrize("p_bar", EXTREME)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_bar_follows_from_those_before_it_by_exact_arithmetic(size, p_bar, exclude):
    """By enumeration of the bars that may come after it, in fractions."""
    choices = list(itertools.product((0, 1), repeat=size))
    if not any(weight(bars, p_bar, exclude) for bars in choices):
        with pytest.raises(ValueError, match="no image is left"):
            Bars(size, p_bar=p_bar, exclude=exclude)
        return
    logits = Bars(size, p_bar=p_bar, exclude=exclude)._bar_logits
    for k in range(size):
        for before in itertools.product((0, 1), repeat=k):
            there, absent = (
                sum(weight(bars, p_bar, exclude) for bars in choices if bars[: k + 1] == (*before, on)) for on in (1, 0)
            )
            if there or absent:
                column = 1 if all(before) else 2 if not any(before) else 0
                assert logits[k, column] == pytest.approx(log_of(there) - log_of(absent), rel=1e-6, abs=1e-6)


@excludes
@pytest.mark.parametrize("p_bar", EXTREME)
def test_distribution_is_that_of_exact_arithmetic(p_bar, exclude):
    patterns, p = Bars(3, 1, p_bar, exclude).distribution()
    total = sum(weight(bars, p_bar, exclude) for bars in itertools.product((0, 1), repeat=3))
    for image, found in zip(patterns.tolist(), p.tolist(), strict=True):
        assert found == pytest.approx(float(weight(image[:3], p_bar, exclude) / total), rel=1e-12, abs=1e-307)


@pytest.mark.parametrize("p_bar", TINY)
def test_bars_too_rare_to_be_seen_are_all_there_is_where_blanks_are_excluded(p_bar):
    """One bar each, and each as often as the others. False alarms: < 1e-6 each."""
    bars = Bars(4, 1, p_bar, "blank").sample(draws(20_000))[:, :4]
    assert (bars.sum(axis=1) == 1).all()
    assert_frequencies(bars.sum(axis=0), [0.25] * 4)
    absent = 1 - Bars(4, 1, 1 - max(p_bar, 2.0**-53), "full").sample(draws(20_000))[:, :4]
    assert (absent.sum(axis=1) == 1).all()
    assert_frequencies(absent.sum(axis=0), [0.25] * 4)


# Seeds.


def test_streams_of_adjacent_seeds_are_independent():
    """28 pairs of seeds 0 to 7, image by image; false alarms: < 1e-6 in all."""
    n = draws(40_000)
    expected = probabilities(4, 2 / 3, 0.2)
    p = np.array(list(expected.values()))
    numbers = {image: i for i, image in enumerate(expected)}
    streams = [np.array([numbers[tuple(image)] for image in Bars().sample(n, seed).tolist()]) for seed in range(8)]
    for a, b in itertools.combinations(streams, 2):
        counts = np.bincount(a * len(p) + b, minlength=len(p) ** 2)
        assert chi_square_p_value(counts, np.outer(p, p)) > FALSE_ALARM / 28


def test_streams_of_adjacent_seeds_are_no_permutations_of_each_other():
    """An image of 64 bars comes twice by chance once in 2^65 pairs: in 8 streams of 2,000 images, never (1e-11)."""
    n = draws(2000)
    images = [image.tobytes() for seed in range(8) for image in Bars(64, 0.5, 0.5).sample(n, seed)]
    assert len(set(images)) == 8 * n


def test_sample_is_reproducible():
    np.testing.assert_array_equal(Bars().sample(50, seed=3), Bars().sample(50, seed=3))
    np.testing.assert_array_equal(Bars().sample(100, seed=3)[:50], Bars().sample(50, seed=3))


# What Bars is given.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0}, "size is 0; it must be at least 1"),
        ({"size": 4.0}, r"size is 4\.0; give a whole number"),
        ({"p_vertical": 1.1}, r"p_vertical is 1\.1; a probability lies between 0 and 1"),
        ({"p_bar": float("nan")}, "p_bar is nan"),
        ({"exclude": ["all"]}, "exclude has 'all'; the images that can be left out are 'full' and 'blank'"),
        ({"exclude": "blanc"}, "exclude has 'blanc'"),
        ({"exclude": [1]}, "exclude has 1"),
    ],
)
def test_wrong_bars(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Bars(**arguments)


def test_exclude_may_be_one_word():
    assert Bars(exclude="full").exclude == Bars(exclude=["full", "full"]).exclude == ("full",)
    assert repr(Bars(3, 0.5, 0.25, "full")) == "Bars(size=3, p_vertical=0.5, p_bar=0.25, exclude=('full',))"


@pytest.mark.parametrize(("n", "seed", "message"), [(0, 0, "n is 0"), (1.5, 0, "n is 1.5"), (1, -1, "seed is -1")])
def test_wrong_sample(n, seed, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Bars().sample(n, seed)


# Images.

X = np.random.default_rng(0).integers(0, 2, (11, 9))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float64])
def test_images_of_any_type_are_the_same(dtype):
    images = Images(X.astype(dtype))
    np.testing.assert_array_equal(images.x, X)
    assert images.x.dtype == np.uint8
    assert (len(images), images.n_inputs, repr(images)) == (11, 9, "Images(11 of 9 units)")


@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_images_are_used_where_they_are(dtype, tmp_path):
    x = X.astype(dtype)
    assert np.shares_memory(Images(x).x, x)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(Images(mapped).x, mapped)


def test_learning_is_the_same_from_a_read_only_file(tmp_path):
    np.save(tmp_path / "x.npy", X.astype(np.uint8))
    found = []
    for x in (X, X.tolist(), np.asfortranarray(X), np.load(tmp_path / "x.npy", mmap_mode="r")):
        machine = random_machine([9, 3])
        Simulation(machine, Images(x), [(30, 0.1)]).advance()
        found.append(parameter_bits(machine))
    for bits in found[1:]:
        np.testing.assert_array_equal(bits, found[0])


def test_distribution_of_images_counts_them():
    patterns, p = Images([[0, 1], [1, 1], [0, 1], [0, 1]]).distribution()
    assert patterns.tolist() == [[0, 1], [1, 1]]
    assert p.tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((0, 4)), "x is empty"),
        ([[0, 1], [1]], "x is not a rectangular array"),
        ([[0, 1], [1, 3]], r"x\[1, 1\] is 3; every input unit is 0 or 1"),
        ([[0, float("nan")]], r"x\[0, 1\] is nan"),
        (np.zeros((2, 3, 4)), "x has 3 dimensions"),
        ("images.npz", "x has 0 dimensions"),
    ],
)
def test_wrong_images(x, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Images(x)


def test_a_sweep_visits_every_image_once():
    """From zeros, one example raises the generative biases of the inputs that are on, and lowers the others."""
    n = 20
    machine, order = Machine([n, 1]), []
    run = Simulation(machine, Images(np.eye(n)), [(3 * n, 1e-3)])
    for _ in range(3 * n):
        for array in parameter_arrays(machine):
            array[...] = 0
        run.advance(1)
        order.append(int(machine.gen_biases[0].argmax()))
    sweeps = [order[:n], order[n : 2 * n], order[2 * n :]]
    assert all(sorted(sweep) == list(range(n)) for sweep in sweeps)
    assert sweeps[0] != sweeps[1] != sweeps[2]


def in_order(images, machine, n_examples, seed=0):
    """Return which rows of an identity matrix a run of a seed learns from next."""
    order = []
    run = Simulation(machine, images, [(n_examples, 1e-3)], seed=seed)
    for _ in range(n_examples):
        for array in parameter_arrays(machine):
            array[...] = 0
        run.advance(1)
        order.append(int(machine.gen_biases[0].argmax()))
    return order


def order_of(images, machine):
    """Return the order of the sweep under way."""
    _, source = learning._kept[images][machine]
    return source.orders[0]


def test_images_are_shuffled_once_a_sweep_however_many_calls_there_are():
    """What is put in the place of the order is followed until the sweep ends: no call draws the order again."""
    n, machine = 20, Machine([20, 1])
    images = Images(np.eye(n))
    run = Simulation(machine, images, [(2 * n, 1e-3)])
    expected = in_order(images, Machine([n, 1]), 2 * n)
    found = []
    for example in range(2 * n):
        for array in parameter_arrays(machine):
            array[...] = 0
        run.advance(1)
        found.append(int(machine.gen_biases[0].argmax()))
        if example == 0:
            order_of(images, machine)[1:] = np.arange(n - 1)
    assert found == [expected[0], *range(n - 1), *expected[n:]]


def test_simulations_that_share_images_have_orders_of_their_own():
    n = 12
    images = Images(np.eye(n))
    machines = [Machine([n, 1]) for _ in range(3)]
    seeds = (1, 2, 1)
    runs = [Simulation(machines[k], images, [(3 * n, 1e-3)], seed=seed) for k, seed in enumerate(seeds)]
    found = [[], [], []]
    for _ in range(3 * n):
        for run, order in zip(runs, found, strict=True):
            for array in parameter_arrays(run.machine):
                array[...] = 0
            run.advance(1)
            order.append(int(run.machine.gen_biases[0].argmax()))
    alone = [in_order(Images(np.eye(n)), Machine([n, 1]), 3 * n, seed) for seed in (1, 2)]
    assert found == [alone[0], alone[1], alone[0]]
    del machines, run, runs
    assert len(learning._kept[images]) == 0


def test_one_machine_may_learn_in_two_simulations_of_the_same_images():
    images, machine = Images(np.eye(9)), Machine([9, 1])
    for seed in (5, 6, 5):
        assert in_order(images, machine, 9, seed) == in_order(Images(np.eye(9)), Machine([9, 1]), 9, seed)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_a_copy_of_a_simulation_of_images_goes_on_to_the_same_bits(duplicate):
    run = Simulation(random_machine([9, 3]), Images(X), [(40, 0.1)]).advance(15)
    other = duplicate(run).advance()
    np.testing.assert_array_equal(parameter_bits(other.machine), parameter_bits(run.advance().machine))


# Descriptions.


@pytest.mark.parametrize("stream", [Bars(3, 0.1, 0.7, "blank"), Images(X)], ids=repr)
def test_a_description_makes_the_stream_again(stream):
    values, arrays = stream.description()
    again = stream_from_description(json.loads(json.dumps(values)), arrays, stream.n_inputs)
    assert repr(again) == repr(stream)
    for a, b in zip(again.distribution(), stream.distribution(), strict=True):
        np.testing.assert_array_equal(a, b)
    if isinstance(stream, Images):
        np.testing.assert_array_equal(again.x, stream.x)


@pytest.mark.parametrize("stream", [Bars(3), Images(X)], ids=repr)
def test_a_description_must_fit(stream):
    for n_inputs in (8, 25):
        with pytest.raises(ValueError, match=rf"^the (bars )?images have .* and the machine {n_inputs} inputs"):
            stream_from_description(*stream.description(), n_inputs)


def test_unknown_description():
    with pytest.raises(ValueError, match=r"^there is no stream of kind 'digits'; this fastws knows 'bars'"):
        stream_from_description({"kind": "digits"}, {}, 9)


@pytest.mark.parametrize("stream", [Bars(3), Images(X)], ids=repr)
def test_a_description_that_does_not_fit_the_machine(stream):
    with pytest.raises(ValueError, match="the machine 100 inputs"):
        stream_from_description(*stream.description(), 100)


@pytest.mark.parametrize("exclude", [None, 3, 0.5])
def test_what_excludes_nothing_that_can_be_named(exclude):
    with pytest.raises(ValueError, match=f"^exclude is {exclude!r}; give 'full', 'blank', both, or an empty tuple"):
        Bars(3, exclude=exclude)
