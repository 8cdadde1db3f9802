"""Fetches files from WhatsApp's media host and brings files there, piece by piece.

The library has functions for both, but it holds a file in memory two or three times over: 300 MB
for one of 100. So only the permission to upload comes from the library (see ``media_access``).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from relay.delivery.ports import Throttle, unthrottled
from relay.whatsapp.linked_device.media_access import Access, media_proxy
from relay.whatsapp.linked_device.media_downloads import MediaDownloads
from relay.whatsapp.linked_device.media_errors import AccessError, HostError
from relay.whatsapp.linked_device.sealed import Sealed, is_media_host
from relay.whatsapp.linked_device.sealing import PIECE, Opener, Seal, sealed_pieces

Write = Callable[[bytes], Awaitable[None]]

_HEADERS = {
    "User-Agent": aiohttp.http.SERVER_SOFTWARE,  # so that both ways tell the same
    "Origin": "https://web.whatsapp.com",
    "Referer": "https://web.whatsapp.com/",
}
_SILENCE_S = 30.0
_CONNECT_S = 15.0
_TRIES = 3  # of one download that breaks off in the middle
_SMALL = 64 * 1024  # bytes, opened in 0.15 ms: a thread would take half of that to be asked
_REFUSED = frozenset({401, 403})
_SOCKS = "socks"
_PROXY = (ProxyError, ProxyConnectionError, ProxyTimeoutError)
_BROKEN = (aiohttp.ClientError, OSError, EOFError, *_PROXY)  # a time-out is an OSError


class MediaHost:
    """The way to the media host. ``proxy`` is a URL; without one the environment's applies.

    ``throttle``: what large files wait for on their way there; from there, whoever writes them
    sees to it.
    """

    def __init__(self, proxy: str | None, throttle: Throttle = unthrottled) -> None:
        self._proxy = proxy
        self._throttle = throttle
        self._session: aiohttp.ClientSession | None = None
        self._downloads: MediaDownloads | None = None
        self._closed = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """After leaving, nothing is open, and nothing is opened until it is entered again."""
        self._closed = False
        try:
            yield
        finally:
            self._closed = True
            session, self._session = self._session, None
            downloads, self._downloads = self._downloads, None
            try:
                if downloads is not None:
                    await downloads.close()
            finally:
                if session is not None:
                    await session.close()

    # --- From the host ---------------------------------------------------------------------------

    async def fetch(self, sealed: Sealed, write: Write) -> None:
        """Fetch a file, open it, and write it piece by piece.

        A connection that breaks in the middle is taken up again where it broke.

        Raises:
            GoneError: the host does not keep it any more.
            HostError: not now.
            DamagedError: it is another file than the message names; what was written is worthless.
            ValueError: the message names no place on the host.
        """
        place = sealed.place
        opener = Opener(sealed.key, sealed.purpose, sealed.sha256, sealed.sealed_sha256)
        have = 0
        for left in reversed(range(_TRIES)):
            try:
                async with aclosing(self._pieces(place, have)) as pieces:
                    async for piece in pieces:
                        have += len(piece)
                        await write(await _opened(opener, piece))
            except HostError:
                if not left:
                    raise
            else:
                await write(opener.finish())
                return

    async def fetch_plain(self, place: str, write: Write) -> None:
        """Fetch what lies on the host as it is, such as a picture of somebody.

        Raises:
            GoneError: the host does not keep it any more.
            HostError: not now, or the address is not on WhatsApp's own hosts.
        """
        parts = urlsplit(place)
        if parts.scheme != "https" or not is_media_host(parts.netloc):
            raise HostError("the address is not on WhatsApp's own hosts")
        async with aclosing(self._pieces(place, 0)) as pieces:
            async for piece in pieces:
                await write(piece)

    def _pieces(self, place: str, have: int) -> AsyncGenerator[bytes, None]:
        """What comes after the ``have`` bytes that came before."""
        if self._closed:
            raise HostError("the channel is stopped")
        if self._downloads is None:
            self._downloads = MediaDownloads(media_proxy(self._proxy), _HEADERS)
        return self._downloads.pieces(place, have)

    # --- To the host -----------------------------------------------------------------------------

    async def bring(self, path: Path, purpose: str, seal: Seal, access: Access) -> Sealed:
        """Upload a file, sealed; where it lies then.

        Raises:
            AccessError: the host does not take the permission.
            HostError: not now. Nobody has been sent anything.
            OSError: the file cannot be read.
        """
        token = base64.urlsafe_b64encode(seal.sealed_sha256).decode()
        query = urlencode({"auth": access.auth, "token": token})
        place = f"https://{access.host}/mms/{purpose.lower()}/{token}?{query}"
        headers = _HEADERS | {
            "Content-Length": str(seal.sealed_size),
            "Content-Type": "application/octet-stream",
        }
        pieces = sealed_pieces(path, seal.key, purpose)
        throttle = self._throttle if seal.size > PIECE else unthrottled
        try:
            async with asyncio.timeout(_SILENCE_S) as limit:
                body = _off_loop(pieces, limit, throttle)
                async with self._open().post(
                    place, data=body, headers=headers, allow_redirects=False
                ) as response:
                    url, direct = await _told_place(response)
        except _BROKEN as error:
            raise HostError(_words(error)) from error
        return Sealed(purpose, url, direct, seal.key, seal.sha256, seal.sealed_sha256)

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise HostError("the channel is stopped")
        if self._session is None:
            self._session = self._connections()
        return self._session

    def _connections(self) -> aiohttp.ClientSession:
        """Aiohttp could ask the environment by itself: anew for each file, which costs four times
        what all else of a small one does.
        """
        proxy = media_proxy(self._proxy)
        socks = proxy.startswith(_SOCKS)
        return aiohttp.ClientSession(
            connector=ProxyConnector.from_url(_known(proxy), rdns=True) if socks else None,
            proxy=proxy if proxy and not socks else None,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S
            ),
            auto_decompress=False,
            read_bufsize=PIECE,
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def _known(proxy: str) -> str:
    """The address with a scheme that the connector knows; names are looked up there in any case."""
    return proxy.replace("socks5h://", "socks5://", 1)


async def _opened(opener: Opener, piece: bytes) -> bytes:
    """What a piece opens to; a small one is opened sooner than a thread is asked to."""
    if len(piece) <= _SMALL:
        return opener.update(piece)
    return await asyncio.to_thread(opener.update, piece)


async def _off_loop(
    pieces: Iterator[bytes], limit: asyncio.Timeout, throttle: Throttle
) -> AsyncIterator[bytes]:
    """The pieces, made on another thread; each one that was taken puts the limit off."""
    loop = asyncio.get_running_loop()
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await throttle(len(piece))
        yield piece
        if not limit.expired():
            limit.reschedule(loop.time() + _SILENCE_S)


async def _told_place(response: aiohttp.ClientResponse) -> tuple[str, str]:
    """The address and the path of what was uploaded."""
    if response.status in _REFUSED:
        raise AccessError(f"the media host answered {response.status}")
    if response.status != 200:
        raise HostError(f"the media host answered {response.status}")
    try:
        told = await response.json(content_type=None)
        url, direct = told["url"], told["direct_path"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError("the media host's answer makes no sense") from error
    if not (isinstance(url, str) and isinstance(direct, str) and direct):
        raise HostError("the media host's answer names no place")
    return url, direct


def _words(error: BaseException) -> str:
    """Why, without addresses, which hold keys to files."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"the media host cannot be reached: {error.os_error.strerror or 'no connection'}"
    if isinstance(error, TimeoutError):
        return "the media host fell silent"
    return f"the connection to the media host broke: {type(error).__name__}"
