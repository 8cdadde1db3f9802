"""Files both ways between the real library's session and our WhatsApp server."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.domain.contents import (
    ContactCard,
    Contacts,
    Content,
    Kept,
    Location,
    Media,
    MediaKind,
    Remote,
)
from tests.whatsapp.linked_device.engine_process import EngineProcess
from tests.whatsapp.linked_device.scene import Scene, connected
from tests.whatsapp_server.history import Past
from tests.whatsapp_server.media import Kind

SOME = b"\x00\x01not really a picture\xff" * 50_000  # a bit over a megabyte, in several pieces


@pytest.fixture
async def at_work(tmp_path: Path) -> AsyncIterator[tuple[Scene, EngineProcess]]:
    async with connected(tmp_path) as (there, engine):
        yield there, engine


AtWork = tuple[Scene, EngineProcess]


# --- From the client -----------------------------------------------------------------------------


async def test_a_file_of_a_client_is_fetched_byte_by_byte(at_work: AtWork, tmp_path: Path) -> None:
    """Every kind opens to what the client sent, whatever his message calls it."""
    there, engine = at_work
    kinds: tuple[Kind, ...] = ("image", "video", "round", "audio", "document", "sticker")
    for kind in kinds:
        data = kind.encode() + SOME
        await there.anna.send(there.phone, there.server.media.message(kind, data, "a/b", name="x"))
        line = await engine.fetch((await engine.message()).content, tmp_path / kind)
        assert line["error"] is None, kind
        assert (tmp_path / kind).read_bytes() == data, kind


async def test_a_file_can_be_fetched_after_a_restart(at_work: AtWork, tmp_path: Path) -> None:
    """All that is needed is in the reference, also before the next session is connected."""
    there, engine = at_work
    await there.anna.send(there.phone, there.server.media.message("image", SOME, "image/jpeg"))
    message = await engine.message()
    await engine.kill()
    async with there.engine() as second:
        line = await second.fetch(message.content, tmp_path / "file")
        assert line["error"] is None
    assert (tmp_path / "file").read_bytes() == SOME


async def test_only_a_file_that_the_host_has_dropped_is_gone(
    at_work: AtWork, tmp_path: Path
) -> None:
    """403, 404 and 410 are for ever, and nobody asks twice; a fault of the host is for now."""
    there, engine = at_work
    await there.anna.send(there.phone, there.server.media.message("image", SOME, "image/jpeg"))
    content = (await engine.message()).content
    for status in (403, 404, 410):
        there.server.media.gone, there.server.media.downloads = status, 0
        line = await engine.fetch(content, tmp_path / "file")
        assert line["error"] == "MediaGoneError", status
        assert there.server.media.downloads == 1, status
    there.server.media.gone = 503
    assert (await engine.fetch(content, tmp_path / "file"))["error"] == "MediaUnavailableError"


async def test_a_download_that_breaks_off_is_taken_up_where_it_broke(
    at_work: AtWork, tmp_path: Path
) -> None:
    """Half a file and a drop: the rest is asked for, and what is kept is the whole, once."""
    there, engine = at_work
    await there.anna.send(there.phone, there.server.media.message("image", SOME, "image/jpeg"))
    there.server.media.break_off = 700_000
    line = await engine.fetch((await engine.message()).content, tmp_path / "file")
    assert line["error"] is None
    assert (tmp_path / "file").read_bytes() == SOME
    [span] = there.server.media.ranges
    assert 0 < int(span.removeprefix("bytes=").removesuffix("-")) <= 700_000


async def test_another_file_than_the_message_names_is_not_believed(
    at_work: AtWork, tmp_path: Path
) -> None:
    """What the host gives must be what was sealed; what was written before counts for nothing."""
    there, engine = at_work
    media = there.server.media
    await there.anna.send(there.phone, media.message("image", SOME, "image/jpeg"))
    content = (await engine.message()).content
    media.spoil()
    line = await engine.fetch(content, tmp_path / "file")
    assert line["error"] == "MediaGoneError"


async def test_no_other_host_is_asked_whatever_a_message_names(
    at_work: AtWork, tmp_path: Path
) -> None:
    """A link to this machine in a client's message leads to WhatsApp's host all the same."""
    there, engine = at_work
    await there.anna.send(there.phone, there.server.media.message("image", SOME, "image/jpeg"))
    content = (await engine.message()).content
    assert isinstance(content, Media)
    assert isinstance(content.at, Remote)
    lured = Remote(content.at.ref.replace("https://mmg.whatsapp.net", "http://127.0.0.1:1"))
    line = await engine.fetch(Media(content.what, lured), tmp_path / "file")
    assert line["error"] is None
    assert (tmp_path / "file").read_bytes() == SOME


# --- To the client -------------------------------------------------------------------------------


def kept(directory: Path, data: bytes = SOME) -> Kept:
    path = directory / "kept"
    path.write_bytes(data)
    return Kept(str(path))


_SENT: tuple[tuple[MediaKind, str, Kind], ...] = (
    (MediaKind.IMAGE, "image/jpeg", "image"),
    (MediaKind.VIDEO, "video/mp4", "video"),
    (MediaKind.VOICE, "audio/ogg", "audio"),
    (MediaKind.AUDIO, "audio/mpeg", "audio"),
    (MediaKind.DOCUMENT, "application/pdf", "document"),
    (MediaKind.STICKER, "image/webp", "sticker"),
    (MediaKind.IMAGE, "image/heic", "document"),
)


async def test_a_file_reaches_the_client_byte_by_byte(at_work: AtWork, tmp_path: Path) -> None:
    """As what it is, or as a document where phones cannot show it."""
    there, engine = at_work
    for what, mime, kind in _SENT:
        data = mime.encode() + SOME
        media = Media(what, kept(tmp_path, data), mime=mime, name="файл.bin")
        line = await engine.send_content(there.anna.number, media)
        assert line["kind"] == "Delivered", mime
        seen = there.server.media.file_of((await there.anna.received()).message)
        assert (seen.kind, seen.data) == (kind, data), mime
    assert there.server.media.uploads == [
        "image", "video", "audio", "audio", "document", "image", "document"
    ]  # fmt: skip
    assert there.server.media.asked == 1  # the permission is good for minutes


async def test_asking_where_files_go_hinders_no_download_of_the_librarys_own(
    at_work: AtWork, tmp_path: Path
) -> None:
    """The upload that leads to nobody reaches no host; afterwards the library loads as before."""
    there, engine = at_work
    media = Media(MediaKind.IMAGE, kept(tmp_path), mime="image/jpeg")
    assert (await engine.send_content(there.anna.number, media))["kind"] == "Delivered"
    assert there.server.media.uploads == ["image"]
    past = [Past(there.anna, "yesterday", int(time.time()) - 24 * 3600)]
    await there.phone.hand_over_history(past, there.server.media)
    async with asyncio.timeout(60):  # what was fetched whole is deleted over there
        await there.server.media.some_deleted.wait()


async def test_what_belongs_to_a_file_goes_with_it(at_work: AtWork, tmp_path: Path) -> None:
    """A document's name and words, a voice message's length and picture, and the mark."""
    there, engine = at_work
    words = "Договор,\nподпишите 🙏"
    media = Media(MediaKind.DOCUMENT, kept(tmp_path), caption=words, name="Договор №1.pdf")
    await engine.send_content(there.anna.number, media)
    message = (await there.anna.received()).message
    seen = there.server.media.file_of(message)
    assert (seen.part.text(8), seen.part.text(20)) == ("Договор №1.pdf", words)
    assert len(message.message(35).bytes(3)) == 32  # by which it is found again after a kill

    picture = tuple(range(64))
    media = Media(MediaKind.VOICE, kept(tmp_path), duration_s=7, waveform=picture)
    await engine.send_content(there.anna.number, media)
    part = there.server.media.file_of((await there.anna.received()).message).part
    assert (part.number(6), part.number(5), part.bytes(19)) == (1, 7, bytes(picture))
    assert part.text(2) == "audio/ogg; codecs=opus"


async def test_places_and_cards_go_out_as_they_would_come_in(at_work: AtWork) -> None:
    """What the client's phone got says the same to our own reader."""
    there, engine = at_work
    contents: tuple[Content, ...] = (
        Location(55.75, 37.61, "Красная площадь\nМосква"),
        Contacts((ContactCard("Пётр; Сервис", ("+79160000000",)),)),
        Contacts((ContactCard("А", ("+79160000001",)), ContactCard("Б", ("8 (495) 1",)))),
    )
    for content in contents:
        assert (await engine.send_content(there.anna.number, content))["kind"] == "Delivered"
        heard = await there.anna.received()
        await there.anna.send(there.phone, there.anna.known[heard.id])
        assert (await engine.message()).content == content


async def test_an_upload_that_fails_is_tried_again_and_nothing_was_sent(
    at_work: AtWork, tmp_path: Path
) -> None:
    """Refused, or cut in the middle: the outcome is "not sent", never "unknown"."""
    there, engine = at_work
    media = Media(MediaKind.IMAGE, kept(tmp_path))
    there.server.media.refuse = 503
    assert (await engine.send_content(there.anna.number, media))["kind"] == "Retry"
    there.server.media.refuse = 401
    assert (await engine.send_content(there.anna.number, media))["kind"] == "Retry"
    there.server.media.refuse, there.server.media.break_upload = None, 300_000
    assert (await engine.send_content(there.anna.number, media))["kind"] == "Retry"
    assert (await engine.send_content(there.anna.number, media))["kind"] == "Delivered"
    assert len(there.anna.messages.history) == 1


async def test_a_text_passes_a_file_that_is_on_its_way(at_work: AtWork, tmp_path: Path) -> None:
    """While the host takes its time, messages to others go out."""
    there, engine = at_work
    there.server.media.held = asyncio.Event()
    sending = asyncio.create_task(
        engine.send_content(there.anna.number, Media(MediaKind.IMAGE, kept(tmp_path)))
    )
    boris = there.server.contact("79161111111", "Борис")
    assert (await engine.send(boris.number, "привет"))["kind"] == "Delivered"
    assert not sending.done()
    there.server.media.held.set()
    assert (await sending)["kind"] == "Delivered"


# --- Memory --------------------------------------------------------------------------------------

_LARGE = 100 * 1024 * 1024
_ALLOWED_KB = 20 * 1024


async def test_a_hundred_megabytes_pass_both_ways_in_twenty(
    at_work: AtWork, tmp_path: Path
) -> None:
    """The process never holds a file whole, neither fetching nor bringing it."""
    there, engine = at_work
    data = os.urandom(1024) * (_LARGE // 1024)
    await there.anna.send(there.phone, there.server.media.message("document", SOME, "a/b"))
    small = await engine.fetch((await engine.message()).content, tmp_path / "small")
    assert small["error"] is None
    await engine.send_content(there.anna.number, Media(MediaKind.DOCUMENT, kept(tmp_path)))
    await there.anna.send(there.phone, there.server.media.message("document", data, "a/b"))
    content = (await engine.message()).content

    before = await engine.memory("forget_peak")
    line = await engine.fetch(content, tmp_path / "large")
    assert line["error"] is None
    fetched = await engine.memory("tell_peak") - before
    await there.anna.received()
    outcome = await engine.send_content(
        there.anna.number, Media(MediaKind.DOCUMENT, Kept(str(tmp_path / "large")))
    )
    assert outcome["kind"] == "Delivered"
    brought = await engine.memory("tell_peak") - before
    assert there.server.media.file_of((await there.anna.received()).message).data == data
    print(f"kilobytes at most: fetching {fetched}, then bringing {brought}")
    assert max(fetched, brought) < _ALLOWED_KB
