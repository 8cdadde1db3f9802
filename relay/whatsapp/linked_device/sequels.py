"""What refers to another message: edits, deletions, reactions, quotations, both ways.

Their fields are those of ``waE2E.Message``; the library has taken wrappers off before.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from relay.domain.bodies import Quote, ReplyReaction
from relay.domain.contents import VIEW_ONCE, Contacts, Content, Location, Media, Text, Unsupported
from relay.domain.ids import OwnNumber, WhatsAppMessageId
from relay.domain.message import (
    Client,
    Deleted,
    Edited,
    Reacted,
    Received,
)
from relay.whatsapp.linked_device.addressing import NUMBER_SERVER
from relay.whatsapp.linked_device.composing import sound
from relay.whatsapp.linked_device.content import content_of
from relay.whatsapp.linked_device.protobufs import as_text, new_message

Sequel = Edited | Deleted | Reacted

Way = tuple[str, str]
"""Server and user of the client's address."""

_ONCE = ("viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension")
_WRAPPERS = (*_ONCE, "ephemeralMessage", "documentWithCaptionMessage", "editedMessage")
_DEEPEST = 4

_REVOKE, _EDIT = 0, 14  # waE2E.ProtocolMessage.Type


# --- In -------------------------------------------------------------------------------------------


def may_be_sequel(message: Message) -> bool:
    """Whether :func:`sequel_of` is worth asking: hardly ever is it."""
    return message.HasField("reactionMessage") or message.HasField("protocolMessage")


def sequel_of(message: Any, said: Received) -> Sequel | None:
    """What the message does to another one; None if it is a message in its own right.

    ``said``: of whom, when and by whom, as for any message.
    """
    if message.HasField("reactionMessage"):
        target = _target(message.reactionMessage.key)
        emoji = as_text(message.reactionMessage.text)
        return Reacted(*_whose(said, target), said.origin, emoji) if target else None
    if not message.HasField("protocolMessage"):
        return None
    protocol = message.protocolMessage
    target = _target(protocol.key)
    if target is None or not protocol.HasField("type"):
        return None
    if protocol.type == _REVOKE:
        return Deleted(*_whose(said, target), said.origin)
    content = _rewritten(protocol.editedMessage) if protocol.type == _EDIT else None
    return Edited(*_whose(said, target), said.origin, content) if content is not None else None


def quoted_id(message: Message) -> WhatsAppMessageId | None:
    """The id of the message that this one answers."""
    for _, part in message.ListFields():
        context = getattr(part, "contextInfo", None)
        id_ = as_text(getattr(context, "stanzaID", "")) if context is not None else ""
        if id_:
            return WhatsAppMessageId(id_)
    return None


def _rewritten(message: Message) -> Content | None:
    """The new wording: the library takes wrappers off the message itself, not off this one."""
    for _ in range(_DEEPEST):
        wrapper = next((name for name in _WRAPPERS if message.HasField(name)), None)
        if wrapper is None:
            break
        if wrapper in _ONCE:
            return Unsupported(VIEW_ONCE)
        message = getattr(message, wrapper).message
    return content_of(message)


def _target(key: Any) -> WhatsAppMessageId | None:
    id_ = as_text(key.ID)
    return WhatsAppMessageId(id_) if id_ else None


def _whose(
    said: Received, target: WhatsAppMessageId
) -> tuple[OwnNumber, Client, WhatsAppMessageId, WhatsAppMessageId, int]:
    return said.own, said.client, said.id, target, said.sent_at_ms


# --- Out ------------------------------------------------------------------------------------------


def reaction_message(reaction: ReplyReaction, way: Way) -> bytes:
    """An emoji on a message of that client's chat, for the library."""
    message = new_message()
    part = message.reactionMessage
    part.key.remoteJID = _jid(way)
    part.key.fromMe = not reaction.by_client
    part.key.ID = reaction.target
    part.text = sound(reaction.emoji)
    data: bytes = message.SerializeToString()
    return data


def quoting(message: bytes, quote: Quote, way: Way, own: OwnNumber) -> bytes:
    """The message for the library, as an answer to another one.

    Only parts that can bear a quotation do; plain text becomes the form that can.
    """
    made = new_message()
    made.ParseFromString(message)
    if made.conversation:
        made.extendedTextMessage.text = made.conversation
        made.ClearField("conversation")
    bearer = made
    if made.HasField("documentWithCaptionMessage"):
        bearer = made.documentWithCaptionMessage.message
    for _, part in bearer.ListFields():
        if hasattr(part, "contextInfo"):
            context = part.contextInfo
            context.stanzaID = quote.id
            context.participant = _jid(way if quote.by_client else (NUMBER_SERVER, own))
            context.quotedMessage.conversation = sound(_gist(quote.content))
            break
    data: bytes = made.SerializeToString()
    return data


def _gist(content: Content) -> str:
    """What the client is shown above the answer, in words: he has the message itself."""
    match content:
        case Text(text) | Location(text=text):
            return text
        case Media():
            return content.caption or content.name
        case Contacts(cards):
            return ", ".join(card.name for card in cards)
        case Unsupported():
            return ""


def _jid(way: Way) -> str:
    server, user = way
    return f"{user}@{server}"
