"""Telephone numbers: one number however it is written, and how it is shown in a log."""

from __future__ import annotations

import unicodedata

import phonenumbers

_SPOKEN = {"Zs": " ", "Zl": " ", "Zp": " ", "Cc": " ", "Cf": "", "Pd": "-"}
"""What a space, line, direction mark or dash of any script is worth in a number."""


def normalise(written: str, own: str | None = None) -> str | None:
    """The digits of a number with its country code, or None if it cannot be a number.

    ``own`` (digits) is the channel's own number: what has no plus is read first as a number of its
    country, then as an international one. A reading that the numbering plan calls valid wins over
    one it calls merely possible; "possible" is enough in the end, for WhatsApp knows numbers that
    the plans do not.
    """
    plain = _plain(written)
    readings = [_parse(plain, _region(own)), _parse(f"+{plain}", None)]
    numbers = [number for number in readings if number is not None]
    for number in sorted(numbers, key=phonenumbers.is_valid_number, reverse=True):
        return f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    return None


def _plain(written: str) -> str:
    """With plain marks for those that text programs put in their place."""
    if written.isascii() and written.isprintable():
        return written
    return "".join(_SPOKEN.get(unicodedata.category(char), char) for char in written)


def _region(own: str | None) -> str | None:
    number = _parse(f"+{own}", None) if own else None
    return phonenumbers.region_code_for_number(number) if number is not None else None


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def masked(number: str) -> str:
    """A number as a log may show it: its country code and last two digits."""
    digits = "".join(filter(str.isdigit, number))
    parsed = _parse(f"+{digits}", None) if digits else None
    country = str(parsed.country_code) if parsed is not None else ""
    return f"+{country}…{digits[-2:]}"
