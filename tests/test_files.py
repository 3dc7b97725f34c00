import contextlib
import io
import json
import os
import stat
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastws.files import load_arrays, save_arrays, write_atomically
from fastws.machine import Machine
from fastws.simulation import Simulation, load_runs, save_runs
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine

fuzzed = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
# On top of a multiple of the file's size: what Python's own zip and JSON readers need.
WORKING_MEMORY = 300_000


def content(path):
    return path.read_bytes() if path.exists() else None


# Writing.


@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_a_failed_write_leaves_what_was_there(old, error, tmp_path):
    path = tmp_path / "file"
    if old:
        path.write_bytes(old)

    def write(file):
        file.write(b"new")
        file.flush()
        assert content(path) == old
        assert len(list(tmp_path.iterdir())) == 1 + bool(
            old
        )  # on the same disk, or it could not take its place at once
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert content(path) == old
    assert list(tmp_path.iterdir()) == ([path] if old else [])


def test_a_crash_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = (
        "import os, sys; from fastws.files import write_atomically; "
        "write_atomically(sys.argv[1], lambda file: (file.write(b'new'), file.flush(), os._exit(9)))"
    )
    assert subprocess.run([sys.executable, "-c", code, path], timeout=60).returncode == 9
    assert content(path) == b"old"


def test_a_whole_write_replaces_what_was_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for data in (b"first", b"second"):
        write_atomically("file", lambda file, data=data: file.write(data))
        assert content(tmp_path / "file") == data
        assert os.listdir() == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o007])
def test_permissions_follow_the_umask(umask, tmp_path):
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "file", lambda file: file.write(b"x"))
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "missing" / "m.npz", tmp_path / "file" / "m.npz", tmp_path / "folder"):
        with pytest.raises(OSError, match=r"No such file|Not a directory|is a directory|Is a directory"):
            Machine([2, 1]).save(path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions are POSIX's and bind no root")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        Machine([2, 1]).save(tmp_path / "m.npz")


# What was saved is what is read.


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64, np.float32, np.complex128, ">f8", "U3", "i4,f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3)])
def test_arrays_come_back_as_they_were(dtype, shape, tmp_path):
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    array = np.frombuffer(np.random.default_rng(0).bytes(size), np.uint8)
    array = (
        (array.clip(0, 1) if dtype in (bool, "U3") else array).view(dtype).reshape(shape)
        if size
        else np.empty(shape, dtype)
    )
    save_arrays(tmp_path / "file", "test", {"note": "ü"}, {"array": array})
    metadata, arrays = load_arrays(tmp_path / "file", "test")
    assert metadata["note"] == "ü"
    assert list(arrays) == ["array"]
    found = arrays["array"]
    assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert found.flags.writeable


# Files that are damaged, by accident or on purpose.

X = np.random.default_rng(0).integers(0, 2, (20, 9))
RUNS = [
    Simulation(random_machine([9, 5, 2]), Bars(3, exclude=["full"]), [(100, 0.1), (50, (0.3, 0.2, 0.1))], seed=3),
    Simulation(random_machine([9, 4]), Images(X), [(60, 0.1)], nonnegative_input_weights=True),
]
kinds = pytest.mark.parametrize("kind", ["machine", "runs"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the bytes of saved files."""
    path = tmp_path_factory.mktemp("files") / "file.npz"
    RUNS[0].machine.save(path)
    machine = path.read_bytes()
    save_runs(path, RUNS, {"note": "x"})
    return {"machine": machine, "runs": path.read_bytes()}


def load(kind, path, altered):
    """Return the bits of the parameters in a file, having checked what loading it took."""
    path.write_bytes(altered)
    tracemalloc.start()
    try:
        machines = [Machine.load(path)] if kind == "machine" else [run.machine for run in load_runs(path)[0]]
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * len(altered) + WORKING_MEMORY
    return [parameter_bits(machine).tolist() for machine in machines]


@kinds
def test_whole_file(kind, whole, tmp_path):
    """Or the tests below would fail for another reason."""
    machines = [run.machine for run in RUNS][: 1 if kind == "machine" else 2]
    found = load(kind, tmp_path / "file.npz", whole[kind])
    assert found == [parameter_bits(machine).tolist() for machine in machines]
    assert load(kind, tmp_path / "file.npz", rewritten(whole[kind], lambda members: None)) == found


@kinds
def test_truncated_file(kind, whole, tmp_path):
    for length in [*range(0, len(whole[kind]), 41), len(whole[kind]) - 1]:
        with pytest.raises(ValueError, match="it is damaged"):
            load(kind, tmp_path / "file.npz", whole[kind][:length])


@kinds
@fuzzed
@given(data=st.data())
def test_file_with_wrong_bits_is_refused_or_means_the_same(kind, data, whole, tmp_path):
    path, altered = tmp_path / "file.npz", bytearray(whole[kind])
    for _ in range(data.draw(st.integers(1, 3))):
        # The directory, which no checksum protects, is at the end.
        place = data.draw(st.integers(0, len(altered) - 1) | st.integers(len(altered) - 900, len(altered) - 1))
        altered[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ValueError):
        assert load(kind, path, altered) == load(kind, path, whole[kind])


def rewritten(content, change):
    """Let `change` alter a dict of the members' bytes; the checksums are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return file.getvalue()


@kinds
@fuzzed
@given(data=st.data())
def test_array_with_wrong_bytes_is_refused_or_loaded(kind, data, whole, tmp_path):
    """The header of an array is text; reading it must run nothing and allocate little."""

    def change(members):
        name = data.draw(st.sampled_from(sorted(members)))
        member = bytearray(members[name])
        start = data.draw(st.integers(0, min(140, len(member))) | st.integers(0, len(member)))
        member[start : start + data.draw(st.integers(0, 9))] = data.draw(
            st.binary(max_size=9) | st.sampled_from([b"9" * 9, b"(", b"'O'", b"True", b"-1", b"|O", b"V0"])
        )
        members[name] = bytes(member)

    with contextlib.suppress(ValueError):
        load(kind, tmp_path / "file.npz", rewritten(whole[kind], change))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 20),
    st.sampled_from([10**6, 10**10, 2**63, 2**64, 10**30, float("nan"), float("inf"), 1e300]),
    st.text(max_size=3),
    st.sampled_from(["bars", "images", "full", [], {}, [[]], [[1, 2]], [10**9, 10**9], [1] * 50]),
)


def places(value):
    """List every place in a JSON value, as (container, key)."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, child in list(children) for place in ((value, key), *places(child))]


def change_metadata(members, change):
    metadata = json.loads(np.load(io.BytesIO(members["metadata.npy"])).tobytes())
    change(metadata)
    file = io.BytesIO()
    np.save(file, np.frombuffer(json.dumps(metadata).encode(), np.uint8))
    members["metadata.npy"] = file.getvalue()


@kinds
@fuzzed
@given(data=st.data())
def test_metadata_with_wrong_values_is_refused_or_loaded(kind, data, whole, tmp_path):
    def change(metadata):
        container, key = data.draw(st.sampled_from(places(metadata)))
        if data.draw(st.booleans()):
            container[key] = data.draw(JUNK)
        else:
            del container[key]

    with contextlib.suppress(ValueError):
        content = rewritten(whole[kind], lambda members: change_metadata(members, change))
        load(kind, tmp_path / "file.npz", content)


HUGE = {
    "bars": (0, ("stream", "size"), 10**9),
    "layers": (0, ("layer_sizes",), [30_000_000, 1]),
    "segments": (0, ("schedule",), [[2**70, 0.1]]),
    "examples": (0, ("examples_seen",), 2**70),
}


@pytest.mark.parametrize("what", HUGE)
def test_huge_numbers_cost_neither_memory_nor_time(what, whole, tmp_path):
    run, keys, value = HUGE[what]

    def change(metadata):
        container = metadata["runs"][run]
        for key in keys[:-1]:
            container = container[key]
        assert keys[-1] in container
        container[keys[-1]] = value

    content = rewritten(whole["runs"], lambda members: change_metadata(members, change))
    if what == "segments":
        load("runs", tmp_path / "file.npz", content)
    else:
        with pytest.raises(ValueError, match="damaged"):
            load("runs", tmp_path / "file.npz", content)


HEADER = "{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}}}"


@pytest.mark.parametrize(
    ("descr", "shape"),
    [
        ("<f4", "(1099511627776,)"),
        ("<f4", "(1048576, 1048576)"),
        ("<f4", "(0, 4611686018427387904, 4)"),
        ("<f4", "(-1,)"),
        ("<f4", "(-2, -2)"),
        ("<f4", "(4.0,)"),
        ("<f4", "4"),
        ("|V2147483647", "(1,)"),
        ("|V0", "(4,)"),
        ("|O", "(2,)"),
        ("no type", "(2,)"),
    ],
)
def test_header_that_claims_too_much_allocates_nothing(descr, shape, whole, tmp_path):
    header = HEADER.format(descr=descr, shape=shape).encode().ljust(117) + b"\n"
    array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(16)
    content = rewritten(whole["machine"], lambda members: members.update({"gen_biases_1.npy": array}))
    with pytest.raises(ValueError, match="is damaged"):
        load("machine", tmp_path / "file.npz", content)


@pytest.mark.parametrize("metadata", [b"[" * 100_000, b"1", b"[]", b"\xff", b'{"format": "fastws machine"}', b""])
def test_metadata_that_is_no_description(metadata, tmp_path):
    path = tmp_path / "file.npz"
    np.savez(path, metadata=np.frombuffer(metadata, np.uint8))
    with pytest.raises(ValueError, match="is not a fastws machine file, or it is damaged"):
        Machine.load(path)


def test_names_of_arrays_are_not_paths(whole, tmp_path):
    """Reading writes nothing, whatever the members are called."""
    path = tmp_path / "file.npz"
    content = rewritten(whole["machine"], lambda members: members.update({"../outside.npy": members["metadata.npy"]}))
    load("machine", path, content)
    assert list(tmp_path.iterdir()) == [path]
    assert not (tmp_path.parent / "outside.npy").exists()


def test_a_run_saved_again_compressed_is_told_so(tmp_path):
    Simulation(Machine([9, 2]), Bars(3), [(10, 0.1)]).save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        np.savez_compressed(tmp_path / "again.npz", **file)
        np.savez(tmp_path / "plain.npz", **{name: np.asfortranarray(file[name]) for name in file})
    with pytest.raises(ValueError, match=r"it is compressed; save its arrays with numpy\.savez"):
        Simulation.load(tmp_path / "again.npz")
    assert Simulation.load(tmp_path / "plain.npz").examples_seen == 0
