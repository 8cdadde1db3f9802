"""The contract of every store: letters come in once, and only heads may be attempted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from relay.delivery.ledger import Ledger
from relay.delivery.store import Store
from relay.domain.outbox import (
    Destination,
    Entry,
    EntryId,
    EntryState,
    Letter,
)
from tests.delivery.store_samples import (
    ACCEPTED_MS,
    AMOCRM,
    HORIZON_MS,
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
    next_due_ms,
    put,
    settle,
)


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


class AmendingContract:
    """Letters that wait a moment, and what may become of them meanwhile."""

    async def test_a_held_letter_waits_and_its_lane_with_it(self, store: Store) -> None:
        """Due when its hold is over; its letter comes out without one."""
        held = await put(store, replace(letter("held"), hold_ms=500))
        await put(store, letter("next"))
        other = await put(store, letter("other", "another lane"))
        assert await due(store, ACCEPTED_MS + 499) == [other]
        assert await next_due_ms(store, other) == ACCEPTED_MS + 500
        assert await due(store, ACCEPTED_MS + 500) == [other, held]
        assert (await kept(store, held)).letter == letter("held")

    async def test_an_entry_is_found_by_its_key(self, store: Store) -> None:
        """Whatever became of it; a key nobody put leads nowhere."""
        entry = await put(store, letter("k"))
        assert await store.query(lambda ledger: ledger.entry_of("k")) == await kept(store, entry)
        await settle(store, entry, DELIVERED)
        assert await store.query(lambda ledger: ledger.entry_of("k")) == await kept(store, entry)
        assert await store.query(lambda ledger: ledger.entry_of("another")) is None

    async def test_a_lane_shows_who_waits_in_it(self, store: Store) -> None:
        """The unfinished of that lane towards that destination, oldest first."""
        first, over = await put(store, letter("1")), await put(store, letter("2"))
        last = await put(store, letter("3"))
        await put(store, letter("4", "another lane"))
        await put(store, letter("5", to=WHATSAPP))
        await settle(store, over, DELIVERED)
        await begin(store, first)
        waiting = await store.query(lambda ledger: ledger.waiting(AMOCRM, "lane"))
        assert waiting == [await kept(store, first), await kept(store, last)]

    async def test_an_amended_entry_stands_by_its_age_in_its_new_lane(self, store: Store) -> None:
        """Lane, body and due time change, nothing else; both lanes have their right heads."""
        moved, behind = await put(store, letter("1", "old")), await put(store, letter("2", "old"))
        there = await put(store, letter("3", "new"))
        wish = letter("other body", "new", accepted_ms=5, expires_ms=6)
        await store.transact(lambda ledger: ledger.amend(moved, wish, 1_500))
        expected = replace(letter("1", "new"), body=wish.body)
        assert await kept(store, moved) == Entry(moved, expected, PENDING, 0, 1_500)
        assert await due(store, 1_500) == [behind, moved]
        await settle(store, moved, DELIVERED)
        assert await due(store, 1_500) == [behind, there]

    @pytest.mark.parametrize("crowd", [0, 400])
    async def test_what_is_due_is_what_it_was_amended_to(self, store: Store, crowd: int) -> None:
        """Whether it is still remembered or not; and nothing else of it has changed."""
        entry = await put(store, letter("k", "old"))
        for number in range(crowd):
            await put(store, letter(f"another {number}", f"lane {number}", to=WHATSAPP))
        wish = letter("amended", "new", accepted_ms=5, expires_ms=6)
        wish = replace(wish, destination=WHATSAPP, channel=None)

        def amend(ledger: Ledger) -> Sequence[Entry]:
            found = ledger.entry_of("k")
            assert found is not None
            ledger.amend(found.id, wish, 1_500)
            return ledger.due(AMOCRM, 1_500, 99, (), HORIZON_MS)

        expected = Entry(entry, replace(letter("k", "new"), body=wish.body), PENDING, 0, 1_500)
        assert await store.transact(amend) == [expected]

        def look(ledger: Ledger) -> Sequence[Entry]:
            return ledger.due(AMOCRM, 1_500, 99, (), HORIZON_MS)

        assert await store.query(look) == [expected]

    async def test_a_younger_entry_moves_behind(self, store: Store) -> None:
        """Who waits in the new lane and is older goes first."""
        older, moved = await put(store, letter("1", "new")), await put(store, letter("2", "old"))
        await store.transact(lambda ledger: ledger.amend(moved, letter("2", "new"), 1))
        assert await due(store) == [older]

    @pytest.mark.parametrize("state", [DELIVERED, DEAD])
    async def test_what_is_finished_is_not_amended(self, store: Store, state: EntryState) -> None:
        """It is over: nothing about it changes."""
        entry = await put(store, letter("1"))
        await settle(store, entry, state)
        before = await kept(store, entry)
        with pytest.raises(ValueError, match=r".+"):
            await store.transact(lambda ledger: ledger.amend(entry, letter("1", "new"), 1))
        assert await kept(store, entry) == before
        with pytest.raises(LookupError):
            await store.transact(lambda ledger: ledger.amend(EntryId(999), letter("1"), 1))

    async def test_a_letter_may_take_the_place_of_another(self, store: Store) -> None:
        """It is new in everything but its place: those before and behind it stay there."""
        first, old = await put(store, letter("1")), await put(store, letter("2"))
        last = await put(store, letter("3"))
        for entry in (first, old):
            await settle(store, entry, PENDING, due_ms=50_000)
        new = letter("new", channel=None, accepted_ms=3_000, expires_ms=70_000)
        held = replace(new, hold_ms=500)
        assert await store.transact(lambda ledger: ledger.replace(old, held))
        assert await kept(store, old) == Entry(old, new, PENDING, 0, 3_500)
        assert await store.query(lambda ledger: ledger.entry_of("2")) is None
        assert await due(store, 50_000) == [first]
        await settle(store, first, DELIVERED)
        assert (await due(store, 3_499), await due(store, 3_500)) == ([], [old])
        await settle(store, old, DELIVERED)
        assert await due(store, 3_500) == [last]
        assert await put(store, letter("2")) > last

    async def test_a_head_that_is_replaced_is_due_as_the_new_one(self, store: Store) -> None:
        """Whatever was remembered of the one before it."""
        entry = await put(store, letter("old"))
        new = letter("new", accepted_ms=3_000)

        def look(ledger: Ledger) -> Sequence[Entry]:
            return ledger.due(AMOCRM, 3_000, 99, (), HORIZON_MS)

        def work(ledger: Ledger) -> Sequence[Entry]:
            assert ledger.entry_of("old") is not None
            assert ledger.replace(entry, new)
            return look(ledger)

        expected = [Entry(entry, new, PENDING, 0, 3_000)]
        assert await store.transact(work) == expected
        assert await store.query(look) == expected

    async def test_a_key_ever_seen_takes_no_place(self, store: Store) -> None:
        """As it would not be put."""
        entry, _ = await put(store, letter("1")), await put(store, letter("2"))
        before = await kept(store, entry)
        assert not await store.transact(lambda ledger: ledger.replace(entry, letter("2")))
        assert await kept(store, entry) == before

    @pytest.mark.parametrize("state", [BEGUN, DELIVERED, DEAD])
    async def test_only_what_waits_is_replaced(self, store: Store, state: EntryState) -> None:
        """And only in its own lane: anything else is somebody's mistake, and changes nothing."""
        entry, there = await put(store, letter("1")), await put(store, letter("2", "there"))
        if state is BEGUN:
            await begin(store, entry)
        else:
            await settle(store, entry, state)
        before = await kept(store, entry)
        wishes = [
            (entry, letter("new")),
            (there, letter("new")),
            (there, letter("new", to=WHATSAPP)),
        ]
        for one, wish in wishes:
            with pytest.raises(ValueError, match=r".+"):
                await store.transact(partial(_replace, one, wish))
        assert await kept(store, entry) == before
        with pytest.raises(LookupError):
            await store.transact(lambda ledger: ledger.replace(EntryId(999), letter("1")))


def _replace(one: EntryId, by: Letter, ledger: Ledger) -> bool:
    return ledger.replace(one, by)
