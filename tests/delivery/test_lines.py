"""Few attempts of one channel are begun at a time; the rest are in no doubt, whatever happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from relay.delivery.ledger import Ledger
from relay.delivery.lines import LONGEST_MS, Lines
from relay.domain.bodies import StatusUpdate
from relay.domain.ids import ChannelId, OwnNumber
from relay.domain.outbox import Destination
from relay.domain.retry import HOUR, SECOND
from relay.domain.routing import Manager
from relay.domain.settings import Channel
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import SALES, from_client, running, written

SALES_ID, SUPPORT_ID = ChannelId("sales"), ChannelId("support")
BURST = 6


def conversation(number: int, own: str = "74950000001") -> str:
    return f"wa-{own}-7900000000{number}"


def begun(ledger: Ledger) -> int:
    return len(ledger.begun(Destination.WHATSAPP))


# --- The lines themselves -------------------------------------------------------------------------


async def test_first_come_first_served() -> None:
    """Places go round in the order of coming; another channel has a line of its own."""
    lines, came = Lines(HandClock(), 1), []

    async def pass_through(name: str, channel: ChannelId) -> None:
        assert await lines.enter(channel)
        came.append(name)
        await settle()
        lines.leave(channel)

    async with asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(pass_through(name, SALES_ID))
        tasks.create_task(pass_through("other", SUPPORT_ID))
    assert came == ["a", "other", "b", "c"]


async def test_who_waits_too_long_goes_away_and_takes_no_place() -> None:
    """Without a place he comes back; those behind him move up."""
    clock = HandClock()
    lines = Lines(clock, 1)
    assert await lines.enter(SALES_ID)
    first = asyncio.create_task(lines.enter(SALES_ID))
    await settle()
    await clock.advance_ms(LONGEST_MS - 1)
    second = asyncio.create_task(lines.enter(SALES_ID))
    await settle()
    await clock.advance_ms(1)
    assert await first is False
    lines.leave(SALES_ID)
    assert await second is True


async def test_a_cancelled_one_loses_no_place() -> None:
    """Cancelled while he waits, or in the very moment in which he is let in."""
    lines = Lines(HandClock(), 1)
    assert await lines.enter(SALES_ID)
    waiting, chosen = (asyncio.create_task(lines.enter(SALES_ID)) for _ in range(2))
    await settle()
    waiting.cancel()
    await settle()
    lines.leave(SALES_ID)
    chosen.cancel()  # he has the place and does not know it yet
    await asyncio.gather(waiting, chosen, return_exceptions=True)
    assert await lines.enter(SALES_ID)


# --- In a dispatcher ------------------------------------------------------------------------------


async def test_of_a_burst_only_two_are_begun() -> None:
    """The others are still simply due; all are sent in the end."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        for number in range(BURST):
            await world.hook(written(f"m-{number}", conversation(number)))
        await settle()
        assert await store.query(begun) == 2
        world.to_whatsapp.gate.set()
        for _ in range(BURST):
            await settle()
    assert world.to_whatsapp.most_in_flight == 2
    assert sorted(world.to_whatsapp.keys) == [f"reply:m-{number}" for number in range(BURST)]


async def test_a_kill_in_a_burst_leaves_two_in_doubt_at_most() -> None:
    """What had not been begun is sent by the next process."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        for number in range(BURST):
            await world.hook(written(f"m-{number}", conversation(number)))
        await settle()
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        await clock.advance_ms(HOUR)
    told = [e for e in world.into_amocrm.carried if isinstance(e.letter.body, StatusUpdate)]
    assert len(told) == 2
    assert len(world.to_whatsapp.keys) == BURST - 2


async def test_a_stop_in_a_burst_leaves_none_in_doubt() -> None:
    """Those under way come to their end, the others wait for the next process."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        for number in range(BURST):
            await world.hook(written(f"m-{number}", conversation(number)))
        await settle()
        drains = [asyncio.ensure_future(d.drain()) for d in world.dispatchers.values()]
        await settle()
        world.to_whatsapp.gate.set()
        async with asyncio.timeout(60):
            await asyncio.gather(*drains)
        assert await store.query(begun) == 0
        assert len(world.to_whatsapp.keys) == 2
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        for _ in range(BURST):
            await settle()
    assert len(world.to_whatsapp.keys) == BURST - 2


async def test_a_channel_that_hangs_holds_no_other() -> None:
    """Its messages give their places in the dispatcher up in time, however many they are."""
    support = Channel(SUPPORT_ID, "Поддержка", OwnNumber("74950000002"))
    both = {SALES.id: SALES, SUPPORT_ID: support}
    anybody = Manager((SALES.id, SUPPORT_ID))
    async with running(channels=both, everyone_else=anybody) as world:
        world.to_whatsapp.gate.clear()
        for number in range(world.concurrency + 2):
            await world.hook(written(f"m-{number}", f"wa-74950000001-790000000{number:02}"))
        await settle()
        theirs = replace(from_client("B1"), own=support.own or OwnNumber(""))
        await world.hear(theirs, channel="support")
        await world.hook(written("b-1", "wa-74950000002-79001234567"))
        await world.clock.advance_ms(LONGEST_MS + SECOND)
        assert "reply:b-1" in world.to_whatsapp.keys
        world.to_whatsapp.gate.set()
