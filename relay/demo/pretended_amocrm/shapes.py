"""A small language for the shape of a JSON body, with strict types and every problem reported.

A shape is a function from a value and its path to the problems found. Nothing is converted: "send
exactly the documented JSON types" is the vendor's rule, so ``1`` is not ``true`` and ``null`` is
not "left out".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a body: where, one word, and the sentence."""

    path: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path or 'body'}: {self.detail}"


Shape = Callable[[object, str], Iterator[Problem]]
Rule = Callable[[JsonObject, str], Iterator[Problem]]


def string(*, empty: bool = False, longest: int | None = None, ascii_only: bool = False) -> Shape:
    """A JSON string."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield _wrong_type(value, path, "a string")
        elif not value and not empty:
            yield Problem(path, "Empty", "must not be empty")
        elif longest is not None and len(value) > longest:
            yield Problem(path, "TooLong", f"has {len(value)} characters, at most {longest}")
        elif ascii_only and not (value.isascii() and value.isprintable()):
            yield Problem(path, "NotAscii", "may hold printable ASCII only")

    return shape


def choice(*allowed: str | int) -> Shape:
    """One of the given strings or integers."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, str | int):
            yield _wrong_type(value, path, f"one of {allowed}")
        elif value not in allowed:
            yield Problem(path, "NotSupportedChoice", f"is {value!r}, not one of {allowed}")

    return shape


def integer(low: int | None = None, high: int | None = None) -> Shape:
    """A JSON number without a fraction, not a boolean."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield _wrong_type(value, path, "an integer")
        elif (low is not None and value < low) or (high is not None and value > high):
            yield Problem(path, "OutOfRange", f"is {value}, not within {low}..{high}")

    return shape


def number(low: float, high: float) -> Shape:
    """A JSON number."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield _wrong_type(value, path, "a number")
        elif not low <= value <= high:
            yield Problem(path, "OutOfRange", f"is {value}, not within {low}..{high}")

    return shape


def boolean(value: object, path: str) -> Iterator[Problem]:
    """``true`` or ``false``."""
    if not isinstance(value, bool):
        yield _wrong_type(value, path, "a boolean")


def link(value: object, path: str) -> Iterator[Problem]:
    """An absolute http or https address."""
    if not isinstance(value, str):
        yield _wrong_type(value, path, "a string")
    elif not value.startswith(("http://", "https://")):
        yield Problem(path, "NotALink", "is not an http address")


def anything(value: object, path: str) -> Iterator[Problem]:
    """Whatever it is, amoCRM ignores it here."""
    del value, path
    yield from ()


def array(of: Shape, longest: int) -> Shape:
    """A JSON array of one to `longest` values."""

    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield _wrong_type(value, path, "an array")
        elif not 1 <= len(value) <= longest:
            yield Problem(path, "Length", f"has {len(value)} elements, not 1 to {longest}")
        else:
            for at, element in enumerate(value):
                yield from of(element, f"{path}.{at}")

    return shape


def record(
    required: Mapping[str, Shape], optional: Mapping[str, Shape] | None = None, *rules: Rule
) -> Shape:
    """A JSON object with these keys and no others; `rules` see it only if every key is right."""
    known = {**required, **(optional or {})}

    def shape(value: object, path: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield _wrong_type(value, path, "an object")
            return
        found = [
            *_missing(value, required, path),
            *_unexpected(value, known, path),
            *(p for k, v in value.items() if k in known for p in known[k](v, _join(path, k))),
        ]
        yield from found
        if not found:
            for rule in rules:
                yield from rule(value, path)

    return shape


def one_of(*names: str) -> Rule:
    """At least one of these keys is there."""

    def rule(value: JsonObject, path: str) -> Iterator[Problem]:
        if not any(name in value for name in names):
            yield Problem(path, "FieldMissing", f"needs one of {', '.join(names)}")

    return rule


def _missing(value: JsonObject, required: Collection[str], path: str) -> Iterator[Problem]:
    for name in required:
        if name not in value:
            yield Problem(_join(path, name), "FieldMissing", "is required")


def _unexpected(value: JsonObject, known: Collection[str], path: str) -> Iterator[Problem]:
    for name in value:
        if name not in known:
            yield Problem(_join(path, name), "FieldNotExpected", "is not a known field")


def _wrong_type(value: object, path: str, wanted: str) -> Problem:
    return Problem(path, "WrongType", f"is {type(value).__name__}, must be {wanted}")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
