"""Takes in what engines and hooks hand over: back only when it is on disk."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Sequence

from relay.delivery.ledger import Ledger
from relay.delivery.notes import Note
from relay.delivery.ports import Clock
from relay.delivery.rush import Rush
from relay.delivery.sorter import Sorter
from relay.delivery.store import (
    Spooled,
    Store,
    StoreRefusedError,
)

_REFUSED_WAIT_S = 0.5

_Work = Callable[[Ledger], Note | None]


class Intake:
    """The door of the journal.

    What comes in is sorted in the transaction that keeps it, by the sorter of its source, unless
    that one is behind, or there is a rush: then the row waits for its turn. A fault in the sorting
    costs no row.
    """

    def __init__(self, store: Store, clock: Clock, sorter: Callable[[str], Sorter]) -> None:
        self.rush = Rush()
        self._store = store
        self._clock = clock
        self._sorter = sorter
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
        sorter, take_in, append = self._works(source, payload)
        with self.rush:
            try:
                note = await self._store.transact(append if self.rush.on else take_in)
            except asyncio.CancelledError:
                sorter.wake()  # it is kept all the same, and nobody else will tell
                raise
            except StoreRefusedError:
                raise
            except Exception:  # noqa: BLE001  a fault of ours: the sorter will meet it, the row is safe
                await self._store.transact(append)
                note = None
        sorter.tell(note)

    async def accept_all(self, batch: Sequence[Spooled]) -> None:
        """Back once all of them are durable, in their order: all or none.

        Raises:
            StoreRefusedError: none was kept.
        """
        works = [self._works(spooled.source, spooled.payload) for spooled in batch]
        try:
            notes = await self._store.transact(lambda ledger: [do(ledger) for _, do, _ in works])
        except StoreRefusedError:
            raise
        except Exception:  # noqa: BLE001  as above
            notes = await self._store.transact(lambda ledger: [do(ledger) for _, _, do in works])
        for (sorter, _, _), note in zip(works, notes, strict=True):
            sorter.tell(note)

    def accept_from_thread(self, source: str, payload: bytes) -> None:
        """The same for a foreign thread, which waits for as long as the disk refuses.

        Raises:
            StoreRefusedError: the relay is closing and the disk still refuses.
        """
        sorter, work, append = self._works(source, payload)
        while True:
            try:
                note = self._store.transact_from_thread(work)
            except StoreRefusedError:
                if self._closing.wait(_REFUSED_WAIT_S):
                    raise
            except Exception:  # noqa: BLE001  as above
                work = append
            else:
                self._loop.call_soon_threadsafe(sorter.tell, note)
                return

    def _works(self, source: str, payload: bytes) -> tuple[Sorter, _Work, _Work]:
        """The sorter, the work to be done, and what to do if that cannot be."""
        trace, now, sorter = secrets.token_hex(4), self._clock.now_ms(), self._sorter(source)

        def take_in(ledger: Ledger) -> Note | None:
            return sorter.take_in(ledger, source, payload, trace, now)

        def append(ledger: Ledger) -> None:
            sorter.leave(ledger, source, payload, trace, now)

        return sorter, take_in, append


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
