"""The journal: what came in, exactly as it came, until it has been read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence

from relay.delivery.ledger import LOOK_BACK
from relay.domain.outbox import NO_SEQ, Destination, JournalRow, Seq
from relay.sqlite.remembered import Memory

_APPEND = "INSERT INTO journal (side, source, trace, received_ms, payload) VALUES (?, ?, ?, ?, ?)"
_APPEND_READ = (
    "INSERT INTO journal (side, source, trace, received_ms, payload, state, note)"
    " VALUES (?, ?, ?, ?, ?, 1, ?)"
)
_UNREAD = (
    "SELECT seq, source, payload, trace, received_ms FROM journal"
    " WHERE side = ? AND state = 0 ORDER BY seq LIMIT ?"
)
_HOLD = "UPDATE journal SET state = 3, place = ? WHERE seq = ? AND state = 0"
_HELD = (
    "SELECT seq, source, payload, trace, received_ms FROM journal"
    " WHERE side = ? AND state = 3 AND seq > ? ORDER BY seq LIMIT ?"
)
_IS_HELD = (
    "SELECT 1 FROM journal WHERE state = 3 AND place IN (SELECT value FROM json_each(?)) LIMIT 1"
)
_ANY_HELD = "SELECT 1 FROM journal WHERE state = 3 LIMIT 1"
_HEARD_BEFORE = (
    "SELECT 1 FROM journal WHERE seq >= ?1 - ?2 AND seq < ?1 AND source = ?3 AND instr(payload, ?4)"
    " ORDER BY seq DESC LIMIT 1"
)
_READ = "UPDATE journal SET state = 1, note = ? WHERE seq = ?"
_ALL_READ = (
    "UPDATE journal SET state = 1, note = NULL WHERE seq IN (SELECT value FROM json_each(?))"
)
_UNREADABLE = "UPDATE journal SET state = 2, note = ? WHERE seq = ?"
_NEXT = "SELECT coalesce(max(seq), 0) + 1 FROM journal"
_LATEST = "SELECT received_ms FROM journal WHERE seq = (SELECT max(seq) FROM journal)"


def side_of(source: str) -> Destination:
    """Where a row of this source is to be sorted towards.

    Raises:
        ValueError: no such source.
    """
    if source == "amocrm":
        return Destination.WHATSAPP
    if source.startswith("whatsapp/"):
        return Destination.AMOCRM
    raise ValueError(f"unknown source of a journal row: {source!r}")


class JournalTable:
    """The journal's part of the ledger.

    It also remembers the latest time the ledger was told, to date what comes without a time.
    """

    def __init__(self, connection: sqlite3.Connection, memory: Memory) -> None:
        self._connection = connection
        self._memory = memory
        row = connection.execute(_LATEST).fetchone()
        self._now_ms: int = row[0] if row else 0

    def append(self, source: str, payload: bytes, trace: str, now_ms: int) -> Seq:
        """Keep what came in; returns its place."""
        self._now_ms = now_ms
        return self._insert(_APPEND, (str(side_of(source)), source, trace, now_ms, payload))

    def append_read(
        self, source: str, payload: bytes, trace: str, now_ms: int, note: str | None
    ) -> Seq:
        """Keep what came in and has been sorted; returns its place."""
        self._now_ms = now_ms
        row = (str(side_of(source)), source, trace, now_ms, payload, note)
        return self._insert(_APPEND_READ, row)

    def _insert(self, sql: str, row: tuple[object, ...]) -> Seq:
        seq = self._connection.execute(sql, row).lastrowid
        assert seq is not None  # noqa: S101 - an INSERT that did not raise has a row id
        return Seq(seq)

    def unread(self, side: Destination, limit: int) -> Sequence[JournalRow]:
        """The oldest rows not yet read that are to be sorted towards ``side``."""
        return [JournalRow(*row) for row in self._connection.execute(_UNREAD, (str(side), limit))]

    def mark_read(self, seq: Seq, note: str | None = None) -> None:
        """The row has been sorted."""
        self._connection.execute(_READ, (note, seq))
        self._released()

    def mark_all_read(self, seqs: Collection[Seq]) -> None:
        """The rows have been sorted, and something came of each."""
        if seqs:
            self._connection.execute(_ALL_READ, (json.dumps(list(seqs)),))
            self._released()

    def hold(self, seq: Seq, place: str) -> None:
        """It cannot be said yet what follows from the row."""
        self._connection.execute(_HOLD, (place, seq))
        self._memory.held = True

    def held(self, side: Destination, after: Seq, limit: int) -> Sequence[JournalRow]:
        """The oldest rows held beyond that place."""
        rows = self._connection.execute(_HELD, (str(side), after, limit))
        return [JournalRow(*row) for row in rows]

    def is_held(self, places: Collection[str]) -> bool:
        """Whether anything is held there."""
        if not self._any_held():
            return False
        found = self._connection.execute(_IS_HELD, (json.dumps(list(places)),)).fetchone()
        return found is not None

    def _any_held(self) -> bool:
        """Whether anything is held at all: mostly nothing is, and every message asks."""
        held = self._memory.held
        if held is None:
            held = self._connection.execute(_ANY_HELD).fetchone() is not None
            if self._memory.lasting:
                self._memory.held = held
        return held

    def _released(self) -> None:
        """A row was marked, which may have been held."""
        if self._memory.held:
            self._memory.held = None

    def heard_before(self, row: JournalRow, word: bytes) -> bool:
        """Whether one of the latest rows of the same source, before this one, contains that."""
        before = row.seq
        if before == NO_SEQ:
            (before,) = self._connection.execute(_NEXT).fetchone()
        found = self._connection.execute(_HEARD_BEFORE, (before, LOOK_BACK, row.source, word))
        return found.fetchone() is not None

    def mark_unreadable(self, seq: Seq, error: str) -> None:
        """The row could not be sorted; it is kept for a person to look at."""
        self._connection.execute(_UNREADABLE, (error, seq))
        self._released()
