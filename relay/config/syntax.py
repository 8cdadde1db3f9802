"""YAML's syntax: from bytes to the parser's events, and what is said where the syntax is wrong.

Nothing of the file is quoted here: what cannot be parsed may be a secret that was not quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from relay.config.errors import START, Place
from relay.config.tree import Path, Problem

LARGEST_FILE: Final = 16 * 1024 * 1024

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the wheels have the quick one
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIECE: Final = 256 * 1024
_INDENTED_BY_TAB = re.compile(r"[ ]*\t")

_PLAINER = {
    "mapping values are not allowed in this context": (
        'found ": " where no key can stand; expected other indentation, or quotes around the text'
    ),
    "found character that cannot start any token": (
        "found a character that cannot begin a text without quotes"
    ),
    "did not find expected key": "found something else, expected a key at this indentation",
    "did not find expected '-' indicator": (
        'found something else, expected "- " at this indentation'
    ),
    "could not find expected ':'": 'found no ":" after the key',
    "did not find expected ',' or ']'": 'found something else, expected "," or "]"',
    "did not find expected ',' or '}'": 'found something else, expected "," or "}"',
}
_UNCLOSED = "found unexpected end of stream"


class UnreadableError(Exception):
    """The file cannot be read any further; holds the problem that stopped it."""

    def __init__(self, place: Place, message: str, path: Path = ()) -> None:
        self.problem = Problem(path, message, place=place)
        super().__init__(message)


def decode(content: bytes) -> str:
    """The text of the file.

    Raises:
        UnreadableError: too large, not UTF-8, or with characters that YAML forbids.
    """
    if len(content) > LARGEST_FILE:
        limit = f"{LARGEST_FILE // (1024 * 1024)} MiB"
        raise UnreadableError(START, f"the file is too large, expected at most {limit}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError(START, "found the file in UTF-16, expected it in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_at(error.object[: error.start].decode())
        byte = error.object[error.start]
        message = f"found the byte 0x{byte:02x}, expected the file in UTF-8"
        raise UnreadableError(place, message) from None
    if forbidden := _forbidden(text):
        message = f"found the character U+{ord(forbidden[0]):04X}, which YAML forbids"
        raise UnreadableError(_place_at(text[: forbidden.start()]), message)
    return text


def _forbidden(text: str) -> re.Match[str] | None:
    """The first character that YAML forbids. Piece by piece: a search lets no other thread run."""
    pieces = range(0, len(text), _PIECE)
    found = (_FORBIDDEN.search(text, start, start + _PIECE) for start in pieces)
    return next(filter(None, found), None)


def events(text: str) -> Iterator[Any]:
    """The parser's events, one by one.

    Raises:
        UnreadableError: the syntax is wrong.
    """
    try:
        parser = _LOADER(text)
        while (event := parser.get_event()) is not None:
            yield event
    except yaml.MarkedYAMLError as error:
        trouble = _trouble(error, text)
    except (yaml.YAMLError, ValueError, OverflowError):
        trouble = UnreadableError(START, "not YAML: found something the parser cannot read")
    else:
        return
    raise trouble


def _trouble(error: yaml.MarkedYAMLError, text: str) -> UnreadableError:
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    place = place_of_mark(mark) if mark else START
    line = text.splitlines()[place.line - 1 : place.line]
    if line and (tab := _INDENTED_BY_TAB.match(line[0])):
        return UnreadableError(
            Place(place.line, tab.end()), "found a tab, expected spaces: YAML indents with spaces"
        )
    if problem == _UNCLOSED and "quoted" in context and error.context_mark:
        place = place_of_mark(error.context_mark)
        return UnreadableError(place, "found a quote that is never closed")
    said = _PLAINER.get(problem) or " ".join(filter(None, (problem, context)))
    if "flow" in context and error.context_mark:
        said += f" for the bracket on line {error.context_mark.line + 1}"
    return UnreadableError(place, f"not YAML: {said}")


def place_of_mark(mark: Any) -> Place:
    """The parser counts from zero, people and editors from one."""
    return Place(mark.line + 1, mark.column + 1)


def _place_at(before: str) -> Place:
    """The place after a piece of text from the beginning of the file."""
    return Place(before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
