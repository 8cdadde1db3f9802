"""What follows from a hook of amoCRM's: the letters that go to WhatsApp, or tell why not."""

from __future__ import annotations

from relay.delivery.awaiting import awaiting
from relay.delivery.failures import failure_letters
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import BEHIND, Ahead, Cause, Composing, Held, Sorted, reply_lane
from relay.delivery.own_posts import is_our_own
from relay.delivery.people import conversation_of, find, remember_chat, way_to
from relay.delivery.phones import Absent
from relay.delivery.ports import Staff
from relay.delivery.proof import reply_key
from relay.delivery.targets import UNKNOWN_TARGET, quote_of
from relay.domain.bodies import Quote, Reply, ReplyReaction
from relay.domain.ids import ConversationId, CrmChatId, CrmPersonId, OwnNumber
from relay.domain.message import (
    Alias,
    CrmEvent,
    CrmReaction,
    CrmTyping,
    Deleted,
    Edited,
    Noise,
    Reacted,
    Receipt,
    Received,
    Skipped,
    WhatsAppEvent,
    Withheld,
    Written,
)
from relay.domain.outbox import Destination, Letter
from relay.domain.outgoing import Outgoing, Refused, Undecided, Verdict, decide_outgoing
from relay.domain.reasons import Reason
from relay.domain.settings import Settings
from relay.domain.texts import reason_text

_WAITS = {
    Reason.AUTHOR_UNKNOWN: "it is not known yet who wrote it",
    Reason.NEVER_PAIRED: "its channel is not linked to WhatsApp yet",
}
"""Why a message is held, for the log."""


def crm_letters(
    ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause, staff: Staff, ahead: Ahead
) -> Sorted:
    """What is to be sent, or answered, after amoCRM called."""
    match event:
        case Written():
            return _message_out(ledger, event, cause, staff, ahead)
        case CrmReaction():
            return _reaction_out(ledger, event, cause)
        case CrmTyping():
            return _typing_out(ledger, event, cause)
        case Skipped(rule) | Noise(rule):
            return Sorted(ignored=(rule,))
        case Received() | Withheld() | Receipt() | Alias() | Edited() | Deleted() | Reacted():
            raise TypeError("a WhatsApp event cannot come from a hook")


def _message_out(
    ledger: Ledger, written: Written, cause: Cause, staff: Staff, ahead: Ahead
) -> Sorted:
    if is_our_own(ledger, written, cause.settings):
        return Sorted(ignored=("posted_by_relay",))
    known = find(ledger, written)
    verdict, author = _verdict(_asked(ledger, written, known, cause), staff, cause.settings)
    places = (*((known.id,) if known else ()), f"chat:{written.chat}")
    until_ms = cause.received_ms + cause.settings.give_up_whatsapp_ms
    if cause.now_ms < until_ms:
        if isinstance(verdict, Undecided):
            return Sorted(held=Held(places, until_ms, _WAITS[verdict.refusal.reason], author))
        if ahead(places):
            return Sorted(held=Held(places, until_ms, BEHIND))
    if isinstance(verdict, Undecided):
        verdict = verdict.refusal
    if isinstance(verdict, Refused):
        return _refusal(ledger, written, known, verdict, cause)
    return _reply(ledger, known, verdict, cause)


def _asked(ledger: Ledger, written: Written, known: Conversation | None, cause: Cause) -> Outgoing:
    """What is to be decided, with all that is known of the chat and its client."""
    absent = Absent(ledger, cause.now_ms)
    if known is None:
        return Outgoing(written, absent=absent)
    phone = known.client.phone.removeprefix("+") if known.client.phone else None
    return Outgoing(
        written, own=known.own, to=way_to(known), phone=phone, wrote=known.wrote, absent=absent
    )


def _verdict(
    asked: Outgoing, staff: Staff, settings: Settings
) -> tuple[Verdict, CrmPersonId | None]:
    """What is decided, and whom to ask about first, if it depends on who wrote it.

    An author who is not known is nobody in particular: only if the message would fare the same
    whoever wrote it, it need not wait. A hook that names no author at all is a robot's.
    """
    author = asked.written.author
    if not author or staff.knows(author):
        writer = settings.writer(staff.user_of(author) if author else None)
        return decide_outgoing(asked.by(writer), settings), None
    writers = settings.every_writer()
    verdicts = [decide_outgoing(asked.by(one), settings) for one in writers]
    if verdicts and all(_same(verdicts[0], other) for other in verdicts):
        return verdicts[0], None
    return Undecided(Refused(Reason.AUTHOR_UNKNOWN)), author


def _same(one: Verdict, other: Verdict) -> bool:
    if isinstance(one, Outgoing) and isinstance(other, Outgoing):
        return one.by(other.writer) == other
    return one == other


def _reply(ledger: Ledger, known: Conversation | None, verdict: Outgoing, cause: Cause) -> Sorted:
    written = verdict.written
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
            content=written.content,
            chat=known.id if known is not None and known.id != conversation else None,
            quotes=_quote(ledger, written, channel.own),
        ),
        trace=cause.trace,
        channel=channel.id,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_whatsapp_ms,
    )
    return Sorted((awaiting(letter),))


def _quote(ledger: Ledger, written: Written, own: OwnNumber) -> Quote | None:
    """What it answers, if that was seen by the very number it goes out by."""
    found = quote_of(ledger, written.quotes) if written.quotes else None
    return found[1] if found is not None and found[0] == own else None


def _reaction_out(ledger: Ledger, reaction: CrmReaction, cause: Cause) -> Sorted:
    """WhatsApp keeps one reaction of each number for a message, so the latest one counts."""
    found = quote_of(ledger, reaction.message)
    if found is None:
        return Sorted(ignored=(UNKNOWN_TARGET,))
    own, quote = found
    channel = cause.settings.channel_of(own)
    known = _spoken_of(ledger, reaction.conversation, reaction.chat)
    if channel is None or known is None or known.own != own:
        return Sorted(ignored=("no_channel",))
    body = ReplyReaction(
        known.id, channel.id, own, way_to(known), quote.id, quote.by_client, reaction.emoji
    )
    letter = Letter(
        # amoCRM tells the time in seconds, in which one may change one's mind more than once.
        key=f"reply_reaction:{reaction.message}:{reaction.author}:{reaction.at_ms}:{cause.trace}",
        lane=reply_lane(known.id),
        destination=Destination.WHATSAPP,
        body=body,
        trace=cause.trace,
        channel=channel.id,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_whatsapp_ms,
    )
    return Sorted((letter,))


def _typing_out(ledger: Ledger, typing: CrmTyping, cause: Cause) -> Sorted:
    """Nothing is kept of it: shown late, it would be a lie."""
    known = _spoken_of(ledger, typing.conversation, typing.chat)
    channel = cause.settings.channel_of(known.own) if known else None
    if known is None or channel is None:
        return Sorted(ignored=("no_channel",))
    return Sorted(typing=(Composing(channel.id, way_to(known)),))


def _spoken_of(
    ledger: Ledger, conversation: ConversationId | None, chat: CrmChatId
) -> Conversation | None:
    known = ledger.conversation(conversation) if conversation else None
    return known or ledger.conversation_of_chat(chat)


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
