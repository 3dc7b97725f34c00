"""Arrays in NumPy's files: ``.npz`` and ``.npy``."""

import os
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.files import checked_members, read_header

_ZIP = b"PK\3\4"


def read_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a user's ``.npz`` file, or the one of a ``.npy`` file under the name ``x``.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not such a file, is damaged, or has Python objects in it, which are not unpickled. Refused before
        they are read: members that overlap, that are compressed otherwise than by `numpy.savez_compressed`, or that
        claim more bytes than they can be made of, and arrays whose headers do; so what is read takes no more than
        1,032 times the size of the file, the most that this compression does.

    Examples
    --------
    >>> import numpy as np
    >>> from fastws import datasets
    >>> np.savez("images.npz", x=[[0, 1], [1, 0]])
    >>> list(datasets.read_arrays("images.npz"))
    ['x']
    """
    name = os.fspath(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = checked_members(archive, os.path.getsize(path))
                found = {member.filename.removesuffix(".npy"): _read_member(archive, member) for member in members}
                if members and all(array is None for array in found.values()):
                    raise ValueError(
                        f"it holds {members[0].filename} and no array of NumPy; if it is an archive of images, unpack "
                        "it and give them"
                    )
            return {key: array for key, array in found.items() if array is not None}
        with open(path, "rb") as file:
            if file.read(len(_ZIP)) == _ZIP:
                raise ValueError("it begins as an .npz file, and its end is missing")
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


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any] | None:
    """Return the array in a member of an archive, or None if it holds something else."""
    with archive.open(member) as file:
        magic = np.lib.format.MAGIC_PREFIX
        if file.read(len(magic)) != magic:
            return None
        file.seek(0)
        read_header(file, member.file_size)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
