"""The wire to one host of amoCRM's: kept connections for posts that are many, small and alike.

The general client of aiohttp (see :func:`relay.amocrm.client.exchange`) spends more of a message's
time than all the rest of the relay; ``docs/decisions`` tells why this stands beside it. What the
bytes of an answer mean is left to httptools, the parser of Node.js.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httptools
from yarl import URL

from relay import __version__
from relay.amocrm.answers import Answer
from relay.amocrm.errors import UnreachableError

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; a documented one has a few hundred."""

LONGEST_HEAD: Final = 32 * 1024
"""Bytes of an answer's headers, before it is no answer of theirs."""

CONNECTIONS: Final = 64
"""Connections to the host at once."""

KEPT_S: Final = 15.0
"""A connection that has not been used for so long is not used again: a proxy may have left it."""

_ASIDE_S: Final = 0.25  # before another address of the host is tried beside the first


class _Line(asyncio.Protocol):
    """One connection: a request, its answer, the next request."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._head_size = self._unended = self._body_size = 0
        self._in_body = False
        self.usable = True
        self.used_at = 0.0

    # What is done with it.

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; its answer. Whoever stops waiting must hang up.

        Raises:
            UnreachableError: the connection is gone already.
        """
        if self._transport is None:
            raise UnreachableError("it closed before it was asked")
        self._answer = self._wire.loop.create_future()
        self._head_size = self._unended = 0
        self._in_body = False
        self._transport.write(request)
        return self._answer

    def hang_up(self) -> None:
        """Never again."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP or TLS
        self._transport = transport
        self._wire.lines.add(self)

    def data_received(self, data: bytes) -> None:
        """Some of the answer, or something nobody asked for."""
        if not self._waits():
            self.hang_up()
            return
        if not self._in_body:
            self._unended += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"{type(error).__name__}: {error}")
        if not self._in_body and self._unended > LONGEST_HEAD:
            self._fail("the headers of its answer do not end")

    def eof_received(self) -> None:
        """It will say no more; asyncio closes it."""
        self.usable = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._transport = None
        self._wire.forget(self)
        if not self._waits():
            return
        if exc is None and self._ends_with_connection():
            self._finish()
        else:
            words = f"{type(exc).__name__}: {exc}" if exc else "it closed before it had answered"
            self._fail(words)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """An answer begins; after the one that was asked for there must be none."""
        self._headers, self._body, self._body_size = {}, [], 0
        self._in_body = False
        if not self._waits():
            self.hang_up()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of several by one name the last counts."""
        self._headers[name.lower()] = value
        self._head_size += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """The body begins, if there is one."""
        self._in_body = True
        if self._head_size > LONGEST_HEAD:
            self._fail("the headers of its answer are too long")

    def on_body(self, body: bytes) -> None:
        """Some of the body: what is longer than it may be is no answer of theirs, and is cut."""
        if not self._waits():
            return
        self._body.append(body)
        self._body_size += len(body)
        if self._body_size >= LONGEST_ANSWER:
            self._finish()

    def on_message_complete(self) -> None:
        """The whole answer is there; if it was only a word beforehand (1xx), another one comes."""
        if self._waits() and self._parser.get_status_code() >= 200:
            self._finish(keep=self._parser.should_keep_alive())

    # What follows.

    def _waits(self) -> bool:
        return self._answer is not None and not self._answer.done()

    def _ends_with_connection(self) -> bool:
        named = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        return self._in_body and not named

    def _finish(self, *, keep: bool = False) -> None:
        assert self._answer is not None  # noqa: S101 - it is waited for
        headers, body = self._headers, b"".join(self._body)[:LONGEST_ANSWER]
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            self._fail("its answer is packed, which nobody asked for")
            return
        date, after = _text(headers.get(b"date")), _text(headers.get(b"retry-after"))
        self._answer.set_result(Answer(self._parser.get_status_code(), body, date, after))
        if not keep:
            self.hang_up()

    def _fail(self, words: str) -> None:
        if self._waits():
            assert self._answer is not None  # noqa: S101 - see above
            self._answer.set_exception(UnreachableError(words))
        self.hang_up()


class Wire:
    """Posts to one host over a bounded number of connections, which it keeps.

    It belongs to the loop on which it is entered, and leaves nothing open behind.
    """

    def __init__(self, base_url: str, *, connections: int = CONNECTIONS) -> None:
        self._url = URL(base_url.rstrip("/"))
        host, port = self._url.raw_host, self._url.port
        if host is None or port is None:
            raise ValueError(f"not the address of a host: {base_url}")
        self._address = host, port
        # Of an address there is only one; and whoever gives up a race loses sight of its socket.
        self._aside_s = None if _is_address(host) else _ASIDE_S
        self._prefix = self._url.raw_path.rstrip("/")
        self._room = asyncio.Semaphore(connections)
        self._idle: list[_Line] = []
        self._tls: ssl.SSLContext | None = None
        self._empty = asyncio.Event()
        self._empty.set()
        self.lines: set[_Line] = set()
        self.loop: asyncio.AbstractEventLoop

    async def post(
        self, path: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float
    ) -> Answer:
        """One post and its answer, whatever its status; ``timeout_s`` for all of it.

        Raises:
            UnreachableError: no answer in time, or none that is HTTP; it may have been done anyway.
        """
        request = self._request(path, headers, body)
        try:
            async with asyncio.timeout(timeout_s), self._room:
                return await self._ask(request)
        except TimeoutError as error:
            raise UnreachableError(f"no answer within {timeout_s:g} s") from error
        except OSError as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error

    async def __aenter__(self) -> Self:
        """Nothing is opened yet."""
        self.loop = asyncio.get_running_loop()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up; back when every connection is gone."""
        for line in list(self.lines):
            line.hang_up()
        self._settle()
        await self._empty.wait()

    def forget(self, line: _Line) -> None:
        """A connection is gone."""
        line.usable = False
        self.lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        self._settle()

    def _settle(self) -> None:
        if self.lines:
            self._empty.clear()
        else:
            self._empty.set()

    async def _ask(self, request: bytes) -> Answer:
        line = self._kept() or await self._connect()
        try:
            answer = await line.ask(request)
        except BaseException:  # whatever it is: half an answer may still be under way
            line.hang_up()
            raise
        if line.usable:
            line.used_at = time.monotonic()
            self._idle.append(line)
        return answer

    def _kept(self) -> _Line | None:
        """The connection used last, unless that is too long ago: then so it is of all others."""
        while self._idle:
            line = self._idle.pop()
            if line.usable and time.monotonic() - line.used_at < KEPT_S:
                return line
            line.hang_up()
        return None

    async def _connect(self) -> _Line:
        secure = self._url.scheme == "https"
        if secure and self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        _, line = await self.loop.create_connection(
            lambda: _Line(self),
            *self._address,
            ssl=self._tls if secure else None,
            happy_eyeballs_delay=self._aside_s,
        )
        return line

    def _request(self, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {self._prefix}{path} HTTP/1.1\r\nHost: {self._url.host_port_subcomponent}\r\n"
            f"User-Agent: relay/{__version__}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
            f"{lines}Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
