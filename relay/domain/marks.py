"""The marks that open a message in amoCRM: which channel it came by, and who typed it.

They are kept beside what somebody wrote and joined with it only where amoCRM is told, so nothing
that a person wrote is ever taken for a mark, and no mark is ever put on twice.
"""

from __future__ import annotations

from collections.abc import Iterable


def mark(words: str) -> str:
    """The words as a mark: in brackets, on one line."""
    return f"[{' '.join(words.split())}]"


def marked(text: str, marks: Iterable[str]) -> str:
    """The text opened by its marks, joined by single spaces, on its own first line.

    Without marks it is exactly as it was written; with them, without the blank that opened it.
    """
    opening = " ".join(marks)
    if not opening:
        return text
    bare = text.lstrip()
    return f"{opening} {bare}" if bare else opening
