"""The media host is open for as long as its channel is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from relay.whatsapp.linked_device import media_downloads
from relay.whatsapp.linked_device.media_errors import HostError
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.wire.direct import connect
from relay.wire.line import Place
from tests.wire.peer import OK, Peer, peer, until

PLACE = "https://mmg.whatsapp.net/v/f"


@pytest.fixture
async def there(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Peer]:
    """The host, however it is asked for."""

    async def to_it(line: asyncio.Protocol, place: Place) -> None:
        await connect(line, host.place)

    async with peer() as host:
        monkeypatch.setattr(media_downloads, "media_way", lambda _: to_it)
        yield host


async def fetched(media: MediaHost) -> bytes:
    pieces = list[bytes]()

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    await media.fetch_plain(PLACE, write)
    return b"".join(pieces)


async def test_its_connections_are_kept_until_it_is_left(there: Peer) -> None:
    """Entered again, it has new ones."""
    media = MediaHost(None)
    for times in (1, 2):
        async with media.opened():
            there.answers = [OK, OK]
            assert await fetched(media) == await fetched(media) == b"{}"
            assert (there.connections, there.left) == (times, times - 1)
        await until(lambda: there.left == there.connections)


async def test_a_file_under_way_is_given_up_when_it_is_left(there: Peer) -> None:
    """It is for another time; nothing new is begun."""
    media = MediaHost(None)
    async with media.opened():
        fetching = asyncio.create_task(fetched(media))
        await there.heard.wait()
    with pytest.raises(HostError, match="broke"):
        await fetching
    with pytest.raises(HostError, match="stopped"):
        await fetched(media)
    await until(lambda: there.left == there.connections == 1)
