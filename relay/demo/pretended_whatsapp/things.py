"""Who and what there is on the pretended WhatsApp, as plain data."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Author = Literal["client", "relay", "phone"]
"""Who does something in a chat of a line: see :class:`Bubble`."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message. ``what`` is the relay's word for its kind; WhatsApp keeps ``data``.

    ``waveform``: loudnesses of a voice message from 0 to 100, if its sender has drawn them.
    """

    what: str
    data: bytes = field(repr=False)
    name: str = ""
    mime: str = ""
    duration_s: int | None = None
    waveform: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is, in degrees, and what it is called there."""

    latitude: float
    longitude: float
    name: str


@dataclass(frozen=True, slots=True)
class Card:
    """Somebody's contact card. ``phone`` as it stands in the card."""

    name: str
    phone: str


Thing = Attachment | Place | Card
"""What a message may hold besides words."""


class Tick(enum.IntEnum):
    """The ticks under a message, as its author sees them: one, two, two blue."""

    SENT = 1
    DELIVERED = 2
    READ = 3


@dataclass(slots=True)
class Person:
    """A client with a phone. ``number`` has digits only; without ``online`` the phone is off.

    ``picture``: what he shows of himself, a file; None if he shows nothing.
    """

    id: str
    name: str
    number: str
    online: bool = True
    picture: bytes | None = field(default=None, repr=False)

    @property
    def picture_ref(self) -> str:
        """What a linked device calls his picture."""
        return picture_ref(self.number)


def picture_ref(number: str) -> str:
    """What a linked device calls the picture of whoever has that number (digits)."""
    return f"picture/{number}"


@dataclass(slots=True)
class Line:
    """A company's number, which one channel of the relay is linked to.

    ``online``: whether WhatsApp can be reached; ``held`` is what the linked device has not taken.
    ``paired``: whether the phone knows the device; ``offer`` is the code that is shown to pair one.
    """

    channel: str
    number: str
    online: bool = True
    linked: bool = False
    paired: bool = True
    offer: str | None = None
    held: deque[Held] = field(default_factory=deque)

    @property
    def carries(self) -> bool:
        """Whether anything passes between WhatsApp and the linked device."""
        return self.online and self.paired


@dataclass(frozen=True, slots=True)
class Held:
    """Something that the linked device is yet to take, and the message that it is, if it is one."""

    raw: bytes
    bubble: Bubble | None = None


@dataclass(slots=True, eq=False)
class Bubble:
    """A message in the chat of a line and a person. ``author`` is who wrote it.

    ``relay`` is the linked device: a manager or a robot in amoCRM; ``phone`` is the owner's
    handset.
    """

    id: str
    line: str
    person: str
    author: Author
    text: str
    at_ms: int
    tick: Tick = Tick.SENT
    thing: Thing | None = None
    quotes: str | None = None
    edited: bool = False
    deleted: bool = False
    reactions: dict[Author, str] = field(default_factory=dict)

    @property
    def file(self) -> Attachment | None:
        """The file in it, if it holds one."""
        return self.thing if isinstance(self.thing, Attachment) else None
