"""Arrays in NumPy's files: ``.npz`` and ``.npy``."""

import math
import os
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALL = 1 << 16
LARGEST_RATIO = 1032
"""Of what zip and zlib make smaller: a run of 258 bytes takes two bits."""


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a user's ``.npz`` file, or the one of a ``.npy`` file under the name ``x``.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, is damaged, or has Python objects in it, which are not unpickled. No more memory is
        taken than what is in the file needs.
    """
    name = os.fspath(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                # What else is in it, is no array.
                members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
                return {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}
        # Mapped, lest a large file be read whole; copy-on-write, since the kernels are compiled for writable arrays.
        return {"x": np.lib.format.open_memmap(path, mode="c")}
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        if "allow_pickle" in str(error) or "Python objects" in str(error):
            raise ValueError(
                f"{name} holds Python objects, which are not unpickled since they could run any program; save plain "
                "arrays of numbers instead."
            ) from error
        raise ValueError(f"{name} is not an .npz or .npy file of arrays, or it is damaged ({error}).") from error


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Return an array, for which no more room is made than what the archive holds can fill."""
    if member.file_size > _SMALL + LARGEST_RATIO * member.compress_size:
        raise ValueError(f"{member.filename} claims more bytes than it can have")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{member.filename} has an unknown header")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize > member.file_size:
            raise ValueError(f"{member.filename} claims a shape that its bytes do not fill")
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
