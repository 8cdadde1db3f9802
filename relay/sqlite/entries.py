"""The outbox, read: one entry by its id or key, a lane, the dead, the length of a queue."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from relay.delivery.codec import load_body
from relay.domain.ids import ChannelId
from relay.domain.outbox import (
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
    QueueFigures,
)
from relay.sqlite.journal import JournalTable

_COLUMNS = (
    "id, key, lane, destination, body, trace, channel, accepted_ms, expires_ms,"
    " state, attempts, due_ms, error, unasked_ms"
)
_ENTRY = f"SELECT {_COLUMNS} FROM entry WHERE id = ?"  # noqa: S608 - constants
_ENTRIES = f"SELECT {_COLUMNS} FROM entry WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
_BEGUN = f"SELECT {_COLUMNS} FROM entry WHERE destination = ? AND state = 1 ORDER BY id"  # noqa: S608
_DEAD = f"SELECT {_COLUMNS} FROM entry WHERE state = 3 ORDER BY finished_ms DESC, id DESC LIMIT ?"  # noqa: S608
_OF_KEY = "SELECT id FROM entry WHERE key = ?"
_LANE = (
    f"SELECT {_COLUMNS} FROM entry"  # noqa: S608 - constants
    " WHERE destination = ? AND lane = ? AND state < 2 ORDER BY id"
)
_UNASKED = "SELECT id, unasked_ms FROM entry WHERE unasked_ms IS NOT NULL ORDER BY unasked_ms, id"
_HELD_COUNT = "SELECT count(*), min(received_ms) FROM journal WHERE side = ? AND state = 3"
_WAITING = "SELECT count(*), min(accepted_ms) FROM entry WHERE destination = ? AND state < 2"
_DEAD_COUNT = "SELECT count(*) FROM entry WHERE state = 3 AND destination = ?"


_Row = tuple[
    int, str, str, str, bytes, str, str | None, int, int, int, int, int, str | None, int | None
]  # as in _COLUMNS


class EntryTable(JournalTable):
    """The part of the ledger that only reads what is in the outbox."""

    def _entries(self, ids: Sequence[int]) -> list[Entry]:
        """These entries, in this order; those not remembered in one statement."""
        recall = self._memory.entries.get
        found = {id_: known for id_ in map(EntryId, ids) if (known := recall(id_)) is not None}
        if len(found) < len(ids):
            others = [id_ for id_ in ids if id_ not in found]
            rows = self._connection.execute(_ENTRIES, (json.dumps(others),))
            found.update((EntryId(row[0]), _entry(row)) for row in rows)
        return [found[EntryId(id_)] for id_ in ids]

    def _walk(
        self, sql: str, bounds: tuple[object, ...], limit: int, busy: Collection[EntryId]
    ) -> list[tuple[int, int]]:
        """Up to ``limit`` heads that are not busy (-1: all), read no further than needed."""
        found: list[tuple[int, int]] = []
        if limit == 0:
            return found
        for row in self._connection.execute(sql, bounds):
            if row[0] not in busy:
                found.append(row)
                if len(found) == limit:
                    break
        return found

    def unasked(self, limit: int, busy: Collection[EntryId]) -> Sequence[Entry]:
        """Entries whose files nobody has asked for yet, none of ``busy``."""
        found = self._walk(_UNASKED, (), limit, busy)
        return self._entries([entry for entry, _ in found]) if found else ()

    def begun(self, destination: Destination) -> Sequence[Entry]:
        """Entries in BEGUN, oldest first."""
        return [_entry(row) for row in self._connection.execute(_BEGUN, (str(destination),))]

    def figures(self, destination: Destination) -> QueueFigures:
        """The length of a queue."""
        to = (str(destination),)
        waiting, oldest_ms = self._connection.execute(_WAITING, to).fetchone()
        held, held_ms = self._connection.execute(_HELD_COUNT, to).fetchone()
        (dead,) = self._connection.execute(_DEAD_COUNT, to).fetchone()
        since = [at_ms for at_ms in (oldest_ms, held_ms) if at_ms is not None]
        return QueueFigures(waiting + held, min(since, default=None), dead)

    def entry(self, entry: EntryId) -> Entry | None:
        """One entry by its id."""
        if self._memory.lasting and (known := self._memory.entries.get(entry)) is not None:
            return known
        row = self._connection.execute(_ENTRY, (entry,)).fetchone()
        return self._wanted(_entry(row)) if row else None

    def entry_of(self, key: str) -> Entry | None:
        """One entry by its letter's key."""
        row = self._connection.execute(_OF_KEY, (key,)).fetchone()
        if row is None:
            return None
        (entry,) = self._entries(row)
        return self._wanted(entry)

    def _wanted(self, entry: Entry) -> Entry:
        """It is asked for to be changed, or sent: it will be wanted again."""
        if self._memory.lasting and entry.state is EntryState.PENDING:
            self._memory.entries.keep(entry)
        return entry

    def waiting(self, destination: Destination, lane: str) -> Sequence[Entry]:
        """The unfinished entries of a lane, oldest first."""
        rows = self._connection.execute(_LANE, (str(destination), lane))
        return [_entry(row) for row in rows]

    def dead(self, limit: int) -> Sequence[Entry]:
        """The latest to die first."""
        return [_entry(row) for row in self._connection.execute(_DEAD, (limit,))]


def _entry(row: _Row) -> Entry:
    number, key, lane, destination, body, trace, channel = row[:7]
    accepted_ms, expires_ms, state, attempts, due_ms, error, unasked_ms = row[7:]
    letter = Letter(
        key,
        lane,
        Destination(destination),
        load_body(body),
        trace,
        None if channel is None else ChannelId(channel),
        accepted_ms,
        expires_ms,
        unasked_ms=unasked_ms,
    )
    return Entry(EntryId(number), letter, EntryState(state), attempts, due_ms, error)
