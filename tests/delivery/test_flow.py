"""The path of a message, both ways, over a world without edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.delivery.ledger import Conversation
from relay.domain.bodies import NewMessage, Reply, StatusUpdate
from relay.domain.contents import Text
from relay.domain.ids import ConversationId, CrmChatId, CrmMessageId
from relay.domain.message import (
    Failure,
    Origin,
    Skipped,
    Status,
)
from relay.domain.outbox import Dead, Delivered, Retry, Unknown
from relay.domain.reasons import Reason
from relay.domain.retry import HOUR, MINUTE
from relay.domain.routing import Manager
from relay.domain.settings import Language
from relay.domain.texts import reason_text
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import GROUP, World, from_client, receipt, running, written

OUT = "out:wa-74950000001-79001234567"


def bodies(world: World) -> list[object]:
    return [entry.letter.body for entry in world.into_amocrm.carried]


def statuses(world: World) -> list[StatusUpdate]:
    return [body for body in bodies(world) if isinstance(body, StatusUpdate)]


async def test_a_clients_text_reaches_amocrm_exactly() -> None:
    """What the client wrote arrives once, word for word, under our id, in his conversation."""
    async with running() as world:
        await world.hear(from_client("A1", "  Здравствуйте!\n\n👋 "))
    [body] = bodies(world)
    assert isinstance(body, NewMessage)
    assert body.content == Text("  Здравствуйте!\n\n👋 ")
    assert body.id == "wa-74950000001-A1"
    assert body.conversation == "wa-74950000001-79001234567"
    assert body.client.name == "Анна"


async def test_a_message_says_whether_amocrm_may_not_know_its_chat() -> None:
    """Until amoCRM has told its own id of the chat."""
    async with running() as world:
        told = [Delivered(f"crm-{n}", CrmChatId("chat")) for n in range(3)]
        world.into_amocrm.plan("in:wa-74950000001-79001234567", Retry("busy"), *told)
        await world.hear(from_client("A1"), from_client("A2"))
        await world.clock.advance_ms(MINUTE)
        await world.hear(from_client("A3"))
        await world.hear(from_client("B1", client="79001234568"))
    messages = {b.whatsapp_id: b.opens for b in bodies(world) if isinstance(b, NewMessage)}
    assert messages == {"A1": True, "A2": True, "A3": False, "B1": True}


async def test_the_same_event_arriving_twice_is_one_message() -> None:
    """However often WhatsApp repeats itself, amoCRM hears it once."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await world.hear(from_client("A1"))
        await world.hear(from_client("A1"), from_client("A2"))
    assert world.into_amocrm.keys == [
        "message:wa-74950000001-A1",
        "message:wa-74950000001-A2",
    ]
    assert [s.detail for s in world.steps if s.event == "ignored"] == ["duplicate", "duplicate"]


async def test_noise_leaves_only_a_line_in_the_log() -> None:
    """Groups and statuses never enter amoCRM, and the rule that kept them out is told."""
    async with running() as world:
        await world.hear(GROUP)
        await world.hook(Skipped("typing"))
    assert not world.into_amocrm.carried
    assert [step.detail for step in world.steps] == ["group", "typing"]


async def test_a_managers_answer_reaches_the_client_through_the_chats_channel() -> None:
    """The answer goes to the client of the conversation, through the number he wrote to."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        await world.hook(written("m-1"))
    [entry] = world.to_whatsapp.carried
    body = entry.letter.body
    assert isinstance(body, Reply)
    assert (body.channel, body.to, body.content) == ("sales", "79001234567", Text("Добрый день"))


async def test_an_answer_finds_its_client_even_if_the_ledger_was_lost() -> None:
    """Our conversation id alone tells number and client."""
    async with running() as world:
        await world.hook(written("m-1"))
    [entry] = world.to_whatsapp.carried
    assert isinstance(entry.letter.body, Reply)
    assert entry.letter.body.to == "79001234567"


async def test_a_chat_that_amocrm_started_is_one_conversation_with_the_clients_own() -> None:
    """Write first: the client's answer comes into the chat that the manager opened."""
    store = MemoryStore()
    async with running(store) as world:
        await world.hook(written("m-1", conversation=None))
        await settle()
        await world.hear(from_client("A1"))
        await settle()
        id_ = ConversationId("wa-74950000001-79001234567")
        conversation = await store.query(lambda ledger: ledger.conversation(id_))
    assert isinstance(conversation, Conversation)
    assert (conversation.crm_chat, conversation.crm_client) == ("chat-1", "client-1")
    assert not conversation.crm_bound
    assert [e.letter.lane for e in world.to_whatsapp.carried] == [OUT]
    assert conversation.client.name == "Анна"


async def test_a_hook_that_knows_our_ids_proves_the_chat_bound() -> None:
    """Once amoCRM calls a chat by our id, its own ids need not be sent along any more."""
    store = MemoryStore()
    async with running(store) as world:
        await world.hook(written("m-1", conversation=None))
        await world.hook(written("m-2"))
        await settle()
        id_ = ConversationId("wa-74950000001-79001234567")
        conversation = await store.query(lambda ledger: ledger.conversation(id_))
    assert conversation is not None
    assert conversation.crm_bound


async def test_statuses_step_forward_only() -> None:
    """Delivered, then read; a late "delivered" after "read" is not told."""
    async with running() as world:
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.READ, "ref-reply:m-1"))
        await world.hear(receipt(Status.DELIVERED, "ref-reply:m-1"))
        await world.hear(receipt(Status.READ, "ref-reply:m-1"))
    assert statuses(world) == [StatusUpdate(CrmMessageId("m-1"), Status.READ)]


async def test_each_status_is_told_once() -> None:
    """Delivered and read arrive in amoCRM in that order, each once."""
    async with running() as world:
        await world.hook(written("m-1"))
        await settle()
        for _ in range(2):
            await world.hear(receipt(Status.DELIVERED, "ref-reply:m-1"))
        await world.hear(receipt(Status.READ, "ref-reply:m-1"))
    assert [s.status for s in statuses(world)] == [Status.DELIVERED, Status.READ]


async def test_a_receipt_quicker_than_the_answer_to_our_send_is_not_lost() -> None:
    """WhatsApp may tell "read" before the send itself has returned."""
    async with running() as world:
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.READ, "ref-reply:m-1"))
        await settle()
        assert not statuses(world)
        assert [s.detail for s in world.steps if s.event == "ignored"] == ["early"]
        world.to_whatsapp.gate.set()
    assert [s.status for s in statuses(world)] == [Status.READ]


async def test_a_dead_reply_is_told_to_the_manager_with_its_reason() -> None:
    """A failed send ends as status −1 with the right number and words of the catalogue."""
    async with running() as world:
        world.to_whatsapp.plan(
            OUT, Dead("no such user", Failure.NO_SUCH_CLIENT, Reason.NOT_ON_WHATSAPP)
        )
        await world.hook(written("m-1"))
    reason = reason_text(Reason.NOT_ON_WHATSAPP, Language.RU)
    assert statuses(world) == [
        StatusUpdate(CrmMessageId("m-1"), Status.FAILED, Failure.NO_SUCH_CLIENT, reason)
    ]


async def test_a_refusal_by_the_rules_is_told_and_whatsapp_sees_nothing() -> None:
    """Without a channel nothing is sent, and the manager hears why."""
    async with running(default_channel=None, everyone_else=Manager(())) as world:
        await world.hook(written("m-1", conversation=None))
    assert not world.to_whatsapp.carried
    [status] = statuses(world)
    assert status.failure is Failure.OTHER
    assert status.reason == reason_text(Reason.NO_CHANNEL, Language.RU)


async def test_an_unknown_outcome_is_never_sent_again_and_the_manager_is_told() -> None:
    """A message that may have arrived is not repeated: the manager decides."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, Unknown("timed out"))
        await world.hook(written("m-1"))
        await world.clock.advance_ms(2 * HOUR)
    assert world.to_whatsapp.keys == ["reply:m-1"]
    assert [s.reason for s in statuses(world)] == [reason_text(Reason.OUTCOME_UNKNOWN, Language.RU)]


async def test_a_reply_that_cannot_be_sent_in_time_dies_and_is_told() -> None:
    """After ``give_up_after.whatsapp`` no stale message bursts out."""
    async with running(give_up_whatsapp_ms=HOUR) as world:
        world.to_whatsapp.plan(OUT, *[Retry("not connected")] * 1000)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(HOUR - MINUTE)
        assert not statuses(world)
        await world.clock.advance_ms(2 * MINUTE)
        tried = len(world.to_whatsapp.carried)
        await world.clock.advance_ms(HOUR)
    assert len(world.to_whatsapp.carried) == tried
    assert [s.reason for s in statuses(world)] == [
        reason_text(Reason.EXPIRED, Language.RU, channel="Продажи")
    ]


@pytest.mark.parametrize("retried", [True, False])
async def test_whose_time_is_over_is_told_what_it_waited_for(*, retried: bool) -> None:
    """Whether the last attempt failed or none could be made: the courier knows how things stand."""
    async with running(give_up_whatsapp_ms=HOUR) as world:
        world.to_whatsapp.why = Reason.LOGGED_OUT
        later = Retry("not connected") if retried else Retry("not connected", HOUR)
        world.to_whatsapp.plan(OUT, *[later] * 1000)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(HOUR + MINUTE)
    assert [s.reason for s in statuses(world)] == [
        reason_text(Reason.LOGGED_OUT, Language.RU, channel="Продажи")
    ]


async def test_a_failed_status_does_not_follow_a_better_one() -> None:
    """What was delivered is never called failed afterwards."""
    async with running() as world:
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.DELIVERED, "ref-reply:m-1"))
        await world.hear(receipt(Status.FAILED, "ref-reply:m-1"))
    assert [s.status for s in statuses(world)] == [Status.DELIVERED]


async def test_a_dead_status_troubles_nobody() -> None:
    """A receipt that cannot be told dies alone and makes no new letter."""
    async with running() as world:
        world.into_amocrm.plan("status:m-1", Dead("message unknown"))
        await world.hook(written("m-1"))
        await settle()
        await world.hear(receipt(Status.DELIVERED, "ref-reply:m-1"))
    assert world.events()[-1] == "dead"
    assert len(bodies(world)) == 1


async def test_what_the_relay_sent_is_not_imported_again() -> None:
    """An echo of our own message on WhatsApp is not a message typed on the phone."""
    async with running(import_sent_from_phone=True) as world:
        await world.hook(written("m-1"))
        await settle()
        await world.hear(replace(from_client("ref-reply:m-1"), origin=Origin.PHONE))
    assert not bodies(world)


async def test_a_payload_that_nobody_can_read_is_set_aside_and_holds_nothing() -> None:
    """A row that makes no sense stays in the journal; what came after it goes its way."""
    async with running() as world:
        await world.hear(from_client("A1"), channel="gone")
        await world.hear(from_client("A2"))
    assert world.into_amocrm.keys == ["message:wa-74950000001-A2"]
    assert world.events()[:1] == ["unreadable"]


async def test_a_deferred_message_arrives_under_the_same_id() -> None:
    """A repetition is recognised by its id: it never changes."""
    async with running() as world:
        lane = "in:wa-74950000001-79001234567"
        world.into_amocrm.plan(lane, Retry("503"), Retry("timeout"), Delivered("x"))
        await world.hear(from_client("A1"))
        await world.clock.advance_ms(MINUTE)
    assert world.into_amocrm.keys == ["message:wa-74950000001-A1"] * 3
    assert len({entry.letter.body for entry in world.into_amocrm.carried}) == 1
