"""One HTTP server on one socket, hosting the routes it is given."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

from aiohttp import web

_BACKLOG = 1024
_LONGEST_BODY = 4 * 1024 * 1024  # contract: 413 above
_CLOSING_S = 5.0
_LINGERING_S = 2.0  # for a sender who was refused and still sends
_LOOK_S = 0.02  # by then whoever was accepted last is among the connections
_LOOKS = 100  # for who was accepted and has said nothing yet: the proxy may be slow today


def bind(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes any free one.

    Raises:
        OSError: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket that only its owner may use. A stale one at that path is replaced."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
        sock.listen(16)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def address(sock: socket.socket) -> str:
    """``host:port`` of a bound TCP socket."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Server:
    """Serves routes on a socket from entering to leaving; requests in hand are finished first.

    With ``last_call``, connections that were accepted before leaving and have brought no request
    yet are waited for, and every answer then asks its sender to come back on a new connection.
    """

    def __init__(
        self,
        sock: socket.socket,
        routes: Iterable[web.AbstractRouteDef],
        *,
        last_call: bool = False,
    ) -> None:
        self._sock = sock
        self._last_call = last_call
        self._leaving = False
        self._answered: WeakSet[asyncio.BaseTransport] = WeakSet()
        app = web.Application(client_max_size=_LONGEST_BODY)
        app.add_routes(routes)
        app.on_response_prepare.append(self._send_away)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_CLOSING_S,
            auto_decompress=False,  # nobody who calls us compresses; a bomb would
            lingering_time=_LINGERING_S,
        )

    async def __aenter__(self) -> Self:
        """Start accepting."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._sock).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop accepting, finish what is in hand, close the socket."""
        self._leaving = True
        await self._let_no_more_in()
        for site in self._runner.sites:
            await site.stop()
        if self._last_call:
            await self._hear_out()
        await self._runner.cleanup()
        self._sock.close()

    async def _let_no_more_in(self) -> None:
        # What is accepted in this turn has no transport before the next one. If asyncio's server is
        # closed by then, it drops the connection without a word.
        asyncio.get_running_loop().remove_reader(self._sock)
        await asyncio.sleep(0)

    async def _hear_out(self) -> None:
        """Back once every connection has had an answer, or the last call is over."""
        for _ in range(_LOOKS):
            await asyncio.sleep(_LOOK_S)
            if not self._unheard():
                return

    def _unheard(self) -> bool:
        server = self._runner.server
        transports = [it.transport for it in server.connections] if server else []
        return any(it is not None and it not in self._answered for it in transports)

    async def _send_away(self, request: web.Request, response: web.StreamResponse) -> None:
        """Who keeps his connection would lose what he says on it next."""
        if self._last_call and request.transport is not None:
            self._answered.add(request.transport)
        if self._leaving:
            response.headers["Connection"] = "close"  # aiohttp has decided about this header before
            response.force_close()
