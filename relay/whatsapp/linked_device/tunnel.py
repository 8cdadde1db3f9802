"""The tunnel through which the library speaks with WhatsApp: what it says leaves a moment later.

The library confirms a message to WhatsApp on one thread and tells us of it on another, in no
certain order. What a kill finds confirmed and untold would be lost without a trace: WhatsApp does
not repeat it. So the library goes through a proxy of ours, which keeps back for a moment what it
says: no confirmation leaves this process before its event has had time to arrive. What was not
confirmed WhatsApp repeats, and that is noticed (see ``withheld``).

The proxy speaks HTTP on the loopback, with the one client that knows its password. Behind it is the
channel's own proxy, the environment's, or WhatsApp itself. What passes it cannot read.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache

from relay.whatsapp.linked_device.way import HOST, Ends, NoWayError, connect, first_hop, lead_on

HOLD_S = 0.02
"""An event is told within a millisecond or two; on a machine that is out of breath within ten."""

OPEN_S = 20.0
DIAL_S = 15.0
"""The library would wait over a minute for a WhatsApp that hears and does not answer, and all the
while no other client could come or go (see ``gate``). Four answers take a second at worst."""

ANSWER_S = 1.0
FLUSH_S = 1.0

_HANDSHAKES = 4
"""So often the library speaks before it may confirm anything: twice for TLS and the request that
begins the WebSocket, twice for Noise. Connecting need not wait, and ends with as many answers."""

_USER = "relay"
_PIECE = 65_536
_NOT_YOURS = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
_THROUGH = b"HTTP/1.1 200 Connection established\r\n\r\n"


Hold = Callable[[], Awaitable[None]]


async def a_moment() -> None:
    """For so long what the library says is kept back."""
    await asyncio.sleep(HOLD_S)


async def a_while() -> None:
    """For so long a connection may take to be made."""
    await asyncio.sleep(DIAL_S)


class Tunnel:
    """The way of one client of the library. ``proxy`` is the channel's, if it has one.

    ``hold`` is waited for with whatever the library says, and ``patience`` before a session's
    connection is given up whose handshakes are not over. Files, which the library fetches from
    other hosts, take their time.
    """

    def __init__(self, proxy: str | None, hold: Hold = a_moment, patience: Hold = a_while) -> None:
        self._proxy = proxy
        self._hold = hold
        self._patience = patience
        self._password = secrets.token_urlsafe(16)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._passages: set[_Passage] = set()

    async def open(self) -> str:
        """Listen; the address for the library, a secret.

        Raises:
            OSError: the system has no port left.
        """
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{_USER}:{self._password}@127.0.0.1:{port}"

    async def close(self) -> None:
        """Hang up, once what the library has said is out."""
        if self._server is None:
            return
        self._server.close()
        if self._connections:
            _, stuck = await asyncio.wait(self._connections, timeout=FLUSH_S)
            for connection in stuck:
                connection.cancel()

    def bring_no_more(self) -> None:
        """Let the library hear nothing more from WhatsApp; what it says still goes out."""
        if self._server is not None:
            self._server.close()
        for passage in self._passages:
            passage.bring_no_more()

    async def answered(self) -> None:
        """Back once the library has answered what it was brought last, or seems not to mean to.

        Its confirmations come from a thread of their own, which may be late.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                for passage in tuple(self._passages):
                    await passage.answered()

    def cut(self) -> None:
        """Hang up at once: what the library has said and is kept back is never heard."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None  # noqa: S101 - this runs in one
        self._connections.add(connection)
        try:
            await self._lead((reader, writer))
        except (OSError, EOFError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the library hung up, or we do
        finally:
            self._connections.discard(connection)
            writer.transport.abort()

    async def _lead(self, near: Ends) -> None:
        async with asyncio.timeout(OPEN_S):
            head = (await near[0].readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        if not any(map(self._is_password, head)):
            await _say(near, _NOT_YOURS)
            return
        try:
            async with asyncio.timeout(OPEN_S):
                host, port = _destination(head[0])
                far = await self._go(host, port)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError, NoWayError) as error:
            words = " ".join(str(error).split()) or type(error).__name__
            await _say(near, f"HTTP/1.1 502 {words}\r\n\r\n".encode("latin-1", "replace"))
            return
        patience = self._patience if host == HOST else None
        passage = _Passage(near, far, self._hold, patience)
        self._passages.add(passage)
        try:
            await _say(near, _THROUGH)
            await passage.run()
        finally:
            self._passages.discard(passage)
            far[1].transport.abort()

    def _is_password(self, line: str) -> bool:
        name, _, value = line.partition(": ")
        secret = base64.b64encode(f"{_USER}:{self._password}".encode()).decode()
        ours = hmac.compare_digest(value.encode(), f"Basic {secret}".encode())
        return ours and name.lower() == "proxy-authorization"

    async def _go(self, host: str, port: int) -> Ends:
        hop = first_hop(self._proxy, host, port)
        far = await connect(hop, _true_certificate)
        try:
            await lead_on(hop, far, host, port)
        except BaseException:
            far[1].transport.abort()
            raise
        return far


class _Passage:
    """A connection of the library's, and the one that goes on from it."""

    def __init__(self, near: Ends, far: Ends, hold: Hold, patience: Hold | None) -> None:
        self._near = near
        self._far = far
        self._hold = hold
        self._patience = patience
        self._answers = 0
        self._said = asyncio.Event()  # something since anything was brought
        self._bringing: asyncio.Task[None] | None = None

    def bring_no_more(self) -> None:
        """The library is to hear nothing more from WhatsApp, nor that it hung up."""
        if self._bringing is not None:
            self._bringing.cancel()

    async def answered(self) -> None:
        """Back once the library has said something after what it was brought last, or hung up."""
        await self._said.wait()

    async def run(self) -> None:
        """Until one side hangs up; what was said by then still passes."""
        self._bringing = asyncio.create_task(self._back(), name="from WhatsApp")
        ways = [asyncio.create_task(self._out(), name="to WhatsApp"), self._bringing]
        tasks = list(ways)
        if self._patience is not None:
            giving_up = self._give_up(ways, self._patience)
            tasks.append(asyncio.create_task(giving_up, name="patience with WhatsApp"))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            # One that is brought no more has time, until the library hangs up or we do.
            await asyncio.wait(ways, timeout=None if self._bringing.cancelled() else FLUSH_S)
        finally:
            self._said.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _give_up(self, ways: list[asyncio.Task[None]], patience: Hold) -> None:
        """Hang up on both sides if the handshakes are not over in time."""
        await patience()
        if self._answers < _HANDSHAKES:
            for way in ways:
                way.cancel()

    async def _out(self) -> None:
        (reader, _), (_, writer) = self._near, self._far
        while piece := await reader.read(_PIECE):
            self._said.set()
            if self._answers >= _HANDSHAKES:
                await self._hold()  # what is said meanwhile waits in the reader, which is bounded
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _back(self) -> None:
        (reader, _), (_, writer) = self._far, self._near
        with suppress(OSError):  # a line that breaks has ended, too
            while piece := await reader.read(_PIECE):
                self._answers += self._said.is_set()
                self._said.clear()
                writer.write(piece)
                await writer.drain()
        if not writer.is_closing():
            writer.write_eof()


@cache  # it reads the system's authorities
def _true_certificate() -> ssl.SSLContext:
    return ssl.create_default_context()


def _destination(line: str) -> tuple[str, int]:
    """Host and port of a request to lead on.

    Raises:
        ValueError: it is none.
    """
    method, _, rest = line.partition(" ")
    host, _, port = rest.partition(" ")[0].rpartition(":")
    if method != "CONNECT" or not host:
        raise ValueError("this proxy leads on and does nothing else")
    return host.strip("[]"), int(port)


async def _say(near: Ends, words: bytes) -> None:
    near[1].write(words)
    await near[1].drain()
