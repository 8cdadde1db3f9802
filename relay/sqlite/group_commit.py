"""Group commit: many works under one BEGIN IMMEDIATE … COMMIT, so under one fsync.

Hardly ever does a work raise. So a group is first run plainly; if one raises, everything is undone
and the group is run once more, each work under its own savepoint, so that the one is undone alone.
When SQLite itself gives the transaction up (it may, on a full disk or a failing one), everything
the transaction had done is refused, and the rest goes into a new one.

Statements and COMMIT are apart, because they run on two threads: see :mod:`relay.sqlite.writing`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from relay.delivery.ledger import Ledger
from relay.delivery.store import StoreRefusedError
from relay.sqlite.ledger import SqliteLedger
from relay.sqlite.remembered import Memory

T = TypeVar("T")

LONGEST_TURN_S = 0.003
"""A group takes no further work once its works have held the loop for so long."""

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


class Work:
    """A work, and what became of it: a value or an error."""

    __slots__ = ("error", "run", "value")

    def __init__(self, run: Callable[[Ledger], Any]) -> None:
        self.run = run
        self.value: Any = None
        self.error: BaseException | None = None


def is_refusal(error: BaseException) -> bool:
    """Whether the disk (or its guard) is to blame, rather than the work."""
    return isinstance(error, sqlite3.Error) and _code(error) in _REFUSALS


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else is writing at the moment."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: sqlite3.Error) -> int | None:
    """SQLite's primary code; None for an error of Python's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def refusal(error: BaseException | None) -> StoreRefusedError:
    """What a caller is told when the disk refused; every caller gets his own."""
    if isinstance(error, StoreRefusedError):
        error = error.__cause__
    told = StoreRefusedError(f"the database refused: {error}")
    told.__cause__ = error
    return told


def refuse(works: Sequence[Work], error: BaseException | None) -> None:
    """Tell every one of these works that the disk refused it."""
    for work in works:
        work.error = refusal(error)


class GroupCommit:
    """Runs groups of works in transactions of one connection."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory) -> None:
        self._connection = connection
        self._memory = memory
        self._ledger = SqliteLedger(connection, memory)
        self._version: int | None = None  # changes when another connection changes the database

    @property
    def open(self) -> bool:
        """Whether there is a transaction to commit."""
        return self._connection.in_transaction

    def run(self, works: Sequence[Work]) -> int:
        """Run works in order; how many of them. Each has a value or an error afterwards.

        These make one transaction, left open for :meth:`commit`. If none is left open, SQLite gave
        it up, and all of them are refused.

        Raises:
            sqlite3.Error: no transaction could be begun; nothing was run.
        """
        self._begin()
        end = time.perf_counter() + LONGEST_TURN_S
        done = 0
        try:
            for work in works:
                done += 1
                work.value = work.run(self._ledger)
                if time.perf_counter() > end:
                    break
        except BaseException:  # noqa: BLE001 - it comes again, and is told, when run with care
            return self._run_with_care(works)
        return done

    def commit(self) -> None:
        """Make durable what was run; may be called on another thread, which waits for the disk.

        Raises:
            sqlite3.Error: nothing was kept.
        """
        self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo what is open, if anything is; if even that fails it is tried before the next run."""
        self._memory.forget()
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _begin(self) -> None:
        if self._connection.in_transaction:  # an earlier ROLLBACK failed too
            self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN IMMEDIATE")
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:  # an administrator's shell wrote
            self._memory.forget()
            self._version = version

    def _run_with_care(self, works: Sequence[Work]) -> int:
        end = time.perf_counter() + LONGEST_TURN_S
        done = 0
        self._memory.forget()
        try:
            self._begin()
            for done, work in enumerate(works, 1):
                self._run_alone(work)
                if not self._connection.in_transaction:  # SQLite gave it up
                    refuse(works[:done], work.error)
                    break
                if time.perf_counter() > end:
                    break
        except sqlite3.Error as error:
            refuse(works, error)
            self.roll_back()
            return len(works)
        return done

    def _run_alone(self, work: Work) -> None:
        self._connection.execute("SAVEPOINT work")
        try:
            work.value = work.run(self._ledger)
        except BaseException as error:  # noqa: BLE001 - it comes out where the work came from
            work.error = refusal(error) if is_refusal(error) else error
            self._memory.forget()
            if not self._connection.in_transaction:
                return
            self._connection.execute("ROLLBACK TO work")
        self._connection.execute("RELEASE work")


class Snapshot:
    """Runs works that only read, each over one state of the database."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory) -> None:
        self._connection = connection
        self._ledger = SqliteLedger(connection, memory)

    def run(self, work: Callable[[Ledger], T]) -> T:
        """The result of the work; it sees everything committed before.

        Raises:
            StoreRefusedError: the disk refused.
        """
        try:
            self._connection.execute("BEGIN")
            return work(self._ledger)
        except sqlite3.Error as error:
            raise (refusal(error) if is_refusal(error) else error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
