"""What the media host gives: piece by piece, from where we are, wherever it leads us."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin, urlsplit

from relay.whatsapp.linked_device.media_errors import GoneError, HostError
from relay.whatsapp.linked_device.media_way import media_way
from relay.whatsapp.linked_device.sealed import is_media_host
from relay.wire.downloads import Download, Downloads
from relay.wire.line import BrokenError

_GONE = frozenset({403, 404, 410})
_LEADS_ON = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 3
_BROKEN = (BrokenError, OSError, UnicodeError)  # the last: a host that cannot have such a name


class MediaDownloads:
    """Downloads through a proxy, or straight if it is empty; every request with these headers."""

    def __init__(self, proxy: str, headers: dict[str, str]) -> None:
        try:
            self._wire = Downloads(media_way(proxy))
        except ValueError as error:
            raise HostError(f"no way to the media host: {error}") from error
        self._headers = headers

    async def close(self) -> None:
        """Break off; back when nothing is open, and nothing will be."""
        await self._wire.close()

    async def pieces(self, place: str, have: int) -> AsyncGenerator[bytes, None]:
        """What comes after the ``have`` bytes that came before; ``place`` is on WhatsApp's hosts.

        Raises:
            GoneError: the host does not keep it any more.
            HostError: not now, or no more of it.
        """
        try:
            async with self._get(place, have) as answer:
                async for piece in _fresh(answer, have):
                    yield piece
        except _BROKEN as error:
            raise HostError(_words(error)) from error

    @asynccontextmanager
    async def _get(self, place: str, have: int) -> AsyncIterator[Download]:
        headers = self._headers | {"Range": f"bytes={have}-"} if have else self._headers
        for _ in range(_MOST_HOPS):
            async with self._wire.get(place, headers) as answer:
                if answer.status in _GONE:
                    raise GoneError(f"the media host answered {answer.status}")
                if answer.status in {200, 206}:
                    yield answer
                    return
                place = _next_place(place, answer)
        raise HostError("the media host leads in circles")


async def _fresh(answer: Download, have: int) -> AsyncIterator[bytes]:
    """What comes, without what we have already: a host may answer a range with the whole."""
    skip = 0
    if have:
        skip = have - (_begin(answer) if answer.status == 206 else 0)
        if skip < 0:
            raise HostError("the media host left a gap")
    async for piece in answer:
        fresh = piece[skip:]
        skip = max(0, skip - len(piece))
        if fresh:
            yield fresh


def _begin(answer: Download) -> int:
    span = answer.header("content-range").removeprefix("bytes ").partition("-")[0]
    if not span.isdigit():
        raise HostError("the media host does not tell which part it sends")
    return int(span)


def _next_place(place: str, answer: Download) -> str:
    """Where the host leads to; only to another one of WhatsApp's."""
    to = answer.header("location")
    if answer.status not in _LEADS_ON or not to:
        raise HostError(f"the media host answered {answer.status}")
    place = urljoin(place, to)
    parts = urlsplit(place)
    if parts.scheme != "https" or not is_media_host(parts.netloc):
        raise HostError("the media host leads elsewhere")
    return place


def _words(error: BaseException) -> str:
    """Why, without addresses, which hold keys to files."""
    match error:
        case BrokenError():
            return f"the connection to the media host broke: {error}"
        case TimeoutError():
            return "the media host fell silent"
        case OSError(strerror=words):
            return f"the media host cannot be reached: {words or error}"
    return f"the media host cannot be reached: {type(error).__name__}"
