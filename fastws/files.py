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
# Of a file that is compressed, in bytes.
_MOST_METADATA = 1 << 16


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
        _check_compression(archive, bytes_needed)
        for member in archive.infolist():
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


def _parse_npy(content: bytes) -> NDArray[Any]:
    """Parse one array; unlike `numpy.load`, never allocate for a shape that the bytes do not fill."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array has an unknown header")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject or any(size < 0 for size in shape):
        raise ValueError("an array is not plain numbers")
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if fortran_order else "C").copy()
