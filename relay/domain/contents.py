"""What a message holds: a closed set. Every place that takes it apart handles each member."""

from __future__ import annotations

import enum
from typing import Literal

from relay.domain.values import value


@value
class Text:
    """Plain text, exactly as written."""

    text: str
    kind: Literal["text"] = "text"


class MediaKind(enum.StrEnum):
    """What a medium is to the people in the chat; its MIME type does not always tell."""

    IMAGE = "image"
    VIDEO = "video"
    VOICE = "voice"  # recorded in the chat, as opposed to a file with sound
    AUDIO = "audio"
    DOCUMENT = "document"
    STICKER = "sticker"


@value
class Remote:
    """The bytes are still with the side that sent them, and only that side understands ``ref``."""

    ref: str
    kind: Literal["remote"] = "remote"


@value
class Kept:
    """The bytes are in the relay's own store of media, under this name."""

    name: str
    kind: Literal["kept"] = "kept"


class Loss(enum.StrEnum):
    """Why the bytes of a medium could not be had."""

    TOO_LARGE = "too_large"  # for the limit of the relay's own store
    GONE = "gone"  # nobody has them any more
    EMPTY = "empty"  # there are none
    LATE = "late"  # nobody could bring them in time


@value
class Lost:
    """The bytes could not be had. ``limit``: how many would have been taken, if it is that."""

    why: Loss
    limit: int | None = None
    kind: Literal["lost"] = "lost"


@value
class Media:
    """A file, with the words that go with it.

    ``at`` is None where the sender told no way to the bytes. ``size`` (bytes), ``mime``, ``name``
    and ``duration_s`` are what the sender says of it: to be shown, never to be relied on.
    Once it is ``Kept``, ``size`` and ``mime`` are what the relay itself found. ``round``: a video
    note. ``gif``: a video that plays silently, again and again. ``waveform``: the picture of a
    voice message, 64 loudnesses from 0 to 100, if somebody has drawn it.
    """

    what: MediaKind
    at: Remote | Kept | Lost | None
    caption: str = ""
    name: str = ""
    mime: str = ""
    size: int | None = None
    duration_s: int | None = None
    round: bool = False
    gif: bool = False
    waveform: tuple[int, ...] = ()
    kind: Literal["media"] = "media"


@value
class Location:
    """A place, in degrees, with the words that go with it. ``live``: where somebody is just now."""

    latitude: float
    longitude: float
    text: str = ""
    live: bool = False
    kind: Literal["location"] = "location"


@value
class ContactCard:
    """Somebody's name and telephone numbers, as they stand in the card."""

    name: str
    phones: tuple[str, ...] = ()


@value
class Contacts:
    """One or more contact cards."""

    cards: tuple[ContactCard, ...]
    kind: Literal["contacts"] = "contacts"


@value
class Unsupported:
    """Something the relay cannot carry yet; shown as a readable placeholder, never as silence.

    ``what`` is a word of the field: ``poll``, ``view_once``, ``undecryptable``…
    """

    what: str
    kind: Literal["unsupported"] = "unsupported"


UNDECRYPTABLE = "undecryptable"
"""What :class:`Unsupported` calls a message that could not be read yet; it mostly comes after."""

VIEW_ONCE = "view_once"
"""What :class:`Unsupported` calls a medium that its sender wants seen once: no copy is made."""

MISSED_CALL = "missed_call"
"""What :class:`Unsupported` calls a call that nobody answered."""

Content = Text | Media | Location | Contacts | Unsupported


def private_words(content: Content) -> tuple[str, ...]:
    """Everything in it that people wrote, and that no log may show."""
    match content:
        case Text(text):
            return (text,)
        case Media():
            return (content.caption, content.name)
        case Location():
            return (content.text,)
        case Contacts(cards):
            return tuple(word for card in cards for word in (card.name, *card.phones))
        case Unsupported():
            return ()
