"""Resolves sends whose end nobody saw, by the receipts that follow.

Such a message is never sent again. If the engine can tell under which ids it went, if it went, a
receipt for one of them proves that it arrived. WhatsApp sends receipts in its own time, so the
manager is not told "unknown" at once but after a moment; and if the proof comes later still, he is
told "delivered" after all. The lane goes on at once: what is never repeated cannot come out of
order, and a client whose phone is off must not hold up what follows.
"""

from __future__ import annotations

from relay.delivery.ledger import Ledger, Link
from relay.domain.bodies import Reply
from relay.domain.ids import CrmMessageId
from relay.domain.message import Status
from relay.domain.outbox import Delivered, Entry, EntryState, Outcome, Unknown
from relay.domain.retry import MINUTE

PATIENCE_MS = 2 * MINUTE
"""For so long a receipt may still spare the manager the news that the outcome is unknown."""


def reply_key(message: CrmMessageId) -> str:
    """The key of the letter that brings a manager's message to the client."""
    return f"reply:{message}"


def status_key(message: CrmMessageId, status: Status) -> str:
    """The key of the letter that tells a status of it."""
    return f"status:{message}:{status.name.lower()}"


def patience_ms(outcome: Outcome) -> int:
    """For how long the news of a failure is held back."""
    return PATIENCE_MS if isinstance(outcome, Unknown) and outcome.sent_as else 0


def resolve(ledger: Ledger, reply: Reply, unknown: Unknown, now_ms: int) -> Outcome:
    """Keep the ids under which it may have gone; delivered, if a receipt for one has come."""
    for id_ in unknown.sent_as:
        early = ledger.link(Link(reply.own, id_, reply.crm_id))
        if early is not None:
            ledger.early_receipt(early, id_, now_ms)  # told like one that was quicker than our send
            return Delivered(id_)
    return unknown


def prove(ledger: Ledger, message: CrmMessageId, now_ms: int) -> str | None:
    """A message that counted as failed has arrived; its trace, if it is still kept.

    The news of its failure is withdrawn, unless it may be on its way already.
    """
    failure = ledger.entry_of(status_key(message, Status.FAILED))
    if failure is not None and failure.state is EntryState.PENDING and failure.due_ms > now_ms:
        _finish(ledger, failure, now_ms, "withdrawn: it arrived after all")
    entry = ledger.entry_of(reply_key(message))
    if entry is None:
        return None
    if entry.state is EntryState.DEAD:
        _finish(ledger, entry, now_ms, "a receipt proved that it arrived")
    return entry.letter.trace


def _finish(ledger: Ledger, entry: Entry, now_ms: int, note: str) -> None:
    ledger.settle(
        entry.id,
        EntryState.DELIVERED,
        attempts=entry.attempts,
        due_ms=entry.due_ms,
        now_ms=now_ms,
        error=note,
    )
