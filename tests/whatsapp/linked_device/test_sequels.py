"""What refers to another message, in the library's own protobuf messages: read, and composed."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.bodies import Quote, ReplyReaction
from relay.domain.contents import (
    VIEW_ONCE,
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Text,
    Unsupported,
)
from relay.domain.ids import ChannelId, ClientAddress, ConversationId, WhatsAppMessageId
from relay.domain.message import (
    Alias,
    Client,
    Deleted,
    Edited,
    Noise,
    Origin,
    Reacted,
    Received,
    WhatsAppEvent,
)
from relay.whatsapp.linked_device import protobufs
from relay.whatsapp.linked_device.composing import words_message
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.reading import placeholder_id, read_payload
from relay.whatsapp.linked_device.sequels import Way, quoting, reaction_message
from tests.whatsapp.linked_device.samples import (
    LID,
    OWN,
    OWN_LID,
    PHONE,
    SENT_AT_MS,
    message,
    payload,
    source,
)

TARGET = WhatsAppMessageId("3A99")
STAND_IN = placeholder_id(TARGET)
ANNA = Client(ClientAddress("79161234567"), "+79161234567", "Иван")
ABOUT = (OWN, ANNA, WhatsAppMessageId("3A01"), TARGET, SENT_AT_MS, Origin.CLIENT)
BY_NUMBER: Way = (PHONE[1], PHONE[0])
HIDDEN: Way = (LID[1], LID[0])


def body() -> Any:
    return protobufs.new_message()


def edit(target: str = TARGET, **fields: Any) -> Any:
    said = body()
    said.protocolMessage.type = 14
    said.protocolMessage.key.ID = target
    said.protocolMessage.editedMessage.SetInParent()
    for name, value in fields.items():
        setattr(said.protocolMessage.editedMessage, name, value)
    return said


def revoke(target: str = TARGET) -> Any:
    said = body()
    said.protocolMessage.type = 0
    said.protocolMessage.key.ID = target
    return said


def reaction(emoji: str, target: str = TARGET) -> Any:
    said = body()
    said.reactionMessage.key.ID = target
    said.reactionMessage.text = emoji
    return said


def events(said: Message, *, from_me: bool = False) -> list[WhatsAppEvent]:
    where = (
        source(LID, OWN_LID, recipient_alt=PHONE, from_me=True)
        if from_me
        else source(LID, sender_alt=PHONE)
    )
    raw = message(where, said.SerializePartialToString())
    return list(read_payload(payload(Code.MESSAGE, raw)))


def event(said: Message, *, from_me: bool = False) -> WhatsAppEvent:
    alias, *rest = events(said, from_me=from_me)
    assert isinstance(alias, Alias)  # whatever is said, its addresses tell whose they are
    [only] = rest
    return only


# --- In -------------------------------------------------------------------------------------------


def test_an_edit_a_deletion_and_a_reaction_name_their_message() -> None:
    """Each has an id and a time of its own, and its writer's side."""
    assert event(edit(conversation="иначе")) == Edited(*ABOUT, Text("иначе"), STAND_IN)
    assert event(revoke()) == Deleted(*ABOUT, STAND_IN)
    assert event(reaction("👍")) == Reacted(*ABOUT, "👍")


@pytest.mark.parametrize("said", [edit(conversation="иначе"), revoke(), reaction("👍")])
def test_what_the_owner_does_on_his_phone_is_the_phones(said: Message) -> None:
    """In the client's conversation, without the owner's name."""
    found = event(said, from_me=True)
    assert isinstance(found, Edited | Deleted | Reacted)
    assert found.origin is Origin.PHONE
    assert found.client == Client(ANNA.address, ANNA.phone, None)


def test_a_reaction_taken_off_has_no_emoji() -> None:
    """Its end is an event like itself."""
    assert event(reaction("")) == Reacted(*ABOUT, "")


def test_new_words_under_a_picture() -> None:
    """They come with a picture without bytes: only the words are told again."""
    said = edit()
    said.protocolMessage.editedMessage.imageMessage.caption = "вот"
    found = event(said)
    assert isinstance(found, Edited)
    assert found.content == Media(MediaKind.IMAGE, None, caption="вот")


def test_new_words_under_a_document_come_in_an_envelope() -> None:
    """The library opens those of messages, not those of new wordings."""
    said = edit()
    inner = said.protocolMessage.editedMessage.documentWithCaptionMessage.message
    inner.documentMessage.caption = "вот"
    found = event(said)
    assert isinstance(found, Edited)
    assert found.content == Media(MediaKind.DOCUMENT, None, caption="вот")


@pytest.mark.parametrize("how", ["wrapped", "flagged"])
def test_an_edit_never_shows_what_is_to_be_seen_once(how: str) -> None:
    """Neither picture nor words, whether the envelope says so or the picture itself."""
    said = edit()
    part = said.protocolMessage.editedMessage
    if how == "wrapped":
        part.viewOnceMessageV2.message.imageMessage.caption = "x"
    else:
        part.imageMessage.caption, part.imageMessage.viewOnce = "x", True
    found = event(said)
    assert isinstance(found, Edited)
    assert found.content == Unsupported(VIEW_ONCE)


@pytest.mark.parametrize("flag", ["IsViewOnce", "IsViewOnceV2", "IsViewOnceV2Extension"])
def test_an_edit_that_came_wrapped_as_view_once_is_not_copied(flag: str) -> None:
    """The wrapper is off by then, but its flag tells."""
    raw = message(source(LID), edit(conversation="x").SerializePartialToString())
    seen = protobufs.load().Message.FromString(raw)
    setattr(seen, flag, True)
    *_, found = read_payload(payload(Code.MESSAGE, seen.SerializePartialToString()))
    assert isinstance(found, Edited)
    assert found.content == Unsupported(VIEW_ONCE)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (edit(target="", conversation="x"), "edit"),
        (edit(), "edit"),
        (revoke(target=""), "deletion"),
        (reaction("👍", target=""), "reaction"),
    ],
)
def test_what_names_no_message_is_a_line_that_says_what_was_done(said: Message, word: str) -> None:
    """A person did something; it is not known to what."""
    found = event(said)
    assert isinstance(found, Received)
    assert found.content == Unsupported(word)


def test_a_reaction_taken_off_nothing_is_noise() -> None:
    """Nobody would see anything on a phone either."""
    assert events(reaction("", target="")) == [Noise("protocol")]


def test_bytes_that_are_not_text_are_repaired() -> None:
    """In ids and emojis as in texts: no event is lost for one bad byte."""
    raw = b"\xf2\x02\x0c\x0a\x06\x1a\x043A\xff\xfe\x12\x02\xf0\x9f"
    found = list(read_payload(payload(Code.MESSAGE, message(source(PHONE), raw))))[-1]
    assert isinstance(found, Reacted)
    assert (found.target, found.emoji) == ("3A\ufffd\ufffd", "\ufffd")


def test_an_answer_names_what_it_answers() -> None:
    """Text and picture alike; a plain text answers nothing."""
    text, picture = body(), body()
    text.extendedTextMessage.text = "да"
    text.extendedTextMessage.contextInfo.stanzaID = TARGET
    picture.imageMessage.contextInfo.stanzaID = TARGET
    answers = [event(text), event(picture)]
    assert [a.quotes for a in answers if isinstance(a, Received)] == [TARGET, TARGET]
    plain = body()
    plain.extendedTextMessage.text = "да"
    plain.extendedTextMessage.contextInfo.SetInParent()  # a forwarded or disappearing one has it
    found = event(plain)
    assert isinstance(found, Received)
    assert found.quotes is None


# --- Out ------------------------------------------------------------------------------------------


def parsed(data: bytes) -> Any:
    made = body()
    made.ParseFromString(data)
    return made


@pytest.mark.parametrize("way", [BY_NUMBER, HIDDEN])
@pytest.mark.parametrize("by_client", [True, False])
@pytest.mark.parametrize("emoji", ["❤️", ""])
def test_a_reaction_names_chat_message_and_writer(way: Way, by_client: bool, emoji: str) -> None:
    """The key is that of the message as its chat has it; ``fromMe`` is our side."""
    there = (ConversationId("wa-1-2"), ChannelId("sales"), OWN, ClientAddress("2"), TARGET)
    made = parsed(reaction_message(ReplyReaction(*there, by_client, emoji), way))
    key = made.reactionMessage.key
    assert (key.remoteJID, key.ID, key.fromMe) == (f"{way[1]}@{way[0]}", TARGET, not by_client)
    assert made.reactionMessage.HasField("text")  # an empty one takes the reaction off
    assert made.reactionMessage.text == emoji


@pytest.mark.parametrize(
    ("content", "gist"),
    [
        (Text("Сколько?"), "Сколько?"),
        (Media(MediaKind.IMAGE, None, caption="вот", name="a.jpg"), "вот"),
        (Media(MediaKind.DOCUMENT, None, name="a.pdf"), "a.pdf"),
        (Location(1.0, 2.0, "Склад"), "Склад"),
        (Contacts((ContactCard("Анна"), ContactCard("Вера"))), "Анна, Вера"),
        (Unsupported("poll"), ""),
    ],
)
@pytest.mark.parametrize("way", [BY_NUMBER, HIDDEN])
def test_a_quotation_names_message_writer_and_gist(way: Way, content: Content, gist: str) -> None:
    """The plain text becomes the form that bears a quotation; the words stay."""
    quote = Quote(TARGET, by_client=True, content=content)
    made = parsed(quoting(words_message(Text("Тысяча")), quote, way, OWN))
    assert [field.name for field, _ in made.ListFields()] == ["extendedTextMessage"]
    context = made.extendedTextMessage.contextInfo
    assert made.extendedTextMessage.text == "Тысяча"
    assert (context.stanzaID, context.participant) == (TARGET, f"{way[1]}@{way[0]}")
    assert context.quotedMessage.conversation == gist


def test_a_quotation_of_our_own_names_our_number() -> None:
    """It was sent by us, whichever manager or phone did it."""
    made = parsed(
        quoting(words_message(Text("x")), Quote(TARGET, False, Text("y")), BY_NUMBER, OWN)
    )
    assert made.extendedTextMessage.contextInfo.participant == f"{OWN}@s.whatsapp.net"


def test_media_and_cards_bear_quotations_too() -> None:
    """In the part itself, also if a document's words have an envelope around it."""
    quote = Quote(TARGET, True, Text("x"))
    cards = words_message(Contacts((ContactCard("А", ("+7",)), ContactCard("Б", ("+7",)))))
    picture, document = body(), body()
    picture.imageMessage.caption = "вот"
    document.documentWithCaptionMessage.message.documentMessage.caption = "вот"
    made = [parsed(quoting(m, quote, BY_NUMBER, OWN)) for m in (
        cards, picture.SerializeToString(), document.SerializeToString(),
    )]  # fmt: skip
    parts = (
        made[0].contactsArrayMessage,
        made[1].imageMessage,
        made[2].documentWithCaptionMessage.message.documentMessage,
    )
    assert [part.contextInfo.stanzaID for part in parts] == [TARGET] * 3


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=40))
def test_any_words_can_be_quoted_and_reacted_with(words: str, emoji: str) -> None:
    """Half a surrogate pair, which a JSON hook can carry, is repaired instead of refused."""
    quoting(words_message(Text("x")), Quote(TARGET, True, Text(words)), BY_NUMBER, OWN)
    there = (ConversationId("wa-1-2"), ChannelId("sales"), OWN, ClientAddress("2"), TARGET)
    reaction_message(ReplyReaction(*there, True, emoji), BY_NUMBER)


def test_half_a_surrogate_pair_is_repaired() -> None:
    """As in texts."""
    made = parsed(
        quoting(words_message(Text("x")), Quote(TARGET, True, Text("\ud83d!")), BY_NUMBER, OWN)
    )
    assert made.extendedTextMessage.contextInfo.quotedMessage.conversation == "\ufffd!"
