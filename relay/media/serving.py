"""Gives kept files out: ``GET`` and ``HEAD /media/{name}``, with ``Range`` and ``ETag``.

Whoever knows a name may have the file, and nobody can list or guess names. Nothing that is given
out runs in a browser, whatever a sender put into it: its type was found out by us, what a browser
cannot simply show is to be saved, and the rest is shut into a sandbox.
"""

from __future__ import annotations

import asyncio
import os
from typing import IO, Any, Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from relay.delivery.store import StoreRefusedError
from relay.media.names import State
from relay.media.shelf import Found
from relay.media.small import FoundSmall
from relay.media.store import FileStore

_PIECE: Final = 256 * 1024

_ASKS_MORE: Final = frozenset(
    (
        "range",
        "if-range",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
    )
)
"""Headers of a request for a part of a file, or for a file only if it is another one."""

_SHOWN: Final = ("image/", "audio/", "video/")
"""Types that a browser simply shows or plays; anything else is saved."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def media_routes(store: FileStore) -> list[web.RouteDef]:
    """The one route, for the public server."""

    def look(name: str, *, plain: bool) -> Found | FoundSmall | None:
        return (store.find_bundled(name) if plain else None) or store.find(name)

    async def give(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        try:
            found = await store.on_thread(look, name, plain=_is_plain(request))
        except StoreRefusedError as error:  # it is kept, and may be asked for again
            raise web.HTTPServiceUnavailable from error
        if found is None:
            raise web.HTTPNotFound
        return _Given(store, found) if isinstance(found, Found) else _GivenSmall(store, found)

    return [web.get("/media/{name}", give)]


class _GivenSmall(web.Response):
    """A small file on its way out of its bundle, as it will be given out of its own file."""

    def __init__(self, store: FileStore, found: FoundSmall) -> None:
        super().__init__(body=found.content, headers=_headers(found))
        self.etag = f"{found.since_ns:x}-{len(found.content):x}"
        self.last_modified = found.since_ns / 1e9
        self.headers["Accept-Ranges"] = "bytes"
        self._store = store
        self._found = found

    async def write_eof(self, data: bytes = b"") -> None:
        """Send all of it."""
        await super().write_eof(data)
        if self._found.state is State.NEW:
            await self._store.on_thread(self._store.note_fetched, self._found)


class _Given(web.FileResponse):
    """A file on its way out; it is noted once its last byte has left."""

    def __init__(self, store: FileStore, found: Found) -> None:
        super().__init__(found.path, chunk_size=_PIECE, headers=_headers(found))
        self._store = store
        self._found = found

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send all of it: aiohttp's own of this kind does so, and is to be asked but once."""
        writer = await super().prepare(request)
        if self._found.state is State.NEW and _ended(request, self):
            await self._store.on_thread(self._store.note_fetched, self._found)
        return writer

    async def _sendfile(
        self, request: web.BaseRequest, fobj: IO[Any], offset: int, count: int
    ) -> AbstractStreamWriter:
        """Piece by piece, read on threads: the system call would wait for the disk on the loop."""
        writer = await web.StreamResponse.prepare(self, request)
        if writer is None:
            raise ConnectionResetError("the connection was lost")
        end, large = offset + count, count > _PIECE
        while offset < end:
            size = min(_PIECE, end - offset)
            if large:
                await self._store.throttle(size)
            piece = await asyncio.to_thread(os.pread, fobj.fileno(), size, offset)
            if not piece:
                raise ConnectionResetError("the file has become shorter")
            await writer.write(piece)
            offset += len(piece)
        await writer.drain()
        return writer


def _is_plain(request: web.Request) -> bool:
    """Whether all of it is wanted, whatever the client has of it already."""
    return request.method == "GET" and _ASKS_MORE.isdisjoint(map(str.lower, request.headers))


def _headers(found: Found | FoundSmall) -> dict[str, str]:
    shown = found.mime.startswith(_SHOWN)
    name = quote(found.name.name, safe="")
    return _HEADERS | {
        "Content-Type": found.mime,
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{name}",
    }


def _ended(request: web.BaseRequest, response: web.StreamResponse) -> bool:
    """Whether the last byte went out."""
    if request.method != "GET":
        return False
    if response.status != 206:
        return response.status == 200
    reach, _, size = response.headers.get("Content-Range", "").rpartition("/")
    return size.isdigit() and reach.rpartition("-")[2] == str(int(size) - 1)
