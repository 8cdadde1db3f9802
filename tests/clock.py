"""A clock that only a test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class HandClock:
    """Implements :class:`relay.delivery.ports.Clock`; time passes in :meth:`advance_ms` only."""

    def __init__(self, now_ms: int = 1_770_000_000_000) -> None:
        self._now_ms = now_ms
        self._elapsed_ms = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tickets = itertools.count()

    def now_ms(self) -> int:
        return self._now_ms

    def elapsed_ms(self) -> int:
        return self._elapsed_ms

    async def sleep_ms(self, duration_ms: int) -> None:
        await self._until(self._elapsed_ms + duration_ms)

    async def wait_ms(self, event: asyncio.Event, at_most_ms: int) -> None:
        sleep = asyncio.ensure_future(self._until(self._elapsed_ms + at_most_ms))
        wait = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({sleep, wait}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wait.cancel()

    def jump_ms(self, delta_ms: int) -> None:
        """Somebody set the wall clock; nobody's sleep ends sooner or later for it."""
        self._now_ms += delta_ms

    async def advance_ms(self, duration_ms: int) -> None:
        """Let that much time pass, waking each sleeper at his moment, and let all settle."""
        end = self._elapsed_ms + duration_ms
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            at, _, sleeper = heapq.heappop(self._sleepers)
            self._move_to(max(at, self._elapsed_ms))
            if not sleeper.done():
                sleeper.set_result(None)
            await settle()
        self._move_to(end)
        await settle()

    def _move_to(self, elapsed_ms: int) -> None:
        self._now_ms += elapsed_ms - self._elapsed_ms
        self._elapsed_ms = elapsed_ms

    async def _until(self, at_ms: int) -> None:
        if at_ms <= self._elapsed_ms:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at_ms, next(self._tickets), sleeper))
        await sleeper


async def settle() -> None:
    """Let every task that can go on without time passing go on until none can."""
    for _ in range(50):
        await asyncio.sleep(0)
