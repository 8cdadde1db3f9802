"""What happens to a message afterwards: edits, deletions, reactions, quotes, typing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from relay.delivery.letters import Cause, Composing
from relay.delivery.revisions import LINKED_MS, revision_letters
from relay.domain.blacklist import Blacklist
from relay.domain.bodies import (
    Known,
    NewMessage,
    Quote,
    Reaction,
    Reply,
    ReplyReaction,
    Revision,
)
from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import (
    Client,
    CrmReaction,
    CrmTyping,
    Deleted,
    Edited,
    Origin,
    Reacted,
)
from relay.domain.outbox import Dead, Delivered
from relay.domain.settings import Language
from tests.clock import HandClock, settle
from tests.delivery.world import OWN, SETTINGS, World, from_client, running, written

ANNA = Client(ClientAddress("79001234567"), "+79001234567", "Анна")
CONVERSATION = ConversationId("wa-74950000001-79001234567")
IN, OUT = f"in:{CONVERSATION}", f"out:{CONVERSATION}"
A1 = WhatsAppMessageId("A1")
AT_MS = 1_770_000_100_000
FIRST = Known(MessageId("wa-74950000001-A1"), CrmMessageId("ref-message:wa-74950000001-A1"))


def edited(
    text: str, id_: str = "E1", target: str = "A1", origin: Origin = Origin.CLIENT
) -> Edited:
    own_id, other = WhatsAppMessageId(id_), WhatsAppMessageId(target)
    return Edited(OWN, ANNA, own_id, other, AT_MS, origin, Text(text))


def deleted(target: str = "A1", origin: Origin = Origin.CLIENT) -> Deleted:
    return Deleted(OWN, ANNA, WhatsAppMessageId("D1"), WhatsAppMessageId(target), AT_MS, origin)


def reacted(emoji: str, target: str = "A1", origin: Origin = Origin.CLIENT) -> Reacted:
    id_, other = WhatsAppMessageId(f"R{emoji}"), WhatsAppMessageId(target)
    return Reacted(OWN, ANNA, id_, other, AT_MS, origin, emoji)


def carried(world: World) -> list[object]:
    return [entry.letter.body for entry in world.into_amocrm.carried]


def ignored(world: World) -> list[str | None]:
    return [step.detail for step in world.steps if step.event == "ignored"]


# --- Into amoCRM ----------------------------------------------------------------------------------


async def test_an_edit_follows_its_message() -> None:
    """What the client corrects is corrected in amoCRM, under the id amoCRM knows it by."""
    async with running() as world:
        await world.hear(from_client("A1", "Првет"))
        await settle()
        await world.hear(edited("Привет"))
    [_, revision] = carried(world)
    assert revision == Revision(CONVERSATION, FIRST, Text("Привет"), AT_MS)


async def test_an_edit_waits_behind_its_message() -> None:
    """While the message is not in amoCRM yet, its edit waits in the same lane."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        await world.hear(from_client("A1"))
        await world.hear(edited("Другое"))
        await settle()
        assert len(world.into_amocrm.carried) == 1
        world.into_amocrm.gate.set()
        await settle()
    assert [type(body) for body in carried(world)] == [NewMessage, Revision]
    assert {entry.letter.lane for entry in world.into_amocrm.carried} == {IN}


async def test_the_same_edit_twice_is_one() -> None:
    """An edit has an id of its own; a repetition changes nothing."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        await world.hear(edited("Раз"), edited("Раз"), edited("Два", "E2"))
    texts = [body.content for body in carried(world) if isinstance(body, Revision)]
    assert texts == [Text("Раз"), Text("Два")]


async def test_an_edit_that_comes_first_is_the_message() -> None:
    """The first wording comes later, if at all: amoCRM has the last one, once."""
    async with running() as world:
        await world.hear(edited("Исправлено"))
        await settle()
        await world.hear(from_client("A1", "Сначала так"))
    [message] = carried(world)
    assert isinstance(message, NewMessage)
    assert (message.whatsapp_id, message.content) == (A1, Text("Исправлено"))


async def test_an_edit_of_a_message_that_died_is_a_message() -> None:
    """amoCRM never got the first wording, so the new one comes as a message of its own."""
    async with running() as world:
        world.into_amocrm.plan(IN, Dead("refused"))
        await world.hear(from_client("A1"))
        await settle()
        await world.hear(edited("Исправлено"))
    [_, message] = carried(world)
    assert isinstance(message, NewMessage)
    assert (message.whatsapp_id, message.content) == (WhatsAppMessageId("E1"), Text("Исправлено"))


@pytest.mark.parametrize(
    ("keep", "text"), [(True, "Секрет"), (False, "")], ids=["kept", "not kept"]
)
async def test_what_is_taken_back_stays_readable_if_the_file_says_so(keep: bool, text: str) -> None:
    """amoCRM cannot delete: a mark says it, before the words or in their place."""
    async with running(keep_deleted=keep, language=Language.EN) as world:
        await world.hear(from_client("A1", "Секрет"))
        await settle()
        await world.hear(deleted())
    [_, revision] = carried(world)
    assert revision == Revision(CONVERSATION, FIRST, Text(text), AT_MS, ("[Deleted]",))


@pytest.mark.parametrize("change", [edited("x", target="Q"), deleted("Q"), reacted("👍", "Q")])
async def test_what_speaks_of_nothing_is_dropped(change: Edited | Deleted | Reacted) -> None:
    """Deletions and reactions of messages that never came this way say nothing to anybody."""
    async with running() as world:
        await world.hear(change)
    if isinstance(change, Edited):
        assert [type(body) for body in carried(world)] == [NewMessage]
    else:
        assert carried(world) == []
        assert ignored(world) == ["unknown_target"]


async def test_only_its_writer_changes_a_message() -> None:
    """A client can name any id: what somebody on our side wrote he neither edits nor deletes."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, Delivered("W1"))
        await world.hook(written("m-1"))
        await settle()
        await world.hear(edited("Подлог", target="W1"), deleted("W1"))
    assert carried(world) == []
    assert ignored(world) == ["not_its_writer", "not_its_writer"]


async def test_what_the_phone_changes_of_a_managers_message() -> None:
    """It is shown, without marks, if what is typed on the phone is imported at all."""
    async with running(import_sent_from_phone=True) as world:
        world.to_whatsapp.plan(OUT, Delivered("W1"))
        await world.hook(written("m-1"))
        await settle()
        await world.hear(edited("Добрый вечер", target="W1", origin=Origin.PHONE))
    [revision] = carried(world)
    known = Known(MessageId("wa-74950000001-W1"), CrmMessageId("m-1"))
    assert revision == Revision(CONVERSATION, known, Text("Добрый вечер"), AT_MS)


async def test_the_rules_hold_for_what_comes_afterwards() -> None:
    """Blacklisted since: nothing of that conversation enters amoCRM any more."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        world.settings = replace(world.settings, blacklist=Blacklist.compiled(["+79001234567"]))
        await world.hear(edited("x"), deleted(), reacted("👍"))
        await settle()
    assert len(carried(world)) == 1
    assert ignored(world) == ["blacklist"] * 3


async def test_a_reaction_and_its_end() -> None:
    """An emoji comes to its message, and goes again."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        await world.hear(reacted("👍"), reacted(""))
    [_, on, off] = carried(world)
    assert on == Reaction(CONVERSATION, FIRST, ANNA, Origin.CLIENT, "👍")
    assert off == Reaction(CONVERSATION, FIRST, ANNA, Origin.CLIENT, "")


async def test_a_reaction_may_be_quicker_than_the_answer_to_the_sending() -> None:
    """It waits until the id of the message is known, and what takes it back waits behind it."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, Delivered("W1"))
        await world.hear(from_client("A1"))
        await settle()
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        await world.hear(reacted("👍", "W1"))
        await world.hear(from_client("A2"))
        await settle()
        assert [type(body) for body in carried(world)] == [NewMessage] * 2  # nobody else waits
        world.to_whatsapp.gate.set()
        await world.hear(reacted("", "W1"))
        await settle()
    ours = Known(MessageId("wa-74950000001-W1"), CrmMessageId("m-1"))
    [*_, on, off] = carried(world)
    assert on == Reaction(CONVERSATION, ours, ANNA, Origin.CLIENT, "👍")
    assert off == Reaction(CONVERSATION, ours, ANNA, Origin.CLIENT, "")
    assert ignored(world) == []


async def test_a_sending_through_another_number_holds_nothing() -> None:
    """What it sends has other ids: a message unknown to this number stays unknown."""
    async with running() as world:
        await world.hear(from_client("A1"))
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        await world.hear(replace(reacted("👍", "W9"), own=OwnNumber("74950000002")))
        await settle()
        assert ignored(world) == ["unknown_target"]
        world.to_whatsapp.gate.set()


async def test_what_follows_a_held_reaction_waits_behind_it() -> None:
    """Even if the message is known by then: the emoji of now must not come before that of then."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        now_ms = world.clock.now_ms()
        cause = Cause("trace", ChannelId("sales"), SETTINGS, now_ms, now_ms)
        places: list[Collection[str]] = []

        def ahead(asked: Collection[str]) -> bool:
            places.append(asked)
            return True

        result = await world.store.query(
            lambda ledger: revision_letters(ledger, reacted(""), cause, ahead)
        )
    assert result.held is not None
    assert [result.held.places] == places


async def test_what_speaks_of_an_unknown_message_waits_a_minute_at_most() -> None:
    """A sending that hangs does not keep it for ever."""
    clock = HandClock()
    async with running(clock=clock) as world:
        await world.hear(from_client("A1"))
        world.to_whatsapp.gate.clear()
        await world.hook(written("m-1"))
        await settle()
        await world.hear(reacted("👍", "W9"))
        await clock.advance_ms(LINKED_MS - 1)
        assert ignored(world) == []
        await clock.advance_ms(6_000)
        assert ignored(world) == ["unknown_target"]
        world.to_whatsapp.gate.set()


async def test_an_answer_names_what_it_answers() -> None:
    """A quotation of a message that amoCRM has; one of anything else goes without."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        await world.hear(replace(from_client("A2"), quotes=A1))
        await world.hear(replace(from_client("A3"), quotes=WhatsAppMessageId("Q")))
    quotes = [body.quotes for body in carried(world) if isinstance(body, NewMessage)]
    assert quotes == [None, FIRST, None]


# --- Out to WhatsApp ------------------------------------------------------------------------------


async def test_a_managers_answer_quotes() -> None:
    """What the manager answers is quoted on WhatsApp, with its words and its writer's side."""
    async with running() as world:
        await world.hear(from_client("A1", "Сколько стоит?"))
        await settle()
        await world.hook(replace(written("m-1"), quotes=FIRST.crm))
    [entry] = world.to_whatsapp.carried
    assert isinstance(entry.letter.body, Reply)
    assert entry.letter.body.quotes == Quote(A1, by_client=True, content=Text("Сколько стоит?"))


async def test_a_quote_of_another_number_of_ours_is_left_out() -> None:
    """The message quoted was never seen there."""
    async with running() as world:
        await world.hook(replace(written("m-1"), quotes=CrmMessageId("unheard")))
    [entry] = world.to_whatsapp.carried
    assert isinstance(entry.letter.body, Reply)
    assert entry.letter.body.quotes is None


async def test_a_managers_reaction_reaches_its_message() -> None:
    """On the client's message, and on one that a manager had sent."""
    async with running() as world:
        world.to_whatsapp.plan(OUT, Delivered("W1"))
        await world.hear(from_client("A1"))
        await world.hook(written("m-1"))
        await settle()
        await world.hook(reaction(FIRST.crm or CrmMessageId(""), "❤️"))
        await world.hook(reaction(CrmMessageId("m-1"), ""))
    [_, heart, none] = [entry.letter.body for entry in world.to_whatsapp.carried]
    there = (CONVERSATION, ChannelId("sales"), OWN, ClientAddress("79001234567"))
    assert heart == ReplyReaction(*there, A1, by_client=True, emoji="❤️")
    assert none == ReplyReaction(*there, WhatsAppMessageId("W1"), by_client=False, emoji="")


async def test_every_change_of_mind_reaches_the_client() -> None:
    """amoCRM's hooks tell seconds: on, off and on again within one of them are three."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        for emoji in ("❤️", "", "❤️"):
            await world.hook(reaction(FIRST.crm or CrmMessageId(""), emoji))
    bodies = [entry.letter.body for entry in world.to_whatsapp.carried]
    assert [b.emoji for b in bodies if isinstance(b, ReplyReaction)] == ["❤️", "", "❤️"]


async def test_a_reaction_to_an_unknown_message_is_dropped() -> None:
    """There is nothing to put it on."""
    async with running() as world:
        await world.hook(reaction(CrmMessageId("unheard"), "👍"))
    assert not world.to_whatsapp.carried
    assert ignored(world) == ["unknown_target"]


async def test_typing_is_told_at_once_and_never_kept() -> None:
    """Who types in amoCRM is seen typing, by the client of that chat."""
    async with running() as world:
        await world.hear(from_client("A1"))
        await settle()
        await world.hook(CrmTyping(CrmChatId("chat-1"), CONVERSATION))
        await world.hook(CrmTyping(CrmChatId("chat-9"), None))
    assert world.typed == [Composing(ChannelId("sales"), ClientAddress("79001234567"))]
    assert not world.to_whatsapp.carried


def reaction(message: CrmMessageId, emoji: str) -> CrmReaction:
    return CrmReaction(
        CrmChatId("chat-1"), CONVERSATION, message, CrmPersonId("user-1"), emoji, AT_MS
    )
