import copy
import json
import pickle
import re
import zipfile

import numpy as np
import pytest

from fastws import codec, estimate, exact, gradients
from fastws.checks import NotFiniteError
from fastws.files import FORMAT_VERSION
from fastws.kernels.types import Narrow, Wide
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.steps import sleep_step, sleep_update, wake_step, wake_update
from fastws.streams import Images
from machines import parameter_arrays, parameter_bits, random_machine
from memory import traced_memory

SIZES = [17, 5, 3]


def hard_machine():
    """Return a machine with parameters that only a bit-for-bit copy keeps: -0.0 and a subnormal number."""
    machine = random_machine(SIZES)
    machine.gen_weights[0][1, 2] = -0.0
    machine.rec_biases[1][0] = np.array(0x00012345, np.uint32).view(np.float32)
    return machine


# Construction.


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([], r"layer_sizes has 0 layer\(s\)"),
        ([16], r"layer_sizes has 1 layer\(s\)"),
        ([16, 0, 1], r"layer_sizes\[1\] is 0; it must be at least 1"),
        ([16, -8], r"layer_sizes\[1\] is -8"),
        ([16, 8.0], r"layer_sizes\[1\] is 8\.0; give a whole number"),
        ([True, 1], r"layer_sizes\[0\] is True"),
        ([float("nan"), 1], r"layer_sizes\[0\] is nan"),
        ("16,8,1", r"layer_sizes is '16,8,1'"),
        (16, r"layer_sizes is 16"),
        (None, r"layer_sizes is None"),
        (np.array(16), r"layer_sizes is array\(16\)"),
    ],
)
def test_wrong_layer_sizes(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        Machine(sizes)


@pytest.mark.parametrize("sizes", [(16, 8, 1), np.array([16, 8, 1]), range(3, 0, -1)])
def test_layer_sizes_are_a_tuple_of_int(sizes):
    machine = Machine(sizes)
    assert machine.layer_sizes == tuple(sizes)
    assert all(type(size) is int for size in machine.layer_sizes)


@pytest.mark.parametrize("sizes", [[16, 8, 1], [3, 40, 17, 2], [1, 1]])
def test_parameters_are_zeros_of_the_documented_shapes(sizes):
    machine, levels = Machine(sizes), range(len(sizes) - 1)
    assert [w.shape for w in machine.gen_weights] == [(sizes[l + 1], sizes[l]) for l in levels]
    assert [b.shape for b in machine.gen_biases] == [(size,) for size in sizes]
    assert [w.shape for w in machine.rec_weights] == [(sizes[l], sizes[l + 1]) for l in levels]
    assert [b.shape for b in machine.rec_biases] == [(size,) for size in sizes[1:]]
    assert all(a.dtype == np.float32 and not a.any() for a in parameter_arrays(machine))


def test_arrays_share_no_element():
    machine = Machine(SIZES)
    for i, array in enumerate(parameter_arrays(machine)):
        array += i + 1
    assert all((array == i + 1).all() for i, array in enumerate(parameter_arrays(machine)))


def test_what_is_written_into_the_arrays_is_what_the_machine_does():
    machine = Machine([2, 1])
    machine.gen_biases[1][:] = 50
    machine.gen_biases[0][:] = -50
    machine.gen_weights[0][0, 1] = 100
    machine.rec_biases[0][:] = -50
    machine.rec_weights[0][0, 0] = 100
    assert machine.fantasies(5).tolist() == [[0, 1]] * 5
    assert machine.representations([[0, 1], [1, 0]])[0].tolist() == [[0], [1]]


def test_repr():
    assert repr(Machine(SIZES)) == "Machine([17, 5, 3])"


# What parameters may be.


USES = {
    "check_finite": Machine.check_finite,
    "wake_step": lambda machine: wake_step(machine, np.ones(17), 0.1),
    "sleep_step": lambda machine: sleep_step(machine, 0.1),
    "wake_update": lambda machine: wake_update(machine, [np.ones(n) for n in SIZES], 0.1),
    "sleep_update": lambda machine: sleep_update(machine, [np.ones(n) for n in SIZES], 0.1),
    "fantasies": lambda machine: machine.fantasies(1),
    "clamped fantasies": lambda machine: machine.fantasies(1, clamp={(1, 1): 1}),
    "representations": lambda machine: machine.representations(np.ones(17)),
    "pickle": lambda machine: pickle.loads(pickle.dumps(machine)),
    "a simulation": lambda machine: Simulation(machine, Images(np.ones(17)), [(1, 0.1)]),
    "exact": lambda machine: exact.free_energy_bits(machine, np.ones(17)),
    "estimate": lambda machine: estimate.free_energy_bits(machine, np.ones(17)),
    "the enumerated gradient": lambda machine: gradients.enumerated(machine, np.ones(17)),
    "the sampled gradient": lambda machine: gradients.sampled(machine, np.ones(17)),
    "the mean-field gradient": lambda machine: gradients.mean_field(machine, np.ones(17)),
    "the mean-field free energy": lambda machine: gradients.mean_field_free_energy_bits(machine, np.ones(17)),
    "a step down a gradient": lambda machine: gradients.descend(
        machine, gradients.mean_field(Machine(SIZES), np.ones(17)), 0.1
    ),
    "compress": lambda machine: codec.compress(machine, np.ones(17)),
    "two-part": lambda machine: codec.compress(machine, np.ones(17), method="two-part"),
    "decompress": lambda machine: codec.decompress(machine, codec.compress(Machine(SIZES), np.ones(17))),
    "ledger": lambda machine: codec.ledger(machine, np.ones(17)),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_not_finite_is_refused_by_name_and_place(use):
    for name, level, place, value in (
        ("gen_weights", 1, (2, 4), np.nan),
        ("gen_biases", 2, (1,), -np.inf),
        ("rec_weights", 0, (16, 3), np.inf),
        ("rec_biases", 1, (0,), np.nan),
    ):
        machine = random_machine(SIZES)
        getattr(machine, name)[level][place] = value
        before = parameter_bits(machine)
        where = f"{name}[{level}][{', '.join(map(str, place))}] is {value}; every parameter has to be finite"
        with pytest.raises(NotFiniteError, match=f"^{re.escape(where)}"):
            USES[use](machine)
        np.testing.assert_array_equal(parameter_bits(machine), before)


def test_the_parameters_of_a_large_machine_are_checked_too():
    machine = random_machine([700, 300, 2])
    assert machine.check_finite() == max(np.abs(array).max() for array in parameter_arrays(machine))
    machine.rec_weights[0][699, 299] = np.nan
    with pytest.raises(NotFiniteError, match=r"^rec_weights\[0\]\[699, 299\] is nan"):
        machine.check_finite()


def test_parameters_of_any_finite_size_are_taken():
    machine = random_machine(SIZES)
    machine.gen_weights[0][0, 0] = machine.rec_biases[1][2] = np.finfo(np.float32).max
    assert machine.check_finite() == np.finfo(np.float32).max
    assert machine.fantasies(3).shape == (3, 17)


def test_a_machine_that_could_not_be_loaded_is_not_saved(tmp_path):
    machine = random_machine(SIZES)
    machine.save(tmp_path / "machine.npz")
    before = (tmp_path / "machine.npz").read_bytes()
    machine.rec_biases[0][4] = np.inf
    with pytest.raises(NotFiniteError, match=r"^rec_biases\[0\]\[4\] is inf"):
        machine.save(tmp_path / "machine.npz")
    assert (tmp_path / "machine.npz").read_bytes() == before


# Copies and files.


@pytest.mark.parametrize(
    "duplicate", [Machine.copy, copy.copy, copy.deepcopy, lambda machine: pickle.loads(pickle.dumps(machine))]
)
def test_a_copy_is_the_same_to_the_bit_and_on_its_own(duplicate):
    machine = hard_machine()
    other, before = duplicate(machine), parameter_bits(machine)
    assert type(other) is Machine
    assert other.layer_sizes == machine.layer_sizes
    np.testing.assert_array_equal(parameter_bits(other), before)
    for array in parameter_arrays(other):
        array += 1
    wake_step(other, np.ones(17), 0.1)
    sleep_step(other, 0.1)
    np.testing.assert_array_equal(parameter_bits(machine), before)


@pytest.mark.parametrize("name", ["machine.npz", "machine", "a name with dots.v1.npz"])
def test_save_and_load_keep_every_bit(name, tmp_path):
    machine = hard_machine()
    machine.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    other = Machine.load(str(tmp_path / name))
    assert other.layer_sizes == machine.layer_sizes
    np.testing.assert_array_equal(parameter_bits(other), parameter_bits(machine))


@pytest.mark.parametrize("label", ["seven/7", "", 7, 0, -0.5, True, np.int64(3), np.str_("a"), np.float32(0.5)])
def test_a_label_goes_with_the_machine(label, tmp_path):
    machine = random_machine(SIZES)
    assert machine.label is None
    machine.label = label
    assert type(machine.label) in (str, int, float, bool)
    machine.save(tmp_path / "machine.npz")
    for again in (Machine.load(tmp_path / "machine.npz"), machine.copy(), pickle.loads(pickle.dumps(machine))):
        assert again.label == label
        assert type(again.label) is type(machine.label)
    for wrong in ([1], {"a": 1}, np.array([1]), b"a", 1j):
        with pytest.raises(ValueError, match=r"^label is .*; give a word, a number or None"):
            machine.label = wrong
    assert machine.label == label


def test_numpy_reads_a_saved_machine_without_pickle(tmp_path):
    machine = random_machine(SIZES)
    machine.save(tmp_path / "machine.npz")
    with np.load(tmp_path / "machine.npz", allow_pickle=False) as file:
        metadata = json.loads(file["metadata"].tobytes())
        np.testing.assert_array_equal(file["gen_weights_0"], machine.gen_weights[0])
    assert metadata == {"format": "fastws machine", "version": FORMAT_VERSION, "layer_sizes": SIZES}


def saved(path, metadata=None, save=np.savez, **changes):
    """Save a machine as fastws does, with other metadata or arrays; None leaves an array out."""
    metadata = {"format": "fastws machine", "version": 1, "layer_sizes": SIZES} | (metadata or {})
    arrays = {"metadata": np.frombuffer(json.dumps(metadata).encode(), np.uint8), **Machine(SIZES).arrays(), **changes}
    save(path, **{name: array for name, array in arrays.items() if array is not None})


FLOATS = np.zeros(5, np.float32)
UNUSABLE = {
    "another kind": ({"metadata": {"format": "fastws run"}}, "holds a 'fastws run'; a 'fastws machine' file was"),
    "a later version": ({"metadata": {"version": 2}}, "has format version 2; .* Upgrade fastws"),
    "a version that is no number": ({"metadata": {"version": "1"}}, "has format version 1"),
    "compressed, and more than the layers need": (
        {"save": np.savez_compressed, "more": np.zeros(10**6)},
        "it would expand to more than its layers need",
    ),
    "compressed, with layers of no size": (
        {"save": np.savez_compressed, "metadata": {"layer_sizes": [17, 0]}},
        r"layer_sizes\[1\] is 0",
    ),
    "compressed, with a long description": (
        {"save": np.savez_compressed, "metadata": {"note": "." * 10**5}},
        "its metadata are too large",
    ),
    "objects": ({"gen_biases_1": np.array([None] * 5)}, "an array is not plain numbers"),
    "objects among records": ({"gen_biases_1": np.zeros(5, [("a", "f4"), ("b", "O")])}, "an array is not plain"),
    "no metadata": ({"metadata": None, "save": lambda path, **arrays: np.savez(path, x=FLOATS)}, "'metadata'"),
    "an array missing": ({"rec_biases_0": None}, "rec_biases_0 is missing"),
    "not a number": (
        {"rec_biases_0": FLOATS + np.nan},
        r"damaged: rec_biases\[0\]\[0\] is nan; every parameter has to be",
    ),
    "infinite": (
        {"gen_biases_1": FLOATS - np.inf},
        r"damaged: gen_biases\[1\]\[0\] is -inf; every parameter has to be",
    ),
    "another shape": ({"gen_biases_1": FLOATS[:4]}, r"gen_biases_1 is missing or not float32 of shape \(5,\)"),
    "another type": ({"gen_biases_1": FLOATS.astype(np.float64)}, "gen_biases_1 is missing or not float32"),
    "another byte order": ({"gen_biases_1": FLOATS.astype(">f4")}, "gen_biases_1 is missing or not float32"),
    "a label that is none": ({"metadata": {"label": [1]}}, r"damaged: label is \[1\]; give a word"),
    "no layer sizes": ({"metadata": {"layer_sizes": None}}, "layer_sizes is None"),
    "no unit in a layer": ({"metadata": {"layer_sizes": [17, 0, 3]}}, r"layer_sizes\[1\] is 0"),
    "a huge layer": ({"metadata": {"layer_sizes": [17, 10**12, 3]}}, "too few parameters|gen_weights_0 is missing"),
    "other layers": ({"metadata": {"layer_sizes": [17, 5, 4]}}, "gen_weights_1 is missing or not float32"),
    "large layers": (
        {"metadata": {"layer_sizes": [10**6, 10**6]}, "unknown": np.zeros(2 * 10**6, np.float32)},
        "gen_weights_0 is missing or not float32",
    ),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_unusable_file(what, tmp_path):
    changes, message = UNUSABLE[what]
    path = tmp_path / "machine.npz"
    saved(path, **changes)
    with pytest.raises(ValueError, match=message) as error:
        Machine.load(path)
    assert str(path) in str(error.value)


def test_saved_by_this_test_as_fastws_does(tmp_path):
    """Or the cases above would fail for another reason."""
    saved(tmp_path / "machine.npz")
    assert Machine.load(tmp_path / "machine.npz").layer_sizes == tuple(SIZES)


@pytest.mark.parametrize("content", [b"", b"\0", b"no archive", b"PK\5\6" + bytes(18), b"PK\3\4" + bytes(100)])
def test_foreign_file(content, tmp_path):
    path = tmp_path / "machine.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a fastws machine file, or it is damaged .*; give a file that fastws"):
        Machine.load(path)


def test_archive_of_something_else(tmp_path):
    path = tmp_path / "machine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match="it holds something other than plain arrays"):
        Machine.load(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_machine_saved_again_with_numpy(save, order, tmp_path):
    machine = hard_machine()
    machine.save(tmp_path / "machine.npz")
    with np.load(tmp_path / "machine.npz") as file:
        save(tmp_path / "again.npz", **{name: np.asarray(file[name], order=order) for name in file})
    np.testing.assert_array_equal(parameter_bits(Machine.load(tmp_path / "again.npz")), parameter_bits(machine))


def test_a_compressed_file_takes_no_more_memory_than_its_layers(tmp_path):
    """A thousand times as much as the file itself would be there to be expanded."""
    machine = Machine([64, 8])
    description = np.frombuffer(
        json.dumps({"format": "fastws machine", "version": 1, "layer_sizes": [64, 8]}).encode(), np.uint8
    )
    arrays = machine.arrays() | {"metadata": description}
    arrays["gen_weights_0"] = np.zeros((8, 10**6), np.float32)
    np.savez_compressed(tmp_path / "machine.npz", **arrays)
    with traced_memory() as peak_bytes:
        with pytest.raises(ValueError, match="expand to more"):
            Machine.load(tmp_path / "machine.npz")
        assert peak_bytes() < 1e6


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_named(method, tmp_path):
    machine = Machine(SIZES)
    machine.save(tmp_path / "machine.npz")
    with zipfile.ZipFile(tmp_path / "machine.npz") as whole, zipfile.ZipFile(tmp_path / "b.npz", "w", method) as other:
        for name in whole.namelist():
            other.writestr(name, whole.read(name))
    with pytest.raises(ValueError, match=r"is compressed in a way that NumPy does not write"):
        Machine.load(tmp_path / "b.npz")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        Machine.load(tmp_path / "machine.npz")


# Fantasies and representations.


def test_fantasies_and_representations_are_binary_and_of_the_right_shapes():
    machine, x = random_machine(SIZES), np.eye(17)[:7]
    fantasies, representations = machine.fantasies(7), machine.representations(x)
    assert fantasies.shape == (7, 17)
    assert [layer.shape for layer in representations] == [(7, 5), (7, 3)]
    for states in (fantasies, *representations):
        assert states.dtype == np.uint8
        assert set(np.unique(states)) == {0, 1}


def test_representation_takes_what_asarray_takes():
    machine, x = random_machine(SIZES), np.random.default_rng(0).integers(0, 2, (4, 17))
    expected = machine.representations(x)
    for same in (
        x.tolist(),
        x.astype(bool),
        x.astype(np.uint8),
        x.astype(np.float32),
        x[::-1][::-1],
        np.asfortranarray(x),
    ):
        for a, b in zip(machine.representations(same), expected, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(machine.representations(x[0]), expected, strict=True):
        np.testing.assert_array_equal(a, b[:1])


def test_seed_decides_the_draws():
    machine, x = Machine([64, 64]), np.ones((20, 64))
    for draw in (machine.fantasies, lambda n, **seed: machine.representations(x[:n], **seed)[0]):
        np.testing.assert_array_equal(draw(20), draw(20, seed=0))
        np.testing.assert_array_equal(draw(20)[:5], draw(5))
        for seed in (1, 2, 2**32, 2**200):
            assert 0.4 < np.mean(draw(20) != draw(20, seed=seed)) < 0.6


def test_fantasies_and_representations_of_one_seed_have_other_draws():
    """The inputs of one net are drawn as 64 to 127, and so are the last hidden units of the other."""
    fantasies, representations = Machine([64, 64]).fantasies(20), Machine([1, 128]).representations(np.ones((20, 1)))
    assert 0.4 < np.mean(fantasies != representations[0][:, 64:]) < 0.6


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
def test_wrong_number_of_fantasies(n):
    with pytest.raises(ValueError, match=f"^n is {n}"):
        Machine(SIZES).fantasies(n)


@pytest.mark.parametrize("seed", [-1, 0.5, None, "1"])
def test_wrong_seed(seed):
    machine = random_machine(SIZES)
    before = parameter_bits(machine)
    for call in (
        lambda: machine.fantasies(1, seed),
        lambda: machine.representations(np.ones(17), seed),
        lambda: wake_step(machine, np.ones(17), 0.1, seed, nonnegative_input_weights=True),
        lambda: sleep_step(machine, 0.1, seed),
    ):
        with pytest.raises(ValueError, match=f"^seed is {seed!r}"):
            call()
    np.testing.assert_array_equal(parameter_bits(machine), before)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones(16), "x has 16 columns; the input layer has 17 units"),
        (np.full(17, 2), r"x\[0, 0\] is 2; every input unit is 0 or 1"),
        (np.ones((0, 17)), "x is empty"),
    ],
)
def test_wrong_inputs(x, message):
    machine = random_machine(SIZES)
    for call in (machine.representations, lambda x: wake_step(machine, x, 0.1)):
        with pytest.raises(ValueError, match=message):
            call(x)


def test_a_step_learns_from_one_input():
    with pytest.raises(ValueError, match=r"^x has 2 rows; a wake step learns from one input"):
        wake_step(Machine(SIZES), np.ones((2, 17)), 0.1)


@pytest.mark.parametrize("rates", [-0.1, float("nan"), [0.1, 0.1], [0.1, 0.1, float("inf")]])
def test_wrong_rates_leave_the_machine_alone(rates):
    machine = random_machine(SIZES)
    before = parameter_bits(machine)
    for step in (lambda: wake_step(machine, np.ones(17), rates), lambda: sleep_step(machine, rates)):
        with pytest.raises(ValueError, match=r"^rates"):
            step()
    np.testing.assert_array_equal(parameter_bits(machine), before)


def test_steps_are_reproducible_and_the_seed_decides():
    def learned(seed):
        machine = Machine([40, 40])
        states = wake_step(machine, np.ones(40), 0.1, seed), sleep_step(machine, 0.1, seed)
        return machine, np.concatenate([layer for step in states for layer in step])

    (machine, states), (same_machine, same_states), (_, other_states) = learned(0), learned(0), learned(1)
    np.testing.assert_array_equal(parameter_bits(machine), parameter_bits(same_machine))
    np.testing.assert_array_equal(states, same_states)
    assert (states != other_states).any()


@pytest.mark.parametrize("arguments", [(wake_step, np.ones(40), 0.1), (sleep_step, 0.1)], ids=["wake", "sleep"])
def test_seed_0_is_the_default_of_steps(arguments):
    step, *rest = arguments
    np.testing.assert_array_equal(step(Machine([40, 40]), *rest), step(Machine([40, 40]), *rest, seed=0))


def test_a_wake_step_is_from_its_input():
    for sizes in ([17, 5, 3], [9, 9, 9], [3, 17]):
        x = np.random.default_rng(0).integers(0, 2, sizes[0])
        np.testing.assert_array_equal(wake_step(random_machine(sizes), x, 0.1)[0], x)


@pytest.mark.parametrize(
    ("sizes", "wide"),
    [([17, 5], False), ([64, 64], True), ([63, 64], False), ([64, 63, 2], False), ([784, 3, 64, 70], True)],
)
def test_kernels_are_told_the_layers_the_empty_one_and_whether_there_are_wide_ones(sizes, wide):
    net = Machine(sizes).net
    assert (net.sizes.tolist(), type(net.way)) == ([*sizes, 0], Wide if wide else Narrow)


def test_one_rate_is_that_of_every_level():
    one, all_levels = random_machine(SIZES), random_machine(SIZES)
    wake_step(one, np.ones(17), 0.1)
    wake_step(all_levels, np.ones(17), [0.1, 0.1, 0.1])
    np.testing.assert_array_equal(parameter_bits(one), parameter_bits(all_levels))


def test_a_rate_of_zero_changes_no_bit_of_any_weight():
    machine = Machine([5, 4, 3])
    for array in (*machine.gen_weights, *machine.gen_biases, *machine.rec_weights, *machine.rec_biases):
        array[...] = -0.0
    before = {name: array.tobytes() for name, array in machine.arrays().items()}
    for seed in range(20):
        wake_step(machine, np.ones(5), 0, seed)
        sleep_step(machine, 0, seed)
    assert {name: array.tobytes() for name, array in machine.arrays().items()} == before


@pytest.mark.parametrize("sizes", [[3, 2], [17, 5, 33, 1]])
def test_updates_learn_as_steps_do(sizes):
    stepped, updated = random_machine(sizes), random_machine(sizes)
    before = parameter_bits(updated)
    states = wake_step(stepped, np.ones(sizes[0]), 0.1, seed=3, nonnegative_input_weights=True)
    wake_update(updated, states, 0.1, nonnegative_input_weights=True)
    awake = parameter_bits(stepped)
    np.testing.assert_array_equal(parameter_bits(updated), awake)
    sleep_update(updated, sleep_step(stepped, 0.1, seed=3), 0.1)
    asleep = parameter_bits(stepped)
    np.testing.assert_array_equal(parameter_bits(updated), asleep)
    assert len({bits.tobytes() for bits in (before, awake, asleep)}) == 3


@pytest.mark.parametrize("update", [wake_update, sleep_update])
@pytest.mark.parametrize(
    ("states", "message"),
    [
        ([[0, 1, 1]], "^states has 1 layers; the machine has 2"),
        ([[0, 1, 1], [0]], r"^states\[1\] has shape \(1,\); its layer has 2 units"),
        ([[[0, 1, 1]] * 2, [0, 1]], r"^states\[0\] has shape \(2, 3\)"),
        ([[0, 2, 1], [0, 1]], r"^states\[0\]\[0, 1\] is 2"),
    ],
)
def test_states_of_an_update_are_checked(update, states, message):
    machine = random_machine([3, 2])
    before = parameter_bits(machine)
    with pytest.raises(ValueError, match=message):
        update(machine, states, 0.1)
    with pytest.raises(ValueError, match=r"^rates has 1"):
        update(machine, [[0, 1, 1], [0, 1]], [0.1])
    np.testing.assert_array_equal(parameter_bits(machine), before)


def test_clamped_units_stay_where_they_are_held():
    machine = random_machine(SIZES)
    fantasies = machine.fantasies(500, clamp={(0, 3): 1, (0, 16): 0})
    assert fantasies[:, 3].all()
    assert not fantasies[:, 16].any()
    others = np.delete(np.arange(17), [3, 16])
    np.testing.assert_array_equal(fantasies[:, others], machine.fantasies(500)[:, others])


def test_a_clamped_hidden_unit_drives_as_if_its_bias_were_large():
    machine = random_machine(SIZES)
    for layer, unit in ((1, 2), (len(SIZES) - 1, 1)):
        for state in (0, 1):
            driven = machine.copy()
            driven.gen_biases[layer][unit] = 1e6 if state else -1e6
            found = machine.fantasies(300, seed=5, clamp={(layer, unit): state})
            np.testing.assert_array_equal(found, driven.fantasies(300, seed=5))
            assert (found != machine.fantasies(300, seed=5)).any()


def test_a_clamp_leaves_the_machine_alone():
    machine = random_machine(SIZES)
    before = parameter_bits(machine)
    machine.fantasies(3, clamp={(1, 0): 1})
    np.testing.assert_array_equal(parameter_bits(machine), before)
    np.testing.assert_array_equal(machine.fantasies(9, clamp={}), machine.fantasies(9))


@pytest.mark.parametrize("clamp", [{(9, 0): 1}, {(-1, 0): 1}, {(0, 17): 1}, {(0, -1): 1}, {(0, 0): 2}])
def test_a_clamp_of_no_unit_or_state_is_refused(clamp):
    with pytest.raises(ValueError, match=r"^clamp has \(.*counted from 0"):
        random_machine(SIZES).fantasies(1, clamp=clamp)


class Named(Machine):
    """A machine of somebody's own, which is made from other things and knows more."""

    def __init__(self, name, hidden):
        super().__init__([17, hidden, 3])
        self.name = name


@pytest.mark.parametrize(
    "duplicate", [Machine.copy, copy.copy, copy.deepcopy, lambda machine: pickle.loads(pickle.dumps(machine))]
)
def test_a_duplicate_of_a_machine_of_ones_own_is_whole(duplicate):
    """It was a plain Machine, was without what had been set on it, or could not be made."""
    machine = Named("a", hidden=5)
    machine.gen_weights = hard_machine().gen_weights
    machine.label, machine.note = "seven", ["kept"]
    other = duplicate(machine)
    assert (type(other), other.name, other.label, other.note) == (Named, "a", "seven", ["kept"])
    np.testing.assert_array_equal(parameter_bits(other), parameter_bits(machine))
    other.gen_weights[0] += 1
    assert not np.array_equal(parameter_bits(other), parameter_bits(machine))


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", ["gen_weights", "gen_biases", "rec_weights", "rec_biases"])
def test_probabilities_of_what_is_not_finite_are_refused_with_its_name(name, level):
    for value in (np.nan, np.inf):
        machine = random_machine(SIZES)
        getattr(machine, name)[level].flat[0] = value
        for compute in (machine.recognition_probabilities, machine.reconstruct):
            with pytest.raises(NotFiniteError, match=rf"^{name}\[{level}\]\[0.*\] is {value}"):
                compute(np.zeros((1, 17)))


def test_a_label_that_is_not_a_number():
    machine = Machine(SIZES)
    with pytest.raises(ValueError, match=r"^label is np.float64\(nan\); give a word, a number or None"):
        machine.label = np.float64("nan")
