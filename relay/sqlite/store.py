"""The SQLite store: durable transactions for the loop and for foreign threads.

It uses the standard library's ``sqlite3`` on the loop itself and only the COMMIT on a thread, not
aiosqlite, which hops between threads for every single statement; ``docs/decisions`` says why. A
second connection answers queries, so that a reader sees everything committed before it and never
what is being written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from relay.delivery.ledger import Ledger
from relay.sqlite.errors import StoreClosedError
from relay.sqlite.group_commit import Snapshot
from relay.sqlite.opening import Opened, open_directory
from relay.sqlite.remembered import Memory
from relay.sqlite.writing import Writing

T = TypeVar("T")


def open_store(directory: Path, *, account: str) -> SqliteStore:
    """Open (or make) the storage in ``directory`` for this account of amoCRM.

    Blocks for as long as the disk needs: milliseconds, or a few seconds after an unclean stop.

    Raises:
        StorageError: it cannot be used; the text is for the administrator.
    """
    return SqliteStore(open_directory(directory, account))


class SqliteStore:
    """Implements :class:`relay.delivery.store.Store`. Made by :func:`open_store`.

    It belongs to one loop: the one on which it is entered, or first used.
    """

    def __init__(self, opened: Opened) -> None:
        self.unclean_stop = opened.unclean_stop
        self._opened = opened
        memory = Memory()
        self._writing = Writing(opened.writer, memory)
        self._snapshot = Snapshot(opened.reader, memory.of_reader())

    async def transact(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` in a transaction and return its result once it is durable.

        A work once taken is run, even if its caller is cancelled.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
            StoreClosedError: the store is closed.
        """
        return cast(T, await self._writing.enter(work))

    def transact_from_thread(self, work: Callable[[Ledger], T]) -> T:
        """The same for a foreign thread: it waits until the result is durable.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
            StoreClosedError: the store is closed, or its loop.
        """
        return cast(T, self._writing.run_from_thread(work))

    async def query(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work``, which only reads, without waiting for any disk.

        It sees everything committed before the call. A work that writes gets an error of SQLite.

        Raises:
            StoreClosedError: the store is closed.
        """
        if self._opened.closed:
            raise StoreClosedError("the store is closed")
        return self._snapshot.run(work)

    def close(self) -> None:
        """Finish what was taken, note that the stop was clean, close the files, free the lock.

        Blocks for as long as the disk needs; on a loop, use ``async with``. May be called again.
        """
        self._writing.close()
        self._opened.close()

    async def __aenter__(self) -> Self:
        """The store, open already, belonging to this loop."""
        self._writing.belong()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was taken while the loop goes on, then close."""
        try:
            await self._writing.drain()
        finally:
            self._writing.close()  # nothing is left to wait for, unless this was cancelled
            await asyncio.to_thread(self._opened.close)
