"""What follows from an attempt: the entry's next state, and the letters that tell of it."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.awaiting import hand_on, is_unasked, late_letters, may_change, result_of
from relay.delivery.contacts import learn_chat
from relay.delivery.failures import failure_letters
from relay.delivery.holding import has_lost_place
from relay.delivery.ledger import Ledger, Link
from relay.delivery.letters import Cause, status_letter
from relay.delivery.own_posts import note_posted
from relay.delivery.pacing import Attempt, closed_until, note_outcome, too_late
from relay.delivery.proof import patience_ms, resolve
from relay.domain.bodies import (
    ErrorReply,
    Fetch,
    NewMessage,
    Reply,
    StatusUpdate,
)
from relay.domain.contents import Lost
from relay.domain.ids import CrmMessageId, WhatsAppMessageId
from relay.domain.losses import refusal_words
from relay.domain.message import Failure
from relay.domain.outbox import (
    Closed,
    Dead,
    Delivered,
    Destination,
    EntryState,
    Fetched,
    Letter,
    Missed,
    Outcome,
    Retry,
    Unknown,
)
from relay.domain.pacing import TooLate, Wait
from relay.domain.reasons import Reason
from relay.domain.retry import RetryPolicy
from relay.domain.settings import Settings
from relay.domain.texts import reason_text
from relay.domain.values import value

TURN = "waits for its turn to write to somebody who never wrote"


@value
class Ruling:
    """What an outcome means for the entry: its next state, when it is due, and in which words."""

    state: EntryState
    due_ms: int
    error: str | None = None
    failure: Failure = Failure.OTHER
    tell: str | None = None


def rule_on(outcome: Outcome, attempt: Attempt, policy: RetryPolicy) -> Ruling:
    """What follows from the outcome of one more attempt at the entry."""
    entry, now_ms = attempt.entry, attempt.now_ms
    match outcome:
        case Delivered() | Fetched():
            return Ruling(EntryState.DELIVERED, now_ms)
        case Dead(reason, failure, tell):
            return Ruling(EntryState.DEAD, now_ms, reason, failure, tell or Reason.REFUSED)
        case Unknown(reason):
            return Ruling(EntryState.DEAD, now_ms, reason, tell=Reason.OUTCOME_UNKNOWN)
        case Missed(reason) | Closed(reason):
            return Ruling(EntryState.DEAD, now_ms, reason, tell=Reason.REFUSED)
        case Retry(reason, after_ms):
            expires = entry.letter.expires_ms
            if now_ms >= expires:
                return Ruling(EntryState.DEAD, now_ms, f"gave up: {reason}", tell=attempt.why_late)
            delay = after_ms
            if delay is None:
                delay = policy.delay_ms(entry.attempts + 1, attempt.chance)
            delay = min(delay, policy.longest_ms)
            return Ruling(EntryState.PENDING, min(now_ms + delay, expires), reason)


@value
class Settled:
    """What was written down. ``closed_until_ms``: WhatsApp takes nothing to strangers till then.

    ``died``: letters that waited for this one and have ended with it; ``freed``: where something
    has become due.
    """

    ruling: Ruling
    letters: tuple[Letter, ...] = ()
    died: tuple[Letter, ...] = ()
    freed: tuple[Destination, ...] = ()
    closed_until_ms: int | None = None


def settle(
    ledger: Ledger, attempt: Attempt, outcome: Outcome, counted_ms: int | None, policy: RetryPolicy
) -> Settled:
    """Write down what became of an attempt and put what follows, in this transaction.

    ``counted_ms``: when it was counted as one to a stranger, if it was.
    """
    entry, now = attempt.entry, attempt.now_ms
    if isinstance(entry.letter.body, Fetch) and is_unasked(entry):
        return _after_first_try(ledger, attempt, outcome, policy)
    if has_lost_place(ledger, entry):
        return Settled(rule_on(outcome, attempt, policy))
    turn = note_outcome(ledger, attempt, outcome, counted_ms)
    closed_ms = None
    if isinstance(outcome, Closed):
        closed_ms = closed_until(ledger, attempt)
        # Those who wait for a turn are told now that it will not come, or comes later.
        ledger.hasten(entry.letter.destination, entry.letter.channel, now)
    if isinstance(turn, TooLate):
        outcome = too_late(turn, attempt)
    if isinstance(outcome, Unknown) and isinstance(entry.letter.body, Reply):
        outcome = resolve(ledger, entry.letter.body, outcome, now)
    if isinstance(turn, Wait):
        ruling = Ruling(EntryState.PENDING, turn.at_ms, TURN)
    else:
        ruling = rule_on(outcome, attempt, policy)
    try:
        ledger.settle(
            entry.id,
            ruling.state,
            attempts=entry.attempts + 1,
            due_ms=min(ruling.due_ms, now + policy.longest_ms),
            now_ms=now,
            error=ruling.error,
        )
    except ValueError:  # withdrawn in that very moment: see relay.delivery.holding
        return Settled(ruling, closed_until_ms=closed_ms)
    cause = Cause.letter(entry.letter, attempt.settings, now)
    if isinstance(entry.letter.body, Fetch):
        return _after_fetching(ledger, entry.letter.body, outcome, ruling, cause)
    letters = what_follows(ledger, entry.letter, outcome, ruling, cause)
    return Settled(ruling, letters, closed_until_ms=closed_ms)


def _after_first_try(
    ledger: Ledger, attempt: Attempt, outcome: Outcome, policy: RetryPolicy
) -> Settled:
    """The file is there; or the letter that goes on asking for it takes over, tried once."""
    entry, fetch, ruling = attempt.entry, attempt.letter.body, rule_on(outcome, attempt, policy)
    waiting = ledger.entry(entry.id)
    if waiting is None or not is_unasked(waiting) or not isinstance(fetch, Fetch):
        return Settled(ruling)  # it was taken back meanwhile
    if isinstance(outcome, Fetched):
        if may_change(waiting, attempt.now_ms):
            hand_on(ledger, waiting, fetch, outcome.media, attempt.now_ms)
            return Settled(ruling, freed=(waiting.letter.destination,))
        ledger.ask(entry.id)
        return Settled(ruling, _put(ledger, late_letters(waiting, outcome.media)))
    ledger.ask(entry.id)
    letter = replace(entry.letter, unasked_ms=None)
    put = ledger.put(letter)
    if put is None:  # it was asked for so long ago that its message is forgotten
        return Settled(ruling)
    tried = replace(attempt, entry=replace(entry, id=put, letter=letter))
    return settle(ledger, tried, outcome, None, policy)


def _after_fetching(
    ledger: Ledger, fetch: Fetch, outcome: Outcome, ruling: Ruling, cause: Cause
) -> Settled:
    """The message that waits for the medium may go, with it or without; or it has ended too."""
    if ruling.state is EntryState.PENDING:
        return Settled(ruling)
    found = result_of(fetch, outcome)
    waiting = ledger.entry_of(fetch.waiting)
    if waiting is None or not may_change(waiting, cause.now_ms):
        late = () if waiting is None else late_letters(waiting, found)
        return Settled(ruling, _put(ledger, late))
    letter = waiting.letter
    if not isinstance(found.at, Lost) or not isinstance(letter.body, Reply):
        hand_on(ledger, waiting, fetch, found, cause.now_ms)
        return Settled(ruling, freed=(letter.destination,))
    words = refusal_words(found, found.at, cause.settings.language)
    dead = Ruling(EntryState.DEAD, cause.now_ms, ruling.error, tell=words)
    ledger.settle(
        waiting.id,
        dead.state,
        attempts=waiting.attempts,
        due_ms=waiting.due_ms,
        now_ms=cause.now_ms,
        error=dead.error,
    )
    news = what_follows(ledger, letter, Dead(ruling.error or "", tell=words), dead, cause)
    return Settled(ruling, news, died=(letter,), freed=(letter.destination,))


def put_off(ledger: Ledger, attempt: Attempt, turn: Wait, policy: RetryPolicy) -> None:
    """No attempt before its turn, or before it is time to see whether the line has moved."""
    entry, now_ms = attempt.entry, attempt.now_ms
    ledger.settle(
        entry.id,
        EntryState.PENDING,
        attempts=entry.attempts,
        due_ms=min(turn.at_ms, now_ms + policy.longest_ms),
        now_ms=now_ms,
        error=TURN,
    )


def what_follows(
    ledger: Ledger, letter: Letter, outcome: Outcome, ruling: Ruling, cause: Cause
) -> tuple[Letter, ...]:
    """Put the letters that follow from an attempt, in the same transaction; those new."""
    match letter.body, outcome:
        case (NewMessage() | ErrorReply()) as body, Delivered(reference, chat):
            note_posted(ledger, body, reference)
            if isinstance(body, NewMessage) and reference is not None:
                ledger.link(Link(body.own, body.whatsapp_id, CrmMessageId(reference)))
            learn_chat(ledger, body.conversation, chat)
        case Reply() as body, Delivered(str(reference)):
            return _put(ledger, _after_sending(ledger, body, reference, cause))
        case Reply() as body, _ if ruling.state is EntryState.DEAD:
            words = _words(ruling.tell, letter, cause.settings)
            known = ledger.conversation(body.chat or body.conversation)
            news = failure_letters(ledger, body.crm_id, ruling.failure, words, cause, chat=known)
            held = tuple(replace(each, hold_ms=patience_ms(outcome)) for each in news)
            return _put(ledger, held)
    return ()


def _after_sending(ledger: Ledger, body: Reply, reference: str, cause: Cause) -> tuple[Letter, ...]:
    """Keep the pair of ids; a receipt that was quicker than this is told at once."""
    early = ledger.link(Link(body.own, WhatsAppMessageId(reference), body.crm_id))
    if early is None or not ledger.told(body.crm_id, early.status):
        return ()
    return (status_letter(StatusUpdate(body.crm_id, early.status), cause),)


def _put(ledger: Ledger, letters: tuple[Letter, ...]) -> tuple[Letter, ...]:
    return tuple(letter for letter in letters if ledger.put(letter) is not None)


def _words(tell: str | None, letter: Letter, settings: Settings) -> str:
    """The words for a manager: from the catalogue if ``tell`` is one of its reasons."""
    channel = settings.channels.get(letter.channel) if letter.channel else None
    title = channel.title if channel else letter.channel or ""
    try:
        return reason_text(Reason(tell or Reason.INTERNAL), settings.language, channel=title)
    except ValueError:
        return tell or ""
