"""Names of files that came from strangers, made fit to be shown, stored and sent."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LONGEST = 120
_LONGEST_ENDING = 16
_SEPARATORS = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))


@lru_cache(maxsize=64)  # most pictures come with one of few names, and are asked about twice
def tidy_name(name: str) -> str:
    """The name without paths, control and direction marks, and of bearable length; maybe empty.

    Direction marks are how ``exe.pdf`` is made of ``fdp.exe``. The ending survives shortening,
    because programs go by it.
    """
    seen = name.translate(_SEPARATORS)
    if not (seen.isascii() and seen.isprintable()):  # else there is nothing to be taken out
        seen = unicodedata.normalize("NFC", seen)
        seen = "".join(" " if char.isspace() else char for char in seen if _visible(char))
    seen = " ".join(seen.split()).strip(". ")
    if len(seen) <= _LONGEST:
        return seen
    stem, dot, ending = seen.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return seen[:_LONGEST].rstrip(". ")
    return stem[: _LONGEST - len(ending) - 1].rstrip(". ") + dot + ending


def _visible(char: str) -> bool:
    """Not a control, format, half, private or unassigned character."""
    return char.isspace() or not unicodedata.category(char).startswith("C")
