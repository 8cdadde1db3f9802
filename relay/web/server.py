"""One HTTP server on one socket, hosting the routes it is given."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

_BACKLOG = 1024
_LONGEST_BODY = 4 * 1024 * 1024  # contract: 413 above
_CLOSING_S = 5.0
_LINGERING_S = 2.0  # for a sender who was refused and still sends
_LAST_CALL_S = 0.25  # a request follows its connection at once: the proxy is our neighbour


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

    With ``last_call``, connections that were accepted just before leaving may still bring their
    request, and every answer then asks its sender to come back on a new connection.
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
        for site in self._runner.sites:
            await site.stop()
        if self._last_call:
            await asyncio.sleep(_LAST_CALL_S)
        await self._runner.cleanup()
        self._sock.close()

    async def _send_away(self, _: web.Request, response: web.StreamResponse) -> None:
        """Who keeps his connection would lose what he says on it next."""
        if self._leaving:
            response.headers["Connection"] = "close"  # aiohttp has decided about this header before
            response.force_close()
