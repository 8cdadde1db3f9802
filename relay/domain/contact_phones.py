"""The numbers of a contact's card: 8XXXXXXXXXX becomes +7XXXXXXXXXX (``phone_8_to_7``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relay.domain.values import value

_RUSSIAN = "+7"
_NATIONAL = "8"
_LENGTH = 10


@value
class PhoneValue:
    """One number of a card as it stands there; ``kind`` (work, mobile…) is amoCRM's word for it."""

    value: str
    kind: str | int | None = None


def has_short_form(phone: str | None) -> bool:
    """Whether a client's number (E.164) may stand in a card as 8 and ten digits."""
    digits = (phone or "").removeprefix(_RUSSIAN)
    return digits != phone and len(digits) == _LENGTH and _are_digits(digits)


def rewritten(values: Sequence[PhoneValue], phone: str) -> list[PhoneValue]:
    """The card's numbers, with the client's own in its international form.

    Only that number, written as 8 and ten digits with whatever punctuation, changes. What the
    change makes equal to another value of the same kind stands there once.
    """
    if not has_short_form(phone):
        return list(values)
    short = _NATIONAL + phone.removeprefix(_RUSSIAN)
    untouched = {each for each in values if not _is(each.value, short)}
    result: list[PhoneValue] = []
    for each in values:
        if each in untouched:
            result.append(each)
            continue
        changed = replace(each, value=phone)
        if changed not in untouched and changed not in result:
            result.append(changed)
    return result


def _is(written: str, digits: str) -> bool:
    """Whether these digits are written there, and between them nothing that means anything."""
    if "+" in written or any(c.isalpha() for c in written):
        return False
    return "".join(c for c in written if c.isnumeric()) == digits


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
