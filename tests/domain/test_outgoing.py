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
    UserId,
    WhatsAppMessageId,
)
from relay.domain.message import (
    Client,
    Failure,
    Origin,
    Received,
    Written,
)
from relay.domain.outgoing import Outgoing, Refused, Undecided, decide_outgoing
from relay.domain.reasons import Reason
from relay.domain.routing import Manager, Other
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


def test_an_answer_goes_through_the_chats_own_channel() -> None:
    """The chat's channel wins over the default one."""
    settings = replace(SETTINGS, default_channel=SALES.id)
    verdict = decide_outgoing(Outgoing(WRITTEN, own=SUPPORT.own, to=ANNA), settings)
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
    outgoing = Outgoing(WRITTEN, own=OwnNumber("70000000000"), to=ANNA, phone=ANNA)
    verdict = decide_outgoing(outgoing, settings)
    assert isinstance(verdict, Outgoing)
    assert verdict.channel == SALES


@pytest.mark.parametrize(
    ("outgoing", "default", "reason"),
    [
        (Outgoing(WRITTEN), None, Reason.NO_CHANNEL),
        (Outgoing(replace(WRITTEN, phone="нет")), SALES.id, Reason.NO_PHONE),
        (Outgoing(replace(WRITTEN, phone=None)), SALES.id, Reason.NO_PHONE),
        (Outgoing(replace(WRITTEN, content=Unsupported("video"))), SALES.id, Reason.UNSUPPORTED),
        (Outgoing(WRITTEN, Other.OUTSIDER), SALES.id, Reason.MAY_NOT_SEND),
        (Outgoing(WRITTEN, Manager(())), SALES.id, Reason.NO_CHANNEL),
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
    outgoing = Outgoing(WRITTEN, own=SALES.own, to=ANNA, wrote=wrote, absent=absent)
    verdict = decide_outgoing(outgoing, replace(SETTINGS, default_channel=SALES.id))
    if refused:
        assert verdict == Refused(Reason.NOT_ON_WHATSAPP, Failure.NO_SUCH_CLIENT)
    else:
        assert isinstance(verdict, Outgoing)


def test_a_channel_that_was_never_paired_is_waited_for() -> None:
    """Its number, and so the conversation, is not known yet; what it is told then is known."""
    verdict = decide_outgoing(Outgoing(WRITTEN), replace(SETTINGS, default_channel=NEW.id))
    assert verdict == Undecided(Refused(Reason.NEVER_PAIRED, channel_title="Новый"))


@pytest.mark.parametrize(
    ("source", "channels", "expected"),
    [
        (SUPPORT.own, (SALES.id, SUPPORT.id), SUPPORT),
        (SUPPORT.own, (SALES.id,), SALES),
        (OwnNumber("70000000000"), (SALES.id, SUPPORT.id), SALES),
        (None, (SUPPORT.id, SALES.id), SUPPORT),
    ],
)
def test_a_manager_who_writes_first_may_choose_the_source(
    source: OwnNumber | None, channels: tuple[ChannelId, ...], expected: Channel
) -> None:
    """The source's channel if he is bound to it; one that no channel holds chooses nothing."""
    written = replace(WRITTEN, source=source)
    verdict = decide_outgoing(Outgoing(written, Manager(channels)), SETTINGS)
    assert isinstance(verdict, Outgoing)
    assert verdict.channel == expected


LID = ClientAddress("lid:123456")


@pytest.mark.parametrize(
    ("phone", "card", "to"),
    [
        ("79001234567", "8 (999) 999-99-99", "79001234567"),
        (None, "8 (999) 999-99-99", "79999999999"),
    ],
)
def test_through_another_channel_a_message_goes_to_the_telephone_number(
    phone: str | None, card: str, to: str
) -> None:
    """To the one WhatsApp told, else to the card's; a hidden address stays with its own number."""
    outgoing = Outgoing(
        replace(WRITTEN, phone=card), Manager((SALES.id,)), SUPPORT.own, LID, phone=phone
    )
    verdict = decide_outgoing(outgoing, SETTINGS)
    assert isinstance(verdict, Outgoing)
    assert (verdict.channel, verdict.to) == (SALES, to)


def test_without_a_number_another_channel_cannot_reach_him() -> None:
    """And the manager is told what he can do."""
    written = replace(WRITTEN, phone=None)
    outgoing = Outgoing(written, Manager((SALES.id,)), SUPPORT.own, LID)
    assert decide_outgoing(outgoing, SETTINGS) == Refused(Reason.HIDDEN_PHONE)


def test_a_manager_signs_and_a_robot_does_not() -> None:
    """The same words go out with his signature, or as they are."""
    settings = replace(SETTINGS, default_channel=SALES.id)
    signing = decide_outgoing(Outgoing(WRITTEN, Manager((SALES.id,), "Анна")), settings)
    robot = decide_outgoing(Outgoing(WRITTEN), settings)
    assert isinstance(signing, Outgoing)
    assert isinstance(robot, Outgoing)
    assert signing.written.content == Text("Добрый день\n\nАнна")
    assert robot.written.content == Text("Добрый день")


@pytest.mark.parametrize(
    ("text", "signature", "fits"),
    [
        ("x" * 65_536, "", True),
        ("x" * 65_537, "", False),
        ("x" * 65_530, "Анна", True),
        ("x" * 65_531, "Анна", False),
        ("👋" * 32_768, "", True),
        ("👋" * 32_769, "", False),
    ],
)
def test_what_whatsapp_would_not_take_whole_is_refused(
    text: str, signature: str, fits: bool
) -> None:
    """65 536 characters are the most, signature included; half a message helps nobody."""
    written = replace(WRITTEN, content=Text(text))
    verdict = decide_outgoing(Outgoing(written, Manager((SALES.id,), signature)), SETTINGS)
    assert (
        isinstance(verdict, Outgoing) if fits else verdict == Refused(Reason.TOO_LONG, limit=65_536)
    )


def test_who_an_author_may_be() -> None:
    """A user by his id, else everyone else, else an outsider; no user at all is a robot."""
    anna, others = Manager((SALES.id,), "Анна"), Manager((SUPPORT.id,))
    settings = replace(SETTINGS, users={UserId(17): anna}, everyone_else=others)
    assert settings.writer(UserId(17)) is anna
    assert settings.writer(UserId(18)) is others
    assert replace(settings, everyone_else=None).writer(UserId(18)) is Other.OUTSIDER
    assert settings.writer(None) is Other.ROBOT


def test_everybody_an_unknown_author_may_be() -> None:
    """Each kind of writer once; none at all where trying them would cost too much."""
    anna, others = Manager((SALES.id,), "Анна"), Manager((SUPPORT.id,))
    users = {UserId(17): anna, UserId(18): anna}
    settings = replace(SETTINGS, users=users, everyone_else=others)
    assert settings.every_writer() == (Other.ROBOT, others, anna)
    assert replace(settings, everyone_else=None).every_writer() == (
        Other.ROBOT, Other.OUTSIDER, anna,
    )  # fmt: skip
    many = {UserId(n): Manager((SALES.id,), str(n)) for n in range(1000)}
    assert replace(settings, users=many).every_writer() == ()
