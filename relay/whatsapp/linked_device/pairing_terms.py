"""What is said about linking and unlinking a number: the wish, what is shown, how it ended."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from relay.domain.ids import OwnNumber


class Why(enum.Enum):
    """Why a number was not linked."""

    TIMEOUT = "nobody took a code in time"
    LOST = "the connection was lost"
    UNREACHABLE = "WhatsApp cannot be reached"
    OUTDATED = "WhatsApp no longer accepts this version"
    PASSKEY = "WhatsApp demands a passkey"
    OLD_PHONE = "the phone's WhatsApp is too old to link devices"
    WRONG_NUMBER = "another number than the file's"
    WRONG_NUMBER_STAYS = "another number, and its device could not be removed"
    NOT_ON_WHATSAPP = "no WhatsApp account has that number"
    TOO_MANY = "too many attempts"
    REFUSED = "WhatsApp refused"
    NEVER_CONNECTED = "the new device was not let in"
    INTERRUPTED = "interrupted when the phone had taken the code"
    BROKEN = "something failed on this machine"


class NotLinkedError(Exception):
    """The number was not linked. ``detail`` is a number, or words of the library."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why.value}: {detail}" if detail else why.value)
        self.why = why
        self.detail = detail


class NotUnlinkedError(Exception):
    """The device was not logged out at WhatsApp, and the session is kept; says why."""


@dataclass(frozen=True, slots=True)
class Linked:
    """Whose device it is now."""

    own: OwnNumber
    name: str | None


class Screen(Protocol):
    """Where a pairing shows what the owner needs."""

    def show_code(self, text: str, seconds: int) -> None:
        """A text to be shown as QR code; the next one comes after that many seconds."""
        ...

    def show_letters(self, letters: str, seconds: int) -> None:
        """Eight letters (``ABCD-EFGH``) to be typed into the phone within that many seconds."""
        ...

    def taken(self) -> None:
        """The phone has taken the code; the device is being let in."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be linked: ``phone``, if set, is the only number allowed; digits.

    ``letters_for``: the number (digits) that is asked to type letters, instead of a QR code.
    ``history``: what the phone hands over of the past is wanted.
    """

    proxy: str | None = None
    phone: str | None = None
    letters_for: str | None = None
    history: bool = False
