"""What one transaction may do: with the journal, the outbox, and the ledger of who is who.

A unit of work is a plain function over :class:`Ledger`; a :class:`~relay.delivery.store.Store` runs
it whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from relay.delivery.outbox import Outbox
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.message import Client, Receipt, Status
from relay.domain.outbox import Destination, JournalRow, Seq
from relay.domain.phone_check import PhoneCheck
from relay.domain.values import value

LOOK_BACK = 10_000
"""So many places of the journal are looked through for a word."""


@value
class Conversation:
    """A conversation of a number of ours with a client, and amoCRM's latest chat for it.

    ``crm_bound``: amoCRM has been seen to know our ids for that chat, so they need not be sent
    along any more. ``since_ms``: when it began (0: before anybody noted it). ``wrote``: the client
    himself has written.
    """

    id: ConversationId
    own: OwnNumber
    client: Client
    crm_chat: CrmChatId | None = None
    crm_client: CrmPersonId | None = None
    crm_bound: bool = False
    since_ms: int = 0
    wrote: bool = False


@value
class Link:
    """The two ids of one message. ``told`` is the latest status amoCRM is (about to be) told."""

    own: OwnNumber
    whatsapp_id: WhatsAppMessageId
    crm_id: CrmMessageId
    told: Status = Status.SENT


class Ledger(Outbox, Protocol):
    """What one transaction may do. Every method is quick and synchronous: the loop waits.

    Nothing that a method did is kept unless the whole transaction is.
    """

    # The journal: what came in, raw.

    def append(self, source: str, payload: bytes, trace: str, now_ms: int) -> Seq:
        """Keep what came in; returns its place. Places grow and are never used again."""
        ...

    def append_read(
        self, source: str, payload: bytes, trace: str, now_ms: int, note: str | None
    ) -> Seq:
        """The same for what was sorted in this very transaction: ``append`` and ``mark_read``."""
        ...

    def unread(self, side: Destination, limit: int) -> Sequence[JournalRow]:
        """The oldest rows not yet read that are to be sorted *towards* ``side``.

        Rows of source ``amocrm`` go towards WhatsApp, rows of ``whatsapp/…`` towards amoCRM.
        """
        ...

    def mark_read(self, seq: Seq, note: str | None = None) -> None:
        """The row has been sorted; ``note`` says why nothing came of it, if nothing did."""
        ...

    def mark_all_read(self, seqs: Collection[Seq]) -> None:
        """The same for many rows, of each of which something came."""
        ...

    def mark_unreadable(self, seq: Seq, error: str) -> None:
        """The row could not be sorted; it is kept for a person to look at."""
        ...

    def hold(self, seq: Seq, place: str) -> None:
        """An unread row is held in that place: it cannot be said yet what follows from it."""
        ...

    def held(self, side: Destination, after: Seq, limit: int) -> Sequence[JournalRow]:
        """The oldest rows held beyond a place of the journal; ``mark_read`` ends a hold."""
        ...

    def is_held(self, places: Collection[str]) -> bool:
        """Whether anything is held in one of those places."""
        ...

    def heard_before(self, row: JournalRow, word: bytes) -> bool:
        """Whether a row of the same source that came before this one contains those bytes.

        Only within :data:`LOOK_BACK` places before it. A row that has no place yet is the last.
        """
        ...

    def tidy(self, before_ms: int, limit: int) -> int:
        """Forget up to ``limit`` finished, read things from before that time; how many.

        Delivered entries, read journal rows, links and what was posted go. Dead entries and
        unreadable rows stay.
        """
        ...

    # The ledger proper: who is who, and which message is which.

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        """A conversation by our id."""
        ...

    def conversation_of_chat(self, chat: CrmChatId) -> Conversation | None:
        """A conversation by any of amoCRM's chats for it, the latest chat or an earlier one."""
        ...

    def save_conversation(self, conversation: Conversation) -> None:
        """Insert or replace by id; its ``crm_chat``, if any, leads to it from now on."""
        ...

    def alias(self, own: OwnNumber, address: ClientAddress) -> ConversationId | None:
        """The conversation that an address was told to lead to, beyond the one named after it."""
        ...

    def save_alias(
        self, own: OwnNumber, address: ClientAddress, conversation: ConversationId
    ) -> None:
        """From now on the address leads there; it is never forgotten."""
        ...

    def phone_check(self, number: str) -> PhoneCheck | None:
        """What is known of a number (digits), and since when."""
        ...

    def save_phone_check(self, number: str, check: PhoneCheck) -> None:
        """Insert or replace what is known of a number."""
        ...

    def link(self, link: Link) -> Receipt | None:
        """Keep the pair of ids; returns a receipt that had come before it, if one did."""
        ...

    def linked(self, own: OwnNumber, whatsapp_id: WhatsAppMessageId) -> Link | None:
        """The pair by WhatsApp's id."""
        ...

    def link_of(self, crm_id: CrmMessageId) -> Link | None:
        """The pair by amoCRM's id."""
        ...

    def told(self, crm_id: CrmMessageId, status: Status) -> bool:
        """Raise what amoCRM is told of a message; False if that would not be a step forward.

        Works for a message without a link too (one that failed before WhatsApp gave it an id).
        """
        ...

    def early_receipt(self, receipt: Receipt, whatsapp_id: WhatsAppMessageId, now_ms: int) -> None:
        """A receipt came before its link: keep the furthest status until the link comes."""
        ...

    def spend(self, token: str, until_ms: int, now_ms: int) -> bool:
        """A one-time token is used; False if it was before. It is remembered until that time."""
        ...

    # What the relay itself put into amoCRM in the bot's name.

    def post(
        self, message: MessageId, conversation: ConversationId, crm_id: CrmMessageId | None
    ) -> None:
        """Remember that it is there, and amoCRM's id of it, if it was told.

        An id once told is not forgotten for an unknown one.
        """
        ...

    def posted(self, crm_id: CrmMessageId) -> bool:
        """Whether it is one of them."""
        ...

    def nameless(self, conversation: ConversationId) -> Sequence[MessageId]:
        """Those of the conversation whose id amoCRM did not tell, in the order of our ids."""
        ...

    # Facts that outlive the process.

    def fact(self, name: str) -> str | None:
        """A fact by name: the account's id, a channel's number, the last proof of life…"""
        ...

    def set_fact(self, name: str, value: str) -> None:
        """Remember a fact."""
        ...
