"""What is said: messages in both directions, and what became of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from relay.domain.contents import Content, Media
from relay.domain.ids import (
    ChannelId,
    ClientAddress,
    ConversationId,
    CrmChatId,
    CrmMessageId,
    CrmPersonId,
    MessageId,
    OwnNumber,
    WhatsAppMessageId,
)


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


@dataclass(frozen=True, slots=True)
class Client:
    """A person on WhatsApp. ``phone`` is E.164 with its plus, or None where WhatsApp hides it."""

    address: ClientAddress
    phone: str | None = None
    name: str | None = None


# --- What engines report -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received:
    """A message seen on WhatsApp, from the client or from the owner's phone.

    ``instead_of``: the id under which something has stood in for it until it could be read.
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


@dataclass(frozen=True, slots=True)
class Receipt:
    """WhatsApp tells what became of messages sent by us."""

    own: OwnNumber
    ids: tuple[WhatsAppMessageId, ...]
    status: Status
    at_ms: int


@dataclass(frozen=True, slots=True)
class Noise:
    """Something that never enters amoCRM; ``rule`` says why: ``group``, ``protocol``."""

    rule: str


@dataclass(frozen=True, slots=True)
class Alias:
    """WhatsApp tells that a hidden address and a number are one client's."""

    own: OwnNumber
    hidden: ClientAddress
    number: ClientAddress


WhatsAppEvent = Received | Receipt | Noise | Alias


# --- What amoCRM's hooks say ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A manager or a robot wrote to a client.

    ``source``: the number of ours that stands beside it in amoCRM, by choice or because the chat
    came in by it; None if there is none, or it is not one of ours.
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


@dataclass(frozen=True, slots=True)
class Skipped:
    """A hook that asks for nothing the relay does yet: ``typing``, ``reaction``, ``unknown``."""

    rule: str


CrmEvent = Written | Skipped


# --- What goes out (bodies of outbox entries) ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message for amoCRM, opened there by its ``marks``.

    ``crm_chat`` and ``crm_client``: amoCRM's ids of a chat that it began ("write first"), told
    along until it is seen to know ours. ``silent``: no unsorted lead, and nobody is notified.
    """

    conversation: ConversationId
    id: MessageId
    whatsapp_id: WhatsAppMessageId
    own: OwnNumber
    client: Client
    sent_at_ms: int
    origin: Origin
    content: Content
    crm_chat: CrmChatId | None = None
    crm_client: CrmPersonId | None = None
    marks: tuple[str, ...] = ()
    silent: bool = False
    kind: Literal["new_message"] = "new_message"


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The relay's own word in a chat: a message written there did not reach its client.

    In the name of the channel's bot if there is one, else in the client's.
    """

    conversation: ConversationId
    id: MessageId
    own: OwnNumber
    client: Client
    sent_at_ms: int
    text: str
    crm_chat: CrmChatId | None = None
    crm_client: CrmPersonId | None = None
    kind: Literal["error_reply"] = "error_reply"


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """The status of a manager's message, for amoCRM. ``failure``/``reason`` go with ``FAILED``."""

    message: CrmMessageId
    status: Status
    failure: Failure | None = None
    reason: str | None = None
    kind: Literal["status_update"] = "status_update"


@dataclass(frozen=True, slots=True)
class Reply:
    """A manager's or robot's message for a client.

    ``chat``: the conversation whose chat it was written in, if it goes through another number.
    """

    conversation: ConversationId
    crm_id: CrmMessageId
    channel: ChannelId
    own: OwnNumber
    to: ClientAddress
    content: Content
    chat: ConversationId | None = None
    kind: Literal["reply"] = "reply"


@dataclass(frozen=True, slots=True)
class PhoneRewrite:
    """The card of a conversation's client is to hold his number as +7, where it has it as 8."""

    conversation: ConversationId
    kind: Literal["phone_rewrite"] = "phone_rewrite"


@dataclass(frozen=True, slots=True)
class Fetch:
    """The bytes of a medium, to be brought into the relay's own store.

    ``waiting`` is the key of the letter that waits for them, ``towards`` where that one goes: the
    bytes come from the other side. ``not_before_ms``: until then it waits for something else too.
    """

    media: Media
    waiting: str
    towards: Literal["amocrm", "whatsapp"]
    not_before_ms: int = 0
    kind: Literal["fetch"] = "fetch"


Body = NewMessage | ErrorReply | StatusUpdate | Reply | Fetch | PhoneRewrite
