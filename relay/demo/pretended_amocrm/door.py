"""The listening socket, which can be closed and opened again on the very same port."""

from __future__ import annotations

import asyncio
import socket
import struct

from aiohttp import web

_AT_ONCE = struct.pack("ii", 1, 0)  # linger on, zero seconds: close() sends RST
_GRACE_S = 0.05  # for handlers whose connection has just been reset; zero would mean for ever
_LETTING_IN = 3  # turns of the loop until whoever was let in last is among the connections


class Door:
    """Serves HTTP on loopback; while it is closed, connections are refused.

    The port is kept by a second socket that is bound but never listens, so that nobody takes it
    in the meantime.
    """

    def __init__(self, server: web.Server) -> None:
        self._server = server
        self._keeper: socket.socket | None = None
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port; RuntimeError before the first opening."""
        if self._keeper is None:
            raise RuntimeError("the pretended amoCRM has not been started")
        port: int = self._keeper.getsockname()[1]
        return port

    async def open(self, port: int = 0) -> None:
        """Listen; the first time on `port` (0: any), later always on the same."""
        if self._listener is not None:
            return
        if self._keeper is None:
            self._keeper = _bound(port)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._server, sock=_bound(self.port))

    async def close(self) -> None:
        """Refuse connections, and reset those that are open."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        # Whoever is being let in when asyncio's server closes stays outside, and is told nothing.
        for sock in listener.sockets:
            listener.get_loop().remove_reader(sock.fileno())
        for _ in range(_LETTING_IN):
            await asyncio.sleep(0)
        listener.close()
        for connection in self._server.connections:
            if connection.transport is not None:
                reset(connection.transport)
        await self._server.shutdown(timeout=_GRACE_S)

    async def give_up(self) -> None:
        """Close for good and let the port go."""
        await self.close()
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection with RST, as a dying peer does."""
    raw = transport.get_extra_info("socket")
    if raw is not None and raw.fileno() != -1:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    bound.bind(("127.0.0.1", port))
    return bound
