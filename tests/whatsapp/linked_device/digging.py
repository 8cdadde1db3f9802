"""Both ends of a tunnel: the library's, and a host that it leads to."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from relay.whatsapp.linked_device.way import Ends

PATIENCE_S = 10.0
HANDSHAKES = 4

OPENED: list[asyncio.StreamWriter] = []
"""To be closed after a test, by ``hang_up``."""


async def hang_up() -> None:
    for writer in OPENED:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    OPENED.clear()


class Far:
    """A host that the tunnel leads to: it hears and answers what a test has it answer."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[Ends] = asyncio.Queue()
        self.place = ""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        OPENED.append(writer)
        self.came.put_nowait((reader, writer))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Far]:
        async with await asyncio.start_server(self.accept, "127.0.0.1", 0) as server:
            self.place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self


class Hold:
    """Keeps back until a test lets go. ``held``: somebody waits; ``over``: somebody has waited."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.let_go = asyncio.Event()
        self.over = asyncio.Event()

    async def begun(self) -> None:
        """Back once somebody waits."""
        async with asyncio.timeout(PATIENCE_S):
            await self.held.wait()

    async def __call__(self) -> None:
        self.held.set()
        await self.let_go.wait()
        self.held.clear()
        self.let_go.clear()
        self.over.set()


async def ask(way: str, place: str, *, password: str | None = None) -> tuple[Ends, bytes]:
    """What the library does first; the connection, and the tunnel's first line."""
    parts = urlsplit(way)
    ends = await asyncio.open_connection(parts.hostname, parts.port)
    OPENED.append(ends[1])
    word = base64.b64encode(f"relay:{password or parts.password}".encode()).decode()
    head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nProxy-Authorization: Basic {word}\r\n\r\n"
    ends[1].write(head.encode())
    answer = await ends[0].readuntil(b"\r\n\r\n")
    return ends, answer.split(b"\r\n")[0]


async def through(way: str, far: Far) -> tuple[Ends, Ends]:
    """A connection, from the library's side and from WhatsApp's."""
    near, answer = await ask(way, far.place)
    assert answer.startswith(b"HTTP/1.1 200 ")
    return near, await far.came.get()


async def say(ends: Ends, other: Ends, words: bytes) -> None:
    """One side says something, which arrives."""
    ends[1].write(words)
    async with asyncio.timeout(PATIENCE_S):
        assert await other[0].readexactly(len(words)) == words


async def shake_hands(near: Ends, far: Ends) -> None:
    for number in range(HANDSHAKES):
        await say(near, far, b"hello %d" % number)
        await say(far, near, b"and hello %d" % number)


async def confirm(near: Ends, far: Ends, hold: Hold) -> None:
    """The library has connected and confirms something, which is kept back."""
    await shake_hands(near, far)
    near[1].write(b"confirmed")
    await hold.begun()
