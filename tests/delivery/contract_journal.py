"""The contract of every store: the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import relay.sqlite.journal
import tests.delivery.memory_ledger
from relay.delivery.ledger import Ledger
from relay.delivery.store import Store
from relay.domain.outbox import NO_SEQ, JournalRow, Seq
from tests.delivery.store_samples import AMOCRM, WHATSAPP


async def append(store: Store, source: str = "amocrm", now_ms: int = 1_000) -> Seq:
    return await store.transact(lambda ledger: ledger.append(source, b"{}", "t", now_ms))


async def places(store: Store) -> tuple[list[Seq], list[Seq]]:
    """The unread places towards WhatsApp, and those towards amoCRM."""
    rows = await store.query(
        lambda ledger: (ledger.unread(WHATSAPP, 99), ledger.unread(AMOCRM, 99))
    )
    return [row.seq for row in rows[0]], [row.seq for row in rows[1]]


async def held(store: Store, after: int = 0, limit: int = 9) -> Sequence[JournalRow]:
    """The rows held on their way to WhatsApp."""
    return await store.query(lambda ledger: ledger.held(WHATSAPP, Seq(after), limit))


async def is_held(store: Store, *at: str) -> bool:
    return await store.query(lambda ledger: ledger.is_held(at))


class JournalContract:
    """What came in, raw."""

    async def test_exactly_what_came_in_comes_out(self, store: Store) -> None:
        """A row is read with the very source, bytes, trace and time it was appended with."""
        payload = bytes(range(256))
        seq = await store.transact(
            lambda ledger: ledger.append("whatsapp/sales", payload, "t1", 1_234)
        )
        rows = await store.query(lambda ledger: ledger.unread(AMOCRM, 10))
        assert list(rows) == [JournalRow(seq, "whatsapp/sales", payload, "t1", 1_234)]

    async def test_a_row_is_sorted_towards_the_other_side(self, store: Store) -> None:
        """What amoCRM said goes towards WhatsApp, what WhatsApp said towards amoCRM."""
        hook = await append(store, "amocrm")
        sales, support = await append(store, "whatsapp/sales"), await append(store, "whatsapp/b-2")
        assert await places(store) == ([hook], [sales, support])

    async def test_an_unknown_source_is_refused(self, store: Store) -> None:
        """A row that nobody would ever sort is not taken."""
        with pytest.raises(ValueError, match="source"):
            await append(store, "telegram")
        assert await places(store) == ([], [])

    async def test_what_was_sorted_at_once_is_kept_as_read(self, store: Store) -> None:
        """It has a place of its own among the others, is not read again, and ages like them."""

        def work(ledger: Ledger) -> tuple[Seq, Seq, Seq]:
            return (
                ledger.append("amocrm", b"1", "t", 1_000),
                ledger.append_read("amocrm", b"2", "t", 1_000, "typing"),
                ledger.append("amocrm", b"3", "t", 1_000),
            )

        first, second, third = await store.transact(work)
        assert first < second < third
        assert await places(store) == ([first, third], [])
        assert await store.transact(lambda ledger: ledger.tidy(1_001, 9)) == 1

    async def test_the_oldest_come_first(self, store: Store) -> None:
        """Unread rows come in the order of their places, whatever their times, up to the limit."""
        seqs = [await append(store, now_ms=now_ms) for now_ms in (3_000, 1_000, 2_000)]
        rows = await store.query(lambda ledger: ledger.unread(WHATSAPP, 2))
        assert [row.seq for row in rows] == seqs[:2]

    async def test_a_read_row_is_not_read_again(self, store: Store) -> None:
        """Read and unreadable rows leave; the others stay."""
        first, second, third, fourth = [await append(store) for _ in range(4)]
        await store.transact(lambda ledger: ledger.mark_read(second))
        await store.transact(lambda ledger: ledger.mark_read(third, "blacklist"))
        await store.transact(lambda ledger: ledger.mark_unreadable(first, "not JSON"))
        assert await places(store) == ([fourth], [])

    async def test_many_rows_are_read_at_once(self, store: Store) -> None:
        """As if one by one: what was held is free, what is not there is nothing, others stay."""
        first, second, held, last = [await append(store) for _ in range(4)]
        await store.transact(lambda ledger: ledger.hold(held, "chat:1"))
        assert await store.transact(lambda ledger: ledger.is_held(["chat:1"]))
        await store.transact(lambda ledger: ledger.mark_all_read([]))
        await store.transact(lambda ledger: ledger.mark_all_read([second, held, Seq(999)]))
        assert await places(store) == ([first, last], [])
        assert not await store.transact(lambda ledger: ledger.is_held(["chat:1"]))
        assert await store.transact(lambda ledger: ledger.tidy(9_999, 99)) == 2

    async def test_places_grow_and_are_never_used_again(self, store: Store) -> None:
        """Even when every row is forgotten, the next place is a new one."""
        seqs = [await append(store) for _ in range(3)]
        assert seqs == sorted(set(seqs))

        def read_all(ledger: Ledger) -> None:
            for seq in seqs:
                ledger.mark_read(seq)

        await store.transact(read_all)
        assert await store.transact(lambda ledger: ledger.tidy(9_999, 99)) == 3
        assert await append(store) > seqs[-1]

    async def test_only_old_read_rows_are_forgotten(self, store: Store) -> None:
        """Tidying takes read rows that came before the given time, never unread or unreadable."""
        old, old_bad, at_time, _unread = [
            await append(store, now_ms=now_ms) for now_ms in (999, 999, 1_000, 999)
        ]
        await store.transact(lambda ledger: ledger.mark_read(old))
        await store.transact(lambda ledger: ledger.mark_read(at_time))
        await store.transact(lambda ledger: ledger.mark_unreadable(old_bad, "no"))
        assert await store.transact(lambda ledger: ledger.tidy(1_000, 99)) == 1
        assert await store.transact(lambda ledger: ledger.tidy(1_001, 99)) == 1
        assert await places(store) == ([_unread], [])

    async def test_what_was_heard_before_is_found(self, store: Store) -> None:
        """In rows of the same source that came before, whatever has become of them."""
        rows = [
            JournalRow(NO_SEQ, source, payload, "t", 1_000)
            for source, payload in (
                ("whatsapp/a", b"unread 3A01"),
                ("whatsapp/a", b"\x00read 3A02\xff"),
                ("whatsapp/a", b"held 3A03"),
                ("whatsapp/a", b"unreadable 3A04"),
                ("whatsapp/b", b"another's 3A05"),
                ("whatsapp/a", b"the row itself 3A06"),
                ("whatsapp/a", b"later 3A07"),
            )
        ]

        def work(ledger: Ledger) -> list[bool]:
            unread, read, held, bad, other, itself, later = [
                ledger.append(row.source, row.payload, row.trace, row.received_ms) for row in rows
            ]
            ledger.mark_read(read)
            ledger.hold(held, "chat:1")
            ledger.mark_unreadable(bad, "no")
            assert unread < other < later
            row = replace(rows[5], seq=itself)
            return [ledger.heard_before(row, b"3A0%d" % number) for number in range(1, 8)]

        assert await store.transact(work) == [True, True, True, True, False, False, False]

    async def test_before_a_row_without_a_place_is_everything(self, store: Store) -> None:
        """It is sorted as it comes, and kept only then."""
        await store.transact(lambda ledger: ledger.append("whatsapp/a", b"3A01", "t", 1_000))
        row = JournalRow(NO_SEQ, "whatsapp/a", b"3A02", "t", 1_000)
        assert await store.query(lambda ledger: ledger.heard_before(row, b"3A01"))
        assert not await store.query(lambda ledger: ledger.heard_before(row, b"3A02"))

    async def test_only_the_latest_rows_are_looked_through(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The loop waits meanwhile."""
        for module in (relay.sqlite.journal, tests.delivery.memory_ledger):
            monkeypatch.setattr(module, "LOOK_BACK", 2)

        def work(ledger: Ledger) -> list[bool]:
            words = [b"3A0%d" % number for number in range(3)]
            for word in words:
                ledger.append("whatsapp/a", word, "t", 1_000)
            row = JournalRow(NO_SEQ, "whatsapp/a", b"", "t", 1_000)
            return [ledger.heard_before(row, word) for word in words]

        assert await store.transact(work) == [False, True, True]

    async def test_a_held_row_waits_in_its_place(self, store: Store) -> None:
        """It is unread no more, its place is known to hold something, and a mark ends that."""
        first, second, third = [await append(store, now_ms=n) for n in (1_000, 2_000, 3_000)]

        def hold(ledger: Ledger) -> None:
            ledger.hold(second, "chat:1")
            ledger.hold(third, "wa-1-2")

        await store.transact(hold)
        assert await places(store) == ([first], [])
        rows = await held(store)
        assert [(row.seq, row.received_ms) for row in rows] == [(second, 2_000), (third, 3_000)]
        assert [row.seq for row in await held(store, after=second)] == [third]
        assert [row.seq for row in await held(store, limit=1)] == [second]
        assert await store.query(lambda ledger: ledger.held(AMOCRM, Seq(0), 9)) == []
        assert await is_held(store, "wa-9", "chat:1")
        assert not await is_held(store, "wa-9")
        await store.transact(lambda ledger: ledger.mark_read(second))
        await store.transact(lambda ledger: ledger.mark_unreadable(third, "no"))
        assert not await is_held(store, "chat:1", "wa-1-2")
        assert await held(store) == []

    async def test_a_held_row_outlives_everything(self, store: Store) -> None:
        """It is not tidied away, however old; it may be held again where it is."""
        seq = await append(store)
        await store.transact(lambda ledger: ledger.hold(seq, "chat:1"))
        assert await store.transact(lambda ledger: ledger.tidy(9_999_999, 99)) == 0
        await store.transact(lambda ledger: ledger.hold(seq, "chat:2"))
        assert [row.seq for row in await held(store)] == [seq]

    async def test_what_is_held_counts_as_waiting(self, store: Store) -> None:
        """In the queue it leads to, since it came."""
        seq = await append(store, now_ms=1_500)
        await store.transact(lambda ledger: ledger.hold(seq, "chat:1"))
        figures = await store.query(lambda ledger: ledger.figures(WHATSAPP))
        assert (figures.waiting, figures.oldest_ms) == (1, 1_500)
        assert (await store.query(lambda ledger: ledger.figures(AMOCRM))).waiting == 0

    async def test_a_held_row_moves_with_the_clock(self, store: Store) -> None:
        """A jump of the clock makes it neither older nor younger; others keep their time."""
        seq, other = await append(store), await append(store)
        await store.transact(lambda ledger: ledger.hold(seq, "chat:1"))
        await store.transact(lambda ledger: ledger.shift(5_000))
        assert [row.received_ms for row in await held(store)] == [6_000]
        rows = await store.query(lambda ledger: ledger.unread(WHATSAPP, 9))
        assert [(row.seq, row.received_ms) for row in rows] == [(other, 1_000)]
