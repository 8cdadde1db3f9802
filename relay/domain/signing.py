"""Puts a manager's signature under his words, for the client alone.

Text, an empty line, signature: the form by which :mod:`relay.domain.signatures` takes it off again
when the same words come back from WhatsApp. An edited message is signed like a new one.
"""

from __future__ import annotations

from dataclasses import replace

from relay.domain.contents import Content, Media, MediaKind, Text
from relay.domain.signatures import APART

_CAPTIONED = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.DOCUMENT})


def sign(content: Content, signature: str) -> Content:
    """The content as the client gets it; unchanged where there is no place for words.

    A picture, a video or a file is signed in its caption, whether it has one or not. A voice
    message, sound or sticker has none on WhatsApp: only words that go along with it are signed.
    """
    if not signature:
        return content
    match content:
        case Text(text):
            return Text(signed(text, signature))
        case Media() if content.caption or _has_caption(content):
            return replace(content, caption=signed(content.caption, signature))
        case _:
            return content


def signed(text: str, signature: str) -> str:
    """The words with the signature under them; the signature alone where there are none."""
    return f"{text}{APART}{signature}" if text else signature


def length(content: Content) -> int:
    """How long the words of a content are, as WhatsApp counts: an emoji is two and more."""
    match content:
        case Text(text):
            words = text
        case Media():
            words = content.caption
        case _:
            words = ""
    return len(words) if words.isascii() else len(words.encode("utf-16-le", "surrogatepass")) // 2


def _has_caption(media: Media) -> bool:
    return media.what in _CAPTIONED and not media.round
