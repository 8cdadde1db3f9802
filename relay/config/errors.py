"""What is wrong with the file: one error per mistake, with its place and the nearest right word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SHOWN = 40
_LONGEST_COMPARED = 64  # difflib is quadratic in the length of the words
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file, both counted from one, columns in characters."""

    line: int
    column: int


START = Place(1, 1)


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One mistake (or, as a warning, one doubt). ``path`` is empty if it is the file's own."""

    file: Path
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: "
        return where + (f"{self.path}: {self.message}" if self.path else self.message)


class ConfigErrors(Exception):  # noqa: N818 - it holds many errors, and is named so
    """Every mistake of a file, in the order of its lines. ``str()`` gives one line for each."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: (error.line, error.column)))
        super().__init__("\n".join(str(error) for error in self.errors))


def shown(text: str) -> str:
    """A piece of the file as it may be quoted in a message: on one line and not too long."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    return _UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", cut)


def path_text(path: Iterable[str | int]) -> str:
    """A path as an administrator writes it: ``users.8124356.channels[0]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _PLAIN_KEY.fullmatch(step) else f'"{shown(step)}"'
            text += f".{name}" if text else name
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    if len(word) > _LONGEST_COMPARED:
        return None
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def has_control_characters(text: str) -> bool:
    """Whether there is anything in it that does not belong on a line of text."""
    return _UNFIT.search(text) is not None
