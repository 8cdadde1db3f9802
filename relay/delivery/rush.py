"""A rush at the door: then what comes in is only kept, and sorted when the rush lets it.

Who hands over waits for an answer, and amoCRM, after a few seconds, for ever no more. To keep a
payload costs a fifth of what sorting it costs, so while many wait, keeping goes first.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

from relay.delivery.ports import Clock

MANY = 32
"""So many who wait at once are a rush; below that, sorting at once is cheaper for all."""

GIVES_WAY_MS = 200
"""So long the sorting gives way, then it has a turn: a rush that never ends stops nothing."""


class Rush:
    """Counts who is at the door: each enters it with ``with``."""

    def __init__(self) -> None:
        self._inside = 0
        self._over = asyncio.Event()
        self._over.set()

    @property
    def on(self) -> bool:
        """Whether there is a rush."""
        return not self._over.is_set()

    async def give_way(self, clock: Clock) -> None:
        """Wait until there is none, though not for long."""
        if self.on:
            await clock.wait_ms(self._over, GIVES_WAY_MS)

    def __enter__(self) -> None:
        """One more."""
        self._inside += 1
        if self._inside >= MANY:
            self._over.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """One less."""
        self._inside -= 1
        if self._inside < MANY:
            self._over.set()
