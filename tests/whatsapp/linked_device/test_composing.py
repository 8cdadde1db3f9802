"""What is made for the library of what a manager wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.contents import ContactCard, Contacts, Kept, Media, MediaKind, Text
from relay.whatsapp.linked_device.composing import as_sent, media_message, words_message
from relay.whatsapp.linked_device.content import content_of
from relay.whatsapp.linked_device.protobufs import new_message
from relay.whatsapp.linked_device.sealed import Sealed
from relay.whatsapp.linked_device.vcard import read_vcard, write_vcard

SEALED = Sealed("Image", "https://mmg.whatsapp.net/f", "/f", b"k" * 32, b"s" * 32, b"e" * 32)
LINE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)


@given(st.text(min_size=1))
def test_a_text_is_exactly_the_text(text: str) -> None:
    """Whatever its characters are."""
    message = new_message()
    message.ParseFromString(words_message(Text(text)))
    assert content_of(message) == Text(text)


def test_half_a_character_spoils_no_message() -> None:
    """JSON can carry half a surrogate pair and the wire cannot: it is replaced."""
    message = new_message()
    message.ParseFromString(words_message(Text("ab\ud83d")))
    assert message.conversation == "ab\ufffd"


@given(name=LINE, phones=st.lists(LINE, max_size=3, unique=True))
def test_a_card_reads_as_it_was_written(name: str, phones: list[str]) -> None:
    """Also with the characters that mean something in a card."""
    card = ContactCard(name, tuple(phone for phone in phones if not phone.startswith("tel:")))
    assert read_vcard(write_vcard(card)) == card


def test_several_cards_are_one_message() -> None:
    """In their order."""
    cards = Contacts((ContactCard("А", ("1",)), ContactCard("Б")))
    message = new_message()
    message.ParseFromString(words_message(cards))
    assert content_of(message) == cards


@pytest.mark.parametrize(
    ("what", "mime", "caption", "sent"),
    [
        (MediaKind.IMAGE, "image/jpeg", "words", MediaKind.IMAGE),
        (MediaKind.IMAGE, "", "", MediaKind.IMAGE),
        (MediaKind.IMAGE, "image/heic", "", MediaKind.DOCUMENT),
        (MediaKind.IMAGE, "image/svg+xml", "", MediaKind.DOCUMENT),
        (MediaKind.VIDEO, "video/x-msvideo", "", MediaKind.DOCUMENT),
        (MediaKind.VOICE, "audio/ogg; codecs=opus", "", MediaKind.VOICE),
        (MediaKind.VOICE, "audio/ogg", "words", MediaKind.DOCUMENT),
        (MediaKind.AUDIO, "audio/x-wav", "", MediaKind.DOCUMENT),
        (MediaKind.STICKER, "image/png", "", MediaKind.DOCUMENT),
        (MediaKind.DOCUMENT, "", "words", MediaKind.DOCUMENT),
    ],
)
def test_what_phones_cannot_show_is_a_file(
    what: MediaKind, mime: str, caption: str, sent: MediaKind
) -> None:
    """Of a type, or with words, that its kind cannot have: nothing of it is lost."""
    media = Media(what, Kept("x"), caption=caption, mime=mime)
    assert as_sent(media).what is sent
    assert as_sent(media).caption == caption


@pytest.mark.parametrize("what", list(MediaKind))
@pytest.mark.parametrize("caption", ["", "слова"])
def test_a_medium_says_to_our_own_reader_what_it_is(what: MediaKind, caption: str) -> None:
    """What is sent reads as what :func:`as_sent` says, words included."""
    media = as_sent(Media(what, Kept("x"), caption=caption, name="f.bin", duration_s=3))
    message = new_message()
    message.ParseFromString(media_message(media, SEALED, 5, 1))
    if message.HasField("documentWithCaptionMessage"):  # which the library takes off
        message = message.documentWithCaptionMessage.message
    read = content_of(message)
    assert isinstance(read, Media)
    assert (read.what, read.caption, read.size) == (media.what, caption, 5)
    if media.what is MediaKind.DOCUMENT:
        assert read.name == "f.bin"
