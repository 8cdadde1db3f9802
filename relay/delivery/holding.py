"""What waits a moment before it goes into amoCRM, because something better mostly follows.

A message that could not be decrypted: WhatsApp asks the sender for it again, and within seconds it
comes. Only if it does not, a manager sees the placeholder. And the first message of somebody whose
number is hidden: the number is being looked up, and amoCRM keeps a contact as it first saw it.
While the first of a conversation waits, the rest waits behind it: order before speed.
"""

from __future__ import annotations

from dataclasses import replace

from relay.delivery.awaiting import awaits_medium
from relay.delivery.ledger import Conversation, Ledger
from relay.delivery.people import conversation_of
from relay.domain.bodies import ErrorReply, NewMessage
from relay.domain.contents import UNDECRYPTABLE, Unsupported
from relay.domain.ids import ConversationId, MessageId, conversation_id, message_id
from relay.domain.message import Alias, Received
from relay.domain.outbox import Destination, Entry, EntryState, Letter
from relay.domain.retry import SECOND

STAND_IN_MS = 10 * SECOND
STRANGER_MS = 2 * SECOND


def incoming_lane(conversation: ConversationId) -> str:
    """The lane of a conversation's messages into amoCRM."""
    return f"in:{conversation}"


def message_key(message: MessageId) -> str:
    """The key of the letter that brings a message into amoCRM."""
    return f"message:{message}"


def hold_ms(message: Received, *, begins: bool, in_vain: bool = False) -> int:
    """For how long a message waits for something better.

    ``begins``: its conversation does. ``in_vain``: it stands for one that cannot come any more.
    """
    if message.content == Unsupported(UNDECRYPTABLE) and not in_vain:
        return STAND_IN_MS
    return STRANGER_MS if begins and message.client.phone is None else 0


def take_place(ledger: Ledger, message: Received, letter: Letter, now_ms: int) -> bool:
    """The message itself came: it goes where something stands in for it, which is not sent.

    False: nothing does any more, or in another lane. It belongs at the end of its own.
    """
    if message.instead_of is None:
        return False
    entry = ledger.entry_of(message_key(message_id(message.own, message.instead_of)))
    if entry is None or entry.state is not EntryState.PENDING:
        return False
    placed = entry.letter.lane == letter.lane and ledger.replace(entry.id, letter)
    if placed and (again := ledger.put(entry.letter)) is not None:  # so that its key stays known
        entry = replace(entry, id=again)
    withdraw(ledger, entry, now_ms, "the message itself came")
    return placed


def has_lost_place(ledger: Ledger, entry: Entry) -> bool:
    """Whether the message itself came while its placeholder was on its way, and waits there now."""
    body = entry.letter.body
    if not isinstance(body, NewMessage) or body.content != Unsupported(UNDECRYPTABLE):
        return False
    known = ledger.entry_of(entry.letter.key)
    return known is not None and known.id != entry.id


def withdraw_listed(ledger: Ledger, alias: Alias, now_ms: int) -> None:
    """A hidden address proves to be that of a listed number: what still waits does not enter."""
    for address in (alias.hidden, alias.number):
        lane = incoming_lane(conversation_id(alias.own, address))
        for entry in ledger.waiting(Destination.AMOCRM, lane):
            withdraw(ledger, entry, now_ms, "his number is on the blacklist")


def readdress(ledger: Ledger, alias: Alias, now_ms: int) -> None:
    """Two addresses are one client's: what still waits goes into his one conversation.

    What was tried already stays where it may have arrived.
    """
    conversation = ledger.conversation(conversation_of(ledger, alias.own, alias.number))
    if conversation is None:
        return  # he has not written yet
    for address in (alias.hidden, alias.number):
        lane = incoming_lane(conversation_id(alias.own, address))
        for entry in ledger.waiting(Destination.AMOCRM, lane):
            body = entry.letter.body
            if isinstance(body, NewMessage | ErrorReply) and entry.attempts == 0:
                _amend(ledger, entry, _moved(body, conversation), now_ms)


def withdraw(ledger: Ledger, entry: Entry, now_ms: int, because: str) -> None:
    """It is not carried any more. If it is on its way it may arrive; that changes nothing.

    ``because`` is for the log.
    """
    if entry.state is EntryState.PENDING:
        ledger.settle(
            entry.id,
            EntryState.DELIVERED,
            attempts=entry.attempts,
            due_ms=entry.due_ms,
            now_ms=now_ms,
            error=f"withdrawn: {because}",
        )


def _amend(ledger: Ledger, entry: Entry, body: NewMessage | ErrorReply, now_ms: int) -> None:
    if body == entry.letter.body:
        return
    letter = replace(entry.letter, lane=incoming_lane(body.conversation), body=body)
    stands_in = isinstance(body, NewMessage) and body.content == Unsupported(UNDECRYPTABLE)
    waits = stands_in or awaits_medium(body)
    ledger.amend(entry.id, letter, entry.due_ms if waits else min(entry.due_ms, now_ms))


def _moved(body: NewMessage | ErrorReply, to: Conversation) -> NewMessage | ErrorReply:
    return replace(
        body,
        conversation=to.id,
        client=replace(to.client, name=body.client.name or to.client.name),
        crm_chat=None if to.crm_bound else to.crm_chat,
        crm_client=None if to.crm_bound else to.crm_client,
    )
