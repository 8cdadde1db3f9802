"""Files by GET: an answer's head first, then its body, as fast as somebody takes it."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote, urlsplit

from relay.wire.kept import Connect, Kept
from relay.wire.line import ClosedError, Line, Place

HELD: Final = 128 * 1024
"""Bytes of a body that are held before the host must wait, and a read: 256 KB, or 512 over TLS."""

CONNECTIONS: Final = 100
"""Connections at once, to all hosts together."""

SILENCE_S: Final = 30.0
"""A host that says nothing for so long is given up."""

_PORTS = {"http": 80, "https": 443}
_AS_IT_IS = "/?:@!$&'()*+,;=-._~%[]"  # of an address: all that has a meaning there


class Downloads:
    """Downloads over connections that are kept by host. It belongs to one loop."""

    def __init__(
        self, connect: Connect, *, connections: int = CONNECTIONS, silence_s: float = SILENCE_S
    ) -> None:
        self._kept = Kept(connect, connections, room=HELD, silence_s=silence_s)

    def get(self, url: str, headers: Mapping[str, str]) -> Download:
        """One download, to be entered.

        Raises:
            ValueError: the address names no host.
        """
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
        if host is None or port is None:
            raise ValueError("not the address of a host")
        place = Place(host, port, parts.scheme == "https")
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"GET {quote(path, _AS_IT_IS)} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Accept: */*\r\nAccept-Encoding: identity\r\n{lines}\r\n"
        )
        return Download(self._kept, place, head.encode("ascii"))

    async def close(self) -> None:
        """Break off whatever is under way; back when every connection is gone. No other is made."""
        await self._kept.close()


class Download:
    """An answer. Entered, its head is there; its body is iterated over, once.

    A connection whose body is not wanted to the end is not used again.
    """

    def __init__(self, kept: Kept, place: Place, request: bytes) -> None:
        self._kept = kept
        self._place = place
        self._request = request
        self._line: Line

    @property
    def status(self) -> int:
        """What the host answered."""
        return self._line.status

    def header(self, name: str) -> str:
        """What it says under a name, which is written in small letters; empty if nothing."""
        return self._line.headers.get(name.encode("ascii"), b"").decode("latin-1")

    async def __aenter__(self) -> Self:
        """Ask; back when the host has answered.

        A connection that was kept may be closed by its host at the moment of asking: then another
        one is asked. Each time there is one fewer of those.

        Raises:
            BrokenError: it did not, or nothing that is HTTP.
            OSError: it cannot be reached.
        """
        while True:
            line = self._line = await self._kept.take(self._place)
            try:
                await line.ask(self._request)
            except BaseException as error:
                self._kept.leave(line)
                if not isinstance(error, ClosedError) or not line.used_at:
                    raise
            else:
                return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing more of it."""
        self._kept.leave(self._line)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            BrokenError: it ends too early, or the host fell silent; all before has been given.
        """
        line = self._line
        while not (piece := line.take()):
            if line.whole:
                raise StopAsyncIteration
            await line.more()
        return piece
