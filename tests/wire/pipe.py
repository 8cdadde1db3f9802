"""A line without a network: what it is told stands in the test, and time is moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from relay.wire.line import BrokenError, Line, Place

REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Pipe(asyncio.Transport):
    """The transport of a line that is spoken to by a test; also its keeper."""

    def __init__(self, *, room: int = 1_000, silence_s: float | None = None) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False
        self._going = asyncio.Event()
        self._going.set()
        self.line = Line(self, Place("there", 80, secure=False), room=room, silence_s=silence_s)
        self.line.connection_made(self)

    @property
    def paused(self) -> bool:
        """Whether the host has to wait."""
        return not self._going.is_set()

    def made(self, line: Line) -> None:
        pass

    def lost(self, line: Line) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self._going.clear()

    def resume_reading(self) -> None:
        self._going.set()

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self._going.set()
            asyncio.get_running_loop().call_soon(self.line.connection_lost, None)

    async def say(self, *parts: bytes) -> None:
        """Each part as a read of its own, as soon as the line takes one."""
        for part in parts:
            await self._going.wait()
            if not self.aborted:
                self.line.data_received(part)

    async def end(self, error: Exception | None = None) -> None:
        """The host hangs up, or the connection breaks; seen once the line takes something."""
        await self._going.wait()
        if not self.aborted:
            self.line.eof_received()
            self.line.connection_lost(error)


async def read(line: Line) -> tuple[list[bytes], str]:
    """The pieces of the answer to a request, and in what words it broke, if it did."""
    pieces = list[bytes]()
    try:
        await line.ask(REQUEST)
        while True:
            if piece := line.take():
                pieces.append(piece)
            elif line.whole:
                return pieces, ""
            else:
                await line.more()
    except BrokenError as error:
        return pieces, str(error)


class HandTime:
    """The loop's own time, which passes in :meth:`pass_s` only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now_s = 1_000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self._now_s)

    async def pass_s(self, seconds: float) -> None:
        self._now_s += seconds
        for _ in range(5):
            await asyncio.sleep(0)
