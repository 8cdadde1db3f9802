"""A proxy behind which WhatsApp takes the TLS handshake, hears the request, and never answers.

As a network does that lets through what it can read and swallows the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_APPLICATION_DATA = 23
_FINISHED = 1  # in TLS 1.3 the client's last word of the handshake looks like data, too


@dataclass
class Stalling:
    """``url`` is the proxy's address; ``swallowed`` is set when a client's request was."""

    url: str = ""
    swallowed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def stalling_proxy(behind: str) -> AsyncIterator[Stalling]:
    """Leads to another proxy, up to the first request inside TLS."""
    there, stalling = urlsplit(behind), Stalling()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on, back = await asyncio.open_connection(there.hostname, there.port)
        with suppress(OSError, EOFError):
            back.write(await reader.readuntil(b"\r\n\r\n"))
            pouring = asyncio.create_task(_pour(on, writer), name="pour")
            try:
                await _until_request(reader, back)
                stalling.swallowed.set()
                await reader.read()
            finally:
                pouring.cancel()
                await asyncio.wait([pouring])
        back.transport.abort()
        writer.transport.abort()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        stalling.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield stalling


async def _until_request(reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    """Pass the client's TLS records on, but for the second one of data."""
    seen = 0
    while seen <= _FINISHED:
        head = await reader.readexactly(5)
        record = head + await reader.readexactly(int.from_bytes(head[3:], "big"))
        seen += head[0] == _APPLICATION_DATA
        if seen <= _FINISHED:
            back.write(record)


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while chunk := await source.read(65_536):
        sink.write(chunk)
