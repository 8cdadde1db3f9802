"""Lets few attempts of one channel begin at a time: what is not begun is never in doubt.

An engine sends one message after the other, so of a burst most would only wait inside it, written
down as begun. A kill then would leave them all in doubt. Here they wait before that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from relay.delivery.ports import Clock
from relay.domain.ids import ChannelId
from relay.domain.retry import SECOND

T = TypeVar("T")

LONGEST_MS = 20 * SECOND
"""Then another channel's message shall have the place in the dispatcher."""


@dataclass(slots=True)
class _Line:
    free: int
    waiting: deque[asyncio.Event] = field(default_factory=deque)


class Lines:
    """A line a channel, first come, first served. ``abreast``: so many may be inside of each."""

    def __init__(self, clock: Clock, abreast: int) -> None:
        self._clock = clock
        self._abreast = abreast
        self._lines: dict[ChannelId | None, _Line] = {}

    async def enter(self, channel: ChannelId | None) -> bool:
        """Back with a place, which must be left; or without one (False) after too long a wait."""
        line = self._lines.setdefault(channel, _Line(self._abreast))
        if line.free:
            line.free -= 1
            return True
        place = asyncio.Event()
        line.waiting.append(place)
        try:
            await self._clock.wait_ms(place, LONGEST_MS)
        except asyncio.CancelledError:
            self._give_up(channel, place)
            raise
        if not place.is_set():
            self._give_up(channel, place)
        return place.is_set()

    def leave(self, channel: ChannelId | None) -> None:
        """The place is the next one's."""
        line = self._lines[channel]
        if line.waiting:
            line.waiting.popleft().set()
        else:
            line.free += 1

    def dissolve(self) -> None:
        """Nobody shall wait any longer: each comes back as if it were his turn."""
        for line in self._lines.values():
            while line.waiting:
                line.waiting.popleft().set()

    def _give_up(self, channel: ChannelId | None, place: asyncio.Event) -> None:
        if place.is_set():  # it had just been given to somebody who does not want it any more
            self.leave(channel)
        else:
            self._lines[channel].waiting.remove(place)


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``; None, and the work is cancelled, if the event comes first."""
    working = asyncio.create_task(work, name="prepare an attempt")
    waiting = asyncio.create_task(event.wait(), name="wait for a stop")
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
    return None if working.cancelled() else working.result()
