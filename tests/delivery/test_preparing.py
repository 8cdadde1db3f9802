"""What is brought before an attempt (a file): it holds nobody, and nothing is in doubt by it."""

from __future__ import annotations

import asyncio

from relay.domain.bodies import StatusUpdate
from relay.domain.message import Status
from relay.domain.outbox import Dead, Retry
from relay.domain.retry import HOUR, MINUTE
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import World, from_client, running, written


def slow(world: World) -> None:
    world.to_whatsapp.ready.clear()


async def test_files_on_their_way_hold_no_text_of_another_client() -> None:
    """More files than a channel begins at a time are being brought, and a text passes them."""
    async with running(before=slow) as world:
        clients = [f"7900000000{number}" for number in range(5)]
        for number, client in enumerate(clients):
            await world.hear(from_client(f"B{number}", client=client))
            await world.hook(written(f"m-{number}", f"wa-74950000001-{client}"))
        await settle()
        assert (len(world.to_whatsapp.prepared), world.to_whatsapp.keys) == (5, [])
        world.to_whatsapp.ready.set()
        await settle()
        assert sorted(world.to_whatsapp.keys) == [f"reply:m-{number}" for number in range(5)]


async def test_a_file_that_is_not_brought_is_tried_again() -> None:
    """The message was never begun, so it is simply due later; and it is prepared anew."""
    async with running() as world:
        world.to_whatsapp.unready.append(Retry("the host is away"))
        await world.hook(written("m-1"))
        await settle()
        assert world.to_whatsapp.keys == []
        await world.clock.advance_ms(MINUTE)
        assert world.to_whatsapp.keys == ["reply:m-1"]
        assert world.to_whatsapp.prepared == ["reply:m-1"] * 2


async def test_a_file_that_can_never_be_brought_is_told() -> None:
    """The manager gets a status with a reason; the client sees nothing."""
    async with running() as world:
        world.to_whatsapp.unready.append(Dead("the file is not kept any more"))
        await world.hook(written("m-1"))
        await settle()
        assert world.to_whatsapp.keys == []
        [update] = [
            entry.letter.body
            for entry in world.into_amocrm.carried
            if isinstance(entry.letter.body, StatusUpdate)
        ]
        assert update.status is Status.FAILED


async def test_a_stop_does_not_wait_for_a_file() -> None:
    """It is brought by the next process, which sends the message: it was never begun."""
    store = MemoryStore()
    async with running(store, before=slow) as world:
        await world.hook(written("m-1"))
        await settle()
        async with asyncio.timeout(60):
            await asyncio.gather(*(each.drain() for each in world.dispatchers.values()))
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        await world.clock.advance_ms(HOUR)
        assert world.to_whatsapp.keys == ["reply:m-1"]
