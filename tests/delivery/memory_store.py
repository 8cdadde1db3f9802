"""The store in memory, for tests: the same laws as the one on disk, and levers to break it.

Works wait until the loop comes round (or until a foreign thread pushes) and are then committed
together, in the order of the calls. Until then a crash loses them, as it should.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from relay.delivery.ledger import Ledger
from relay.delivery.store import StoreRefusedError
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.memory_tables import HeardTime, Tables

T = TypeVar("T")

_Future = asyncio.Future[Any] | concurrent.futures.Future[Any]


@dataclass(slots=True, eq=False)
class _Work:
    run: Callable[[Ledger], Any]
    future: _Future
    value: object = None
    error: BaseException | None = None


class MemoryStore:
    """Implements ``relay.delivery.store.Store``.

    ``refuse``: while set, every work is refused, as by a full disk. ``held``: while set, works
    wait uncommitted; :meth:`release` lets them go. ``commits`` counts the transactions.
    """

    def __init__(self, tables: Tables | None = None) -> None:
        self.refuse = False
        self.held = False
        self.commits = 0
        self._tables = tables or Tables()
        last = max((*self._rows(),), default=(0, 0))
        self._heard = HeardTime(last[1])
        self._waiting: list[_Work] = []
        self._lock = threading.RLock()
        self._crashed = False

    async def transact(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` when the loop comes round, and keep what it did."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._submit(_Work(work, future))
        if not self.held:
            loop.call_soon(self._commit)
        return cast(T, await future)

    def transact_from_thread(self, work: Callable[[Ledger], T]) -> T:
        """The same from a foreign thread, which waits."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._submit(_Work(work, future))
        if not self.held:
            self._commit()
        return cast(T, future.result())

    async def query(self, work: Callable[[Ledger], T]) -> T:
        """Run ``work`` over what is committed; whatever it writes is thrown away."""
        with self._lock:
            tables = self._tables.copy()
        await asyncio.sleep(0)
        return work(MemoryLedger(tables, HeardTime()))

    def release(self) -> None:
        """Let go the works that were held."""
        self.held = False
        self._commit()

    def reopen(self) -> MemoryStore:
        """Crash, and open again: what was committed is there, what was waiting never was."""
        with self._lock:
            self._crashed = True
            self._waiting.clear()
            return MemoryStore(self._tables.copy())

    def _submit(self, work: _Work) -> None:
        with self._lock:
            if self._crashed:
                raise RuntimeError("this store has crashed; use the one that reopen() returned")
            self._waiting.append(work)

    def _commit(self) -> None:
        with self._lock:
            if self.held:
                return
            batch, self._waiting = self._waiting, []
            for work in batch:
                self._run(work)
            self.commits += bool(batch) and not self.refuse
        for work in batch:
            _tell(work)

    def _run(self, work: _Work) -> None:
        if self.refuse:
            work.error = StoreRefusedError("the test's disk is full")
            return
        tables = self._tables.copy()
        try:
            work.value = work.run(MemoryLedger(tables, self._heard))
        except BaseException as error:  # noqa: BLE001 - it comes out at the caller
            work.error = error
        else:
            self._tables = tables

    def _rows(self) -> list[tuple[int, int]]:
        tables = self._tables
        kept = [row for row, _ in (*tables.read.values(), *tables.unreadable.values())]
        return [(row.seq, row.received_ms) for row in (*tables.unread.values(), *kept)]


def _tell(work: _Work) -> None:
    if isinstance(work.future, asyncio.Future):
        work.future.get_loop().call_soon_threadsafe(_settle, work)
    else:
        _settle(work)


def _settle(work: _Work) -> None:
    if work.future.done():  # its caller was cancelled
        return
    if work.error is not None:
        work.future.set_exception(work.error)
    else:
        work.future.set_result(work.value)
