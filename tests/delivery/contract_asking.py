"""The contract of every store: whose files nobody has asked for yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import pytest

from relay.delivery.ledger import Ledger
from relay.delivery.store import Store
from relay.domain.outbox import Entry, EntryId, Letter
from tests.delivery.store_samples import ACCEPTED_MS, WHATSAPP, letter
from tests.delivery.store_steps import BEGUN, DEAD, DELIVERED, PENDING, begin, kept, put, settle


def waiting(key: str, unasked_ms: int = ACCEPTED_MS) -> Letter:
    return replace(letter(key, f"lane {key}"), hold_ms=5_000, unasked_ms=unasked_ms)


async def unasked(store: Store, limit: int = 99, busy: Collection[EntryId] = ()) -> list[EntryId]:
    entries = await store.query(lambda ledger: ledger.unasked(limit, busy))
    return [entry.id for entry in entries]


async def ask(store: Store, entry: EntryId) -> Entry | None:
    return await store.transact(lambda ledger: ledger.ask(entry))


class AskingContract:
    """Letters that wait for a file, and who asks for it."""

    async def test_who_might_have_gone_first_is_asked_for_first(self, store: Store) -> None:
        """Equals by age; those that wait for no file are not among them, busy ones neither."""
        late = await put(store, waiting("late", 9_000))
        await put(store, letter("none"))
        first, second = await put(store, waiting("1")), await put(store, waiting("2"))
        assert await unasked(store) == [first, second, late]
        assert await unasked(store, 2) == [first, second]
        assert await unasked(store, 2, {first}) == [second, late]
        assert await unasked(store, 0) == []
        assert (await kept(store, first)).letter == replace(waiting("1"), hold_ms=0)

    @pytest.mark.parametrize("state", [PENDING, BEGUN, DELIVERED, DEAD])
    @pytest.mark.parametrize("crowd", [0, 300])
    async def test_a_file_is_asked_for_once(self, store: Store, state: int, crowd: int) -> None:
        """Whatever became of its message, and whether that is remembered or not."""
        entry = await put(store, waiting("1"))
        for number in range(crowd):
            await put(store, letter(f"another {number}", f"lane {number}", to=WHATSAPP))
        if state == BEGUN:
            await begin(store, entry)
        elif state != PENDING:
            await settle(store, entry, DELIVERED if state == DELIVERED else DEAD)
        assert await unasked(store) == [entry]
        before = await kept(store, entry)
        asked = replace(before, letter=replace(before.letter, unasked_ms=None))
        assert await ask(store, entry) == asked
        assert await kept(store, entry) == asked
        assert await unasked(store) == []
        assert await ask(store, entry) is None
        assert await ask(store, EntryId(999)) is None

    async def test_what_is_amended_says_whether_to_ask(self, store: Store) -> None:
        """In its lane or in another one."""
        entry = await put(store, waiting("1"))
        for lane, unasked_ms in (("lane 1", 7), ("new", 8), ("new", None), ("lane 1", None)):
            wish = replace(letter("1", lane), unasked_ms=unasked_ms)
            await store.transact(partial(_amend, entry, wish))
            assert (await kept(store, entry)).letter.unasked_ms == unasked_ms
            assert await unasked(store) == ([] if unasked_ms is None else [entry])

    async def test_what_takes_a_place_says_so_too(self, store: Store) -> None:
        """The one before it may have waited for a file, or not."""
        entry = await put(store, waiting("1"))
        plain, again = letter("2", "lane 1"), replace(waiting("3"), lane="lane 1")
        assert await store.transact(lambda ledger: ledger.replace(entry, plain))
        assert await unasked(store) == []
        assert await store.transact(lambda ledger: ledger.replace(entry, again))
        assert await unasked(store) == [entry]

    async def test_a_shift_moves_who_is_unasked(self, store: Store) -> None:
        """As it moves every time of the unfinished."""
        entry, plain = await put(store, waiting("1")), await put(store, letter("2"))
        await store.transact(lambda ledger: ledger.shift(-700))
        assert (await kept(store, entry)).letter.unasked_ms == ACCEPTED_MS - 700
        assert (await kept(store, plain)).letter.unasked_ms is None


def _amend(entry: EntryId, wish: Letter, ledger: Ledger) -> None:
    ledger.amend(entry, wish, 1_500)
