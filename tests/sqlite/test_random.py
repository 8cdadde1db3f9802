"""Random lives: the store on disk and the one in memory, driven in step, never differ."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from relay.delivery.ledger import (
    Conversation,
    Ledger,
    Link,
)
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    MessageId,
    OwnNumber,
)
from relay.domain.message import Client, Receipt, Status
from relay.domain.outbox import Destination, EntryId, EntryState, Seq
from relay.domain.phone_check import PhoneCheck
from relay.sqlite import SqliteStore, open_store
from tests.delivery.contract_transactions import BoomError
from tests.delivery.memory_store import MemoryStore
from tests.delivery.store_samples import SALES, SUPPORT, letter
from tests.sqlite.images import ACCOUNT, open_image
from tests.sqlite.random_ledger import (
    ADDRESSES,
    CHATS,
    CONVERSATIONS,
    CRM_IDS,
    FACTS,
    KEYS,
    LANES,
    MESSAGES,
    OWNS,
    SOURCES,
    WHATSAPP_IDS,
    Book,
    attempt,
)

_Work = Callable[[Ledger, Book], object]

_keys, _owns = st.sampled_from(KEYS), st.sampled_from(OWNS)
_destinations, _statuses = st.sampled_from(Destination), st.sampled_from(Status)
_channels = st.sampled_from([SALES, SUPPORT, None])
_waits = st.sampled_from([-5_000, -1, 0, 1, 1_000, 5_000, 20_000])


class StoresInStep(RuleBasedStateMachine):
    """Every rule does the same to both; the invariant looks at all that can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self._home = tempfile.TemporaryDirectory()
        self._lives = 0
        self._now_ms = 100_000
        self._loop = asyncio.Runner()
        self._disk: SqliteStore = open_store(self._directory(), account=ACCOUNT)
        self._memory = MemoryStore()
        self._disk_book, self._memory_book = Book(), Book()

    def _directory(self) -> Path:
        return Path(self._home.name) / str(self._lives)

    def _run(self, store: SqliteStore | MemoryStore, work: Callable[[Ledger], object]) -> object:
        return self._loop.run(store.transact(work))

    def _both(self, work: _Work) -> object:
        """Run the work in both stores; the result they agree on."""
        on_disk = attempt(
            lambda: self._run(self._disk, lambda ledger: work(ledger, self._disk_book))
        )
        in_memory = attempt(
            lambda: self._run(self._memory, lambda ledger: work(ledger, self._memory_book))
        )
        assert on_disk == in_memory
        return on_disk

    @invariant()
    def nothing_seen_differs(self) -> None:
        on_disk = self._run(self._disk, lambda ledger: self._disk_book.see(ledger, self._now_ms))
        in_memory = self._run(
            self._memory, lambda ledger: self._memory_book.see(ledger, self._now_ms)
        )
        assert on_disk == in_memory

    @rule(wait_ms=_waits)
    def time_passes(self, wait_ms: int) -> None:
        self._now_ms += wait_ms

    @rule(source=st.sampled_from([*SOURCES, "nowhere"]))
    def append(self, source: str) -> None:
        self._both(lambda ledger, _: ledger.append(source, b"{}", "t", self._now_ms))

    @rule(seq=st.integers(1, 12), readable=st.booleans())
    def sort(self, seq: int, readable: bool) -> None:
        def work(ledger: Ledger, _: Book) -> None:
            if readable:
                ledger.mark_read(Seq(seq))
            else:
                ledger.mark_unreadable(Seq(seq), "no")

        self._both(work)

    @rule(seqs=st.sets(st.integers(1, 12), max_size=4))
    def sort_many(self, seqs: set[int]) -> None:
        self._both(lambda ledger, _: ledger.mark_all_read([Seq(seq) for seq in sorted(seqs)]))

    @initialize()
    def begin_with_some(self) -> None:
        for index, key in enumerate(KEYS[:6]):
            self.put(key, LANES[index % 2], Destination.AMOCRM, SALES, 20_000)

    @rule(
        key=_keys,
        lane=st.sampled_from(LANES),
        to=_destinations,
        channel=_channels,
        lifetime_ms=st.sampled_from([0, 2_000, 8_000, 60_000]),
    )
    def put(
        self, key: str, lane: str, to: Destination, channel: ChannelId | None, lifetime_ms: int
    ) -> None:
        expires_ms = self._now_ms + lifetime_ms
        new = letter(
            key, lane, to=to, channel=channel, accepted_ms=self._now_ms, expires_ms=expires_ms
        )
        unasked_ms = self._now_ms if lifetime_ms == 8_000 else None
        new = replace(new, hold_ms=lifetime_ms // 4, unasked_ms=unasked_ms)
        self._both(lambda ledger, book: book.write(key, ledger.put(new)))

    @rule(key=_keys, lane=st.sampled_from(LANES), wait_ms=_waits)
    def amend(self, key: str, lane: str, wait_ms: int) -> None:
        wish, due_ms = letter("another body", lane), self._now_ms + wait_ms
        wish = replace(wish, unasked_ms=self._now_ms if wait_ms % 2 else None)
        self._both(lambda ledger, book: ledger.amend(book.ids[key], wish, due_ms))

    @rule(key=_keys)
    def ask(self, key: str) -> None:
        def work(ledger: Ledger, book: Book) -> object:
            asked = ledger.ask(book.ids[key])
            return None if asked is None else replace(asked, id=EntryId(0))

        self._both(work)

    @rule(old=_keys, key=_keys, lane=st.sampled_from(LANES), wait_ms=_waits)
    def replace(self, old: str, key: str, lane: str, wait_ms: int) -> None:
        new = replace(letter(key, lane, accepted_ms=self._now_ms), hold_ms=max(0, wait_ms))

        def work(ledger: Ledger, book: Book) -> bool:
            replaced = ledger.replace(book.ids[old], new)
            if replaced:
                book.ids[key] = book.ids.pop(old)
            return replaced

        self._both(work)

    @rule(key=_keys)
    def begin(self, key: str) -> None:
        self._both(lambda ledger, book: ledger.begin(book.ids[key]))

    @rule(
        key=_keys,
        state=st.sampled_from(EntryState),
        attempts=st.integers(0, 3),
        wait_ms=_waits,
        error=st.sampled_from([None, "why"]),
    )
    def settle(
        self, key: str, state: EntryState, attempts: int, wait_ms: int, error: str | None
    ) -> None:
        self._both(
            lambda ledger, book: ledger.settle(
                book.ids[key],
                state,
                attempts=attempts,
                due_ms=self._now_ms + wait_ms,
                now_ms=self._now_ms,
                error=error,
            )
        )

    @rule(key=_keys, source=st.sampled_from(SOURCES))
    def a_work_fails(self, key: str, source: str) -> None:
        def work(ledger: Ledger, book: Book) -> None:
            ledger.append(source, b"lost", "t", self._now_ms)
            ledger.put(letter(f"lost {key}", accepted_ms=self._now_ms))
            ledger.hasten(Destination.AMOCRM, None, self._now_ms)
            ledger.shift(1_000)
            if key in book.ids:
                ledger.begin(book.ids[key])
            raise BoomError

        self._fail(self._disk, lambda ledger: work(ledger, self._disk_book))
        self._fail(self._memory, lambda ledger: work(ledger, self._memory_book))

    def _fail(self, store: SqliteStore | MemoryStore, work: Callable[[Ledger], None]) -> None:
        with pytest.raises((BoomError, ValueError, LookupError)):  # it may be gone
            self._run(store, work)

    @rule(to=_destinations, channel=_channels)
    def hasten(self, to: Destination, channel: ChannelId | None) -> None:
        self._both(lambda ledger, _: ledger.hasten(to, channel, self._now_ms))

    @rule(delta_ms=_waits)
    def shift(self, delta_ms: int) -> None:
        self._both(lambda ledger, _: ledger.shift(delta_ms))

    @rule(age_ms=_waits, limit=st.integers(1, 5))
    def tidy(self, age_ms: int, limit: int) -> None:
        self._both(lambda ledger, _: ledger.tidy(self._now_ms - age_ms, limit))

    @rule(
        conversation=st.sampled_from(CONVERSATIONS),
        own=_owns,
        name=st.sampled_from([None, "Анна"]),
        chat=st.sampled_from([None, *CHATS]),
        bound=st.booleans(),
    )
    def save(
        self,
        conversation: ConversationId,
        own: OwnNumber,
        name: str | None,
        chat: CrmChatId | None,
        bound: bool,
    ) -> None:
        new = Conversation(
            conversation,
            own,
            Client(ClientAddress("7900"), None, name),
            chat,
            crm_bound=bound,
            since_ms=self._now_ms,
            wrote=not bound,
        )
        self._both(lambda ledger, _: ledger.save_conversation(new))

    @rule(own=_owns, address=st.sampled_from(ADDRESSES), to=st.sampled_from(CONVERSATIONS))
    def alias(self, own: OwnNumber, address: ClientAddress, to: ConversationId) -> None:
        self._both(lambda ledger, _: ledger.save_alias(own, address, to))

    @rule(number=st.sampled_from(ADDRESSES), registered=st.booleans())
    def check(self, number: str, registered: bool) -> None:
        found = PhoneCheck.answered(registered, self._now_ms)
        self._both(lambda ledger, _: ledger.save_phone_check(number, found))

    @rule(
        link=st.builds(
            Link, _owns, st.sampled_from(WHATSAPP_IDS), st.sampled_from(CRM_IDS), _statuses
        )
    )
    def link(self, link: Link) -> None:
        self._both(lambda ledger, _: ledger.link(link))

    @rule(index=st.integers(0, 3), status=_statuses)
    def tell(self, index: int, status: Status) -> None:
        self._both(lambda ledger, _: ledger.told(CRM_IDS[index], status))

    @rule(
        message=st.sampled_from(MESSAGES),
        where=st.sampled_from(CONVERSATIONS),
        crm_id=st.none() | st.sampled_from(CRM_IDS),
    )
    def post(self, message: MessageId, where: ConversationId, crm_id: CrmMessageId | None) -> None:
        self._both(lambda ledger, _: ledger.post(message, where, crm_id))

    @rule(own=_owns, index=st.integers(0, 3), status=_statuses, at_ms=st.integers(0, 9))
    def early(self, own: OwnNumber, index: int, status: Status, at_ms: int) -> None:
        one = WHATSAPP_IDS[index]
        receipt = Receipt(own, (one,), status, at_ms)
        self._both(lambda ledger, _: ledger.early_receipt(receipt, one, self._now_ms))

    @rule(name=st.sampled_from(FACTS), value=st.text(max_size=3))
    def set_fact(self, name: str, value: str) -> None:
        self._both(lambda ledger, _: ledger.set_fact(name, value))

    @rule()
    def crash(self) -> None:
        """Both die without a word; the files are opened as the kill left them."""
        before = self._directory()
        self._lives += 1
        again = open_image(before, self._directory())
        self._disk.close()
        self._disk, self._memory = again, self._memory.reopen()

    @rule()
    def restart(self) -> None:
        self._disk.close()
        self._disk = open_store(self._directory(), account=ACCOUNT)
        self._memory = self._memory.reopen()

    def teardown(self) -> None:
        self._disk.close()
        self._loop.close()
        self._home.cleanup()


TestStoresInStep = StoresInStep.TestCase
TestStoresInStep.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
