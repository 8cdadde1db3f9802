"""What becomes of a file on its way to WhatsApp, above all of a voice message; the real ffmpeg."""

from __future__ import annotations

import math
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from relay.domain.contents import Kept, Media, MediaKind
from relay.domain.outbox import Destination
from relay.media.audio import opus_channels, opus_seconds
from relay.media.finishing import Finishing
from relay.media.store import FileStore

IN, OUT = Destination.AMOCRM, Destination.WHATSAPP

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg brings what is missing"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    made = FileStore(tmp_path, lambda: 10_000_000, reserve=0)
    yield made
    made.close()


def wav(seconds: float, channels: int = 2, rate: int = 16_000) -> bytes:
    """A tone that grows louder, as a WAV file."""
    count = int(seconds * rate)
    samples = b"".join(
        struct.pack("<h", round(math.sin(n / 5) * 30_000 * n / count)) * channels
        for n in range(count)
    )
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, channels, rate,
        rate * channels * 2, channels * 2, 16, b"data", len(samples),
    )  # fmt: skip
    return head + samples


async def keep(
    store: FileStore, data: bytes, name: str, what: MediaKind, duration_s: int | None = None
) -> Media:
    async with store.receive() as file:
        await file.write(data)
        kept = await file.keep(Media(what, None, name=name), towards=OUT)
    return Media(
        what, Kept(kept.name), "", kept.file_name, kept.mime, kept.size, duration_s=duration_s
    )


def file_of(store: FileStore, media: Media) -> bytes:
    assert isinstance(media.at, Kept)
    return store.path(media.at.name).read_bytes()


@needs_ffmpeg
async def test_a_managers_voice_becomes_a_voice_message(store: FileStore) -> None:
    """Whatever was recorded: Opus in OGG, mono, with its real length and a picture."""
    finish = Finishing(store)
    voice = await finish(await keep(store, wav(3.2), "rec.wav", MediaKind.VOICE, 99), OUT)
    data = file_of(store, voice)
    assert opus_channels(data) == 1
    assert (voice.what, voice.mime) == (MediaKind.VOICE, "audio/ogg; codecs=opus")
    assert (voice.duration_s, voice.size) == (3, len(data))
    assert len(voice.waveform) == 64
    assert voice.waveform[-1] > 80
    assert voice.waveform[0] < 20


@needs_ffmpeg
async def test_what_is_a_voice_message_already_stays_as_it_is(store: FileStore) -> None:
    """Byte for byte; even without ffmpeg, then without a picture."""
    finish = Finishing(store)
    once = await finish(await keep(store, wav(1.4), "a.wav", MediaKind.VOICE), OUT)
    again = await keep(store, file_of(store, once), "b.ogg", MediaKind.VOICE)
    assert file_of(store, await finish(again, OUT)) == file_of(store, once)
    bare = await Finishing(store, lambda: None)(again, OUT)
    assert (bare.what, bare.duration_s, bare.waveform) == (MediaKind.VOICE, 1, ())


@needs_ffmpeg
@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x24\0\0\0WAVEfmt nonsense",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
)
async def test_what_is_no_sound_goes_as_a_file(store: FileStore, data: bytes) -> None:
    """Also what would have ffmpeg read other files."""
    media = await keep(store, data, "a.mp3", MediaKind.VOICE)
    with capture_logs() as log:
        done = await Finishing(store)(media, OUT)
    assert done.what is MediaKind.DOCUMENT
    assert done.at == media.at
    assert [line["event"] for line in log] == ["voice_not_converted"]
    assert "root:" not in str(log)


async def test_without_ffmpeg_voices_go_as_files_with_one_warning(store: FileStore) -> None:
    """Nothing is lost, and an administrator is told once what to install."""
    finish = Finishing(store, lambda: None)
    with capture_logs() as log:
        for name in ("a.wav", "b.wav"):
            done = await finish(await keep(store, wav(0.1), name, MediaKind.VOICE), OUT)
            assert done.what is MediaKind.DOCUMENT
    assert [line["event"] for line in log] == ["voice_sent_as_file"]


@needs_ffmpeg
async def test_a_clients_voice_has_its_length_told(store: FileStore) -> None:
    """If WhatsApp did not tell it; else it is believed."""
    finish = Finishing(store)
    voice = await finish(await keep(store, wav(2.1), "a.wav", MediaKind.VOICE), OUT)
    data = file_of(store, voice)
    told = await finish(await keep(store, data, "c.ogg", MediaKind.VOICE, 7), IN)
    untold = await finish(await keep(store, data, "d.ogg", MediaKind.VOICE), IN)
    assert (told.duration_s, untold.duration_s) == (7, 2)


@pytest.mark.parametrize(
    ("what", "head", "name", "becomes"),
    [
        (MediaKind.IMAGE, b"\xff\xd8\xff\xe0\0\x10JFIF", "a.jpg", MediaKind.IMAGE),
        (MediaKind.IMAGE, b"GIF89a", "a.gif", MediaKind.DOCUMENT),
        (MediaKind.IMAGE, b"<svg/>", "a.svg", MediaKind.DOCUMENT),
        (MediaKind.VIDEO, b"\0\0\0\x20ftypisom\0\0\2\0isom", "a.mp4", MediaKind.VIDEO),
        (MediaKind.VIDEO, b"\x1a\x45\xdf\xa3\x01webm", "a.webm", MediaKind.DOCUMENT),
        (MediaKind.AUDIO, b"ID3\4\0\0\0\0\0\0", "a.mp3", MediaKind.AUDIO),
        (MediaKind.AUDIO, b"fLaC\0\0\0\x22", "a.flac", MediaKind.DOCUMENT),
        (MediaKind.DOCUMENT, b"GIF89a", "a.gif", MediaKind.DOCUMENT),
    ],
)
async def test_what_whatsapp_would_not_show_goes_as_a_document(
    store: FileStore, what: MediaKind, head: bytes, name: str, becomes: MediaKind
) -> None:
    """By what it is, not by what it is called; into amoCRM it stays what it is."""
    media = await keep(store, head + bytes(50), name, what)
    finish = Finishing(store, lambda: None)
    assert (await finish(media, OUT)).what is becomes
    assert (await finish(media, IN)).what is what


@pytest.mark.parametrize("data", [b"", b"OggS", b"OggS" + bytes(60), b"OpusHead" * 9 + b"OggS"])
def test_a_broken_voice_has_no_length(tmp_path: Path, data: bytes) -> None:
    """And raises nothing."""
    path = tmp_path / "v.ogg"
    path.write_bytes(data)
    assert opus_seconds(path) is None
    assert opus_channels(data) is None
