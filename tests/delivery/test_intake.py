"""Taking in: sorted in the same step, but kept whatever the sorting comes to."""

from __future__ import annotations

import asyncio

import pytest

import relay.delivery.sorter
from relay.domain.outbox import Destination
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import HEARD, SETTINGS, World, from_client, running


class BugError(Exception):
    """Ours."""


def broken(*_: object) -> None:
    raise BugError


async def unread(store: MemoryStore) -> list[str]:
    rows = await store.query(lambda ledger: ledger.unread(Destination.AMOCRM, 99))
    return [row.source for row in rows]


async def test_what_comes_in_is_sorted_by_the_transaction_that_keeps_it() -> None:
    """When the door lets go, the letter is there: one commit, and nothing is left unread."""
    store = MemoryStore()
    world = World(store, HandClock(), SETTINGS)  # nobody sorts or sends
    await world.hear(from_client("A1"))
    figures = await store.query(lambda ledger: ledger.figures(Destination.AMOCRM))
    assert (store.commits, await unread(store), figures.waiting) == (1, [], 1)
    assert world.events() == ["accepted"]


async def test_a_fault_in_the_sorting_costs_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is kept unread, the door lets go, and a mended relay delivers it."""
    store = MemoryStore()
    world = World(store, HandClock(), SETTINGS)
    with monkeypatch.context() as patched:
        patched.setattr(relay.delivery.sorter, "client_letters", broken)
        await world.hear(from_client("A1"))
        HEARD.append((from_client("A2"),))
        await asyncio.to_thread(
            world.intake.door("whatsapp/sales").from_thread, b"%d" % (len(HEARD) - 1)
        )
        assert await unread(store) == ["whatsapp/sales"] * 2
    async with running(store.reopen()) as mended:
        pass
    assert mended.events().count("delivered") == 2


async def test_nobody_overtakes_what_is_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """While older rows are unread a new one waits behind them."""
    store = MemoryStore()
    world = World(store, HandClock(), SETTINGS)
    with monkeypatch.context() as patched:
        patched.setattr(relay.delivery.sorter, "client_letters", broken)
        await world.hear(from_client("A1"))
    await world.hear(from_client("A2"))
    assert len(await unread(store)) == 2
    async with running(store.reopen()) as again:
        await again.hear(from_client("A3"))
        await settle()
    assert [key.rpartition("-")[2] for key in again.into_amocrm.keys] == ["A1", "A2", "A3"]


async def test_a_cancelled_acceptor_holds_nothing_up() -> None:
    """Who handed over and went away has handed over: the letter is sent."""
    store = MemoryStore()
    async with running(store) as world:
        store.held = True
        call = asyncio.ensure_future(world.hear(from_client("A1")))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.sleep(0)
        store.release()
        await settle()
    assert world.into_amocrm.keys == ["message:wa-74950000001-A1"]
