"""Forgets files by age and, if all are too many, by size: what amoCRM has already goes first."""

from __future__ import annotations

import asyncio
import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from relay.delivery.ports import Clock
from relay.delivery.store import StoreRefusedError
from relay.domain.retry import DAY, HOUR, MINUTE
from relay.media.names import State, parse_on_disk, state_of
from relay.media.store import FileStore

_log = structlog.stdlib.get_logger("relay.media")

_EVERY_MS: Final = HOUR
_SETTLE_EVERY_MS: Final = MINUTE
_YOUNG_MS: Final = 2 * DAY  # a message may still be on its way with it
_MOST: Final = 100_000  # files that one tidying looks at for room; the next one sees the rest


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long files are kept (milliseconds), and how many bytes all may have together."""

    keep_ms: int
    quota: int


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a tidying did: files too old, files removed for room, and how many amoCRM never had."""

    old: int = 0
    for_room: int = 0
    never_fetched: int = 0
    left_bytes: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Kept:
    needed: bool  # amoCRM has not fetched it yet: it goes last
    age_since_ms: int
    path: Path
    size: int


class MediaTidying:
    """Tidies a store up, now and every hour, one small folder at a time; settles it between."""

    def __init__(self, store: FileStore, clock: Clock, keeping: Callable[[], Keeping]) -> None:
        self._store = store
        self._clock = clock
        self._keeping = keeping

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                self._tell(await self.tidy())
            except StoreRefusedError as error:
                _log.error("media_not_tidied", error=str(error))
            for _ in range(_EVERY_MS // _SETTLE_EVERY_MS):
                await self._clock.sleep_ms(_SETTLE_EVERY_MS)
                await self._store.settle()

    async def tidy(self) -> Tidied:
        """Remove what is too old, then what is too much.

        Raises:
            StoreRefusedError: the disk refused.
        """
        await self._store.settle()  # else a start could bring back what goes now
        keeping, now = self._keeping(), self._clock.now_ms()
        kept: list[_Kept] = []
        total, old = 0, 0
        for folder in await self._store.on_thread(_folders, self._store.files):
            for file in await self._store.on_thread(_files, folder):
                if file.age_since_ms < now - keeping.keep_ms:
                    old += await self._store.on_thread(self._store.remove, file.path)
                else:
                    total += file.size
                    if file.age_since_ms < now - _YOUNG_MS and len(kept) < _MOST:
                        kept.append(file)
            await asyncio.sleep(0)
        gone = await self._make_room(kept, total - keeping.quota)
        freed = sum(file.size for file in gone)
        return Tidied(old, len(gone), sum(file.needed for file in gone), total - freed)

    async def _make_room(self, kept: list[_Kept], excess: int) -> list[_Kept]:
        """Remove the least needed, the oldest first, until the excess is gone; what went."""
        gone: list[_Kept] = []
        heapq.heapify(kept)
        while excess > 0 and kept:
            file = heapq.heappop(kept)
            if await self._store.on_thread(self._store.remove, file.path):
                gone.append(file)
                excess -= file.size
        return gone

    def _tell(self, tidied: Tidied) -> None:
        if tidied.old or tidied.for_room:
            _log.info("media_tidied", old=tidied.old, for_room=tidied.for_room)
        if tidied.never_fetched:
            _log.warning(
                "media_dropped_unfetched",
                files=tidied.never_fetched,
                what_to_do="raise media.quota: amoCRM had not fetched these files yet",
            )


def _folders(files: Path) -> list[Path]:
    return sorted(files.iterdir())


def _files(folder: Path) -> list[_Kept]:
    return list(_read(folder))


def _read(folder: Path) -> Iterator[_Kept]:
    with os.scandir(folder) as entries:
        for entry in entries:
            known = parse_on_disk(entry.name)
            try:
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed in this very moment
            if known is not None:
                needed = state_of(stat.st_mode) is State.NEW
                yield _Kept(needed, stat.st_mtime_ns // 1_000_000, Path(entry.path), stat.st_size)
