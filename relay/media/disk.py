"""Small things done with files on disk. All of them are for threads."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write all of it, from that place of the file on.

    Raises:
        OSError: the disk refused.
    """
    rest = memoryview(data)
    while rest:
        done = os.pwrite(fd, rest, at)
        rest, at = rest[done:], at + done


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


def check_room(folder: Path, reserve: int) -> None:
    """Whether the disk may take more.

    Raises:
        OSError: it is full, or nearly: less than ``reserve`` bytes are free.
    """
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < reserve:
        raise OSError(errno.ENOSPC, "nearly full, and the journal needs the rest")


def write_new(path: str, content: bytes) -> None:
    """Make a file with that content; nothing of it stays if that fails.

    Raises:
        OSError: the disk refused, or there is one already.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        write_all(fd, content, 0)
    except OSError:
        Path(path).unlink()
        raise
    finally:
        os.close(fd)
