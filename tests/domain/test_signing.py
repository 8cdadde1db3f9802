"""What stands under a manager's words."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Text,
    Unsupported,
)
from relay.domain.signatures import Signatures
from relay.domain.signing import length, sign, signed

ANNA = "Анна, отдел продаж"


def test_words_an_empty_line_and_the_signature() -> None:
    """The form of the contract, character for character, however long the signature is."""
    assert sign(Text("Добрый день 👋"), ANNA) == Text("Добрый день 👋\n\nАнна, отдел продаж")
    assert sign(Text("Да"), "Анна\nтел. 5") == Text("Да\n\nАнна\nтел. 5")
    assert sign(Text("Да"), "x" * 4096) == Text("Да\n\n" + "x" * 4096)


def test_without_a_signature_nothing_is_touched() -> None:
    """An empty signature leaves no empty line behind."""
    content = Text("Да")
    assert sign(content, "") is content


@pytest.mark.parametrize("what", [MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT])
def test_a_medium_is_signed_in_its_caption(what: MediaKind) -> None:
    """With a caption under it, without one alone."""
    assert sign(Media(what, None, caption="Счёт"), ANNA) == Media(
        what, None, caption="Счёт\n\nАнна, отдел продаж"
    )
    assert sign(Media(what, None), ANNA) == Media(what, None, caption=ANNA)


@pytest.mark.parametrize(
    "content",
    [
        Media(MediaKind.VOICE, None),
        Media(MediaKind.AUDIO, None),
        Media(MediaKind.STICKER, None),
        Media(MediaKind.VIDEO, None, round=True),
        Location(1.0, 2.0, "Здесь"),
        Contacts((ContactCard("Пётр"),)),
        Unsupported("poll"),
    ],
)
def test_what_has_no_words_stays_as_it_is(content: Content) -> None:
    """A voice message, sticker, location or contact carries no signature."""
    assert sign(content, ANNA) == content


def test_words_that_go_along_with_a_voice_message_are_signed() -> None:
    """One hook may hold both; the words are a manager's words all the same."""
    both = Media(MediaKind.VOICE, None, caption="Послушайте")
    assert sign(both, ANNA) == Media(
        MediaKind.VOICE, None, caption="Послушайте\n\nАнна, отдел продаж"
    )


@given(st.text().filter(str.strip), st.text().filter(str.strip).map(str.strip))
def test_a_signature_comes_off_again(text: str, signature: str) -> None:
    """Words that come back are the manager's own words again, whatever they hold."""
    ours = Signatures.compiled([signature])
    assume(signed(text, signature).strip() != signature)
    assert ours.without(signed(text, signature)) == text


def test_length_is_counted_as_whatsapp_counts() -> None:
    """In halves of UTF-16: an emoji counts twice; half a character breaks nothing."""
    assert length(Text("да")) == 2
    assert length(Text("👋")) == 2
    assert length(Text("\ud83d")) == 1
    assert length(Media(MediaKind.IMAGE, None, caption="abc")) == 3
    assert length(Location(1.0, 2.0, "Здесь")) == 0
