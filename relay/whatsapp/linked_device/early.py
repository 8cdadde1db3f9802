"""Events that come while no relay has the session: kept in a file until the engine hands them over.

A client that links or unlinks a device is connected for a few seconds, and the library tells
WhatsApp of every message it gets that it has it. So such a client keeps what it hears beside the
session's file, durable before it goes on, and the engine takes that over before it connects.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.past import says_last
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.private_files import open_private
from relay.whatsapp.linked_device.threads import on_own_thread

_LENGTH = struct.Struct(">I")
_SUFFIX, _UNFINISHED = ".early", ".hearing"


class Early:
    """Implements :class:`relay.delivery.ports.HandOver` on a file. One writer at a time.

    Also an :class:`relay.whatsapp.linked_device.importing.Archive`: the past goes the same way.
    """

    def __init__(self, session: Path) -> None:
        self._session = session
        self._path = session.with_suffix(_UNFINISHED)
        self._file: int | None = None

    async def __call__(self, payload: bytes) -> None:
        """See :class:`relay.delivery.ports.HandOver`."""
        await on_own_thread("keep-event", lambda: self.from_thread(payload))

    def from_thread(self, payload: bytes) -> None:
        """Keep it.

        Raises:
            OSError: the disk refuses.
        """
        if self._file is None:
            self._path.unlink(missing_ok=True)
            self._file = open_private(self._path)
        record = _LENGTH.pack(len(payload)) + payload
        if os.write(self._file, record) != len(record):
            raise OSError(errno.ENOSPC, "no room for an event")
        os.fsync(self._file)

    def keep_past(self, own: OwnNumber, data: bytes) -> bool:
        """See :class:`relay.whatsapp.linked_device.importing.Archive`."""
        self.from_thread(wrap(RawEvent(Code.HISTORY, own, data)))
        return says_last(data)

    def before(self, own: OwnNumber, code: int, data: bytes) -> Iterator[bytes]:
        """Nothing: what is kept here is handed over in the order in which it came."""
        del own, code, data
        yield from ()

    def keep(self) -> None:
        """The engine may have what was heard."""
        if self._file is not None:
            self._path.replace(self._session.with_suffix(f".{time.time_ns()}{_SUFFIX}"))
            self._close()

    def discard(self) -> None:
        """Nobody is to have it: the device did not become ours."""
        self._path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


async def hand_over_early(session: Path, hand_over: Callable[[bytes], Awaitable[None]]) -> int:
    """Hand over what was kept, in order, and forget it; how many events that were.

    A stop in the middle repeats the file at the next start; events are known by their ids.

    Raises:
        OSError: a file cannot be read or removed.
        StoreRefusedError: the disk refuses; what is left stays kept.
    """
    count = 0
    for path in await on_own_thread("early-events", partial(_waiting, session)):
        for payload in await on_own_thread("early-events", partial(_read, path)):
            await hand_over(payload)
            count += 1
        await on_own_thread("early-events", path.unlink)
    return count


def _waiting(session: Path) -> list[Path]:
    return sorted(session.parent.glob(f"{session.stem}.*{_SUFFIX}"))


def _read(path: Path) -> list[bytes]:
    """The payloads of a file; a torn last one was never confirmed to WhatsApp."""
    rest, payloads = path.read_bytes(), list[bytes]()
    while len(rest) >= _LENGTH.size:
        (length,) = _LENGTH.unpack_from(rest)
        payload, rest = rest[_LENGTH.size :][:length], rest[_LENGTH.size + length :]
        if len(payload) == length:
            payloads.append(payload)
    return payloads
