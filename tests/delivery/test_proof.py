"""Sends whose end nobody saw: proved by receipts, told late, never repeated."""

from __future__ import annotations

import pytest

from relay.delivery.proof import PATIENCE_MS
from relay.domain.bodies import StatusUpdate
from relay.domain.ids import CrmMessageId, WhatsAppMessageId
from relay.domain.message import Failure, Status
from relay.domain.outbox import Destination, EntryState, Retry, Unknown
from relay.domain.reasons import Reason
from relay.domain.retry import HOUR, MINUTE
from relay.domain.settings import Language
from relay.domain.texts import reason_text
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import World, receipt, running, written

OUT = "out:wa-74950000001-79001234567"
MAYBE = (WhatsAppMessageId("3EB01"), WhatsAppMessageId("3EB02"))
LOST = Unknown("timed out", MAYBE)
FAILED = StatusUpdate(
    CrmMessageId("m-1"),
    Status.FAILED,
    Failure.OTHER,
    reason_text(Reason.OUTCOME_UNKNOWN, Language.RU),
)


def told(world: World) -> list[StatusUpdate]:
    bodies = [entry.letter.body for entry in world.into_amocrm.carried]
    return [body for body in bodies if isinstance(body, StatusUpdate)]


def status(of: Status) -> StatusUpdate:
    return StatusUpdate(CrmMessageId("m-1"), of)


@pytest.mark.parametrize("id_", MAYBE)
async def test_a_receipt_in_time_spares_the_manager_the_doubt(id_: str) -> None:
    """He is told "delivered", and nothing else; the journal says the same."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.plan(OUT, LOST)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(PATIENCE_MS - 1)
        assert told(world) == []
        await world.hear(receipt(Status.DELIVERED, id_))
        await world.clock.advance_ms(HOUR)
        entry = await store.query(lambda ledger: ledger.entry_of("reply:m-1"))
        figures = await store.query(lambda ledger: ledger.figures(Destination.WHATSAPP))
    assert told(world) == [status(Status.DELIVERED)]
    assert world.to_whatsapp.keys == ["reply:m-1"]
    assert entry is not None
    assert entry.state is EntryState.DELIVERED
    assert figures.dead == 0
    traces = {step.trace for step in world.steps if step.kind in ("reply", "status_update")}
    assert traces == {entry.letter.trace}, "the proof is told under the message's own trace"


async def test_without_a_proof_he_is_told_that_nobody_knows() -> None:
    """Within a bounded time, in words; and a proof that comes later corrects it."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, LOST)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(PATIENCE_MS)
        assert told(world) == [FAILED]
        await world.clock.advance_ms(HOUR)
        await world.hear(receipt(Status.READ, MAYBE[0]))
    assert told(world) == [FAILED, status(Status.READ)]
    assert world.to_whatsapp.keys == ["reply:m-1"]


async def test_a_receipt_that_was_quicker_than_the_doubt_ends_it() -> None:
    """The receipt came while the library was still silent: delivered, no doubt at all."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, LOST)
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.DELIVERED, MAYBE[1]))
        world.to_whatsapp.gate.set()
        await settle()
        assert world.events()[-2:] == ["accepted", "delivered"]
        await world.clock.advance_ms(HOUR)
    assert told(world) == [status(Status.DELIVERED)]
    assert "dead" not in world.events()


async def test_who_knows_no_id_is_told_at_once() -> None:
    """No proof could ever come, so there is nothing to wait for."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, Unknown("lost"))
        await world.hook(written("m-1"))
        await settle()
        assert told(world) == [FAILED]


async def test_doubt_holds_nobody() -> None:
    """The next message to the same client goes at once: what is never repeated keeps its order."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, LOST)
        await world.hook(written("m-1"))
        await world.hook(written("m-2"))
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]


async def test_news_under_way_is_not_overtaken() -> None:
    """The failure is being told in the moment of the proof: the proof is told after it."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, LOST)
        await world.hook(written("m-1"))
        await settle()
        world.into_amocrm.gate.clear()
        await world.clock.advance_ms(PATIENCE_MS)
        await world.hear(receipt(Status.DELIVERED, MAYBE[0]))
        await settle()
        assert told(world) == [FAILED]
        world.into_amocrm.gate.set()
        await world.clock.advance_ms(MINUTE)
    assert told(world) == [FAILED, status(Status.DELIVERED)]


@pytest.mark.parametrize("proved", [True, False])
async def test_a_kill_in_the_middle_of_a_send_is_resolved_the_same_way(proved: bool) -> None:
    """The next process knows the ids from the engine; a receipt proves it, or nobody knows."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        clock = world.clock
    again = store.reopen()
    async with running(again, clock, before=told_where_it_went) as world:
        if proved:
            await world.hear(receipt(Status.DELIVERED, MAYBE[0]))
        await world.clock.advance_ms(PATIENCE_MS)
    assert world.to_whatsapp.keys == []
    assert told(world) == [status(Status.DELIVERED) if proved else FAILED]


def told_where_it_went(world: World) -> None:
    world.to_whatsapp.sent_as["reply:m-1"] = MAYBE


async def test_a_withdrawn_failure_is_no_failure_after_a_restart() -> None:
    """What was withdrawn stays so; only the proof is told."""
    store = MemoryStore()
    async with running(store) as world:
        world.to_whatsapp.plan(OUT, LOST)
        await world.hook(written("m-1"))
        await settle()
        world.into_amocrm.plan("status:m-1", *[Retry("down")] * 3)
        await world.hear(receipt(Status.DELIVERED, MAYBE[0]))
        await settle()
        clock = world.clock
    async with running(store.reopen(), clock) as world:
        await world.clock.advance_ms(HOUR)
    assert told(world) == [status(Status.DELIVERED)]
