"""The numbers of which nothing enters amoCRM, compiled once: a message costs next to nothing.

Numbers are compared as digits with their country code. Three countries write a mobile number in two
ways, and WhatsApp now uses one, now the other: such a pair is one number here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import field

from relay.domain.message import Client
from relay.domain.values import value

ANY = "*"
"""At the end of an entry: whatever begins with what stands before it."""

_LONGER = 13
_TWO_WAYS = {  # by country code: the digit that may be missing, and where it stands
    "52": (2, "1"),  # Mexico: 52 1 55 1234 5678
    "54": (2, "9"),  # Argentina: 54 9 11 2345 6789
    "55": (4, "9"),  # Brazil: 55 11 9 8765 4321
}


@value
class Blacklist:
    """Listed numbers, and beginnings of numbers in order, none of which begins with another."""

    numbers: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    _shortest: int = field(init=False, repr=False, compare=False)
    _heads: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Nearly all numbers begin like none of the beginnings: that is seen in one look."""
        shortest = min(map(len, self.beginnings), default=0)
        heads = frozenset(beginning[:shortest] for beginning in self.beginnings)
        object.__setattr__(self, "_shortest", shortest)
        object.__setattr__(self, "_heads", heads)

    @classmethod
    def compiled(cls, entries: Iterable[str]) -> Blacklist:
        """The list as the file has it: E.164 with its plus, ``*`` at the end of a beginning."""
        digits = [entry.removeprefix("+") for entry in entries]
        beginnings: list[str] = []
        for beginning in sorted(entry[:-1] for entry in digits if entry.endswith(ANY)):
            if not beginnings or not beginning.startswith(beginnings[-1]):
                beginnings.append(beginning)
        numbers = (one_way(entry) for entry in digits if not entry.endswith(ANY))
        return cls(frozenset(numbers), tuple(beginnings))

    def __contains__(self, number: str) -> bool:
        """Whether a number (digits) is listed."""
        plain = one_way(number)
        if plain in self.numbers or self._begins(number):
            return True
        return plain is not number and self._begins(plain)

    def lists(self, client: Client) -> bool:
        """Whether the client is, by the number he is known to have; a hidden address is none."""
        return (client.phone.removeprefix("+") if client.phone else client.address) in self

    def _begins(self, number: str) -> bool:
        if number[: self._shortest] not in self._heads:
            return False
        # Between a beginning and the number nothing can stand but what begins with it too, and
        # none of those is kept: so it is the last one that is not behind the number, or none.
        place = bisect_right(self.beginnings, number)
        return place > 0 and number.startswith(self.beginnings[place - 1])


def one_way(number: str) -> str:
    """The number without the digit that WhatsApp may leave out in its country."""
    if len(number) != _LONGER or number[:2] not in _TWO_WAYS:
        return number
    place, digit = _TWO_WAYS[number[:2]]
    return number[:place] + number[place + 1 :] if number[place] == digit else number
