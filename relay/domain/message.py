"""What WhatsApp and amoCRM tell the relay: messages, and what became of them."""

from __future__ import annotations

import enum

from relay.domain.contents import Content
from relay.domain.ids import (
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    OwnNumber,
    WhatsAppMessageId,
)
from relay.domain.values import value


class Origin(enum.StrEnum):
    """Who wrote a WhatsApp message."""

    CLIENT = "client"
    PHONE = "phone"  # the owner's handset or another device linked to it


class Status(enum.IntEnum):
    """What became of a message to a client. A later value never gives way to an earlier one.

    ``FAILED`` is final in amoCRM's card, but a message that proves delivered after all is told so.
    """

    SENT = 0
    FAILED = 1
    DELIVERED = 2
    READ = 3


class Failure(enum.IntEnum):
    """Why a message did not reach its client, in amoCRM's numbers (Chats API, delivery_status)."""

    NO_SUCH_CLIENT = 904
    OTHER = 905


@value
class Client:
    """A person on WhatsApp. ``phone`` is E.164 with its plus, or None where WhatsApp hides it."""

    address: ClientAddress
    phone: str | None = None
    name: str | None = None


# --- What engines report -------------------------------------------------------------------------


@value
class Received:
    """A message seen on WhatsApp, from the client or from the owner's phone.

    ``instead_of``: the id under which something has stood in for it until it could be read.
    ``quotes``: the message it answers.
    ``silent``: it is no news, and nobody is to be notified; so is the past of a chat.
    """

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    sent_at_ms: int
    origin: Origin
    content: Content
    instead_of: WhatsAppMessageId | None = None
    silent: bool = False
    quotes: WhatsAppMessageId | None = None


@value
class Withheld:
    """The engine has had a message before, and cannot tell it again.

    If it never told of it, ``stand_in`` is all that anybody will hear of the message ``id``.
    """

    id: WhatsAppMessageId
    stand_in: Received


@value
class Receipt:
    """WhatsApp tells what became of messages sent by us."""

    own: OwnNumber
    ids: tuple[WhatsAppMessageId, ...]
    status: Status
    at_ms: int


@value
class Noise:
    """Something that never enters amoCRM; ``rule`` says why: ``group``, ``protocol``."""

    rule: str


@value
class Alias:
    """WhatsApp tells that a hidden address and a number are one client's."""

    own: OwnNumber
    hidden: ClientAddress
    number: ClientAddress


@value
class Edited:
    """A message was written anew. ``id`` is the edit's own, ``target`` the message's.

    ``instead_of``: under which id something stands in for a message that could not be read.
    """

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin
    content: Content
    instead_of: WhatsAppMessageId | None = None


@value
class Deleted:
    """A message was taken back by its writer, for everyone; ``instead_of`` as in an edit."""

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin
    instead_of: WhatsAppMessageId | None = None


@value
class Reacted:
    """``emoji`` was put on a message; empty: it was taken off again."""

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin
    emoji: str


WhatsAppEvent = Received | Withheld | Receipt | Noise | Alias | Edited | Deleted | Reacted


# --- What amoCRM's hooks say ---------------------------------------------------------------------


@value
class Written:
    """A manager or a robot wrote to a client.

    ``source``: the number of ours that stands beside it in amoCRM, by choice or because the chat
    came in by it; None if there is none, or it is not one of ours. ``quotes``: what it answers.
    """

    id: CrmMessageId
    chat: CrmChatId
    conversation: ConversationId | None  # None: amoCRM started the chat ("write first")
    author: CrmPersonId
    client: CrmPersonId
    phone: str | None  # as it stands in the card, any notation
    content: Content
    written_at_ms: int
    source: OwnNumber | None = None
    quotes: CrmMessageId | None = None


@value
class CrmReaction:
    """Somebody in amoCRM put ``emoji`` on a message; empty: took it off again."""

    chat: CrmChatId
    conversation: ConversationId | None
    message: CrmMessageId
    author: CrmPersonId
    emoji: str
    at_ms: int


@value
class CrmTyping:
    """Somebody in amoCRM is writing to a client."""

    chat: CrmChatId
    conversation: ConversationId | None


@value
class Skipped:
    """A hook that asks for nothing the relay does: ``v1``, ``unknown``."""

    rule: str


CrmEvent = Written | CrmReaction | CrmTyping | Skipped
