"""The real clock, and one that does not jump when somebody sets it."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Wall time to write down, the loop's time to wait by."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the wall."""
        return time.time_ns() // 1_000_000

    def elapsed_ms(self) -> int:
        """Milliseconds since some fixed moment, by a clock that nobody sets but that also counts
        while the machine sleeps.
        """
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait that long."""
        await asyncio.sleep(duration_ms / 1000)

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        """Wait for the event, but at most that long."""
        try:
            async with asyncio.timeout(at_most_ms / 1000):
                await event.wait()
        except TimeoutError:
            return


class SteadyClock:
    """The time by which letters wait and expire.

    When somebody sets the wall clock, this one goes on as if nothing had happened, so that nothing
    expires by it; the heartbeat moves what waits, and only then is it told to follow.
    """

    def __init__(self, wall: SystemClock) -> None:
        self._wall = wall
        self.follow()

    def follow(self) -> None:
        """From now on agree with the wall."""
        self._offset_ms = self._wall.now_ms() - self._wall.elapsed_ms()

    def now_ms(self) -> int:
        """Milliseconds since the epoch, by the wall as it was when last followed."""
        return self._offset_ms + self._wall.elapsed_ms()

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait that long."""
        await self._wall.sleep_ms(duration_ms)

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        """Wait for the event, but at most that long."""
        await self._wall.wait_ms(event, at_most_ms)
