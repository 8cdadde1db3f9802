"""A large file while it is being written: hashed, and brought to the disk bit by bit."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from relay.media.disk import check_room
from relay.media.kinds import HEAD

STRIDE: Final = 512 * 1024
"""Bytes after which the disk is waited for, so that nobody else's fsync has to wait for more than
so many, and the memory of the machine is not filled with what nobody reads soon."""


class ArrivingFile:
    """One file in a folder that is swept at every start. ``size``: the bytes written.

    One task uses it; but a thread may still be writing when that task has been cancelled and the
    file is dropped.
    """

    def __init__(self, path: Path, reserve: int) -> None:
        self.path = path
        self.size = 0
        self.head = b""
        self._reserve = reserve
        self._since_sync = 0
        self._digest = hashlib.sha256()
        self._fd: int | None = None
        self._dropped = False
        self._lock = threading.Lock()

    def write(self, pieces: Sequence[bytes]) -> None:
        """Write what was gathered.

        Raises:
            OSError: the disk refused.
        """
        with self._lock:
            if not self._dropped:
                self._write(b"".join(pieces))

    def _write(self, gathered: bytes) -> None:
        check_room(self.path.parent, self._reserve)
        if self._fd is None:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self.head = gathered[:HEAD]
        self.size += len(gathered)
        self._digest.update(gathered)
        rest = memoryview(gathered)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self._since_sync += len(gathered)
        if self._since_sync >= STRIDE:
            os.fdatasync(self._fd)
            os.posix_fadvise(self._fd, 0, 0, os.POSIX_FADV_DONTNEED)
            self._since_sync = 0

    def finish(self) -> bytes:
        """Bring all of it to the disk; its SHA-256.

        Raises:
            OSError: the disk refused.
        """
        with self._lock:
            if self._fd is not None:
                os.fdatasync(self._fd)
                os.close(self._fd)
                self._fd = None
        return self._digest.digest()

    def move(self, to: str, permissions: int) -> None:
        """It goes to its place.

        Raises:
            OSError: the disk refused.
        """
        self.path.chmod(permissions)
        self.path.rename(to)

    def drop(self) -> None:
        """Nothing of it stays, unless it was moved away."""
        with self._lock:
            self._dropped = True
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None
            self.path.unlink(missing_ok=True)
