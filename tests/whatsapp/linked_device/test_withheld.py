"""What the library's log tells of messages that it withholds."""

from __future__ import annotations

from typing import cast

import pytest

from relay.domain.contents import UNDECRYPTABLE, Unsupported
from relay.domain.ids import ClientAddress
from relay.domain.message import Client, Noise, Origin, WhatsAppEvent, Withheld
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.numbers import stranger_in
from relay.whatsapp.linked_device.protobufs import OwnDevice, parse
from relay.whatsapp.linked_device.reading import placeholder_id
from relay.whatsapp.linked_device.withheld import read_withheld
from tests.whatsapp.linked_device import samples

WHY = "failed to decrypt normal message: received message with old counter"
BY_NUMBER = Client(ClientAddress("79161234567"), "+79161234567")
BY_LID = Client(ClientAddress("lid:100000000000003"))
DEVICE = cast(OwnDevice, parse("Device", samples.device()))
NOW_MS = 1_770_000_000_000


def event_of(where: str) -> bytes:
    event = read_withheld(f"Ignoring message 3A01 from {where}: {WHY}", DEVICE, NOW_MS)
    assert event is not None
    return event


def told(where: str) -> WhatsAppEvent:
    return samples.read(Code.WITHHELD, event_of(where))


@pytest.mark.parametrize(
    ("where", "client", "origin"),
    [
        ("79161234567@s.whatsapp.net", BY_NUMBER, Origin.CLIENT),
        ("100000000000003@lid", BY_LID, Origin.CLIENT),
        ("100000000000003:12@lid in 100000000000003@lid", BY_LID, Origin.CLIENT),
        ("79161234567.0:7@s.whatsapp.net in 79161234567@s.whatsapp.net", BY_NUMBER, Origin.CLIENT),
        ("100000000000002@lid in 100000000000003@lid", BY_LID, Origin.PHONE),
        ("74950000001:3@s.whatsapp.net in 79161234567@s.whatsapp.net", BY_NUMBER, Origin.PHONE),
    ],
)
def test_a_message_between_a_client_and_us(where: str, client: Client, origin: Origin) -> None:
    """Whose chat it is, who wrote, its id; something stands in for it under another id."""
    event = told(where)
    assert isinstance(event, Withheld)
    stand_in = event.stand_in
    assert (event.id, stand_in.id) == ("3A01", placeholder_id(event.id))
    assert (stand_in.client, stand_in.origin, stand_in.own) == (client, origin, samples.OWN)
    assert (stand_in.content, stand_in.sent_at_ms) == (Unsupported(UNDECRYPTABLE), NOW_MS)


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("100000000000002@lid", "self"),
        ("74950000001:0@s.whatsapp.net in 74950000001@s.whatsapp.net", "self"),
        ("100000000000003@lid in 120363000000000001@g.us", "group"),
        ("79161234567@s.whatsapp.net in status@broadcast", "status"),
        ("0@s.whatsapp.net", "service"),
    ],
)
def test_what_is_no_conversation_with_a_client(where: str, rule: str) -> None:
    """It is noise, as it would have been had the library told of it."""
    assert told(where) == Noise(rule)


def test_a_hidden_address_is_looked_up() -> None:
    """The line never tells a number beside it."""
    assert stranger_in(Code.WITHHELD, event_of("100000000000003@lid")) == "100000000000003"
    assert stranger_in(Code.WITHHELD, event_of("79161234567@s.whatsapp.net")) is None


@pytest.mark.parametrize("line", ["", "Ignoring message", "Ignoring message 3A01", "Got 401"])
def test_another_line_tells_nothing(line: str) -> None:
    """A version of the library with other words is not misread."""
    assert read_withheld(line, DEVICE, NOW_MS) is None
