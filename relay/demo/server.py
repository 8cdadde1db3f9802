"""The page's server: files, the state as server-sent events, and actions. Loopback only.

A page of a stranger, open in the same browser, must not reach in: the Host header has to name this
machine (a rebound name does not), the Origin, if there is one, has to be our own, and an action has
to be declared as JSON, which a foreign form cannot do.
"""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from relay.demo.actions import parse
from relay.demo.errands import BusyError
from relay.demo.files import file_routes
from relay.demo.performing import perform
from relay.demo.pretended_whatsapp.world import UnfitError
from relay.demo.show import Show
from relay.demo.snapshot import snapshot

PAGE = Path(__file__).parent / "page"

_LARGEST_ACTION = 256 * 1024
_MOST_READERS = 16
_COALESCE_S = 0.03
_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class PageServer:
    """Serves the page on a bound socket; :meth:`app` is the application."""

    def __init__(self, show: Show, port: int) -> None:
        self._show = show
        names = ("127.0.0.1", "localhost")
        self._hosts = frozenset(f"{name}:{port}" for name in names)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._headers = _HEADERS | {"Content-Security-Policy": _policy(show)}
        self._closing = asyncio.Event()

    def app(self) -> web.Application:
        """The routes behind the guard."""
        app = web.Application(client_max_size=_LARGEST_ACTION, middlewares=[self._guard()])
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/page/{name}", self._file),
                web.get("/events", self._events),
                web.post("/act", self._act),
                *file_routes(self._show),
            ]
        )
        app.on_shutdown.append(self._close)
        return app

    async def _close(self, _: web.Application) -> None:
        self._closing.set()
        self._show.changes.changed()

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            origin = request.headers.get("Origin")
            if request.host not in self._hosts or (origin and origin not in self._origins):
                return web.Response(status=403, text="this page is for this machine alone\n")
            return await handler(request)

        return guard

    async def _index(self, _: web.Request) -> web.Response:
        return self._answer(PAGE / "index.html")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        known = {path.name: path for path in PAGE.iterdir() if path.suffix in _KINDS}
        if name not in known:
            return web.Response(status=404, text="no such file\n")
        return self._answer(known[name])

    async def _act(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return web.json_response({"error": "expected application/json"}, status=415)
        try:
            await perform(self._show, parse(await request.read()))
        except BusyError as error:
            return web.json_response({"error": str(error)}, status=503)
        except UnfitError as error:
            return web.json_response({"error": str(error)}, status=409)
        except ValueError:
            return web.json_response({"error": "not an action of this page"}, status=400)
        return web.json_response({})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._show.changes.readers >= _MOST_READERS:
            return web.Response(status=503, text="too many pages are open\n")
        response = web.StreamResponse(
            headers={**self._headers, "Content-Type": "text/event-stream"}
        )
        await response.prepare(request)
        with self._show.changes.reader() as flag:
            while not self._closing.is_set():
                await flag.wait()
                await asyncio.sleep(_COALESCE_S)
                flag.clear()
                state = json.dumps(snapshot(self._show), ensure_ascii=False, separators=(",", ":"))
                try:
                    await response.write(f"data: {state}\n\n".encode())
                except ConnectionError:
                    break  # the page has gone
        return response

    def _answer(self, path: Path) -> web.Response:
        kind = _KINDS[path.suffix]
        return web.Response(
            body=path.read_bytes(), content_type=kind, charset="utf-8", headers=self._headers
        )


def _policy(show: Show) -> str:
    """Everything comes from here, but for files: amoCRM's, and those behind the relay's links."""
    files = f"'self' {show.public_url} {show.crm.url}"
    return (
        f"default-src 'self'; img-src {files}; media-src {files}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


async def serve(show: Show, sock: socket.socket) -> web.AppRunner:
    """Serve the page on this listening socket, until the runner is cleaned up."""
    port: int = sock.getsockname()[1]
    runner = web.AppRunner(
        PageServer(show, port).app(), access_log=None, handle_signals=False, shutdown_timeout=2.0
    )
    await runner.setup()
    await web.SockSite(runner, sock).start()
    return runner
