"""Avatars: asked for seldom, waited for shortly, and never in the way of a message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from relay.delivery.avatars import (
    APART_MS,
    AT_ONCE,
    LARGEST,
    MOST_WAITING,
    PATIENCE_MS,
    REST_MS,
    Avatars,
)
from relay.delivery.media import KeptMedia
from relay.delivery.ports import MediaGoneError, MediaUnavailableError, MediaWriter
from relay.domain.contents import Media
from relay.domain.ids import ChannelId, ClientAddress
from relay.domain.outbox import Destination
from tests.clock import HandClock, settle
from tests.delivery.memory_media import MemoryFile, MemoryMedia
from tests.idle_engine import IdleEngine

SALES, SUPPORT = ChannelId("sales"), ChannelId("support")
_HUNG_S = 10  # of real time, which nothing here takes
FACE = b"\xff\xd8\xff\xe0 a face"


@dataclass
class ShowingEngine(IdleEngine):
    """An engine whose clients all show the same picture, or whatever the test puts there."""

    shown: bytes | Exception = FACE
    asked: list[tuple[int, ClientAddress]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: int = 0
    now_ms: Any = None

    async def avatar(self, of: ClientAddress, write: MediaWriter) -> None:
        self.asked.append((self.now_ms(), of))
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if isinstance(self.shown, Exception):
            raise self.shown
        for start in range(0, len(self.shown), 100_000):
            await write(self.shown[start : start + 100_000])


@dataclass
class Album:
    """Avatars over a store in memory, and the two channels they come through."""

    clock: HandClock = field(default_factory=HandClock)
    store: MemoryMedia = field(default_factory=lambda: MemoryMedia(limit=100_000_000))
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engines = {id_: ShowingEngine(now_ms=self.clock.now_ms) for id_ in (SALES, SUPPORT)}
        for engine in self.engines.values():
            engine.gate.set()
        self.avatars = Avatars(self.store, self.engines.get, self.clock)
        self.sales = self.engines[SALES]

    async def of(self, client: str, channel: ChannelId = SALES) -> str | None:
        async with asyncio.timeout(_HUNG_S):
            return await self.avatars.of(channel, ClientAddress(client))

    def begin(self, work: Coroutine[Any, Any, str | None]) -> asyncio.Task[str | None]:
        task = asyncio.create_task(work)
        self.tasks.append(task)
        return task


@pytest.fixture
async def album() -> AsyncIterator[Album]:
    album = Album()
    yield album
    for task in album.tasks:
        task.cancel()
    if album.tasks:
        await asyncio.wait(album.tasks, timeout=_HUNG_S)


async def test_a_picture_is_kept_for_amocrm(album: Album) -> None:
    """What the client shows is in the store, whole, and its name is told."""
    name = await album.of("79001")
    assert name is not None
    assert album.store.kept[name] == FACE
    assert album.store.towards == [Destination.AMOCRM]


async def test_whoever_shows_nothing_has_none(album: Album) -> None:
    """No picture, an empty one, a channel that is gone: none, and that is no trouble."""
    album.sales.shown = MediaGoneError("hidden")
    assert await album.of("79001") is None
    await album.clock.advance_ms(APART_MS)
    album.sales.shown = b""
    assert await album.of("79002") is None
    assert await album.of("79003", ChannelId("gone")) is None
    await album.clock.advance_ms(APART_MS)
    album.sales.shown = FACE
    assert await album.of("79004") is not None


async def test_a_client_is_asked_for_once(album: Album) -> None:
    """A message that is tried again has the same picture, or the same lack of one."""
    first = await album.of("79001")
    album.sales.shown = MediaGoneError("hidden")
    assert await album.of("79001") == first
    await album.clock.advance_ms(APART_MS)
    assert await album.of("79002") is None
    album.sales.shown = FACE
    assert await album.of("79002") is None
    assert [client for _, client in album.sales.asked] == ["79001", "79002"]


async def test_only_so_many_are_remembered(album: Album, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten first."""
    monkeypatch.setattr("relay.delivery.avatars._MOST_KNOWN", 2)
    for client in ("79001", "79002", "79003", "79001"):
        await album.of(client)
        await album.clock.advance_ms(APART_MS)
    assert [client for _, client in album.sales.asked] == ["79001", "79002", "79003", "79001"]


async def test_a_rush_of_new_clients_is_no_rush_of_requests(album: Album) -> None:
    """A few are asked for at once, then one a second; all others go without, and do not wait."""
    found = [await album.of(f"7900{number}") for number in range(50)]
    assert [name is not None for name in found] == [True] * AT_ONCE + [False] * (50 - AT_ONCE)
    await album.clock.advance_ms(APART_MS - 1)
    assert await album.of("79051") is None
    await album.clock.advance_ms(1)
    assert await album.of("79052") is not None
    assert await album.of("79053") is None
    await album.clock.advance_ms(10 * AT_ONCE * APART_MS)
    found = [await album.of(f"7910{number}") for number in range(AT_ONCE + 1)]
    assert [name is not None for name in found] == [True] * AT_ONCE + [False]


async def test_channels_do_not_wait_for_each_other(album: Album) -> None:
    """Each has its own turns."""
    assert await album.of("79001") is not None
    assert await album.of("79001", SUPPORT) is not None


async def test_many_channels_do_not_fill_the_way_with_waiting_messages(album: Album) -> None:
    """Beyond so many at once a message goes without; afterwards there is room again."""
    for number in range(MOST_WAITING + 1):
        engine = ShowingEngine(now_ms=album.clock.now_ms)
        album.engines[ChannelId(str(number))] = engine
    waiting = [album.begin(album.of("79001", id_)) for id_ in list(album.engines)[2:]]
    await settle()
    assert [task.done() for task in waiting] == [*[False] * MOST_WAITING, True]
    await album.clock.advance_ms(PATIENCE_MS)
    assert all(task.done() for task in waiting)
    assert await album.of("79001") is not None


async def test_a_picture_that_does_not_come_is_given_up(album: Album) -> None:
    """The message goes without it in two seconds, and the request is not left running."""
    album.sales.gate.clear()
    slow = album.begin(album.of("79001"))
    await album.clock.advance_ms(PATIENCE_MS - 1)
    assert not slow.done()
    await album.clock.advance_ms(1)
    assert await slow is None
    assert album.sales.given_up == 1
    assert not album.store.kept


async def test_after_trouble_a_channel_rests(album: Album) -> None:
    """While WhatsApp is slow or refuses, one client waits for it, not all; the log says so once."""
    album.sales.shown = MediaUnavailableError("429")
    with capture_logs() as lines:
        assert await album.of("79001") is None
        await album.clock.advance_ms(REST_MS - 1)
        assert await album.of("79002") is None
    assert len(album.sales.asked) == 1
    assert [(line["event"], line["channel"], line["error"]) for line in lines] == [
        ("avatar_not_had", SALES, "429")
    ]
    album.sales.shown = FACE
    await album.clock.advance_ms(1)
    assert await album.of("79003") is not None
    assert await album.of("79004") is None  # and then one by one


async def test_no_fault_of_ours_holds_a_message(album: Album) -> None:
    """Whatever goes wrong, it is a missing picture; a stranger's words stay out of the log."""
    album.sales.shown = RuntimeError("79001 is not Anna")
    with capture_logs() as lines:
        assert await album.of("79001") is None
    assert [line["error"] for line in lines] == ["internal error: RuntimeError"]


async def test_a_disk_that_refuses_is_no_more_than_a_missing_picture(album: Album) -> None:
    """The message does not need it."""
    album.store.full = True
    assert await album.of("79001") is None


async def test_what_is_too_large_or_no_picture_is_not_shown(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes from over there: amoCRM is given pictures only."""
    album.sales.shown = bytes(LARGEST + 1)
    assert await album.of("79001") is None
    assert not album.store.kept
    await album.clock.advance_ms(APART_MS)
    album.sales.shown = b"<svg onload=alert(1)>"

    async def keep(_: MemoryFile, media: Media, *, towards: Destination) -> KeptMedia:
        return KeptMedia("name", media.name, "application/octet-stream", 21)

    monkeypatch.setattr(MemoryFile, "keep", keep)
    assert await album.of("79002") is None


async def test_a_stop_ends_the_request_too(album: Album) -> None:
    """Whoever waits for it is cancelled: nothing goes on behind his back."""
    album.sales.gate.clear()
    waiting = album.begin(album.of("79001"))
    await settle()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert album.sales.given_up == 1
