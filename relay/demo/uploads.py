"""Files that somebody has chosen on the page and is about to send: a few, and not for long."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from typing import Final

from relay.demo.pretended_whatsapp import Attachment
from relay.demo.recording import recorded
from relay.domain.contents import MediaKind
from relay.media.kinds import HEAD, identify

LARGEST: Final = 16 * 1000 * 1000
"""Bytes of a file; more is refused."""

_MOST: Final = 4

_WHAT: Final = {
    "image/gif": MediaKind.IMAGE,
    "image/jpeg": MediaKind.IMAGE,
    "image/png": MediaKind.IMAGE,
    "image/webp": MediaKind.IMAGE,
    "video/3gpp": MediaKind.VIDEO,
    "video/mp4": MediaKind.VIDEO,
    "video/webm": MediaKind.VIDEO,
}


class Uploads:
    """Keeps each file until it is sent; the oldest gives way."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, Attachment] = OrderedDict()

    async def put(self, data: bytes, name: str) -> str:
        """Keep a file; the word to :meth:`take` it by. What it is, its own bytes say."""
        name, mime = await asyncio.to_thread(identify, data[:HEAD], name, MediaKind.DOCUMENT)
        what = MediaKind.AUDIO if mime.startswith("audio/") else _WHAT.get(mime, MediaKind.DOCUMENT)
        return self._keep(Attachment(what.value, data, name, mime))

    async def put_voice(self, data: bytes, side: str) -> str:
        """Keep what a browser has just recorded. A phone itself makes Opus in OGG of it.

        Raises:
            UnfitError: it cannot: there is no ffmpeg here, or no sound in it.
        """
        if side == "phone":
            return self._keep(await recorded(data))
        return self._keep(Attachment(MediaKind.VOICE.value, data, "voice.webm", "audio/webm"))

    def _keep(self, file: Attachment) -> str:
        while len(self._files) >= _MOST:
            self._files.popitem(last=False)
        id_ = secrets.token_urlsafe(8)
        self._files[id_] = file
        return id_

    def take(self, id_: str) -> Attachment:
        """The file, which is kept no longer.

        Raises:
            KeyError: there is none.
        """
        return self._files.pop(id_)
