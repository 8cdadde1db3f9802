"""How fast large files pass: one measure for the whole relay, whichever way they go.

A fast line would bring a file as quickly as two processors and a disk can take it, and every
message would wait for both meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Final

from relay.delivery.ports import Clock
from relay.domain.retry import SECOND

RATE: Final = 32 * 1000 * 1000
"""Bytes a second of all large files together: more than most lines bring, and little enough that
messages hardly notice."""


class SharedThrottle:
    """A :data:`relay.delivery.ports.Throttle` of ``rate`` bytes a second.

    First come, first served: files take turns, piece by piece. It asks no clock for the time, only
    to wait, so it is the same to it if somebody sets the clock; and nothing is saved up while no
    file passes.
    """

    def __init__(self, clock: Clock, rate: int = RATE) -> None:
        self._clock = clock
        self._rate = rate
        self._line = asyncio.Lock()

    async def __call__(self, size: int) -> None:
        """Back when ``size`` bytes more may pass. Whoever is cancelled leaves the line."""
        async with self._line:
            await self._clock.sleep_ms(size * SECOND // self._rate)
