"""What happens to a message afterwards: it is written anew, taken back, reacted to, quoted.

All of it goes into the lane of the message itself, so amoCRM hears of it after the message. What
speaks of a message that amoCRM never got is a message of its own, if it says anything.
"""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.awaiting import fetch_key, may_change
from relay.delivery.holding import incoming_lane, withdraw
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import BEHIND, Ahead, Cause, Held, Sorted
from relay.delivery.people import meet
from relay.delivery.targets import UNKNOWN_TARGET, Target, anew, find_target, revision_key
from relay.domain.bodies import Body, NewMessage, Reaction, Reply, Revision
from relay.domain.contents import VIEW_ONCE, Content, Media, Text, Unsupported
from relay.domain.ids import ConversationId, CrmChatId, OwnNumber, message_id
from relay.domain.incoming import Ignored, Incoming, decide_incoming
from relay.domain.marks import mark
from relay.domain.message import (
    Deleted,
    Edited,
    Reacted,
    Received,
)
from relay.domain.outbox import Destination, Entry, Letter
from relay.domain.retry import MINUTE
from relay.domain.texts import DELETED

Afterwards = Edited | Deleted | Reacted

LINKED_MS = MINUTE
"""So long something that speaks of an unknown message waits, while one is being sent."""

AMENDED = "amended"
"""The rule for what was put into the message itself, which still waits for its file."""


def as_message(ledger: Ledger, event: Afterwards) -> Received | None:
    """An edit as a message of its own, where amoCRM never got the first wording.

    If that is still to come, it is the same message, and nothing comes twice.
    """
    if not isinstance(event, Edited):
        return None
    target = find_target(ledger, event.own, event.target)
    if target is not None and target.told:
        return None
    id_, stand_in = (event.target, event.instead_of) if target is None else (event.id, None)
    return Received(
        event.own, event.client, id_, event.at_ms, event.origin, event.content, instead_of=stand_in
    )


def revision_letters(ledger: Ledger, event: Afterwards, cause: Cause, ahead: Ahead) -> Sorted:
    """What amoCRM is to be told of it."""
    target = find_target(ledger, event.own, event.target)
    if held := _held(ledger, event, target, cause, ahead):
        return Sorted(held=held)
    if target is None and isinstance(event, Deleted) and event.instead_of is not None:
        target = find_target(ledger, event.own, event.instead_of)  # it was never readable
    if target is None or not target.told:
        return Sorted(ignored=(UNKNOWN_TARGET,))
    match event:
        case Edited() if target.content == Unsupported(VIEW_ONCE):
            return Sorted(ignored=(VIEW_ONCE,))  # its words were to be seen once, too
        case Edited():
            return _revised(ledger, event, target, cause, anew(event.content, target.content))
        case Deleted():
            return _deleted(ledger, event, target, cause)
        case Reacted():
            return _reacted(ledger, event, target, cause)


def _held(
    ledger: Ledger, event: Afterwards, target: Target | None, cause: Cause, ahead: Ahead
) -> Held | None:
    """The client may be quicker than WhatsApp's answer to us, which tells the id of our message."""
    place, until_ms = (
        f"message:{message_id(event.own, event.target)}",
        cause.received_ms + LINKED_MS,
    )
    if cause.now_ms >= until_ms:
        return None
    if target is None and _is_sending(ledger, event.own):
        return Held((place,), until_ms, "a message is being sent that it may speak of")
    return Held((place,), until_ms, BEHIND) if ahead((place,)) else None


def _is_sending(ledger: Ledger, own: OwnNumber) -> bool:
    begun = (entry.letter.body for entry in ledger.begun(Destination.WHATSAPP))
    return any(isinstance(body, Reply) and body.own == own for body in begun)


def _deleted(ledger: Ledger, deletion: Deleted, target: Target, cause: Cause) -> Sorted:
    """A message that was taken back stays as it was, opened by a mark that says so.

    amoCRM has no way to delete. If the file says so, only the mark stays.
    """
    content = target.content
    if content is None or not cause.settings.keep_deleted or isinstance(content, Unsupported):
        content = Text("")
        if target.entry is not None:
            _fetch_no_more(ledger, target.entry, cause.now_ms)
    marks = (mark(DELETED[cause.settings.language]),)
    return _revised(ledger, deletion, target, cause, content, marks=marks)


def _reacted(ledger: Ledger, reaction: Reacted, target: Target, cause: Cause) -> Sorted:
    decided = _decide(ledger, reaction, Text(reaction.emoji), cause)
    if isinstance(decided, Ignored):
        return Sorted(ignored=(decided.rule,))
    conversation, _ = decided
    chat, unbound = _chat_of(ledger, target, conversation)
    body = Reaction(
        chat, target.known, conversation.client, reaction.origin, reaction.emoji, unbound
    )
    return Sorted((_letter(body, f"reaction:{_own_id(reaction)}", target, conversation, cause),))


def _revised(
    ledger: Ledger,
    event: Edited | Deleted,
    target: Target,
    cause: Cause,
    content: Content,
    *,
    marks: tuple[str, ...] = (),
) -> Sorted:
    if not target.may_change(event.origin):
        return Sorted(ignored=("not_its_writer",))
    decided = _decide(ledger, event, content, cause)
    if isinstance(decided, Ignored):
        return Sorted(ignored=(decided.rule,))
    conversation, message = decided
    # What was written in amoCRM is shown there in its writer's name, whoever has changed it since.
    opening = marks if target.ours else (*marks, *message.marks)
    shown = message.message.content
    if target.entry is not None and _amended(ledger, target.entry, shown, opening, cause.now_ms):
        return Sorted(ignored=(AMENDED,))
    chat, unbound = _chat_of(ledger, target, conversation)
    body = Revision(chat, target.known, shown, event.at_ms, opening, unbound)
    if body in target.wordings:
        return Sorted(ignored=("duplicate",))
    key = revision_key(target.known.ours, len(target.wordings) + 1)
    return Sorted((_letter(body, key, target, conversation, cause),))


def _amended(
    ledger: Ledger, entry: Entry, content: Content, marks: tuple[str, ...], now_ms: int
) -> bool:
    """Whether the message still waits for its file, and has been written anew right there.

    A revision of its own would say that there is no file, and say it after the file has come.
    """
    body = entry.letter.body
    if not isinstance(body, NewMessage) or not isinstance(content, Media):
        return False
    if not may_change(entry, now_ms):
        return False
    letter = replace(entry.letter, body=replace(body, content=content, marks=marks))
    ledger.amend(entry.id, letter, entry.due_ms)
    return True


def _fetch_no_more(ledger: Ledger, entry: Entry, now_ms: int) -> None:
    """A file that nobody is to see need not be had; its message waits for it no longer."""
    fetch = ledger.entry_of(fetch_key(entry.letter))
    if fetch is not None:
        withdraw(ledger, fetch, now_ms, "its message was taken back")
    elif ledger.ask(entry.id) is None:
        return
    body = entry.letter.body
    if isinstance(body, NewMessage) and may_change(entry, now_ms):
        taken = replace(body, content=Text(""))
        letter = replace(entry.letter, body=taken, unasked_ms=None)
        ledger.amend(entry.id, letter, now_ms)


def _decide(
    ledger: Ledger, event: Afterwards, content: Content, cause: Cause
) -> tuple[Conversation, Incoming] | Ignored:
    """The rules for messages hold for what becomes of messages."""
    message = Received(event.own, event.client, event.target, event.at_ms, event.origin, content)
    conversation, _ = meet(ledger, message, cause.now_ms)
    message = replace(message, client=conversation.client)
    verdict = decide_incoming(Incoming(message, cause.channel), cause.settings)
    return verdict if isinstance(verdict, Ignored) else (conversation, verdict)


def _chat_of(
    ledger: Ledger, target: Target, conversation: Conversation
) -> tuple[ConversationId, CrmChatId | None]:
    """In which chat amoCRM has the message, and amoCRM's own id of one that it began."""
    known = ledger.conversation(target.chat) if target.chat else None
    known = known or conversation
    return known.id, None if known.crm_bound else known.crm_chat


def _own_id(event: Afterwards) -> str:
    return message_id(event.own, event.id)


def _letter(
    body: Body, key: str, target: Target, conversation: Conversation, cause: Cause
) -> Letter:
    waiting = target.entry is not None and target.entry.letter.destination is Destination.AMOCRM
    lane = target.entry.letter.lane if target.entry and waiting else incoming_lane(conversation.id)
    return Letter(
        key=key,
        lane=lane,
        destination=Destination.AMOCRM,
        body=body,
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_amocrm_ms,
    )
