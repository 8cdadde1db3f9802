"""The file of a session: private to us, used by one process at a time, and whose number it holds.

The library owns what is in it. We only ask, while no client of ours has it open, whether a device
is paired: closing a descriptor of an SQLite file drops the process's locks on it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from relay.domain.ids import OwnNumber

_PRAGMAS = "_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL&_busy_timeout=15000"
# The ratchet of the encryption must not step back after a power cut, hence FULL.


class SessionBusyError(Exception):
    """Another process (a pairing, a second relay) is using the session."""


class SessionDamagedError(Exception):
    """The file is not a session's database."""


class SessionStore:
    """The database file of one channel's session."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def database(self) -> str:
        """The file as the library wants it named; it appends a query of its own."""
        return f"{quote(str(self._path))}?{_PRAGMAS}&_ignored="

    def prepare(self) -> None:
        """Make directory and file, readable by nobody else; SQLite's side files inherit that.

        Raises:
            OSError: the disk or its permissions are against it.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._path.chmod(0o600)

    def own_number(self) -> OwnNumber | None:
        """The number of the device in the file, None if none is paired.

        Raises:
            SessionDamagedError: the file is something else, or broken.
        """
        if not self._path.exists() or self._path.stat().st_size == 0:
            return None
        uri = f"file:{quote(str(self._path))}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=1)) as database:
                jid = _first_device(database)
        except sqlite3.DatabaseError as error:
            raise SessionDamagedError(str(error)) from error
        number = jid.partition("@")[0].partition(":")[0].partition(".")[0] if jid else ""
        return OwnNumber(number) if number.isascii() and number.isdigit() else None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the session for this process.

        Raises:
            SessionBusyError: another process, or another engine of this one, holds it.
            OSError: the lock file cannot be made.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise SessionBusyError(str(self._path)) from error
        try:
            yield
        finally:
            os.close(lock)


def _first_device(database: sqlite3.Connection) -> str | None:
    try:
        row = database.execute("SELECT jid FROM whatsmeow_device LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise
    return str(row[0]) if row else None
