"""From foreign threads into the journal, through a spool that no end of this process empties.

An engine that waits for the disk lets events pile up behind it, in memory that dies with the
process. So its thread only puts them into the spool and is free at once; from there they are taken
into the journal, the faster they come the more under one fsync.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from relay.delivery.intake import Intake
from relay.delivery.ports import Clock
from relay.delivery.store import (
    Spool,
    Spooled,
    StoreRefusedError,
)

_REFUSED_WAIT_MS = 500
_GROUP = 16  # they are sorted in one go, while the loop waits


class Spooling:
    """Between the threads of engines and the intake."""

    def __init__(self, spool: Spool, intake: Intake, clock: Clock) -> None:
        self._spool = spool
        self._intake = intake
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._wanted.set()  # there may be something of the process before
        self._settled = asyncio.Event()
        self._moved = threading.Condition()  # guards the two below, and tells of their changes
        self._closing = False
        self._refused = False

    def door(self, source: str) -> SpooledDoor:
        """Where one engine hands over. ``source`` is written beside each row."""
        return SpooledDoor(self, self._intake, source)

    async def run(self) -> None:
        """Bring what is in the spool into the journal, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while batch := self._spool.waiting(_GROUP):
                await self._move(batch)
            self._settled.set()

    async def finish(self) -> None:
        """Back once the spool is empty, or the disk refuses: then the next process has it."""
        if self._refused:
            return
        self._settled.clear()
        self._wanted.set()
        await self._settled.wait()

    def close(self) -> None:
        """From now on let go of threads that the disk holds; what they have is not kept."""
        with self._moved:
            self._closing = True
            self._moved.notify_all()

    def put_from_thread(self, spooled: Spooled) -> None:
        """Keep it; a thread waits here only while the spool is full.

        Raises:
            StoreRefusedError: the relay is closing and the disk refuses.
        """
        if self._spool.fits(spooled.source, spooled.payload):
            if not self._spool.put(spooled.source, spooled.payload):
                self._wait_until(lambda: self._spool.put(spooled.source, spooled.payload))
            if not self._wanted.is_set():  # else the loop has yet to look: waking it is not free
                self._loop.call_soon_threadsafe(self._wanted.set)
        else:  # straight into the journal, behind everything that is in the spool
            self._wait_until(lambda: not self._spool.waiting(1))
            self._intake.accept_from_thread(spooled.source, spooled.payload)

    def _wait_until(self, done: Callable[[], bool]) -> None:
        with self._moved:
            while not done():
                if self._closing and self._refused:
                    raise StoreRefusedError("the relay is closing and the disk refuses")
                self._moved.wait()

    async def _move(self, batch: Sequence[Spooled]) -> None:
        try:
            await self._intake.accept_all(batch)
        except StoreRefusedError:
            self._tell(refused=True)
            self._settled.set()
            await self._clock.sleep_ms(_REFUSED_WAIT_MS)
            return
        self._spool.take_away(len(batch))
        self._tell(refused=False)

    def _tell(self, *, refused: bool) -> None:
        with self._moved:
            self._refused = refused
            self._moved.notify_all()


class SpooledDoor:
    """A :class:`~relay.delivery.ports.HandOver` for engines that have threads of their own."""

    def __init__(self, spooling: Spooling, intake: Intake, source: str) -> None:
        self._spooling = spooling
        self._intake = intake
        self._source = source

    async def __call__(self, payload: bytes) -> None:
        """From the loop: back once the payload is durable."""
        await self._intake.accept(self._source, payload)

    def from_thread(self, payload: bytes) -> None:
        """From a foreign thread: back once no end of this process can lose it."""
        self._spooling.put_from_thread(Spooled(self._source, payload))
