"""Real servers on the loopback: one that answers what it is told, one that speaks raw bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeHost:
    """A host that keeps what it is asked, and answers with ``answer``."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    answer: Answering | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.raw_path, dict(request.headers), body))
        assert self.answer is not None
        return await self.answer(request)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer everything with this from now on."""

        async def answer(_: web.Request) -> web.StreamResponse:
            names = {key.replace("_", "-"): value for key, value in headers.items()}
            return web.Response(status=status, body=body, headers=names)

        self.answer = answer


@asynccontextmanager
async def fake_host() -> AsyncIterator[FakeHost]:
    host = FakeHost()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.handle)
    async with TestServer(app) as server:
        host.url = str(server.make_url("/")).rstrip("/")
        yield host


@asynccontextmanager
async def raw_host(answer: bytes, *, reset: bool = False) -> AsyncIterator[str]:
    """A server that reads something, says ``answer`` and hangs up, or resets the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(answer)
        if reset:
            writer.transport.abort()
        else:
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
