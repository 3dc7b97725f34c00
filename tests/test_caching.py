"""A cache of compiled code that is never stale and never in the way."""

import errno
import os
import pickle
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numba
import pytest
from numba import config

from fastws.kernels import caching
from fastws.kernels.caching import CacheWarning, cache_folder, cached_njit

COMPILED = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")
OURS = f"fastws-{os.getuid()}" if hasattr(os, "getuid") else "fastws"


@pytest.fixture
def sources(tmp_path):
    """Return two source files, in a folder of their own."""
    package = tmp_path / "package"
    package.mkdir()
    paths = [package / "kernels.py", package / "lanes.py"]
    for path in paths:
        path.write_text("x = 1\n")
    return [str(path) for path in paths]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Return the four places for a cache, best first, none of which is there yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "told"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home" / "caches"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return [tmp_path / "told", tmp_path / "package" / "__pycache__", tmp_path / "home", temporary]


def block(*places):
    """Put files where folders would be: nobody can write into them, not even root."""
    for place in places:
        if place.is_dir():
            place.rmdir()
        place.write_text("in the way")


# Which folder.


def test_each_state_of_any_source_has_a_folder_of_its_own(sources, places):
    """A change is seen where size and time stamp are as before, and in a file that Numba does not look at."""
    folders = {cache_folder(sources)}
    for source in map(Path, sources):
        before = source.stat()
        source.write_text("x = 2\n")
        os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
        folders.add(cache_folder(sources))
        assert cache_folder(sources) in folders
    assert len(folders) == 3
    Path(sources[0]).write_text("x = 1\n")
    Path(sources[1]).write_text("x = 1\n")
    assert cache_folder(sources) in folders


def test_text_that_moves_from_one_source_to_the_next_is_a_change(sources, places):
    before = cache_folder(sources)
    Path(sources[0]).write_text("x = 1\nx")
    Path(sources[1]).write_text(" = 1\n")
    assert cache_folder(sources) != before


def test_code_with_checks_of_bounds_is_kept_apart(sources, places, monkeypatch):
    before = cache_folder(sources)
    monkeypatch.setattr(config, "BOUNDSCHECK", 0 if config.BOUNDSCHECK else 1)
    assert cache_folder(sources) != before


@pytest.mark.parametrize("n_blocked", [0, 1, 2])
def test_the_best_place_that_can_be_written_is_taken_without_a_word(n_blocked, sources, places):
    block(*places[:n_blocked])
    folder = cache_folder(sources)
    assert folder.is_dir()
    assert places[n_blocked] in folder.parents


def test_a_user_without_a_home(sources, places, monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    block(*places[:2])
    with pytest.warns(CacheWarning, match="cannot write into"):
        assert places[3] in cache_folder(sources).parents


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folders(sources, places):
    cache_folder(sources).chmod(0o555)
    assert places[1] in cache_folder(sources).parents
    for place in places[1:3]:
        place.mkdir(exist_ok=True)
        for folder in (place, *place.glob("fastws*")):
            folder.chmod(0o555)
    with pytest.warns(CacheWarning, match="cannot write into"):
        assert places[3] in cache_folder(sources).parents


# Temporary ones.


def test_a_temporary_folder_is_the_last_resort_and_one_sentence_says_so(sources, places):
    block(*places[:3])
    with pytest.warns(CacheWarning) as warned:
        folder = cache_folder(sources)
    assert len(warned) == 1
    [sentence] = [str(warning.message) for warning in warned]
    for place in (*places[:3], places[3] / OURS):
        assert str(place) in sentence
    assert folder.parent == places[3] / OURS
    if hasattr(os, "getuid"):
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    with pytest.warns(CacheWarning):
        assert cache_folder(sources) == folder, "the next process must find what this one compiled"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there, each user has temporary files of their own")
@pytest.mark.parametrize("whose", ["all may write", "a link", "a file"])
def test_a_temporary_folder_that_others_may_have_filled_is_not_ours(whose, sources, places, tmp_path):
    """What is loaded from a cache is run."""
    block(*places[:3])
    theirs = places[3] / OURS
    if whose == "all may write":
        theirs.mkdir()
        theirs.chmod(0o777)
    elif whose == "a link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        theirs.symlink_to(tmp_path / "elsewhere")
    else:
        theirs.write_text("in the way")
    with pytest.warns(CacheWarning):
        folder = cache_folder(sources)
    assert places[3] in folder.parents
    assert theirs not in folder.parents
    assert (tmp_path / "elsewhere") not in folder.resolve().parents


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there, each user has temporary files of their own")
def test_a_folder_for_one_process_goes_with_it(sources, places):
    block(*places[:3], places[3] / OURS)
    code = "import sys, tempfile; from fastws.kernels.caching import cache_folder; print(cache_folder(sys.argv[1:]))"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(places[0]), "TMPDIR": str(places[3])}
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *sources], env=environment, capture_output=True, text=True
    )
    assert str(places[3]) in process.stdout, process.stderr
    assert os.listdir(places[3]) == [OURS]


@COMPILED
def test_with_nowhere_to_write_functions_are_compiled_without_a_cache(sources, places):
    block(*places)
    with pytest.warns(CacheWarning, match="compiles its code anew") as warned:
        njit = cached_njit(sources)
    assert len(warned) == 1
    assert njit(lambda x: x + 1)(2) == 3


# Functions.


@COMPILED
def test_numba_is_told_of_the_folder_while_a_function_is_declared(sources, places):
    def twice(x):
        return 2 * x

    compiled = cached_njit(sources, error_model="numpy")(twice)
    assert str(places[0]) == config.CACHE_DIR
    assert compiled(3) == 6
    assert cache_folder(sources) in Path(compiled.stats.cache_path).parents
    assert list(cache_folder(sources).rglob("*.nbc"))


@COMPILED
def test_a_function_that_cannot_be_declared_leaves_the_setting_as_it_was(sources, places):
    with pytest.raises(Exception, match="NoneType"):
        cached_njit(sources)(None)
    assert str(places[0]) == config.CACHE_DIR


def test_interpreted_functions_need_no_folder(sources, places, monkeypatch):
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    block(*places)

    def twice(x):
        return 2 * x

    assert cached_njit(sources)(twice) is twice


# What is there and cannot be read, or has to be kept and cannot be.


def once(x):
    return x + 1


def twice(x):
    return 2 * x


@pytest.fixture
def use(sources, places, monkeypatch):
    """Return a function that uses two kept functions as a new process does: it gives the hits, and what was said."""

    def run():
        monkeypatch.setattr(caching._Cache, "_complained", set())
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            compiled = [cached_njit(sources)(function) for function in (once, twice)]
            assert [function(2) for function in compiled] == [3, 4]
        assert {warning.category for warning in warned} <= {CacheWarning}
        hits = sum(sum(function.stats.cache_hits.values()) for function in compiled)
        return hits, [str(warning.message) for warning in warned]

    return run


@pytest.fixture
def folder(sources, places):
    return cache_folder(sources)


DAMAGE = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "all but a byte": lambda content: content[:-1],
    "zeros": lambda content: bytes(len(content)),
    "foreign": lambda content: b"no pickle\n" * 20,
    "another pickle": lambda content: pickle.dumps([numba.__version__]) + pickle.dumps(1),
    "a flipped bit of code": lambda content: content[:-200] + bytes([content[-200] ^ 1]) + content[-199:],
}


@COMPILED
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_is_one_warning_and_is_made_anew(how, suffix, use, folder):
    assert use() == (0, [])
    assert use() == (2, [])
    path = next(folder.rglob(f"*once*.{suffix}"))
    path.write_bytes(DAMAGE[how](path.read_bytes()))
    hits, said = use()
    assert hits == 1
    if suffix == "nbc" or how in ("empty", "truncated", "zeros", "foreign"):
        [sentence] = said
        assert sentence.startswith(f"fastws cannot read compiled code in {path.parent} (")
    assert use() == (2, [])


@COMPILED
def test_two_damaged_files_are_one_warning(use, folder):
    use()
    for path in folder.rglob("*.nbc"):
        path.write_bytes(b"")
    hits, said = use()
    assert (hits, len(said)) == (0, 1)


@COMPILED
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EROFS"])
def test_code_that_cannot_be_kept_is_one_warning_that_names_the_folder(suffix, name, use, folder, monkeypatch):
    replace = os.replace

    def full(source, target):
        if str(target).endswith(suffix):
            raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        hits, [sentence] = use()
    assert hits == 0
    assert f"cannot keep compiled code in {folder}" in sentence
    assert os.strerror(getattr(errno, name)) in sentence
    assert not list(folder.rglob("*.tmp.*"))
    assert use() == (0, [])
    assert use() == (2, [])


@COMPILED
@pytest.mark.skipif(os.name != "posix", reason="POSIX's limit of the size of a file")
def test_a_disk_that_becomes_full_in_the_middle_of_a_file(use, folder):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        hits, [sentence] = use()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert hits == 0
    assert f"cannot keep compiled code in {folder}" in sentence
    assert use() == (0, [])


@COMPILED
def test_a_folder_that_is_full_when_functions_are_declared(use, folder, monkeypatch):
    """Numba would go on to a folder that knows nothing of changed sources."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    caching = numba.core.caching
    # Numba 0.61 has it by a name of its own.
    locator = getattr(caching, "UserProvidedCacheLocator", None) or caching._UserProvidedCacheLocator
    monkeypatch.setattr(locator, "ensure_cache_path", refuse)
    for _ in range(2):
        hits, [sentence] = use()
        assert hits == 0
        assert f"cannot keep compiled code in {folder}" in sentence


LANES = """
from numba import njit


@njit
def number():
    return 1
"""
KERNELS = """
from fastws.kernels.caching import cached_njit
from numba import njit
import lanes

jit = cached_njit([__file__, lanes.__file__])


@jit
def answer():
    return lanes.number()


print(answer(), sum(answer.stats.cache_hits.values()))
"""


@pytest.mark.long
@COMPILED
def test_a_change_in_another_file_is_compiled_and_what_is_unchanged_is_found_again(tmp_path):
    kernels, lanes = tmp_path / "kernels.py", tmp_path / "lanes.py"
    kernels.write_text(KERNELS)
    lanes.write_text(LANES)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}

    def run():
        command = [sys.executable, "-W", "error", str(kernels)]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
        return process.stdout or process.stderr

    assert [run(), run()] == ["1 0\n", "1 1\n"]
    before = lanes.stat()
    lanes.write_text(LANES.replace("return 1", "return 2"))
    os.utime(lanes, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [run(), run()] == ["2 0\n", "2 1\n"]


_RUN = """
import sys, fastws
fastws.Simulation(fastws.Machine([4, 2]), fastws.Bars(2), [(5, 0.1)], seed=0).advance()
print("numba.np.linalg" in sys.modules, "scipy.linalg" in sys.modules)
"""


@pytest.mark.long
@COMPILED
def test_what_only_compiling_needs_is_not_imported_to_load(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", _RUN], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said == ["True True\n", "False False\n"]
