"""The rules out to WhatsApp, one by one and in order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.domain.contents import Text, Unsupported
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Client, Failure, Origin, Received, Written
from relay.domain.outgoing import Outgoing, Refused, decide_outgoing
from relay.domain.settings import Channel, Settings
from relay.domain.texts import Reason

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


def test_an_answer_goes_through_the_chats_own_channel() -> None:
    """The chat's channel wins over the default one."""
    settings = replace(SETTINGS, default_channel=SALES.id)
    verdict = decide_outgoing(Outgoing(WRITTEN, SUPPORT.own, ANNA), settings)
    assert isinstance(verdict, Outgoing)
    assert (verdict.channel, verdict.to) == (SUPPORT, ANNA)


def test_a_chat_without_a_channel_goes_through_the_default_one() -> None:
    """Write first: the number of the card, in any notation, through ``default_channel``."""
    verdict = decide_outgoing(Outgoing(WRITTEN), replace(SETTINGS, default_channel=SALES.id))
    assert isinstance(verdict, Outgoing)
    assert (verdict.channel, verdict.to) == (SALES, ANNA)


def test_a_chat_whose_channel_left_the_file_goes_through_the_default_one() -> None:
    """A number that no channel holds any more has no channel."""
    settings = replace(SETTINGS, default_channel=SALES.id)
    verdict = decide_outgoing(Outgoing(WRITTEN, OwnNumber("70000000000"), ANNA), settings)
    assert isinstance(verdict, Outgoing)
    assert verdict.channel == SALES


@pytest.mark.parametrize(
    ("outgoing", "default", "reason"),
    [
        (Outgoing(WRITTEN), None, Reason.NO_CHANNEL),
        (Outgoing(WRITTEN), NEW.id, Reason.NEVER_PAIRED),
        (Outgoing(replace(WRITTEN, phone="нет")), SALES.id, Reason.NO_PHONE),
        (Outgoing(replace(WRITTEN, phone=None)), SALES.id, Reason.NO_PHONE),
        (Outgoing(replace(WRITTEN, content=Unsupported("video"))), SALES.id, Reason.UNSUPPORTED),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_reason(
    outgoing: Outgoing, default: ChannelId | None, reason: Reason
) -> None:
    """Nothing is dropped in silence: each obstacle has its reason."""
    verdict = decide_outgoing(outgoing, replace(SETTINGS, default_channel=default))
    assert isinstance(verdict, Refused)
    assert verdict.reason is reason


@pytest.mark.parametrize(
    ("absent", "wrote", "refused"),
    [
        ((ANNA,), False, True),
        ((ANNA,), True, False),
        (("79007654321",), False, False),
        ((), False, False),
    ],
)
def test_a_number_known_to_be_absent_is_not_tried(
    absent: tuple[str, ...], wrote: bool, refused: bool
) -> None:
    """904 at once, for whoever has never written and is not on WhatsApp as far as is known."""
    outgoing = Outgoing(WRITTEN, wrote=wrote, absent=absent)
    verdict = decide_outgoing(outgoing, replace(SETTINGS, default_channel=SALES.id))
    if refused:
        assert verdict == Refused(Reason.NOT_ON_WHATSAPP, Failure.NO_SUCH_CLIENT)
    else:
        assert isinstance(verdict, Outgoing)
