"""MATLAB's ``.mat`` files up to version 7.

SciPy reads them. It trusts the types that stand in a file, and one that does not exist ends the process; so they are
looked at before.
"""

import math
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastws.files import MOST_INFLATED

HDF5 = b"\x89HDF"
_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
# Classes of arrays of numbers: double, single, and whole numbers of 8 to 64 bits, with and without a sign.
_CLASSES_OF_NUMBERS = range(6, 16)
_COMPLEX = 1 << 11
# Bytes a number, by type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_MOST_DIMENSIONS = 32
# What stands before the numbers of an array: three tags, the dimensions and a name of at most 63 letters.
_FRONT = 1 << 12


def read_matlab(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of real numbers of a MATLAB file by their names; whatever else is in it is passed over.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is one of MATLAB 7.3, no such file, or damaged.
    """
    from scipy.io import loadmat

    name = os.fspath(path)
    with open(path, "rb") as file:
        content = file.read()
    if content.startswith(b"MATLAB 7.3") or HDF5 in (content[:4], content[512:516]):
        raise ValueError(
            f"{name} is a file of MATLAB 7.3, which is HDF5 and is not read here; save it again in MATLAB with "
            "save(..., '-v7')."
        )
    try:
        # Files of version 4 have a zero among their first four bytes, and a reader that checks its types.
        wanted = None if 0 in content[:4] else list(_arrays_of_numbers(content))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = loadmat(path, variable_names=wanted)
    except Exception as error:
        raise ValueError(f"{name} is not a MATLAB file, or it is damaged ({error}).") from error
    return {key: value for key, value in found.items() if isinstance(value, np.ndarray) and not key.startswith("__")}


def _arrays_of_numbers(content: bytes) -> Iterator[str]:
    """Return the names of the arrays of real numbers, all of whose types and sizes have been checked."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER])
    if order is None:
        raise ValueError("it does not begin as such a file does")
    place = _HEADER
    while place < len(content):
        kind, n_bytes = struct.unpack_from(f"{order}II", content, place)
        body = content[place + 8 : place + 8 + n_bytes]
        if kind not in (_MATRIX, _COMPRESSED) or len(body) != n_bytes:
            raise ValueError("it has something other than whole arrays")
        room = n_bytes
        if kind == _COMPRESSED:
            room = 8 + MOST_INFLATED * n_bytes
            front = zlib.decompressobj().decompress(body, _FRONT)
            kind, _ = struct.unpack_from(f"{order}II", front)
            if kind != _MATRIX:
                raise ValueError("it has something other than arrays")
            body = front[8:]
        name = _name_of_numbers(body, order, room)
        if name:
            yield name
        place += 8 + n_bytes


def _name_of_numbers(body: bytes, order: str, room: int) -> str:
    """Return the name of an array, or an empty text if it holds no real numbers."""
    kind, n_bytes, flags = struct.unpack_from(f"{order}III", body)
    if (kind, n_bytes) != (6, 8):
        raise ValueError("an array has no flags")
    if flags & 0xFF not in _CLASSES_OF_NUMBERS or flags & _COMPLEX:
        return ""
    kind, n_bytes, start, end = _tag(body, 16, order)
    if kind != 5 or n_bytes % 4 or n_bytes > 4 * _MOST_DIMENSIONS:
        raise ValueError("an array has no dimensions")
    shape = struct.unpack_from(f"{order}{n_bytes // 4}i", body, start)
    kind, n_bytes, start, end = _tag(body, end, order)
    if kind not in (1, 2) or start + n_bytes > len(body):
        raise ValueError("an array has no name")
    name = body[start : start + n_bytes].decode("latin-1")
    kind, n_bytes, start, _ = _tag(body, end, order)
    if kind not in _SIZES or min(shape) < 0 or n_bytes != math.prod(shape) * _SIZES[kind] or start + n_bytes > room:
        raise ValueError(f"{name} has a type or a size that cannot be")
    return name


def _tag(body: bytes, place: int, order: str) -> tuple[int, int, int, int]:
    """Return the type and number of bytes of an element, and where its bytes begin and the next element does."""
    kind, n_bytes = struct.unpack_from(f"{order}II", body, place)
    if kind >> 16:  # up to four bytes, within the tag
        return kind & 0xFFFF, kind >> 16, place + 4, place + 8
    return kind, n_bytes, place + 8, place + 8 + -(-n_bytes // 8) * 8
