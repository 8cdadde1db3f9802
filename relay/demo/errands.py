"""What was begun by a click and takes a while: a hook under way waits for its answer here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

_MOST = 100

Errand = Callable[[], Coroutine[object, object, object]]


class BusyError(Exception):
    """Too much is under way already."""


class Errands:
    """Owns the tasks that clicks begin."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Errand] = asyncio.Queue(_MOST)
        self._under_way = 0

    def send(self, errand: Errand) -> None:
        """Begin it soon.

        Raises:
            BusyError: too much is under way; it was not begun.
        """
        if self._under_way >= _MOST:
            raise BusyError("too much is under way already")
        self._under_way += 1
        self._waiting.put_nowait(errand)

    async def run(self) -> None:
        """Run errands for ever."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                errand = await self._waiting.get()
                tasks.create_task(self._run(errand), name="errand")

    async def _run(self, errand: Errand) -> None:
        try:
            await errand()
        finally:
            self._under_way -= 1
