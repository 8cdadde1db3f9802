"""What waits a moment before it goes into amoCRM, because something better mostly follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.delivery.holding import STAND_IN_MS, STRANGER_MS
from relay.domain.bodies import NewMessage
from relay.domain.contents import UNDECRYPTABLE, Text, Unsupported
from relay.domain.ids import ClientAddress, WhatsAppMessageId
from relay.domain.message import Alias, Received
from relay.domain.outbox import Dead, Delivered, Outcome, Retry
from relay.domain.retry import HOUR
from tests.clock import settle
from tests.delivery.test_flow import bodies
from tests.delivery.test_people import BY_HIDDEN, BY_NUMBER, HIDDEN, NUMBER, SAME, hidden, told
from tests.delivery.world import OWN, World, from_client, running, written


def unreadable(name: str = "A1") -> Received:
    return replace(from_client(f"{name}~"), content=Unsupported(UNDECRYPTABLE))


def at_last(text: str = "вот", name: str = "A1") -> Received:
    return replace(from_client(name, text), instead_of=WhatsAppMessageId(f"{name}~"))


def contents(world: World) -> list[object]:
    return [body.content for body in bodies(world) if isinstance(body, NewMessage)]


# --- Messages that could not be read --------------------------------------------------------------


async def test_a_message_that_comes_after_all_needs_no_placeholder() -> None:
    """It came within seconds: a manager sees it alone, in its place, and what waited behind it."""
    async with running() as world:
        await world.hear(unreadable())
        await world.hear(from_client("A2", "после"))
        await world.clock.advance_ms(STAND_IN_MS - 1)
        assert contents(world) == []
        await world.hear(at_last())
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Text("вот"), Text("после")]
    assert world.events().count("delivered") == 2


async def test_messages_that_come_in_reverse_after_all_keep_their_order() -> None:
    """Each goes where something stands in for it, which does not come back."""
    async with running() as world:
        for name in ("A1", "B1", "C1"):
            await world.hear(unreadable(name))
        await world.hear(from_client("D1", "после"))
        for name in ("C1", "B1", "A1"):
            await world.hear(at_last(f"слова {name}", name))
        for name in ("A1", "B1", "C1"):
            await world.hear(unreadable(name))
        await world.clock.advance_ms(HOUR)
    words = ["слова A1", "слова B1", "слова C1", "после"]
    assert contents(world) == [Text(text) for text in words]
    assert world.events().count("accepted") == 7  # three placeholders as well


async def test_what_does_not_come_is_shown_as_a_placeholder() -> None:
    """After ten seconds, once; what comes later still is a message of its own."""
    async with running() as world:
        await world.hear(unreadable())
        await world.clock.advance_ms(STAND_IN_MS)
        assert contents(world) == [Unsupported(UNDECRYPTABLE)]
        await world.hear(unreadable())
        await world.hear(at_last())
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Unsupported(UNDECRYPTABLE), Text("вот")]


async def test_a_placeholder_that_could_not_be_sent_yet_is_not_sent_any_more() -> None:
    """amoCRM was away, and meanwhile the message itself came."""
    async with running() as world:
        world.into_amocrm.plan(f"in:{BY_NUMBER}", Retry("503"))
        await world.hear(unreadable())
        await world.clock.advance_ms(STAND_IN_MS)
        await world.hear(at_last())
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Unsupported(UNDECRYPTABLE), Text("вот")]


@pytest.mark.parametrize("outcome", [Delivered("x"), Retry("503"), Dead("no")])
async def test_a_placeholder_withdrawn_on_its_way_harms_nobody(outcome: Outcome) -> None:
    """Whatever becomes of it: the message arrives, and so does everything after it."""
    async with running() as world:
        world.into_amocrm.plan(f"in:{BY_NUMBER}", outcome)
        world.into_amocrm.gate.clear()
        await world.hear(unreadable())
        await world.clock.advance_ms(STAND_IN_MS)
        await world.hear(at_last())
        await settle()
        world.into_amocrm.gate.set()
        await world.clock.advance_ms(HOUR)
        await world.hear(from_client("A2", "после"))
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Unsupported(UNDECRYPTABLE), Text("вот"), Text("после")]


# --- Strangers ------------------------------------------------------------------------------------


async def test_a_number_that_follows_at_once_is_there_with_the_first_message() -> None:
    """amoCRM keeps a contact as it first saw it, so the first message waits for the number."""
    async with running() as world:
        await world.hear(hidden("A1"))
        await world.hear(hidden("A2"))
        await settle()
        assert told(world) == []
        await world.hear(SAME)
        await world.clock.advance_ms(STRANGER_MS)
    assert [phone for _, _, phone in told(world)] == [f"+{NUMBER}"] * 2
    assert world.into_amocrm.keys == [f"message:wa-{OWN}-A1", f"message:wa-{OWN}-A2"]


async def test_who_stays_hidden_waits_once() -> None:
    """Two seconds for the first message, nothing for the rest."""
    async with running() as world:
        await world.hear(hidden("A1"))
        await world.clock.advance_ms(STRANGER_MS - 1)
        assert told(world) == []
        await world.clock.advance_ms(1)
        assert len(told(world)) == 1
        await world.hear(hidden("A2"))
        await settle()
        assert len(told(world)) == 2
    assert {phone for _, _, phone in told(world)} == {None}


async def test_an_answer_that_overtook_its_number_still_finds_the_chat_we_began() -> None:
    """It waits, and moves into the older conversation before anything that came after it."""
    async with running() as world:
        await world.hook(written("m-1", conversation=None))
        await settle()
        await world.hear(hidden("A1"))
        await world.hear(hidden("A2"))
        await world.hear(SAME)
        await world.hear(from_client("A3"))
        await world.clock.advance_ms(STRANGER_MS)
    assert told(world) == [(BY_NUMBER, NUMBER, f"+{NUMBER}")] * 3
    assert {body.crm_chat for body in bodies(world) if isinstance(body, NewMessage)} == {"chat-1"}
    assert world.into_amocrm.keys == [f"message:wa-{OWN}-A{number}" for number in (1, 2, 3)]


async def test_news_of_one_client_touches_no_other() -> None:
    """Another stranger goes on waiting for his own number."""
    async with running() as world:
        await world.hear(replace(hidden("B1"), client=replace(hidden("B1").client, name="Борис")))
        await world.hear(Alias(OWN, ClientAddress("lid:999"), NUMBER))
        await world.clock.advance_ms(STRANGER_MS)
    assert [address for _, address, _ in told(world)] == [HIDDEN]


async def test_a_number_that_comes_ends_the_waiting() -> None:
    """What waited for it goes as soon as anybody looks; a placeholder waits for its message."""
    async with running() as world:
        await world.hear(hidden("A1"))
        await world.hear(replace(unreadable(), client=hidden("A1").client))
        await settle()
        await world.hear(SAME)
        await world.hear(from_client("B1", client="79007654321"))
        await settle()
        keys = [f"message:wa-{OWN}-{name}" for name in ("A1", "B1")]
        assert sorted(world.into_amocrm.keys) == keys
        await world.clock.advance_ms(STAND_IN_MS)
    assert len(world.into_amocrm.keys) == 3
    assert {phone for _, address, phone in told(world) if address == HIDDEN} == {f"+{NUMBER}"}


async def test_what_was_tried_already_stays_where_it_may_have_arrived() -> None:
    """One message never goes into two chats."""
    async with running() as world:
        world.into_amocrm.plan(f"in:{BY_HIDDEN}", Retry("timeout"))
        await world.hook(written("m-1", conversation=None))
        await settle()
        await world.hear(hidden("A1"))
        await world.clock.advance_ms(STRANGER_MS)
        await world.hear(SAME)
        await world.clock.advance_ms(HOUR)
    assert [id_ for id_, _, _ in told(world)] == [BY_HIDDEN] * 2
