"""Small files one behind the other in one file, so that one wait for the disk is enough for many.

A while later each gets a file of its own, for which nobody waits. Once those are on the disk as
well the bundle is removed; if it is still there at a start, they are made again of it (see
:mod:`relay.media.shelf`). A bundle is only ever written at its end. Nobody was told of what is
torn there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from relay.media.disk import sync_folder, write_all

FULL: Final = 32 * 1000 * 1000
"""Bytes after which a new one is begun."""

MOST: Final = 1_000
"""Files after which a new one is begun: of each something is remembered meanwhile."""

_HEAD: Final = struct.Struct(">4sHI")  # what it is, lengths of the name and of the content
_MARK: Final = b"rbf1"

Record = tuple[str, bytes]
"""A file's name on disk, and its content."""


class Place(NamedTuple):
    """Where a content stands: in which bundle, and from which of its bytes on."""

    bundle: Path
    at: int


class Bundles:
    """Bundles in a folder of their own. For one thread at a time.

    ``left``: those that an earlier process left behind, the oldest first.
    """

    def __init__(self, folder: Path, full: int = FULL) -> None:
        self.left = sorted(path for path in folder.iterdir() if path.name.isdigit())
        self._folder = folder
        self._full = full
        self._number = int(self.left[-1].name) if self.left else 0
        self._path: Path | None = None
        self._fd = -1
        self._size = 0
        self._count = 0

    def add(self, records: Sequence[Record]) -> list[Place]:
        """Back once all of them are on the disk; where their contents stand.

        Raises:
            OSError: the disk refused; none counts as kept.
        """
        if self._path is None:
            self._path = self._begin()
        parts, places, end = list[bytes](), list[Place](), self._size
        for name, content in records:
            encoded = os.fsencode(name)
            parts += (_HEAD.pack(_MARK, len(encoded), len(content)), encoded, content)
            places.append(Place(self._path, end + _HEAD.size + len(encoded)))
            end = places[-1].at + len(content)
        write_all(self._fd, parts, self._size)
        os.fdatasync(self._fd)
        self._size, self._count = end, self._count + len(records)
        return places

    def ended(self, *, at_once: bool = False) -> Path | None:
        """The bundle that is full (``at_once``: however full it is) and grows no more, if any."""
        path = self._path
        grows = self._size < self._full and self._count < MOST
        if path is None or (grows and not at_once):
            return None
        os.close(self._fd)
        self._path = None
        return path

    def _begin(self) -> Path:
        path = self._folder / f"{self._number + 1:012}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            sync_folder(self._folder)
        except OSError:
            os.close(fd)
            raise
        self._number += 1
        self._fd, self._size, self._count = fd, 0, 0
        return path


def records(path: Path) -> Iterator[Record]:
    """What is in a bundle, as far as it can be read.

    Raises:
        OSError: the disk refused.
    """
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            mark, name_length, length = _HEAD.unpack(head)
            if mark != _MARK or file.tell() + name_length + length > end:
                return
            yield os.fsdecode(file.read(name_length)), file.read(length)
