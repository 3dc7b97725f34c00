import hashlib
import itertools
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastws
import golden
import naive_codec
from chance import INTERPRETED
from fastws import codec, datasets, estimate
from fastws.codec import limits
from fastws.codec.coder import stack_of
from fastws.kernels import code as kernels
from fastws.kernels.caching import cache_folder
from fastws.kernels.jit import SOURCES
from fastws.kernels.layout import LANES
from machines import parameter_arrays, random_machine
from memory import traced_memory

SIZES = st.lists(st.integers(1, 20), min_size=2, max_size=4)
HEADER = 8 + 4 * 3 + 48
GOLDEN = (
    "894657530100030006000000030000000200000055f970b36e7fc262abc7381f3f79d46103000000000000000200000003000000"
    "07000000000000000500000000000000be3bf08872f4de063962d1e408a5f0c638f7e800ecfa481f8dabac1713d0f1601de751f0"
)


def scaled_machine(sizes, scale, seed):
    machine, rng = fastws.Machine(sizes), np.random.default_rng(seed)
    for array in parameter_arrays(machine):
        array[...] = rng.choice([-scale, 0, scale]) if scale >= 1e4 else rng.normal(0, scale, array.shape)
    return machine


def random_images(n, n_pixels, density=0.5, seed=0):
    return (np.random.default_rng(seed).random((n, n_pixels)) < density).astype(np.uint8)


@pytest.fixture(scope="module")
def digits():
    """Return a machine that has learned digits, and a thousand digits that it never saw."""
    if INTERPRETED:
        pytest.skip("learns from tens of thousands of images")
    data = datasets.load_bundled()
    machine = fastws.Machine([64, 32, 16, 8])
    images = data.x_train[:797]
    fastws.Simulation(machine, fastws.Images(images), [(len(images) * 50, 0.05)], seed=1).advance()
    return machine, np.concatenate([data.x_test, data.x_train[797:]])


def seal(content):
    return content + hashlib.sha256(content).digest()[:16]


def resealed(blob, at, replacement):
    """Return a file with some bytes replaced and a checksum that is right again."""
    return seal(blob[:at] + replacement + blob[at + len(replacement) : -16])


@given(
    SIZES,
    st.sampled_from([0.0, 0.5, 3.0, 30.0, 1e4]),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    st.sampled_from(codec.METHODS),
    st.integers(0, 2**64 - 1),
)
def test_what_is_decompressed_is_what_was_compressed(sizes, scale, n, density, method, seed):
    machine = scaled_machine(sizes, scale, seed)
    x = random_images(n, sizes[0], density, seed)
    blob = codec.compress(machine, x, seed, method)
    again = codec.decompress(machine, blob)
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, x)


@settings(max_examples=20)
@given(SIZES, st.data())
def test_weights_of_either_extreme_lose_nothing(sizes, data):
    machine = fastws.Machine(sizes)
    for array in parameter_arrays(machine):
        for index in np.ndindex(array.shape):
            array[index] = data.draw(st.sampled_from([-1e4, 1e4]))
    pixels = st.lists(st.integers(0, 1), min_size=sizes[0], max_size=sizes[0])
    x = data.draw(st.lists(pixels, min_size=1, max_size=5))
    np.testing.assert_array_equal(codec.decompress(machine, codec.compress(machine, x)), x)


@pytest.mark.parametrize("value", [3.4e38, -3.4e38])
def test_logits_that_are_no_numbers_lose_nothing_either(value):
    machine = random_machine([9, 5, 2])
    machine.gen_weights[0][::2] = np.float32(value)
    machine.rec_weights[0][1::2] = np.float32(value)
    x = random_images(4, 9)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(codec.decompress(machine, codec.compress(machine, x)), x)


@settings(max_examples=25)
@given(SIZES, st.sampled_from([0.5, 5.0, 1e4]), st.sampled_from(codec.METHODS), st.integers(0, 1000))
def test_a_receiver_written_from_the_documentation_reads_the_files(sizes, scale, method, seed):
    machine = scaled_machine(sizes, scale, seed)
    x = random_images(3, sizes[0], seed=seed)
    blob = codec.compress(machine, x, seed, method)
    np.testing.assert_array_equal(naive_codec.decompress(machine, blob), x)


@pytest.mark.parametrize("method", codec.METHODS)
def test_long_payloads_agree_with_the_integers_of_the_documentation(method):
    machine, x = random_machine([12, 9, 4]), random_images(60, 12)
    blob = codec.compress(machine, x, 5, method)
    assert codec.describe(blob).payload_bits > 500
    np.testing.assert_array_equal(naive_codec.decompress(machine, blob), x)


def test_a_file_of_the_first_version_keeps_its_bytes():
    """The coder, NumPy's seeding and the kernels must go on giving what files out there were written with."""
    machine = fastws.Machine([6, 3, 2])
    for number, array in enumerate(parameter_arrays(machine)):
        array[...] = np.arange(array.size).reshape(array.shape) % 5 - 2 + number / 4
    x = [[1, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 1], [1, 1, 1, 1, 1, 1]]
    assert codec.compress(machine, x, seed=7, image_shape=(2, 3)).hex() == GOLDEN
    np.testing.assert_array_equal(codec.decompress(machine, bytes.fromhex(GOLDEN)), x)


@pytest.mark.parametrize("case", json.loads(golden.PATH.read_text()), ids=golden.name_of)
def test_files_of_another_entropy_coder_keep_their_bytes(case):
    machine, x = golden.machine_of(case), golden.images_of(case)
    if INTERPRETED and x.size > 1000:
        pytest.skip("long")
    blob = codec.compress(machine, x, case["seed"], case["method"])
    if "hex" in case:
        assert blob.hex() == case["hex"]
    else:
        assert hashlib.sha256(blob).hexdigest() == case["sha256"]
    np.testing.assert_array_equal(codec.decompress(machine, blob), x)


def alone(p_on):
    """Return a cascade by which nothing drives one layer, whose units are on with about these probabilities.

    It is the top layer of a machine, which comes first.
    """
    machine = fastws.Machine([1, len(p_on)])
    machine.gen_biases[1][:] = np.log(p_on) - np.log1p(-np.asarray(p_on))
    return machine, kernels.Cascade(False, np.array([[1, 1, 0]]), np.empty((1, len(p_on) + LANES)))


@settings(max_examples=40)
@given(st.data())
def test_the_stack_is_that_of_the_documentation_whatever_is_on_it(data):
    """Words of any value and number, so that it runs dry, and units of any probability."""
    words = data.draw(st.lists(st.sampled_from([0, 1, 2**32 - 1]) | st.integers(0, 2**32 - 1), max_size=6))
    p = data.draw(st.lists(st.sampled_from([1e-9, 1e-3, 0.3, 0.5, 0.9, 1 - 1e-9]), min_size=20, max_size=20))
    machine, cascade = alone(p)
    net, states = machine.net, machine.room().states
    stack = stack_of(np.array([*words, *[0] * len(p)], np.uint32), len(words))
    naive = naive_codec.Stack(words)

    def same():
        found = [int(word) for word in stack.words[: stack.n_words[0]]]
        return (found, int(stack.head[0])) == (naive.words, naive.state)

    assert same()
    kernels.pop_layers(net, cascade, states, stack)
    k = [int(value * 2**22) for value in cascade.probabilities[0, : len(p)]]
    assert states[1, : len(p)].tolist() == [naive.pop(value) for value in k]
    assert same()
    other = data.draw(st.lists(st.integers(0, 1), min_size=20, max_size=20))
    states[1, : len(p)] = other
    kernels.push_layers(net, cascade, states, stack)
    for state, value in zip(reversed(other), reversed(k), strict=True):
        naive.push(state, value)
    assert same()


def test_compiled_code_of_the_coder_is_kept_by_all_that_kernels_are_made_of():
    """A change in any of it must not find what was compiled before."""
    if INTERPRETED:
        pytest.skip("nothing is compiled")
    folder = cache_folder(SOURCES)
    for kernel in (kernels.push_images, kernels.pop_images):
        assert folder in Path(kernel.stats.cache_path).parents


@pytest.mark.parametrize("scale", [0.1, 2.0, 20.0, 1e4, 1e30])
def test_probabilities_are_the_logistic_rounded_to_what_a_code_can_have(scale):
    machine = scaled_machine([33, 17, 5], scale, 3)
    states = machine.room().states
    states[1, :17] = np.arange(17) % 2
    p = np.empty((1, 33 + 16))
    kernels.code_probabilities(machine.net, False, 0, states, p, 0)
    k = p[0, :33] * 2**22
    np.testing.assert_array_equal(k, np.rint(k))
    assert k.min() >= 1
    assert k.max() <= 2**22 - 1
    logits = machine.gen_biases[0].astype(float) + states[1, :17].astype(float) @ machine.gen_weights[0].astype(float)
    exact = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    np.testing.assert_allclose(p[0, :33], np.clip(exact, 2**-22, 1 - 2**-22), atol=2**-23 + 1e-6, rtol=0)


def test_bits_back_takes_the_free_energy_and_two_part_the_description_length(digits):
    machine, x = digits
    assert len(x) == 1000
    # Of 20,000 representations: the standard error of either mean is below 0.1 %.
    measures = estimate.measures(machine, x, n_samples=20)
    bits = {name: codec.describe(codec.compress(machine, x, method=name)).net_bits for name in codec.METHODS}
    assert bits["bits-back"] / 1000 == pytest.approx(measures.free_energy_bits.mean(), rel=0.01)
    assert bits["two-part"] / 1000 == pytest.approx(measures.description_length_bits.mean(), rel=0.01)
    assert bits["bits-back"] < 0.9 * bits["two-part"]


def test_the_ledger_adds_up_to_the_payload(digits):
    machine, x = digits
    paid, returned = codec.ledger(machine, x, seed=4)
    assert paid.shape == (1000, 4)
    assert returned.shape == (1000, 3)
    about = codec.describe(codec.compress(machine, x, seed=4))
    # A word at most is lost where the stack is cut into words.
    assert paid.sum() - returned.sum() == pytest.approx(about.net_bits, abs=32)
    measures = estimate.measures(machine, x, n_samples=20)
    assert paid.sum(axis=1).mean() == pytest.approx(measures.description_length_bits.mean(), rel=0.02)
    # What comes back from choosing the first hidden layer is its entropy, on average.
    p = 1 / (1 + np.exp(-(machine.rec_biases[0] + x.astype(np.float64) @ machine.rec_weights[0])))
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)).sum(axis=1).mean()
    assert returned[:, 0].mean() == pytest.approx(entropy, rel=0.03)
    for unsaid, said in zip(codec.ledger(machine, x[:20]), codec.ledger(machine, x[:20], seed=0), strict=True):
        np.testing.assert_array_equal(unsaid, said)


def test_two_alternatives_of_four_bits_cost_three_together():
    """The paper's example, below Eq 5: one bit for the cause, three for the image, one comes back."""
    machine, x = fastws.Machine([3, 1]), random_images(400, 3)
    paid, returned = codec.ledger(machine, x)
    np.testing.assert_array_equal(paid, [[3, 1]] * 400)
    np.testing.assert_array_equal(returned, [[1]] * 400)
    bits_back, two_part = (codec.describe(codec.compress(machine, x, method=name)) for name in codec.METHODS)
    assert bits_back.net_bits == pytest.approx(1200, abs=32)
    assert two_part.net_bits == pytest.approx(1600, abs=32)


RECODE = """
import sys
import fastws
from fastws import codec
machine = fastws.Machine.load(sys.argv[1])
x = codec.decompress(machine, open(sys.argv[2], "rb").read())
open(sys.argv[3], "wb").write(codec.compress(machine, x, seed=9))
"""


@pytest.mark.long
@pytest.mark.parametrize("disabled", ["0", "1"])
def test_another_process_decodes_it_compiled_or_interpreted(tmp_path, disabled):
    machine, x = random_machine([64, 32, 16, 8]), random_images(50, 64)
    blob = codec.compress(machine, x, seed=9)
    machine.save(tmp_path / "machine.npz")
    (tmp_path / "in.fws").write_bytes(blob)
    names = [str(tmp_path / name) for name in ("machine.npz", "in.fws", "out.fws")]
    code = [sys.executable, "-c", RECODE, *names]
    subprocess.run(code, env=os.environ | {"NUMBA_DISABLE_JIT": disabled}, check=True, timeout=100)
    assert (tmp_path / "out.fws").read_bytes() == blob


def test_seeds_choose_the_representations_and_nothing_else():
    machine, x = random_machine([16, 8, 3]), random_images(30, 16)
    for method in codec.METHODS:
        blobs = [codec.compress(machine, x, seed, method) for seed in (0, 0, 1, 2**64 - 1)]
        assert blobs[0] == blobs[1]
        assert len({bytes(blob) for blob in blobs}) == 3
        for blob in blobs:
            np.testing.assert_array_equal(codec.decompress(machine, blob), x)


def test_the_description_counts_every_bit_of_the_file():
    machine = random_machine([12, 40, 3])
    blob = codec.compress(machine, random_images(20, 12), 3, image_shape=(3, 4))
    about = codec.describe(blob)
    assert about.layer_sizes == (12, 40, 3)
    assert (about.method, about.n_images, about.image_shape, about.seed) == ("bits-back", 20, (3, 4), 3)
    assert about.fingerprint == codec.fingerprint(machine)
    assert about.initial_bits == 32 * (2 + 2)
    assert about.header_bits == 8 * (HEADER + 16)
    assert about.header_bits + about.payload_bits == 8 * len(blob)
    assert about.net_bits == about.payload_bits - 128
    assert codec.describe(codec.compress(machine, random_images(20, 12), method="two-part")).initial_bits == 64


def test_one_image_may_be_given_without_its_outer_dimension_and_the_blob_in_any_bytes():
    machine = random_machine([5, 2])
    blob = codec.compress(machine, [1, 0, 0, 1, 1])
    for form in (blob, bytearray(blob), memoryview(blob)):
        np.testing.assert_array_equal(codec.decompress(machine, form), [[1, 0, 0, 1, 1]])


def test_a_machine_that_is_sure_pays_for_the_memory_it_asks_for():
    machine = fastws.Machine([4096, 1])
    machine.gen_biases[0][:] = -50
    x = np.zeros((50, 4096), np.uint8)
    blob = codec.compress(machine, x)
    assert codec.describe(blob).payload_bits == 32 * -(-x.size // 16384)
    np.testing.assert_array_equal(codec.decompress(machine, blob), x)


def test_progress_reaches_the_last_image():
    machine, x = random_machine([4, 2]), random_images(600, 4)
    for method in codec.METHODS:
        packed, unpacked = [], []
        blob = codec.compress(machine, x, method=method, progress=packed.append)
        codec.decompress(machine, blob, unpacked.append)
        assert packed == unpacked == [256, 512, 600]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"x": [[1, 0]]}, "x has 2 columns"),
        ({"x": [[1, 0, 2]]}, r"x\[0, 2\] is 2"),
        ({"x": np.empty((0, 3))}, "x is empty"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "below 2\\^64"),
        ({"method": "three-part"}, "method is 'three-part'"),
        ({"image_shape": (2, 2)}, "image_shape is \\(2, 2\\)"),
        ({"image_shape": (3,)}, "image_shape is \\(3,\\)"),
        ({"image_shape": (-1, -3)}, "image_shape\\[0\\] is -1"),
    ],
)
def test_bad_arguments_of_compress(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        codec.compress(random_machine([3, 2]), **({"x": [[1, 0, 1]]} | arguments))


@pytest.fixture
def sent():
    machine, x = random_machine([16, 8, 3]), random_images(40, 16)
    return machine, x, codec.compress(machine, x, seed=2)


def test_a_file_cut_anywhere_is_refused(sent):
    machine, _, blob = sent
    for length in range(len(blob)):
        with pytest.raises(ValueError, match="fws"):
            codec.decompress(machine, blob[:length])
    with pytest.raises(ValueError, match="checksum"):
        codec.decompress(machine, blob + b"\0")


def test_a_file_with_any_bit_flipped_is_refused(sent):
    machine, _, blob = sent
    for bit in range(8 * len(blob)):
        altered = bytearray(blob)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="fws"):
            codec.decompress(machine, altered)


@settings(max_examples=300)
@given(st.data())
def test_a_file_altered_under_a_right_checksum_is_refused_or_means_the_same(data):
    machine, x = random_machine([16, 8, 3]), random_images(10, 16)
    blob = codec.compress(machine, x, seed=2)
    at = data.draw(st.integers(0, len(blob) - 17))
    replacement = data.draw(st.binary(min_size=1, max_size=8))[: len(blob) - 16 - at]
    try:
        again = codec.decompress(machine, resealed(blob, at, replacement))
    except ValueError:
        return
    np.testing.assert_array_equal(again, x)


@pytest.mark.parametrize("cut", [0, 1, 4, 7, 30, 60, 90])
def test_a_short_file_under_a_right_checksum_is_refused(sent, cut):
    machine, _, blob = sent
    with pytest.raises(ValueError, match="fws"):
        codec.decompress(machine, seal(blob[:cut]))


def test_the_wrong_machine_is_refused(sent):
    machine, _, blob = sent
    with pytest.raises(ValueError, match=r"layers \[16, 8, 3\]; this one has layers \[16, 8, 4\]"):
        codec.decompress(random_machine([16, 8, 4]), blob)
    for number in range(len(parameter_arrays(machine))):
        other = machine.copy()
        parameter_arrays(other)[number].flat[0] += np.float32(1e-6)
        with pytest.raises(ValueError, match="other parameters"):
            codec.decompress(other, blob)


@pytest.mark.parametrize("blob", [b"", b"\x89FW", b"hello, world", b"PK\x03\x04" + bytes(200), None, 5, "\x89FWS"])
def test_something_else_is_refused(blob):
    with pytest.raises(ValueError, match=r"not a \.fws file|type"):
        codec.decompress(fastws.Machine([3, 1]), blob)


def test_a_later_version_asks_for_an_upgrade(sent):
    machine, _, blob = sent
    with pytest.raises(ValueError, match=r"format version 2; this fastws reads versions up to 1\. Upgrade"):
        codec.decompress(machine, resealed(blob, 4, b"\2"))


@pytest.mark.parametrize(
    ("at", "replacement", "complaint"),
    [
        (5, b"\2", "method 2"),
        (6, struct.pack("<H", 65535), "shorter than it says"),
        (6, struct.pack("<H", 1), "do not fit"),
        (8, struct.pack("<III", 2**32 - 1, 2**32 - 1, 2**32 - 1), "do not fit"),
        (20 + 16, struct.pack("<Q", 0), "do not fit"),
        (20 + 16, struct.pack("<Q", 2**64 - 1), "more than it"),
        (20 + 16, struct.pack("<Q", 10**7), "more than it"),
        (20 + 24, struct.pack("<II", 2**31, 2**31), "do not fit"),
        (20 + 40, struct.pack("<Q", 2**64 - 1), "claims a payload"),
        (20 + 40, struct.pack("<Q", 1), "claims a payload"),
        (20 + 16, struct.pack("<Q", 39), "does not decode"),
        (20 + 16, struct.pack("<Q", 41), "does not decode"),
        (20 + 32, struct.pack("<Q", 3), "does not decode"),
        (5, b"\1", "does not decode"),
        (HEADER, bytes(8), "does not decode"),
    ],
)
def test_a_header_that_lies_is_refused_before_anything_is_allocated(sent, at, replacement, complaint):
    machine, _, blob = sent
    altered = resealed(blob, at, replacement)
    codec.decompress(machine, blob)
    with traced_memory() as peak_bytes:
        with pytest.raises(ValueError, match=complaint):
            codec.decompress(machine, altered)
        assert peak_bytes() < 200_000


def test_sizes_that_claim_a_giant_are_refused_before_anything_is_allocated():
    """As many hidden units as a header can name; their initial bits would fill a memory."""
    sizes = [1, *[2**32 - 1] * 60_000]
    content = struct.pack("<4sBBH", b"\x89FWS", 1, 0, len(sizes)) + struct.pack(f"<{len(sizes)}I", *sizes)
    blob = seal(content + bytes(16) + struct.pack("<QIIQQ", 1, 1, 1, 0, 1) + bytes(4))
    with traced_memory() as peak_bytes:
        with pytest.raises(ValueError, match="machine of 60001 layers"):
            codec.decompress(fastws.Machine([1, 1]), blob)
        assert peak_bytes() < 40 * len(blob)


# Forged for a machine that is known, to claim as many images as the header can.


def forged(machine, n_words, method, seed=0):
    """Return a file of random words that claims the most images that any file may, and how many."""
    sizes = machine.layer_sizes
    n = n_words * 16384 // sizes[0]
    content = struct.pack(f"<4sBBH{len(sizes)}I", b"\x89FWS", 1, codec.METHODS.index(method), len(sizes), *sizes)
    content += bytes.fromhex(codec.fingerprint(machine)) + struct.pack("<QIIQQ", n, 1, sizes[0], 0, n_words)
    return seal(content + np.random.default_rng(seed).bytes(4 * n_words)), n


@pytest.mark.parametrize("method", codec.METHODS)
@pytest.mark.parametrize(("sizes", "scale"), [([1, 1], 0), ([16, 8, 3], 0), ([1, 1], 0.5), ([30, 4], 0.02)])
def test_more_images_than_the_payload_has_room_for_are_refused_before_one_is_decoded(sizes, scale, method):
    blob, n = forged(scaled_machine(sizes, scale, 0), 20, method)
    with pytest.raises(ValueError, match=f"claims {n} images in a payload of 80 bytes, more than this machine"):
        codec.decompress(scaled_machine(sizes, scale, 0), blob, pytest.fail)


@pytest.mark.skipif(INTERPRETED, reason="decodes hundreds of thousands of images")
@pytest.mark.parametrize("method", codec.METHODS)
@pytest.mark.parametrize("scale", [0.3, 3, 30])
@pytest.mark.parametrize("sizes", [[2, 1], [1, 100], [3, 20, 4], [16, 8, 3]])
def test_a_forged_file_costs_work_and_memory_by_its_payload_and_not_by_what_it_claims(sizes, scale, method):
    for seed in range(3):
        machine, done = scaled_machine(sizes, scale, seed), [0]
        blob, n = forged(machine, 40, method, seed)
        # Machines for which an image costs next to nothing can have put that many there.
        if -np.log2(free_image(machine)) < 0.05:
            continue
        with traced_memory() as peak_bytes:
            with pytest.raises(ValueError, match=r"compress them again|Compress the images again"):
                codec.decompress(machine, blob, done.append)
            assert peak_bytes() < 600_000
        assert done[-1] < min(n, 40 * 32 / 0.05)


def free_image(machine):
    """Return the probability of the likeliest fantasy, in a thousand."""
    _, counts = np.unique(machine.fantasies(1000), axis=0, return_counts=True)
    return counts.max() / 1000


@settings(max_examples=60)
@given(SIZES, st.sampled_from([0.0, 0.02, 0.3, 2.0, 30.0]), st.sampled_from(codec.METHODS), st.integers(0, 1000))
def test_each_image_takes_the_least_bits_that_an_image_can(sizes, scale, method, seed):
    """Or files that were written could not be read."""
    machine = scaled_machine(sizes, scale, seed)
    least = limits.least_bits(machine, method)
    x = random_images(8, sizes[0], 0.5, seed)
    about = codec.describe(codec.compress(machine, x, seed, method))
    # Two of the words may be filled in part.
    assert about.net_bits + 64 >= 8 * least
    if scale == 0:
        exact = sizes[0] if method == "bits-back" else sum(sizes)
        assert 0.9 * exact - 0.03 * sum(sizes) <= least <= exact or (least == 0 and sum(sizes[1:]) >= 25)


def costs_of_units(weights, biases, extreme):
    """Return the least or most bits that off and on cost each unit, over all states of the layer that drives it."""
    states = np.array(list(itertools.product([0.0, 1.0], repeat=len(weights))))
    logits = states @ weights.astype(float) + biases
    return np.array([extreme(np.log2(1 + np.exp(sign * logits)), axis=0) for sign in (1, -1)])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [[5, 3], [9, 3, 2]])
def test_the_least_bits_are_those_of_the_cheapest_state_of_each_unit(sizes, seed):
    machine = scaled_machine(sizes, [0.3, 1.0][seed % 2], seed)
    drivers = [*machine.gen_weights, np.empty((0, sizes[-1]))]
    paid = [costs_of_units(w, b, np.min) for w, b in zip(drivers, machine.gen_biases, strict=True)]
    returned = [costs_of_units(w, b, np.max) for w, b in zip(machine.rec_weights, machine.rec_biases, strict=True)]
    net = [paid[0], *(p - r for p, r in zip(paid[1:], returned, strict=True))]
    for method, bits in (("two-part", paid), ("bits-back", net)):
        exact = max(0.0, sum(float(of_layer.min(axis=0).sum()) for of_layer in bits))
        # Whole numbers are cut: a part in 256 of what is paid, a 128th of a bit of what returns.
        slack = sum(float(p.max(axis=0).sum()) for p in paid) / 256 + sum(sizes[1:]) / 128 + 0.01
        assert exact - slack <= limits.least_bits(machine, method) <= exact


@pytest.mark.parametrize(("bits_a_unit", "known"), [(7.9, True), (8.1, False)])
def test_of_choices_that_may_empty_the_stack_nothing_is_known(bits_a_unit, known):
    """Before the first image there is a word for up to 32 hidden units."""
    machine = fastws.Machine([40, 4])
    machine.rec_biases[0][:] = np.log(2**bits_a_unit - 1)
    assert (limits.least_bits(machine, "bits-back") > 0) == known
    assert limits.least_bits(machine, "two-part") > 40


def test_decoded_images_can_be_written_into():
    machine = random_machine([5, 2])
    images = codec.decompress(machine, codec.compress(machine, [[1, 0, 0, 1, 1]]))
    images[0, 0] = 0
    assert images.tolist() == [[0, 0, 0, 1, 1]]
