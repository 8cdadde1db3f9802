"""A content as amoCRM shows it: the ``message`` object of a new message. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay.amocrm.placeholders import placeholder, word_for
from relay.domain.contents import ContactCard, Contacts, Content, Location, Media, Text, Unsupported
from relay.domain.file_names import tidy_name
from relay.domain.marks import marked
from relay.domain.settings import Language

_ROUND: Final = "video_note"
_LIVE: Final = "live_location"

Fields = dict[str, object]


def shown(content: Content, language: Language, marks: Sequence[str] = ()) -> Fields:
    """The content in amoCRM's words, or the words that stand in for it, opened by its marks.

    Whatever kind it is, its ``text`` is what people read beside it: there the marks stand.
    """
    fields = _unmarked(content, language)
    if not marks:
        return fields
    return fields | {"text": marked(str(fields.get("text", "")), marks)}


def _unmarked(content: Content, language: Language) -> Fields:
    match content:
        case Text(text):
            return _text(text if text.strip() else placeholder("", language))
        case Media():
            return _text(_medium_in_words(content, language))
        case Location():
            return _location(content, language)
        case Contacts(cards):
            return _contacts(cards, language)
        case Unsupported(what):
            return _text(placeholder(what, language))


def _text(text: str) -> Fields:
    return {"type": "text", "text": text}


def _medium_in_words(media: Media, language: Language) -> str:
    """What stands in for a medium. Its caption is the client's own words and is never lost."""
    what = _ROUND if media.round else media.what.value
    sentence = placeholder(what, language, file_name=tidy_name(media.name))
    return f"{sentence}\n{media.caption}" if media.caption.strip() else sentence


def _location(location: Location, language: Language) -> Fields:
    lines = [word_for(_LIVE, language)] if location.live else []
    lines += [location.text] if location.text.strip() else []
    fields: Fields = {
        "type": "location",
        "location": {"lon": location.longitude, "lat": location.latitude},
    }
    return fields | {"text": "\n".join(lines)} if lines else fields


def _contacts(cards: tuple[ContactCard, ...], language: Language) -> Fields:
    """One name with one number is a contact over there; whatever has more is told as text."""
    match cards:
        case (ContactCard(name, (phone,)),) if phone.strip():
            return {"type": "contact", "contact": {"name": name.strip() or phone, "phone": phone}}
    lines = [", ".join(filter(None, (card.name, *card.phones))) for card in cards]
    lines = [line for line in lines if line]
    what = "contact" if len(cards) == 1 else "contacts"
    if not lines:
        return _text(placeholder(what, language))
    return _text("\n".join((f"{word_for(what, language)}:", *lines)))
