"""What must go out: letters, their states, and what may follow what.

A *letter* is put into the outbox once (its ``key`` sees to that) and waits in its *lane*. Only the
head of a lane may be attempted, so order within a lane is kept and a failing head holds its own
lane alone.

    PENDING ──begin──▶ BEGUN ──settle──▶ DELIVERED | DEAD | PENDING (deferred)
       └──────────────settle───────────▶ DELIVERED | DEAD | PENDING (deferred)

A dead letter may be replayed by hand (``PENDING``), and one whose outcome was unknown may prove to
have arrived (``DELIVERED``).

``BEGUN`` is written before an attempt whose repetition would be seen by a person (a send to
WhatsApp). Found at start, it means "the outcome is unknown"; such a letter is never sent again.
"""

from __future__ import annotations

import enum
from typing import NewType

from relay.domain.bodies import Body
from relay.domain.contents import Lost, Media
from relay.domain.ids import ChannelId, CrmChatId, WhatsAppMessageId
from relay.domain.message import Failure
from relay.domain.values import value

EntryId = NewType("EntryId", int)
Seq = NewType("Seq", int)


class Destination(enum.StrEnum):
    """Where a letter goes. ``MEDIA`` is the relay's own store: such a letter fetches."""

    AMOCRM = "amocrm"
    WHATSAPP = "whatsapp"
    MEDIA = "media"


SIDES = (Destination.AMOCRM, Destination.WHATSAPP)
"""The two sides messages go to; also the names of the queues in ``/healthz``."""


class EntryState(enum.IntEnum):
    """The state of a letter in the outbox."""

    PENDING = 0
    BEGUN = 1
    DELIVERED = 2
    DEAD = 3


UNFINISHED = frozenset({EntryState.PENDING, EntryState.BEGUN})

TRANSITIONS: dict[EntryState, frozenset[EntryState]] = {
    EntryState.PENDING: frozenset(
        {EntryState.BEGUN, EntryState.PENDING, EntryState.DELIVERED, EntryState.DEAD}
    ),
    EntryState.BEGUN: frozenset({EntryState.PENDING, EntryState.DELIVERED, EntryState.DEAD}),
    EntryState.DELIVERED: frozenset(),
    EntryState.DEAD: frozenset(
        {EntryState.PENDING, EntryState.DELIVERED}  # replayed by hand; proved to have arrived
    ),
}


@value
class Letter:
    """Something to be delivered.

    ``key`` is unique for ever: a second letter with it changes nothing. ``lane`` keeps order.
    ``expires_ms``: from then on the letter is given up. Times are milliseconds since the epoch.
    ``hold_ms``: for so long after ``accepted_ms`` it is not attempted, and its lane waits with it.
    ``unasked_ms``: nobody has asked for its file yet, and no other letter does; without the file to
    wait for, it would not have gone before then either.
    """

    key: str
    lane: str
    destination: Destination
    body: Body
    trace: str
    channel: ChannelId | None
    accepted_ms: int
    expires_ms: int
    hold_ms: int = 0
    unasked_ms: int | None = None

    # Each message with a file is changed several times, and ``replace`` takes twice as long.

    def held(self, hold_ms: int, unasked_ms: int | None) -> Letter:
        """The same, held for so long."""
        return self._with(self.lane, self.body, hold_ms, unasked_ms)

    def amended(self, lane: str, body: Body, unasked_ms: int | None) -> Letter:
        """The same with another body, perhaps in another lane."""
        return self._with(lane, body, self.hold_ms, unasked_ms)

    def _with(self, lane: str, body: Body, hold_ms: int, unasked_ms: int | None) -> Letter:
        return Letter(
            self.key,
            lane,
            self.destination,
            body,
            self.trace,
            self.channel,
            self.accepted_ms,
            self.expires_ms,
            hold_ms,
            unasked_ms,
        )


@value
class Entry:
    """A letter in the outbox."""

    id: EntryId
    letter: Letter
    state: EntryState
    attempts: int
    due_ms: int
    error: str | None = None


NO_SEQ = Seq(0)
"""The place of a row that gets one only after it was sorted: behind all others."""


@value
class JournalRow:
    """What came in, exactly as it came. ``source``: ``amocrm`` or ``whatsapp/CHANNEL``."""

    seq: Seq
    source: str
    payload: bytes
    trace: str
    received_ms: int


@value
class QueueFigures:
    """The length of a queue: letters waiting, when the oldest was accepted, letters dead."""

    waiting: int
    oldest_ms: int | None
    dead: int


# --- What a courier reports ----------------------------------------------------------------------


@value
class Delivered:
    """The other side has it. ``reference`` is its id over there, if it told one.

    ``chat``: amoCRM's chat that it went into, if amoCRM told that.
    """

    reference: str | None = None
    chat: CrmChatId | None = None


@value
class Retry:
    """Not now. ``after_ms`` overrides the ladder (a vendor said when)."""

    reason: str
    after_ms: int | None = None


@value
class Dead:
    """Never. ``reason`` is for the log; ``tell`` is what a manager is told, if anything."""

    reason: str
    failure: Failure = Failure.OTHER
    tell: str | None = None


@value
class Unknown:
    """It may or may not have arrived, and a repetition would be seen. Never sent again.

    ``sent_as``: the ids under which it went, if it did: a receipt for one proves that it arrived.
    """

    reason: str
    sent_as: tuple[WhatsAppMessageId, ...] = ()


@value
class Closed:
    """WhatsApp surely did not take it, and takes no message to strangers from this number now.

    ``for_ms``: for how long, if it was told.
    """

    reason: str
    for_ms: int | None = None


@value
class Fetched:
    """The bytes of a medium are kept: ``media`` says where, and what they were found to be."""

    media: Media


@value
class Missed:
    """The bytes of a medium will never be had."""

    reason: str
    lost: Lost


Outcome = Delivered | Retry | Dead | Unknown | Closed | Fetched | Missed
