"""Draining: once it has begun, no attempt begins, whatever was being looked up at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from relay.delivery.ledger import Ledger
from relay.domain.outbox import Destination
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import from_client, running

T = TypeVar("T")


class SlowReader(MemoryStore):
    """Its queries wait for a gate, with what they have found already in their hands."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def query(self, work: Callable[[Ledger], T]) -> T:
        found = await super().query(work)
        await self.gate.wait()
        return found


async def test_what_was_found_before_the_drain_is_left_for_the_next_life() -> None:
    """A head found due just before the drain is not attempted after it."""
    store = SlowReader()
    async with running(store) as world:
        store.gate.clear()
        await world.hear(from_client("A1"))
        await settle()
        dispatcher = world.dispatchers[Destination.AMOCRM]
        await dispatcher.drain()
        store.gate.set()
        await settle()
        assert world.into_amocrm.carried == []
