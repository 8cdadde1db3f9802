"""Takes in what engines and hooks hand over: on disk first, everything else after."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable

from relay.delivery.ports import Clock, Ledger, Store, StoreRefusedError

_REFUSED_WAIT_S = 0.5


class Intake:
    """The door of the journal.

    ``on_append`` is called as soon as the row is on its way to disk, before it is there: whoever
    sorts the journal then queues behind it, and under load both share one fsync.
    """

    def __init__(self, store: Store, clock: Clock, on_append: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_append = on_append
        self._loop = asyncio.get_running_loop()
        self._closing = threading.Event()

    def door(self, source: str) -> Door:
        """Where one engine, or the hooks, hand over. ``source`` is written beside each row."""
        return Door(self, source)

    def close(self) -> None:
        """Let go of threads that wait for the disk; what they hold stays with their engine."""
        self._closing.set()

    async def accept(self, source: str, payload: bytes) -> None:
        """Back once the payload is durable.

        Raises:
            StoreRefusedError: it was not kept.
        """
        self._on_append(source)
        await self._store.transact(self._append(source, payload))

    def accept_from_thread(self, source: str, payload: bytes) -> None:
        """The same for a foreign thread, which waits for as long as the disk refuses.

        Raises:
            StoreRefusedError: the relay is closing and the disk still refuses.
        """
        work = self._append(source, payload)
        while True:
            try:
                self._store.transact_from_thread(work)
            except StoreRefusedError:
                if self._closing.wait(_REFUSED_WAIT_S):
                    raise
            else:
                self._loop.call_soon_threadsafe(self._on_append, source)
                return

    def _append(self, source: str, payload: bytes) -> Callable[[Ledger], None]:
        trace, now = secrets.token_hex(4), self._clock.now_ms()

        def work(ledger: Ledger) -> None:
            ledger.append(source, payload, trace, now)

        return work


class Door:
    """A :class:`~relay.delivery.ports.HandOver` with its source written on it."""

    def __init__(self, intake: Intake, source: str) -> None:
        self._intake = intake
        self._source = source

    async def __call__(self, payload: bytes) -> None:
        """From the loop: back once the payload is durable."""
        await self._intake.accept(self._source, payload)

    def from_thread(self, payload: bytes) -> None:
        """From a foreign thread: back once the payload is durable."""
        self._intake.accept_from_thread(self._source, payload)
