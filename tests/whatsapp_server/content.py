"""Builds what people say: bodies of messages by field number of the messages' schema (waE2E)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.protobuf import Fields, encode

_DEVICE_SENT = 31
_CAPTIONS = {3: 3, 7: 20, 9: 7}  # image, document, video: where each keeps its caption


_MEDIA = {3: "image", 7: "document", 8: "audio", 9: "video", 26: "sticker", 4: "vcard"}
_REACTION, _POLL, _EDITED = 46, 49, 58
_CONTEXT = 17  # where every part keeps what it answers


def stanza_type(body: bytes) -> str:
    """What the stanza around a body calls it."""
    message = Fields(body)
    if _REACTION in message:
        return "reaction"
    if _POLL in message:
        return "poll"
    return "media" if any(kind in message for kind in _MEDIA) else "text"


def marks(body: bytes) -> dict[str, str]:
    """What stands beside the ciphertext of a body."""
    message = Fields(body)
    return next(({"mediatype": name} for kind, name in _MEDIA.items() if kind in message), {})


def text(body: str) -> bytes:
    """A plain text, as phones send it."""
    return encode((1, body))


def reply(body: str, quoted_id: str, author: Jid) -> bytes:
    """A text that answers an earlier message."""
    context = encode((1, quoted_id), (2, str(author)), (3, text("quoted")))
    return encode((6, encode((1, body), (17, context))))


def reaction(emoji: str, target_id: str, chat: Jid, *, own: bool) -> bytes:
    """A reaction to a message; an empty emoji takes it back. ``own``: the reader wrote it."""
    return encode((46, encode((1, _key(target_id, chat, own=not own)), (2, emoji))))


def revoke(target_id: str, chat: Jid) -> bytes:
    """Deletes the sender's own message for everybody."""
    return encode((12, encode((1, _key(target_id, chat, own=True)), (2, 0))))


def edit(body: str | bytes, target_id: str, chat: Jid) -> bytes:
    """Replaces the sender's own message; in the envelope that phones put around it."""
    key, new = _key(target_id, chat, own=True), text(body) if isinstance(body, str) else body
    protocol = encode((12, encode((1, key), (2, 14), (14, new))))
    return encode((_EDITED, encode((1, protocol))))


def caption(words: str) -> bytes:
    """A picture without bytes: what an edit of the words under one carries."""
    return encode((3, encode((3, words))))


def location(latitude: float, longitude: float, name: str = "") -> bytes:
    """A place."""
    return encode((5, encode((1, latitude), (2, longitude), (3, name or None))))


def contact_card(name: str, vcard: str) -> bytes:
    """Somebody's card."""
    return encode((4, encode((1, name), (16, vcard))))


def sent_by_owner(destination: Jid, message: bytes) -> bytes:
    """The copy of a message for the sender's other devices."""
    return encode((_DEVICE_SENT, encode((1, str(destination)), (2, message))))


def unwrapped(message: Fields) -> tuple[Fields, Jid | None]:
    """The message itself and, if it is a copy for own devices, whom it was sent to."""
    if _DEVICE_SENT not in message:
        return message, None
    inner = message.message(_DEVICE_SENT)
    return inner.message(2), Jid.parse(inner.text(1))


def text_of(message: Fields) -> str:
    """The text or the caption, empty if there is none."""
    if 1 in message:
        return message.text(1)
    if 6 in message:
        return message.message(6).text(1)
    captions = (message.message(kind).text(at) for kind, at in _CAPTIONS.items() if kind in message)
    return next(captions, "")


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji on a message; ``own``: one that whoever reacts had written himself."""

    emoji: str
    target_id: str
    own: bool
    chat: Jid


def reaction_of(message: Fields) -> Reaction | None:
    """The reaction that a message is."""
    if _REACTION not in message:
        return None
    part = message.message(_REACTION)
    key = part.message(1)
    return Reaction(part.text(2), key.text(3), bool(key.number(2)), Jid.parse(key.text(1)))


@dataclass(frozen=True, slots=True)
class Quotation:
    """What a message answers: whose message, and what stands above the answer."""

    target_id: str
    author: Jid
    text: str


def quotation_of(message: Fields) -> Quotation | None:
    """The quotation in a text or a medium."""
    for kind in (6, *_MEDIA):
        context = message.message(kind).message(_CONTEXT) if kind in message else None
        if context is not None and 1 in context:
            gist = text_of(context.message(3))
            return Quotation(context.text(1), Jid.parse(context.text(2)), gist)
    return None


def _key(target_id: str, chat: Jid, *, own: bool) -> bytes:
    return encode((1, str(chat)), (2, own), (3, target_id))
