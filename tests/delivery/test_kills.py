"""Kills at every hop: nothing is lost, nothing a person sees happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from relay.delivery.ledger import Ledger
from relay.delivery.store import Store
from relay.domain.bodies import NewMessage, StatusUpdate
from relay.domain.ids import WhatsAppMessageId
from relay.domain.message import Status
from relay.domain.retry import HOUR, MINUTE
from tests.clock import HandClock, settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import World, from_client, receipt, running, written

T = TypeVar("T")

_MESSAGES = ("A1", "A2", "A3")
_REPLIES = ("m-1", "m-2")


class DyingStore(Store):
    """Passes works on to a store until the Nth; then it is dead, and so is the process.

    ``after``: whether the Nth work was still committed (the process never learns that).
    """

    def __init__(self, inner: MemoryStore, at: int, *, after: bool) -> None:
        self.inner = inner
        self.count = 0
        self._at = at
        self._after = after

    async def transact(self, work: Callable[[Ledger], T]) -> T:
        self.count += 1
        if self.count >= self._at:
            if self.count == self._at and self._after:
                await self.inner.transact(work)
            await _never()
        return await self.inner.transact(work)

    def transact_from_thread(self, work: Callable[[Ledger], T]) -> T:
        return self.inner.transact_from_thread(work)

    async def query(self, work: Callable[[Ledger], T]) -> T:
        if self.count >= self._at:
            await _never()
        return await self.inner.query(work)


async def _never() -> None:
    """A dead process does nothing more."""

    await asyncio.Event().wait()


class Sender:
    """A peer that repeats whatever was not accepted, as WhatsApp does after a reconnect."""

    def __init__(self) -> None:
        self.accepted: set[str] = set()

    async def offer(self, world: World) -> None:
        """Everything once, in order; what hangs belongs to a dead process."""

        for id_ in _MESSAGES:
            await self._offer(id_, asyncio.ensure_future(world.hear(from_client(id_))))
        for id_ in _REPLIES:
            await self._offer(id_, asyncio.ensure_future(world.hook(written(id_))))
        await settle()
        read = receipt(Status.READ, *(f"ref-reply:{id_}" for id_ in _REPLIES))
        await self._offer("read", asyncio.ensure_future(world.hear(read)))

    async def _offer(self, id_: str, attempt: object) -> None:

        assert isinstance(attempt, asyncio.Future)
        await settle()
        if attempt.done():
            self.accepted.add(id_)
        else:
            attempt.cancel()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, 25))
async def test_a_kill_at_any_commit_loses_nothing_and_repeats_nothing(at: int, after: bool) -> None:
    """Die at commit N, for every N; start again; the promise holds.

    Into amoCRM every message arrives, in order, a repetition under the same id. To the client
    every accepted reply goes at most once, and one that did not is told to its manager.
    One that did, and was read, is told as read in the end: also if the kill came in between.
    """
    memory, clock, sender = MemoryStore(), HandClock(), Sender()
    async with running(DyingStore(memory, at, after=after), clock) as first:
        await sender.offer(first)
        await clock.advance_ms(MINUTE)
    async with running(memory.reopen(), clock, before=knowing_what(first)) as second:
        await sender.offer(second)
        await clock.advance_ms(2 * HOUR)
    _check_messages(first, second)
    _check_replies(first, second)


def _check_messages(first: World, second: World) -> None:
    arrived: list[str] = []
    for entry in (*first.into_amocrm.carried, *second.into_amocrm.carried):
        body = entry.letter.body
        if isinstance(body, NewMessage) and body.whatsapp_id not in arrived:
            arrived.append(body.whatsapp_id)
    assert arrived == list(_MESSAGES)


def _check_replies(first: World, second: World) -> None:
    sent = first.to_whatsapp.keys + second.to_whatsapp.keys
    assert len(sent) == len(set(sent)), "a client got a message twice"
    assert sent == sorted(sent), "a client got messages in another order"
    told = {
        body.message: body.status
        for entry in (*first.into_amocrm.carried, *second.into_amocrm.carried)
        if isinstance(body := entry.letter.body, StatusUpdate)
    }
    for id_ in _REPLIES:
        if f"reply:{id_}" in sent:
            assert told.get(id_) is Status.READ, f"{id_} was read, and that is not told"  # type: ignore[call-overload]  # plain text is enough
        assert f"reply:{id_}" in sent or told.get(id_) is Status.FAILED, f"{id_} vanished"  # type: ignore[call-overload]  # plain text is enough


def knowing_what(first: World) -> Callable[[World], None]:
    """The engine of the second life finds in its session what the first one has sent."""

    def tell(second: World) -> None:
        for key in first.to_whatsapp.keys:
            second.to_whatsapp.sent_as[key] = (WhatsAppMessageId(f"ref-{key}"),)

    return tell


async def test_the_number_of_hops_is_the_number_tried() -> None:
    """The kills above cover every commit of the scenario, and one more."""
    store = DyingStore(MemoryStore(), 10_000, after=False)
    async with running(store) as world:
        await Sender().offer(world)
    assert 15 <= store.count < 24
