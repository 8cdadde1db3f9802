"""How a value is written into the file: one form for each, safe whatever the text holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from relay.config.tree import Kind, kind_of_text

Value = bool | str | Sequence[str] | Mapping[str, "Value"]

LONGEST_ROW: Final = 8
"""A longer list is written one entry a line."""

STEP: Final = 2
"""Columns that what is inside of something is moved in by."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NUMERIC_KEY = re.compile(r"[1-9][0-9]*")
_ESCAPED = re.compile(r"[\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(value: bool | str) -> str:
    """A switch or a text; a text that YAML could take for anything else stands in quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if _PLAIN.fullmatch(value) and kind_of_text(value) is Kind.TEXT:
        return value
    return f'"{_ESCAPED.sub(_escape, value)}"'


def key(name: str) -> str:
    """A key: amoCRM's ids stand without quotes, as people write them."""
    return name if _NUMERIC_KEY.fullmatch(name) else scalar(name)


def flow(value: Value) -> str:
    """A value on one line."""
    if isinstance(value, bool | str):
        return scalar(value)
    if isinstance(value, Mapping):
        pairs = (f"{key(name)}: {flow(inner)}" for name, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    return "[" + ", ".join(scalar(item) for item in value) + "]"


def pair(name: str, value: Value, indent: int) -> str:
    """A key and its value as lines of a mapping that stands at that column; no line end."""
    return "\n".join(_lines(name, value, indent))


def block(value: Sequence[str], indent: int) -> str:
    """A list's entries, one a line."""
    return "\n".join(" " * indent + f"- {scalar(item)}" for item in value)


def is_long(value: Value) -> bool:
    """Whether it is a list that is better written one entry a line."""
    return not isinstance(value, bool | str | Mapping) and len(value) > LONGEST_ROW


def _lines(name: str, value: Value, indent: int) -> Iterator[str]:
    head = " " * indent + f"{key(name)}:"
    if isinstance(value, Mapping) and value:
        yield head
        for inner, each in value.items():
            yield from _lines(inner, each, indent + STEP)
    elif not isinstance(value, bool | str | Mapping) and is_long(value):
        yield head
        yield block(value, indent + STEP)
    else:
        yield f"{head} {flow(value)}"


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    return _SHORT.get(character) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
