"""The raw payload: one event of the library as it is handed over, and kept in the journal.

A line of ASCII that a person can read, then the library's own bytes:

    linked_device/1 17 74950000001
    …protobuf…

The first number is the version of this form. Rows outlive releases, so a form once written is
read for ever, and a new one gets a new number.
"""

from __future__ import annotations

from dataclasses import dataclass

from relay.domain.ids import OwnNumber

_FORM = b"linked_device/1"
_LONGEST_HEADER = 64


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event of the library: its code, the channel's own number, its protobuf bytes."""

    code: int
    own: OwnNumber
    data: bytes


def wrap(event: RawEvent) -> bytes:
    """The payload of an event."""
    return b"%s %d %s\n%s" % (_FORM, event.code, event.own.encode("ascii"), event.data)


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
    raise ValueError("not a payload of a linked device, or one of a newer form")


def _digits(part: bytes) -> bool:
    return 0 < len(part) <= 20 and part.isdigit()
