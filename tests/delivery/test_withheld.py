"""A message that WhatsApp repeats and the engine cannot tell again: was it ever told of?"""

from __future__ import annotations

from dataclasses import replace

from relay.domain.bodies import NewMessage
from relay.domain.contents import UNDECRYPTABLE, Text, Unsupported
from relay.domain.ids import WhatsAppMessageId
from relay.domain.message import Withheld
from tests.delivery.test_flow import bodies
from tests.delivery.world import World, from_client, running

PLACEHOLDER = Unsupported(UNDECRYPTABLE)


def withheld(name: str = "3A0F") -> Withheld:
    stand_in = replace(from_client(f"{name}~"), content=PLACEHOLDER)
    return Withheld(WhatsAppMessageId(name), stand_in)


def contents(world: World) -> list[object]:
    return [body.content for body in bodies(world) if isinstance(body, NewMessage)]


async def keep(world: World, payload: bytes, channel: str = "sales") -> None:
    """A row of the journal of which nothing became a message."""
    source = f"whatsapp/{channel}"
    await world.store.transact(lambda ledger: ledger.append_read(source, payload, "t", 1, "noise"))


async def test_a_message_that_was_never_heard_leaves_a_placeholder() -> None:
    """At once, for nothing better can follow; and once, however often WhatsApp repeats it."""
    async with running() as world:
        await world.hear(from_client("3A0E", "до"))
        await world.hear(withheld())
        await world.hear(withheld())
        await world.hear(from_client("3A10", "после"))
        await world.clock.advance_ms(0)
    assert contents(world) == [Text("до"), PLACEHOLDER, Text("после")]
    assert world.events().count("ignored") == 1


async def test_a_message_that_was_heard_leaves_none() -> None:
    """It was in amoCRM, only WhatsApp did not know."""
    async with running() as world:
        await world.hear(from_client("3A0F", "вот"))
        await world.hear(withheld())
        await world.clock.advance_ms(0)
    assert contents(world) == [Text("вот")]
    assert world.events().count("ignored") == 1


async def test_what_was_heard_and_was_no_message_leaves_none() -> None:
    """A reaction or the protocol's own is found in the journal, as it came."""
    async with running() as world:
        await keep(world, b"linked_device/1 17 74950000001\n\x0a\x043A0F...")
        await world.hear(withheld())
        await world.clock.advance_ms(0)
    assert contents(world) == []


async def test_what_another_channel_heard_does_not_count() -> None:
    """Two numbers of ours in one office hear the same people."""
    async with running() as world:
        await keep(world, b"3A0F", channel="support")
        await world.hear(withheld())
        await world.clock.advance_ms(0)
    assert contents(world) == [PLACEHOLDER]
