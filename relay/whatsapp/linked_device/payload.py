"""The raw payload: one event of the library as it is handed over, and kept in the journal.

A line of ASCII that a person can read, then the library's own bytes:

    linked_device/1 17 74950000001
    …protobuf…

The first number is the version of this form. Rows outlive releases, so a form once written is
read for ever, and a new one gets a new number. Form 2 adds the name that the phone's address book
has for the client, percent-encoded, as a last word of the line:

    linked_device/2 17 74950000001 %D0%90%D0%BD%D0%BD%D0%B0
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from relay.domain.ids import OwnNumber

_FORM = b"linked_device/1"
_NAMED_FORM = b"linked_device/2"
_LONGEST_HEADER = 1024
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event of the library: its code, the channel's own number, its protobuf bytes.

    ``name``: what the phone's address book calls the client, if it has him.
    """

    code: int
    own: OwnNumber
    data: bytes
    name: str | None = None


def wrap(event: RawEvent) -> bytes:
    """The payload of an event."""
    own = event.own.encode("ascii")
    name = _written(event.name) if event.name else b""
    if not name:
        return b"%s %d %s\n%s" % (_FORM, event.code, own, event.data)
    return b"%s %d %s %s\n%s" % (_NAMED_FORM, event.code, own, name, event.data)


def unwrap(payload: bytes) -> RawEvent:
    """The event of a payload.

    Raises:
        ValueError: these bytes are not a payload of a known form.
    """
    header, newline, data = payload.partition(b"\n")
    parts = header.split(b" ") if newline and len(header) <= _LONGEST_HEADER else []
    match parts:
        case [form, code, own] if form == _FORM and _digits(code) and _digits(own):
            return RawEvent(int(code), OwnNumber(own.decode("ascii")), data)
        case [form, code, own, name] if form == _NAMED_FORM and _digits(code) and _digits(own):
            told = unquote(name.decode("ascii", "replace"))
            return RawEvent(int(code), OwnNumber(own.decode("ascii")), data, told)
    raise ValueError("not a payload of a linked device, or one of a newer form")


def _written(name: str) -> bytes:
    return quote(name[:_LONGEST_NAME].strip(), safe="", errors="replace").encode("ascii")


def _digits(part: bytes) -> bool:
    return 0 < len(part) <= 20 and part.isdigit()
