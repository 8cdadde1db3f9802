"""Opening the storage directory: the lock, the files, the checks, the migrations."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from relay.sqlite.errors import (
    StorageBusyError,
    StorageDamagedError,
    StorageError,
    StorageOfAnotherAccountError,
    StorageTooNewError,
    StorageUnusableError,
)

DATABASE = "relay.db"
LOCK = "relay.lock"

_ACCOUNT = "account"
_STOP = "storage.stop"  # "clean" between a close and the next opening, else "none yet"
_CLEAN = "clean"
_NONE_YET = "none yet"
_CHECK_SECONDS = 5.0  # after that long a check that found nothing is taken for a good one
_CHECK_STEPS = 10_000  # virtual machine steps between two looks at the clock

# The whole process is to stay small: a page is 4 KiB, a negative cache size counts KiB.
_PRAGMAS = (
    "PRAGMA busy_timeout = 2000",  # an administrator's shell may hold the database for a moment
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 0",
    "PRAGMA cache_size = -512",
    "PRAGMA wal_autocheckpoint = 1000",  # pages until a commit copies the log: hooks wait for it
    "PRAGMA journal_size_limit = 67108864",
)
_STATEMENTS = 128  # prepared statements kept by a connection; the ledger has fewer


@dataclass(slots=True)
class Opened:
    """What an opened directory consists of."""

    writer: sqlite3.Connection
    reader: sqlite3.Connection
    lock: int
    unclean_stop: bool

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self.lock < 0

    def close(self) -> None:
        """Note the clean stop, close both connections, free the lock. May be called again."""
        if self.closed:
            return
        try:
            self.reader.close()
            with contextlib.suppress(sqlite3.Error):  # a full disk: the stop counts as unclean
                _set_fact(self.writer, _STOP, _CLEAN)
            self.writer.close()
        finally:
            os.close(self.lock)
            self.lock = -1


def open_directory(directory: Path, account: str) -> Opened:
    """Lock the directory and open its database, made or migrated if need be.

    Raises:
        StorageError: see :mod:`relay.sqlite.errors`.
    """
    with contextlib.ExitStack() as undo:
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _lock(directory)
            undo.callback(os.close, lock)
            database = _make_file(directory)
        except OSError as error:
            raise StorageUnusableError(
                f"the storage directory {directory} cannot be used: {error.strerror};"
                " it must be a directory that the relay may write to"
            ) from error
        try:
            writer = _connect(database)
            undo.callback(writer.close)
            unclean_stop = _prepare(writer, database, account)
            writer.execute("PRAGMA busy_timeout = 0")  # from now on it is the loop that waits
            reader = _connect(database)
            reader.execute("PRAGMA query_only = ON")
            reader.execute("PRAGMA cache_size = -256")  # the heads of lanes: few pages
        except sqlite3.Error as error:
            raise _trouble(error, database) from error
        undo.pop_all()
    return Opened(writer, reader, lock, unclean_stop)


def _lock(directory: Path) -> int:
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.write(lock, b"%d\n" % os.getpid())
    except BlockingIOError as error:
        owner = os.read(lock, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StorageBusyError(
            f"another relay (pid {owner}) uses the storage directory {directory};"
            " stop it first, or give this relay a directory of its own"
        ) from error
    except OSError:
        os.close(lock)
        raise
    return lock


def _make_file(directory: Path) -> Path:
    """The database's file, readable by its owner alone; SQLite's other files take after it."""
    database = directory / DATABASE
    if not database.exists():
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
        entries = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(entries)
        finally:
            os.close(entries)
    return database


def _connect(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        database,
        isolation_level=None,
        check_same_thread=False,  # a COMMIT runs on a thread, nothing else meanwhile
        cached_statements=_STATEMENTS,
    )
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, database: Path, account: str) -> bool:
    """Check and migrate; returns whether the last stop was unclean."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    scripts = _migrations()
    if version > len(scripts):
        raise StorageTooNewError(
            f"{database} was written by a newer relay (its version is {version}, this relay knows"
            f" {len(scripts)}); install the newer relay again, or restore an older backup"
        )
    unclean_stop = version > 0 and _fact(connection, _STOP) != _CLEAN
    if unclean_stop:
        _check(connection, database)
    for number, script in enumerate(scripts[version:], start=version + 1):
        _migrate(connection, number, script)
    owner = _fact(connection, _ACCOUNT)
    if owner is not None and owner != account:
        raise StorageOfAnotherAccountError(
            f"{database} belongs to the account {owner}, not to {account};"
            " give every account a storage directory of its own"
        )
    _set_fact(connection, _ACCOUNT, account)
    _set_fact(connection, _STOP, _NONE_YET)
    return unclean_stop


def _migrations() -> list[str]:
    folder = resources.files("relay.sqlite") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return [file.read_text(encoding="utf-8") for file in files]


def _migrate(connection: sqlite3.Connection, number: int, script: str) -> None:
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check(connection: sqlite3.Connection, database: Path) -> None:
    """Look for damage, for a few seconds at most."""
    end = time.monotonic() + _CHECK_SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > end), _CHECK_STEPS)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        found = "ok"  # as far as it was read
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise _damaged(database, found)


def _fact(connection: sqlite3.Connection, name: str) -> str | None:
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else None


def _set_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO fact (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def _trouble(error: sqlite3.Error, database: Path) -> StorageError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    ):
        return _damaged(database, str(error))
    return StorageUnusableError(
        f"{database} cannot be opened: {error};"
        " look at the room on the disk and at the owner of the file"
    )


def _damaged(database: Path, what: str) -> StorageDamagedError:
    return StorageDamagedError(
        f"{database} is damaged ({what}); move it away, with its -wal and -shm files, and restore"
        " a backup, or start with an empty directory"
    )
