"""Waiting for what a relay does: never by time, always woken by what it has just done."""

from __future__ import annotations

from collections.abc import Callable

from relay.demo.pretended_amocrm.waiting import Changes

PATIENCE_S = 60.0
"""How long a test waits for what must come; only a failing test ever waits that long."""


class Watched:
    """Something whose changes a test waits for."""

    def __init__(self) -> None:
        self._changes = Changes()

    def changed(self) -> None:
        """Whoever waits looks again."""
        self._changes.changed()

    async def until(
        self, predicate: Callable[[], bool], what: str = "it", within_s: float = PATIENCE_S
    ) -> None:
        """Return once ``predicate`` holds; it is asked after every change."""
        try:
            await self._changes.wait_for(predicate, within_s)
        except TimeoutError:
            raise AssertionError(f"{what} did not come within {within_s:g} s: {self}") from None
