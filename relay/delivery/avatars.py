"""Avatars: the picture of a client whom amoCRM does not know yet.

AmoCRM takes the picture of a contact with the first message in which it hears of him, so that is
when it is asked for. It is a nicety: it must not hold a message for long, look like a robot that
goes through strangers, or be asked for again and again while WhatsApp is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from relay.delivery.media import IncomingFile, MediaStore
from relay.delivery.ports import (
    Clock,
    Engine,
    MediaGoneError,
    MediaTooLargeError,
    MediaUnavailableError,
    MediaWriter,
)
from relay.delivery.store import StoreRefusedError
from relay.domain.contents import Media, MediaKind
from relay.domain.ids import ChannelId, ClientAddress
from relay.domain.outbox import Destination
from relay.domain.retry import MINUTE, SECOND

APART_MS = SECOND
"""Between two requests of one channel, in the long run."""

AT_ONCE = 5
"""So many may follow each other at once, as on a phone whose owner looks at his list of chats."""

PATIENCE_MS = 2 * SECOND
"""For so long a picture is waited for."""

REST_MS = MINUTE
"""For so long a channel asks for none after one could not be had in time."""

MOST_WAITING = 8
"""So many messages of all channels wait for pictures at once: the others need the way, too."""

LARGEST = 1_000_000
"""Bytes of a picture; a real one has some thousands."""

SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Kinds of files that are a picture."""

_MOST_KNOWN = 1_000
_AHEAD_MS = (AT_ONCE - 1) * APART_MS

T = TypeVar("T")

_log = structlog.stdlib.get_logger("relay.avatars")


class Avatars:
    """Brings avatars into the store of media, through the channel that the client writes to."""

    def __init__(
        self, store: MediaStore, engine: Callable[[ChannelId], Engine | None], clock: Clock
    ) -> None:
        self._store = store
        self._engine = engine
        self._clock = clock
        self._known: dict[tuple[ChannelId, ClientAddress], str | None] = {}
        self._next_ms: dict[ChannelId, int] = {}  # when a request would be due, if all were apart
        self._waiting = 0

    async def of(self, channel: ChannelId, client: ClientAddress) -> str | None:
        """The name of the kept file (:class:`~relay.domain.contents.Kept`) with his picture.

        None if there is none to be had now, for whatever reason; back within two seconds.
        Whoever comes again, because his message has to be tried again, is told the same.
        """
        key = channel, client
        if key not in self._known:
            found = await self._ask(channel, client)
            while len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = found
        return self._known[key]

    async def _ask(self, channel: ChannelId, client: ClientAddress) -> str | None:
        engine = self._engine(channel)
        if engine is None or self._waiting >= MOST_WAITING or not self._may_ask(channel):
            return None
        self._waiting += 1
        try:
            return await self._in_time(self._bring(engine, client))
        except (MediaGoneError, MediaTooLargeError):
            return None
        except (MediaUnavailableError, StoreRefusedError) as error:
            self._rest(channel, str(error))
        except Exception as error:  # noqa: BLE001  no fault of ours in this may hold a message
            self._rest(channel, f"internal error: {type(error).__name__}")
        finally:
            self._waiting -= 1
        return None

    def _rest(self, channel: ChannelId, error: str) -> None:
        self._next_ms[channel] = self._clock.now_ms() + REST_MS + _AHEAD_MS
        _log.info("avatar_not_had", channel=channel, error=error)

    def _may_ask(self, channel: ChannelId) -> bool:
        """Whether the channel has not asked too often of late; if so, this counts."""
        now_ms = self._clock.now_ms()
        due_ms = max(now_ms, self._next_ms.get(channel, 0))
        if due_ms - now_ms > _AHEAD_MS:
            return False
        self._next_ms[channel] = due_ms + APART_MS
        return True

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work.

        Raises:
            MediaUnavailableError: it took too long, and was given up.
        """
        over = asyncio.Event()
        working = asyncio.create_task(work, name="avatar")
        working.add_done_callback(lambda _: over.set())
        try:
            await self._clock.wait_ms(over, PATIENCE_MS)
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait((working,))
        if working.cancelled():
            raise MediaUnavailableError(f"it did not come within {PATIENCE_MS // SECOND} s")
        return working.result()

    async def _bring(self, engine: Engine, client: ClientAddress) -> str | None:
        async with self._store.receive() as file:
            await engine.avatar(client, _at_most(LARGEST, file))
            if not file.size:
                return None
            media = Media(MediaKind.IMAGE, None, name="avatar.jpg")
            kept = await file.keep(media, towards=Destination.AMOCRM)
        return kept.name if kept.mime in SHOWN else None


def _at_most(limit: int, file: IncomingFile) -> MediaWriter:
    async def write(piece: bytes) -> None:
        if file.size + len(piece) > limit:
            raise MediaTooLargeError(f"larger than {limit} bytes")
        await file.write(piece)

    return write
