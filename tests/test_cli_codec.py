import json

import numpy as np
import pytest

import fastws
from fastws import codec
from machines import random_machine

METHODS = [(), ("--method", "bits-back"), ("--method", "two-part")]


def arrays(path):
    with np.load(path) as file:
        return dict(file)


@pytest.fixture(autouse=True)
def some_files(run):
    """Put machine.npz and data.npz where the commands run."""
    random_machine([64, 16, 4]).save("machine.npz")
    x = (np.random.default_rng(0).random((300, 64)) < 0.4).astype(np.uint8)
    np.savez("data.npz", x_test=x, x_train=1 - x)


@pytest.mark.parametrize("method", METHODS)
def test_images_come_back_as_they_were(run, tmp_path, method):
    code, out, _ = run("compress", "machine.npz", "data.npz", "out.fws", *method, "--seed", 3)
    assert code == 0
    blob = (tmp_path / "out.fws").read_bytes()
    name = method[1] if method else "bits-back"
    assert f"Written to out.fws: {len(blob):,} bytes by {name}." in out
    x = arrays("data.npz")["x_test"]
    assert blob == codec.compress(fastws.Machine.load("machine.npz"), x, 3, name, (8, 8))
    code, out, _ = run("decompress", "machine.npz", "out.fws", "again.npz")
    assert code == 0
    assert out == "Written to again.npz: 300 images of 8 x 8 pixels.\n"
    again = arrays("again.npz")
    np.testing.assert_array_equal(again["x"], x)
    np.testing.assert_array_equal(again["shape"], [8, 8])


def test_the_table_has_every_way_and_what_it_takes_over_the_free_energy(run):
    code, out, _ = run("compress", "machine.npz", "data.npz", "out.fws")
    assert code == 0
    for words in ("raw", "gzip", "lzma", "PNG", "two-part", "bits-back", "free energy C(d)", "-log2 P(d)"):
        assert words in out
    assert "64.000" in out
    assert "+0.0%" in out
    assert "96 bits to choose the first representation with" in out
    assert "672 bits of header and checksum" in out


def test_json_is_one_object_whose_figures_agree(run, tmp_path):
    code, out, _ = run("compress", "machine.npz", "data.npz", "out.fws", "--json", "--samples", 30)
    assert code == 0
    result = json.loads(out)
    assert result["raw_bits"] == 64
    assert result["initial_bits"] == 96
    assert result["payload_bits"] + result["header_bits"] == 8 * (tmp_path / "out.fws").stat().st_size
    assert result["bits_back_bits"] == result["net_bits"] / 300
    # Random pixels: no general compressor gains, and the weights are arbitrary, so the machine costs more still.
    for name in ("gzip_bits", "lzma_bits", "png_bits"):
        assert 60 < result[name] < 90
    assert result["neg_log_prob_bits"] < result["free_energy_bits"] < result["two_part_bits"]
    assert result["bits_back_bits"] == pytest.approx(result["free_energy_bits"], rel=0.02)
    code, out, _ = run("decompress", "machine.npz", "out.fws", "again.npz", "--json")
    assert code == 0
    assert json.loads(out)["n_images"] == 300


def test_shape_and_threshold(run):
    np.save("grey.npy", np.random.default_rng(1).random((20, 64)))
    words = ("--threshold", 0.5, "--shape", "4x16")
    assert run("compress", "machine.npz", "grey.npy", "out.fws", *words)[0] == 0
    assert run("decompress", "machine.npz", "out.fws", "again.npz")[0] == 0
    np.testing.assert_array_equal(arrays("again.npz")["x"], np.load("grey.npy") > 0.5)
    np.testing.assert_array_equal(arrays("again.npz")["shape"], [4, 16])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--method", "soup"), "'soup'"),
        (("--shape", "9x9"), "64 pixels"),
        (("--seed", "-1"), "--seed"),
        (("--samples", "0"), "--samples"),
        (("--seed", str(2**64)), "below 2^64"),
    ],
)
def test_bad_options_are_one_sentence_and_write_nothing(run, tmp_path, words, complaint):
    code, out, err = run("compress", "machine.npz", "data.npz", "out.fws", *words)
    assert code == 2
    assert out == ""
    assert complaint in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.fws").exists()


def test_files_that_do_not_fit_are_one_sentence(run, tmp_path):
    assert run("compress", "machine.npz", "data.npz", "out.fws")[0] == 0
    random_machine([64, 16, 4], seed=1).save("other.npz")
    whole = (tmp_path / "out.fws").read_bytes()
    (tmp_path / "cut.fws").write_bytes(whole[:-5])
    np.savez("narrow.npz", x=np.zeros((3, 5), np.uint8))
    for words, complaint in [
        (("decompress", "other.npz", "out.fws"), "other parameters"),
        (("decompress", "machine.npz", "cut.fws"), "checksum"),
        (("decompress", "machine.npz", "data.npz"), "not a .fws file"),
        (("decompress", "machine.npz", "nowhere.fws"), "nowhere.fws"),
        (("decompress", "out.fws", "out.fws"), "not a fastws machine file"),
        (("compress", "machine.npz", "narrow.npz"), "5 columns"),
    ]:
        code, out, err = run(*words, "never.npz")
        assert code == 2
        assert out == ""
        assert complaint in err
        assert not (tmp_path / "never.npz").exists()
