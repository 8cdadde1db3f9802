"""What amoCRM's card of a client needs beside his messages: his number in its international form.

The card exists only once his first message has been taken in over there, and must never hold up
the next ones: so it is a letter of its own, in a lane of its own.
"""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import Cause
from relay.delivery.people import conversation_of
from relay.delivery.store import Store
from relay.domain.bodies import PhoneRewrite
from relay.domain.contact_phones import has_short_form
from relay.domain.ids import ConversationId, CrmChatId, parse_conversation_id
from relay.domain.outbox import Destination, Letter
from relay.domain.retry import SECOND

SETTLING_MS = 3 * SECOND
"""After the first message: amoCRM makes the card, and a hidden number may become known."""


def first_met(
    conversation: Conversation, known: Conversation | None, cause: Cause
) -> tuple[Letter, ...]:
    """What follows for the card when the client has written; ``known``: as it was before that."""
    first = conversation.wrote and not (known is not None and known.wrote)
    phone = conversation.client.phone
    if not (first and cause.settings.phone_8_to_7 and (phone is None or has_short_form(phone))):
        return ()
    letter = Letter(
        key=f"phones:{conversation.id}",
        lane=f"phones:{conversation.id}",
        destination=Destination.AMOCRM,
        body=PhoneRewrite(conversation.id),
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.now_ms,
        expires_ms=cause.now_ms + cause.settings.give_up_amocrm_ms,
        hold_ms=SETTLING_MS,
    )
    return (letter,)


def learn_chat(ledger: Ledger, id_: ConversationId, chat: CrmChatId | None) -> None:
    """AmoCRM has told which of its chats a message of the conversation went into."""
    known = ledger.conversation(id_) if chat is not None else None
    if known is not None and known.crm_chat is None:
        ledger.save_conversation(replace(known, crm_chat=chat, crm_bound=True))


async def client_of(store: Store, id_: ConversationId) -> Conversation | None:
    """The conversation as it is known now, also if it goes on under another name."""

    def work(ledger: Ledger) -> Conversation | None:
        parts = parse_conversation_id(id_)
        return ledger.conversation(conversation_of(ledger, *parts)) if parts else None

    return await store.query(work)
