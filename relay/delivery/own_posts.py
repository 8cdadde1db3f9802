"""Knows again what the relay put into amoCRM in the bot's name, when amoCRM calls because of it."""

from __future__ import annotations

from collections.abc import Iterator

from relay.delivery.holding import incoming_lane, message_key
from relay.delivery.ledger import Ledger
from relay.delivery.people import conversation_of
from relay.domain.bodies import Body, ErrorReply, NewMessage
from relay.domain.echo import echoes
from relay.domain.ids import ConversationId, CrmMessageId, parse_conversation_id
from relay.domain.message import Origin, Written
from relay.domain.outbox import Destination
from relay.domain.settings import Settings


def note_posted(ledger: Ledger, body: NewMessage | ErrorReply, reference: str | None) -> None:
    """AmoCRM has it. What is in a client's name needs no note: no hook is ever sent for that."""
    if isinstance(body, ErrorReply) or body.origin is Origin.PHONE:
        crm_id = CrmMessageId(reference) if reference else None
        ledger.post(body.id, body.conversation, crm_id)


def is_our_own(ledger: Ledger, written: Written, settings: Settings) -> bool:
    """Whether the hook is about something that the relay itself put there.

    By amoCRM's id, if it is known; else, by the law of :mod:`relay.domain.echo`, about what is
    being posted at this very moment, or was posted without amoCRM telling its id.
    """
    if ledger.posted(written.id):
        return True
    if settings.bot is None:
        return False
    for conversation in _conversations(ledger, written):
        for ours in _without_id(ledger, conversation):
            if echoes(written, ours, settings.bot):
                ledger.post(ours.id, ours.conversation, written.id)
                return True
    return False


def _conversations(ledger: Ledger, written: Written) -> set[ConversationId]:
    """By the id in the hook, by where that leads now, and by amoCRM's own id of the chat."""
    found: set[ConversationId] = set()
    if written.conversation is not None:
        found.add(written.conversation)
        parts = parse_conversation_id(written.conversation)
        found |= {conversation_of(ledger, *parts)} if parts else set()
    known = ledger.conversation_of_chat(written.chat)
    return found | {known.id} if known is not None else found


def _without_id(ledger: Ledger, conversation: ConversationId) -> Iterator[NewMessage | ErrorReply]:
    for message in ledger.nameless(conversation):
        entry = ledger.entry_of(message_key(message))
        yield from _ours(entry.letter.body if entry else None)
    # Of a lane only the head is ever on its way.
    waiting = ledger.waiting(Destination.AMOCRM, incoming_lane(conversation))
    yield from _ours(waiting[0].letter.body if waiting else None)


def _ours(body: Body | None) -> Iterator[NewMessage | ErrorReply]:
    if isinstance(body, NewMessage | ErrorReply):
        yield body
