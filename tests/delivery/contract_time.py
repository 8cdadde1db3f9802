"""The contract of every store: when a head's time has come."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.store import Store
from relay.domain.outbox import (
    Entry,
    EntryId,
)
from tests.delivery.store_samples import (
    ACCEPTED_MS,
    AMOCRM,
    EXPIRES_MS,
    SALES,
    SUPPORT,
    WHATSAPP,
    letter,
)
from tests.delivery.store_steps import DEAD, PENDING, begin, due, kept, next_due_ms, put, settle


class TimeContract:
    """When a head's time has come."""

    async def test_the_earliest_due_come_first(self, store: Store) -> None:
        """Heads are ordered by their time, equals by age, and cut at the limit."""
        entries = [
            await put(store, letter(key, f"lane {key}", accepted_ms=accepted_ms))
            for key, accepted_ms in (("a", 3_000), ("b", 1_000), ("c", 2_000), ("d", 1_000))
        ]
        a, b, c, d = entries
        assert await due(store, 3_000) == [b, d, c, a]
        assert await due(store, 3_000, limit=2) == [b, d]
        assert await due(store, 2_999) == [b, d, c]
        assert await due(store, 3_000, limit=0) == []

    async def test_busy_heads_are_passed_over(self, store: Store) -> None:
        """A busy head is not given out, nor counted in the limit, nor is what waits behind it."""
        first = await put(store, letter("1", "a"))
        await put(store, letter("2", "a"))
        other = await put(store, letter("3", "b"))
        assert await due(store, busy={first}, limit=1) == [other]
        assert await due(store, busy={first, other}) == []

    async def test_expiry_is_a_time_too(self, store: Store) -> None:
        """A head whose expiry is reached is given out although its next try is later."""
        entry = await put(store, letter("1", expires_ms=5_000))
        await settle(store, entry, PENDING, due_ms=7_000)
        assert await due(store, 4_999) == []
        assert await due(store, 5_000) == [entry]
        assert await next_due_ms(store) == 5_000

    async def test_no_wait_is_longer_than_the_horizon(self, store: Store) -> None:
        """A head due more than the horizon ahead is given out: the clock must have jumped."""
        entry = await put(store, letter("1", expires_ms=900_000))
        await settle(store, entry, PENDING, due_ms=60_000)
        assert await due(store, 10_000, horizon_ms=50_000) == []
        assert await due(store, 9_999, horizon_ms=50_000) == [entry]
        assert await due(store, 9_999, horizon_ms=50_000, busy={entry}) == []

    async def test_the_horizon_sees_through_an_expiry(self, store: Store) -> None:
        """Also one that expires soon, but is due too far ahead, is given out, and only once."""
        entry = await put(store, letter("1", expires_ms=20_000))
        await settle(store, entry, PENDING, due_ms=90_000)
        assert await due(store, 10_000, horizon_ms=80_000) == []
        assert await due(store, 9_999, horizon_ms=80_000) == [entry]
        assert await due(store, 25_000, horizon_ms=1_000) == [entry]

    async def test_all_whose_time_has_come_stand_in_one_order(self, store: Store) -> None:
        """Reached, expiring, or too far ahead: the earlier of due and expiry decides, for all."""
        times = {"far": (95_000, 99_000), "soon": (95_000, 6_000), "sooner": (96_000, 5_500)}
        times |= {"come": (4_000, 99_000), "expired": (95_000, 3_000), "waiting": (9_000, 99_000)}
        entries: dict[str, EntryId] = {}
        for key, (due_ms, expires_ms) in times.items():
            entries[key] = await put(store, letter(key, key, expires_ms=expires_ms))
            await settle(store, entries[key], PENDING, due_ms=due_ms)
        order = ["expired", "come", "sooner", "soon", "far"]
        for limit in range(6):
            heads = await due(store, 5_000, horizon_ms=10_000, limit=limit)
            assert heads == [entries[key] for key in order[:limit]]

    async def test_the_next_time_is_that_of_a_free_head(self, store: Store) -> None:
        """The earliest due or expiry time of heads that are not busy; None if there is none."""
        assert await next_due_ms(store) is None
        first = await put(store, letter("1", "a"))
        await put(store, letter("2", "a", accepted_ms=5))
        second = await put(store, letter("3", "b", accepted_ms=8_000))
        await put(store, letter("4", "c", accepted_ms=1, to=WHATSAPP))
        assert await next_due_ms(store) == ACCEPTED_MS
        assert await next_due_ms(store, first) == 8_000
        assert await next_due_ms(store, first, second) is None

    async def test_hastening_makes_late_heads_due_now(self, store: Store) -> None:
        """Heads waiting for a later try become due; not those behind them, begun, or due anyway."""
        late, _behind = await put(store, letter("1", "a")), await put(store, letter("2", "a"))
        begun, soon = await put(store, letter("3", "b")), await put(store, letter("4", "c"))
        await settle(store, late, PENDING, due_ms=80_000)
        await settle(store, begun, PENDING, due_ms=80_000)
        await begin(store, begun)
        assert await store.transact(lambda ledger: ledger.hasten(AMOCRM, None, 5_000)) == 1
        assert await due(store, 4_999) == [soon]
        assert await due(store, 5_000) == [soon, late]
        assert (await kept(store, begun)).due_ms == 80_000

    async def test_hastening_leaves_alone_what_is_held(self, store: Store) -> None:
        """A letter that waits for something better to come is not made due by an open way."""
        held = await put(store, replace(letter("1", "a"), hold_ms=9_000))
        assert await store.transact(lambda ledger: ledger.hasten(AMOCRM, None, 5_000)) == 0
        assert (await kept(store, held)).due_ms == ACCEPTED_MS + 9_000

    async def test_hastening_may_be_for_one_channel(self, store: Store) -> None:
        """Only heads of that channel, only of that destination."""
        ours = await put(store, letter("1", "a", channel=SUPPORT))
        for key, to, channel in (
            ("2", AMOCRM, SALES),
            ("3", AMOCRM, None),
            ("4", WHATSAPP, SUPPORT),
        ):
            other = await put(store, letter(key, key, to=to, channel=channel))
            await settle(store, other, PENDING, due_ms=80_000)
        await settle(store, ours, PENDING, due_ms=80_000)
        assert await store.transact(lambda ledger: ledger.hasten(AMOCRM, SUPPORT, 5_000)) == 1
        assert await due(store, 5_000) == [ours]

    async def test_a_shift_moves_all_unfinished(self, store: Store) -> None:
        """When the clock jumps, due, accepted and expiry times go along; of finished ones not."""
        moved, behind = await put(store, letter("1")), await put(store, letter("2"))
        over = await put(store, letter("3", "other"))
        await settle(store, over, DEAD, due_ms=2_000)
        await store.transact(lambda ledger: ledger.shift(-700))
        for entry, key in ((moved, "1"), (behind, "2")):
            earlier = letter(key, accepted_ms=ACCEPTED_MS - 700, expires_ms=EXPIRES_MS - 700)
            assert await kept(store, entry) == Entry(entry, earlier, PENDING, 0, ACCEPTED_MS - 700)
        assert (await kept(store, over)).letter == letter("3", "other")
        assert await due(store, ACCEPTED_MS - 701) == []
        assert await due(store, ACCEPTED_MS - 700) == [moved]
