"""Brings the past of a session into the journal, beside whatever the session does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from relay.delivery.ports import Clock, HandOver
from relay.delivery.store import StoreRefusedError
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.retry import SECOND
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.history import History, Progress
from relay.whatsapp.linked_device.numbers import client_in
from relay.whatsapp.linked_device.payload import unwrap
from relay.whatsapp.linked_device.threads import on_own_thread

AT_ONCE, PAUSE_MS = 4, 1 * SECOND
"""So many messages of the past go in, then nothing for so long: news goes between."""

_LOOK_AGAIN_MS = 5 * SECOND
_TELL_EVERY = 100

log = structlog.get_logger(__name__)


class Archive(Protocol):
    """Where a client puts the past that WhatsApp hands over. Called on the client's own thread."""

    def keep_past(self, own: OwnNumber, data: bytes) -> bool:
        """Keep an event of history; whether WhatsApp says that it was the last.

        Raises:
            OSError: the disk refuses.
        """
        ...

    def before(self, own: OwnNumber, code: int, data: bytes) -> Iterator[bytes]:
        """What must be handed over before this event: the past of whoever has just written."""
        ...


class Importing:
    """The import of one channel; an :class:`Archive`.

    ``back_ms``: how far back; None: nothing is imported. ``tell`` is called on the loop with how
    far it is, and with None when all is done.
    """

    def __init__(
        self,
        channel: ChannelId,
        session: Path,
        back_ms: int | None,
        clock: Clock,
        tell: Callable[[Progress | None], None],
    ) -> None:
        self._channel = channel
        self._wanted = back_ms is not None
        self._history = History(session, back_ms or 0)
        self._clock = clock
        self._tell = tell
        self._stirred = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def archive(self) -> Archive | None:
        """Where the past goes; None if it is not wanted."""
        return self if self._wanted else None

    # --- On the client's own thread --------------------------------------------------------------

    def keep_past(self, own: OwnNumber, data: bytes) -> bool:
        """See :class:`Archive`. A chunk that cannot be kept is lost, and ends no session."""
        try:
            last = self._history.take(own, data, self._clock.now_ms())
        except (ValueError, sqlite3.Error, OSError) as error:
            words = f"{type(error).__name__}: {error}"
            log.error("history_not_kept", channel=self._channel, error=words)
            return False
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stirred.set)
        return last

    def before(self, own: OwnNumber, code: int, data: bytes) -> Iterator[bytes]:
        """See :class:`Archive`."""
        if code != Code.MESSAGE or not self._history.waiting:
            return
        try:
            bits = self._history.of(own, *client_in(data))
        except (ValueError, sqlite3.Error, OSError) as error:
            words = f"{type(error).__name__}: {error}"
            log.error("history_left_behind", channel=self._channel, error=words)
            return
        for bit in bits:
            yield bit.payload
        self._history.done(bits)

    # --- On the loop -----------------------------------------------------------------------------

    async def route(self, hand_over: HandOver, payload: bytes) -> None:
        """Hand over what was heard early, or keep it if it is the past."""
        event = unwrap(payload)
        if event.code != Code.HISTORY:
            await hand_over(payload)
        elif self._wanted:
            await on_own_thread("history", partial(self.keep_past, event.own, event.data))

    @asynccontextmanager
    async def beside(self, hand_over: HandOver) -> AsyncIterator[None]:
        """Import while inside."""
        self._loop = asyncio.get_running_loop()
        if not self._wanted:
            await on_own_thread("history", self.forget)
            yield
            return
        task = asyncio.create_task(self._run(hand_over), name=f"history of {self._channel}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and (error := task.exception()) is not None:
                words = f"{type(error).__name__}: {error}"
                log.error("history_import_failed", channel=self._channel, error=words)
            await on_own_thread("history", self._history.close)

    def forget(self) -> None:
        """What is not imported yet never will be."""
        self._history.forget()

    async def _run(self, hand_over: HandOver) -> None:
        while True:
            self._stirred.clear()
            try:
                busy = await self._some(hand_over)
            except (StoreRefusedError, sqlite3.Error, OSError) as error:
                words = f"{type(error).__name__}: {error}"
                log.warning("history_waits", channel=self._channel, error=words)
                busy = True
            if busy:
                await self._clock.sleep_ms(PAUSE_MS)
            else:
                await self._clock.wait_ms(self._stirred, _LOOK_AGAIN_MS)

    async def _some(self, hand_over: HandOver) -> bool:
        """Hand some messages over; whether there may be more to do soon."""
        if not await on_own_thread("history", self._ready):
            return False
        bits = await on_own_thread("history", partial(self._history.next, AT_ONCE))
        if not bits:
            return False
        for bit in bits:
            await hand_over(bit.payload)
        await on_own_thread("history", partial(self._history.done, bits))
        self._report(await on_own_thread("history", self._history.progress))
        return True

    def _ready(self) -> bool:
        return self._history.waiting and self._history.whole(self._clock.now_ms())

    def _report(self, progress: Progress) -> None:
        over = progress.done >= progress.total
        if over or progress.done % _TELL_EVERY < AT_ONCE:
            log.info(
                "history_imported" if over else "history_progress",
                channel=self._channel,
                done=progress.done,
                total=progress.total,
            )
            self._tell(None if over else progress)
