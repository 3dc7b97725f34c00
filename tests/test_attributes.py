import copy
import operator
import pickle

import numpy as np
import pytest
import scipy.sparse

from fastws import exact
from fastws.machine import Machine
from fastws.simulation import Simulation
from fastws.streams import Bars, Images
from machines import parameter_arrays, parameter_bits, random_machine

SIZES = [6, 3, 3, 2]
NAMES = ["gen_weights", "gen_biases", "rec_weights", "rec_biases"]
each_name = pytest.mark.parametrize("name", NAMES)


def by_writing_into(machine, source):
    """Return a machine of the same parameters, written element by element."""
    other = Machine(machine.layer_sizes)
    for target, array in zip(parameter_arrays(other), source, strict=True):
        target[...] = array
    return other


# Arrays assigned whole.


@pytest.mark.parametrize("collect", [tuple, list, iter], ids=["tuple", "list", "generator"])
@each_name
def test_arrays_assigned_whole_are_those_that_learn(name, collect, tmp_path):
    machine, new = random_machine(SIZES), random_machine(SIZES, seed=1)
    views = getattr(machine, name)
    source = parameter_arrays(machine)
    for i, array in enumerate(source):
        source[i] = next((n for n, v in zip(getattr(new, name), views, strict=True) if v is array), array)
    expected = by_writing_into(machine, source)
    setattr(machine, name, collect(array.copy() for array in getattr(new, name)))

    assert getattr(machine, name) is views
    np.testing.assert_array_equal(parameter_bits(machine), parameter_bits(expected))
    np.testing.assert_array_equal(machine.fantasies(50), expected.fantasies(50))
    x = np.eye(6)
    np.testing.assert_array_equal(exact.free_energy_bits(machine, x), exact.free_energy_bits(expected, x))
    before = parameter_bits(machine)
    for learner in (machine, expected):
        Simulation(learner, Images(x), [(50, 0.1)]).advance()
    machine.save(tmp_path / "machine.npz")
    for again in (machine, machine.copy(), Machine.load(tmp_path / "machine.npz")):
        np.testing.assert_array_equal(parameter_bits(again), parameter_bits(expected))
    assert (parameter_bits(machine) != before).any()


@each_name
def test_arrays_that_do_not_fit_are_named_and_change_nothing(name):
    machine = random_machine(SIZES)
    before = parameter_bits(machine)
    good = [array + 1 for array in getattr(machine, name)]
    shape = good[1].shape
    for wrong in (np.zeros((*shape, 1)), np.zeros(shape[:-1]), np.zeros((shape[0] + 1, *shape[1:])), 0.0):
        with pytest.raises(
            ValueError, match=rf"^{name}\[1\] is given an array of shape .*; it has shape .*\.$"
        ) as caught:
            setattr(machine, name, [good[0], wrong, *good[2:]])
        assert f"shape {np.shape(wrong)};" in str(caught.value)
        assert f"has shape {shape}." in str(caught.value)
    masked = np.ma.masked_array(good[1], mask=good[1] == good[1].flat[0])
    for wrong, message in (
        (good[:1], f"^{name} is given 1 arrays; give {len(good)}"),
        ([*good, good[0]], f"^{name} is given {len(good) + 1} arrays"),
        (0, f"^{name} is given 0; give {len(good)} arrays"),
        (np.float32(0), f"^{name} is given "),
        (np.array(0), f"^{name} is given "),
        ("abc", f"^{name} is given 'abc'"),
        (dict.fromkeys(range(len(good))), f"^{name} is given "),
        ([good[0], masked, *good[2:]], rf"^{name}\[1\] is a masked array"),
        ([good[0], good[1] * 1j, *good[2:]], rf"^{name}\[1\] is given complex"),
        ([good[0], good[1].astype(str), *good[2:]], rf"^{name}\[1\] is given <U"),
        ([good[0], [[1], [1, 2]], *good[2:]], rf"^{name}\[1\] is given rows that differ in length"),
    ):
        with pytest.raises(ValueError, match=message):
            setattr(machine, name, wrong)
    np.testing.assert_array_equal(parameter_bits(machine), before)


def test_arrays_of_the_machine_itself_may_change_places():
    machine = random_machine([3, 3, 3])
    weights = [array.copy() for array in machine.gen_weights]
    machine.gen_weights = machine.gen_weights[::-1]
    np.testing.assert_array_equal(machine.gen_weights, weights[::-1])
    machine.gen_weights[:] = reversed(machine.gen_weights)
    np.testing.assert_array_equal(machine.gen_weights, weights)
    machine.gen_weights[0] = machine.gen_weights[0].T
    np.testing.assert_array_equal(machine.gen_weights[0], weights[0].T)
    machine.gen_weights = machine.gen_weights
    np.testing.assert_array_equal(machine.gen_weights[1], weights[1])


def test_one_array_of_all_levels_is_a_sequence_too():
    machine = Machine([3, 3, 3])
    machine.gen_weights = np.arange(18).reshape(2, 3, 3)
    assert machine.gen_weights[1][0, 0] == 9


# One array at a time.

OPERATORS = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
}


@pytest.mark.parametrize("sign", OPERATORS)
@each_name
def test_in_place_operators(name, sign):
    machine = random_machine(SIZES)
    views, before = getattr(machine, name), [array.copy() for array in getattr(machine, name)]
    for level in (0, -1):
        amount = np.float32(2) if level else np.full(before[level].shape, 2)
        expected = OPERATORS[sign](before[level].copy(), amount.astype(np.float32))
        views[level] = OPERATORS[sign](views[level], amount)
        np.testing.assert_allclose(getattr(machine, name)[level], expected, rtol=1e-6)
    np.testing.assert_array_equal(views[1:-1], before[1:-1])


@each_name
def test_the_line_that_an_update_rule_has(name):
    machine = random_machine(SIZES)
    before = getattr(machine, name)[1].copy()
    if name == "gen_biases":
        machine.gen_biases[1] += 1
        machine.gen_biases[1] *= 2
    elif name == "rec_biases":
        machine.rec_biases[1] += 1
        machine.rec_biases[1] *= 2
    elif name == "gen_weights":
        machine.gen_weights[1] += 1
        machine.gen_weights[1] @= 2 * np.eye(3, dtype=np.float32)
    else:
        machine.rec_weights[1] += 1
        machine.rec_weights[1] @= 2 * np.eye(3, dtype=np.float32)
    np.testing.assert_allclose(getattr(machine, name)[1], 2 * (before + 1), rtol=1e-6)


@each_name
def test_an_array_assigned_to_a_level_is_copied_in(name):
    machine = random_machine(SIZES)
    views = getattr(machine, name)
    array = np.arange(views[-1].size, dtype=np.float64).reshape(views[-1].shape)
    memory = views[-1]
    views[-1] = array
    array += 1
    assert views[-1] is memory
    np.testing.assert_array_equal(memory, array - 1)
    views[-1] = 0.5
    assert (memory == 0.5).all()
    for wrong, message in (
        (np.zeros(array.size + 1), rf"^{name}\[{len(views) - 1}\] is given an array of shape \({array.size + 1},\)"),
        (np.zeros((1, *array.shape)), "it has shape"),
        (1j, "is given complex128"),
        (None, "is given object"),
        (np.ma.masked, "is a masked array"),
    ):
        with pytest.raises(ValueError, match=message):
            views[-1] = wrong
    with pytest.raises(IndexError):
        views[len(views)] = 0
    with pytest.raises(ValueError, match=f"^{name} is given 1 arrays; give 2, one a level"):
        views[:2] = [array]
    assert (memory == 0.5).all()


@each_name
def test_arrays_are_still_a_tuple(name):
    arrays = getattr(random_machine(SIZES), name)
    assert isinstance(arrays, tuple)
    assert len(arrays) == len(tuple(arrays)) == len(arrays + arrays) // 2
    assert arrays[-1] is list(arrays)[-1]
    assert type(arrays[:1]) is tuple
    for again in (pickle.loads(pickle.dumps(arrays)), copy.deepcopy(arrays)):
        assert all(np.array_equal(a, b) and a is not b for a, b in zip(again, arrays, strict=True))
        again[0] = 0
        assert not again[0].any()
        assert arrays[0].any()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m)), Machine.copy])
def test_duplicates_take_assignments_as_well(duplicate):
    machine = random_machine(SIZES)
    other = duplicate(machine)
    other.gen_biases[0] += 1
    other.rec_weights = [array + 1 for array in other.rec_weights]
    np.testing.assert_array_equal(other.gen_biases[0], machine.gen_biases[0] + 1)
    np.testing.assert_array_equal(other.rec_weights[0], machine.rec_weights[0] + 1)


# Attributes that others were made from.

RUN = Simulation(Machine([9, 2]), Bars(3), [(10, 0.1)])


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        *((RUN.machine, name) for name in ("layer_sizes", "net", "n_parameters")),
        *((RUN, name) for name in ("machine", "stream", "schedule", "seed", "nonnegative_input_weights")),
        *((RUN, name) for name in ("examples_seen", "total_examples")),
        *((RUN.stream, name) for name in ("size", "p_vertical", "p_bar", "exclude", "n_inputs")),
        *((Images(np.eye(3)), name) for name in ("x", "n_inputs")),
    ],
)
def test_what_would_be_ignored_cannot_be_assigned(thing, name):
    value = getattr(thing, name)
    with pytest.raises(AttributeError, match=name):
        setattr(thing, name, value)
    with pytest.raises(AttributeError):
        delattr(thing, name)
    assert getattr(pickle.loads(pickle.dumps(thing)), name) is not None


def test_a_schedule_is_a_copy():
    run = Simulation(Machine([9, 2]), Bars(3), [(10, 0.1)])
    run.schedule[0][1][:] = 5
    run.schedule.append((10, 0.1))
    [(n, rates)] = run.schedule
    assert (n, rates.tolist()) == (10, [np.float32(0.1)] * 2)


@each_name
def test_a_value_beyond_32_bit_floats_is_refused_and_changes_nothing(name):
    """It became an infinity, with a warning of NumPy's at most."""
    machine = random_machine(SIZES)
    before, arrays = parameter_bits(machine), getattr(machine, name)
    with pytest.raises(ValueError, match=rf"^{name}\[1\] is given -1e\+39; machines hold 32-bit floats"):
        arrays[1] = np.full(arrays[1].shape, -1e39)
    with pytest.raises(ValueError, match=rf"^{name}\[0\] is given 1e\+300; "):
        arrays[0] = 1e300
    np.testing.assert_array_equal(parameter_bits(machine), before)
    arrays[0] = np.finfo(np.float32).max  # the last one that there is
    arrays[0] = np.inf  # not finite, as it is said to be: what uses it says so


def test_sparse_weights_are_weights():
    machine = Machine(SIZES)
    values = np.arange(18).reshape(3, 6)
    machine.gen_weights = [scipy.sparse.csr_matrix(values), *machine.gen_weights[1:]]
    machine.rec_weights[0] = scipy.sparse.coo_array(values.T)
    np.testing.assert_array_equal(machine.gen_weights[0], values)
    np.testing.assert_array_equal(machine.rec_weights[0], values.T)
