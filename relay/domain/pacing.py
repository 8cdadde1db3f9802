"""When a message may go to somebody who has never written: a guard against bans.

WhatsApp bans numbers that write to many strangers. So each of our numbers keeps a *book* of its
cold messages: those sent within a day, and the turns promised to those that wait. Replies to
people who have written are no concern of it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import replace

from relay.domain.retry import DAY, HOUR, MINUTE
from relay.domain.values import value

_SLACK = 0.1
"""By this share a gap is planned longer than it must be, so that a turn taken late breaks none."""
_SPREAD = 0.4
"""Up to this share more of the gap is added by chance: people are not metronomes."""

_MISSED_MS = MINUTE
"""A turn that nobody took for so long is given up: its message lines up again."""

_CLOSED_FIRST_MS = HOUR
_CLOSED_MOST_MS = DAY
_CLOSED_LONGEST_MS = 30 * DAY  # whatever WhatsApp tells, or a clock that was set makes of it
"""WhatsApp does not tell how long it refuses strangers (UNCONFIRMED: hours to a day or more)."""


@value
class Pace:
    """At most so many cold messages a minute, evenly spaced, an hour and a day."""

    per_minute: int = 2
    per_hour: int = 20
    per_day: int = 50

    @property
    def gap_ms(self) -> int:
        """The least time between two of them."""
        return -(-MINUTE // self.per_minute)

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """How many within how long (milliseconds)."""
        return ((self.per_hour, HOUR), (self.per_day, DAY))


@value
class Book:
    """What one of our numbers has sent to strangers. All times in milliseconds since the epoch.

    ``sent``: within the last day, ascending. ``turns``: by the key of the message that waits.
    ``closed_until_ms``: until then WhatsApp takes none. ``closures``: how often that was so since
    it last took one.
    """

    sent: tuple[int, ...] = ()
    turns: tuple[tuple[str, int], ...] = ()
    closed_until_ms: int = 0
    closures: int = 0

    def turn_of(self, key: str) -> int | None:
        """The turn that was promised to a message."""
        return next((at for name, at in self.turns if name == key), None)

    def closed(self, now_ms: int) -> bool:
        """Whether WhatsApp takes no cold message of this number now."""
        return now_ms < self.closed_until_ms


@value
class Cold:
    """A message to somebody who has never written. From ``expires_ms`` on it is given up."""

    key: str
    expires_ms: int


@value
class Go:
    """It may be sent now, and is counted at ``at_ms``."""

    at_ms: int


@value
class Wait:
    """Its turn comes at ``at_ms``; ``news``: it was not told so before."""

    at_ms: int
    news: bool


class Obstacle(enum.Enum):
    """What a message waits for that cannot be sent within its time."""

    PACE = "pace"
    CLOSED = "closed"


@value
class TooLate:
    """Its turn would come at ``at_ms``, after its time is over."""

    at_ms: int
    obstacle: Obstacle


Verdict = Go | Wait | TooLate


def ask(book: Book, cold: Cold, now_ms: int, pace: Pace, chance: float) -> tuple[Book, Verdict]:
    """Whether a cold message may go now; the book afterwards. ``chance`` is in [0, 1)."""
    key, expires_ms = cold.key, cold.expires_ms
    book = _as_of(book, now_ms)
    mine = book.turn_of(key)
    if mine is not None and (mine < book.closed_until_ms or mine > expires_ms):
        mine = None  # promised before it closed, or by a clock that was set since
    book = _without(book, key)
    gap = round(pace.gap_ms * (1 + _SLACK + _SPREAD * chance))
    floor = max(now_ms, book.closed_until_ms)
    ahead = [turn for _, turn in book.turns if mine is None or turn <= mine]
    at = _earliest(sorted([*book.sent, *ahead]), floor, pace, gap)
    if mine is not None and at > mine - MINUTE:  # else the line has become shorter: it moves up
        at = max(mine, _earliest(book.sent, floor, pace, pace.gap_ms))
    news = mine is None or abs(at - mine) >= MINUTE
    if at > now_ms and at >= expires_ms:
        obstacle = Obstacle.CLOSED if book.closed(now_ms) else Obstacle.PACE
        return book, TooLate(at, obstacle)
    if at > now_ms:
        turns = sorted([*book.turns, (key, at)], key=lambda turn: turn[1])
        return replace(book, turns=tuple(turns)), Wait(at, news)
    return replace(book, sent=(*book.sent, now_ms)), Go(now_ms)


def give_back(book: Book, at_ms: int) -> Book:
    """What was counted at that time was not sent after all."""
    sent = list(book.sent)
    if at_ms in sent:
        sent.remove(at_ms)
    return replace(book, sent=tuple(sent))


def close(book: Book, now_ms: int, for_ms: int | None) -> Book:
    """WhatsApp takes no cold messages now: for so long, or, untold, longer with each time."""
    closures = book.closures + 1
    guess = min(_CLOSED_FIRST_MS * 2 ** min(book.closures, 10), _CLOSED_MOST_MS)
    until = max(book.closed_until_ms, now_ms + (guess if for_ms is None else for_ms))
    return replace(book, closed_until_ms=until, closures=closures)


def taken(book: Book, now_ms: int) -> Book:
    """WhatsApp took a cold message, so it is not closed to them (any more)."""
    if not book.closures or book.closed(now_ms):  # what was under way when it closed proves nothing
        return book
    return replace(book, closed_until_ms=0, closures=0)


def _as_of(book: Book, now_ms: int) -> Book:
    """The book without what is over. A clock set back makes nothing wait longer than its window."""
    sent = sorted(min(at, now_ms) for at in book.sent if at > now_ms - DAY)
    turns = tuple(turn for turn in book.turns if turn[1] > now_ms - _MISSED_MS)
    until = min(book.closed_until_ms, now_ms + _CLOSED_LONGEST_MS)
    return replace(book, sent=tuple(sent), turns=turns, closed_until_ms=until)


def _without(book: Book, key: str) -> Book:
    return replace(book, turns=tuple(turn for turn in book.turns if turn[0] != key))


def _earliest(times: Sequence[int], floor_ms: int, pace: Pace, gap_ms: int) -> int:
    """The first moment from ``floor_ms`` on that keeps the pace behind those ascending times."""
    at = max(floor_ms, times[-1] + gap_ms) if times else floor_ms
    for limit, window_ms in pace.windows:
        if len(times) >= limit:
            at = max(at, times[-limit] + window_ms)
    return at
