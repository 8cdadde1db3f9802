"""How often amoCRM is asked: one bucket for the whole relay, shut while amoCRM wants peace.

Source: REST API, "Limits": 7 requests a second; beyond that 429, and who goes on gets 403 for
everything. The limit counts by address and account, so all of the relay shares one bucket.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from relay.amocrm.errors import UnreachableError
from relay.delivery.ports import Clock
from relay.domain.retry import MINUTE, SECOND

GAP_MS: Final = 200
"""Between two requests: five a second, so that six at most fall into any one second."""

MOST_WAITING: Final = 100
"""Requests that may wait for their turn: twenty seconds' worth."""

LONGEST_HOLD_MS: Final = 5 * MINUTE
"""The longest peace at a time. UNCONFIRMED: how a block is lifted; it is looked for this often."""

_FIRST_THROTTLED_MS: Final = SECOND
_FIRST_BLOCKED_MS: Final = 30 * SECOND

_log = structlog.get_logger()


class Bucket:
    """Lets requests pass one by one, first come first served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line = asyncio.Lock()
        self._waiting = 0
        self._next_ms = clock.now_ms()
        self._holds = 0  # in a row

    async def turn(self, deadline_ms: int) -> None:
        """Back when the next request may be made.

        Raises:
            UnreachableError: not before the deadline, or too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise UnreachableError(f"{MOST_WAITING} requests wait for amoCRM already")
        self._waiting += 1
        try:
            async with self._line:
                await self._until_free(deadline_ms)
                self._next_ms = self._clock.now_ms() + GAP_MS
        finally:
            self._waiting -= 1

    async def _until_free(self, deadline_ms: int) -> None:
        """A hold may begin while somebody waits here, so he looks again."""
        while True:
            wait_ms = self._wait_ms()
            if self._clock.now_ms() + max(wait_ms, 0) > deadline_ms:
                seconds = round(max(wait_ms, 0) / SECOND)
                raise UnreachableError(f"no time left: amoCRM may be asked in {seconds} s again")
            if wait_ms <= 0:
                return
            await self._clock.sleep_ms(wait_ms)

    def _wait_ms(self) -> int:
        return min(self._next_ms - self._clock.now_ms(), LONGEST_HOLD_MS)

    def throttled(self, after_ms: int | None) -> None:
        """A 429 came; ``after_ms``: when it wants to be asked again, if it said so."""
        self._hold("throttled", after_ms, _FIRST_THROTTLED_MS)

    def blocked(self) -> None:
        """Everything is answered 403."""
        self._hold("blocked", None, _FIRST_BLOCKED_MS)

    def calm(self) -> None:
        """All is as it should be."""
        self._holds = 0

    def _hold(self, why: str, after_ms: int | None, first_ms: int) -> None:
        """Nobody passes for that long; without amoCRM's word twice as long each time."""
        wait_ms = first_ms << min(self._holds, 20) if after_ms is None else after_ms
        wait_ms = min(wait_ms, LONGEST_HOLD_MS)
        self._holds += 1
        self._next_ms = max(self._next_ms, self._clock.now_ms() + wait_ms)
        _log.warning("rest_held", reason=why, seconds=round(wait_ms / SECOND))
