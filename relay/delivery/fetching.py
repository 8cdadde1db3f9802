"""Carries letters into the relay's own store of media: brings the bytes that messages wait for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from relay.delivery.media import Finisher, IncomingFile, MediaSource, MediaSources, MediaStore
from relay.delivery.ports import (
    Clock,
    MediaGoneError,
    MediaTooLargeError,
    MediaUnavailableError,
)
from relay.delivery.repeating import RepeatingCourier
from relay.delivery.store import StoreRefusedError
from relay.domain.bodies import Fetch
from relay.domain.contents import Kept, Loss, Lost, Remote
from relay.domain.outbox import Dead, Destination, Entry, Fetched, Missed, Outcome, Retry
from relay.domain.reasons import Reason
from relay.domain.retry import MINUTE, SECOND

LONGEST_MS = 15 * MINUTE
"""No attempt takes longer: 100 MB at a megabit a second."""

SHORTEST_MS = 30 * SECOND
"""An attempt that begins just before its letter expires still has a chance."""

_TRUSTED = 2  # attempts in which a file that is shorter than was told counts as cut off


class MediaCourier(RepeatingCourier):
    """The courier of letters that fetch. Everything may be repeated: nobody sees it."""

    def __init__(
        self, store: MediaStore, sources: MediaSources, finish: Finisher, clock: Clock
    ) -> None:
        self._store = store
        self._sources = sources
        self._finish = finish
        self._clock = clock

    def why_late(self, entry: Entry) -> Reason:
        """Only its message has a writer, who is told of the file itself."""
        del entry
        return Reason.FILE_MISSING

    async def deliver(self, entry: Entry) -> Outcome:
        """One attempt at the whole file."""
        fetch = entry.letter.body
        if not isinstance(fetch, Fetch) or not isinstance(fetch.media.at, Remote):
            return Dead(f"a {entry.letter.body.kind} is nothing to be fetched")
        limit = self._store.limit
        if (fetch.media.size or 0) > limit:
            return _too_large(limit)
        source = self._sources(entry.letter)
        if source is None:
            return Retry("the channel it came through is not in the file")
        try:
            return await self._bring(entry, fetch, source, fetch.media.at.ref)
        except (MediaTooLargeError, MediaGoneError) as error:
            gone = isinstance(error, MediaGoneError)
            return Missed(str(error), Lost(Loss.GONE)) if gone else _too_large(limit)
        except (MediaUnavailableError, StoreRefusedError) as error:
            return Retry(str(error))

    async def _bring(self, entry: Entry, fetch: Fetch, source: MediaSource, ref: str) -> Outcome:
        left_ms = entry.letter.expires_ms - self._clock.now_ms()
        bound_s = min(max(left_ms, SHORTEST_MS), LONGEST_MS) / SECOND
        async with self._store.receive() as file:
            try:
                async with asyncio.timeout(bound_s):
                    await source(ref, file.write)
            except TimeoutError:
                return Retry(f"it did not come within {bound_s:.0f} s")
            return await self._keep(fetch, file, entry.attempts)

    async def _keep(self, fetch: Fetch, file: IncomingFile, attempts: int) -> Outcome:
        media, towards = fetch.media, Destination(fetch.towards)
        if file.size == 0:
            return Missed("the file is empty", Lost(Loss.EMPTY))
        if file.size < (media.size or 0) and attempts < _TRUSTED:
            return Retry(f"{file.size} bytes came of {media.size}")
        kept = await file.keep(media, towards=towards)
        found = replace(
            media, at=Kept(kept.name), name=kept.file_name, mime=kept.mime, size=kept.size
        )
        return Fetched(await self._finish(found, towards))


def _too_large(limit: int) -> Missed:
    return Missed(f"larger than {limit} bytes", Lost(Loss.TOO_LARGE, limit))
