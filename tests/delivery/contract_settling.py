"""The contract of every store: what may follow what, what is counted, what is forgotten."""

from __future__ import annotations

import pytest

from relay.delivery.store import Store
from relay.domain.outbox import (
    TRANSITIONS,
    UNFINISHED,
    Destination,
    Entry,
    EntryState,
    QueueFigures,
)
from tests.delivery.store_samples import (
    AMOCRM,
    WHATSAPP,
    letter,
)
from tests.delivery.store_steps import (
    BEGUN,
    DEAD,
    DELIVERED,
    PENDING,
    begin,
    due,
    kept,
    put,
    settle,
)


class SettlingContract:
    """What may follow what, what is counted, what is forgotten."""

    @pytest.mark.parametrize("after", EntryState)
    @pytest.mark.parametrize("before", EntryState)
    async def test_only_the_table_says_what_may_follow(
        self, store: Store, before: EntryState, after: EntryState
    ) -> None:
        """A transition that is not in TRANSITIONS is refused and changes nothing."""
        entry = await put(store, letter("1"))
        if before is not PENDING:
            await settle(store, entry, before)
        was = await kept(store, entry)
        if after in TRANSITIONS[before]:
            await settle(store, entry, after, due_ms=4_000)
            assert await kept(store, entry) == Entry(entry, letter("1"), after, 1, 4_000, "why")
        else:
            with pytest.raises(ValueError, match=f"{before.name}.*{after.name}"):
                await settle(store, entry, after, due_ms=4_000)
            assert await kept(store, entry) == was
        assert bool(await due(store, 9_000)) is ((await kept(store, entry)).state is PENDING)

    @pytest.mark.parametrize("before", [BEGUN, DELIVERED, DEAD])
    async def test_only_what_is_pending_can_be_begun(
        self, store: Store, before: EntryState
    ) -> None:
        """Beginning is for pending entries, so that no attempt is begun twice."""
        entry = await put(store, letter("1"))
        await settle(store, entry, before)
        with pytest.raises(ValueError, match=before.name):
            await begin(store, entry)

    async def test_a_later_word_replaces_the_error(self, store: Store) -> None:
        """Attempts, due time and error are those of the last settling."""
        entry = await put(store, letter("1"))
        await settle(store, entry, PENDING, due_ms=3_000)
        await store.transact(
            lambda ledger: ledger.settle(entry, DELIVERED, attempts=2, due_ms=3_100, now_ms=3_100)
        )
        assert await kept(store, entry) == Entry(entry, letter("1"), DELIVERED, 2, 3_100, None)

    async def test_figures_count_the_waiting_and_the_dead(self, store: Store) -> None:
        """Waiting: pending and begun, heads or not; the oldest acceptance; the dead; per side."""
        assert await self._figures(store) == QueueFigures(0, None, 0)
        first = await put(store, letter("1", accepted_ms=1_500))
        await put(store, letter("2", accepted_ms=1_200))
        await put(store, letter("3", "other", accepted_ms=1_900))
        await put(store, letter("4", to=WHATSAPP, accepted_ms=1))
        await begin(store, first)
        assert await self._figures(store) == QueueFigures(3, 1_200, 0)
        await settle(store, first, DEAD)
        assert await self._figures(store) == QueueFigures(2, 1_200, 1)
        assert await self._figures(store, WHATSAPP) == QueueFigures(1, 1, 0)

    async def _figures(self, store: Store, to: Destination = AMOCRM) -> QueueFigures:
        return await store.query(lambda ledger: ledger.figures(to))

    async def test_the_latest_dead_come_first(self, store: Store) -> None:
        """By the time they died, newest first, of both destinations, up to the limit."""
        a, b, c = [await put(store, letter(key, key, to=WHATSAPP)) for key in "abc"]
        d = await put(store, letter("d"))
        await settle(store, d, DELIVERED, now_ms=9_000)
        for entry, now_ms in ((b, 3_000), (c, 2_000), (a, 3_000)):
            await settle(store, entry, DEAD, now_ms=now_ms)
        dead = await store.query(lambda ledger: (ledger.dead(9), ledger.dead(2)))
        assert [[entry.id for entry in entries] for entries in dead] == [[b, a, c], [b, a]]

    async def test_only_old_delivered_entries_are_forgotten(self, store: Store) -> None:
        """Tidying takes what was delivered before that time; dead and unfinished ones stay."""
        entries = [await put(store, letter(key, key)) for key in "12345"]
        old, at_time, dead, deferred, waiting = entries
        await settle(store, old, DELIVERED, now_ms=2_999)
        await settle(store, at_time, DELIVERED, now_ms=3_000)
        await settle(store, dead, DEAD, now_ms=1)
        await settle(store, deferred, PENDING, now_ms=1)
        assert await store.transact(lambda ledger: ledger.tidy(3_000, 99)) == 1
        assert await store.query(lambda ledger: ledger.entry(old)) is None
        for entry in (at_time, dead, deferred, waiting):
            await kept(store, entry)

    async def test_tidying_goes_in_steps(self, store: Store) -> None:
        """No step forgets more than the limit, each says how many, the last says none."""
        for key in "12345":
            await settle(store, await put(store, letter(key)), DELIVERED)
        seq = await store.transact(lambda ledger: ledger.append("amocrm", b"", "t", 1))
        await store.transact(lambda ledger: ledger.mark_read(seq))
        steps = [await store.transact(lambda ledger: ledger.tidy(9_999, 2)) for _ in range(4)]
        assert steps == [2, 2, 2, 0]

    async def test_a_forgotten_entry_forgets_its_key(self, store: Store) -> None:
        """A key is remembered for as long as its entry; ids are never given out again."""
        old = await put(store, letter("1"))
        await settle(store, old, DELIVERED)
        await store.transact(lambda ledger: ledger.tidy(9_999, 9))
        assert await put(store, letter("1")) > old

    async def test_unfinished_is_what_the_domain_calls_so(self, store: Store) -> None:
        """The states that hold a lane are those of UNFINISHED."""
        for state in EntryState:
            entry = await put(store, letter(state.name, state.name))
            await settle(store, entry, state)
        figures = await self._figures(store)
        assert figures.waiting == len(UNFINISHED)
