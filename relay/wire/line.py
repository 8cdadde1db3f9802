"""One connection to a host: a request, its answer, the next request.

What the bytes of an answer mean is left to httptools, the parser of Node.js.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple, Protocol

import httptools

LONGEST_HEAD: Final = 32 * 1024
"""Bytes without any of a body, before it is no answer: nobody's headers are so long."""

_WEIGHT: Final = 64  # bytes that a piece takes in memory besides its own, which may be a single one


class BrokenError(Exception):
    """The connection is gone, or what came over it is no answer; the text says why."""


class ClosedError(BrokenError):
    """The host has closed it without a word to the request: it may never have heard it."""


class Place(NamedTuple):
    """A host, its port, and whether it is spoken to over TLS."""

    host: str
    port: int
    secure: bool


class Keeper(Protocol):
    """Who must know which connections there are."""

    def made(self, line: Line) -> None:
        """It stands."""

    def lost(self, line: Line) -> None:
        """It is gone."""


class Line(asyncio.Protocol):
    """A connection. Whoever stops waiting for an answer, or does not want all of it, must hang up.

    Of a body ``room`` bytes and one read are held; then the host must wait until they are taken.
    A host that says nothing for ``silence_s`` seconds while it should has broken the connection.

    ``status`` and ``headers`` are the answer's; names are in small letters, and of several headers
    by one name the last counts. ``whole``: all of it has come. ``usable``: it can be asked again.
    """

    def __init__(
        self, keeper: Keeper, place: Place, *, room: int, silence_s: float | None = None
    ) -> None:
        self.place = place
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.whole = False
        self.usable = True
        self.used_at = 0.0
        self._keeper = keeper
        self._room = room
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._news: asyncio.Future[None] | None = None
        self._waits = self._paused = False
        self._broken: BrokenError | None = None
        self._head: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._held = self._bodiless = 0
        self._heard_at = 0.0
        self._watch: asyncio.TimerHandle | None = None

    # What is done with it.

    def ask(self, request: bytes) -> asyncio.Future[None]:
        """Send a request. Done when the answer is whole, or as much of it is here as is held.

        An answer that is no success is told from its head on.

        Raises:
            ClosedError: it is gone already.
            BrokenError: by the future: before any of a body came.
        """
        if self._transport is None:
            raise ClosedError("it closed before it was asked")
        self._body.clear()
        self.status = self._held = self._bodiless = 0
        self.whole, self._waits = False, True
        self._transport.write(request)
        if self._silence_s is not None:
            self._heard_at = self._loop.time()
            self._watch = self._watch or self._loop.call_later(self._silence_s, self._look)
        self._news = self._loop.create_future()
        return self._news

    def take(self) -> bytes:
        """What is here of the body; empty if nothing has come since it was taken last."""
        body = b"".join(self._body)
        self._body.clear()
        self._held = 0
        return body

    def more(self) -> asyncio.Future[None]:
        """Let more of the body come, after what was here has been taken.

        Raises:
            BrokenError: by the future: it ended before it was whole.
        """
        self._news = self._loop.create_future()
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard_at = self._loop.time()
            self._transport.resume_reading()
        if self._body or not self._waits:
            self._tell()
        return self._news

    def hang_up(self) -> None:
        """Never again."""
        self.usable = False
        if self._waits:
            self._waits, self._broken = False, BrokenError("it was hung up")
        if self._transport is not None:
            self._transport.abort()

    # What asyncio tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP or TLS
        self._transport = transport
        self._keeper.made(self)

    def data_received(self, data: bytes) -> None:
        """Some of the answer, or something nobody asked for."""
        if not self._waits:
            self.hang_up()
            return
        self._heard_at = self._loop.time()
        self._bodiless += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(BrokenError(f"{type(error).__name__}: {error}"))
        if self.whole or self._broken:
            return
        if self._bodiless > LONGEST_HEAD:
            self._fail(BrokenError("the headers of its answer do not end"))
        elif self._held >= self._room and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
            self._tell()

    def eof_received(self) -> None:
        """It will say no more; asyncio closes it."""
        self.usable = False

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._transport = None
        self.usable = False
        if self._watch is not None:
            self._watch.cancel()
        self._keeper.lost(self)
        if not self._waits:
            self._tell()
        elif exc is None and self._ends_with_connection():
            self._end(keep=False)
        else:
            words = f"{type(exc).__name__}: {exc}" if exc else "it closed before it had answered"
            spoke = self._bodiless or self.status
            self._fail(BrokenError(words) if spoke else ClosedError(words))

    # What the parser tells.

    def on_message_begin(self) -> None:
        """An answer begins; after the one that was asked for there must be none."""
        self._head = {}
        if not self._waits:
            self.hang_up()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._head[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The body begins, if there is one; but it may be only a word beforehand (1xx)."""
        status = self._parser.get_status_code()
        if not self._waits or status < 200:
            return
        self.status, self.headers = status, self._head
        if self._head.get(b"content-encoding", b"identity").lower() != b"identity":
            self._fail(BrokenError("its answer is packed, which nobody asked for"))
        elif status >= 300:
            self._tell()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        if self._waits:
            self._body.append(body)
            self._held += len(body) + _WEIGHT
            self._bodiless = 0

    def on_message_complete(self) -> None:
        """The whole answer is there."""
        if self._waits and self.status:
            self._end(keep=self._parser.should_keep_alive())

    # What follows.

    def _ends_with_connection(self) -> bool:
        named = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        return self.status > 0 and not named

    def _end(self, *, keep: bool) -> None:
        self.whole, self._waits = True, False
        if not keep:
            self.hang_up()
        self._tell()

    def _fail(self, error: BrokenError) -> None:
        if self._waits:
            self._waits, self._broken = False, error
        self.hang_up()
        self._tell()

    def _tell(self) -> None:
        """Wake who waits: what has come is taken before he hears that it is broken."""
        news = self._news
        if news is None or news.done():
            return
        if self._broken is None or self._body:
            news.set_result(None)
        else:
            news.set_exception(self._broken)

    def _look(self) -> None:
        """Whether the host has fallen silent; as long as it must wait, it may be."""
        self._watch = None
        if not self._waits or self._silence_s is None:
            return
        now = self._loop.time()
        if self._paused:
            self._heard_at = now
        left = self._heard_at + self._silence_s - now
        if left > 0:
            self._watch = self._loop.call_later(left, self._look)
        else:
            self._fail(BrokenError(f"it said nothing for {self._silence_s:g} s"))
