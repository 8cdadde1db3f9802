"""What waits a moment before it goes into amoCRM, because something better mostly follows."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.holding import STAND_IN_MS, STRANGER_MS
from relay.domain.ids import ClientAddress, WhatsAppMessageId
from relay.domain.message import UNDECRYPTABLE, Alias, NewMessage, Received, Text, Unsupported
from relay.domain.retry import HOUR
from tests.clock import settle
from tests.delivery.test_flow import bodies
from tests.delivery.test_people import BY_NUMBER, HIDDEN, NUMBER, SAME, hidden, told
from tests.delivery.world import OWN, World, from_client, running, written

STAND_IN = WhatsAppMessageId("A1~")


def unreadable() -> Received:
    return replace(from_client(STAND_IN), content=Unsupported(UNDECRYPTABLE))


def at_last(text: str = "вот") -> Received:
    return replace(from_client("A1", text), instead_of=STAND_IN)


def contents(world: World) -> list[object]:
    return [body.content for body in bodies(world) if isinstance(body, NewMessage)]


# --- Messages that could not be read --------------------------------------------------------------


async def test_a_message_that_comes_after_all_needs_no_placeholder() -> None:
    """It came within seconds: a manager sees it alone, and who waited behind goes too."""
    async with running() as world:
        await world.hear(unreadable())
        await world.hear(from_client("A2", "после"))
        await world.clock.advance_ms(STAND_IN_MS - 1)
        assert contents(world) == []
        await world.hear(at_last())
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Text("после"), Text("вот")]
    assert world.events().count("delivered") == 2


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


async def test_a_placeholder_on_its_way_is_left_to_arrive() -> None:
    """Nothing that may have been sent is called withdrawn."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        await world.hear(unreadable())
        await world.clock.advance_ms(STAND_IN_MS)
        await world.hear(at_last())
        await settle()
        world.into_amocrm.gate.set()
    assert contents(world) == [Unsupported(UNDECRYPTABLE), Text("вот")]


async def test_a_placeholder_sent_in_the_moment_it_is_withdrawn_harms_nobody() -> None:
    """The clock went back between: the delivery goes on, and the message arrives."""
    async with running() as world:
        world.into_amocrm.gate.clear()
        await world.hear(unreadable())
        await world.clock.advance_ms(STAND_IN_MS)
        world.clock.jump_ms(-STAND_IN_MS)
        await world.hear(at_last())
        await settle()
        world.into_amocrm.gate.set()
        await world.clock.advance_ms(HOUR)
    assert contents(world) == [Unsupported(UNDECRYPTABLE), Text("вот")]


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
