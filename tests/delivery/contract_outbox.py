"""The contract of every store: lanes, heads, and what may be attempted when."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from relay.delivery.ports import Store
from relay.domain.outbox import (
    TRANSITIONS,
    UNFINISHED,
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
    QueueFigures,
)
from tests.delivery.store_samples import (
    ACCEPTED_MS,
    AMOCRM,
    EXPIRES_MS,
    HORIZON_MS,
    SALES,
    SUPPORT,
    WHATSAPP,
    letter,
)

PENDING, BEGUN = EntryState.PENDING, EntryState.BEGUN
DELIVERED, DEAD = EntryState.DELIVERED, EntryState.DEAD


async def put(store: Store, new: Letter) -> EntryId:
    entry = await store.transact(lambda ledger: ledger.put(new))
    assert entry is not None
    return entry


async def settle(
    store: Store, entry: EntryId, state: EntryState, due_ms: int = 2_000, now_ms: int = 2_000
) -> None:
    await store.transact(
        lambda ledger: ledger.settle(
            entry, state, attempts=1, due_ms=due_ms, now_ms=now_ms, error="why"
        )
    )


async def begin(store: Store, entry: EntryId) -> None:
    await store.transact(lambda ledger: ledger.begin(entry))


async def due(
    store: Store,
    now_ms: int = ACCEPTED_MS,
    *,
    to: Destination = AMOCRM,
    limit: int = 99,
    busy: Collection[EntryId] = (),
    horizon_ms: int = HORIZON_MS,
) -> list[EntryId]:
    heads = await store.query(lambda ledger: ledger.due(to, now_ms, limit, busy, horizon_ms))
    return [head.id for head in heads]


async def next_due_ms(store: Store, *busy: EntryId, to: Destination = AMOCRM) -> int | None:
    return await store.query(lambda ledger: ledger.next_due_ms(to, busy))


async def kept(store: Store, entry: EntryId) -> Entry:
    found = await store.query(lambda ledger: ledger.entry(entry))
    assert found is not None
    return found


class PuttingContract:
    """Letters come in once and wait at the end of their lanes."""

    @pytest.mark.parametrize("to", Destination)
    async def test_a_letter_is_due_at_once(self, store: Store, to: Destination) -> None:
        """A new entry holds the very letter, is pending, never tried, due when accepted."""
        new = letter("k", to=to, channel=None)
        entry = await put(store, new)
        assert await kept(store, entry) == Entry(entry, new, PENDING, 0, ACCEPTED_MS)
        assert await due(store, ACCEPTED_MS - 1, to=to) == []
        assert await due(store, ACCEPTED_MS, to=to) == [entry]

    @pytest.mark.parametrize("state", [None, *EntryState])
    async def test_a_key_ever_seen_changes_nothing(
        self, store: Store, state: EntryState | None
    ) -> None:
        """A second letter with a known key is not put, whatever became of the first."""
        entry = await put(store, letter("k"))
        if state is not None:
            await settle(store, entry, state)
        before = await kept(store, entry)
        again = letter("k", "another lane", to=WHATSAPP, accepted_ms=7)
        assert await store.transact(lambda ledger: ledger.put(again)) is None
        assert await kept(store, entry) == before
        assert await due(store, 9_999, to=WHATSAPP) == []

    async def test_there_is_no_entry_nobody_put(self, store: Store) -> None:
        """An id nobody gave out leads to nothing, and nothing can be done to it."""
        nobody = EntryId(77)
        assert await store.query(lambda ledger: ledger.entry(nobody)) is None
        with pytest.raises(LookupError):
            await begin(store, nobody)
        with pytest.raises(LookupError):
            await settle(store, nobody, DELIVERED)


class LaneContract:
    """Only heads may be attempted, and a head holds its own lane alone."""

    async def test_only_the_oldest_of_a_lane_is_due(self, store: Store) -> None:
        """The second of a lane waits until the first has finished; other lanes do not."""
        first, _second = await put(store, letter("1")), await put(store, letter("2"))
        other = await put(store, letter("3", "other"))
        assert await due(store) == [first, other]

    @pytest.mark.parametrize("end", [DELIVERED, DEAD])
    async def test_a_finished_entry_gives_its_lane_to_the_next(
        self, store: Store, end: EntryState
    ) -> None:
        """Delivered or dead, the head makes room for the oldest behind it."""
        entries = [await put(store, letter(key)) for key in "123"]
        for entry in entries:
            assert await due(store) == [entry]
            await settle(store, entry, end)
        assert await due(store) == []
        late = await put(store, letter("4"))
        assert await due(store) == [late]

    async def test_a_deferred_head_holds_its_lane(self, store: Store) -> None:
        """What waits for a later try keeps those behind it waiting, and nobody else."""
        first, _second = await put(store, letter("1")), await put(store, letter("2"))
        other = await put(store, letter("3", "other"))
        await settle(store, first, PENDING, due_ms=50_000)
        assert await due(store, 49_999) == [other]
        assert await due(store, 50_000) == [other, first]

    async def test_one_name_is_two_lanes_for_two_destinations(self, store: Store) -> None:
        """Two destinations never hold each other up, even in lanes of one name."""
        there = await put(store, letter("1", to=AMOCRM))
        back = await put(store, letter("2", to=WHATSAPP))
        assert (await due(store, to=AMOCRM), await due(store, to=WHATSAPP)) == ([there], [back])
        await settle(store, there, DEAD)
        assert (await due(store, to=AMOCRM), await due(store, to=WHATSAPP)) == ([], [back])

    async def test_a_begun_head_is_never_due(self, store: Store) -> None:
        """An attempt with an unknown outcome waits for whoever resolves it, and holds its lane."""
        first, _second = await put(store, letter("1")), await put(store, letter("2"))
        await begin(store, first)
        assert await due(store, 999_999, horizon_ms=0) == []
        assert await next_due_ms(store) is None
        await settle(store, first, PENDING, due_ms=3_000)
        assert await due(store, 3_000) == [first]

    async def test_begun_entries_are_found(self, store: Store) -> None:
        """All entries in BEGUN of a destination, oldest first, and nothing else."""
        a, b, c = [await put(store, letter(key, f"lane {key}", to=WHATSAPP)) for key in "abc"]
        d = await put(store, letter("d", "lane d", to=AMOCRM))
        for entry in (c, a, d, b):
            await begin(store, entry)
        await settle(store, b, DELIVERED)
        begun = await store.query(lambda ledger: ledger.begun(WHATSAPP))
        assert [(entry.id, entry.state) for entry in begun] == [(a, BEGUN), (c, BEGUN)]

    async def test_a_replayed_entry_is_the_oldest_again(self, store: Store) -> None:
        """A dead entry made pending goes before those that came after it."""
        first, second = await put(store, letter("1")), await put(store, letter("2"))
        await settle(store, first, DEAD)
        await settle(store, first, PENDING, due_ms=4_000)
        assert await due(store, 9_000) == [first]
        await settle(store, first, DELIVERED)
        assert await due(store, 9_000) == [second]

    async def test_a_replay_waits_behind_what_is_older(self, store: Store) -> None:
        """A dead entry made pending does not pass the head before it."""
        first, second = await put(store, letter("1")), await put(store, letter("2"))
        await settle(store, second, DEAD)
        await settle(store, second, PENDING, due_ms=500)
        assert await due(store, 9_000) == [first]
        await settle(store, first, DELIVERED)
        assert await due(store, 9_000) == [second]

    async def test_a_head_that_was_passed_keeps_its_turn(self, store: Store) -> None:
        """An attempt begun before a replay took the lead may end; the lane goes on in order."""
        first, second, third = [await put(store, letter(key)) for key in "123"]
        await settle(store, first, DEAD)
        await begin(store, second)
        await settle(store, first, PENDING)
        await settle(store, second, DELIVERED)
        assert await due(store, 9_000) == [first]
        await settle(store, first, DELIVERED)
        assert await due(store, 9_000) == [third]


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
