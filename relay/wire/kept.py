"""Connections that are kept after use: bounded, never trusted for long, and none is left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from relay.wire.line import BrokenError, Line, Place

KEPT_S: Final = 15.0
"""A connection that has not been used for so long is not used again: a proxy may have left it."""

CONNECT_S: Final = 15.0
"""For all of connecting, TLS and a proxy's leave included."""

Connect = Callable[[asyncio.Protocol, Place], Awaitable[None]]
"""Opens a connection to a place, with this protocol at its end.

Raises ``OSError`` if the place cannot be reached. Given up at any moment it leaves no socket open.
"""


class Kept:
    """Connections to hosts: ``connections`` at once, those too that nobody uses at the moment.

    It belongs to one loop. ``room`` and ``silence_s`` are every :class:`Line`'s.
    """

    def __init__(
        self, connect: Connect, connections: int, *, room: int, silence_s: float | None = None
    ) -> None:
        self._connect = connect
        self._most = connections
        self._room = room
        self._silence_s = silence_s
        self._turns = asyncio.Semaphore(connections)
        self._idle: dict[Place, list[Line]] = {}
        self._connecting: set[asyncio.Timeout] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = False
        self.lines: set[Line] = set()

    async def take(self, place: Place) -> Line:
        """A connection of one's own, as soon as there may be one more; to be left in any case.

        Raises:
            BrokenError: all connections have been closed.
            OSError: the place cannot be reached.
        """
        await self._turns.acquire()
        try:
            return self._standing(place) or await self._new(place)
        except BaseException:
            self._turns.release()
            raise

    def leave(self, line: Line) -> None:
        """It is used no more: kept if its answer is whole, else hung up, for the rest may come."""
        self._turns.release()
        if line.whole:
            line.used_at = time.monotonic()
            self._idle.setdefault(line.place, []).append(line)
        else:
            line.hang_up()

    async def close(self) -> None:
        """Hang up, whoever waits; back when every connection is gone. No other one is made."""
        self._closed = True
        for limit in self._connecting:
            if not limit.expired():
                limit.reschedule(0)
        for line in list(self.lines):
            line.hang_up()
        await self._empty.wait()

    def made(self, line: Line) -> None:
        """A connection stands."""
        self.lines.add(line)

    def lost(self, line: Line) -> None:
        """A connection is gone."""
        self.lines.discard(line)
        idle = self._idle.get(line.place, [])
        if line in idle:
            idle.remove(line)
        if not idle:
            self._idle.pop(line.place, None)
        self._settle()

    def _settle(self) -> None:
        if not self.lines and not self._connecting:
            self._empty.set()

    def _standing(self, place: Place) -> Line | None:
        """The connection used last, unless that is too long ago: then so it is of all others."""
        idle = self._idle.get(place)
        while idle:
            line = idle.pop()
            if line.usable and time.monotonic() - line.used_at < KEPT_S:
                return line
            line.hang_up()
        return None

    async def _new(self, place: Place) -> Line:
        if self._closed:
            raise BrokenError("all connections are closed")
        self._make_room()
        line = Line(self, place, room=self._room, silence_s=self._silence_s)
        limit = asyncio.timeout(CONNECT_S)
        self._connecting.add(limit)
        self._empty.clear()
        try:
            async with limit:
                await self._connect(line, place)
        except BaseException:
            line.hang_up()
            raise
        finally:
            self._connecting.discard(limit)
            self._settle()
        return line

    def _make_room(self) -> None:
        """Hang up the one that nobody has used for longest, if there are as many as may be."""
        idle = [lines for lines in self._idle.values() if lines]
        if idle and len(self.lines) + len(self._connecting) >= self._most:
            min(idle, key=lambda lines: lines[0].used_at).pop(0).hang_up()
