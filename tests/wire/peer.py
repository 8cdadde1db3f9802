"""A server that says what it is told to, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from relay.wire.line import Place

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """Gives each request the next answer; its connections are kept. ``left``: those that ended."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    connections: int = 0
    left: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    hang_up: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def place(self) -> Place:
        return Place("127.0.0.1", self.port, secure=False)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                await reader.readexactly(int(length or b"0"))
                self.heads.append(head)
                self.heard.set()
                if self.answers:
                    writer.write(self.answers.pop(0))
                    await writer.drain()
                if self.hang_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.left += 1
        writer.close()


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    there = Peer()
    async with await asyncio.start_server(there.talk, "127.0.0.1", 0) as server:
        there.port = server.sockets[0].getsockname()[1]
        yield there
        for writer in there.writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in there.writers), return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Back once it is so; the loop goes on meanwhile."""
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")
