"""A lock that one process at a time holds, on all computers that share a folder."""

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SECONDS_A_TRY = 0.05
_BUSY = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
# ESTALE: another computer has removed a file that is open here.
_GONE = (errno.ENOENT, errno.ESTALE)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file while the block runs, and wait for it before.

    The lock is the system's, on a hidden file beside the one that is meant: it ends with its process, even one that is
    killed. Where the file system has no locks the block runs without.

    Raises
    ------
    OSError
        If the hidden file cannot be made.
    """
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _acquire(lock)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes no file that is open
            lock.unlink()
        os.close(descriptor)


def _acquire(lock: Path) -> int:
    """Return a descriptor of the lock's file that holds the lock until it is closed."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            while not _try(descriptor):
                time.sleep(_SECONDS_A_TRY)
            if _is_at(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, lock: Path) -> bool:
    """Return whether the file that is open is the one at its path still: who held the lock before has removed it."""
    try:
        # Opened and not only asked for, so that a folder of another computer is looked at again.
        there = os.open(lock, os.O_RDWR)
        try:
            return os.path.samestat(os.fstat(descriptor), os.fstat(there))
        finally:
            os.close(there)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        return False


def _try(descriptor: int) -> bool:
    """Return whether the lock was free, and is held now, or cannot be had: of a file that is gone, or at all."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in (*_NO_LOCKS, *_GONE):
            raise
    return True
