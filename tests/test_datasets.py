import io
import zipfile

import numpy as np
import pytest
import sklearn.datasets

from fastws.datasets import binarise, image_shape, load_bundled, load_file, load_openml, read_arrays
from fastws.datasets.openml import average_fields, reduce_image
from fastws.streams import Images

# The bundled digits.


def test_bundled_digits_are_split_by_the_seed_and_alike_in_every_class():
    data = load_bundled()
    assert data.x_train.shape == (1200, 64)
    assert data.x_test.shape == (597, 64)
    assert data.x_train.dtype == np.uint8
    assert data.image_shape == (8, 8)
    assert "8 of 16" in data.name
    everything = np.bincount(sklearn.datasets.load_digits().target)
    np.testing.assert_allclose(np.bincount(data.y_train), everything * 1200 / 1797, atol=1)
    np.testing.assert_array_equal(np.bincount(data.y_train) + np.bincount(data.y_test), everything)
    same, other = load_bundled(0), load_bundled(1)
    np.testing.assert_array_equal(same.x_train, data.x_train)
    assert not np.array_equal(other.x_train, data.x_train)
    rows = np.concatenate([data.x_train, data.x_test])
    grey = sklearn.datasets.load_digits().data > 8
    assert sorted(map(bytes, rows)) == sorted(map(bytes, grey.astype(np.uint8)))


def test_threshold_and_seeds_of_the_bundled_digits():
    assert (
        load_bundled(threshold=4).x_train.mean()
        > load_bundled().x_train.mean()
        > load_bundled(threshold=12).x_train.mean()
    )
    assert "4.5 of 16" in load_bundled(threshold=4.5).name
    assert load_bundled(seed=2**40 + 1).x_train.shape == (1200, 64)
    with pytest.raises(ValueError, match="seed is -1; it must be at least 0"):
        load_bundled(-1)
    with pytest.raises(ValueError, match="all training images are the same"):
        load_bundled(threshold=16)


# Files.


def arrays(n_train=12, n_test=6, n_pixels=16, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 2, (n_train, n_pixels), np.uint8),
        "y_train": np.arange(n_train) % 3,
        "x_test": rng.integers(0, 2, (n_test, n_pixels), np.uint8),
        "y_test": np.arange(n_test) % 3,
    }


@pytest.fixture
def file(tmp_path):
    """Return a function that writes arrays, some of them changed or left out, and returns the path."""

    def write(**changes):
        content = {name: array for name, array in {**arrays(), **changes}.items() if array is not None}
        np.savez(tmp_path / "set.npz", **content)
        return tmp_path / "set.npz"

    return write


def test_file(file):
    data = load_file(file())
    for name, array in arrays().items():
        np.testing.assert_array_equal(getattr(data, name), array)
    assert (data.name, data.image_shape) == ("set.npz", (4, 4))
    assert data.x_train.dtype == data.x_test.dtype == np.uint8


def test_compressed_file_and_further_arrays(tmp_path):
    np.savez_compressed(tmp_path / "set.npz", **arrays(), threshold=0.15, shape=[2, 8])
    data = load_file(str(tmp_path / "set.npz"))
    np.testing.assert_array_equal(data.x_train, arrays()["x_train"])
    assert data.image_shape == (2, 8)


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.float64, ">i2"])
def test_types_of_pixels(file, dtype):
    x = arrays()["x_train"]
    np.testing.assert_array_equal(load_file(file(x_train=x.astype(dtype))).x_train, x)


def test_grey_pixels_with_a_threshold(file):
    rng = np.random.default_rng(0)
    train, test = rng.random((12, 16)), rng.integers(0, 17, (6, 16))
    data = load_file(file(x_train=train, x_test=test), 0.5)
    np.testing.assert_array_equal(data.x_train, train > 0.5)
    np.testing.assert_array_equal(data.x_test, test > 0.5)
    assert data.x_train.dtype == np.uint8


def test_images_in_three_dimensions_have_their_shape(file):
    given = arrays()
    data = load_file(file(x_train=given["x_train"].reshape(12, 8, 2), x_test=given["x_test"].reshape(6, 8, 2)))
    np.testing.assert_array_equal(data.x_train, given["x_train"])
    assert data.image_shape == (8, 2)


@pytest.mark.parametrize("labels", [np.uint8, np.int16, np.float64, np.float32, np.float16, str, bool])
def test_types_of_labels(file, labels):
    y_train, y_test = np.arange(12) % 2, np.arange(6) % 2
    data = load_file(file(y_train=y_train.astype(labels), y_test=y_test.astype(labels)))
    np.testing.assert_array_equal(data.y_train, y_train.astype(labels))
    assert data.y_train.dtype.kind in "iubU"


def bad_pixel(value):
    x = arrays()["x_train"].astype(float)
    x[7, 3] = value
    return x


GIVEN = arrays()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "has no x_test; it has x_train, y_train, y_test"),
        ({"y_train": GIVEN["y_train"][:-1]}, "x_train has 12 images and y_train has 11 labels; give one label each"),
        ({"y_test": GIVEN["y_train"]}, "x_test has 6 images and y_test has 12 labels"),
        ({"y_train": np.zeros(12, int)}, "y_train has one class only, 0; give images of two classes at least"),
        ({"y_test": np.array([0, 1, 2, 0, 1, 7])}, "y_test has the class 7, of which there is no training image"),
        ({"y_test": np.array(list("012012"))}, "y_train holds int64 and y_test <U1; give labels of one type"),
        ({"y_train": GIVEN["y_train"] + 0.5}, "y_train has shape .* float64; give one label an image"),
        ({"y_train": np.full(12, np.nan)}, "y_train has shape .* float64; give one label an image"),
        ({"y_train": np.full(12, 1e300)}, "y_train has shape .* float64; give one label an image"),
        ({"y_train": np.eye(12)}, r"y_train has shape \(12, 12\)"),
        ({"y_train": GIVEN["y_train"].astype("S1")}, r"y_train has shape .* \|S1; give one label an image"),
        ({"x_train": bad_pixel(np.nan)}, "x_train has NaN among its pixels"),
        ({"x_train": bad_pixel(0.5)}, r"x_train\[7, 3\] is 0.5; every input unit is 0 or 1.* --threshold does that"),
        ({"x_train": bad_pixel(2)}, r"x_train\[7, 3\] is 2.0; every input unit"),
        ({"x_train": bad_pixel(np.inf)}, r"x_train\[7, 3\] is inf; every input unit"),
        ({"x_train": np.ones((12, 16))}, "all training images are the same; there is nothing to tell apart"),
        ({"x_test": GIVEN["x_test"][:, 1:]}, "x_train has 16 pixels an image, x_test has 15"),
        (
            {"x_train": np.empty((0, 16))},
            r"x_train is empty \(shape \(0, 16\)\); give at least one row and one column\.$",
        ),
        ({"x_test": np.empty((0, 16)), "y_test": np.empty(0)}, "x_test is empty"),
        ({"x_train": np.empty((12, 0))}, "x_train is empty"),
        ({"x_train": np.empty((0, 4, 4))}, "x_train is empty"),
        ({"x_train": np.zeros((12, 2, 2, 4))}, "x_train has 4 dimensions"),
        ({"x_train": np.zeros(())}, "x_train has 0 dimensions"),
        ({"x_train": GIVEN["x_train"].astype("U1")}, "x_train holds <U1; give numbers"),
        ({"x_train": GIVEN["x_train"] + 0j}, "x_train holds complex128; give numbers"),
        ({"shape": [3, 5]}, "images of 3 x 5 do not have 16 pixels"),
        ({"shape": [-4, -4]}, "images of -4 x -4 do not have 16 pixels"),
        ({"shape": [4, 4, 1]}, r"shape is \[4, 4, 1\]; give the height and width"),
        ({"shape": [4.0, np.nan]}, r"shape is \[4.0, nan\]; give the height and width"),
        ({"shape": 4}, "shape is 4; give the height and width"),
    ],
)
def test_bad_arrays(file, changes, message):
    with pytest.raises(ValueError, match=message):
        load_file(file(**changes))


@pytest.mark.parametrize(
    ("x", "threshold", "message"),
    [
        (bad_pixel(np.nan), 0.5, "x has NaN among its pixels"),
        (arrays()["x_train"].astype("U1"), 0.5, "x holds <U1; give numbers"),
        (arrays()["x_train"], float("nan"), "the threshold is nan"),
        (np.empty((0, 4)), 0.5, "x is empty"),
    ],
)
def test_what_a_threshold_does_not_help(x, threshold, message):
    with pytest.raises(ValueError, match=message):
        binarise(x, threshold, "x")


class Trap:
    """An object that tells when it is unpickled."""

    sprung = False

    def __reduce__(self):
        return setattr, (Trap, "sprung", True)


def trap(*names):
    """Return arrays of which those of these names hold objects."""
    return {name: np.array([Trap(), Trap()], dtype=object) for name in names}


@pytest.mark.parametrize("names", [("x_train",), ("y_test",), ("something_else",)])
def test_objects_are_refused_and_not_unpickled(tmp_path, names):
    np.savez(tmp_path / "set.npz", **{**arrays(), **trap(*names)})
    with pytest.raises(ValueError, match=r"set\.npz holds Python objects, which are not unpickled"):
        load_file(tmp_path / "set.npz")
    np.save(tmp_path / "one.npy", *trap("x").values())
    with pytest.raises(ValueError, match=r"one\.npy holds Python objects, which are not unpickled"):
        read_arrays(tmp_path / "one.npy")
    assert not Trap.sprung


def archive(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def whole():
    file = io.BytesIO()
    np.savez(file, **arrays())
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.",
        b"PK\x03\x04 no archive",
        b"\x93NUMPY\x01\x00",
        b"\x93NUMPY\x01\x00\x08\x00garbage\n",
        whole()[:-1],
        whole()[: len(whole()) // 2],
        whole()[:100] + b"\xff" * 8 + whole()[108:],
    ],
)
def test_files_that_are_no_arrays_or_damaged(tmp_path, content):
    (tmp_path / "set.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"set\.npz is not an \.npz or \.npy file of arrays, or it is damaged"):
        load_file(tmp_path / "set.npz")


def test_archives_of_something_else(tmp_path):
    (tmp_path / "set.npz").write_bytes(archive(x_train="text", y_train="text", x_test="text", y_test="text"))
    with pytest.raises(ValueError, match=r"set\.npz is .* no array of NumPy; if it is an archive of images, unpack it"):
        load_file(tmp_path / "set.npz")
    (tmp_path / "set.npz").write_bytes(archive())
    with pytest.raises(ValueError, match="it has nothing"):
        load_file(tmp_path / "set.npz")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        load_file(tmp_path / "nowhere.npz")
    with pytest.raises(OSError, match=tmp_path.name):
        load_file(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, bool])
def test_npy_files_stay_on_disk(tmp_path, dtype):
    """From the file to what a simulation learns from, there is no copy."""
    x = arrays(50)["x_train"].astype(dtype)
    np.save(tmp_path / "x.npy", x)
    mapped = read_arrays(tmp_path / "x.npy")["x"]
    assert mapped.filename == tmp_path / "x.npy"  # a copy of a mapped array has none
    images = Images(binarise(mapped, None, "x"))
    assert np.shares_memory(images.x, mapped)
    # Kernels are compiled for this once, not again for arrays that are read-only.
    assert images.x.flags.writeable
    images.x[0, 0] ^= 1
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), x)


@pytest.mark.parametrize("cut", [-1, 128, 100])
def test_truncated_npy_file(tmp_path, cut):
    np.save(tmp_path / "x.npy", arrays()["x_train"])
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content[:cut])
    with pytest.raises(ValueError, match=r"x\.npy is not an \.npz or \.npy file of arrays, or it is damaged"):
        read_arrays(tmp_path / "x.npy")


def test_empty_npy_file(tmp_path):
    np.save(tmp_path / "x.npy", np.empty((0, 4), np.uint8))
    with pytest.raises(ValueError, match=r"x is empty|x.npy is not"):
        binarise(read_arrays(tmp_path / "x.npy")["x"], None, "x")


# Shapes.


@pytest.mark.parametrize(
    ("n", "given", "expected"), [(64, None, (8, 8)), (1, None, (1, 1)), (10, None, (1, 10)), (10, (5, 2), (5, 2))]
)
def test_image_shape(n, given, expected):
    assert image_shape(n, given) == expected


# Reduction.


def brute_force_means(square, side):
    """Cut every pixel into side x side parts, so that each field is a whole number of parts."""
    n = len(square)
    fine = square.repeat(side, axis=0).repeat(side, axis=1)
    return fine.reshape(side, n, side, n).mean(axis=(1, 3))


@pytest.mark.parametrize("n", [1, 5, 8, 13, 16, 20, 28])
def test_fields_are_area_averages(n):
    square = np.random.default_rng(n).random((n, n))
    np.testing.assert_allclose(average_fields(square), brute_force_means(square, 8), rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_reduced_image_is_the_box_around_the_ink(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 20, 2)
    top, left = rng.integers(0, 28 - height), rng.integers(0, 28 - width)
    image = rng.random((28, 28)) * 0.2  # fainter than ink
    ink = rng.random((height, width))
    ink[[0, -1]] = ink[:, [0, -1]] = 1
    image[top : top + height, left : left + width] = ink
    n = max(height, width)
    square = np.zeros((n, n))
    down, right = (n - height) // 2, (n - width) // 2
    square[down : down + height, right : right + width] = ink
    np.testing.assert_allclose(reduce_image(image), brute_force_means(square, 8), rtol=1e-12)


def test_an_image_without_ink_is_blank():
    np.testing.assert_array_equal(reduce_image(np.full((28, 28), 0.2)), np.zeros((8, 8)))


# OpenML.


class Fetched:
    def __init__(self, data, target):
        self.data, self.target = data, target


def openml(monkeypatch, side, labels, low, high):
    """Stand in for OpenML; return the images in [0, 1], in the order of the labels, and what was asked for."""
    rng = np.random.default_rng(0)
    grey, asked = rng.random((len(labels), side * side)), {}
    grey[0, 0], grey[0, 1] = 0, 1

    def fetch(**arguments):
        asked.update(arguments)
        return Fetched(low + (high - low) * grey, np.array(labels).astype(object))

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    return grey.reshape(-1, side, side), asked


@pytest.mark.parametrize(
    ("which", "number", "side", "first_label", "low", "high"),
    [("usps", 41082, 16, 1, -1.0, 1.0), ("mnist", 554, 28, 0, 0.0, 255.0)],
)
def test_openml(monkeypatch, which, number, side, first_label, low, high):
    digits = np.random.default_rng(1).permutation(np.repeat(np.arange(10), 705))
    grey, asked = openml(monkeypatch, side, [str(digit + first_label) for digit in digits], low, high)
    data = load_openml(which)
    assert asked["data_id"] == number
    assert asked["as_frame"] is False
    assert data.name == f"{which} from OpenML, 8 x 8"
    assert data.image_shape == (8, 8)
    np.testing.assert_array_equal(np.bincount(data.y_train), [700] * 10)
    np.testing.assert_array_equal(np.bincount(data.y_test), [5] * 10)
    if which == "usps":
        expected = grey.reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)) > 0.15
    else:
        expected = np.array([reduce_image(image) for image in grey]) > 0.20
    pairs = sorted(zip(map(bytes, expected.astype(np.uint8)), digits.tolist(), strict=True))
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    assert sorted(zip(map(bytes, x), y.tolist(), strict=True)) == pairs
    np.testing.assert_array_equal(load_openml(which).x_test, data.x_test)


@pytest.mark.parametrize("pandas", [None, "a specification"])
def test_openml_needs_no_pandas(monkeypatch, pandas):
    """scikit-learn's default parser does."""
    _, asked = openml(monkeypatch, 16, np.repeat(np.arange(10), 702), 0, 1)
    monkeypatch.setattr("fastws.datasets.openml.find_spec", lambda name: pandas)
    load_openml("usps")
    assert asked["parser"] == ("pandas" if pandas else "liac-arff")


@pytest.mark.parametrize("error", [OSError("Name or service not known"), ValueError("wrong checksum")])
def test_openml_that_cannot_be_reached(monkeypatch, error):
    def fetch(**arguments):
        raise error

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    with pytest.raises(
        OSError, match=f"^mnist cannot be fetched from OpenML .{error}.* Connect to the internet, or give"
    ):
        load_openml("mnist")
