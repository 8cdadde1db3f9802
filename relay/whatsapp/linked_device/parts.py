"""Media, places and contact cards, out of the parts of a ``waE2E.Message``.

A part is read by its fields' names alone, which differ little between the kinds.
"""

from __future__ import annotations

from collections.abc import Callable

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
from relay.whatsapp.linked_device.protobufs import as_text
from relay.whatsapp.linked_device.sealed import Sealed
from relay.whatsapp.linked_device.vcard import read_vcard

_MOST_CARDS = 50
_LARGEST = 2**53  # what JSON carries exactly; larger is nonsense


def part_content(field: str, part: object) -> Content | None:
    """The content of a part; None if it is no medium, place or card."""
    reader = _READERS.get(field)
    return None if reader is None else reader(part)


def _media(what: MediaKind, purpose: str, *, round_: bool = False) -> Callable[[object], Media]:
    def read(part: object) -> Media:
        sealed = Sealed.of(part, purpose)
        return Media(
            what=MediaKind.VOICE if _flag(part, "PTT") else what,
            at=Remote(sealed.ref()) if sealed is not None else None,
            caption=_word(part, "caption"),
            name=_word(part, "fileName") or _word(part, "title"),
            mime=_word(part, "mimetype"),
            size=_whole(part, "fileLength") or None,
            duration_s=_whole(part, "seconds") or None,
            round=round_,
            gif=_flag(part, "gifPlayback"),
        )

    return read


def _location(*, live: bool = False) -> Callable[[object], Content]:
    def read(part: object) -> Content:
        latitude, longitude = (
            float(getattr(part, name)) for name in ("degreesLatitude", "degreesLongitude")
        )
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # "not a number" is neither
            return Unsupported("location")
        words = (_word(part, name).strip() for name in ("name", "address", "comment", "caption"))
        moving = live or _flag(part, "isLive")
        return Location(latitude, longitude, "\n".join(filter(None, words)), live=moving)

    return read


def _contact(part: object) -> Content:
    return Contacts((_card(part),))


def _contacts(part: object) -> Content:
    cards = tuple(_card(card) for card in list(getattr(part, "contacts", ()))[:_MOST_CARDS])
    return Contacts(cards) if cards else Unsupported("contact")


def _card(part: object) -> ContactCard:
    return read_vcard(_word(part, "vcard"), _word(part, "displayName"))


_READERS: dict[str, Callable[[object], Content]] = {
    "imageMessage": _media(MediaKind.IMAGE, "Image"),
    "videoMessage": _media(MediaKind.VIDEO, "Video"),
    "ptvMessage": _media(MediaKind.VIDEO, "Video", round_=True),
    "audioMessage": _media(MediaKind.AUDIO, "Audio"),
    "documentMessage": _media(MediaKind.DOCUMENT, "Document"),
    "stickerMessage": _media(MediaKind.STICKER, "Image"),  # sealed as pictures are
    "locationMessage": _location(),
    "liveLocationMessage": _location(live=True),
    "contactMessage": _contact,
    "contactsArrayMessage": _contacts,
}


def _word(part: object, name: str) -> str:
    value = getattr(part, name, "")
    return as_text(value) if isinstance(value, str | bytes) else ""


def _whole(part: object, name: str) -> int:
    value = getattr(part, name, 0)
    return value if isinstance(value, int) and 0 <= value < _LARGEST else 0


def _flag(part: object, name: str) -> bool:
    return getattr(part, name, False) is True
