"""Voice messages: what WhatsApp plays as one is Opus in OGG, mono, with its length told.

ffmpeg makes it of anything else, and draws its waveform; both are optional, and so is ffmpeg.
"""

from __future__ import annotations

import asyncio
import shutil
import struct
from array import array
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

BARS: Final = 64
"""Loudnesses in a waveform, from 0 to 100."""

_AFTER_MESSAGES: Final = ("nice", "-n", "10")  # a conversion can wait
_PATIENCE_S: Final = 120.0  # an hour of speech takes a few seconds
_RATE: Final = 4000  # samples a second are enough to draw
_FRAME: Final = _RATE // 10
_LONGEST_S: Final = 6 * 3600
_PIECE: Final = 64 * 1024
_OPUS_RATE: Final = 48_000
_TAIL: Final = 64 * 1024  # the last page of an OGG file begins within
# Only real formats of sound: a list of other files to play is none.
_FORMATS: Final = (
    "aac,aiff,amr,asf,caf,flac,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,wav,mpegts"
)
_QUIET: Final = ("-nostdin", "-hide_banner", "-loglevel", "error")


class UnheardError(Exception):
    """ffmpeg can make nothing of it; the text says why."""


def opus_channels(head: bytes) -> int | None:
    """How many channels an OGG file with Opus has that begins so; None if it is no such file."""
    start = head.find(b"OpusHead", 0, 512)
    if not head.startswith(b"OggS") or start < 0 or len(head) < start + 10:
        return None
    return head[start + 9]


def opus_seconds(path: Path) -> int | None:
    """The length of an OGG file with Opus, rounded, at least 1; None if it does not tell."""
    with path.open("rb") as file:
        head = file.read(512)
        start = head.find(b"OpusHead")
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    page = tail.rfind(b"OggS")
    if start < 0 or page < 0 or len(tail) < page + 14 or len(head) < start + 12:
        return None
    (granule,) = struct.unpack_from("<q", tail, page + 6)
    (skipped,) = struct.unpack_from("<H", head, start + 10)
    seconds = (granule - skipped) / _OPUS_RATE
    return max(1, round(seconds)) if 0 < seconds < _LONGEST_S else None


def ffmpeg() -> str | None:
    """Where ffmpeg is, if it is anywhere."""
    return shutil.which("ffmpeg")


def as_voice(program: str, path: Path) -> AsyncGenerator[bytes, None]:
    """The file as a voice message, piece by piece.

    Raises:
        UnheardError: there is no sound in it that ffmpeg knows.
    """
    return _output(
        program,
        *_QUIET, "-format_whitelist", _FORMATS, "-protocol_whitelist", "file,pipe",
        "-i", f"file:{path}", "-map", "0:a:0", "-map_metadata", "-1",
        "-ac", "1", "-ar", str(_OPUS_RATE), "-c:a", "libopus", "-b:a", "32k",
        "-application", "voip", "-f", "ogg", "pipe:1",
    )  # fmt: skip


async def waveform(program: str, path: Path) -> tuple[int, ...]:
    """How loud it is, from its beginning to its end.

    Raises:
        UnheardError: there is no sound in it that ffmpeg knows.
    """
    samples = _output(
        program,
        *_QUIET, "-format_whitelist", _FORMATS, "-protocol_whitelist", "file,pipe",
        "-i", f"file:{path}", "-map", "0:a:0", "-ac", "1", "-ar", str(_RATE), "-f", "s16le",
        "pipe:1",
    )  # fmt: skip
    frames: list[int] = []
    rest = b""
    async with aclosing(samples) as pieces:
        async for piece in pieces:
            rest = await asyncio.to_thread(_measure, rest + piece, frames)
    return _bars(frames)


def _measure(data: bytes, frames: list[int]) -> bytes:
    """Add the loudness of each whole frame; what is left over."""
    width = _FRAME * 2
    whole = len(data) - len(data) % width
    for start in range(0, whole, width):
        heard = array("h", data[start : start + width])
        frames.append(sum(map(abs, heard)) // _FRAME)
    return data[whole:]


def _bars(frames: list[int]) -> tuple[int, ...]:
    if not frames:
        return ()
    ends = [len(frames) * bar // BARS for bar in range(BARS + 1)]
    heard = [frames[start : max(end, start + 1)] for start, end in pairwise(ends)]
    loud = [sum(part) / len(part) for part in heard]
    most = max(loud) or 1
    return tuple(round(100 * each / most) for each in loud)


async def _output(program: str, *arguments: str) -> AsyncGenerator[bytes, None]:
    """What the program writes, until it ends; it does not outlive this."""
    process = await asyncio.create_subprocess_exec(
        *_AFTER_MESSAGES,
        program,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a process without its pipes")
    saying = asyncio.create_task(_last_words(process.stderr), name="ffmpeg's last words")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while piece := await process.stdout.read(_PIECE):
                yield piece
            if await process.wait():
                raise UnheardError((await saying) or "ffmpeg failed")
    except TimeoutError as error:
        raise UnheardError(f"ffmpeg took more than {_PATIENCE_S:g} s") from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        saying.cancel()
        await process.wait()


async def _last_words(errors: asyncio.StreamReader) -> str:
    """The end of what it complains of; all of it is read, for it would wait else."""
    said = b""
    while piece := await errors.read(_PIECE):
        said = (said + piece)[-400:]
    return " ".join(said.decode("utf-8", "replace").split())
