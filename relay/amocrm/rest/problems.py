"""What an answer of the REST API says of a failure, as one readable line. No I/O.

Source: REST API, "Error codes"; the body is ``application/problem+json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from relay.amocrm.answers import Answer, parse

LONGEST: Final = 300
"""Characters of a line."""

_MOST_ERRORS: Final = 5

MEANINGS: Final = {
    401: "the token has expired or was revoked, or the integration is off",
    402: "the account's subscription has ended",
    403: "no rights, an address outside the account's list, or a block for too many requests",
}
"""What the documentation says of these, which often come without a word."""

_NUMBER = re.compile(r"\+?\d[\d ()-]{8,}\d")
"""What may be a telephone number: an error quotes the value that it refuses."""


def line_of(answer: Answer) -> str:
    """The failure: status, meaning, and what the body adds, field by field."""
    said = parse(answer.body)
    words = [MEANINGS[answer.status]] if answer.status in MEANINGS else []
    words += _words(said) if isinstance(said, dict) else []
    text = without_numbers("; ".join(words) or "no explanation")
    return f"amoCRM answered {answer.status}: {' '.join(text.split())}"[:LONGEST]


def without_numbers(text: str) -> str:
    """A text as a log may show it: of what may be a telephone number the last two digits."""
    return _NUMBER.sub(lambda found: f"…{found[0][-2:]}", text)


def _words(problem: dict[str, object]) -> Iterator[str]:
    for key in ("detail", "title", "hint"):
        value = problem.get(key)
        if isinstance(value, str) and value.strip():
            yield value
            break
    entries = problem.get("validation-errors")
    errors = [
        error
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("errors"), list)
        for error in entry["errors"]
        if isinstance(error, dict)
    ]
    for error in errors[:_MOST_ERRORS]:
        parts = [str(error[key]) for key in ("path", "code", "detail") if error.get(key)]
        if parts:
            yield ": ".join(parts)
