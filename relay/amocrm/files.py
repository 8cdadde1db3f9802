"""Brings the files of managers from amoCRM: the links that stand in its hooks.

UNCONFIRMED: whether a link needs the account's token, and how long it lives. So it is asked for
at once, without a token first, and with it if amoCRM says 401 or 403, or shows a page to log in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from relay import __version__
from relay.amocrm.errors import AmoCrmError
from relay.amocrm.hosts import Hosts, PublicResolver
from relay.delivery.ports import (
    MediaGoneError,
    MediaTooLargeError,
    MediaUnavailableError,
    MediaWriter,
)

CONNECTIONS: Final = 16
"""Downloads at once: a pool of their own, so that messages never wait for files."""

PIECE: Final = 64 * 1024
MOST_REDIRECTS: Final = 5

_CONNECT_S: Final = 10.0
_SILENCE_S: Final = 30.0  # between two pieces; how long all of it may take is the caller's affair
_HEADERS: Final = {
    "User-Agent": f"relay/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # what comes packed could unpack to anything
}
_REFUSED: Final = frozenset({401, 403})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PAGE: Final = "text/html"
_PAGE_ENDINGS: Final = (".html", ".htm")


class _NeedsTokenError(Exception):
    """amoCRM does not give it to just anybody."""


class _MovedError(Exception):
    def __init__(self, to: str) -> None:
        super().__init__("redirected")
        self.to = to


def open_files_session(
    hosts: Hosts, *, silence_s: float = _SILENCE_S, inner: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """A session for downloads, which connects to public addresses alone.

    ``inner`` is who knows the names; the system, by default.
    """
    resolver = PublicResolver(inner or aiohttp.resolver.DefaultResolver(), hosts)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, resolver=resolver, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_HEADERS,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=silence_s),
        auto_decompress=False,
        read_bufsize=PIECE,
    )


class AmoCrmFiles:
    """Fetches by link. ``token`` gives the account's token of the moment.

    ``session`` must come from :func:`open_files_session`, which sees to addresses; ``limit`` is
    the largest file that may come, in bytes.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        hosts: Hosts,
        token: Callable[[], Awaitable[str]],
        limit: Callable[[], int],
    ) -> None:
        self._session = session
        self._hosts = hosts
        self._token = token
        self._limit = limit

    async def fetch(self, ref: str, write: MediaWriter) -> None:
        """Bring the file behind a link (a :data:`relay.delivery.media.MediaSource`).

        Raises:
            MediaGoneError: the link is none of amoCRM's, or amoCRM says that it is gone.
            MediaTooLargeError: it is larger than the limit.
            MediaUnavailableError: anything else; trying again may help.
        """
        url = _parsed(ref)
        for _ in range(MOST_REDIRECTS + 1):
            try:
                await self._from(url, write)
            except _MovedError as moved:
                url = url.join(_parsed(moved.to))
            else:
                return
        raise MediaUnavailableError("amoCRM redirects in circles")

    async def _from(self, url: URL, write: MediaWriter) -> None:
        if not self._hosts.own(url):
            raise MediaGoneError(f"the link leads to {url.host or 'nowhere'}, which is not amoCRM")
        try:
            try:
                await self._attempt(url, {}, write)
            except _NeedsTokenError:
                await self._attempt(url, await self._authorized(), write)
        except _NeedsTokenError as error:
            raise MediaUnavailableError(str(error)) from error
        except TimeoutError as error:
            raise MediaUnavailableError("amoCRM fell silent") from error
        except (aiohttp.ClientError, OSError) as error:
            raise MediaUnavailableError(f"{type(error).__name__} while it came") from error

    async def _attempt(self, url: URL, headers: dict[str, str], write: MediaWriter) -> None:
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            _heed(response, url)
            length = response.content_length
            if length is not None and length > self._limit():
                raise MediaTooLargeError(f"amoCRM announces {length} bytes")
            async for piece in response.content.iter_chunked(PIECE):
                await write(piece)

    async def _authorized(self) -> dict[str, str]:
        try:
            return {"Authorization": f"Bearer {await self._token()}"}
        except AmoCrmError as error:
            raise MediaUnavailableError(f"amoCRM wants a token, and {error}") from error


def _heed(response: aiohttp.ClientResponse, url: URL) -> None:
    """Back if the body is the file."""
    status = response.status
    if status in _REDIRECTS and (to := response.headers.get("Location")):
        raise _MovedError(to)
    if status == 410:
        raise MediaGoneError("amoCRM answered 410")
    if status in _REFUSED:
        raise _NeedsTokenError(f"amoCRM answered {status}")
    if status != 200:
        raise MediaUnavailableError(f"amoCRM answered {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MediaUnavailableError("amoCRM packed it, though asked not to")
    if response.content_type == _PAGE and not url.path.lower().endswith(_PAGE_ENDINGS):
        raise _NeedsTokenError("amoCRM shows a page instead of the file")


def _parsed(link: str) -> URL:
    with suppress(ValueError, UnicodeError):
        return URL(link)
    raise MediaGoneError("the link is none")
