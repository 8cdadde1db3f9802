"""The outbox: letters in their lanes, and which of them may be attempted now.

A lane is the pair of a destination and a lane's name. The flag ``head`` marks its oldest
unfinished entry, so that what is due is found by walking one small index, whatever else is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from relay.delivery.codec import dump_body
from relay.domain.ids import ChannelId
from relay.domain.outbox import (
    TRANSITIONS,
    UNFINISHED,
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
)
from relay.sqlite.entries import EntryTable

# Enumerations are bound as plain str and int: sqlite3 looks for an adapter for anything else.
_PUT = (
    "INSERT INTO entry (key, lane, destination, channel, trace, head,"
    " accepted_ms, expires_ms, due_ms, wake_ms, body, unasked_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, NOT EXISTS ("
    "SELECT 1 FROM entry WHERE destination = ?3 AND lane = ?2 AND state < 2),"
    " ?6, ?7, ?9, min(?9, ?7), ?8, ?10) ON CONFLICT (key) DO NOTHING"
)
# The three ways for a head's time to come; every head is in one of them at most, and they follow
# each other in time, so the later ones matter only while there is room.
_READY = (
    "SELECT id, wake_ms FROM entry WHERE destination = ?1 AND head = 1 AND state = 0"
    " AND wake_ms <= ?2 ORDER BY wake_ms, id"
)
_EXPIRING_FAR = (
    "SELECT id, wake_ms FROM entry INDEXED BY entry_expiring"  # few; the other index may be long
    " WHERE destination = ?1 AND head = 1 AND state = 0"
    " AND expires_ms < due_ms AND due_ms > ?3 AND wake_ms > ?2 AND wake_ms <= ?3"
)
_FAR = (
    "SELECT id, wake_ms FROM entry WHERE destination = ?1 AND head = 1 AND state = 0"
    " AND wake_ms > ?2 ORDER BY wake_ms, id"
)
_BY_WAKE = (
    "SELECT id, wake_ms FROM entry WHERE destination = ? AND head = 1 AND state = 0"
    " ORDER BY wake_ms, id"
)
_AMEND = (
    "UPDATE entry SET lane = ?2, body = ?3, due_ms = ?4, wake_ms = min(?4, expires_ms), head = 0,"
    " unasked_ms = ?5 WHERE id = ?1"
)
_REWRITE = (  # in its lane and at its place, so whoever is its head stays that
    "UPDATE entry SET body = ?2, due_ms = ?3, wake_ms = min(?3, expires_ms), unasked_ms = ?4"
    " WHERE id = ?1"
)
_ASK = "UPDATE entry SET unasked_ms = NULL WHERE id = ? AND unasked_ms IS NOT NULL"
_REPLACE = (
    "UPDATE OR IGNORE entry SET key = ?2, trace = ?3, channel = ?4, body = ?5, accepted_ms = ?6,"
    " expires_ms = ?7, due_ms = ?8, wake_ms = min(?8, ?7), attempts = 0, error = NULL,"
    " unasked_ms = ?9 WHERE id = ?1"
)
_STANDING = "SELECT state, head, destination, lane FROM entry WHERE id = ?"
_BEGIN = "UPDATE entry SET state = 1 WHERE id = ?"
_FINISH_HEAD = (  # the ordinary end; TRANSITIONS allows both ends from both unfinished states
    "UPDATE entry SET state = ?2, attempts = ?3, due_ms = ?4, wake_ms = min(?4, expires_ms),"
    " error = ?5, finished_ms = ?6, head = 0 WHERE id = ?1 AND head = 1 AND state < 2"
)
_SETTLE = (
    "UPDATE entry SET state = ?2, attempts = ?3, due_ms = ?4, wake_ms = min(?4, expires_ms),"
    " error = ?5, finished_ms = ?6, head = ?7 WHERE id = ?1"
)
_UNCROWN = "UPDATE entry SET head = 0 WHERE destination = ? AND lane = ? AND state < 2 AND head = 1"
_HEIR = "SELECT id FROM entry WHERE destination = ? AND lane = ? AND state < 2 ORDER BY id LIMIT 1"
_CROWN = "UPDATE entry SET head = 1 WHERE id = ?"
_HASTEN = (
    "UPDATE entry SET due_ms = ?2, wake_ms = min(?2, expires_ms)"
    " WHERE destination = ?1 AND head = 1 AND state = 0 AND due_ms > ?2 AND error IS NOT NULL"
    " AND (?3 IS NULL OR channel = ?3)"
)
_SHIFT = (
    "UPDATE entry SET accepted_ms = accepted_ms + ?1, expires_ms = expires_ms + ?1,"
    " due_ms = due_ms + ?1, wake_ms = wake_ms + ?1, unasked_ms = unasked_ms + ?1 WHERE state < 2"
)
_SHIFT_HELD = "UPDATE journal SET received_ms = received_ms + ? WHERE state = 3"


class OutboxTable(EntryTable):
    """The outbox's part of the ledger."""

    def put(self, letter: Letter) -> EntryId | None:
        """Add a letter at the end of its lane; None if its key is known.

        A key is known until :meth:`tidy` forgets its entry, long after any repetition may come.
        """
        row = (
            letter.key,
            letter.lane,
            str(letter.destination),
            letter.channel,
            letter.trace,
            letter.accepted_ms,
            letter.expires_ms,
            dump_body(letter.body),
            letter.accepted_ms + letter.hold_ms,
            letter.unasked_ms,
        )
        cursor = self._connection.execute(_PUT, row)
        if not cursor.rowcount or cursor.lastrowid is None:
            return None
        entry = EntryId(cursor.lastrowid)
        due_ms = letter.accepted_ms + letter.hold_ms
        kept = letter.held(0, letter.unasked_ms) if letter.hold_ms else letter
        self._memory.entries.keep(Entry(entry, kept, EntryState.PENDING, 0, due_ms))
        return entry

    def due(
        self,
        destination: Destination,
        now_ms: int,
        limit: int,
        busy: Collection[EntryId],
        horizon_ms: int,
    ) -> Sequence[Entry]:
        """Heads whose time has come, the earliest of due and expiry first."""
        to, horizon = str(destination), now_ms + horizon_ms
        found = self._walk(_READY, (to, now_ms), limit, busy)
        if len(found) < limit:
            expiring = self._walk(_EXPIRING_FAR, (to, now_ms, horizon), -1, busy)
            found += sorted(expiring, key=_by_wake)
            found += self._walk(_FAR, (to, horizon), limit, busy)
        return self._entries([entry for entry, _ in found[:limit]])

    def next_due_ms(self, destination: Destination, busy: Collection[EntryId]) -> int | None:
        """The earliest due or expiry time of any pending head but ``busy``."""
        found = self._walk(_BY_WAKE, (str(destination),), 1, busy)
        return found[0][1] if found else None

    def begin(self, entry: EntryId) -> None:
        """PENDING → BEGUN.

        Raises:
            ValueError: it is not pending.
            LookupError: there is no such entry.
        """
        self._memory.entries.pop(entry)
        self._allowed(entry, EntryState.BEGUN)
        self._connection.execute(_BEGIN, (entry,))

    def settle(
        self,
        entry: EntryId,
        state: EntryState,
        *,
        attempts: int,
        due_ms: int,
        now_ms: int,
        error: str | None = None,
    ) -> None:
        """Write what became of an attempt; a finished entry gives its lane to the next.

        Raises:
            ValueError: the transition is not allowed.
            LookupError: there is no such entry.
        """
        self._now_ms = now_ms
        known = self._memory.entries.pop(entry)
        finished = state not in UNFINISHED
        row = (entry, int(state), attempts, due_ms, error, now_ms if finished else None)
        if finished and self._connection.execute(_FINISH_HEAD, row).rowcount:
            if known is None:
                _, _, destination, lane = self._standing(entry)
            else:
                destination, lane = str(known.letter.destination), known.letter.lane
            self._crown(destination, lane)
            return
        was_head, was, destination, lane = self._allowed(entry, state)
        self._connection.execute(_SETTLE, (*row, 0 if finished else was_head))
        if finished and was_head:
            self._crown(destination, lane)
        elif was is EntryState.DEAD:  # replayed: it may be older than the head of its lane
            self._connection.execute(_UNCROWN, (destination, lane))
            self._crown(destination, lane)

    def amend(self, entry: EntryId, letter: Letter, due_ms: int) -> None:
        """Change the lane and the body of an unfinished entry, and whether its file is to be asked
        for.

        Raises:
            ValueError: it is finished.
            LookupError: there is no such entry.
        """
        known = self._memory.entries.pop(entry)
        if known is None:
            _, was, destination, lane = self._standing(entry)
            if was not in UNFINISHED:
                raise ValueError(f"entry {entry} is {was.name} and cannot be amended")
        else:  # what is remembered is pending
            destination, lane = str(known.letter.destination), known.letter.lane
            amended = known.letter.amended(letter.lane, letter.body, letter.unasked_ms)
            renewed = Entry(entry, amended, known.state, known.attempts, due_ms, known.error)
            self._memory.entries.keep(renewed)
        if lane == letter.lane:
            row = (entry, dump_body(letter.body), due_ms, letter.unasked_ms)
            self._connection.execute(_REWRITE, row)
            return
        moved = (entry, letter.lane, dump_body(letter.body), due_ms, letter.unasked_ms)
        self._connection.execute(_AMEND, moved)
        for changed in {lane, letter.lane}:
            self._connection.execute(_UNCROWN, (destination, changed))
            self._crown(destination, changed)

    def ask(self, entry: EntryId) -> Entry | None:
        """Somebody has asked for the file of this entry; None if before too."""
        if not self._connection.execute(_ASK, (entry,)).rowcount:
            return None
        known = self._memory.entries.pop(entry)
        if known is None:
            return self.entry(entry)
        asked = replace(known, letter=replace(known.letter, unasked_ms=None))
        return self._memory.entries.keep(asked)

    def replace(self, entry: EntryId, letter: Letter) -> bool:
        """Another letter takes the place of a pending one; False if its key is known.

        Raises:
            ValueError: that one is not pending, or in another lane.
            LookupError: there is no such entry.
        """
        _, was, destination, lane = self._standing(entry)
        if was is not EntryState.PENDING or (destination, lane) != (
            letter.destination,
            letter.lane,
        ):
            raise ValueError(f"entry {entry}, {was.name} in {lane}, cannot be replaced")
        row = (
            entry,
            letter.key,
            letter.trace,
            letter.channel,
            dump_body(letter.body),
            letter.accepted_ms,
            letter.expires_ms,
            letter.accepted_ms + letter.hold_ms,
            letter.unasked_ms,
        )
        if not self._connection.execute(_REPLACE, row).rowcount:
            return False
        self._memory.entries.pop(entry)
        return True

    def hasten(self, destination: Destination, channel: ChannelId | None, now_ms: int) -> int:
        """Heads waiting for a later try become due now; how many."""
        self._now_ms = now_ms
        return self._connection.execute(_HASTEN, (str(destination), now_ms, channel)).rowcount

    def shift(self, delta_ms: int) -> None:
        """Move the times of all unfinished entries and of what is held."""
        self._memory.entries.clear()
        self._connection.execute(_SHIFT, (delta_ms,))
        self._connection.execute(_SHIFT_HELD, (delta_ms,))

    def _crown(self, destination: str, lane: str) -> None:
        """The oldest unfinished entry of a lane is its head; mostly there is none."""
        heir = self._connection.execute(_HEIR, (destination, lane)).fetchone()
        if heir is not None:
            self._connection.execute(_CROWN, heir)

    def _allowed(self, entry: EntryId, to: EntryState) -> tuple[int, EntryState, str, str]:
        standing = self._standing(entry)
        if to not in TRANSITIONS[standing[1]]:
            raise ValueError(f"entry {entry} is {standing[1].name} and cannot become {to.name}")
        return standing

    def _standing(self, entry: EntryId) -> tuple[int, EntryState, str, str]:
        row = self._connection.execute(_STANDING, (entry,)).fetchone()
        if row is None:
            raise LookupError(f"no entry {entry} in the outbox")
        state, head, destination, lane = row
        return head, EntryState(state), destination, lane


def _by_wake(found: tuple[int, int]) -> tuple[int, int]:
    return found[1], found[0]
