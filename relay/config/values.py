"""What may stand as a value: text, durations, telephone numbers, addresses, lists of choices.

Each function takes what was written (or a plain Python value) and returns what it means. What is
wrong is said as a :class:`WrongValueError`: what was found, what was expected.
"""

from __future__ import annotations

import re
from typing import Final

from relay.config.errors import has_control_characters, nearest, shown
from relay.config.tree import TRUE, Kind, Scalar, found, found_hidden
from relay.domain.ids import ChannelId
from relay.domain.retry import DAY, HOUR, MINUTE, SECOND

LONGEST_LINE: Final = 255
LONGEST_TEXT: Final = 4096
LONGEST_DURATION_MS: Final = 3650 * DAY
LARGEST_BOUNDED: Final = 1000
LONGEST_SHORT_MS: Final = 10 * SECOND

DEFAULT: Final = "default"
"""In ``users``, the word for the default channel; so no channel may be called that."""

EVERYONE_ELSE: Final = "everyone_else"

_UNITS: Final = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_CHANNEL_ID = re.compile(r"[a-z0-9_-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WHOLE = re.compile(r"[1-9][0-9]{0,17}")
_DIGITS = re.compile(r"[0-9]{1,32}")

# ITU-T E.164: at most fifteen digits, country codes do not begin with 0; seven is the shortest
# number with its country code in use.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_PHONE_START = re.compile(r"\+[1-9][0-9]{0,14}")
_PHONE_PUNCTUATION = str.maketrans("", "", " -().\u00a0")


class WrongValueError(ValueError):
    """Not what was expected; the text is the message for the administrator."""


def expect(value: object, expected: str) -> WrongValueError:
    """The usual words."""
    return WrongValueError(f"found {found(value)}, expected {expected}")


def _text(value: object, expected: str) -> str:
    """Text, or an error that says to quote what YAML takes for something else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Scalar):
        if value.kind is Kind.TEXT:
            return value.text
        if value.kind is not Kind.NOTHING:
            raise expect(value, f'{expected} in quotes: "{shown(value.text)}"')
    raise expect(value, expected)


def line(value: object) -> str:
    """One line of text that is not blank."""
    text = _text(value, "text")
    if not text.strip():
        raise expect(value, "text that is not blank")
    if has_control_characters(text):
        raise WrongValueError(
            "found more than a line, expected one line without control characters"
        )
    if len(text) > LONGEST_LINE:
        raise WrongValueError(f"found {len(text)} characters, expected at most {LONGEST_LINE}")
    return text


def lines(value: object) -> str:
    """Text that is not blank, of any number of lines."""
    text = _text(value, "text")
    if not text.strip():
        raise expect(value, "text that is not blank")
    if has_control_characters(text.replace("\n", "").replace("\t", "")):
        raise WrongValueError("found control characters, expected text")
    if len(text) > LONGEST_TEXT:
        raise WrongValueError(f"found {len(text)} characters, expected at most {LONGEST_TEXT}")
    return text


def switch(value: object) -> bool:
    """``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Scalar) and value.kind is Kind.SWITCH:
        return value.text.lower() in TRUE
    quoted = isinstance(value, Scalar) and value.text.lower() in ("true", "false", "yes", "no")
    raise expect(value, "true or false without quotes" if quoted else "true or false")


def whole(value: object) -> int:
    """A whole number above zero."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, Scalar) and _WHOLE.fullmatch(value.text):
        if value.kind is Kind.NUMBER:
            return int(value.text)
        raise expect(value, "a whole number without quotes")
    raise expect(value, "a whole number above zero")


def bounded(value: object) -> int:
    """A whole number from 1 to a thousand: so many messages."""
    number = whole(value)
    if number > LARGEST_BOUNDED:
        raise expect(value, f"a whole number from 1 to {LARGEST_BOUNDED}")
    return number


def word(value: object, known: tuple[str, ...]) -> str:
    """One of the known words."""
    text = value.text if isinstance(value, Scalar) else value
    if isinstance(text, str):
        if text in known:
            return text
        if near := nearest(text.lower(), known):
            raise expect(value, f"{either(known)} (nearest: {near})")
    raise expect(value, either(known))


def either(known: tuple[str, ...]) -> str:
    """Words in a row: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(known[:-1]), known[-1])))


def duration(value: object) -> int:
    """A time span in milliseconds, written as a number and its unit."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    text = value.text if isinstance(value, Scalar) else value
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise expect(value, "a duration such as 30s, 5m, 24h or 30d")
    duration_ms = int(match[1]) * _UNITS[match[2]]
    if not 0 < duration_ms <= LONGEST_DURATION_MS:
        raise expect(value, "a duration above zero and up to 3650d")
    return duration_ms


def duration_or_off(value: object) -> int | None:
    """A duration, or ``off`` (which YAML 1.1 reads as false)."""
    text = value.text if isinstance(value, Scalar) else value
    if value is None or (isinstance(text, str) and text.lower() in ("off", "no", "false")):
        return None
    try:
        return duration(value)
    except WrongValueError:
        raise expect(value, "a duration such as 14d, or off") from None


def short_or_off(value: object) -> int | None:
    """A duration that a person may be kept waiting for, or ``off``."""
    expected = "a duration from 1s to 10s, or off"
    try:
        found_ms = duration_or_off(value)
    except WrongValueError:
        raise expect(value, expected) from None
    if found_ms is not None and found_ms > LONGEST_SHORT_MS:
        raise expect(value, expected)
    return found_ms


def duration_text(duration_ms: int) -> str:
    """A duration as it would be written in the file: ``24h``, in the largest unit up to hours."""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(duration_ms, _UNITS[unit])
        if count and not rest and not (unit == "d" and count == 1):
            return f"{count}{unit}"
    return f"{duration_ms}ms"


def phone(value: object) -> str:
    """A telephone number as E.164 with its plus, punctuation removed."""
    return _phone(value, 'a telephone number such as "+74950000001"', _PHONE)


def listed_number(value: object) -> str:
    """An entry of the blacklist: a number, or the beginning of numbers and a ``*``."""
    if isinstance(value, str):
        if _PHONE.fullmatch(value):
            return value  # this and the next are the usual forms of a hundred thousand entries
    elif isinstance(value, Scalar) and value.fixed is Kind.TEXT and _PHONE.fullmatch(value.text):
        return value.text
    expected = 'a telephone number or its beginning, such as "+79001234567" or "+7900555*"'
    text = value.text if isinstance(value, Scalar) else value
    if isinstance(text, str) and text.endswith("*"):
        start = Scalar(text[:-1], value.kind, 0, 0) if isinstance(value, Scalar) else text[:-1]
        try:
            return _phone(start, expected, _PHONE_START) + "*"
        except WrongValueError:
            raise expect(value, expected) from None
    return _phone(value, expected, _PHONE)


def _phone(value: object, expected: str, pattern: re.Pattern[str]) -> str:
    text = value.text if isinstance(value, Scalar) else value
    if not isinstance(text, str):
        raise expect(value, expected)
    bare = text if pattern.fullmatch(text) else text.translate(_PHONE_PUNCTUATION)
    if isinstance(value, Scalar) and value.kind is not Kind.TEXT and _DIGITS.search(text):
        meant = bare if bare.startswith("+") else _with_plus(bare)
        raise expect(value, f"{expected} in quotes" if meant is None else f'"{meant}" in quotes')
    if pattern.fullmatch(bare):
        return bare
    if meant := _with_plus(bare):
        raise expect(value, f'the number with its country code: "{meant}"')
    raise expect(value, expected)


def _with_plus(digits: str) -> str | None:
    """The international form of a Russian number written as people dial it, if it is one."""
    if _DIGITS.fullmatch(digits) and len(digits) == 11 and digits[0] in "78":
        return f"+7{digits[1:]}"
    return None


def uuid(value: object) -> str:
    """A UUID in its canonical form."""
    text = value.text if isinstance(value, Scalar) else value
    if not isinstance(text, str) or not _UUID.fullmatch(text.lower()):
        raise expect(value, "a UUID such as 11111111-2222-4333-8444-555555555555")
    return text.lower()


def digits(value: object) -> str:
    """An id made of digits, which is text."""
    text = _text(value, "digits")
    if not _DIGITS.fullmatch(text):
        raise expect(value, 'digits in quotes, such as "900111222333"')
    return text


def channel_id(value: object) -> ChannelId:
    """The key of a channel in the file."""
    if not isinstance(value, str) or not _CHANNEL_ID.fullmatch(value):
        raise WrongValueError("expected a channel id of 1 to 64 characters a-z 0-9 _ -")
    if value == DEFAULT:
        raise WrongValueError(f"no channel may be called {DEFAULT}: users uses that word")
    return ChannelId(value)


def channel_name(value: object) -> ChannelId:
    """A channel named in ``settings`` or ``users``; whether it exists is not asked here."""
    text = value.text if isinstance(value, Scalar) else value
    if not isinstance(text, str) or not _CHANNEL_ID.fullmatch(text):
        raise expect(value, "a channel id")
    return ChannelId(text)


def user_key(value: object) -> int | str:
    """The key of a user: amoCRM's numeric id, or ``everyone_else``."""
    text = str(value)
    if _WHOLE.fullmatch(text):
        return int(text)
    if text == EVERYONE_ELSE:
        return text
    near = f" (nearest: {EVERYONE_ELSE})" if nearest(text, [EVERYONE_ELSE]) else ""
    raise WrongValueError(f"expected amoCRM's numeric user id or {EVERYONE_ELSE}{near}")


def secret_text(value: object) -> str:
    """A secret written plainly. What was found is never shown."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Scalar):
        raise WrongValueError(f"found {found_hidden(value)}, expected text or !secret NAME")
    if value.kind not in (Kind.TEXT, Kind.NOTHING):
        raise WrongValueError(f"found {found_hidden(value)}, expected text in quotes")
    if not value.text.strip() or value.kind is Kind.NOTHING:
        raise WrongValueError("found nothing, expected text or !secret NAME")
    if has_control_characters(value.text):
        raise WrongValueError("found control characters, expected one line of text")
    return value.text
