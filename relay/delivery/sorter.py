"""Reads the journal in order, decides, and puts letters into their lanes.

Reading a row, putting what follows from it, and marking the row as read are one transaction on the
store's thread, so a row is sorted exactly once, however often the relay is killed. Starting up is
no special case: rows left unread by a kill are simply the first to be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relay.delivery.letters import Cause, Sorted, client_letters, crm_letters
from relay.delivery.ports import Clock, HookReader, Ledger, Store, StoreRefusedError
from relay.delivery.steps import Steps
from relay.domain.message import CrmEvent, WhatsAppEvent
from relay.domain.outbox import Destination, JournalRow, Letter
from relay.domain.settings import Settings

Reader = Callable[[bytes], Sequence[WhatsAppEvent]]

_BATCH = 64  # rows a transaction: enough to share an fsync, few enough not to hold the store long
_REFUSED_WAIT_MS = 500
_AMOCRM = "amocrm"


@dataclass(frozen=True, slots=True)
class _Note:
    """What became of one row, to be logged once it is durable."""

    row: JournalRow
    result: Sorted | None
    error: str | None = None


class Sorter:
    """Sorts the rows that lead towards one destination.

    ``readers`` gives the reader of a channel, or None if the channel is not known any more.
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
        on_letters: Callable[[Destination], None],
        steps: Steps,
    ) -> None:
        self._side = side
        self._store = store
        self._clock = clock
        self._settings = settings
        self._hooks = hooks
        self._readers = readers
        self._on_letters = on_letters
        self._steps = steps
        self._woken = asyncio.Event()
        self._woken.set()

    def wake(self) -> None:
        """There is, or is about to be, something to sort."""
        self._woken.set()

    async def run(self) -> None:
        """Sort for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
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

        def work(ledger: Ledger) -> list[_Note]:
            return [
                self._sort(ledger, row, settings, now) for row in ledger.unread(self._side, _BATCH)
            ]

        notes = await self._store.transact(work)
        self._log(notes)
        for destination in {letter.destination for note in notes for letter in _letters(note)}:
            self._on_letters(destination)
        return len(notes) == _BATCH

    def _sort(self, ledger: Ledger, row: JournalRow, settings: Settings, now: int) -> _Note:
        try:
            events = self._read(row)
        except Exception as error:  # noqa: BLE001  a reader's fault must set aside its own row only
            return self._set_aside(ledger, row, f"{type(error).__name__}: {error}")
        result, cause = Sorted.nothing(), Cause.row(row, settings, now)
        for event in events:
            result = result.plus(self._follow(ledger, event, cause))
        kept = tuple(letter for letter in result.letters if ledger.put(letter) is not None)
        known = len(result.letters) - len(kept)
        rules = result.ignored + ("duplicate",) * known
        ledger.mark_read(row.seq, ",".join(rules) or None)
        return _Note(row, Sorted(kept, rules))

    def _read(self, row: JournalRow) -> Sequence[WhatsAppEvent | CrmEvent]:
        source, _, channel = row.source.partition("/")
        if source == _AMOCRM:
            return (self._hooks(row.payload),)
        reader = self._readers(channel)
        if reader is None:
            raise ValueError(f"channel {channel} is not in the file any more")
        return reader(row.payload)

    def _follow(self, ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause) -> Sorted:
        if self._side is Destination.WHATSAPP:
            return crm_letters(ledger, event, cause)
        return client_letters(ledger, event, cause)

    def _set_aside(self, ledger: Ledger, row: JournalRow, error: str) -> _Note:
        ledger.mark_unreadable(row.seq, error)
        return _Note(row, None, error)

    def _log(self, notes: Sequence[_Note]) -> None:
        now = self._clock.now_ms()
        for note in notes:
            if note.result is None:
                self._steps.unreadable(note.row, self._side, note.error or "")
                continue
            for letter in note.result.letters:
                self._steps.accepted(letter, now)
            for rule in note.result.ignored:
                self._steps.ignored(note.row, self._side, rule)


def _letters(note: _Note) -> tuple[Letter, ...]:
    return note.result.letters if note.result is not None else ()
