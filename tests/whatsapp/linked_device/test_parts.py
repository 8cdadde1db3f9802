"""Media, places and cards, made of the library's own protobuf messages."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Location,
    Media,
    MediaKind,
    Remote,
    Unsupported,
)
from relay.whatsapp.linked_device.content import content_of
from relay.whatsapp.linked_device.sealed import Sealed
from relay.whatsapp.linked_device.vcard import read_vcard
from tests.whatsapp.linked_device import samples

KEY, SHA, SEALED_SHA = b"k" * 32, b"s" * 32, b"e" * 32
WHERE: dict[str, Any] = {
    "URL": "https://mmg.whatsapp.net/f",
    "directPath": "/f",
    "mediaKey": KEY,
    "fileSHA256": SHA,
    "fileEncSHA256": SEALED_SHA,
    "fileLength": 5,
}


def says(**fields: Any) -> Content | None:
    return content_of(samples.content(**fields))


def at(purpose: str) -> Remote:
    sealed = Sealed(purpose, "https://mmg.whatsapp.net/f", "/f", KEY, SHA, SEALED_SHA)
    return Remote(sealed.ref())


@pytest.mark.parametrize(
    ("field", "more", "expected"),
    [
        ("imageMessage", {"caption": "x"}, Media(MediaKind.IMAGE, at("Image"), "x", size=5)),
        (
            "videoMessage",
            {"seconds": 7, "gifPlayback": True},
            Media(MediaKind.VIDEO, at("Video"), size=5, duration_s=7, gif=True),
        ),
        ("ptvMessage", {}, Media(MediaKind.VIDEO, at("Video"), size=5, round=True)),
        ("audioMessage", {}, Media(MediaKind.AUDIO, at("Audio"), size=5)),
        (
            "audioMessage",
            {"PTT": True, "seconds": 3, "mimetype": "audio/ogg; codecs=opus"},
            Media(
                MediaKind.VOICE, at("Audio"), mime="audio/ogg; codecs=opus", size=5, duration_s=3
            ),
        ),
        (
            "documentMessage",
            {"fileName": "a.pdf", "title": "A", "caption": "see"},
            Media(MediaKind.DOCUMENT, at("Document"), "see", "a.pdf", size=5),
        ),
        (
            "documentMessage",
            {"title": "A"},
            Media(MediaKind.DOCUMENT, at("Document"), name="A", size=5),
        ),
        ("stickerMessage", {}, Media(MediaKind.STICKER, at("Image"), size=5)),
    ],
)
def test_a_medium_is_read_with_all_that_is_told_of_it(
    field: str, more: dict[str, Any], expected: Media
) -> None:
    """Each kind, with what goes with it and the way to its bytes."""
    assert says(**{field: WHERE | more}) == expected


@pytest.mark.parametrize(
    "missing", [{"mediaKey": b""}, {"mediaKey": b"short"}, {"URL": "", "directPath": ""}]
)
def test_a_medium_without_a_way_to_its_bytes_keeps_its_words(missing: dict[str, Any]) -> None:
    """A file that cannot be opened is still a message: its caption comes."""
    picture = says(imageMessage=WHERE | missing | {"caption": "look"})
    assert picture == Media(MediaKind.IMAGE, None, "look", size=5)


@pytest.mark.parametrize("field", ["imageMessage", "videoMessage", "audioMessage"])
def test_what_is_to_be_seen_once_is_not_copied(field: str) -> None:
    """The way to the bytes of a view-once medium is not even noted."""
    assert says(**{field: WHERE | {"viewOnce": True}}) == Unsupported("view_once")


def test_a_place_is_read() -> None:
    """Coordinates, name and address; live ones are marked."""
    spot = {"degreesLatitude": 55.75, "degreesLongitude": 37.5}
    named = says(locationMessage=spot | {"name": "Склад", "address": "Тверская, 1"})
    assert named == Location(55.75, 37.5, "Склад\nТверская, 1")
    assert says(locationMessage=spot | {"isLive": True}) == Location(55.75, 37.5, live=True)
    moving = says(liveLocationMessage=spot | {"caption": "еду"})
    assert moving == Location(55.75, 37.5, "еду", live=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -181.0])
def test_an_impossible_place_is_named_only(value: float) -> None:
    """Coordinates that are nowhere never reach amoCRM, which would refuse the message."""
    nowhere = {"degreesLatitude": 0.0, "degreesLongitude": value}
    assert says(locationMessage=nowhere) == Unsupported("location")


def test_cards_are_read() -> None:
    """One card or several, by the name under which the sender has them."""
    one = samples.content(contactMessage={"displayName": "Петя", "vcard": "FN:Пётр\nTEL:+7999"})
    assert content_of(one) == Contacts((ContactCard("Петя", ("+7999",)),))
    many = samples.content(contactsArrayMessage={})
    assert content_of(many) == Unsupported("contact")
    many.contactsArrayMessage.contacts.add(displayName="A", vcard="TEL:1")
    many.contactsArrayMessage.contacts.add(displayName="B")
    assert content_of(many) == Contacts((ContactCard("A", ("1",)), ContactCard("B")))


@pytest.mark.parametrize(
    ("vcard", "card"),
    [
        ("FN:Ann\r\nTEL;type=CELL;waid=49151:+49 151\r\n", ContactCard("Ann", ("+49 151",))),
        ("item1.TEL;waid=1:+1\nitem1.X-ABLabel:Mobile", ContactCard("", ("+1",))),
        ("FN:A\\, B\nTEL:1\nTEL:1\nTEL:2", ContactCard("A, B", ("1", "2"))),
        ("FN:Long na\r\n me\nTEL;VALUE=uri:tel:+1-2", ContactCard("Long name", ("+1-2",))),
        ("", ContactCard("")),
    ],
)
def test_a_vcard_gives_its_name_and_numbers(vcard: str, card: ContactCard) -> None:
    """As phones write it: grouped, folded, escaped, with parameters, with a number twice."""
    assert read_vcard(vcard) == card


@given(st.text())
def test_any_text_is_a_card_or_an_empty_one(vcard: str) -> None:
    """No text makes reading fail, and a name is one line."""
    assert "\n" not in read_vcard(vcard).name


def test_the_way_to_the_bytes_survives_the_outbox() -> None:
    """What was written down as text is read back the same; any other text is refused."""
    sealed = Sealed("Image", "", "/f", KEY, SHA, SEALED_SHA)
    assert Sealed.parse(sealed.ref()) == sealed
    for nonsense in ("", "{}", "[]", "1", '{"purpose":1}', sealed.ref().replace("6b6b", "zz", 1)):
        with pytest.raises(ValueError):  # noqa: PT011 - its words differ
            Sealed.parse(nonsense)
