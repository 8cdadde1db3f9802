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
from relay.whatsapp.linked_device.private_files import make_directory, open_private, sync

_PRAGMAS = "_foreign_keys=on&_journal_mode=WAL&_synchronous={}&_busy_timeout=15000"
# The ratchet of the encryption must not step back after a power cut, hence FULL.

_SIDE_FILES = ("-wal", "-shm", "-journal")


class SessionBusyError(Exception):
    """Another process (a pairing, a second relay) is using the session."""


class SessionDamagedError(Exception):
    """The file is not a session's database."""


class SessionStore:
    """The database file of one channel's session."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._synchronous = "FULL" if durable else "OFF"

    @property
    def database(self) -> str:
        """The file as the library wants it named; it appends a query of its own."""
        return f"{quote(str(self.path))}?{_PRAGMAS.format(self._synchronous)}&_ignored="

    @property
    def aside(self) -> SessionStore:
        """Where a session is made, before :meth:`adopt` puts it in its place whole."""
        return SessionStore(self.path.with_suffix(".pairing"), durable=False)

    def prepare(self) -> None:
        """Make directory and file, readable by nobody else; SQLite's side files inherit that.

        Raises:
            OSError: the disk or its permissions are against it.
        """
        make_directory(self.path.parent)
        os.close(open_private(self.path))

    def adopt(self, made: SessionStore) -> None:
        """Put a session made aside in this one's place, at once and for good.

        No client may have either open. The session that was here is gone.

        Raises:
            OSError: the disk or its permissions are against it.
            sqlite3.Error: what was made aside cannot be read.
        """
        whole = SessionStore(self.path.with_suffix(".new"))
        whole.remove()
        whole.prepare()
        with (
            closing(sqlite3.connect(made.path)) as source,
            closing(sqlite3.connect(whole.path)) as target,
        ):
            source.backup(target)
        _remove_side_files(self.path)  # those of the old file would be taken for the new one's
        whole.path.replace(self.path)
        sync(self.path.parent)
        made.remove()

    def remove(self) -> None:
        """Delete the session, with its keys. No client may have it open."""
        self.path.unlink(missing_ok=True)
        _remove_side_files(self.path)
        if self.path.parent.exists():
            sync(self.path.parent)

    def own_number(self) -> OwnNumber | None:
        """The number of the device in the file, None if none is paired.

        Raises:
            SessionDamagedError: the file is something else, or broken.
        """
        if not self.path.exists() or self.path.stat().st_size == 0:
            return None
        uri = f"file:{quote(str(self.path))}?mode=ro"
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
        make_directory(self.path.parent)
        lock = open_private(self.path.with_suffix(".lock"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise SessionBusyError(str(self.path)) from error
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


def _remove_side_files(path: Path) -> None:
    for suffix in _SIDE_FILES:
        Path(f"{path}{suffix}").unlink(missing_ok=True)
