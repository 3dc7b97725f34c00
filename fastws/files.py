"""Files of fastws: saved whole or not at all, and read without trusting what is in them.

Format: an uncompressed ``.npz`` of plain arrays. The array ``metadata`` holds UTF-8 JSON with ``format`` (the kind of
file), ``version`` and whatever else describes the arrays.
"""

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION = 1


def write_atomically(path: str | os.PathLike[str], write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file that takes the place of `path` only when it is whole and on disk.

    Raises
    ------
    OSError
        If the folder cannot be written or the disk is full; an earlier file at `path` is then still there.
    """
    # Ctrl-C reaches the main thread only. It is raised there once the file is written: zipfile, interrupted while it
    # writes, would raise something else instead.
    with ThreadPoolExecutor(1) as writer:
        writer.submit(_write_and_replace, Path(path), write).result()


def _write_and_replace(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_arrays(
    path: str | os.PathLike[str], kind: str, metadata: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    """Save arrays and their description as one file of the given kind, atomically."""
    description = json.dumps({"format": kind, "version": FORMAT_VERSION, **metadata}).encode()
    everything = {"metadata": np.frombuffer(description, np.uint8), **arrays}
    write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **everything))


def load_arrays(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the metadata and the arrays of a file that `save_arrays` wrote.

    Raises
    ------
    FileNotFoundError, OSError
        If the file cannot be read.
    ValueError
        If it is of another kind, of a later version, truncated or altered. Memory stays within the file's own size.
    """
    content = Path(path).read_bytes()
    try:
        arrays = _read_npz(content)
        metadata = json.loads(arrays.pop("metadata").tobytes())
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


def _read_npz(content: bytes) -> dict[str, NDArray[Any]]:
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                raise ValueError("it holds something other than plain arrays")
            arrays[member.filename.removesuffix(".npy")] = _parse_npy(archive.read(member))
    return arrays


def _parse_npy(content: bytes) -> NDArray[Any]:
    """Parse one array; unlike `numpy.load`, never allocate for a shape that the bytes do not fill."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array has an unknown header")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject or fortran_order or any(size < 0 for size in shape):
        raise ValueError("an array is not plain numbers")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape).copy()
