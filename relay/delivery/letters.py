"""What follows from an event: which letters, in which lanes, under which keys.

Keys are made of ids that never change, so the same event arriving twice makes the same letter.
Lanes: a conversation and direction for messages, one message for its statuses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.delivery.holding import (
    hold_ms,
    incoming_lane,
    message_key,
    readdress,
    withdraw_stand_in,
)
from relay.delivery.ledger import Ledger
from relay.delivery.pacing import free
from relay.delivery.people import conversation_of, find, learn, meet, remember_chat, way_to
from relay.delivery.phones import Absent, note_written
from relay.delivery.proof import prove, reply_key, status_key
from relay.domain.ids import ChannelId, ConversationId, CrmMessageId, conversation_id, message_id
from relay.domain.message import (
    Alias,
    CrmEvent,
    Failure,
    NewMessage,
    Noise,
    Origin,
    Receipt,
    Received,
    Reply,
    Skipped,
    Status,
    StatusUpdate,
    WhatsAppEvent,
    Written,
)
from relay.domain.outbox import Destination, JournalRow, Letter
from relay.domain.rules import (
    Ignored,
    Incoming,
    Outgoing,
    Refused,
    decide_incoming,
    decide_outgoing,
)
from relay.domain.settings import Settings
from relay.domain.texts import reason_text


@dataclass(frozen=True, slots=True)
class Cause:
    """What letters follow from: the message they belong to, the settings, and the time."""

    trace: str
    channel: ChannelId | None
    settings: Settings
    now_ms: int
    received_ms: int

    @classmethod
    def row(cls, row: JournalRow, settings: Settings, now_ms: int) -> Cause:
        """A row of the journal."""
        channel = ChannelId(row.source.partition("/")[2]) or None
        return cls(row.trace, channel, settings, now_ms, row.received_ms)

    @classmethod
    def letter(cls, letter: Letter, settings: Settings, now_ms: int) -> Cause:
        """A letter that has just been attempted."""
        return cls(letter.trace, letter.channel, settings, now_ms, now_ms)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What follows from a journal row: letters, and the rules that kept the rest out.

    ``freed``: letters to WhatsApp that waited may go now.
    """

    letters: tuple[Letter, ...] = ()
    ignored: tuple[str, ...] = ()
    freed: bool = False

    @classmethod
    def nothing(cls) -> Sorted:
        """Nothing yet."""
        return cls()

    def plus(self, other: Sorted) -> Sorted:
        """Both."""
        return Sorted(
            self.letters + other.letters, self.ignored + other.ignored, self.freed or other.freed
        )


# --- From WhatsApp, towards amoCRM ---------------------------------------------------------------


def client_letters(ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause) -> Sorted:
    """What amoCRM is to be told after something happened on WhatsApp."""
    match event:
        case Received():
            return _message_in(ledger, event, cause)
        case Receipt():
            return _receipt_in(ledger, event, cause)
        case Alias():
            return _alias_in(ledger, event, cause)
        case Noise(rule) | Skipped(rule):
            return Sorted(ignored=(rule,))
        case Written():
            raise TypeError("a hook cannot come from an engine")


def _message_in(ledger: Ledger, message: Received, cause: Cause) -> Sorted:
    typed = message.origin is Origin.PHONE  # a client's message cannot be our own
    echo = typed and ledger.linked(message.own, message.id) is not None
    conversation, known = meet(ledger, message, cause.now_ms)
    if message.client != conversation.client:
        message = replace(message, client=conversation.client)
    verdict = decide_incoming(Incoming(message, sent_by_us=echo), cause.settings)
    if isinstance(verdict, Ignored):
        return Sorted(ignored=(verdict.rule,))
    message = verdict.message
    if conversation != known:
        ledger.save_conversation(conversation)
    if message.origin is Origin.CLIENT:
        note_written(ledger, message, cause.now_ms)
    wrote_now = conversation.wrote and known is not None and not known.wrote
    freed = wrote_now and free(ledger, reply_lane(conversation.id), cause.now_ms)
    withdraw_stand_in(ledger, message, cause.now_ms)
    body = NewMessage(
        conversation=conversation.id,
        id=message_id(message.own, message.id),
        whatsapp_id=message.id,
        own=message.own,
        client=message.client,
        sent_at_ms=message.sent_at_ms,
        origin=message.origin,
        content=message.content,
        crm_chat=None if conversation.crm_bound else conversation.crm_chat,
        crm_client=None if conversation.crm_bound else conversation.crm_client,
    )
    letter = Letter(
        key=message_key(body.id),
        lane=incoming_lane(conversation.id),
        destination=Destination.AMOCRM,
        body=body,
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_amocrm_ms,
        hold_ms=hold_ms(message, begins=known is None),
    )
    return Sorted((letter,), freed=freed)


def _alias_in(ledger: Ledger, alias: Alias, cause: Cause) -> Sorted:
    if not learn(ledger, alias):
        return Sorted.nothing()
    readdress(ledger, alias, cause.now_ms)
    # He may have written under the other address: then nothing to him waits for a turn any more.
    result = Sorted.nothing()
    for name in (alias.hidden, alias.number):
        lane = reply_lane(conversation_id(alias.own, name))
        result = result.plus(Sorted(freed=free(ledger, lane, cause.now_ms)))
    return result


def _receipt_in(ledger: Ledger, receipt: Receipt, cause: Cause) -> Sorted:
    letters: list[Letter] = []
    rule = "no_news"
    for id_ in receipt.ids:
        link = ledger.linked(receipt.own, id_)
        if link is None:
            ledger.early_receipt(receipt, id_, cause.now_ms)
            rule = "early"  # it is told when the answer to our own send has come
        elif ledger.told(link.crm_id, receipt.status):
            if link.told is Status.FAILED and (trace := prove(ledger, link.crm_id, cause.now_ms)):
                cause = replace(cause, trace=trace)
            letters.append(status_letter(StatusUpdate(link.crm_id, receipt.status), cause))
    return Sorted(tuple(letters), () if letters else (rule,))


# --- From amoCRM, towards WhatsApp ---------------------------------------------------------------


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
    known = find(ledger, written)
    asked = Outgoing(written, absent=Absent(ledger, cause.now_ms))
    if known is not None:
        asked = replace(asked, own=known.own, to=way_to(known), wrote=known.wrote)
    verdict = decide_outgoing(asked, cause.settings)
    if isinstance(verdict, Refused):
        return _refusal(ledger, written, verdict, cause)
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
        ),
        trace=cause.trace,
        channel=channel.id,
        accepted_ms=cause.received_ms,
        expires_ms=cause.received_ms + cause.settings.give_up_whatsapp_ms,
    )
    return Sorted((letter,))


def reply_lane(conversation: ConversationId) -> str:
    """The lane of a conversation's messages to WhatsApp."""
    return f"out:{conversation}"


def _refusal(ledger: Ledger, written: Written, refused: Refused, cause: Cause) -> Sorted:
    reason = reason_text(refused.reason, cause.settings.language, channel=refused.channel_title)
    letters = failure_letters(ledger, written.id, refused.failure, reason, cause)
    return Sorted(letters, (f"refused:{refused.reason.value}",))


# --- Statuses ------------------------------------------------------------------------------------


def failure_letters(
    ledger: Ledger, message: CrmMessageId, failure: Failure, reason: str, cause: Cause
) -> tuple[Letter, ...]:
    """The letter that tells a manager of a failure, unless amoCRM was told something better."""
    if not ledger.told(message, Status.FAILED):
        return ()
    return (status_letter(StatusUpdate(message, Status.FAILED, failure, reason), cause),)


def status_letter(update: StatusUpdate, cause: Cause) -> Letter:
    """A status on its way to amoCRM, in the lane of its message."""
    return Letter(
        key=status_key(update.message, update.status),
        lane=f"status:{update.message}",
        destination=Destination.AMOCRM,
        body=update,
        trace=cause.trace,
        channel=cause.channel,
        accepted_ms=cause.now_ms,
        expires_ms=cause.now_ms + cause.settings.give_up_amocrm_ms,
    )
