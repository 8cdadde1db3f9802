"""What WhatsApp hands over at linking: kept whole, and imported bit by bit, each message once.

It comes in chunks, newest chats and newest messages first, within seconds or minutes after the
linking, some of it to the process that linked (see ``early``). All of it is kept in a file beside
the session before anything else happens. From there it is handed over like what is heard: chat by
chat, oldest message first, slowly, so that what clients write meanwhile does not queue behind it.
If somebody writes whose past still waits, his past goes first.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relay.domain.ids import OwnNumber
from relay.whatsapp.linked_device.past import PAST, PAST_NEWS, Past, named, read_chunk
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.private_files import open_private

_SUFFIX = ".history"
_SIDE_FILES = ("", "-wal", "-shm")
_TABLES = """
CREATE TABLE IF NOT EXISTS past (
    own TEXT NOT NULL, person TEXT NOT NULL, hidden TEXT NOT NULL, id TEXT NOT NULL,
    at_ms INTEGER NOT NULL, from_client INTEGER NOT NULL, data BLOB NOT NULL,
    done INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (own, person, id)
);
CREATE INDEX IF NOT EXISTS past_waiting ON past (done, own, person, at_ms);
CREATE TABLE IF NOT EXISTS name (person TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS arrival (at_ms INTEGER NOT NULL, last INTEGER NOT NULL);
"""
_CHAT = (
    "SELECT own, person FROM past WHERE done = 0 GROUP BY own, person"
    " ORDER BY max(at_ms) DESC LIMIT 1"
)
_OF_CHAT = (
    "SELECT person, hidden, id, at_ms, from_client, data FROM past"
    " WHERE done = 0 AND own = ? AND person = ? ORDER BY at_ms, rowid DESC LIMIT ?"
)
_NEWEST = "SELECT max(at_ms) FROM past WHERE own = ? AND person = ? AND from_client = 1"
_NAME = (
    "SELECT max(name) FROM name WHERE person IN"
    " (SELECT ?1 UNION SELECT hidden FROM past WHERE own = ?2 AND person = ?1)"
)
_QUIET_MS = 60_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages are handed over, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Bit:
    """A message to be handed over: its payload, and where it stands in the file."""

    own: str
    person: str
    id: str
    payload: bytes


class History:
    """The file of one session's past. May be used from any thread.

    ``back_ms``: how far back messages are wanted.
    """

    def __init__(self, session: Path, back_ms: int) -> None:
        self._path = session.with_suffix(_SUFFIX)
        self._back_ms = back_ms
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self.waiting = self._path.exists()  # whether there may be something to hand over

    def take(self, own: OwnNumber, data: bytes, now_ms: int) -> bool:
        """Keep a chunk; back once it is durable. Whether WhatsApp says that it was the last.

        Raises:
            ValueError: this is no event of history.
            sqlite3.Error: the disk refuses.
        """
        chunk = read_chunk(data, now_ms - self._back_ms)
        with self._lock, self._database as database:
            database.executemany(
                "INSERT INTO past (own, person, hidden, id, at_ms, from_client, data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(own, m.person, m.hidden, m.id, m.at_ms, m.from_client, m.data)
                 for m in chunk.messages],
            )  # fmt: skip
            database.executemany("INSERT OR REPLACE INTO name VALUES (?, ?)", chunk.names.items())
            database.execute("INSERT INTO arrival VALUES (?, ?)", (now_ms, chunk.last))
            self.waiting = True
        return chunk.last

    def whole(self, now_ms: int) -> bool:
        """Whether everything has come: WhatsApp said so, or nothing came for a minute."""
        with self._lock:
            (at_ms, last) = self._database.execute(
                "SELECT max(at_ms), max(last) FROM arrival"
            ).fetchone()
        return at_ms is not None and (bool(last) or now_ms - at_ms >= _QUIET_MS)

    def progress(self) -> Progress:
        """How far the import is."""
        with self._lock:
            done, total = self._database.execute(
                "SELECT coalesce(sum(done), 0), count(*) FROM past"
            ).fetchone()
        return Progress(done, total)

    def next(self, most: int) -> Sequence[Bit]:
        """The next messages of one chat, oldest first; the chat heard of last comes first."""
        with self._lock:
            chat = self._database.execute(_CHAT).fetchone()
            self.waiting = chat is not None
            return self._bits(chat, most, rings=True) if chat else ()

    def of(self, own: OwnNumber, number: str | None, hidden: str | None) -> Sequence[Bit]:
        """Everything that waits of somebody who has just written, oldest first, none of it news."""
        with self._lock:
            people = self._database.execute(
                "SELECT DISTINCT own, person FROM past WHERE done = 0 AND own = ?1"
                " AND (person IN (?2, ?3) OR hidden = ?3 AND hidden != '')",
                (own, number or "", hidden or ""),
            ).fetchall()
            return [bit for chat in people for bit in self._bits(chat, -1, rings=False)]

    def done(self, bits: Sequence[Bit]) -> None:
        """They are handed over."""
        with self._lock, self._database as database:
            database.executemany(
                "UPDATE past SET done = 1 WHERE own = ? AND person = ? AND id = ?",
                [(bit.own, bit.person, bit.id) for bit in bits],
            )

    def forget(self) -> None:
        """All of it, for good."""
        self.close()
        for suffix in _SIDE_FILES:
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def _bits(self, chat: tuple[str, str], most: int, *, rings: bool) -> list[Bit]:
        """What waits of a chat; ``rings``: a client's newest message is news."""
        database, (own, person) = self._database, chat
        (newest_ms,) = database.execute(_NEWEST, chat).fetchone()
        (name,) = database.execute(_NAME, (person, own)).fetchone()
        news_ms = newest_ms if rings else None
        rows = [Past(*row) for row in database.execute(_OF_CHAT, (*chat, most))]
        return [Bit(own, person, past.id, _payload(own, past, name, news_ms)) for past in rows]

    @property
    def _database(self) -> sqlite3.Connection:
        if self._opened is None:
            os.close(open_private(self._path))
            database = sqlite3.connect(self._path, check_same_thread=False)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_TABLES)
            self._opened = database
        return self._opened


def _payload(own: str, past: Past, name: str | None, news_ms: int | None) -> bytes:
    """The newest message of a client is news to a manager; the rest enters without a sound."""
    news = past.from_client and past.at_ms == news_ms
    data = named(past.data, name) if name else past.data
    return wrap(RawEvent(PAST_NEWS if news else PAST, OwnNumber(own), data))
