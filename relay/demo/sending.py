"""A file as either side sends it: a phone sends pictures without names, amoCRM gives a link."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from relay.demo.pretended_amocrm.attachments import Attachments
from relay.demo.pretended_amocrm.state import JsonBody
from relay.demo.pretended_whatsapp import Attachment, Thing

SAMPLE: Final = "sample:"
"""Opens the word for a thing that is a sample; any other is an upload's."""

TYPES: Final = {
    "image": "picture",
    "video": "video",
    "voice": "voice",
    "audio": "audio",
    "document": "file",
    "sticker": "sticker",
}
"""amoCRM's words for the kinds of files."""

_ENDINGS: Final = {
    "audio/ogg": ".ogg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
}


def as_sent(thing: Thing) -> Thing:
    """As a phone sends it: only a document has a name."""
    if isinstance(thing, Attachment) and thing.what != "document":
        return replace(thing, name="")
    return thing


def attach(attachments: Attachments, file: Attachment) -> str:
    """Keep it among amoCRM's; the path of its link."""
    return attachments.attach(file.data, _name(file), file.mime)


def as_message(file: Attachment, link: str) -> JsonBody:
    """What amoCRM's hook tells of it."""
    return {
        "type": TYPES[file.what],
        "media": link,
        "file_name": _name(file),
        "file_size": len(file.data),
    }


def _name(file: Attachment) -> str:
    ending = _ENDINGS.get(file.mime.partition(";")[0], "")
    return file.name or f"{file.what}{ending}"
