"""IDX, the format of MNIST: arrays whose names say what they are, compressed or not."""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_AT_ONCE = 1 << 20
GZIP = b"\x1f\x8b"


def looks_like_idx(start: bytes) -> bool:
    """Return whether a file that begins so is IDX."""
    return len(start) >= 4 and start[:2] == b"\0\0" and start[2] in _TYPES and start[3] > 0


def open_bytes(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file, through gzip where it is compressed."""
    return gzip.open(path) if is_gzip(path) else open(path, "rb")  # type: ignore[return-value]


def is_gzip(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is compressed by gzip."""
    with open(path, "rb") as file:
        return file.read(2) == GZIP


def read_start(path: str | os.PathLike[str]) -> bytes:
    """Return the first bytes of a file, of what is in it where it is compressed."""
    with open_bytes(path) as file:
        try:
            return file.read(8)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return b""


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Return the array of an IDX file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not whole, or longer than its header says. Room is made for no more bytes than there are.
    """
    name = os.fspath(path)
    try:
        with open_bytes(path) as file:
            start = file.read(4)
            if not looks_like_idx(start):
                raise ValueError("it does not begin as such a file does")
            header = file.read(4 * start[3])
            if len(header) != 4 * start[3]:
                raise ValueError("it ends within its header")
            sizes = np.frombuffer(header, ">u4").tolist()
            dtype = np.dtype(_TYPES[start[2]])
            n_bytes = math.prod(sizes) * dtype.itemsize
            content = bytearray()
            while len(content) <= n_bytes and (part := file.read(min(_AT_ONCE, n_bytes + 1 - len(content)))):
                content += part
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError) as error:
        raise ValueError(f"{name} is not an IDX file, or it is damaged ({error}).") from error
    if len(content) != n_bytes:
        found = f"only {len(content):,}" if len(content) < n_bytes else "more"
        raise ValueError(
            f"{name} is damaged: its header says {' x '.join(map(str, sizes))} numbers, which are {n_bytes:,} bytes, "
            f"and {found} follow."
        )
    array = np.frombuffer(content, dtype)
    try:
        array = array.reshape(sizes)
    except ValueError as error:
        raise ValueError(f"{name} is damaged: its header says {len(sizes)} dimensions ({error}).") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def labels_beside(path: str | os.PathLike[str]) -> Path | None:
    """Return the file of labels beside one of images: train-labels-idx1-ubyte for train-images-idx3-ubyte."""
    return _beside(Path(path), ("images", "labels"), ("idx3", "idx1"))


def test_images_beside(path: str | os.PathLike[str]) -> Path | None:
    """Return the file of test images beside one of training images: t10k- or test- for train-."""
    return _beside(Path(path), ("train", "t10k")) or _beside(Path(path), ("train", "test"))


def training_images_in(folder: Path) -> Path | None:
    """Return the IDX file of training images in a folder, if there is one."""
    for path in sorted(folder.iterdir()):
        if "train" in path.name and "images" in path.name and path.is_file() and looks_like_idx(read_start(path)):
            return path
    return None


def _beside(path: Path, *exchanges: tuple[str, str]) -> Path | None:
    name = path.name
    for old, new in exchanges:
        name = name.replace(old, new)
    if name == path.name:
        return None
    bare = name.removesuffix(".gz")
    return next((path.with_name(one) for one in (name, bare, f"{bare}.gz") if path.with_name(one).is_file()), None)
