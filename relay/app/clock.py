"""The real clock."""

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
