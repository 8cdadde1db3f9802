"""The rules into amoCRM, one by one and in order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.domain.contents import Text
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.incoming import Ignored, Incoming, decide_incoming
from relay.domain.message import Client, Origin, Received, Written
from relay.domain.settings import Channel, Settings

SALES = Channel(ChannelId("sales"), "Продажи", OwnNumber("74950000001"))
SUPPORT = Channel(ChannelId("support"), "Поддержка", OwnNumber("74950000002"))
NEW = Channel(ChannelId("new"), "Новый")
SETTINGS = Settings(channels={c.id: c for c in (SALES, SUPPORT, NEW)})
ANNA = ClientAddress("79001234567")

FROM_ANNA = Received(
    own=OwnNumber("74950000001"),
    client=Client(ANNA, "+79001234567", "Анна"),
    id=WhatsAppMessageId("A1"),
    sent_at_ms=1,
    origin=Origin.CLIENT,
    content=Text("Здравствуйте"),
)
WRITTEN = Written(
    id=CrmMessageId("m-1"),
    chat=CrmChatId("c-1"),
    conversation=None,
    author=CrmPersonId("u-1"),
    client=CrmPersonId("p-1"),
    phone="8 900 123-45-67",
    content=Text("Добрый день"),
    written_at_ms=2,
)


def test_a_clients_message_enters() -> None:
    """No rule keeps out what a client wrote."""
    assert decide_incoming(Incoming(FROM_ANNA), SETTINGS) == Incoming(FROM_ANNA)


@pytest.mark.parametrize("asked", [True, False])
def test_a_phones_message_enters_only_on_request(asked: bool) -> None:
    """``import_sent_from_phone`` decides about what the owner types on his phone."""
    typed = Incoming(replace(FROM_ANNA, origin=Origin.PHONE))
    verdict = decide_incoming(typed, replace(SETTINGS, import_sent_from_phone=asked))
    assert verdict == (typed if asked else Ignored("sent_from_phone"))


@pytest.mark.parametrize("asked", [True, False])
def test_what_the_relay_sent_never_comes_back(asked: bool) -> None:
    """An echo of our own message is no message, import or not."""
    echo = Incoming(replace(FROM_ANNA, origin=Origin.PHONE), sent_by_us=True)
    verdict = decide_incoming(echo, replace(SETTINGS, import_sent_from_phone=asked))
    assert verdict == Ignored("sent_by_relay")
