"""Hooks for what the relay itself put into amoCRM, whenever they come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.domain.contents import Text
from relay.domain.ids import CrmPersonId
from relay.domain.message import Origin, Received, Written
from relay.domain.outbox import Delivered, Retry
from relay.domain.retry import SECOND
from tests.clock import settle
from tests.delivery.memory_store import MemoryStore
from tests.delivery.world import World, from_client, running, written

BOT = CrmPersonId("the-bot")
CHAT = "wa-74950000001-79001234567"
LANE = f"in:{CHAT}"
IMPORTING: dict[str, Any] = {"import_sent_from_phone": True, "bot": BOT}


def typed(id_: str, text: str = "Уже едем") -> Received:
    """Somebody typed it on the phone."""
    return replace(from_client(id_, text), origin=Origin.PHONE)


def echo(id_: str, text: str = "Уже едем", conversation: str | None = CHAT) -> Written:
    """AmoCRM calls because of what was imported."""
    marked = Text(f"[Отправлено с телефона] {text}")
    return replace(written(id_, conversation), author=BOT, content=marked)


def ignored(world: World) -> list[str | None]:
    return [step.detail for step in world.steps if step.event == "ignored"]


async def test_a_hook_after_the_answer_is_known_by_its_id() -> None:
    """The answer told amoCRM's id; a hook with it is dropped, whatever it says, however often."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.plan(LANE, Delivered("crm-1"))
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("crm-1"))
        await world.hook(replace(written("crm-1"), content=Text("as amoCRM likes to show it")))
    assert world.to_whatsapp.carried == []
    assert ignored(world) == ["posted_by_relay"] * 2


async def test_a_hook_before_the_answer_is_known_by_what_it_says() -> None:
    """While the import is being posted nobody knows its id; afterwards it is known by that too."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.gate.clear()
        world.into_amocrm.plan(LANE, Delivered("crm-1"))
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("crm-1"))
        await settle()
        world.into_amocrm.gate.set()
        await settle()
        await world.hook(written("crm-1"))
    assert world.to_whatsapp.carried == []
    assert ignored(world) == ["posted_by_relay"] * 2


async def test_a_hook_between_two_attempts_is_known_too() -> None:
    """An attempt whose answer was lost has arrived: the hook says so before the next one."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.plan(LANE, Retry("timed out"), Delivered(None))
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("crm-1"))
        await world.clock.advance_ms(60 * SECOND)
        await world.hook(echo("crm-1"))
    assert len(world.into_amocrm.carried) == 2
    assert world.to_whatsapp.carried == []


async def test_a_hook_after_an_answer_that_told_no_id_is_known_too() -> None:
    """AmoCRM only said that it has the message already; which id it has comes with the hook."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.plan(LANE, Delivered(None))
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("crm-1"))
        await world.hook(replace(written("crm-1"), content=Text("once more")))
    assert world.to_whatsapp.carried == []


async def test_it_is_known_after_a_kill() -> None:
    """The import was posted, the relay died before the answer, the hook waited at the door."""
    store = MemoryStore()
    async with running(store, **IMPORTING) as world:
        world.into_amocrm.gate.clear()
        await world.hear(typed("A1"))
    async with running(store, before=lambda w: w.into_amocrm.gate.clear(), **IMPORTING) as world:
        await world.hook(echo("crm-1"))
    assert world.to_whatsapp.carried == []
    assert ignored(world) == ["posted_by_relay"]


async def test_two_imports_of_the_same_words_have_an_echo_each() -> None:
    """He said "yes" twice on the phone: neither comes back, and a manager's own "yes" goes out."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.plan(LANE, Delivered("crm-1"), Delivered("crm-2"))
        await world.hear(typed("A1", "Да"))
        await world.hear(typed("A2", "Да"))
        await settle()
        for hook in (echo("crm-1", "Да"), echo("crm-2", "Да")):
            await world.hook(hook)
        await world.hook(replace(written("m-1"), content=Text("Да")))
    assert world.to_whatsapp.keys == ["reply:m-1"]


@pytest.mark.parametrize(
    "hook",
    [
        replace(written("m-1"), content=Text("Уже едем")),
        replace(echo("m-1"), author=CrmPersonId("user-1"), written_at_ms=1_770_000_000_001),
        replace(echo("m-1"), author=CrmPersonId("robot-1"), content=Text("Уже едем")),
        replace(echo("m-1"), content=Text("Уже едем")),
        echo("m-1", conversation="wa-74950000001-79007654321"),
    ],
    ids=["same words", "words and mark", "a robot", "a robot in the bot's name", "another chat"],
)
async def test_nobodys_real_message_is_swallowed(hook: Written) -> None:
    """The closest that a person or a robot can come to an import under way still goes out."""
    async with running(**IMPORTING) as world:
        world.into_amocrm.gate.clear()
        await world.hear(typed("A1"))
        await settle()
        await world.hook(hook)
        await settle()
        assert world.to_whatsapp.keys == ["reply:m-1"]
        world.into_amocrm.gate.set()


async def test_nothing_is_swallowed_when_nothing_is_under_way() -> None:
    """Before the import was accepted, and after its id is known, only the id counts."""
    async with running(**IMPORTING) as world:
        await world.hook(echo("m-1"))
        world.into_amocrm.plan(LANE, Delivered("crm-1"))
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("m-2"))
    assert world.to_whatsapp.keys == ["reply:m-1", "reply:m-2"]


async def test_a_chat_that_amocrm_began_is_known_by_its_own_id() -> None:
    """The hook need not know our ids: the chat leads to the conversation."""
    async with running(**IMPORTING) as world:
        await world.hook(written("m-1", conversation=None))
        await settle()
        world.into_amocrm.gate.clear()
        await world.hear(typed("A1"))
        await settle()
        await world.hook(echo("crm-1", conversation=None))
        world.into_amocrm.gate.set()
    assert world.to_whatsapp.keys == ["reply:m-1"]
