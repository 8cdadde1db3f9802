"""Group commit: many works under one BEGIN IMMEDIATE … COMMIT, so under one fsync.

Hardly ever does a work raise. So a batch is first run plainly; if one raises, everything is undone
and the batch is run once more, each work under its own savepoint, so that the one is undone alone.
When SQLite itself gives the transaction up (it may, on a full disk or a failing one), everything
the transaction had done is refused, and the rest of the batch goes on in a new one.

No thread and no loop here: :mod:`relay.sqlite.store` owns both.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from relay.delivery.ports import Ledger, StoreRefusedError
from relay.sqlite.ledger import SqliteLedger

_REFUSALS = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,  # a file system goes read-only when its disk fails
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)


@dataclass(slots=True, eq=False)
class Work:
    """A work, and what became of it: a value or an error."""

    run: Callable[[Ledger], Any]
    value: Any = None
    error: BaseException | None = None


def is_refusal(error: BaseException) -> bool:
    """Whether the disk (or its guard) is to blame, rather than the work."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and code & 0xFF in _REFUSALS


def refusal(error: BaseException | None) -> StoreRefusedError:
    """What a caller is told when the disk refused; every caller gets his own."""
    if isinstance(error, StoreRefusedError):
        error = error.__cause__
    told = StoreRefusedError(f"the database refused: {error}")
    told.__cause__ = error
    return told


def run_work(work: Work, ledger: Ledger) -> None:
    """Run a work and keep what became of it."""
    try:
        work.value = work.run(ledger)
    except BaseException as error:  # noqa: BLE001 - it comes out where the work came from
        work.error = refusal(error) if is_refusal(error) else error


def _refuse(works: Sequence[Work], error: BaseException | None) -> None:
    for work in works:
        work.error = refusal(error)


class GroupCommit:
    """Runs batches of works in transactions of one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ledger = SqliteLedger(connection)

    def __call__(self, batch: Sequence[Work]) -> None:
        """Run the works in order and commit them together; each ends with a value or an error."""
        if self._plainly(batch):
            return
        start = 0
        while start < len(batch):
            start = self._transaction(batch, start)

    def _plainly(self, batch: Sequence[Work]) -> bool:
        """Run and commit the batch without savepoints; if anything is amiss, nothing is kept."""
        try:
            self._roll_back()
            self._connection.execute("BEGIN IMMEDIATE")
            for work in batch:
                work.value = work.run(self._ledger)
            self._connection.execute("COMMIT")
        except BaseException:  # noqa: BLE001 - it comes again, and is told, when run with care
            with contextlib.suppress(sqlite3.Error):
                self._roll_back()
            return False
        return True

    def _transaction(self, batch: Sequence[Work], start: int) -> int:
        """One transaction from ``start`` on; returns where the next one has to begin."""
        try:
            self._roll_back()  # nothing is open, unless an earlier ROLLBACK failed too
            self._connection.execute("BEGIN IMMEDIATE")
            for end, work in enumerate(batch[start:], start + 1):
                self._run(work)
                if not self._connection.in_transaction:  # SQLite gave it up
                    _refuse(batch[start:end], work.error)
                    return end
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            _refuse(batch[start:], error)
            with contextlib.suppress(sqlite3.Error):  # it is tried again before the next BEGIN
                self._roll_back()
        return len(batch)

    def _run(self, work: Work) -> None:
        self._connection.execute("SAVEPOINT work")
        run_work(work, self._ledger)
        if work.error is not None:
            if not self._connection.in_transaction:
                return
            self._connection.execute("ROLLBACK TO work")
        self._connection.execute("RELEASE work")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class Snapshot:
    """Runs batches of works that only read, each batch over one state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ledger = SqliteLedger(connection)

    def __call__(self, batch: Sequence[Work]) -> None:
        """Run the works; each ends with a value or an error."""
        try:
            self._connection.execute("BEGIN")
            for work in batch:
                run_work(work, self._ledger)
        except sqlite3.Error as error:
            _refuse(batch, error)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
