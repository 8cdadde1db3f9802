"""Leads the client to the server: a CONNECT proxy that lets no other host through."""

from __future__ import annotations

import asyncio
import contextlib

from tests.whatsapp_server.tls import HOSTS

LOOPBACK = "127.0.0.1"
_ALLOWED = frozenset(f"{host}:443" for host in HOSTS)
_CHUNK = 65_536


class Proxy:
    """Listens on loopback; ``refused`` lists every request for a host that is not the service's."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.accepting = True
        self._server: asyncio.Server | None = None
        self._port = 0
        self._target_port = 0
        self._tunnels: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    async def start(self, target_port: int) -> None:
        """Begins to lead the service's hosts to ``target_port`` on loopback."""
        self._target_port = target_port
        self._server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stops listening and cuts every tunnel."""
        if self._server:
            self._server.close()
        for tunnel in list(self._tunnels):
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="tunnel")
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            request = head.split(b"\r\n", 1)[0].decode(errors="replace")
            if await self._admitted(request, writer):
                await self._tunnel(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # the client hung up; a dropped connection is its affair
        finally:
            writer.transport.abort()

    async def _admitted(self, request: str, writer: asyncio.StreamWriter) -> bool:
        method, _, rest = request.partition(" ")
        known = method == "CONNECT" and rest.partition(" ")[0] in _ALLOWED
        if not known:
            self.refused.append(request)
        answer = "200 OK" if known and self.accepting else "502 Down" if known else "403 Forbidden"
        writer.write(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        await writer.drain()
        return known and self.accepting

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(LOOPBACK, self._target_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pour(reader, back))
                both.create_task(_pour(there, writer))
        finally:
            back.transport.abort()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()
    # One side has ended: the other must see it, or the tunnel outlives both.
    sink.close()
