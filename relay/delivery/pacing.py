"""Keeps the books of cold messages: who may write first now, and who waits for his turn.

A message is cold if its client has never written. The book of each number is a fact of the ledger,
read and written in the very transaction in which an attempt begins or ends, so no kill forgets it.
"""

from __future__ import annotations

from typing import cast

import orjson

from relay.delivery.awaiting import awaits_medium
from relay.delivery.forms import read_form
from relay.delivery.ledger import Ledger
from relay.delivery.people import conversation_of
from relay.domain import pacing
from relay.domain.bodies import Reply
from relay.domain.ids import ConversationId, OwnNumber
from relay.domain.outbox import (
    Closed,
    Dead,
    Delivered,
    Destination,
    Entry,
    EntryState,
    Letter,
    Outcome,
    Retry,
)
from relay.domain.pacing import Book, Cold, Go, Obstacle, TooLate, Verdict, Wait
from relay.domain.reasons import Reason
from relay.domain.settings import Channel, Settings
from relay.domain.texts import reason_text
from relay.domain.values import value

_FACT = "pacing/"
_REASONS = {Obstacle.PACE: Reason.COLD_LIMIT, Obstacle.CLOSED: Reason.COLD_CLOSED}


@value
class Attempt:
    """An attempt that begins or ends now. ``chance`` is in [0, 1).

    ``why_late``: what its writer is told if its time is over.
    """

    entry: Entry
    settings: Settings
    now_ms: int
    chance: float
    why_late: Reason = Reason.EXPIRED

    @property
    def letter(self) -> Letter:
        """What is attempted."""
        return self.entry.letter

    @property
    def channel(self) -> Channel | None:
        """The channel it goes through, if the file still has it."""
        id_ = self.letter.channel
        return self.settings.channels.get(id_) if id_ else None


def book_of(ledger: Ledger, own: OwnNumber) -> Book:
    """The book of a number of ours."""
    kept = ledger.fact(_FACT + own)
    return cast(Book, read_form(Book, kept)) if kept is not None else Book()


def permit(ledger: Ledger, attempt: Attempt) -> Verdict | None:
    """Whether the letter may be sent now; None: it is nothing that waits for a turn."""
    answer = _ask(ledger, attempt)
    if answer is None:
        return None
    own, book, verdict = answer
    if not isinstance(verdict, Wait) or verdict.news:
        _keep(ledger, own, book)
    return verdict


def may_go(ledger: Ledger, attempt: Attempt) -> bool:
    """Whether it might be sent now; nothing is counted and nothing promised."""
    answer = _ask(ledger, attempt)
    return answer is None or isinstance(answer[2], Go)


def note_outcome(
    ledger: Ledger, attempt: Attempt, outcome: Outcome, counted_ms: int | None
) -> Verdict | None:
    """Keep what the outcome of an attempt means for the book it was counted in.

    After ``Closed`` it says when the letter may be sent; None: its client has written, or nobody
    paces the channel.
    """
    reply = attempt.letter.body
    if not isinstance(reply, Reply):
        return None
    if isinstance(outcome, Closed):
        book = pacing.close(book_of(ledger, reply.own), attempt.now_ms, outcome.for_ms)
        _keep(ledger, reply.own, book)
        return permit(ledger, attempt)
    if counted_ms is not None:
        book = book_of(ledger, reply.own)
        if isinstance(outcome, Retry):
            _keep(ledger, reply.own, pacing.give_back(book, counted_ms))
        elif isinstance(outcome, Delivered) and book.closures:
            _keep(ledger, reply.own, pacing.taken(book, attempt.now_ms))
    return None


def free(ledger: Ledger, lane: str, now_ms: int) -> bool:
    """The client of that lane has written: what waits for a turn is looked at now.

    Whether anything waits.
    """
    waiting = [
        entry
        for entry in ledger.waiting(Destination.WHATSAPP, lane)
        if entry.state is EntryState.PENDING and not awaits_medium(entry.letter.body)
    ]
    for entry in waiting:
        ledger.amend(entry.id, entry.letter, min(entry.due_ms, now_ms))
    return bool(waiting)


def closed_until(ledger: Ledger, attempt: Attempt) -> int | None:
    """Until when WhatsApp takes nothing to strangers from the number the attempt was made with."""
    reply = attempt.letter.body
    return book_of(ledger, reply.own).closed_until_ms if isinstance(reply, Reply) else None


def too_late(verdict: TooLate, attempt: Attempt) -> Dead:
    """What the manager is told whose message cannot be sent within its time."""
    channel = attempt.channel
    words = reason_text(
        _REASONS[verdict.obstacle],
        attempt.settings.language,
        channel=channel.title if channel else "",
        wait_ms=verdict.at_ms - attempt.now_ms,
    )
    return Dead(f"its turn would come too late: {verdict.obstacle.value}", tell=words)


def _ask(ledger: Ledger, attempt: Attempt) -> tuple[OwnNumber, Book, Verdict] | None:
    """The book of the number as it would be, and what it says; None: it need not be asked."""
    channel, reply = attempt.channel, attempt.letter.body
    pace = channel.pace if channel else None
    if pace is None or not isinstance(reply, Reply) or not _is_cold(ledger, reply):
        return None
    cold = Cold(attempt.letter.key, attempt.letter.expires_ms)
    before = book_of(ledger, reply.own)
    return reply.own, *pacing.ask(before, cold, attempt.now_ms, pace, attempt.chance)


def _keep(ledger: Ledger, own: OwnNumber, book: Book) -> None:
    ledger.set_fact(_FACT + own, orjson.dumps(book).decode())


def _is_cold(ledger: Ledger, reply: Reply) -> bool:
    """Whether the client has never written, under any of his addresses."""
    if _wrote(ledger, reply.conversation):
        return False
    return not _wrote(ledger, conversation_of(ledger, reply.own, reply.to))


def _wrote(ledger: Ledger, id_: ConversationId) -> bool:
    known = ledger.conversation(id_)
    return known is not None and known.wrote
