"""What follows from a hook of amoCRM's: the letters that go to WhatsApp, or tell why not."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.failures import failure_letters
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import Cause, Sorted, reply_lane
from relay.delivery.own_posts import is_our_own
from relay.delivery.people import conversation_of, find, remember_chat, way_to
from relay.delivery.phones import Absent
from relay.delivery.proof import reply_key
from relay.domain.message import (
    Alias,
    CrmEvent,
    Noise,
    Receipt,
    Received,
    Reply,
    Skipped,
    WhatsAppEvent,
    Written,
)
from relay.domain.outbox import Destination, Letter
from relay.domain.outgoing import Outgoing, Refused, Undecided, decide_outgoing
from relay.domain.texts import reason_text


def crm_letters(ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause) -> Sorted:
    """What is to be sent, or answered, after amoCRM called."""
    match event:
        case Written():
            return _message_out(ledger, event, cause)
        case Skipped(rule) | Noise(rule):
            return Sorted(ignored=(rule,))
        case Received() | Receipt() | Alias():
            raise TypeError("a WhatsApp event cannot come from a hook")


def _message_out(ledger: Ledger, written: Written, cause: Cause) -> Sorted:
    if is_our_own(ledger, written, cause.settings):
        return Sorted(ignored=("posted_by_relay",))
    known = find(ledger, written)
    asked = Outgoing(written, absent=Absent(ledger, cause.now_ms))
    if known is not None:
        phone = known.client.phone.removeprefix("+") if known.client.phone else None
        asked = replace(asked, own=known.own, to=way_to(known), phone=phone, wrote=known.wrote)
    verdict = decide_outgoing(asked, cause.settings)
    if isinstance(verdict, Undecided):
        verdict = verdict.refusal
    if isinstance(verdict, Refused):
        return _refusal(ledger, written, known, verdict, cause)
    channel = verdict.channel
    if channel is None or channel.own is None or verdict.to is None:
        raise TypeError("the rules let a message through without a channel or a client")
    if known is not None and known.own == channel.own:
        conversation = known.id
    else:
        conversation = conversation_of(ledger, channel.own, verdict.to)
    remember_chat(ledger, written, conversation, channel.own, cause.now_ms)
    letter = Letter(
        key=reply_key(written.id),
        lane=reply_lane(conversation),
        destination=Destination.WHATSAPP,
        body=Reply(
            conversation=conversation,
            crm_id=written.id,
            channel=channel.id,
            own=channel.own,
            to=verdict.to,
            content=verdict.written.content,
            chat=known.id if known is not None and known.id != conversation else None,
        ),
        trace=cause.trace,
        channel=channel.id,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_whatsapp_ms,
    )
    return Sorted((letter,))


def _refusal(
    ledger: Ledger, written: Written, known: Conversation | None, refused: Refused, cause: Cause
) -> Sorted:
    reason = reason_text(
        refused.reason,
        cause.settings.language,
        channel=refused.channel_title,
        limit=refused.limit,
    )
    chat = _chat_of(ledger, written, known, refused, cause)
    letters = failure_letters(ledger, written.id, refused.failure, reason, cause, chat=chat)
    return Sorted(letters, (f"refused:{refused.reason.value}",))


def _chat_of(
    ledger: Ledger, written: Written, known: Conversation | None, refused: Refused, cause: Cause
) -> Conversation | None:
    """The conversation of the chat it was written in, as far as one could be found for it."""
    asked = refused.asked
    if asked is None or asked.to is None or asked.channel is None or asked.channel.own is None:
        return known
    own = known.own if known is not None else asked.channel.own
    id_ = known.id if known is not None else conversation_of(ledger, own, asked.to)
    remember_chat(ledger, written, id_, own, cause.now_ms)
    return ledger.conversation(id_)
