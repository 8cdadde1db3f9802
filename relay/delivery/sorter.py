"""Reads what came in, in order, decides, and puts letters into their lanes.

Mostly that is done in the very transaction that keeps the row (see :class:`Intake`), which is then
written once, as read. Rows that could not be sorted when they came are left unread, and whatever
comes after them waits behind them; the sorter's own task reads them. Reading a row, putting what
follows from it, and marking it as read are one transaction, so a row is sorted exactly once,
however often the relay is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from relay.delivery.incoming import client_letters
from relay.delivery.ledger import Ledger
from relay.delivery.letters import Ahead, Cause, Composing, Held, Sorted
from relay.delivery.notes import Looked, Note, StillHeld
from relay.delivery.outgoing import crm_letters
from relay.delivery.ports import Clock, HookReader, Staff
from relay.delivery.rush import Rush
from relay.delivery.steps import Steps
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.message import CrmEvent, WhatsAppEvent
from relay.domain.outbox import NO_SEQ, Destination, JournalRow, Letter
from relay.domain.settings import Settings

Reader = Callable[[bytes], Sequence[WhatsAppEvent]]

_BATCH = 64  # rows a transaction: enough to share an fsync, few enough not to hold the store long
_REFUSED_WAIT_MS = 500
_AMOCRM = "amocrm"


class Sorter:
    """Sorts the rows that lead towards one destination.

    ``readers`` gives the reader of a channel, or None if the channel is not known any more.
    ``on_held`` is told of each row of which nothing can be made yet; None: there may be some.
    To a ``rush`` the sorter's own task gives way.
    """

    def __init__(
        self,
        side: Destination,
        store: Store,
        clock: Clock,
        settings: Callable[[], Settings],
        *,
        hooks: HookReader,
        readers: Callable[[str], Reader | None],
        staff: Staff,
        on_letters: Callable[[Destination], None],
        on_held: Callable[[Held | None], None],
        on_typing: Callable[[Composing], None],
        steps: Steps,
        rush: Rush,
    ) -> None:
        self._side = side
        self._store = store
        self._clock = clock
        self._settings = settings
        self._hooks = hooks
        self._readers = readers
        self._staff = staff
        self._on_letters = on_letters
        self._on_held = on_held
        self._on_typing = on_typing
        self._steps = steps
        self._rush = rush
        self._woken = asyncio.Event()
        self._woken.set()
        self._behind = True  # whether there may be unread rows: asking for each one is dear
        self._left_unread = 0  # so many rows were, perhaps, since the start

    def wake(self) -> None:
        """There is, or is about to be, something to sort, or somebody to tell of it."""
        self._woken.set()

    def take_in(
        self, ledger: Ledger, source: str, payload: bytes, trace: str, now_ms: int
    ) -> Note | None:
        """Keep what has just come in, sorted; None if it has to wait for older rows."""
        if self._behind and ledger.unread(self._side, 1):
            self.leave(ledger, source, payload, trace, now_ms)
            return None
        row = JournalRow(NO_SEQ, source, payload, trace, now_ms)
        note = self._sort(ledger, row, self._settings(), now_ms, ledger.is_held)
        if note.result is None:
            seq = ledger.append(source, payload, trace, now_ms)
            ledger.mark_unreadable(seq, note.error or "")
        elif note.held is not None:
            seq = ledger.append(source, payload, trace, now_ms)
            ledger.hold(seq, note.held.place)
        else:
            rules = ",".join(note.result.ignored) or None
            ledger.append_read(source, payload, trace, now_ms, rules)
        return note

    def leave(self, ledger: Ledger, source: str, payload: bytes, trace: str, now_ms: int) -> None:
        """Keep what has just come in, unread: whatever comes next waits behind it."""
        self._behind = True
        self._left_unread += 1
        ledger.append(source, payload, trace, now_ms)

    def tell(self, note: Note | None) -> None:
        """What was taken in is durable."""
        if note is None:
            self.wake()
        else:
            self._tell((note,))

    async def run(self) -> None:
        """Sort for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._rush.give_way(self._clock)
            try:
                more = await self.sort_some()
            except StoreRefusedError:
                await self._clock.sleep_ms(_REFUSED_WAIT_MS)
                more = True
            if more:
                self._woken.set()

    async def sort_some(self) -> bool:
        """Sort one batch; whether there may be more.

        Raises:
            StoreRefusedError: nothing was sorted; the rows wait.
        """
        settings, now = self._settings(), self._clock.now_ms()

        def work(ledger: Ledger) -> tuple[int, list[Note]]:
            rows = ledger.unread(self._side, _BATCH)
            notes = [self._sort_unread(ledger, row, settings, now) for row in rows]
            ledger.mark_all_read([note.row.seq for note in notes if note.plain])
            return self._left_unread, notes

        left_unread, notes = await self._store.transact(work)
        if len(notes) < _BATCH and left_unread == self._left_unread:
            self._behind = False
        self._tell(notes)
        for destination in Destination:  # also of letters whose acceptor was cancelled
            self._on_letters(destination)
        self._on_held(None)
        return len(notes) == _BATCH

    async def sort_held(self) -> StillHeld:
        """Look once more at everything that is held, in order.

        Raises:
            StoreRefusedError: some of it was not looked at; it is still held.
        """
        looked = Looked()
        while True:
            looked = await self._look_on(looked)
            self._tell([note for note in looked.notes if note.held is None])
            if len(looked.notes) < _BATCH:
                return StillHeld(looked.next_ms, looked.authors)

    async def _look_on(self, before: Looked) -> Looked:
        """Look at the next batch of what is held."""
        settings, now = self._settings(), self._clock.now_ms()

        def work(ledger: Ledger) -> Looked:
            looked = replace(before, notes=())
            for row in ledger.held(self._side, before.seq, _BATCH):
                note = self._sort(ledger, row, settings, now, looked.ahead)
                self._mark(ledger, row, note)
                looked = looked.plus(note)
            return looked

        return await self._store.transact(work)

    def _sort_unread(self, ledger: Ledger, row: JournalRow, settings: Settings, now: int) -> Note:
        """Sort it, and mark it, unless it is a plain one: those are marked together."""
        note = self._sort(ledger, row, settings, now, ledger.is_held)
        if not note.plain:
            self._mark(ledger, row, note)
        return note

    @staticmethod
    def _mark(ledger: Ledger, row: JournalRow, note: Note) -> None:
        """Write beside a row of the journal what became of it."""
        if note.result is None:
            ledger.mark_unreadable(row.seq, note.error or "")
        elif note.held is not None:
            ledger.hold(row.seq, note.held.place)
        else:
            ledger.mark_read(row.seq, ",".join(note.result.ignored) or None)

    def _sort(
        self, ledger: Ledger, row: JournalRow, settings: Settings, now: int, ahead: Ahead
    ) -> Note:
        try:
            events = self._read(row)
        except Exception as error:  # noqa: BLE001  a reader's fault must set aside its own row only
            return Note(row, None, f"{type(error).__name__}: {error}")
        cause = Cause.row(row, settings, now)
        results, kept, rules = list[Sorted](), list[Letter](), list[str]()
        for event in events:  # each sees what followed from those before it
            result = self._follow(ledger, event, cause, ahead)
            new = [letter for letter in result.letters if ledger.put(letter) is not None]
            results.append(result)
            kept += [*result.placed, *new]
            rules += [*result.ignored, *["duplicate"] * (len(result.letters) - len(new))]
        freed = any(result.freed for result in results)
        held = next((result.held for result in results if result.held is not None), None)
        typing = tuple(each for result in results for each in result.typing)
        return Note(row, Sorted(tuple(kept), tuple(rules), freed, held, typing))

    def _read(self, row: JournalRow) -> Sequence[WhatsAppEvent | CrmEvent]:
        source, _, channel = row.source.partition("/")
        if source == _AMOCRM:
            return (self._hooks(row.payload),)
        reader = self._readers(channel)
        if reader is None:
            raise ValueError(f"channel {channel} is not in the file any more")
        return reader(row.payload)

    def _follow(
        self, ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause, ahead: Ahead
    ) -> Sorted:
        if self._side is Destination.WHATSAPP:
            return crm_letters(ledger, event, cause, self._staff, ahead)
        return client_letters(ledger, event, cause, ahead)

    def _tell(self, notes: Sequence[Note]) -> None:
        now = self._clock.now_ms()
        stirred = {letter.destination for note in notes for letter in note.letters}
        for note in notes:
            if note.result is None:
                self._steps.unreadable(note.row, self._side, note.error or "")
                continue
            if note.held is not None:
                self._steps.held(note.row, self._side, note.held.reason)
                self._on_held(note.held)
            for letter in note.letters:
                self._steps.accepted(letter, now)
                if letter.unasked_ms is not None:
                    self._steps.asked(letter, now)
                    stirred.add(Destination.MEDIA)
            for rule in note.result.ignored:
                self._steps.ignored(note.row, self._side, rule)
            for composing in note.result.typing:
                self._on_typing(composing)
        if any(note.result is not None and note.result.freed for note in notes):
            stirred.add(Destination.WHATSAPP)
        for destination in stirred:
            self._on_letters(destination)
