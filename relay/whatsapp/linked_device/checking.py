"""Asks WhatsApp which numbers it has: a few at a time, one asking at a time, with pauses.

Mass checks are a reason for a ban, hence the bounds. What could not be found out stays unknown: a
failure is never an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from relay.delivery.ports import Clock
from relay.domain.retry import SECOND
from relay.whatsapp.linked_device.numbers import checked

BATCH = 50
EVERY_MS = 3 * SECOND
LIMIT_S = 30.0

log = structlog.get_logger(__name__)

Ask = Callable[[bytes], Awaitable[bytes | None]]
Learnt = Callable[[str, str], None]


class Checking:
    """The checks of one channel.

    ``ask`` asks the library, None if there is no connection; ``learnt`` is told of each hidden
    address that an answer gives beside a number.
    """

    def __init__(self, clock: Clock, ask: Ask, learnt: Learnt) -> None:
        self._clock = clock
        self._ask = ask
        self._learnt = learnt
        self._turn = asyncio.Lock()
        self._free_ms = 0

    async def check(self, numbers: Sequence[str]) -> dict[str, bool | None]:
        """For each number (digits) whether WhatsApp has it; None: it could not be found out."""
        there: dict[str, bool | None] = dict.fromkeys(numbers)
        for batch in _batches(list(there)):
            async with self._turn:
                await self._pause()
                there |= await self._check(batch)
        return there

    async def _pause(self) -> None:
        wait_ms = min(self._free_ms - self._clock.now_ms(), EVERY_MS)  # or the clock was set back
        if wait_ms > 0:
            await self._clock.sleep_ms(wait_ms)
        self._free_ms = self._clock.now_ms() + EVERY_MS

    async def _check(self, batch: Sequence[str]) -> dict[str, bool]:
        request = " ".join(f"+{number}" for number in batch).encode("ascii")
        try:
            async with asyncio.timeout(LIMIT_S):
                answer = await self._ask(request)
            if answer is None:
                return {}
            there, hidden = checked(answer)
        except (TimeoutError, ValueError) as error:
            log.warning("number_check_failed", numbers=len(batch), error=type(error).__name__)
            return {}
        for number in batch:
            if number in hidden:
                self._learnt(hidden[number], number)
        return {number: there[number] for number in batch if number in there}


def _batches(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH)]
