"""The rules into amoCRM, one by one and in order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.domain.blacklist import Blacklist
from relay.domain.contents import Contacts, Content, Location, Media, MediaKind, Text, Unsupported
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.incoming import IN_RULES, Ignored, Incoming, decide_incoming
from relay.domain.message import (
    Client,
    Origin,
    Received,
    Written,
)
from relay.domain.settings import Channel, Language, Settings
from relay.domain.signatures import Signatures

SALES = Channel(ChannelId("sales"), "Продажи", OwnNumber("74950000001"))
SUPPORT = Channel(ChannelId("support"), "Поддержка", OwnNumber("74950000002"))
NEW = Channel(ChannelId("new"), "Новый")
SETTINGS = Settings(channels={c.id: c for c in (SALES, SUPPORT, NEW)})
ANNA = ClientAddress("79001234567")
PHONE = "[Отправлено с телефона]"

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
    marked = replace(typed, marks=(PHONE,))
    assert verdict == (marked if asked else Ignored("sent_from_phone"))


@pytest.mark.parametrize("asked", [True, False])
def test_what_the_relay_sent_never_comes_back(asked: bool) -> None:
    """An echo of our own message is no message, import or not."""
    echo = Incoming(replace(FROM_ANNA, origin=Origin.PHONE), sent_by_us=True)
    verdict = decide_incoming(echo, replace(SETTINGS, import_sent_from_phone=asked))
    assert verdict == Ignored("sent_by_relay")


# --- Marks ----------------------------------------------------------------------------------------

CONTENTS: tuple[Content, ...] = (
    Text("Здравствуйте"),
    Media(MediaKind.IMAGE, None),
    Location(55.7, 37.6),
    Contacts(()),
    Unsupported("poll"),
)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("titled", [True, False])
@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("language", Language)
def test_title_and_phone_open_a_message_of_any_kind(
    content: Content, titled: bool, origin: Origin, language: Language
) -> None:
    """The title where the file asks for it, then the mark of the phone; nothing else is touched."""
    settings = replace(
        SETTINGS,
        language=language,
        import_sent_from_phone=True,
        title_in_messages=frozenset({SALES.id} if titled else {SUPPORT.id}),
    )
    asked = Incoming(replace(FROM_ANNA, origin=origin, content=content), SALES.id)
    verdict = decide_incoming(asked, settings)
    phone = PHONE if language is Language.RU else "[Sent from the phone]"
    marks = ["[Продажи]"] * titled + [phone] * (origin is Origin.PHONE)
    assert verdict == replace(asked, marks=tuple(marks))


def test_a_title_follows_the_channel_and_not_the_number() -> None:
    """The channel that heard the message lends its title, also while its number is unknown."""
    settings = replace(SETTINGS, title_in_messages=frozenset({NEW.id}))
    verdict = decide_incoming(Incoming(FROM_ANNA, NEW.id), settings)
    assert isinstance(verdict, Incoming)
    assert verdict.marks == ("[Новый]",)


# --- Blacklist ------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", Origin)
@pytest.mark.parametrize("entry", ["+79001234567", "+7900*", "+7*"])
def test_nothing_of_a_listed_number_enters(origin: Origin, entry: str) -> None:
    """Neither what he writes nor what is typed to him on the phone."""
    listed = replace(SETTINGS, import_sent_from_phone=True, blacklist=Blacklist.compiled([entry]))
    hidden = replace(FROM_ANNA.client, address=ClientAddress("lid:17"))
    for client in (FROM_ANNA.client, hidden):
        asked = Incoming(replace(FROM_ANNA, origin=origin, client=client))
        assert decide_incoming(asked, listed) == Ignored("blacklist")


def test_others_enter_past_a_blacklist() -> None:
    """A number that is not listed, and a hidden address whose number nobody knows."""
    listed = replace(SETTINGS, blacklist=Blacklist.compiled(["+79001234568", "+7901*"]))
    unknown = replace(FROM_ANNA, client=Client(ClientAddress("lid:79001234568")))
    for message in (FROM_ANNA, unknown):
        assert decide_incoming(Incoming(message), listed) == Incoming(message)


# --- Signatures -----------------------------------------------------------------------------------

SIGNED = replace(
    SETTINGS,
    import_sent_from_phone=True,
    signatures=Signatures.compiled(["Анна, отдел продаж"]),
)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (Text("Да\n\nАнна, отдел продаж"), Text("Да")),
        (Text("Анна, отдел продаж"), Text("Анна, отдел продаж")),
        (
            Media(MediaKind.IMAGE, None, "Вот\n\nАнна, отдел продаж"),
            Media(MediaKind.IMAGE, None, "Вот"),
        ),
        (Media(MediaKind.IMAGE, None, "Анна, отдел продаж"), Media(MediaKind.IMAGE, None)),
        (Location(1, 2, "Анна, отдел продаж"), Location(1, 2, "Анна, отдел продаж")),
    ],
)
def test_a_signature_that_comes_back_is_taken_off(content: Content, shown: Content) -> None:
    """What was sent signed and typed again on another device is shown without the signature."""
    typed = Incoming(replace(FROM_ANNA, origin=Origin.PHONE, content=content))
    verdict = decide_incoming(typed, SIGNED)
    assert isinstance(verdict, Incoming)
    assert verdict.message == replace(typed.message, content=shown)


def test_a_clients_words_are_his_own() -> None:
    """A client who quotes a manager, signature and all, is shown word for word."""
    quoting = Incoming(replace(FROM_ANNA, content=Text("Да\n\nАнна, отдел продаж")))
    assert decide_incoming(quoting, SIGNED) == quoting


# --- The chain ------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", Origin)
def test_each_rule_may_be_asked_twice(origin: Origin) -> None:
    """Deciding what has been decided changes nothing: no mark is doubled, no more is taken off."""
    settings = replace(SIGNED, title_in_messages=frozenset({SALES.id}))
    twice = Text("Да\n\nАнна, отдел продаж")
    once = decide_incoming(
        Incoming(replace(FROM_ANNA, origin=origin, content=twice), SALES.id), settings
    )
    assert isinstance(once, Incoming)
    for rule in IN_RULES:
        assert rule(once, settings) == once
