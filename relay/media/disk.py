"""Small things done with files on disk. All of them are for threads."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

_MOST_PARTS = 1024  # that the system takes at once


def write_all(fd: int, parts: Iterable[bytes], at: int) -> int:
    """Write them one behind the other, from that place of the file on; where they end.

    Raises:
        OSError: the disk refused.
    """
    left = deque(memoryview(part) for part in parts)
    while left:
        done = os.pwritev(fd, list(islice(left, _MOST_PARTS)), at)
        at += done
        while left and done >= len(left[0]):
            done -= len(left.popleft())
        if done:
            left[0] = left[0][done:]
    return at


def sync_folder(folder: Path) -> None:
    """Back once the names in it are on the disk.

    Raises:
        OSError: the disk refused.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_files(paths: Iterable[str]) -> None:
    """Back once what is in these files is on the disk. One that is not there is left out.

    Raises:
        OSError: the disk refused.
    """
    fds = list[int]()
    try:
        for path in paths:
            with suppress(FileNotFoundError):
                fds.append(os.open(path, os.O_RDONLY))
        for fd in fds:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)  # it begins to write
        for fd in fds:
            os.fdatasync(fd)
    finally:
        for fd in fds:
            os.close(fd)


def check_room(folder: Path, reserve: int) -> None:
    """Whether the disk may take more.

    Raises:
        OSError: it is full, or nearly: less than ``reserve`` bytes are free.
    """
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < reserve:
        raise OSError(errno.ENOSPC, "nearly full, and the journal needs the rest")


def write_new(path: str, content: bytes, permissions: int) -> None:
    """Make a file with that content; nothing of it stays if that fails.

    Raises:
        OSError: the disk refused, or there is one already.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, permissions)
    try:
        if permissions & 0o077:  # which the mask of this process may have taken away
            os.fchmod(fd, permissions)
        rest: bytes | memoryview = content
        while rest:
            rest = memoryview(rest)[os.write(fd, rest) :]
    except OSError:
        Path(path).unlink()
        raise
    finally:
        os.close(fd)
