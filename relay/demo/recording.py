"""A voice message as a phone makes it, of what a browser has recorded: Opus in OGG."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from relay.demo.pretended_whatsapp import Attachment
from relay.demo.pretended_whatsapp.world import UnfitError
from relay.domain.contents import MediaKind
from relay.media.audio import UnheardError, as_voice, ffmpeg, opus_seconds, waveform


async def recorded(data: bytes) -> Attachment:
    """The voice message.

    Raises:
        UnfitError: there is no ffmpeg here, or no sound in it.
    """
    program = await asyncio.to_thread(ffmpeg)
    if program is None:
        raise UnfitError("to record on the phone, install ffmpeg")
    with tempfile.TemporaryDirectory(prefix="relay-demo-") as directory:
        heard, made = Path(directory) / "heard", Path(directory) / "made"
        await asyncio.to_thread(heard.write_bytes, data)
        try:
            voice = b"".join([piece async for piece in as_voice(program, heard)])
            await asyncio.to_thread(made.write_bytes, voice)
            drawn = await waveform(program, made)
        except UnheardError as error:
            raise UnfitError(f"there is no sound in it: {error}") from error
        seconds = await asyncio.to_thread(opus_seconds, made)
    return Attachment(MediaKind.VOICE.value, voice, "", "audio/ogg; codecs=opus", seconds, drawn)
