"""Makes of a file just kept what the other side can use: WhatsApp takes few kinds as what they are.

What it would not show as a picture, play as a video or as sound goes as a document, which passes
whatever it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from relay.delivery.media import KeptMedia
from relay.domain.contents import Kept, Media, MediaKind
from relay.domain.outbox import Destination
from relay.media.audio import (
    UnheardError,
    as_voice,
    ffmpeg,
    opus_channels,
    opus_seconds,
    waveform,
)
from relay.media.store import FileStore

_log = structlog.stdlib.get_logger("relay.media")

_TAKEN: Final = {
    MediaKind.IMAGE: frozenset({"image/jpeg", "image/png"}),
    MediaKind.VIDEO: frozenset({"video/mp4", "video/3gpp"}),
    MediaKind.AUDIO: frozenset({"audio/mpeg", "audio/mp4", "audio/aac", "audio/amr", "audio/ogg"}),
    MediaKind.STICKER: frozenset({"image/webp"}),
}
"""The types that WhatsApp takes as that kind; anything else goes as a document."""

_OPUS: Final = "audio/ogg; codecs=opus"
_AT_ONCE: Final = 2  # ffmpegs


class Finishing:
    """A :class:`relay.delivery.media.Finisher` over a store. ``program``: where ffmpeg is."""

    def __init__(self, store: FileStore, program: Callable[[], str | None] = ffmpeg) -> None:
        self._store = store
        self._program = program
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._warned = False

    async def __call__(self, media: Media, towards: Destination) -> Media:
        """The medium as it may go there.

        Raises:
            StoreRefusedError: the disk refused what was made of it.
        """
        if media.what is MediaKind.VOICE and isinstance(media.at, Kept):
            path = await self._store.on_thread(self._store.path, media.at.name)
            if towards is Destination.WHATSAPP:
                async with self._turns:
                    return await self._voice(media, path)
            return await self._with_length(media, path)
        taken = _TAKEN.get(media.what)
        if towards is Destination.WHATSAPP and taken is not None and media.mime not in taken:
            return replace(media, what=MediaKind.DOCUMENT)
        return media

    async def _voice(self, media: Media, path: Path) -> Media:
        """As a voice message that WhatsApp plays; without ffmpeg, what is none goes as a file."""
        program = await asyncio.to_thread(self._program)
        channels = opus_channels(await asyncio.to_thread(_head, path))
        if channels != 1:
            if program is None:
                self._warn()
                return replace(media, what=MediaKind.DOCUMENT)
            try:
                kept = await self._converted(program, media, path)
            except UnheardError as error:
                _log.warning("voice_not_converted", error=str(error))
                return replace(media, what=MediaKind.DOCUMENT)
            path = await self._store.on_thread(self._store.path, kept.name)
            media = replace(media, at=Kept(kept.name), name=kept.file_name, size=kept.size)
        drawn = await _drawn(program, path) if program else ()
        media = replace(await self._with_length(media, path, again=True), waveform=drawn)
        return replace(media, mime=_OPUS)

    async def _converted(self, program: str, media: Media, path: Path) -> KeptMedia:
        async with self._store.receive() as file, aclosing(as_voice(program, path)) as pieces:
            async for piece in pieces:
                await file.write(piece)
            if not file.size:
                raise UnheardError("there is no sound in it")
            return await file.keep(replace(media, name="voice.ogg"), towards=Destination.WHATSAPP)

    async def _with_length(self, media: Media, path: Path, *, again: bool = False) -> Media:
        if media.duration_s is not None and not again:
            return media
        seconds = await asyncio.to_thread(opus_seconds, path)
        return media if seconds is None else replace(media, duration_s=seconds)

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _log.warning(
                "voice_sent_as_file",
                what_to_do="install ffmpeg: amoCRM's voice messages are not in WhatsApp's format",
            )


async def _drawn(program: str, path: Path) -> tuple[int, ...]:
    """A voice message without a picture is a voice message all the same."""
    try:
        return await waveform(program, path)
    except UnheardError as error:
        _log.debug("waveform_not_drawn", error=str(error))
        return ()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(512)
