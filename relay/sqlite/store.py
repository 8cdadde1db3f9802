"""The SQLite store: durable transactions for the loop and for foreign threads.

One thread owns the connection that writes and commits works by the group; that is why this is the
standard library's ``sqlite3`` and not aiosqlite, which hops between threads for every single
statement: here a whole batch of works, several statements each, costs one hop there, one fsync
and one hop back. A second thread with a connection of its own answers queries, so that a reader
never waits for a disk; in WAL mode it sees everything committed before it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, cast

from relay.delivery.ports import Ledger
from relay.sqlite.group_commit import GroupCommit, Snapshot
from relay.sqlite.opening import Opened, open_directory
from relay.sqlite.worker import Worker

T = TypeVar("T")

_LONGEST_QUEUE = 20_000
_LARGEST_BATCH = 256


def open_store(directory: Path, *, account: str) -> SqliteStore:
    """Open (or make) the storage in ``directory`` for this account of amoCRM.

    Blocks for as long as the disk needs: milliseconds, or a few seconds after an unclean stop.

    Raises:
        StorageError: it cannot be used; the text is for the administrator.
    """
    return SqliteStore(open_directory(directory, account))


class SqliteStore:
    """Implements :class:`relay.delivery.ports.Store`. Made by :func:`open_store`."""

    def __init__(self, opened: Opened) -> None:
        self.unclean_stop = opened.unclean_stop
        self._opened = opened
        self._writer = Worker(
            "store", GroupCommit(opened.writer), bound=_LONGEST_QUEUE, batch=_LARGEST_BATCH
        )
        self._reader = Worker(
            "store-reader", Snapshot(opened.reader), bound=_LONGEST_QUEUE, batch=_LARGEST_BATCH
        )

    async def transact(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` in a transaction and return its result once it is durable.

        A work once taken is run, even if its caller is cancelled.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
            StoreClosedError: the store is closed.
        """
        return cast(T, await self._writer.run(work))

    def transact_from_thread(self, work: Callable[[Ledger], T]) -> T:
        """The same for a foreign thread: it waits until the result is durable.

        Raises:
            StoreRefusedError: the disk refused, or too many works are waiting already.
            StoreClosedError: the store is closed.
        """
        return cast(T, self._writer.run_from_thread(work))

    async def query(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work``, which only reads, without waiting for any disk.

        It sees everything committed before the call. A work that writes gets an error of SQLite.
        """
        return cast(T, await self._reader.run(work))

    def close(self) -> None:
        """Finish what was taken, note that the stop was clean, close the files, free the lock.

        Blocks for as long as the disk needs; on a loop, use ``async with``. May be called again.
        """
        self._reader.close()
        self._writer.close()
        self._opened.close()

    async def __aenter__(self) -> Self:
        """The store, open already."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it on a thread, so that the loop can hear the last results."""
        await asyncio.to_thread(self.close)
