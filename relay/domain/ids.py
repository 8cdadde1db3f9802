"""The ids of conversations and messages, and how ours are made.

Ours must survive a restart, a renamed channel, and the same event arriving twice, so they are
made from the two things that do not change: the channel's own WhatsApp number and WhatsApp's id.
"""

from __future__ import annotations

import hashlib
from typing import NewType

ChannelId = NewType("ChannelId", str)
"""The key of a channel in the file: ``a-z 0-9 _ -``."""

OwnNumber = NewType("OwnNumber", str)
"""A channel's own WhatsApp number, digits only, country code first: ``74950000001``."""

ClientAddress = NewType("ClientAddress", str)
"""A client's address: digits of his number, or ``lid:…`` / ``bsuid:…`` where it is hidden."""

ConversationId = NewType("ConversationId", str)
"""Our id of a conversation, amoCRM's ``conversation_id`` in requests and ``client_id`` in hooks."""

MessageId = NewType("MessageId", str)
"""Our id of a message, amoCRM's ``msgid`` in requests: printable ASCII, at most 100 characters."""

WhatsAppMessageId = NewType("WhatsAppMessageId", str)
"""WhatsApp's id of a message, unique within a conversation."""

CrmChatId = NewType("CrmChatId", str)
"""amoCRM's id of a chat: ``conversation.id`` in hooks, ``conversation_ref_id`` in requests."""

CrmMessageId = NewType("CrmMessageId", str)
"""amoCRM's id of a message: ``message.message.id`` in hooks, ``msgid`` in answers."""

CrmPersonId = NewType("CrmPersonId", str)
"""amoCRM's (amojo) id of a person in a chat: a user, a robot or a client."""

UserId = NewType("UserId", int)
"""amoCRM's number of a user: the keys of ``users`` in the file."""

SourceId = NewType("SourceId", str)
"""Our id of a source, amoCRM's ``external_id``: it can never be changed, so it is the number's."""

_PREFIX = "wa"
_LONGEST = 100  # amoCRM names no limit for msgid; one hundred ASCII characters is known to pass


def conversation_id(own: OwnNumber, client: ClientAddress) -> ConversationId:
    """Our id of the conversation of a number of ours with a client."""
    return ConversationId(f"{_PREFIX}-{own}-{client}")


def parse_conversation_id(value: str) -> tuple[OwnNumber, ClientAddress] | None:
    """The two parts of an id made by :func:`conversation_id`, or None if it is not one."""
    prefix, _, rest = value.partition("-")
    own, _, client = rest.partition("-")
    if prefix != _PREFIX or not own.isdigit() or not client:
        return None
    return OwnNumber(own), ClientAddress(client)


def source_id(own: OwnNumber) -> SourceId:
    """Our id of the source of a number: at most 36 printable ASCII characters, for amoCRM."""
    return SourceId(f"{_PREFIX}-{own}")


def parse_source_id(value: str) -> OwnNumber | None:
    """The number in an id made by :func:`source_id`, or None if it is not one."""
    prefix, _, own = value.partition("-")
    return OwnNumber(own) if prefix == _PREFIX and own.isascii() and own.isdigit() else None


def message_id(own: OwnNumber, whatsapp_id: WhatsAppMessageId) -> MessageId:
    """Our id of a WhatsApp message; one that would be too long or not ASCII is hashed instead."""
    plain = f"{_PREFIX}-{own}-{whatsapp_id}"
    if len(plain) <= _LONGEST and plain.isascii() and plain.isprintable():
        return MessageId(plain)
    digest = hashlib.sha256(whatsapp_id.encode("utf-8", "surrogatepass")).hexdigest()
    return MessageId(f"{_PREFIX}-{own}-{digest}")
