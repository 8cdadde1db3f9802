"""Proxies on this machine that lead nowhere but to a TLS handshake of ours, as far as they do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def proxy(
    serve: Serve, then: ssl.SSLContext | None = None, *, port: int = 0
) -> AsyncIterator[int]:
    """Each connection is served, and answered in WhatsApp's place if there is ``then``."""
    forever = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError):
            try:
                await serve(reader, writer)
                if then is not None:
                    await writer.start_tls(then)
                await forever.wait()  # silence
            finally:
                writer.transport.abort()

    async with await asyncio.start_server(accept, "127.0.0.1", port) as server:
        yield int(server.sockets[0].getsockname()[1])
        forever.set()


async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """It says nothing at all."""


def http(answer: str = "200 OK", wants: str = "") -> Serve:
    """An HTTP proxy; with ``wants`` that line of the request's head is demanded."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert head[0] == "CONNECT web.whatsapp.com:443 HTTP/1.1"
        told = answer if not wants or wants in head else "407 Proxy Authentication Required"
        writer.write(f"HTTP/1.1 {told}\r\n\r\n".encode())

    return serve


def socks(
    *, refusal: int = 0, login: bytes | None = None, bound: bytes = b"\x01" + bytes(6)
) -> Serve:
    """A SOCKS 5 proxy; with ``login`` it wants these bytes of name and password.

    ``bound``: the kind of the address that it goes on from, that address and its port.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        if login is not None and 2 not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, 0 if login is None else 2]))
        if login is not None:
            said = await reader.readexactly(len(login))
            writer.write(bytes([1, said != login]))
        head = await reader.readexactly(5)
        assert head[:4] == b"\x05\x01\x00\x03"
        assert await reader.readexactly(head[4] + 2) == b"web.whatsapp.com\x01\xbb"
        writer.write(bytes([5, refusal, 0]) + bound)

    return serve
