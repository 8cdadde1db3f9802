"""What foreign threads hand over goes through the spool into the journal, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from relay.delivery.spooling import Spooling
from relay.delivery.store import Store, StoreRefusedError
from relay.domain.outbox import Destination
from tests.clock import HandClock
from tests.delivery.memory_spool import MemorySpool
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import SETTINGS, World

PATIENCE_S = 60.0


SOURCE = "whatsapp/sales"


async def payloads(store: Store) -> list[bytes]:
    """What came into the journal behind the first row, in order."""
    rows = await store.query(lambda ledger: ledger.unread(Destination.AMOCRM, 99))
    return [row.payload for row in rows][1:]


@dataclass
class Hall:
    """A spooling at work between a spool and a store, whose first row nobody sorts.

    So the others stay unread behind it, and can be looked at.
    """

    store: MemoryStore = field(default_factory=MemoryStore)
    spool: MemorySpool = field(default_factory=lambda: MemorySpool(100))
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        world = World(self.store, self.clock, SETTINGS)
        self.spooling = Spooling(self.spool, world.intake, self.clock)
        self.door = self.spooling.door(SOURCE)

    async def hand_over(self, *said: bytes) -> None:
        """One thread hands over one payload after the other."""

        def thread() -> None:
            for payload in said:
                self.door.from_thread(payload)

        await asyncio.to_thread(thread)

    def start(self) -> None:
        self.running = asyncio.create_task(self.spooling.run())


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    await hall.store.transact(lambda ledger: ledger.append(SOURCE, b"first", "trace", 0))
    hall.running = asyncio.create_task(asyncio.Event().wait())  # type: ignore[arg-type]  # a task to cancel
    yield hall
    hall.running.cancel()
    await asyncio.wait([hall.running])


async def test_a_thread_does_not_wait_for_the_journal(hall: Hall) -> None:
    """Handing over ends while nothing moves at all; all of it is in the spool by then."""
    await hall.hand_over(b"1", b"2")
    assert [s.payload for s in hall.spool.kept] == [b"1", b"2"]
    assert await payloads(hall.store) == []


async def test_what_is_in_the_spool_gets_into_the_journal_in_order(hall: Hall) -> None:
    """Also what another process left there; then the spool is empty."""
    hall.spool.put(SOURCE, b"0")
    hall.start()
    await hall.hand_over(b"1", b"2")
    await hall.spooling.finish()
    assert await payloads(hall.store) == [b"0", b"1", b"2"]
    assert hall.spool.kept == []


async def test_a_full_spool_holds_the_thread_until_there_is_room(hall: Hall) -> None:
    """More than fits: everything arrives, in order, and nothing is dropped."""
    hall.start()
    said = [b"%02d" % number + bytes(30) for number in range(20)]
    async with asyncio.timeout(PATIENCE_S):
        await hall.hand_over(*said)
    await hall.spooling.finish()
    assert await payloads(hall.store) == said


async def test_what_no_spool_could_hold_keeps_its_place(hall: Hall) -> None:
    """A payload larger than the spool goes into the journal behind what came before it."""
    hall.start()
    said = [b"1", bytes(500), b"3"]
    async with asyncio.timeout(PATIENCE_S):
        await hall.hand_over(*said)
    await hall.spooling.finish()
    assert await payloads(hall.store) == said


async def test_what_the_disk_refuses_stays_in_the_spool(hall: Hall) -> None:
    """A refusal loses nothing: finishing gives up, and the next process finds it."""
    hall.store.refuse = True
    hall.start()
    await hall.hand_over(b"1")
    await hall.spooling.finish()
    assert [s.payload for s in hall.spool.kept] == [b"1"]
    hall.store.refuse = False
    await hall.clock.advance_ms(500)
    await hall.spooling.finish()
    assert await payloads(hall.store) == [b"1"]


async def test_closing_lets_waiting_threads_go(hall: Hall) -> None:
    """With a full spool and a disk that refuses, a stop frees the thread with an error."""
    hall.store.refuse = True
    hall.start()
    await hall.hand_over(bytes(80))
    waiting = asyncio.create_task(hall.hand_over(bytes(80)))
    hall.spooling.close()
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(StoreRefusedError):
            await waiting
