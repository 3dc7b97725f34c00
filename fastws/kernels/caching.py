"""Where compiled code is kept: in a folder that can be written, and that belongs to the very sources it came from.

Numba looks at the file of a function only, not at what else the function is made of, and raises where it may write
neither beside that file nor at home. So each state of the sources has a folder of its own, which Numba is told of while
a function is declared.
"""

import atexit
import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from numba import config, njit
from numba.core import caching
from numba.core.runtime import rtsys

__all__ = ["CacheWarning"]

# Says how files are laid out: those of another layout are in another folder.
_LAYOUT = b"checksum, pickle"
_ADVICE = "NUMBA_CACHE_DIR can name a better folder."
_settings: Any = config
# Numba has no types.
_FunctionCache: Any = caching.FunctionCache
_IndexDataCacheFile: Any = caching.IndexDataCacheFile
_declaring = threading.Lock()


class CacheWarning(UserWarning):
    """Compiled code cannot be kept where it should be.

    Examples
    --------
    >>> import warnings
    >>> from fastws.kernels.caching import CacheWarning
    >>> warnings.filterwarnings("error", category=CacheWarning)  # where a slow start is a fault
    """


def cached_njit(sources: Sequence[str], **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return `numba.njit` with these options and with a cache on disk.

    Where no folder but a temporary one can be written, that one is taken, and where none can, there is no cache; either
    way there is a `CacheWarning`. So there is, once a folder, where code cannot be kept or read later on.

    Parameters
    ----------
    sources : sequence of str
        The files that the functions are made of: their own, and those of all that they call.
    **options
        Of `numba.njit`.
    """
    folder = None if _settings.DISABLE_JIT else cache_folder(sources)
    if folder is None:
        return njit(**options)
    declare = njit(**options)

    def cached(function: Callable[..., Any]) -> Any:
        compiled = declare(function)
        with _declaring:
            before = _settings.CACHE_DIR
            _settings.CACHE_DIR = str(folder)
            try:
                cache = _Cache(function)
                if folder not in Path(cache.cache_path).parents:  # where nothing would tell of changed sources
                    raise OSError("Numba would keep it elsewhere")
                compiled._cache = cache
            except (OSError, RuntimeError) as error:
                _Cache.complain(folder, "keep", error)
            finally:
                _settings.CACHE_DIR = before
        return compiled

    return cached


class _Cache(_FunctionCache):  # type: ignore[misc]
    """Numba's cache of a function, which is done without where it fails: a full disk, a damaged file."""

    _complained: ClassVar[set[str]] = set()

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file: Any = _Files(self.cache_path, self._impl.filename_base, stamp)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return what was kept for a signature, or None; what cannot be read is taken away, to be kept anew.

        Numba's own imports and registers first all that compiling needs, which takes longer than anything else here:
        code that is only run needs Numba's runtime, and what compiles later on does the rest then.
        """
        try:
            rtsys.initialize(context)
            with self._guard_against_spurious_io_errors():
                return self._load_overload(signature, context)
        except Exception as error:
            self._cache_file.remove()
            self.complain(self.cache_path, "read", error)
            return None

    def save_overload(self, *arguments: Any) -> None:
        """Keep what was compiled for a signature, if possible."""
        try:
            super().save_overload(*arguments)
        except Exception as error:
            self.complain(self.cache_path, "keep", error)

    @classmethod
    def complain(cls, folder: str | Path, verb: str, error: Exception) -> None:
        """Warn, once a folder."""
        if str(folder) not in cls._complained:
            cls._complained.add(str(folder))
            reason = f"{type(error).__name__}: {error}"
            _warn(f"fastws cannot {verb} compiled code in {folder} ({reason}), so it compiles it anew; {_ADVICE}")


class _Files(_IndexDataCacheFile):  # type: ignore[misc]
    """Numba's files of a function, with a checksum before the code: what is damaged must not be run."""

    def _save_data(self, name: str, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._data_path(name)) as file:
            file.write(hashlib.sha256(content).digest() + content)

    def _load_data(self, name: str) -> Any:
        content = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            raise ValueError(f"{name} is damaged")
        return pickle.loads(content[32:])

    def remove(self) -> None:
        """Take the index away, without which the code is not looked at."""
        with suppress(OSError):
            os.unlink(self._index_path)


def cache_folder(sources: Sequence[str]) -> Path | None:
    """Return the folder for what is compiled from these sources, made and tried; warn if it does not last."""
    state = hashlib.sha256(_LAYOUT)
    for source in sources:
        content = Path(source).read_bytes()
        state.update(b"%d " % len(content) + content)
    # The one setting that changes what compiled code does and is not among Numba's own keys.
    state.update(b"checked" if _settings.BOUNDSCHECK else b"")
    name = f"fastws-{state.hexdigest()[:12]}"

    lasting = list(_lasting_places(Path(sources[0]).parent))
    for place in lasting:
        if _can_be_written(place / name):
            return place / name
    trouble = f"fastws cannot write into {' or '.join(map(str, lasting))}"
    temporary = _temporary_place()
    if temporary is not None and _can_be_written(temporary / name):
        _warn(f"{trouble}, so it keeps its compiled code in {temporary} for now; {_ADVICE}")
        return temporary / name
    _warn(f"{trouble} or a temporary folder, so it compiles its code anew each time; {_ADVICE}")
    return None


def _warn(sentence: str) -> None:
    warnings.warn(sentence, CacheWarning, stacklevel=4)


def _lasting_places(package: Path) -> Iterator[Path]:
    """Give the places where compiled code stays, best first."""
    if _settings.CACHE_DIR:
        yield Path(_settings.CACHE_DIR)
    yield package / "__pycache__"
    try:
        home = Path.home()
    except RuntimeError:  # a user without one
        return
    if sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "fastws"
    elif sys.platform == "darwin":
        yield home / "Library" / "Caches" / "fastws"
    else:
        yield Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "fastws"


def _temporary_place() -> Path | None:
    """Return a folder among the temporary files that nobody else can write, the same each time if possible.

    What is loaded from a cache is run, so one that somebody else has put there must not be taken for ours.
    """
    try:
        if not hasattr(os, "getuid"):  # there, each user has temporary files of their own
            return Path(tempfile.gettempdir()) / "fastws"
        ours = Path(tempfile.gettempdir()) / f"fastws-{os.getuid()}"
        ours.mkdir(mode=0o700, exist_ok=True)
        status = ours.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022:
            return ours
    except OSError:
        pass
    try:
        passing = tempfile.mkdtemp(prefix="fastws-")
    except OSError:
        return None
    atexit.register(shutil.rmtree, passing, ignore_errors=True)
    return Path(passing)


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
