import contextlib
import copy
import io
import json
import os
import signal
import stat
import subprocess
import sys
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastws.datasets import read_arrays
from fastws.files import load_arrays, save_arrays, write_atomically
from fastws.machine import Machine
from fastws.simulation import Simulation, load_runs, save_runs
from fastws.streams import Bars, Images
from machines import parameter_bits, random_machine
from memory import traced_memory

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


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions_from_the_first_byte_on(mode, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)

    def write(file):
        [partial] = tmp_path.glob(".file.*.partial")
        assert stat.S_IMODE(partial.stat().st_mode) & ~mode & 0o077 == 0
        file.write(b"new")

    write_atomically(path, write)
    assert content(path) == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_umask_is_never_touched(tmp_path, monkeypatch):
    """Python can only ask for it by changing it, and two threads that do so at once leave it at nothing."""
    monkeypatch.setattr(os, "umask", pytest.fail)
    for data in (b"new", b"replaced"):
        write_atomically(tmp_path / "file", lambda file, data=data: file.write(data))


# Links, and what is no file.

LINKS = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="making links asks for rights elsewhere")


@LINKS
@pytest.mark.parametrize("save", [lambda path: Machine([2, 1]).save(path), lambda path: RUNS[0].save(path)])
def test_saving_over_a_link_writes_what_it_points_to(save, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    (there / "old.npz").write_bytes(b"old")
    (tmp_path / "link").symlink_to(Path("there", "old.npz"))
    (tmp_path / "link of a link").symlink_to("link")
    (tmp_path / "folder").symlink_to(there)
    for path in ("link", "link of a link", "folder/old.npz"):
        (there / "old.npz").write_bytes(b"old")
        save(tmp_path / path)
        assert content(there / "old.npz") != b"old"
        assert content(tmp_path / path) == content(there / "old.npz")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "link of a link").is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "link", "link of a link", "old.npz", "there"]


@LINKS
def test_a_write_through_a_link_that_fails_leaves_both(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "link").symlink_to("old")

    def write(file):
        file.write(b"new")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as error:
        write_atomically(tmp_path / "link", write)
    assert error.value.filename == str(tmp_path / "link")
    assert content(tmp_path / "link") == b"old"
    assert len(list(tmp_path.iterdir())) == 2


@LINKS
def test_a_link_to_nothing_makes_the_file_and_one_to_no_folder_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("new")
    (tmp_path / "far").symlink_to("nowhere/new")
    write_atomically(tmp_path / "link", lambda file: file.write(b"x"))
    assert content(tmp_path / "new") == b"x"
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(FileNotFoundError, match="far"):
        write_atomically(tmp_path / "far", pytest.fail)


@LINKS
@pytest.mark.parametrize("kind", ["circle", "itself", "folder", "link to a folder", "pipe", "device"])
def test_what_is_no_file_is_refused_before_anything_is_written(kind, tmp_path):
    path = tmp_path / "target"
    (tmp_path / "somewhere").mkdir()
    if kind == "circle":
        path.symlink_to("other")
        (tmp_path / "other").symlink_to("target")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"itself": "target", "link to a folder": "somewhere", "device": "/dev/null"}[kind])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=r"links|directory|regular") as error:
        write_atomically(path, pytest.fail)
    assert error.value.filename == str(path)
    assert sorted(tmp_path.rglob("*")) == before
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


# When: at the end of the process, in threads, in children, and when signals come.

LATE = """
import atexit, sys
import numpy as np
import fastws
from fastws import codec, estimate, plotting
from fastws.simulation import save_runs

machine = fastws.Machine([16, 8, 1])
run = fastws.Simulation(machine, fastws.Bars(4), [(100, 0.1)])
figure, x = plotting.image_grid(np.eye(4)), np.tile(np.eye(16, dtype=np.uint8), (500, 1))
for name, function, *arguments in (
    ("machine", machine.save, "machine.npz"),
    ("run", run.save, "run.npz"),
    ("runs", save_runs, "runs.npz", [run]),
    ("figure", plotting.save, figure, "figure"),
    ("compress", codec.compress, machine, x),
    ("estimate", estimate.measures, machine, x, 2),
    ("advance", run.advance, 50),
):
    def late(name=name, function=function, arguments=arguments):
        function(*arguments)
        print(name)
    atexit.register(late)
"""


@pytest.mark.long
def test_everything_can_be_done_at_the_end_of_a_process(tmp_path):
    """No thread can be begun then."""
    process = subprocess.run([sys.executable, "-c", LATE], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert process.stderr == ""
    done = ["advance", "estimate", "compress", "figure", "runs", "run", "machine"]
    assert process.stdout.split() == done
    assert {path.name for path in tmp_path.iterdir()} == {
        *("machine.npz", "run.npz", "runs.npz", "figure.png", "figure.svg")
    }
    assert Machine.load(tmp_path / "machine.npz").layer_sizes == (16, 8, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking beside threads
def test_a_child_and_a_thread_can_save(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(Machine([2, 1]).save, tmp_path / "thread.npz").result()
        child = pool.submit(_save_in_a_child, tmp_path / "child.npz").result()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for name in ("thread.npz", "child.npz"):
        assert Machine.load(tmp_path / name).layer_sizes == (2, 1)


def _save_in_a_child(path):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            Machine([2, 1]).save(path)
            status = 0
        finally:
            os._exit(status)
    return child


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
@pytest.mark.parametrize("fails", [False, True])
def test_a_signal_waits_until_the_file_is_written(number, fails, tmp_path):
    class Came(BaseException):
        pass

    def handler(*_):
        raise Came

    def write(file):
        file.write(b"ne")
        signal.raise_signal(number)
        file.write(b"w")
        if fails:
            raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = signal.signal(number, handler)
    try:
        with pytest.raises(Came):
            write_atomically(path, write)
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)
    assert content(path) == (b"old" if fails else b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_signals_that_are_ignored_stay_so(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        write_atomically(tmp_path / "file", lambda file: signal.raise_signal(signal.SIGINT))
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


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


@pytest.mark.long
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


@pytest.mark.long
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


# Archives whose members are longer together than they are.


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def overlapping(n_members, n_bytes, filename="x{}.npy"):
    """Return an archive that says of all members that they are where the first is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(filename.format(0), npy(np.zeros(n_bytes, np.uint8)))
        [first] = archive.infolist()
        for number in range(1, n_members):
            member = copy.copy(first)
            member.filename = filename.format(number)
            archive.filelist.append(member)
            archive.NameToInfo[member.filename] = member
        archive._didModify = True
    return file.getvalue()


def test_members_that_overlap_are_refused_before_one_is_read(tmp_path, monkeypatch):
    path = tmp_path / "file.npz"
    path.write_bytes(overlapping(50, 20_000))
    monkeypatch.setattr(zipfile.ZipFile, "open", pytest.fail)
    with pytest.raises(ValueError, match=r"damaged \(its member 'x1.npy' overlaps another\)"):
        Machine.load(path)
    with pytest.raises(ValueError, match=r"damaged \(its member 'x1.npy' overlaps another\)"):
        read_arrays(path)


@pytest.mark.parametrize("shift", [1, 20, 1000])
def test_members_that_overlap_in_part_are_refused(shift, tmp_path):
    """One begins inside another: its header is among the other's bytes."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("inner.npy", npy(np.zeros(2000, np.uint8)))
    local = inner.getvalue()[: 30 + len("inner.npy") + 2128]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("outer.npy", bytes(shift) + local)
        member = copy.copy(zipfile.ZipFile(inner).infolist()[0])
        member.header_offset = 30 + len("outer.npy") + shift
        archive.filelist.append(member)
        archive.NameToInfo[member.filename] = member
    (tmp_path / "file.npz").write_bytes(file.getvalue())
    for load in (Machine.load, read_arrays):
        with pytest.raises(ValueError, match=r"'inner.npy' overlaps another"):
            load(tmp_path / "file.npz")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_without_bounds_is_refused(compression, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", compression) as archive:
        archive.writestr("x.npy", npy(np.zeros(1_000_000, np.uint8)))
    with traced_memory() as peak_bytes:
        with pytest.raises(ValueError, match="compressed in a way that NumPy does not write"):
            read_arrays(tmp_path / "x.npz")
        assert peak_bytes() < WORKING_MEMORY


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("where", ["directory", "header"])
def test_a_member_that_claims_more_than_it_can_have_allocates_nothing(compression, where, tmp_path):
    header = HEADER.format(descr="|u1", shape="(1000000000, 1)").encode().ljust(117) + b"\n"
    array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(1000)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", compression) as archive:
        archive.writestr("x.npy", array if where == "header" else npy(np.zeros(1000, np.uint8)))
        if where == "directory":
            archive.infolist()[0].file_size = 10**9
    with traced_memory() as peak_bytes:
        with pytest.raises(ValueError, match="claims"):
            read_arrays(tmp_path / "x.npz")
        assert peak_bytes() < WORKING_MEMORY


def test_arrays_of_any_order_and_much_compressed_are_read(tmp_path):
    x = np.zeros((1000, 3000), np.uint8)
    np.savez_compressed(
        tmp_path / "x.npz", x=x, y=np.asfortranarray(np.eye(3)), z=np.float32(2), empty=np.empty((0, 4))
    )
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("notes.txt", "no array")
        archive.writestr("bare", npy(np.arange(3)))
    found = read_arrays(tmp_path / "x.npz")
    assert list(found) == ["x", "y", "z", "empty", "bare"]
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], np.eye(3))
    assert (found["z"], found["empty"].shape, found["bare"].tolist()) == (2, (0, 4), [0, 1, 2])


def test_a_name_may_be_as_long_as_the_file_system_has_it(tmp_path):
    """The name of the temporary file beside it was longer, and could not be."""
    for name in ("n" * 250, "é" * 125):
        write_atomically(tmp_path / name, lambda file: file.write(b"whole"))
        assert (tmp_path / name).read_bytes() == b"whole"
