"""A rush at the door: what comes in is kept first and sorted when there is time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from relay.delivery.rush import GIVES_WAY_MS, MANY, Rush
from relay.domain.ids import UserId
from relay.domain.message import Skipped
from relay.domain.outbox import Destination
from relay.domain.routing import Manager
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.played_staff import ANNA, NEWCOMER
from tests.delivery.world import SALES, SETTINGS, World, from_client, running, written

OTHER = "wa-74950000001-79007654321"


async def unread(store: MemoryStore) -> int:
    rows = await store.query(lambda ledger: ledger.unread(Destination.AMOCRM, 999))
    return len(rows)


@contextlib.contextmanager
def many_at(rush: Rush) -> Iterator[None]:
    """So many who wait at the door."""
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(rush)
        yield


async def test_in_a_rush_all_are_kept_and_the_late_ones_sorted_later() -> None:
    """Who comes when many wait is let go once his payload is durable; in order it is sent on."""
    store = MemoryStore()
    store.held = True
    world = World(store, HandClock(), SETTINGS)
    names = [f"A{number}" for number in range(MANY + 8)]
    calls = [asyncio.ensure_future(world.hear(from_client(name))) for name in names]
    await settle()
    store.held = False
    store.release()
    await asyncio.gather(*calls)
    assert await unread(store) == 9  # from the one on with whom it became a rush
    assert not world.intake.rush.on
    async with running(store.reopen()) as again:
        for _ in names:  # one lane, one after the other
            await settle()
    assert [key.rpartition("-")[2] for key in again.into_amocrm.keys] == names


async def test_sorting_gives_way_to_a_rush_though_not_for_ever() -> None:
    """While it lasts the sorter waits so long, then it has its turn."""
    clock, store = HandClock(), MemoryStore()
    async with running(store, clock) as world:
        with many_at(world.intake.rush):
            await world.hear(from_client("A1"))
            await clock.advance_ms(GIVES_WAY_MS - 1)
            assert (await unread(store), world.into_amocrm.keys) == (1, [])
            await clock.advance_ms(1)
            assert await unread(store) == 0
        assert len(world.into_amocrm.keys) == 1


async def test_when_a_rush_is_over_what_it_left_is_sorted_at_once() -> None:
    """No time has to pass for it."""
    store = MemoryStore()
    async with running(store, HandClock()) as world:
        with many_at(world.intake.rush):
            await world.hear(from_client("A1"))
            await settle()
            assert await unread(store) == 1
        await settle()
        assert await unread(store) == 0
        assert len(world.into_amocrm.keys) == 1


async def test_each_row_of_a_batch_has_its_own_end() -> None:
    """Sorted, kept out by a rule, held, or unreadable: as if each had been sorted alone."""
    store = MemoryStore()
    team = {UserId(17): Manager((SALES.id,), "Анна")}
    world = World(store, HandClock(), replace(SETTINGS, users=team, everyone_else=None))
    with many_at(world.intake.rush):
        await world.hook(replace(written("m-1"), author=ANNA))
        await world.hook(replace(written("m-2", OTHER), author=NEWCOMER))
        await world.hook(Skipped("robot"))
        await world.intake.door("amocrm")(b"nothing known")
    await world.sorters[Destination.WHATSAPP].sort_some()
    tables = store._tables
    assert [note for _, note in tables.read.values()] == ["robot", None]
    assert (len(tables.unread), len(tables.held), len(tables.unreadable)) == (0, 1, 1)
