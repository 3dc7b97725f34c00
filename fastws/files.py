"""Files of fastws: saved whole or not at all, and read without trusting what is in them.

Format: an uncompressed ``.npz`` of plain arrays. The array ``metadata`` holds UTF-8 JSON with ``format`` (the kind of
file), ``version`` and whatever else describes the arrays.
"""

import errno
import io
import json
import math
import os
import secrets
import signal
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION = 1
# Of a file that is compressed, in bytes.
_MOST_METADATA = 1 << 16

# Deflate makes no more bytes of one.
MOST_INFLATED = 1032
_LOCAL_HEADER = 30
_LONGEST_START = 40


def write_atomically(path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file that takes the place of `path` only when it is whole and on disk.

    A symbolic link stays, and what it points to is replaced. A file that is there keeps its permissions.

    Raises
    ------
    OSError
        If the folder cannot be written, the disk is full, or `path` is a folder, a device or a link in a circle; an
        earlier file at `path` is then still there.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _mode_of(target)
        # zipfile, interrupted while it writes, would raise something else instead.
        with _signals_afterwards():
            _write_and_replace(target, mode, write)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def check_replaceable(path: str | os.PathLike[str]) -> None:
    """Check that `write_atomically` could put a file there: what is there is a file, or nothing.

    Raises
    ------
    OSError
        If it is a folder, a device or a link in a circle, or nothing can be called so.
    """
    _mode_of(Path(os.path.realpath(path)))


def _mode_of(target: Path) -> int | None:
    """Return the permissions of a file, or None if there is none; raise if it is something else."""
    try:
        status = target.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):  # all links have been followed that lead anywhere
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "Not a regular file")
    return stat.S_IMODE(status.st_mode)


def _write_and_replace(target: Path, mode: int | None, write: Callable[[IO[bytes]], object]) -> None:
    # As long as the name that is asked for it could be too long.
    temporary = target.with_name(f".{target.name[:_LONGEST_START]}.{secrets.token_hex(4)}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # Made with the permissions of what it replaces: nobody shall read it who could not read that.
    descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _signals_afterwards() -> Iterator[None]:
    """Let handlers of signals written in Python, such as that of Ctrl-C, wait until the block has ended.

    They run in the main thread, so that no other one has to wait. Unlike a thread that does the work, this goes in
    functions that are registered with `atexit`, too.
    """
    came: list[tuple[int, Any]] = []
    waiting: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        # Ctrl-C last: it may come again as soon as its handler is back.
        numbers = sorted(signal.valid_signals(), key=lambda number: number == signal.SIGINT)
        handlers = {number: signal.getsignal(number) for number in numbers}
        waiting = {number: handler for number, handler in handlers.items() if callable(handler)}
    try:
        for number in waiting:
            signal.signal(number, lambda *what: came.append(what))
        yield
    finally:
        for number, handler in waiting.items():
            signal.signal(number, handler)
        for number, frame in came:
            waiting[number](number, frame)


def save_arrays(
    path: str | os.PathLike[str], kind: str, metadata: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Save arrays and their description as one file of the given kind, atomically."""
    description = json.dumps({"format": kind, "version": FORMAT_VERSION, **metadata}).encode()
    everything: dict[str, Any] = {"metadata": np.frombuffer(description, np.uint8), **arrays}
    write_atomically(path, lambda file: np.savez(file, **everything))


def load_arrays(
    path: str | os.PathLike[str], kind: str, bytes_needed: Callable[[dict[str, Any]], int] | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the metadata and the arrays of a file that `save_arrays` wrote.

    Parameters
    ----------
    path : path-like
    kind : str
    bytes_needed : callable, optional
        Given the metadata, how many bytes the arrays may take where they are compressed, as `numpy.savez_compressed`
        leaves them. Without it they must not be.

    Raises
    ------
    FileNotFoundError, OSError
        If the file cannot be read.
    ValueError
        If it is of another kind, of a later version, truncated or altered. Memory stays within the file's own size, or
        what `bytes_needed` returns.
    """
    content = Path(path).read_bytes()
    try:
        arrays = _read_npz(content, bytes_needed)
        metadata = _parse_metadata(arrays.pop("metadata"))
        found, version = metadata["format"], metadata["version"]
    except Exception as error:
        raise ValueError(
            f"{os.fspath(path)} is not a {kind} file, or it is damaged ({error}); give a file that fastws saved."
        ) from error
    if found != kind:
        raise ValueError(f"{os.fspath(path)} holds a {found!r}; a {kind!r} file was expected.")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"{os.fspath(path)} has format version {version}; this fastws reads versions up to {FORMAT_VERSION}. "
            "Upgrade fastws to read it."
        )
    return metadata, arrays


def _read_npz(content: bytes, bytes_needed: Callable[[dict[str, Any]], int] | None) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = checked_members(archive, len(content))
        _check_compression(archive, bytes_needed)
        for member in members:
            if not member.filename.endswith(".npy"):
                raise ValueError("it holds something other than plain arrays")
            arrays[member.filename.removesuffix(".npy")] = _parse_npy(archive.read(member))
    return arrays


def _check_compression(archive: zipfile.ZipFile, bytes_needed: Callable[[dict[str, Any]], int] | None) -> None:
    """Check that what is compressed expands to no more than it should; `zipfile` reads no more than a member states."""
    methods = {member.compress_type for member in archive.infolist()}
    if methods <= {zipfile.ZIP_STORED}:
        return
    if bytes_needed is None or not methods <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ValueError("it is compressed; save its arrays with numpy.savez")
    description = archive.getinfo("metadata.npy")
    if description.file_size > _MOST_METADATA:
        raise ValueError("its metadata are too large")
    most = bytes_needed(_parse_metadata(_parse_npy(archive.read(description)))) + _MOST_METADATA
    if sum(member.file_size for member in archive.infolist()) > most:
        raise ValueError("it would expand to more than its layers need")


def _parse_metadata(array: NDArray[Any]) -> dict[str, Any]:
    metadata = json.loads(array.tobytes())
    if not isinstance(metadata, dict):
        raise ValueError("its metadata are no JSON object")
    return metadata


def checked_members(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """Return the members of an archive of `size` bytes, which together are no longer than what they are made of.

    Raises
    ------
    ValueError
        If members overlap, are compressed otherwise than by NumPy, or claim to be longer than they can be.
    """
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    end = 0
    for member in members:
        if member.header_offset < end:
            raise ValueError(f"its member {member.filename!r} overlaps another")
        end = member.header_offset + _LOCAL_HEADER + member.compress_size
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its member {member.filename!r} is compressed in a way that NumPy does not write")
        grows = 1 if member.compress_type == zipfile.ZIP_STORED else MOST_INFLATED
        if member.file_size > grows * member.compress_size:
            raise ValueError(f"its member {member.filename!r} claims more bytes than it can have")
    if end > size:
        raise ValueError("its members are longer than it is")
    return members


def read_header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and type of an array in `size` bytes of the form ``.npy``, which it has to fill.

    Raises
    ------
    ValueError
        If it does not, or holds Python objects. Unlike `numpy.load`, this allocates nothing for what is claimed.
    """
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError("an array has an unknown header")
    if dtype.hasobject:
        raise ValueError("an array is not plain numbers: it holds Python objects")
    if any(n < 0 for n in shape) or file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError("an array is not as long as its header claims")
    return shape, fortran_order, dtype


def _parse_npy(content: bytes) -> NDArray[Any]:
    file = io.BytesIO(content)
    shape, fortran_order, dtype = read_header(file, len(content))
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if fortran_order else "C").copy()
