"""Contents in amoCRM's words; the pretended amoCRM's own shapes say whether they are allowed."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.amocrm import contents
from relay.amocrm.contents import Fields
from relay.demo.pretended_amocrm.bodies import Bodies
from relay.demo.pretended_amocrm.quirks import Quirks
from relay.demo.pretended_amocrm.shapes import Problem
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Kept,
    Location,
    Loss,
    Lost,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.settings import Language

RU, EN = Language.RU, Language.EN
PETR = ContactCard("Пётр", ("+79990000002",))
LINK = "https://relay.example.com/media/"
MARKS = ("[Продажи]", "[Отправлено с телефона]")
OPENED = "[Продажи] [Отправлено с телефона]"


def shown(content: Content, language: Language, marks: Sequence[str] = ()) -> Fields:
    """The content in amoCRM's words, with links as the relay makes them."""
    return contents.shown(content, language, marks, link=lambda name: LINK + quote(name, safe=""))


def problems(message: Fields) -> list[Problem]:
    """What amoCRM would find wrong with it."""
    party = {"id": "wa-1", "name": "x"}
    payload = {
        "timestamp": 1_770_113_730, "msec_timestamp": 1_770_113_730_123, "msgid": "m",
        "conversation_id": "c", "sender": party, "message": message,
    }  # fmt: skip
    return Bodies(Quirks()).problems(
        "new_message", {"event_type": "new_message", "payload": payload}
    )


@pytest.mark.parametrize(
    ("content", "language", "text"),
    [
        (
            Media(MediaKind.IMAGE, None, "вот так"),
            RU,
            "Неподдерживаемое сообщение WhatsApp: изображение. Откройте его на телефоне.\nвот так",
        ),
        (
            Media(MediaKind.IMAGE, Remote("x"), "вот так", name="a.jpg"),
            RU,
            "Изображение «a.jpg»: ещё загружается и придёт отдельным сообщением.\nвот так",
        ),
        (
            Media(
                MediaKind.DOCUMENT,
                Lost(Loss.TOO_LARGE, 128_000_000),
                "см. стр. 5",
                name="\u202eплан/1.pdf",
                size=214_748_364,
            ),
            RU,
            (
                "Документ «план_1.pdf» (215 МБ): больше допустимых 128 МБ. "
                "Откройте на телефоне.\nсм. стр. 5"
            ),
        ),
        (
            Media(MediaKind.VOICE, Lost(Loss.GONE), size=9_120),
            EN,
            "Voice message (9.1 KB): expired on WhatsApp. Ask the client to send it again.",
        ),
        (
            Media(MediaKind.VIDEO, Lost(Loss.LATE), round=True),
            EN,
            "Video note: could not be loaded. Open it on the phone.",
        ),
        (
            Media(MediaKind.STICKER, Lost(Loss.EMPTY)),
            RU,
            "Стикер: пустой файл. Попросите клиента прислать ещё раз.",
        ),
        (
            Media(MediaKind.DOCUMENT, None, name="../\u202efdp.exe\n"),
            EN,
            "Unsupported WhatsApp message: document “_fdp.exe”. Open it on the phone.",
        ),
        (
            Media(MediaKind.VIDEO, None, round=True),
            RU,
            "Неподдерживаемое сообщение WhatsApp: видеосообщение. Откройте его на телефоне.",
        ),
        (Contacts((PETR, ContactCard("Анна"))), RU, "Контакты:\nПётр, +79990000002\nАнна"),
        (Contacts((ContactCard("P", ("1", "2")),)), EN, "Contact:\nP, 1, 2"),
        (
            Contacts((ContactCard(""),)),
            EN,
            "Unsupported WhatsApp message: contact. Open it on the phone.",
        ),
    ],
)
def test_what_amocrm_has_no_kind_for_is_told_as_text(
    content: Content, language: Language, text: str
) -> None:
    """A sentence says what it was; captions, names and numbers stay readable."""
    assert shown(content, language) == {"type": "text", "text": text}


def test_one_name_with_one_number_is_a_contact() -> None:
    """A card becomes amoCRM's own kind; a card without a name goes by its number."""
    assert shown(Contacts((PETR,)), RU) == {
        "type": "contact",
        "contact": {"name": "Пётр", "phone": "+79990000002"},
    }
    assert shown(Contacts((ContactCard("", ("7",)),)), RU)["contact"] == {"name": "7", "phone": "7"}


def test_a_place_is_a_location() -> None:
    """With its words, if there are any, and with a mark if it moves."""
    place = {"type": "location", "location": {"lon": 37.6, "lat": 55.7}}
    assert shown(Location(55.7, 37.6), RU) == place
    assert shown(Location(55.7, 37.6, "Склад"), RU) == place | {"text": "Склад"}
    assert shown(Location(55.7, 37.6, "еду", live=True), RU) == place | {
        "text": "Трансляция геопозиции\nеду"
    }


@given(content=st.from_type(Content), language=st.sampled_from(Language))  # type: ignore[arg-type]
def test_whatever_it_is_amocrm_accepts_it(content: Content, language: Language) -> None:
    """No content of any kind, however strange, makes a body that breaks amoCRM's rules."""
    if isinstance(content, Location) and not (
        abs(content.latitude) <= 90 and abs(content.longitude) <= 180
    ):
        return  # no reader makes such a place
    if isinstance(content, Media) and min(content.size or 0, content.duration_s or 0) < 0:
        return  # nor such a size
    if isinstance(content, Media) and content.at == Kept(""):
        return  # nor does a store keep anything without a name
    assert problems(shown(content, language)) == []
    assert problems(shown(content, language, MARKS)) == []


def test_a_text_is_only_a_text() -> None:
    """The commonest content has nothing beside it."""
    assert shown(Text("a"), RU) == {"type": "text", "text": "a"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Text("да"), f"{OPENED} да"),
        (Text("\n да\nнет"), f"{OPENED} да\nнет"),
        (Text("  "), f"{OPENED} Неподдерживаемое сообщение WhatsApp. Откройте его на телефоне."),
        (
            Unsupported("poll"),
            f"{OPENED} Неподдерживаемое сообщение WhatsApp: опрос. Откройте его на телефоне.",
        ),
        (Location(55.7, 37.6), OPENED),
        (Location(55.7, 37.6, "Офис"), f"{OPENED} Офис"),
        (Location(55.7, 37.6, "Едем", live=True), f"{OPENED} Трансляция геопозиции\nЕдем"),
        (Contacts((PETR,)), OPENED),
        (Contacts((PETR, ContactCard("Анна"))), f"{OPENED} Контакты:\nПётр, +79990000002\nАнна"),
    ],
)
def test_marks_open_what_is_read_beside_a_content(content: Content, text: str) -> None:
    """A text's own first line; the words beside a place or a card; the words that stand in."""
    marked = shown(content, RU, MARKS)
    assert marked["text"] == text
    assert marked | {"text": ""} == shown(content, RU) | {"text": ""}
    assert problems(marked) == []


@pytest.mark.parametrize("what", MediaKind)
@pytest.mark.parametrize("caption", ["", "вот так"])
def test_marks_open_a_medium_of_any_kind(what: MediaKind, caption: str) -> None:
    """With a caption they open it, without one they are it; the caption is never lost."""
    text = shown(Media(what, Remote("x"), caption), RU, MARKS)["text"]
    assert isinstance(text, str)
    assert text.startswith(OPENED)
    assert text.endswith(caption)


@pytest.mark.parametrize(
    ("what", "mime", "kind", "timed"),
    [
        (MediaKind.IMAGE, "image/jpeg", "picture", False),
        (MediaKind.VIDEO, "video/mp4", "video", True),
        (MediaKind.VOICE, "audio/ogg", "voice", True),
        (MediaKind.AUDIO, "audio/mpeg", "audio", True),
        (MediaKind.STICKER, "image/webp", "sticker", False),
        (MediaKind.DOCUMENT, "image/jpeg", "file", False),
        (MediaKind.IMAGE, "application/octet-stream", "file", False),
        (MediaKind.VOICE, "video/mp4", "file", False),
    ],
)
def test_a_kept_medium_is_amocrms_own_kind(
    what: MediaKind, mime: str, kind: str, timed: bool
) -> None:
    """With our link, name, size, length and words; bytes that are something else are a file."""
    media = Media(what, Kept("t.x"), "вот", "a.x", mime, 18_231, duration_s=7)
    fields = {
        "type": kind, "media": LINK + "t.x", "file_name": "a.x", "file_size": 18_231, "text": "вот",
    }  # fmt: skip
    assert shown(media, RU) == fields | ({"media_duration": 7} if timed else {})
    assert problems(shown(media, RU)) == []
    assert shown(media, RU, MARKS)["text"] == f"{OPENED} вот"


def test_a_medium_without_words_has_no_text() -> None:
    """But its marks are its caption."""
    media = Media(MediaKind.IMAGE, Kept("t.x"), " ", "a.x", "image/png", 5)
    assert "text" not in shown(media, RU)
    assert shown(media, RU, MARKS)["text"] == OPENED
