"""Images in the formats that they come in: each is written here by hand or by the library whose format it is."""

import gzip
import io
import os
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from fastws import datasets
from fastws.datasets import load, load_file

RNG = np.random.default_rng(7)
X = RNG.integers(0, 2, (12, 4, 3), np.uint8)
Y = np.arange(12) % 3
ROWS = X.reshape(12, 12)
GREY = RNG.integers(0, 256, (12, 4, 3), np.uint8)


def idx(array, kind=0x08, dtype="u1"):
    """Return a file as the page of MNIST describes it."""
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.astype(dtype).tobytes()


def save_npz(folder):
    np.savez(folder / "a.npz", x=X, y=Y)
    return folder / "a.npz", {}


def save_key(folder):
    np.savez_compressed(folder / "a.npz", other=X[:3], pictures=X[..., np.newaxis], labels=Y[:, np.newaxis])
    return folder / "a.npz", {"key": "pictures"}


def save_idx(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(idx(X))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(Y))
    return folder / "train-images-idx3-ubyte", {}


def save_idx_gz(folder):
    (folder / "emnist-train-images.idx3-ubyte.gz").write_bytes(gzip.compress(idx(X)))
    (folder / "emnist-train-labels.idx1-ubyte").write_bytes(idx(Y))
    return folder / "emnist-train-images.idx3-ubyte.gz", {}


def save_folder_of_idx(folder):
    save_idx(folder)
    return folder, {}


def save_csv(folder):
    (folder / "a.csv").write_text("\n".join(",".join(map(str, [y, *x])) for x, y in zip(ROWS, Y, strict=True)))
    return folder / "a.csv", {"label_column": "first"}


def save_csv_with_header(folder):
    rows = ["label;" + ";".join(f"pixel{k}" for k in range(12))]
    rows += [";".join(map(str, [y, *x])) for x, y in zip(ROWS, Y, strict=True)]
    (folder / "a.csv").write_text("\n" + "\n".join(rows) + "\n\n", encoding="utf-8-sig")
    return folder / "a.csv", {}


def save_csv_numbered(folder):
    """A header of whole numbers, as pandas writes it, and the labels last."""
    rows = [",".join(map(str, range(13)))]
    rows += [",".join(map(str, [*x, y])) for x, y in zip(ROWS, Y, strict=True)]
    (folder / "a.txt.gz").write_bytes(gzip.compress("\r\n".join(rows).encode()))
    return folder / "a.txt.gz", {"label_column": "last"}


def save_mat(folder):
    savemat(folder / "a.mat", {"X": X.astype(float), "y": Y[:, np.newaxis], "info": {"of": "cells"}, "name": "text"})
    return folder / "a.mat", {"key": "X"}


def save_mat_compressed(folder):
    savemat(folder / "a.mat", {"images": X, "labels": Y}, do_compression=True)
    return folder / "a.mat", {"key": "images"}


def save_mat_4(folder):
    savemat(folder / "a.mat", {"x": ROWS, "y": Y}, format="4")
    return folder / "a.mat", {}


def save_folder(folder):
    for number, (image, label) in enumerate(zip(X, Y, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image.astype(bool)).save(folder / str(label) / f"{number:02}.png")
    (folder / ".hidden").mkdir()
    (folder / "0" / "notes.txt").write_text("no picture")
    return folder, {}


SAVED = [
    save_npz,
    save_key,
    save_idx,
    save_idx_gz,
    save_folder_of_idx,
    save_csv,
    save_csv_with_header,
    save_csv_numbered,
    save_mat,
    save_mat_compressed,
    save_mat_4,
    save_folder,
]


@pytest.mark.parametrize("save", SAVED)
@pytest.mark.parametrize("part", ["train", "test"])
def test_own_images_are_read_as_people_have_them(tmp_path, save, part):
    path, how = save(tmp_path)
    found = load(str(path), part, **how)
    order = np.argsort(Y, kind="stable") if save is save_folder else np.arange(12)
    np.testing.assert_array_equal(found.x, ROWS[order])
    assert found.y.tolist() == ([str(y) for y in Y[order]] if save is save_folder else Y.tolist())
    assert (found.x.dtype, found.x.flags.c_contiguous, found.name) == (np.uint8, True, path.name)
    keeps_shape = save not in (save_csv, save_csv_with_header, save_csv_numbered, save_mat_4)
    assert found.image_shape == ((4, 3) if keeps_shape else (1, 12))


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", X.astype(bool))
    found = load(tmp_path / "a.npy")
    np.testing.assert_array_equal(found.x, ROWS)
    assert (found.y, found.files) == (None, None)


def test_the_part_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X[:5], y_test=Y[:5])
    save_idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(X[:5]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(Y[:5]))
    for path in (tmp_path / "a.npz", tmp_path):
        assert [len(load(path, part).x) for part in ("train", "test")] == [12, 5]
        assert [len(load(path, part).y) for part in ("train", "test")] == [12, 5]
    # A file of images is what it is, whatever lies beside it.
    assert len(load(tmp_path / "train-images-idx3-ubyte", "test").x) == 12


@pytest.mark.parametrize(
    ("kind", "dtype"), [(0x08, ">u1"), (0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_every_type_of_idx(tmp_path, kind, dtype):
    (tmp_path / "images").write_bytes(idx(X, kind, dtype))
    np.testing.assert_array_equal(load(tmp_path / "images").x, ROWS)


def test_labels_that_are_text(tmp_path):
    names = np.array(["cat", "dog", "a b"])[Y]
    rows = [",".join(map(str, [*x, f'"{name}"'])) for x, name in zip(ROWS, names, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    assert load(tmp_path / "a.csv", label_column="last").y.tolist() == names.tolist()


def test_folder_with_its_parts(tmp_path):
    for part, some in (("train", X), ("test", X[:6])):
        for number, image in enumerate(some):
            place = tmp_path / part / "abc"[Y[number]]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image * 255).save(place / f"{number:02}.bmp")
    data = load_file(tmp_path, threshold=127)
    assert (len(data.x_train), len(data.x_test)) == (12, 6)
    assert sorted(set(data.y_train.tolist())) == ["a", "b", "c"]


def test_names_of_pictures(tmp_path):
    for name in ("b.png", "a.png"):
        Image.fromarray(X[0].astype(bool)).save(tmp_path / name)
    assert load(tmp_path).files.tolist() == ["a.png", "b.png"]


def test_colours_are_grey_and_what_is_transparent_is_white(tmp_path):
    red, clear = np.zeros((2, 2, 2, 4), np.uint8)
    red[...] = (255, 0, 0, 255)
    clear[:, 1] = (0, 0, 0, 255)  # else transparent black
    Image.fromarray(red).save(tmp_path / "0.png")
    Image.fromarray(clear).save(tmp_path / "1.png")
    # A red is 0.299 of white.
    np.testing.assert_array_equal(load(tmp_path, threshold=75).x, [[1, 1, 1, 1], [1, 0, 1, 0]])
    np.testing.assert_array_equal(load(tmp_path, threshold=77).x, [[0, 0, 0, 0], [1, 0, 1, 0]])


# Grey.


def test_grey_needs_to_be_told_how_and_the_range_is_said(tmp_path):
    np.save(tmp_path / "a.npy", np.clip(GREY, 3, 250))
    with pytest.raises(ValueError, match=r"run from 3 to 250.*--threshold does that, or --binarise SEED"):
        load(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("x", "white"),
    [(GREY, 255), (GREY / 255, 1), (GREY // 16, 16), (GREY.astype(np.uint16) * 257, 65535), (X, 1), (X > 0, 1)],
)
def test_a_pixel_is_on_with_its_grey_level_as_probability_fixed_by_the_seed(tmp_path, x, white):
    np.save(tmp_path / "a.npy", x)
    for seed in (0, 5):
        # NumPy's own way from PCG64 to [0, 1).
        uniform = np.random.default_rng(seed).random(x.shape)
        expected = (uniform < np.asarray(x, float) / white).reshape(12, 12)
        np.testing.assert_array_equal(load(tmp_path / "a.npy", binarise=seed).x, expected)


def test_drawing_does_not_depend_on_the_size_of_blocks(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", GREY)
    whole = load(tmp_path / "a.npy", binarise=3).x
    monkeypatch.setattr("fastws.datasets.pixels._BLOCK", 30)
    np.testing.assert_array_equal(load(tmp_path / "a.npy", binarise=3).x, whole)


@pytest.mark.parametrize(
    ("x", "how", "message"),
    [
        (
            GREY - 5.0,
            {"binarise": 0},
            r"run from -.*; grey levels .* run from 0 to 1, 16, 255",
        ),
        (GREY * 1e9, {"binarise": 0}, "grey levels that are probabilities"),
        (np.full((3, 4), np.inf), {"binarise": 0}, "grey levels that are probabilities"),
        (GREY, {"binarise": -1}, "the seed to binarise with is -1"),
        (GREY, {"binarise": 1.5}, "the seed to binarise with is 1.5"),
        (GREY, {"binarise": 0, "threshold": 1}, "do not go together"),
        (GREY * 0.0 + np.nan, {"binarise": 0}, "NaN among its pixels"),
        (np.zeros((0, 4)), {"binarise": 0}, "x is empty"),
    ],
)
def test_what_cannot_be_drawn(tmp_path, x, how, message):
    np.save(tmp_path / "a.npy", x)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "a.npy", **how)


# Blank.


@pytest.mark.parametrize("threshold", [1, 127, np.inf, -1, -np.inf])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_threshold_on_the_wrong_scale_is_an_error_that_says_the_range(tmp_path, threshold, part):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ValueError, match=r"are the same: .* pixel lies above .*, since they run from 0 to 1"):
        load(tmp_path / "a.npy", part, threshold=threshold)
    assert load(tmp_path / "a.npy", part, threshold=0).x.any()


@pytest.mark.parametrize("threshold", [np.nan, True, np.True_, "1", None.__class__, 1j])
def test_thresholds_that_are_none(tmp_path, threshold):
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ValueError, match=r"the threshold is .*; give a number that pixels lie above or below"):
        load(tmp_path / "a.npy", threshold=threshold)


@pytest.mark.parametrize("level", [0, 1, 200])
def test_blank_images_are_nothing_to_learn_from_but_can_be_read(tmp_path, level):
    np.save(tmp_path / "a.npy", np.full((3, 4), level))
    threshold = None if level < 2 else 100
    with pytest.raises(ValueError, match=f"all images are the same; .* every pixel is {level}"):
        load(tmp_path / "a.npy", threshold=threshold)
    assert len(load(tmp_path / "a.npy", "test", threshold=threshold).x) == 3


def test_a_single_image_may_be_blanked_where_it_is_read(tmp_path):
    np.save(tmp_path / "a.npy", GREY[:1])
    assert not load(tmp_path / "a.npy", "test", threshold=300).x.any()
    with pytest.raises(ValueError, match="all images are the same"):
        load(tmp_path / "a.npy", threshold=300)


# What is wrong with files.


def put(name, content):
    def write(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return write


def put_idx(images, labels):
    def write(folder):
        (folder / "train-images-idx3-ubyte").write_bytes(images)
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)
        return folder / "train-images-idx3-ubyte"

    return write


def put_pictures(**pictures):
    def write(folder):
        for name, content in pictures.items():
            place = folder / name.replace("__", "/").replace("_", ".")
            place.parent.mkdir(exist_ok=True)
            if isinstance(content, bytes):
                place.write_bytes(content)
            else:
                Image.fromarray(content).save(place)
        return folder

    return write


def put_npz(**arrays):
    def write(folder):
        np.savez(folder / "a.npz", **arrays)
        return folder / "a.npz"

    return write


def put_mat(**arrays):
    def write(folder):
        savemat(folder / "a.mat", arrays)
        return folder / "a.mat"

    return write


def mat_of_unknown_type(folder):
    """Real parts of type 166, which SciPy looks up beyond the end of its table."""
    path = put_mat(x=ROWS)(folder)
    content = bytearray(path.read_bytes())
    place = content.index(bytes(ROWS.T.ravel())) - 8
    assert content[place] == 2
    content[place] = 166
    path.write_bytes(content)
    return path


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def several(images, kind="gif"):
    """Return a file of several pictures."""
    file = io.BytesIO()
    first, *others = map(Image.fromarray, images)
    first.save(file, kind, save_all=True, append_images=others)
    return file.getvalue()


def put_missing_picture(folder):
    put_pictures(a_png=GREY[0])(folder)
    (folder / "b.png").symlink_to("nowhere.png")
    return folder


HUGE = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**31, 2**31)
OBJECTS = np.array([{}, "a"], dtype=object)


@pytest.mark.parametrize(
    ("write", "how", "message"),
    [
        (
            put("a-images", idx(X)[:-1]),
            {},
            "header says 12 x 4 x 3 numbers, which are 144 bytes, and only",
        ),
        (put("a-images", idx(X) + b"\0"), {}, "and more follow"),
        (put("a-images", idx(X)[:9]), {}, "it ends within its header"),
        (put("a-images", HUGE), {}, "only 0 follow"),
        (put("a-images.gz", gzip.compress(HUGE)), {}, "only 0 follow"),
        (put("a-images.gz", gzip.compress(idx(X))[:-9]), {}, "damaged"),
        (put("a-images.gz", gzip.compress(idx(X))[:12]), {}, "damaged"),
        (put("labels", idx(Y)), {}, "numbers in one dimension, as labels have; give the file of the images"),
        (put_idx(idx(X), idx(Y[:5])), {}, "x has 12 images and there are 5 labels"),
        (put_idx(idx(X), b"rubbish"), {}, "train-labels-idx1-ubyte is not an IDX file"),
        (put_idx(idx(X), idx(X)), {}, r"y has shape \(12, 4, 3\)"),
        (put("a.csv", b""), {}, r"a\.csv is not a table of numbers, a row an image \(it is empty\)"),
        (put("a.csv", b"\n \n"), {}, "it is empty"),
        (put("a.csv", b"label,a,b\n"), {}, "it has a header and no row"),
        (put("a.csv", b"0,1,1\n0,1\n"), {}, r"number of columns changed from 3 to 2 at row 2\)"),
        (put("a.csv", b"0,1,1\n0,1,1,1\n"), {}, "number of columns changed from 3 to 4"),
        (put("a.csv", b"a,b,c\n0,1\n1,1\n"), {}, "the header has 3 columns and the rows have 2"),
        (put("a.csv", b"0,1,1\n0,one,1\n"), {}, "could not convert string 'one'"),
        (put("a.csv", b"0,1,1\n0,,1\n"), {}, "could not convert string ''"),
        (put("a.csv", b"0,nan,1\n0,1,1\n"), {}, "NaN among its pixels"),
        (put("a.csv", b"cat,0,1,1\ndog,0,1,0\n"), {}, "could not convert string 'cat'"),
        (put("a.csv", b",0,1\n0,0,1\n1,1,1\n"), {}, "the first column has no name.*index=False"),
        (put("a.csv", b"1\n0\n"), {"label_column": "first"}, "its one column is the labels"),
        (
            put("a.csv", b"2,0,0,1,1\n3,0,1,1,0\n"),
            {"threshold": 0.5},
            "the first may be the labels.*--label-column first",
        ),
        (put("a.csv", b"0,1\n"), {"label_column": "third"}, "is 'third'; choose one of first, last, none"),
        (put("a.csv", b'"' + b"0" * 200_000 + b'",1\n'), {}, "field larger than field limit"),
        (put("a.png", b"\x89PNG"), {}, r"a\.png is one picture; give the folder that it is in"),
        (put("a.csv", b"0,1\n"), {"part": "valid"}, "part is 'valid'; choose one of train, test"),
        (put("a.csv", b"0,1\n"), {"key": "x"}, "has no names in it"),
        (put("a.csv", "0,1\n".encode("utf-16")), {}, "nor text in UTF-8"),
        (put("a.csv", b"\0\1\2\3"), {}, "it does not begin with a line of text"),
        (put("a.csv", b"0," * 10**7), {}, "it does not begin with a line of text"),
        (put("a.pdf", bytes(range(128, 256))), {}, "neither a set of images that fastws knows nor text"),
        (put("a.mat", b"MATLAB 7.3 MAT-file" + bytes(600)), {}, r"MATLAB 7.3, which is HDF5.*save\(\.\.\., '-v7'\)"),
        (put("a.mat", b"\x89HDF\r\n\x1a\n" + bytes(600)), {}, "MATLAB 7.3"),
        (put("a.mat", b""), {}, "not a MATLAB file, or it is damaged"),
        (put("a.mat", b"hello"), {}, "not a MATLAB file, or it is damaged"),
        (put_mat(x=ROWS + 0j), {}, "has no array named x_train or x; it has nothing"),
        (put_mat(x=OBJECTS), {}, "has no array named x_train or x; it has nothing"),
        (put_mat(x={"a": ROWS}), {}, "has no array named x_train or x; it has nothing"),
        (put_mat(z=ROWS), {}, r"it has z\. Choose one by --key"),
        (mat_of_unknown_type, {}, "x has a type or a size that cannot be"),
        (put("a.npz.gz", gzip.compress(npz(x=X))), {}, "is compressed by gzip, .*unpack it first"),
        (put("a.npy.gz", gzip.compress(npz(x=X))), {}, "is compressed by gzip, .*unpack it first"),
        (put("a.mat.gz", gzip.compress(b"MATLAB 5.0 MAT-file" + bytes(200))), {}, "is compressed by gzip"),
        (put("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(600)), {}, "is HDF5, which is not read here.*numpy.savez"),
        (put("a.npz", npz(x=X)[:-40]), {}, "begins as an .npz file, and its end is missing"),
        (put("a-images", bytes([0, 0, 8, 255]) + struct.pack(">I", 1) * 255 + b"\1"), {}, "255 dimensions"),
        (put("a.csv", b"a,label,b\n0,1,1\n"), {}, r"header has label \(column 2\); say which .*--label-column"),
        (put("a.csv", b"label,b,class\n0,1,1\n"), {}, r"has label \(column 1\) and class \(column 3\)"),
        (put("a.csv", b"id,a,b\n7,1,1\n"), {"threshold": 0.5}, "the first column, id, numbers the rows"),
        (put("a.csv", b"label,a,b\nx,1,1\n,0,1\n"), {}, r"image 1, counted from 0, has no label \(''\)"),
        (put("a.csv", b"label,a,b\n1,1,1\nnan,0,1\n"), {}, r"image 1, counted from 0, has no label \('nan'\)"),
        (put("a.gif", b"GIF89a" + bytes(9)), {}, r"a\.gif is one picture"),
        (put_pictures(a_gif=several(GREY)), {}, r"a\.gif .*has 12 pictures in it; save each as a file"),
        (put_pictures(a_tif=several(GREY, "tiff"), b_tif=GREY[0]), {}, r"a\.tif .*has 12 pictures in it"),
        (put_missing_picture, {"threshold": 127}, r"b\.png is not a picture that can be read .*No such file"),
        (put_npz(x=X[:, np.newaxis]), {}, r"give grey images, of shape .* or \(n, height, width, 1\)"),
        (put_npz(x=X), {"key": "z"}, "has no array named z; it has x"),
        (put_npz(x=X), {"label_column": "first"}, "is not a table, so that it has no column of labels"),
        (put_npz(x=X[..., np.newaxis].repeat(3, axis=3)), {}, "a pixel has 3 channels"),
        (put_npz(x=OBJECTS), {}, "holds Python objects"),
        (put_npz(x=np.zeros(3, [("a", "i4")])), {}, "x holds .*; give numbers"),
        (put_npz(x=ROWS + 0j), {}, "x holds complex128"),
        (put_npz(x=X, y=Y[:5]), {}, "x has 12 images and there are 5 labels"),
        (put_npz(x=X, y=Y + 0.5), {}, "give one label an image, a whole number or text"),
        (put_pictures(), {}, "has no picture; give one of pictures or of IDX files"),
        (put_pictures(a_txt=b""), {}, "has no picture among its 1 files"),
        (put_pictures(a_png=b"no picture"), {}, r"a\.png is not a picture that can be read"),
        (put_pictures(a_png=GREY[0], b_png=GREY[0, :3]), {}, r"b\.png has 3 x 3 pixels, and .*a\.png has 3 x 4"),
        (put_pictures(a_png=GREY[0], b_png=X[0] > 0), {}, "has another kind of pixels"),
        (put_pictures(a_png=GREY[0], c__b_png=GREY[0]), {}, "sub-folders are classes, so put each picture into one"),
        (put_pictures(c__b_png=GREY[0], d__e_txt=b""), {}, "d has no picture; sub-folders are classes"),
        (put_pictures(a_png=GREY[0], b_png=GREY[1]), {}, "every input unit is 0 or 1.*--binarise SEED"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path, write, how, message):
    with pytest.raises((ValueError, OSError), match=message) as raised:
        load(write(tmp_path), **how)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="pipes have no names there")
def test_a_pipe_is_refused_and_loses_no_rows():
    """It was read twice, the second time without the rows that had been looked at."""
    reader, writer = os.pipe()
    os.write(writer, b"0,1\n1,0\n")
    os.close(writer)
    with os.fdopen(reader), pytest.raises(ValueError, match="is a pipe or a device; save what it gives as a file"):
        load(f"/dev/fd/{reader}")


@pytest.mark.parametrize("name", ["images", "pictures", "arr_0", "data"])
def test_only_pictures_have_names_of_files(tmp_path, name):
    """The images under a key without an x were taken for the names of their files."""
    np.savez(tmp_path / "a.npz", files=np.arange(12), **{name: X})
    assert load(tmp_path / "a.npz", key=name).files is None
    np.savez(tmp_path / "a.npz", files=np.arange(12), x=X)
    assert load(tmp_path / "a.npz").files is None


def test_labels_that_nobody_asked_for_do_not_matter(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y[:5])
    assert load(tmp_path / "a.npz", labels=False).y is None


def test_a_picture_larger_than_it_should_be_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    Image.fromarray(GREY[0, :2]).save(tmp_path / "a.png")  # Pillow warns
    with pytest.raises(ValueError, match=r"a\.png is not a picture that can be read .*exceeds limit"):
        load(tmp_path)


def test_an_archive_that_claims_more_than_it_holds_gets_no_memory(tmp_path, monkeypatch):
    """A header of 2^50 numbers, and a directory that says the bytes are there."""

    def lie(shape, claimed=None):
        header = np.lib.format.magic(1, 0)
        text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        content = header + struct.pack("<H", len(text)) + text.encode()
        with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", content)
        if claimed is not None:
            whole = (tmp_path / "a.npz").read_bytes()
            real = struct.pack("<I", len(content))
            (tmp_path / "a.npz").write_bytes(whole.replace(real, struct.pack("<I", claimed)))

    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("room was made"))
    for words in (((2**50, 1),), ((2**31, 1), 2**31)):
        lie(*words)
        with pytest.raises(ValueError, match=r"damaged .*claims"):
            load(tmp_path / "a.npz")


def test_a_mat_file_that_claims_more_than_it_holds_is_refused(tmp_path):
    savemat(tmp_path / "a.mat", {"x": ROWS}, do_compression=True)
    content = (tmp_path / "a.mat").read_bytes()
    inner = bytearray(zlib.decompress(content[136:]))
    place = inner.index(struct.pack("<2i", 12, 12))
    inner[place : place + 8] = struct.pack("<2i", 2**15, 2**15)
    packed = zlib.compress(inner)
    (tmp_path / "a.mat").write_bytes(content[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(ValueError, match="x has a type or a size that cannot be"):
        load(tmp_path / "a.mat")


def test_reading_warns_of_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for save in (save_mat, save_folder):
            load(save(tmp_path)[0], **({"key": "X"} if save is save_mat else {}))
            (tmp_path / "a.mat").unlink(missing_ok=True)


# To learn from and to test on.


def test_a_third_is_held_out_where_there_are_no_test_images(tmp_path):
    x, y = np.arange(30)[:, np.newaxis] >> np.arange(5) & 1, np.repeat(["b", "a"], [21, 9])
    np.savez(tmp_path / "a.npz", x=x, y=y)
    data, other = load_file(tmp_path / "a.npz"), load_file(tmp_path / "a.npz", seed=1)
    assert (len(data.x_train), len(data.x_test)) == (20, 10)
    assert sorted(data.y_test.tolist()) == ["a"] * 3 + ["b"] * 7
    rows = np.concatenate([data.x_train, data.x_test])
    assert sorted(map(bytes, rows)) == sorted(map(bytes, x.astype(np.uint8)))
    assert "a third held out" in data.name
    assert not np.array_equal(data.x_test, other.x_test)


def save_only_train(folder):
    np.savez(folder / "a.npz", x_train=X, y_train=Y)
    return folder / "a.npz"


def save_only_train_of_idx(folder):
    save_idx(folder)
    return folder


@pytest.mark.parametrize("save", [save_only_train, save_only_train_of_idx])
def test_a_third_of_the_training_images_is_held_out_where_there_are_no_others(tmp_path, save):
    data = load_file(save(tmp_path))
    assert (len(data.x_train), len(data.x_test)) == (8, 4)
    assert "a third held out" in data.name


def test_images_to_test_on_are_not_passed_over_beside_x(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y, x_test=X[:4], y_test=Y[:4])
    data = load_file(tmp_path / "a.npz")
    assert (len(data.x_train), len(data.x_test)) == (12, 4)


def test_mnist_has_its_test_images_beside(tmp_path):
    path, _ = save_idx(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(X[:5])))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(Y[:5]))
    for one in (path, tmp_path):
        data = load_file(one)
        np.testing.assert_array_equal(data.x_train, ROWS)
        np.testing.assert_array_equal(data.x_test, ROWS[:5])
        assert (data.y_test.tolist(), data.image_shape) == (Y[:5].tolist(), (4, 3))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "a.npz has no labels for x; to tell classes apart, give one label an image"),
        ({"x": X, "y": np.zeros(12, int)}, "there are 1 classes, and 12 images of 0"),
        ({"x": X, "y": np.arange(12)}, "there are 12 classes, and 1 images of 0; .* three images of each"),
        ({"x": X, "y": Y[:5]}, "x has 12 images and there are 5 labels"),
    ],
)
def test_what_cannot_be_held_out(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_file(tmp_path / "a.npz")


def test_public_names():
    for name in datasets.__all__:
        assert hasattr(datasets, name)


def damaged(content, rng):
    """Return a file cut, changed, or with something put into it."""
    content, place = bytearray(content), int(rng.integers(len(content)))
    match rng.integers(4):
        case 0:
            del content[place:]
        case 1:
            content[place : place + 4] = b"\xff" * 4
        case 2:
            content[place:place] = rng.bytes(5)
        case _:
            for other in rng.integers(len(content), size=4):
                content[other] = rng.integers(256)
    return content


@pytest.mark.parametrize("save", [one for one in SAVED if one is not save_folder_of_idx])
def test_damaged_files_are_refused_in_a_sentence_or_read(tmp_path, save):
    """Nothing else comes of them, least of all the end of the process."""
    path, how = save(tmp_path)
    place = next(path.rglob("*.png")) if path.is_dir() else path
    whole, rng = place.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(60):
        place.write_bytes(damaged(whole, rng))
        try:
            load(path, "test", **how)
        except (ValueError, OSError):
            refused += 1
    assert refused > 5
