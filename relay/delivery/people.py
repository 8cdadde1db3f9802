"""Who is who: one client is one conversation, by whichever of his addresses he comes.

A client has a number and, mostly, a hidden address. His conversation is named after the one he
came by first and keeps that name for ever; the other one, however late it is learnt, leads there.
Where two conversations of one client turn out to exist, the older one goes on: the name of the
younger one leads to it, and a manager's answer in the younger one still reaches the client.
"""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.ledger import Conversation, Ledger
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    OwnNumber,
    conversation_id,
    parse_conversation_id,
)
from relay.domain.message import (
    Alias,
    Client,
    Origin,
    Received,
    Written,
)

_LONGEST_WAY = 8  # aliases from an address to its conversation; each merge adds one at most


def conversation_of(ledger: Ledger, own: OwnNumber, address: ClientAddress) -> ConversationId:
    """Our id of the conversation with the client who has that address."""
    for _ in range(_LONGEST_WAY):
        id_ = ledger.alias(own, address)
        if id_ is None:
            break
        address = _address(id_)
    return conversation_id(own, address)


def learn(ledger: Ledger, alias: Alias) -> bool:
    """Keep that two addresses are one client's, and his number; False if all that was known."""
    own, names = alias.own, (alias.hidden, alias.number)
    if _told(ledger, own, *names) or _told(ledger, own, *reversed(names)):
        return False
    hidden, number = (conversation_of(ledger, own, name) for name in names)
    if hidden != number:
        keep, leave = _older(ledger, hidden, number)
        ledger.save_alias(own, _address(leave), keep)
        _inherit(ledger, keep, leave)
    else:
        keep = number
    return _told_phone(ledger, keep, alias.number) or hidden != number


def meet(
    ledger: Ledger, message: Received, now_ms: int
) -> tuple[Conversation, Conversation | None]:
    """The message's conversation with what is newest of its client, and as it was before."""
    id_ = conversation_of(ledger, message.own, message.client.address)
    known = ledger.conversation(id_)
    met = known or _began(id_, message.own, now_ms)
    phone = message.client.phone or met.client.phone
    name = message.client.name or met.client.name
    wrote = met.wrote or message.origin is Origin.CLIENT
    if (phone, name, wrote) != (met.client.phone, met.client.name, met.wrote):
        met = replace(met, client=replace(met.client, phone=phone, name=name), wrote=wrote)
    return met, known


def find(ledger: Ledger, written: Written) -> Conversation | None:
    """The conversation a hook speaks of; our id alone tells it even if the ledger was lost."""
    if written.conversation is None:
        return ledger.conversation_of_chat(written.chat)
    known = ledger.conversation(written.conversation)
    parts = parse_conversation_id(written.conversation)
    if known is None and parts is not None:
        return _began(written.conversation, parts[0], 0)
    return known


def way_to(conversation: Conversation) -> ClientAddress:
    """Where a message to the client goes: the address he came by, and his newest number."""
    client = conversation.client
    if client.address.isdigit() and client.phone is not None:
        return ClientAddress(client.phone.removeprefix("+"))
    return client.address


def remember_chat(
    ledger: Ledger, written: Written, id_: ConversationId, own: OwnNumber, now_ms: int
) -> None:
    """Keep which amoCRM chat this is, so that the client's answer comes into the same one.

    A chat is one conversation's for ever: amoCRM refuses one that comes with another's id. What is
    answered to a message that went through another number opens a chat of its own.
    """
    if written.conversation is None:
        owner = ledger.conversation_of_chat(written.chat)
        if owner is not None and owner.id != id_:
            return
    elif written.conversation != id_:
        return
    known = ledger.conversation(id_) or _began(id_, own, now_ms)
    bound = written.conversation == id_
    chat = written.chat, written.client, bound
    if (known.crm_chat, known.crm_client, known.crm_bound) != chat:
        ledger.save_conversation(
            replace(known, crm_chat=written.chat, crm_client=written.client, crm_bound=bound)
        )


def _told(ledger: Ledger, own: OwnNumber, one: ClientAddress, other: ClientAddress) -> bool:
    return ledger.alias(own, one) == conversation_id(own, other)


def _older(
    ledger: Ledger, hidden: ConversationId, number: ConversationId
) -> tuple[ConversationId, ConversationId]:
    """Which of two conversations goes on, and which one ends. Of equals the number's goes on."""
    by_hidden, by_number = ledger.conversation(hidden), ledger.conversation(number)
    if by_hidden is None or (by_number and by_number.since_ms <= by_hidden.since_ms):
        return number, hidden
    return hidden, number


def _inherit(ledger: Ledger, keep: ConversationId, leave: ConversationId) -> None:
    """The conversation that goes on knows what the other one knew of the client."""
    kept, left = ledger.conversation(keep), ledger.conversation(leave)
    if kept is None or left is None:
        return
    client = replace(kept.client, name=kept.client.name or left.client.name)
    ledger.save_conversation(replace(kept, client=client, wrote=kept.wrote or left.wrote))


def _told_phone(ledger: Ledger, id_: ConversationId, number: ClientAddress) -> bool:
    """The client of the conversation, if there is one yet, has that number now."""
    known = ledger.conversation(id_)
    if known is None or known.client.phone == f"+{number}":
        return False
    ledger.save_conversation(replace(known, client=replace(known.client, phone=f"+{number}")))
    return True


def _began(id_: ConversationId, own: OwnNumber, now_ms: int) -> Conversation:
    """A conversation nobody has seen yet."""
    address = _address(id_)
    phone = f"+{address}" if address.isdigit() else None
    return Conversation(id_, own, Client(address, phone), since_ms=now_ms)


def _address(id_: ConversationId) -> ClientAddress:
    """The address that a conversation is named after."""
    parts = parse_conversation_id(id_)
    if parts is None:
        raise ValueError(f"not a conversation of ours: {id_}")
    return parts[1]
