"""The wire to one host of amoCRM's: kept connections for posts that are many, small and alike.

The general client of aiohttp (see :func:`relay.amocrm.client.exchange`) spends more of a message's
time than all the rest of the relay; ``docs/decisions`` tells why this stands beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from yarl import URL

from relay import __version__
from relay.amocrm.answers import Answer
from relay.amocrm.errors import UnreachableError
from relay.wire.direct import connect
from relay.wire.kept import Kept
from relay.wire.line import BrokenError, Line, Place

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; a documented one has a few hundred."""

CONNECTIONS: Final = 64
"""Connections to the host at once."""


class Wire:
    """Posts to one host over a bounded number of connections, which it keeps.

    It belongs to the loop on which it is entered, and leaves nothing open behind.
    """

    def __init__(self, base_url: str, *, connections: int = CONNECTIONS) -> None:
        self._url = URL(base_url.rstrip("/"))
        host, port = self._url.raw_host, self._url.port
        if host is None or port is None:
            raise ValueError(f"not the address of a host: {base_url}")
        self._place = Place(host, port, self._url.scheme == "https")
        self._prefix = self._url.raw_path.rstrip("/")
        self._kept = Kept(connect, connections, room=LONGEST_ANSWER)

    async def post(
        self, path: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float
    ) -> Answer:
        """One post and its answer, whatever its status; ``timeout_s`` for all of it.

        Raises:
            UnreachableError: no answer in time, or none that is HTTP; it may have been done anyway.
        """
        request = self._request(path, headers, body)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(request)
        except TimeoutError as error:
            raise UnreachableError(f"no answer within {timeout_s:g} s") from error
        except BrokenError as error:
            raise UnreachableError(str(error)) from error
        except OSError as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error

    async def __aenter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up; back when every connection is gone."""
        await self._kept.close()

    async def _ask(self, request: bytes) -> Answer:
        line = await self._kept.take(self._place)
        try:
            await line.ask(request)
            body = line.take()
            while not line.whole and len(body) < LONGEST_ANSWER:
                await line.more()
                body += line.take()
            return _answer(line, body)
        finally:
            self._kept.leave(line)

    def _request(self, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._prefix}{path} HTTP/1.1\r\nHost: {self._url.host_port_subcomponent}\r\n"
            f"User-Agent: relay/{__version__}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
            f"{lines}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body


def _answer(line: Line, body: bytes) -> Answer:
    """What is longer than it may be is no answer of theirs, and is cut."""
    date, after = line.headers.get(b"date"), line.headers.get(b"retry-after")
    return Answer(line.status, body[:LONGEST_ANSWER], _text(date), _text(after))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
