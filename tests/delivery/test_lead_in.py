"""What is seen before an attempt (typing): bounded, in order, and nothing is lost by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from relay.domain.bodies import StatusUpdate
from relay.domain.pacing import Pace
from relay.domain.retry import HOUR, MINUTE, SECOND
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import SALES, World, from_client, running, written

TYPING_MS = 3 * SECOND


def typing(world: World) -> None:
    world.to_whatsapp.typing_ms = TYPING_MS


async def test_a_message_follows_its_typing() -> None:
    """Shown at once, sent after its time; the next of the same client in the same way, behind."""
    async with running(before=typing) as world:
        await world.hook(written("m-1"))
        await world.hook(written("m-2"))
        await settle()
        assert (world.to_whatsapp.typed, world.to_whatsapp.keys) == (["reply:m-1"], [])
        await world.clock.advance_ms(TYPING_MS - 1)
        assert world.to_whatsapp.keys == []
        await world.clock.advance_ms(1)
        assert world.to_whatsapp.keys == ["reply:m-1"]
        await world.clock.advance_ms(TYPING_MS)
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]


async def test_one_clients_typing_holds_no_other() -> None:
    """Two clients wait side by side."""
    async with running(before=typing) as world:
        await world.hear(from_client("B1", client="79007654321"))
        await world.hook(written("m-1"))
        await world.hook(written("m-2", "wa-74950000001-79007654321"))
        await world.clock.advance_ms(TYPING_MS)
        assert sorted(world.to_whatsapp.keys) == ["reply:m-1", "reply:m-2"]


async def test_nothing_is_typed_to_somebody_whose_turn_has_not_come() -> None:
    """A message to a stranger shows typing when its turn is there, once."""
    slow = replace(SALES, pace=Pace(per_minute=1))
    async with running(before=typing, channels={SALES.id: slow}) as world:
        await world.hook(replace(written("m-1", None), phone="+79000000001"))
        await world.clock.advance_ms(TYPING_MS)
        await world.hook(replace(written("m-2", None), phone="+79000000002"))
        await world.clock.advance_ms(MINUTE)
        assert world.to_whatsapp.typed == ["reply:m-1"]
        await world.clock.advance_ms(MINUTE)
        assert world.to_whatsapp.typed == ["reply:m-1", "reply:m-2"]
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]


async def test_a_stop_cuts_typing_short_and_nothing_is_in_doubt() -> None:
    """A stop does not wait for it; the next process sends the message, for it was never begun."""
    store = MemoryStore()
    async with running(store, before=typing) as world:
        await world.hook(written("m-1"))
        await settle()
        drains = [dispatcher.drain() for dispatcher in world.dispatchers.values()]
        async with asyncio.timeout(60):
            await asyncio.gather(*drains)
        assert world.to_whatsapp.keys == []
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]


async def test_a_kill_while_typing_leaves_nothing_in_doubt() -> None:
    """Nothing was written down, so nobody is told that the outcome is unknown."""
    store = MemoryStore()
    async with running(store, before=typing) as world:
        await world.hook(written("m-1"))
        await settle()
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        await world.clock.advance_ms(HOUR)
    assert world.to_whatsapp.keys == ["reply:m-1"]
    assert not [e for e in world.into_amocrm.carried if isinstance(e.letter.body, StatusUpdate)]
