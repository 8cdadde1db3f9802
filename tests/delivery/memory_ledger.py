"""The ledger in plain dictionaries: slow, short, and easy to believe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from relay.delivery.ledger import LOOK_BACK, Link
from relay.domain.ids import (
    ChannelId,
    ConversationId,
    CrmMessageId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Receipt, Status
from relay.domain.outbox import (
    NO_SEQ,
    TRANSITIONS,
    UNFINISHED,
    Destination,
    Entry,
    EntryId,
    EntryState,
    JournalRow,
    Letter,
    QueueFigures,
    Seq,
)
from tests.delivery.memory_tables import HeardTime, MemoryPeople, Tables


class MemoryLedger(MemoryPeople):
    """Implements ``relay.delivery.ledger.Ledger`` over tables in memory."""

    def __init__(self, tables: Tables, heard: HeardTime) -> None:
        super().__init__(tables)
        self._heard = heard

    # The journal.

    def append(self, source: str, payload: bytes, trace: str, now_ms: int) -> Seq:
        self._heard.now_ms = now_ms
        _side(source)
        self._tables.last_seq += 1
        seq = Seq(self._tables.last_seq)
        self._tables.unread[seq] = JournalRow(seq, source, payload, trace, now_ms)
        return seq

    def append_read(
        self, source: str, payload: bytes, trace: str, now_ms: int, note: str | None
    ) -> Seq:
        seq = self.append(source, payload, trace, now_ms)
        self.mark_read(seq, note)
        return seq

    def unread(self, side: Destination, limit: int) -> Sequence[JournalRow]:
        rows = [row for row in self._tables.unread.values() if _side(row.source) is side]
        return sorted(rows, key=lambda row: row.seq)[:limit]

    def hold(self, seq: Seq, place: str) -> None:
        if (row := self._tables.unread.pop(seq, None)) is not None:
            self._tables.held[seq] = (row, place)

    def held(self, side: Destination, after: Seq, limit: int) -> Sequence[JournalRow]:
        rows = [row for row in self._held(side) if row.seq > after]
        return sorted(rows, key=lambda row: row.seq)[:limit]

    def _held(self, side: Destination) -> list[JournalRow]:
        return [row for row, _ in self._tables.held.values() if _side(row.source) is side]

    def is_held(self, places: Collection[str]) -> bool:
        return any(place in places for _, place in self._tables.held.values())

    def heard_before(self, row: JournalRow, word: bytes) -> bool:
        tables = self._tables
        noted = [*tables.read.values(), *tables.unreadable.values(), *tables.held.values()]
        rows = [*tables.unread.values(), *(kept for kept, _ in noted)]
        before = max((kept.seq for kept in rows), default=0) + 1 if row.seq == NO_SEQ else row.seq
        latest = [kept for kept in rows if before - LOOK_BACK <= kept.seq < before]
        return any(kept.source == row.source and word in kept.payload for kept in latest)

    def mark_read(self, seq: Seq, note: str | None = None) -> None:
        if (row := self._take_row(seq)) is not None:
            self._tables.read[seq] = (row, note)

    def mark_all_read(self, seqs: Collection[Seq]) -> None:
        for seq in seqs:
            self.mark_read(seq)

    def mark_unreadable(self, seq: Seq, error: str) -> None:
        if (row := self._take_row(seq)) is not None:
            self._tables.unreadable[seq] = (row, error)

    def _take_row(self, seq: Seq) -> JournalRow | None:
        tables = self._tables
        kept = (
            tables.read.pop(seq, None)
            or tables.unreadable.pop(seq, None)
            or tables.held.pop(seq, None)
        )
        return kept[0] if kept else tables.unread.pop(seq, None)

    # The outbox.

    def put(self, letter: Letter) -> EntryId | None:
        if letter.key in self._tables.keys:
            return None
        self._tables.last_id += 1
        entry = EntryId(self._tables.last_id)
        self._tables.keys[letter.key] = entry
        due_ms, kept = letter.accepted_ms + letter.hold_ms, replace(letter, hold_ms=0)
        self._tables.entries[entry] = Entry(entry, kept, EntryState.PENDING, 0, due_ms)
        return entry

    def amend(self, entry: EntryId, letter: Letter, due_ms: int) -> None:
        kept = self._tables.entries.get(entry)
        if kept is None:
            raise LookupError(f"no entry {entry}")
        if kept.state not in UNFINISHED:
            raise ValueError(f"{kept.state.name} cannot be amended")
        amended = replace(
            kept.letter, lane=letter.lane, body=letter.body, unasked_ms=letter.unasked_ms
        )
        self._tables.entries[entry] = replace(kept, letter=amended, due_ms=due_ms)

    def unasked(self, limit: int, busy: Collection[EntryId]) -> Sequence[Entry]:
        all_ = self._tables.entries.values()
        waiting = [e for e in all_ if e.letter.unasked_ms is not None and e.id not in busy]
        return sorted(waiting, key=lambda e: (e.letter.unasked_ms, e.id))[:limit]

    def ask(self, entry: EntryId) -> Entry | None:
        kept = self._tables.entries.get(entry)
        if kept is None or kept.letter.unasked_ms is None:
            return None
        asked = replace(kept, letter=replace(kept.letter, unasked_ms=None))
        self._tables.entries[entry] = asked
        return asked

    def replace(self, entry: EntryId, letter: Letter) -> bool:
        kept = self._tables.entries.get(entry)
        if kept is None:
            raise LookupError(f"no entry {entry}")
        place = (letter.destination, letter.lane)
        if kept.state is not EntryState.PENDING or _place(kept) != place:
            raise ValueError(f"{kept.state.name} in {kept.letter.lane} cannot be replaced")
        if self._tables.keys.get(letter.key, entry) != entry:
            return False
        del self._tables.keys[kept.letter.key]
        self._tables.keys[letter.key] = entry
        due_ms, letter = letter.accepted_ms + letter.hold_ms, replace(letter, hold_ms=0)
        self._tables.entries[entry] = Entry(entry, letter, EntryState.PENDING, 0, due_ms)
        return True

    def due(
        self,
        destination: Destination,
        now_ms: int,
        limit: int,
        busy: Collection[EntryId],
        horizon_ms: int,
    ) -> Sequence[Entry]:
        come = [
            head
            for head in self._ready(destination, busy)
            if _wake_ms(head) <= now_ms or head.due_ms > now_ms + horizon_ms
        ]
        return sorted(come, key=lambda head: (_wake_ms(head), head.id))[:limit]

    def next_due_ms(self, destination: Destination, busy: Collection[EntryId]) -> int | None:
        return min(map(_wake_ms, self._ready(destination, busy)), default=None)

    def begin(self, entry: EntryId) -> None:
        kept = self._allowed(entry, EntryState.BEGUN)
        self._tables.entries[entry] = replace(kept, state=EntryState.BEGUN)

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
        self._heard.now_ms = now_ms
        kept = self._allowed(entry, state)
        self._tables.entries[entry] = replace(
            kept, state=state, attempts=attempts, due_ms=due_ms, error=error
        )
        self._tables.finished_ms.pop(entry, None)
        if state not in UNFINISHED:
            self._tables.finished_ms[entry] = now_ms

    def begun(self, destination: Destination) -> Sequence[Entry]:
        waiting = self._unfinished(destination)
        return [entry for entry in waiting if entry.state is EntryState.BEGUN]

    def hasten(self, destination: Destination, channel: ChannelId | None, now_ms: int) -> int:
        self._heard.now_ms = now_ms
        late = [
            head
            for head in self._ready(destination, ())
            if head.due_ms > now_ms
            and head.error is not None
            and channel in (None, head.letter.channel)
        ]
        self._tables.entries.update((head.id, replace(head, due_ms=now_ms)) for head in late)
        return len(late)

    def shift(self, delta_ms: int) -> None:
        for destination in Destination:
            for entry in self._unfinished(destination):
                letter = replace(
                    entry.letter,
                    accepted_ms=entry.letter.accepted_ms + delta_ms,
                    expires_ms=entry.letter.expires_ms + delta_ms,
                )
                if letter.unasked_ms is not None:
                    letter = replace(letter, unasked_ms=letter.unasked_ms + delta_ms)
                moved = replace(entry, letter=letter, due_ms=entry.due_ms + delta_ms)
                self._tables.entries[entry.id] = moved
        for seq, (row, place) in self._tables.held.items():
            moved_row = replace(row, received_ms=row.received_ms + delta_ms)
            self._tables.held[seq] = (moved_row, place)

    def figures(self, destination: Destination) -> QueueFigures:
        waiting = self._unfinished(destination)
        held = self._held(destination)
        since = [entry.letter.accepted_ms for entry in waiting]
        since += [row.received_ms for row in held]
        dead = [e for e in self._dead() if e.letter.destination is destination]
        return QueueFigures(len(waiting) + len(held), min(since, default=None), len(dead))

    def entry(self, entry: EntryId) -> Entry | None:
        return self._tables.entries.get(entry)

    def entry_of(self, key: str) -> Entry | None:
        entry = self._tables.keys.get(key)
        return None if entry is None else self._tables.entries[entry]

    def waiting(self, destination: Destination, lane: str) -> Sequence[Entry]:
        return [e for e in self._unfinished(destination) if e.letter.lane == lane]

    def dead(self, limit: int) -> Sequence[Entry]:
        died_ms = self._tables.finished_ms
        newest = sorted(self._dead(), key=lambda e: (died_ms[e.id], e.id), reverse=True)
        return newest[:limit]

    def _dead(self) -> list[Entry]:
        return [e for e in self._tables.entries.values() if e.state is EntryState.DEAD]

    def _unfinished(self, destination: Destination) -> list[Entry]:
        entries = [e for e in self._tables.entries.values() if e.state in UNFINISHED]
        return [e for e in entries if e.letter.destination is destination]

    def _ready(self, destination: Destination, busy: Collection[EntryId]) -> Iterator[Entry]:
        heads: dict[str, Entry] = {}  # by lane
        for entry in self._unfinished(destination):
            heads.setdefault(entry.letter.lane, entry)
        for head in heads.values():
            if head.state is EntryState.PENDING and head.id not in busy:
                yield head

    def _allowed(self, entry: EntryId, state: EntryState) -> Entry:
        kept = self._tables.entries.get(entry)
        if kept is None:
            raise LookupError(f"no entry {entry}")
        if state not in TRANSITIONS[kept.state]:
            raise ValueError(f"{kept.state.name} cannot become {state.name}")
        return kept

    # The ledger proper.

    def link(self, link: Link) -> Receipt | None:
        pair = (link.own, link.whatsapp_id)
        self._tables.links[pair] = (self._heard.now_ms, link.crm_id)
        self.told(link.crm_id, link.told)
        early = self._tables.early.pop(pair, None)
        return early[1] if early else None

    def linked(self, own: OwnNumber, whatsapp_id: WhatsAppMessageId) -> Link | None:
        kept = self._tables.links.get((own, whatsapp_id))
        if kept is None:
            return None
        return Link(own, whatsapp_id, kept[1], self._status(kept[1]))

    def link_of(self, crm_id: CrmMessageId) -> Link | None:
        found = [pair for pair, kept in self._tables.links.items() if kept[1] == crm_id]
        return Link(*found[0], crm_id, self._status(crm_id)) if found else None

    def told(self, crm_id: CrmMessageId, status: Status) -> bool:
        if status <= self._status(crm_id):
            return False
        self._tables.told[crm_id] = (self._heard.now_ms, status)
        return True

    def _status(self, crm_id: CrmMessageId) -> Status:
        return self._tables.told.get(crm_id, (0, Status.SENT))[1]

    def early_receipt(self, receipt: Receipt, whatsapp_id: WhatsAppMessageId, now_ms: int) -> None:
        self._heard.now_ms = now_ms
        pair = (receipt.own, whatsapp_id)
        kept = self._tables.early.get(pair)
        if kept is None or receipt.status > kept[1].status:
            self._tables.early[pair] = (now_ms, replace(receipt, ids=(whatsapp_id,)))

    def spend(self, token: str, until_ms: int, now_ms: int) -> bool:
        ended = [one for one, ends_ms in self._tables.tokens.items() if ends_ms <= now_ms]
        for one in ended:
            del self._tables.tokens[one]
        if token in self._tables.tokens:
            return False
        self._tables.tokens[token] = until_ms
        return True

    def post(
        self, message: MessageId, conversation: ConversationId, crm_id: CrmMessageId | None
    ) -> None:
        known = self._tables.posted.get(message)
        named = crm_id if crm_id is not None or known is None else known[2]
        self._tables.posted[message] = (self._heard.now_ms, conversation, named)

    def posted(self, crm_id: CrmMessageId) -> bool:
        return any(named == crm_id for _, _, named in self._tables.posted.values())

    def nameless(self, conversation: ConversationId) -> Sequence[MessageId]:
        posted = self._tables.posted.items()
        return sorted(
            message
            for message, (_, where, named) in posted
            if (where, named) == (conversation, None)
        )

    def fact(self, name: str) -> str | None:
        return self._tables.facts.get(name)

    def set_fact(self, name: str, value: str) -> None:
        self._tables.facts[name] = value

    # Forgetting.

    def tidy(self, before_ms: int, limit: int) -> int:
        tables = self._tables
        done = [e.id for e in tables.entries.values() if e.state is EntryState.DELIVERED]
        delivered = [(tables.finished_ms[entry], entry) for entry in done]
        rows = [(row.received_ms, seq) for seq, (row, _) in tables.read.items()]
        over: list[tuple[str, object]] = []
        for table, ages in (
            ("entries", delivered),
            ("read", rows),
            ("links", [(kept[0], pair) for pair, kept in tables.links.items()]),
            ("told", [(kept[0], crm_id) for crm_id, kept in tables.told.items()]),
            ("early", [(kept[0], pair) for pair, kept in tables.early.items()]),
            ("posted", [(kept[0], message) for message, kept in tables.posted.items()]),
        ):
            over += [(table, key) for age_ms, key in sorted(ages) if age_ms < before_ms]
        for table, key in over[:limit]:
            gone = getattr(tables, table).pop(key)
            if isinstance(gone, Entry):
                del tables.keys[gone.letter.key], tables.finished_ms[gone.id]
        return len(over[:limit])


def _side(source: str) -> Destination:
    if source == "amocrm" or source.startswith("whatsapp/"):
        return Destination.WHATSAPP if source == "amocrm" else Destination.AMOCRM
    raise ValueError(f"no such source: {source}")


def _place(entry: Entry) -> tuple[Destination, str]:
    return entry.letter.destination, entry.letter.lane


def _wake_ms(entry: Entry) -> int:
    return min(entry.due_ms, entry.letter.expires_ms)
