"""What goes out: the bodies of the outbox's letters, each known by its ``kind``."""

from __future__ import annotations

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
from relay.domain.message import Client, Failure, Origin, Status
from relay.domain.values import value


@value
class Known:
    """How amoCRM knows a message: by our id if we brought it, by its own once that is known."""

    ours: MessageId
    crm: CrmMessageId | None = None


@value
class NewMessage:
    """A message for amoCRM, opened there by its ``marks``; ``quotes`` is what it answers.

    ``crm_chat`` and ``crm_client``: amoCRM's ids of a chat that it began ("write first"), told
    along until it is seen to know ours. ``silent``: no unsorted lead, and nobody is notified.
    ``opens``: amoCRM may not know its chat yet, or the client, by our ids.
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
    opens: bool = False
    kind: Literal["new_message"] = "new_message"


@value
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


@value
class Revision:
    """A message that amoCRM has is to read so from now on; ``crm_chat`` as in a new message."""

    conversation: ConversationId
    message: Known
    content: Content
    at_ms: int
    marks: tuple[str, ...] = ()
    crm_chat: CrmChatId | None = None
    kind: Literal["revision"] = "revision"


@value
class Reaction:
    """An emoji for a message that amoCRM has; empty: none any more. ``crm_chat`` as there."""

    conversation: ConversationId
    message: Known
    client: Client
    origin: Origin
    emoji: str
    crm_chat: CrmChatId | None = None
    kind: Literal["reaction"] = "reaction"


@value
class StatusUpdate:
    """The status of a manager's message, for amoCRM. ``failure``/``reason`` go with ``FAILED``."""

    message: CrmMessageId
    status: Status
    failure: Failure | None = None
    reason: str | None = None
    kind: Literal["status_update"] = "status_update"


@value
class Quote:
    """A message of WhatsApp's that another one answers. ``by_client``: he wrote it, not we."""

    id: WhatsAppMessageId
    by_client: bool
    content: Content


@value
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


@value
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


@value
class PhoneRewrite:
    """The card of a conversation's client is to hold his number as +7, where it has it as 8."""

    conversation: ConversationId
    kind: Literal["phone_rewrite"] = "phone_rewrite"


@value
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
