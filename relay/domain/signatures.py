"""Recognises a manager's signature under a text, so that amoCRM never shows it.

What a client receives is the text, an empty line, the signature. The same text may come back: typed
on, or edited on, another device of the number. Then the signature is taken off again.
"""

from __future__ import annotations

from collections.abc import Iterable

from relay.domain.values import value

APART = "\n\n"
"""What stands between a text and its signature: an empty line."""


@value
class Signatures:
    """Every signature of the file. ``deepest``: how many empty lines one has at most."""

    known: frozenset[str] = frozenset()
    deepest: int = 0

    @classmethod
    def compiled(cls, signatures: Iterable[str]) -> Signatures:
        """Of the signatures as they are written; blank ones are none."""
        known = frozenset(bare for one in signatures if (bare := one.strip()))
        return cls(known, max(map(_gaps, known), default=0))

    def without(self, text: str) -> str:
        """The text exactly as it was before one of them was put under it; empty if it is one."""
        if not self.known:
            return text
        bare = text.rstrip()
        if bare.lstrip() in self.known:
            return ""
        place = len(bare)
        for _ in range(self.deepest + 1):
            place = bare.rfind(APART, 0, place + 1)
            if place < 0:
                break
            if bare[place + len(APART) :] in self.known:
                return bare[:place]
        return text


def _gaps(signature: str) -> int:
    return sum(signature.startswith(APART, place) for place in range(len(signature)))
