"""WhatsApp as people see it: what is held, delivered, read, refused."""

from __future__ import annotations

import pytest

from relay.demo.pretended_whatsapp import Tick, World
from relay.demo.pretended_whatsapp.payload import read_payload
from relay.demo.pretended_whatsapp.world import LONGEST_TEXT, UnfitError
from relay.domain.contents import Text
from relay.domain.message import (
    Noise,
    Origin,
    Receipt,
    Received,
    Status,
    WhatsAppEvent,
)
from tests.demo.pretended_whatsapp.samples import ANNA, a_world


def held(world: World) -> list[WhatsAppEvent]:
    """What WhatsApp holds for the linked device, in the relay's words."""
    return [event for thing in world.line("sales").held for event in read_payload(thing.raw)]


def ticks(world: World) -> list[Tick]:
    return [bubble.tick for bubble in world.bubbles]


def test_a_clients_message_is_held_until_it_is_taken() -> None:
    """What a client writes waits for the linked device, and has one tick until that has it."""
    world = a_world()
    world.client_writes("anna", "sales", "hi")
    assert ticks(world) == [Tick.SENT]
    event = held(world)[0]
    assert isinstance(event, Received)
    assert (event.content, event.origin, event.client.phone) == (
        Text("hi"), Origin.CLIENT, f"+{ANNA}",
    )  # fmt: skip
    world.taken("sales")
    assert ticks(world) == [Tick.DELIVERED]
    assert held(world) == []


def test_what_the_owner_types_is_heard_by_the_linked_device() -> None:
    """A message typed on the handset comes as one of the phone, before its receipt."""
    world = a_world()
    world.owner_types("anna", "sales", "hi")
    message, receipt = held(world)
    assert isinstance(message, Received)
    assert message.origin is Origin.PHONE
    assert isinstance(receipt, Receipt)


def test_a_sent_message_is_delivered_at_once_and_read_when_the_chat_is_opened() -> None:
    """Receipts: delivered when the client's phone has it, read when its owner looks."""
    world = a_world()
    world.send("sales", ANNA, "hi")
    assert ticks(world) == [Tick.DELIVERED]
    world.client_reads("anna", "sales")
    assert ticks(world) == [Tick.READ]
    receipts = [event for event in held(world) if isinstance(event, Receipt)]
    assert [(r.ids, r.status) for r in receipts] == [
        (("M1",), Status.DELIVERED), (("M1",), Status.READ),
    ]  # fmt: skip


def test_a_phone_that_is_off_gets_its_messages_when_it_is_on() -> None:
    """A phone that is off gets and reads nothing; once it is on, all is delivered."""
    world = a_world()
    world.switch_client("anna", False)
    world.send("sales", ANNA, "hi")
    world.client_reads("anna", "sales")
    assert (ticks(world), held(world)) == ([Tick.SENT], [])
    world.switch_client("anna", True)
    assert ticks(world) == [Tick.DELIVERED]
    assert len(held(world)) == 1


def test_reading_twice_gives_one_receipt() -> None:
    """A receipt is given once for each step forward."""
    world = a_world()
    world.send("sales", ANNA, "hi")
    world.client_reads("anna", "sales")
    before = held(world)
    world.client_reads("anna", "sales")
    assert held(world) == before


def test_a_stranger_is_not_on_whatsapp() -> None:
    """A number that nobody has is not registered, and nothing is written to it."""
    world = a_world()
    assert world.send("sales", "79000000099", "hi") is None
    assert world.bubbles == []


@pytest.mark.parametrize("text", ["", "  \n", "x" * (LONGEST_TEXT + 1)])
def test_a_message_has_text(text: str) -> None:
    """An empty or endless message is refused."""
    with pytest.raises(UnfitError):
        a_world().client_writes("anna", "sales", text)


def test_nobody_unknown_writes() -> None:
    """Unknown clients and channels, and a phone that is off, are refused in words."""
    world = a_world()
    world.switch_client("boris", False)
    for person, channel in (("nobody", "sales"), ("anna", "nowhere"), ("boris", "sales")):
        with pytest.raises(UnfitError):
            world.client_writes(person, channel, "hi")


def test_each_channel_has_a_number_for_good() -> None:
    """A channel keeps its number; another channel has another one."""
    world = a_world()
    first = world.line("sales").number
    assert world.line("support").number != first
    assert world.line("sales").number == first


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"type":"message"}', b'{"type":"receipt","ids":[1]}', b"\xff"]
)
def test_nonsense_is_a_value_error(payload: bytes) -> None:
    """A payload that makes no sense raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r".+"):
        read_payload(payload)


def test_other_types_are_noise() -> None:
    """What is neither a message nor a receipt never enters amoCRM."""
    assert read_payload(b'{"type":"typing"}') == (Noise("typing"),)
