"""What a manager is told of a message to a number that is not on WhatsApp."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.delivery.ledger import Ledger
from relay.domain.blacklist import Blacklist
from relay.domain.bodies import ErrorReply, NewMessage, StatusUpdate
from relay.domain.contents import Text
from relay.domain.ids import CrmPersonId
from relay.domain.message import Failure, Status
from relay.domain.outbox import Dead, Delivered, Retry, Unknown
from relay.domain.phone_check import PhoneCheck
from relay.domain.reasons import Reason
from relay.domain.retry import DAY, HOUR, MINUTE
from relay.domain.settings import Language
from relay.domain.texts import reason_text
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import World, from_client, running, written

CHAT = "wa-74950000001-79001234567"
IN, OUT = f"in:{CHAT}", f"out:{CHAT}"
ABSENT = Dead("not there", Failure.NO_SUCH_CLIENT, Reason.NOT_ON_WHATSAPP)
BOT = CrmPersonId("the-bot")


def errors(world: World) -> list[ErrorReply]:
    bodies = (entry.letter.body for entry in world.into_amocrm.carried)
    return [body for body in bodies if isinstance(body, ErrorReply)]


def statuses(world: World) -> list[StatusUpdate]:
    bodies = (entry.letter.body for entry in world.into_amocrm.carried)
    return [body for body in bodies if isinstance(body, StatusUpdate)]


@pytest.mark.parametrize("language", Language)
async def test_the_chat_itself_gets_label_and_reason(language: Language) -> None:
    """Beside the status, in the same words, in the chat it was written in, at once."""
    async with running(error_label="[ОШИБКА]", language=language) as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1"))
    [status], [error] = statuses(world), errors(world)
    reason = reason_text(Reason.NOT_ON_WHATSAPP, language)
    assert (status.status, status.failure, status.reason) == (
        Status.FAILED, Failure.NO_SUCH_CLIENT, reason,
    )  # fmt: skip
    assert error.text == f"[ОШИБКА] {reason}"
    assert error.conversation == CHAT
    assert error.sent_at_ms == world.clock.now_ms()


async def test_without_error_replies_there_is_the_status_alone() -> None:
    """The setting decides about the chat, never about the status."""
    async with running(error_replies=False) as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1"))
    assert len(statuses(world)) == 1
    assert errors(world) == []


@pytest.mark.parametrize(
    "outcome", [Dead("refused"), Unknown("broke off"), Retry("down", after_ms=MINUTE)]
)
async def test_any_other_failure_has_its_status_alone(outcome: Dead | Unknown | Retry) -> None:
    """The chat hears only of numbers that are not on WhatsApp."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, *[outcome] * 100)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(2 * HOUR)
    assert [status.failure for status in statuses(world)] == [Failure.OTHER]
    assert errors(world) == []


@pytest.mark.parametrize("conversation", [CHAT, None])
async def test_a_number_known_to_be_absent_is_told_alike(conversation: str | None) -> None:
    """Refused without a send, in a chat of ours or in one that amoCRM has just begun."""
    store = MemoryStore()
    async with running(store) as world:

        def know(ledger: Ledger) -> None:
            check = PhoneCheck.answered(False, world.clock.now_ms())
            ledger.save_phone_check("79001234567", check)

        await store.transact(know)
        await world.hook(written("m-1", conversation))
    assert world.to_whatsapp.carried == []
    [error] = errors(world)
    began = None if conversation else ("chat-1", "client-1")
    assert error.conversation == CHAT
    assert (error.crm_chat, error.crm_client) == (began or (None, None))
    assert len(statuses(world)) == 1


async def test_a_chat_that_amocrm_began_gets_it_with_its_own_ids() -> None:
    """Else it would come into a second chat of the same client."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1", conversation=None))
    [error] = errors(world)
    assert (error.crm_chat, error.crm_client) == ("chat-1", "client-1")
    assert error.client.phone == "+79001234567"


async def test_it_stands_in_the_order_of_its_conversation() -> None:
    """Behind what came before it and before what comes after, however long amoCRM is away."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        world.into_amocrm.plan(IN, *[Retry("down", after_ms=MINUTE)] * 3)
        await world.hear(from_client("A1"))
        await world.hook(written("m-1"))
        await settle()
        await world.hear(from_client("A2"))
        await world.clock.advance_ms(HOUR)
    lane = [e.letter for e in world.into_amocrm.carried if e.letter.lane == IN]
    keys = [letter.key for letter in lane]
    order = list(dict.fromkeys(keys))
    assert [isinstance(letter.body, NewMessage) for letter in lane] == [True] * 4 + [False, True]
    assert order == [
        "message:wa-74950000001-A1",
        "message:wa-74950000001-error-m-1",
        "message:wa-74950000001-A2",
    ]


async def test_one_failed_message_has_one_error_reply_across_kills() -> None:
    """Killed at any moment, asked twice by amoCRM: the chat hears of it once, under one id."""
    store = MemoryStore()
    async with running(store) as world:
        world.into_amocrm.gate.clear()
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1"))
        await world.hook(written("m-1"))
    first = errors(world)
    async with running(store) as world:
        await world.hook(written("m-1"))
        await world.clock.advance_ms(HOUR)
    assert len({error.id for error in (*first, *errors(world))}) == 1
    assert len(errors(world)) == 1
    assert len(world.to_whatsapp.keys) == 0


@pytest.mark.parametrize("outcome", [Dead("amoCRM refused it"), Retry("down", after_ms=HOUR)])
async def test_its_own_failure_triggers_nothing(outcome: Dead | Retry) -> None:
    """An error reply that cannot be put into the chat is logged, and that is all."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        world.into_amocrm.plan(IN, *[outcome] * 500)
        await world.hook(written("m-1"))
        await world.clock.advance_ms(2 * DAY)
    assert len(statuses(world)) == 1
    assert len({error.id for error in errors(world)}) == 1
    assert [step.kind for step in world.steps if step.event == "dead"] == ["reply", "error_reply"]


@pytest.mark.parametrize("answered", [True, False])
async def test_its_echo_does_not_go_out_to_the_client(answered: bool) -> None:
    """It is in the bot's name: a hook for it, before or after the answer, is no message."""
    async with running(bot=BOT) as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        world.into_amocrm.plan(IN, Delivered("crm-1"))
        if not answered:
            world.into_amocrm.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        [error] = errors(world)
        echo = replace(written("crm-1"), author=BOT, content=Text(error.text))
        await world.hook(echo)
        world.into_amocrm.gate.set()
    assert world.to_whatsapp.keys == ["reply:m-1"]
    assert [s.detail for s in world.steps if s.event == "ignored"] == ["posted_by_relay"]


async def test_nothing_is_written_into_a_listed_numbers_chat() -> None:
    """The manager who wrote to him is told by the status; nothing enters his conversation."""
    async with running(blacklist=Blacklist.compiled(["+7900*"])) as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1"))
    assert len(statuses(world)) == 1
    assert errors(world) == []


async def test_an_odd_label_is_only_text() -> None:
    """Braces and brackets of the file mean nothing."""
    async with running(error_label="{reason} %s [") as world:
        world.to_whatsapp.plan(OUT, ABSENT)
        await world.hook(written("m-1"))
    assert errors(world)[0].text.startswith("{reason} %s [ ")
