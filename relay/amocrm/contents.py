"""A content as amoCRM shows it: the ``message`` object of a new message. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from relay.amocrm.missing import ROUND, missing_words
from relay.amocrm.placeholders import placeholder, word_for
from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Kept,
    Location,
    Lost,
    Media,
    MediaKind,
    Remote,
    Text,
    Unsupported,
)
from relay.domain.file_names import tidy_name
from relay.domain.marks import marked
from relay.domain.settings import Language

_LIVE: Final = "live_location"
_FILE: Final = "file"

_TYPES: Final = {
    MediaKind.IMAGE: ("picture", "image/"),
    MediaKind.VIDEO: ("video", "video/"),
    MediaKind.VOICE: ("voice", "audio/"),
    MediaKind.AUDIO: ("audio", "audio/"),
    MediaKind.STICKER: ("sticker", "image/"),
}
"""amoCRM's word for a kind, and what its bytes must be: else amoCRM could not show it."""

_TIMED: Final = frozenset({"voice", "audio", "video"})

Fields = dict[str, object]
Link = Callable[[str], str]
"""The public link of a kept file, by its name."""


def shown(content: Content, language: Language, marks: Sequence[str] = (), *, link: Link) -> Fields:
    """The content in amoCRM's words, or the words that stand in for it, opened by its marks.

    Whatever kind it is, its ``text`` is what people read beside it: there the marks stand.
    """
    fields = _unmarked(content, language, link)
    if not marks:
        return fields
    return fields | {"text": marked(str(fields.get("text", "")), marks)}


def _unmarked(content: Content, language: Language, link: Link) -> Fields:
    match content:
        case Text(text):
            return _text(text if text.strip() else placeholder("", language))
        case Media(at=Kept(name)):
            return _file(content, name, link)
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


def _file(media: Media, name: str, link: Link) -> Fields:
    """A medium of ours; amoCRM fetches it by its link, in its own time."""
    kind, bytes_are = _TYPES.get(media.what, (_FILE, ""))
    if not media.mime.startswith(bytes_are):
        kind = _FILE
    fields: Fields = {
        "type": kind,
        "media": link(name),
        "file_name": media.name or name,
        "file_size": media.size or 0,
    }
    if media.duration_s is not None and kind in _TIMED:
        fields["media_duration"] = media.duration_s
    return fields | {"text": media.caption} if media.caption.strip() else fields


def _medium_in_words(media: Media, language: Language) -> str:
    """What stands in for a medium. Its caption is the client's own words and is never lost."""
    if isinstance(media.at, Lost | Remote):
        sentence = missing_words(media, media.at, language)
    else:
        what = ROUND if media.round else media.what.value
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
