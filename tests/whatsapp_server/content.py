"""Builds what people say: bodies of messages by field number of the messages' schema (waE2E)."""

from __future__ import annotations

from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.protobuf import Fields, encode

_DEVICE_SENT = 31
_CAPTIONS = {3: 3, 7: 20, 9: 7}  # image, document, video: where each keeps its caption


_MEDIA = {3: "image", 7: "document", 8: "audio", 9: "video", 26: "sticker", 4: "vcard"}
_REACTION, _POLL = 46, 49


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


def edit(body: str, target_id: str, chat: Jid) -> bytes:
    """Replaces the text of the sender's own message."""
    key = _key(target_id, chat, own=True)
    return encode((12, encode((1, key), (2, 14), (14, text(body)))))


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


def _key(target_id: str, chat: Jid, *, own: bool) -> bytes:
    return encode((1, str(chat)), (2, own), (3, target_id))
