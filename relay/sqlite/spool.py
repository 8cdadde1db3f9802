"""The spool: what came in and is not in the journal yet, safe from the death of this process.

A mapped file: what is written to it is the kernel's at once, without a system call, a thread or a
wait, and is there when the next process opens it. A power cut may lose it; the journal's fsync, a
few milliseconds later, is for that. It keeps the order, and gives again what was not taken away.

The file, in the machine's byte order: eight bytes of magic, the place of the first record (8), then
records until a length of zero. A record is its length (4), its checksum (4), the length of its
source (1), source, payload. Each becomes valid by its length, written last.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from relay.delivery.store import Spooled
from relay.sqlite.errors import StorageUnusableError

FILE = "relay.spool"
SIZE = 1 << 20

_MAGIC = b"spool/1\n"
_FIRST = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
_CHECK = struct.Struct("=IB")
_START = len(_MAGIC) + _FIRST.size
_END = _LENGTH.pack(0)


def open_spool(directory: Path, size: int = SIZE) -> Spool:
    """Open (or make) the spool in the storage directory, which the caller has locked.

    Raises:
        StorageUnusableError: the disk is against it.
    """
    try:
        file = os.open(directory / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Every byte is reserved: a write to a mapped hole on a full disk ends the process.
            os.posix_fallocate(file, 0, size)
            return Spool(mmap.mmap(file, size))
        finally:
            os.close(file)
    except OSError as error:
        words = f"the spool in {directory} cannot be used: {error.strerror}"
        raise StorageUnusableError(words) from error


class Spool:
    """Implements :class:`relay.delivery.store.Spool`."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Spooled, int]] = deque()  # with the place behind each
        if memory[: len(_MAGIC)] != _MAGIC:
            self._reset()
            memory[: len(_MAGIC)] = _MAGIC
        self._waiting.extend(self._read())
        self._next = self._waiting[-1][1] if self._waiting else self._reset()

    def fits(self, source: str, payload: bytes) -> bool:
        """Whether it would find a place if the spool were empty."""
        return _START + _size(source, payload) + len(_END) <= len(self._memory)

    def put(self, source: str, payload: bytes) -> bool:
        """Keep it behind all others; False if there is no room now."""
        name = source.encode()
        checksum = zlib.crc32(payload, zlib.crc32(name))
        size = _size(source, payload)
        with self._lock:
            if not self._has_room(size) and not (self._move_up() and self._has_room(size)):
                return False
            begin, end = self._next, self._next + size
            body = begin + _LENGTH.size
            self._memory[end : end + len(_END)] = _END
            self._memory[body:end] = _CHECK.pack(checksum, len(name)) + name + payload
            self._memory[begin:body] = _LENGTH.pack(size)
            self._waiting.append((Spooled(source, payload), end))
            self._next = end
        return True

    def waiting(self, limit: int) -> Sequence[Spooled]:
        """The oldest, in order."""
        with self._lock:
            return [spooled for spooled, _ in islice(self._waiting, limit)]

    def take_away(self, count: int) -> None:
        """That many of the oldest, at least one, are in the journal."""
        with self._lock:
            place = self._waiting[count - 1][1]
            for _ in range(count):
                self._waiting.popleft()
            if self._waiting:
                self._point(place)
            else:
                self._next = self._reset()

    def _has_room(self, size: int) -> bool:
        return self._next + size + len(_END) <= len(self._memory)

    def _move_up(self) -> bool:
        """Bring what waits to the beginning: in a long rush it never empties.

        Until it is pointed to, the old place holds. False if the two would overlap.
        """
        (place,) = _FIRST.unpack(self._memory[len(_MAGIC) : _START])
        by, end = place - _START, self._next - (place - _START)
        if end + len(_END) > place:
            return False
        self._memory[_START : end + len(_END)] = self._memory[place : self._next] + _END
        self._point(_START)
        self._waiting = deque((spooled, behind - by) for spooled, behind in self._waiting)
        self._next = end
        return True

    def _reset(self) -> int:
        self._memory[_START : _START + len(_END)] = _END
        self._point(_START)
        return _START

    def _point(self, place: int) -> None:
        self._memory[len(_MAGIC) : _START] = _FIRST.pack(place)

    def _read(self) -> Iterator[tuple[Spooled, int]]:
        """The records of the process before; what a power cut left in pieces ends them."""
        (begin,) = _FIRST.unpack(self._memory[len(_MAGIC) : _START])
        least = _LENGTH.size + _CHECK.size
        while _START <= begin <= len(self._memory) - least:
            (size,) = _LENGTH.unpack_from(self._memory, begin)
            end = begin + size
            if size < least or end > len(self._memory):
                return
            checksum, name_size = _CHECK.unpack_from(self._memory, begin + _LENGTH.size)
            body = self._memory[begin + least : end]
            if zlib.crc32(body) != checksum or name_size > len(body):
                return
            source = body[:name_size].decode("utf-8", "replace")
            yield Spooled(source, body[name_size:]), end
            begin = end


def _size(source: str, payload: bytes) -> int:
    return _LENGTH.size + _CHECK.size + len(source.encode()) + len(payload)
