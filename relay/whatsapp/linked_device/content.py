"""What a message says, a word for what the relay cannot carry yet, or nothing at all."""

from __future__ import annotations

import re

from google.protobuf.message import Message

from relay.domain.contents import VIEW_ONCE, Content, Text, Unsupported
from relay.whatsapp.linked_device.parts import part_content
from relay.whatsapp.linked_device.protobufs import as_text
from relay.whatsapp.linked_device.spoken import spoken

_REVOKE, _EDIT = 0, 14  # waE2E.ProtocolMessage.Type

_SAYS_NOTHING = frozenset(
    {
        "messageContextInfo",
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "protocolMessage",
        "stickerSyncRmrMessage",
        "albumMessage",  # announces pictures that follow one by one
        "messageHistoryBundle",
        "messageHistoryNotice",
        "groupRootKeyShare",
        "rootSecretDistributeMessage",
    }
)
"""Fields of ``waE2E.Message`` that devices tell each other and no person ever sees."""

_WORDS = {
    "call": "call",
    "callLogMesssage": "call",
    "bcallMessage": "call",
    "contactsArrayMessage": "contact",
    "encReactionMessage": "reaction",
    "pollUpdateMessage": "poll_vote",
    "ptvMessage": "video",
    "lottieStickerMessage": "sticker",
    "liveLocationMessage": "location",
}
_TAIL = re.compile(r"(CreationMessage|Messs?age)?(V\d+(Extension)?)?$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def content_of(message: Message) -> Content | None:
    """The content of a ``waE2E.Message``; None if nobody is meant to see anything."""
    fields = {field.name: value for field, value in message.ListFields()}
    text = _text(fields)
    if text is not None:
        return Text(text) if text else None
    if "protocolMessage" in fields:
        word = _protocol_word(fields["protocolMessage"])
        return Unsupported(word) if word else None
    if "reactionMessage" in fields and not fields["reactionMessage"].text:
        return None  # a reaction taken back
    visible = [name for name in fields if name not in _SAYS_NOTHING]
    if visible:
        return _part(visible[0], fields[visible[0]])
    # A field that a newer WhatsApp has and this library has not is still something a person saw.
    return Unsupported("unknown") if not fields and _has_unknown(message) else None


def _part(field: str, part: object) -> Content:
    """A part that a person sees. What its sender wants seen once is not so much as looked at."""
    if getattr(part, "viewOnce", False):
        return Unsupported(VIEW_ONCE)
    if (said := spoken(field, part)) is not None:
        return Text(said)
    return part_content(field, part) or Unsupported(word_of(field))


def word_of(field: str) -> str:
    """A field's name as a word: ``imageMessage`` → ``image``."""
    if field in _WORDS:
        return _WORDS[field]
    return _HUMP.sub("_", _TAIL.sub("", field, count=1)).lower() or "unknown"


def _text(fields: dict[str, object]) -> str | None:
    plain = fields.get("conversation")
    if isinstance(plain, str | bytes):
        return as_text(plain)
    extended = fields.get("extendedTextMessage")
    return as_text(getattr(extended, "text", "")) if extended is not None else None


def _protocol_word(protocol: object) -> str | None:
    """A deletion and an edit are things a person did; everything else is between devices."""
    if not getattr(protocol, "HasField", lambda _: False)("type"):
        return None
    return {_REVOKE: "deletion", _EDIT: "edit"}.get(getattr(protocol, "type", -1))


def _has_unknown(message: Message) -> bool:
    return message.ByteSize() > 0
