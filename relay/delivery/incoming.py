"""What follows from an event of WhatsApp's: the letters that tell amoCRM of it."""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.awaiting import awaiting
from relay.delivery.contacts import first_met
from relay.delivery.holding import (
    hold_ms,
    incoming_lane,
    message_key,
    readdress,
    take_place,
    withdraw_listed,
)
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.letters import Ahead, Cause, Sorted, reply_lane, status_letter
from relay.delivery.pacing import free
from relay.delivery.people import learn, meet
from relay.delivery.phones import note_written
from relay.delivery.proof import prove
from relay.delivery.revisions import as_message, revision_letters
from relay.delivery.targets import quoted
from relay.domain.bodies import NewMessage, StatusUpdate
from relay.domain.ids import conversation_id, message_id
from relay.domain.incoming import Ignored, Incoming, decide_incoming
from relay.domain.message import (
    Alias,
    CrmEvent,
    CrmReaction,
    CrmTyping,
    Deleted,
    Edited,
    Noise,
    Origin,
    Reacted,
    Receipt,
    Received,
    Skipped,
    Status,
    WhatsAppEvent,
    Withheld,
    Written,
)
from relay.domain.outbox import Destination, Letter


def client_letters(
    ledger: Ledger, event: WhatsAppEvent | CrmEvent, cause: Cause, ahead: Ahead
) -> Sorted:
    """What amoCRM is to be told after something happened on WhatsApp."""
    match event:
        case Received():
            return _message_in(ledger, event, cause)
        case Withheld():
            return _withheld_in(ledger, event, cause)
        case Receipt():
            return _receipt_in(ledger, event, cause)
        case Alias():
            return _alias_in(ledger, event, cause)
        case Edited() | Deleted() | Reacted():
            return _revision_in(ledger, event, cause, ahead)
        case Noise(rule) | Skipped(rule):
            return Sorted(ignored=(rule,))
        case Written() | CrmReaction() | CrmTyping():
            raise TypeError("a hook cannot come from an engine")


def _revision_in(
    ledger: Ledger, event: Edited | Deleted | Reacted, cause: Cause, ahead: Ahead
) -> Sorted:
    message = as_message(ledger, event)
    if message is not None:
        return _message_in(ledger, message, cause)
    return revision_letters(ledger, event, cause, ahead)


def _withheld_in(ledger: Ledger, event: Withheld, cause: Cause) -> Sorted:
    """Mostly it was heard, only WhatsApp did not hear that. Else it was lost in a kill."""
    known = ledger.entry_of(message_key(message_id(event.stand_in.own, event.id))) is not None
    if known or (cause.came and ledger.heard_before(cause.came, event.id.encode())):
        return Sorted(ignored=("duplicate",))
    return _message_in(ledger, event.stand_in, cause, in_vain=True)


def _message_in(
    ledger: Ledger, message: Received, cause: Cause, *, in_vain: bool = False
) -> Sorted:
    typed = message.origin is Origin.PHONE  # a client's message cannot be our own
    echo = typed and ledger.linked(message.own, message.id) is not None
    conversation, known = meet(ledger, message, cause.now_ms)
    if message.client != conversation.client:
        message = replace(message, client=conversation.client)
    asked = Incoming(message, cause.channel, sent_by_us=echo)
    verdict = decide_incoming(asked, cause.settings)
    if isinstance(verdict, Ignored):
        return _kept_out(ledger, conversation, known, verdict, cause)
    message = verdict.message
    if conversation != known:
        ledger.save_conversation(conversation)
    if message.origin is Origin.CLIENT:
        note_written(ledger, message, cause.now_ms)
    freed = _freed(ledger, conversation, known, cause)
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
        marks=verdict.marks,
        silent=message.silent,
        quotes=quoted(ledger, message),
        opens=not conversation.crm_bound,
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
        hold_ms=hold_ms(message, begins=known is None, in_vain=in_vain),
    )
    letter = awaiting(letter)
    placed = take_place(ledger, message, letter, cause.now_ms)
    others = first_met(conversation, known, cause)
    if placed:
        return Sorted(others, freed=freed, placed=(letter,))
    return Sorted((letter, *others), freed=freed)


def _kept_out(
    ledger: Ledger,
    conversation: Conversation,
    known: Conversation | None,
    ignored: Ignored,
    cause: Cause,
) -> Sorted:
    """Nothing is begun for it. But somebody we write to has written: he is no stranger any more."""
    freed = False
    if known is not None and conversation != known:
        ledger.save_conversation(conversation)
        freed = _freed(ledger, conversation, known, cause)
    return Sorted(ignored=(ignored.rule,), freed=freed)


def _freed(
    ledger: Ledger, conversation: Conversation, known: Conversation | None, cause: Cause
) -> bool:
    """Whether letters to him, who had never written before, waited for a turn."""
    wrote_now = conversation.wrote and known is not None and not known.wrote
    return wrote_now and free(ledger, reply_lane(conversation.id), cause.now_ms)


def _alias_in(ledger: Ledger, alias: Alias, cause: Cause) -> Sorted:
    if not learn(ledger, alias):
        return Sorted.nothing()
    if alias.number in cause.settings.blacklist:
        withdraw_listed(ledger, alias, cause.now_ms)
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
