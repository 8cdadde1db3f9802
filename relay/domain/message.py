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


@dataclass(frozen=True, slots=True)
class Edited:
    """A message was written anew. ``id`` is the edit's own, ``target`` the message's."""

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin
    content: Content


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was taken back by its writer, for everyone."""

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Reacted:
    """``emoji`` was put on a message; empty: it was taken off again."""

    own: OwnNumber
    client: Client
    id: WhatsAppMessageId
    target: WhatsAppMessageId
    at_ms: int
    origin: Origin
    emoji: str


WhatsAppEvent = Received | Receipt | Noise | Alias | Edited | Deleted | Reacted


# --- What amoCRM's hooks say ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class CrmReaction:
    """Somebody in amoCRM put ``emoji`` on a message; empty: took it off again."""

    chat: CrmChatId
    conversation: ConversationId | None
    message: CrmMessageId
    author: CrmPersonId
    emoji: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CrmTyping:
    """Somebody in amoCRM is writing to a client."""

    chat: CrmChatId
    conversation: ConversationId | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A hook that asks for nothing the relay does: ``v1``, ``unknown``."""

    rule: str


CrmEvent = Written | CrmReaction | CrmTyping | Skipped


# --- What goes out (bodies of outbox entries) ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """How amoCRM knows a message: by our id if we brought it, by its own once that is known."""

    ours: MessageId
    crm: CrmMessageId | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message for amoCRM, opened there by its ``marks``; ``quotes`` is what it answers.

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
    quotes: Known | None = None
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
class Revision:
    """A message that amoCRM has is to read so from now on."""

    conversation: ConversationId
    message: Known
    content: Content
    at_ms: int
    marks: tuple[str, ...] = ()
    kind: Literal["revision"] = "revision"


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji for a message that amoCRM has; empty: none any more."""

    conversation: ConversationId
    message: Known
    client: Client
    origin: Origin
    emoji: str
    kind: Literal["reaction"] = "reaction"


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """The status of a manager's message, for amoCRM. ``failure``/``reason`` go with ``FAILED``."""

    message: CrmMessageId
    status: Status
    failure: Failure | None = None
    reason: str | None = None
    kind: Literal["status_update"] = "status_update"


@dataclass(frozen=True, slots=True)
class Quote:
    """A message of WhatsApp's that another one answers. ``by_client``: he wrote it, not we."""

    id: WhatsAppMessageId
    by_client: bool
    content: Content


@dataclass(frozen=True, slots=True)
class Reply:
    """A manager's or robot's message for a client; ``quotes`` is what it answers.

    ``chat``: the conversation whose chat it was written in, if it goes through another number.
    """

    conversation: ConversationId
    crm_id: CrmMessageId
    channel: ChannelId
    own: OwnNumber
    to: ClientAddress
    content: Content
    chat: ConversationId | None = None
    quotes: Quote | None = None
    kind: Literal["reply"] = "reply"


@dataclass(frozen=True, slots=True)
class ReplyReaction:
    """An emoji for a message on WhatsApp; empty: none any more. ``by_client``: he wrote it."""

    conversation: ConversationId
    channel: ChannelId
    own: OwnNumber
    to: ClientAddress
    target: WhatsAppMessageId
    by_client: bool
    emoji: str
    kind: Literal["reply_reaction"] = "reply_reaction"


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


Body = (
    NewMessage
    | Revision
    | Reaction
    | ErrorReply
    | StatusUpdate
    | Reply
    | ReplyReaction
    | Fetch
    | PhoneRewrite
)
