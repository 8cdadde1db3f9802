"""What a manager wrote, as a message for the library: the way back from ``content`` and ``parts``.

Sound texts only: half a surrogate pair, which JSON can carry and UTF-8 cannot, is replaced.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from relay.domain.contents import ContactCard, Contacts, Location, Media, MediaKind, Text
from relay.whatsapp.linked_device.protobufs import new_message
from relay.whatsapp.linked_device.sealed import Sealed
from relay.whatsapp.linked_device.vcard import write_vcard

PURPOSES = {
    MediaKind.IMAGE: "Image",
    MediaKind.VIDEO: "Video",
    MediaKind.VOICE: "Audio",
    MediaKind.AUDIO: "Audio",
    MediaKind.DOCUMENT: "Document",
    MediaKind.STICKER: "Image",
}
"""For what a file is sealed, by what it is."""

_VOICE_MIME = "audio/ogg; codecs=opus"
"""What phones call their own voice messages; others are shown as files."""

_SHOWN_AS = {
    MediaKind.IMAGE: ("image/jpeg", "image/png"),
    MediaKind.VIDEO: ("video/mp4", "video/3gpp"),
    MediaKind.VOICE: ("audio/ogg",),
    MediaKind.AUDIO: ("audio/mpeg", "audio/aac", "audio/mp4", "audio/amr", "audio/ogg"),
    MediaKind.STICKER: ("image/webp",),
}
"""The types that phones show or play as such. Of a file without a type the first is assumed."""

_SPEECHLESS = frozenset({MediaKind.VOICE, MediaKind.AUDIO, MediaKind.STICKER})
_ANY_FILE = "application/octet-stream"


def as_sent(media: Media) -> Media:
    """The medium as WhatsApp can carry it: what it cannot show, or not with words, is a file."""
    if media.what is MediaKind.DOCUMENT:
        return media
    types = _SHOWN_AS[media.what]
    type_ = media.mime.partition(";")[0].strip().lower() or types[0]
    if type_ in types and not (media.caption and media.what in _SPEECHLESS):
        return replace(media, mime=media.mime or types[0])
    return replace(media, what=MediaKind.DOCUMENT, mime=media.mime or types[0])


def words_message(content: Text | Location | Contacts) -> bytes:
    """A message that needs no file."""
    message = new_message()
    match content:
        case Text(text):
            message.conversation = sound(text)
        case Location():
            _place(message.locationMessage, content)
        case Contacts(cards):
            _cards(message, cards)
    return _bytes(message)


def media_message(media: Media, sealed: Sealed, size: int, at_s: int) -> bytes:
    """A message with a file that lies on the media host, of a medium that :func:`as_sent` gave.

    ``size`` is in bytes, before sealing; ``at_s`` when the key was made.
    """
    message = new_message()
    part = _PARTS[media.what](message, media)
    part.URL, part.directPath = sealed.url, sealed.path
    part.mediaKey, part.mediaKeyTimestamp = sealed.key, at_s
    part.fileSHA256, part.fileEncSHA256, part.fileLength = sealed.sha256, sealed.sealed_sha256, size
    part.mimetype = _VOICE_MIME if media.what is MediaKind.VOICE else media.mime or _ANY_FILE
    return _bytes(message)


def _image(message: Any, media: Media) -> Any:
    part = message.imageMessage
    if media.caption:
        part.caption = sound(media.caption)
    return part


def _video(message: Any, media: Media) -> Any:
    part = message.ptvMessage if media.round else message.videoMessage
    if media.caption:
        part.caption = sound(media.caption)
    if media.duration_s:
        part.seconds = media.duration_s
    if media.gif:
        part.gifPlayback = True
    return part


def _sound_file(message: Any, media: Media) -> Any:
    part = message.audioMessage
    part.PTT = media.what is MediaKind.VOICE
    if media.duration_s:
        part.seconds = media.duration_s
    if media.waveform:
        part.waveform = bytes(min(100, max(0, loudness)) for loudness in media.waveform)
    return part


def _document(message: Any, media: Media) -> Any:
    # Phones put one with a caption into an envelope of its own, and show the caption only then.
    if media.caption:
        message = message.documentWithCaptionMessage.message
    part = message.documentMessage
    name = media.name or f"file{mimetypes.guess_extension(media.mime.partition(';')[0]) or ''}"
    part.fileName = part.title = sound(name)
    if media.caption:
        part.caption = sound(media.caption)
    return part


def _sticker(message: Any, _: Media) -> Any:
    return message.stickerMessage


_PARTS: dict[MediaKind, Callable[[Any, Media], Any]] = {
    MediaKind.IMAGE: _image,
    MediaKind.VIDEO: _video,
    MediaKind.VOICE: _sound_file,
    MediaKind.AUDIO: _sound_file,
    MediaKind.DOCUMENT: _document,
    MediaKind.STICKER: _sticker,
}


def _place(part: Any, place: Location) -> None:
    part.degreesLatitude, part.degreesLongitude = place.latitude, place.longitude
    name, _, address = sound(place.text).partition("\n")
    if name:
        part.name = name
    if address:
        part.address = address


def _cards(message: Any, cards: tuple[ContactCard, ...]) -> None:
    if len(cards) == 1:
        _card(message.contactMessage, cards[0])
        return
    message.contactsArrayMessage.displayName = sound(cards[0].name) if cards else ""
    for card in cards:
        _card(message.contactsArrayMessage.contacts.add(), card)


def _card(part: Any, card: ContactCard) -> None:
    part.displayName, part.vcard = sound(card.name), sound(write_vcard(card))


def sound(text: str) -> str:
    """The text with each half of a surrogate pair replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
