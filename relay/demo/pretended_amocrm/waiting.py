"""Waiting for something to become true, woken by every change instead of asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Changes:
    """Tells everyone concerned that something has changed."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._listeners: list[Callable[[], None]] = []

    @property
    def waiting(self) -> int:
        """How many are waiting."""
        return len(self._waiting)

    def changed(self) -> None:
        """Something has changed: look again."""
        for predicate, future in list(self._waiting):
            _look(predicate, future)
        for listener in list(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every change, until the function returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def wait_for(self, predicate: Callable[[], bool], within_s: float) -> None:
        """Return once `predicate` holds. Raises TimeoutError after `within_s` seconds."""
        if predicate():
            return
        entry = (predicate, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(within_s):
                await entry[1]
        finally:
            self._waiting.remove(entry)


def _look(predicate: Callable[[], bool], future: asyncio.Future[None]) -> None:
    if future.done():
        return
    try:
        if predicate():
            future.set_result(None)
    except Exception as error:  # noqa: BLE001 - whatever the predicate raises is its waiter's
        future.set_exception(error)
