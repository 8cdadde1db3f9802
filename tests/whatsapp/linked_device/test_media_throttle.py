"""Large files wait for their turn on their way to the media host."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from relay.whatsapp.linked_device.media_access import Access
from relay.whatsapp.linked_device.media_host import MediaHost
from relay.whatsapp.linked_device.sealing import measure

KEY = b"k" * 32


class Answer:
    """The host's, to a file that it took."""

    status = 200

    async def json(self, *, content_type: None) -> dict[str, str]:
        return {"url": "https://mmg.whatsapp.net/v/f", "direct_path": "/v/f"}


class Session:
    """Takes what is posted; ``pieces`` are the sizes that came."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    @asynccontextmanager
    async def post(self, _: str, *, data: AsyncIterable[bytes], **__: Any) -> AsyncIterator[Answer]:
        async for piece in data:
            self.pieces.append(len(piece))
        yield Answer()

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("size", "waits"), [(1_000_000, True), (200_000, False)])
async def test_only_large_files_wait_for_the_throttle(
    size: int, waits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every piece of a large one does, before it goes; a small one passes by."""
    session, asked = Session(), list[int]()

    async def throttle(size: int) -> None:
        assert asked == session.pieces
        asked.append(size)

    monkeypatch.setattr(MediaHost, "_connections", lambda _: session)
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    seal = measure(path, KEY, "Document")
    host = MediaHost(None, throttle)
    async with host.opened():
        await host.bring(path, "Document", seal, Access("mmg.whatsapp.net", "a", 0.0))
    assert sum(session.pieces) == seal.sealed_size
    assert asked == (session.pieces if waits else [])
