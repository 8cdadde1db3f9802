"""A store of media without a disk, and a side that brings what the test put there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.delivery.media import KeptMedia
from relay.delivery.ports import MediaGoneError, MediaTooLargeError, MediaWriter
from relay.delivery.store import StoreRefusedError
from relay.domain.contents import Media
from relay.domain.outbox import Destination


@dataclass
class MemoryMedia:
    """What is kept, by its name; ``remote`` is what the other side has, by its ref."""

    limit: int = 1_000_000
    kept: dict[str, bytes] = field(default_factory=dict)
    towards: list[Destination] = field(default_factory=list)
    remote: dict[str, bytes] = field(default_factory=dict)
    trouble: dict[str, deque[Exception]] = field(default_factory=dict)
    full: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def plan(self, ref: str, *errors: Exception) -> None:
        """What asking for it comes to at first."""
        self.trouble.setdefault(ref, deque()).extend(errors)

    async def bring(self, ref: str, write: MediaWriter) -> None:
        self.asked.append(ref)
        data = self.remote.get(ref)
        await self.gate.wait()
        if planned := self.trouble.get(ref):
            await write((data or b"")[:1])  # something had come already
            raise planned.popleft()
        if data is None:
            raise MediaGoneError("nobody has it")
        for start in range(0, len(data), 100):
            await write(data[start : start + 100])

    @asynccontextmanager
    async def receive(self) -> AsyncIterator[MemoryFile]:
        yield MemoryFile(self)


@dataclass
class MemoryFile:
    """One on its way."""

    store: MemoryMedia
    data: bytes = b""

    @property
    def size(self) -> int:
        return len(self.data)

    async def write(self, piece: bytes) -> None:
        if self.store.full:
            raise StoreRefusedError("no room")
        self.data += piece
        if len(self.data) > self.store.limit:
            raise MediaTooLargeError(len(self.data))

    async def keep(self, media: Media, *, towards: Destination) -> KeptMedia:
        name = f"kept-{len(self.store.kept)}"
        self.store.kept[name] = self.data
        self.store.towards.append(towards)
        return KeptMedia(name, media.name or "file", "image/jpeg", len(self.data))
