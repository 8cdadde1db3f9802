"""Files that come in by the page's server, and the actions that send them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest

from relay.demo import performing, recording
from relay.demo.pretended_whatsapp import Attachment
from relay.demo.samples import sample
from relay.demo.snapshot import snapshot
from relay.demo.uploads import LARGEST
from relay.media.audio import ffmpeg, opus_channels
from tests.demo.test_server import Site, site

__all__ = ["site"]

BYTES = "application/octet-stream"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(100)


async def pieces(size: int) -> AsyncIterator[bytes]:
    """So many bytes, whose number is not told before."""
    while size > 0:
        yield bytes(min(size, 500_000))
        size -= 500_000


async def upload(site: Site, data: object, name: str, kind: str = BYTES, **more: str) -> str:
    """What the server says: the word for the file, or the status."""
    async with site.session.post(
        f"{site.url}/files",
        params={"name": name, **more},
        data=data,
        headers={"Content-Type": kind},
    ) as answer:
        told = await answer.json()
        return str(told["file"] if answer.status == 200 else answer.status)


async def client_sends(site: Site, thing: str, **more: object) -> int:
    return await site.act("client_sends", person="anna", channel="sales", thing=thing, **more)


async def test_a_file_is_what_its_bytes_say(site: Site) -> None:
    """Neither its name nor its sender is asked; a phone sends a picture without a name."""
    word = await upload(site, PNG, "page.html")
    assert await client_sends(site, word, text="вот") == 200
    [bubble] = snapshot(site.show)["whatsapp"]["bubbles"]
    thing = bubble["thing"]
    assert (thing["what"], thing["name"], thing["size"]) == ("image", "", len(PNG))
    assert bubble["text"] == "вот"
    async with site.session.get(site.url + thing["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (PNG, "image/png")
        assert answer.headers["Content-Disposition"].startswith("inline")


async def test_each_kind_goes_as_itself(site: Site) -> None:
    """Pictures, films and sound are shown as such, everything else is a document with its name."""
    for name, what in (
        ("film", "video"),
        ("voice", "audio"),  # chosen from the disk it was not recorded in the chat
        ("sticker", "image"),
        ("price", "document"),
    ):
        file = sample(name)
        assert isinstance(file, Attachment)
        assert await client_sends(site, await upload(site, file.data, "Имя.x")) == 200
        thing = snapshot(site.show)["whatsapp"]["bubbles"][-1]["thing"]
        assert (thing["what"], bool(thing["name"])) == (what, what == "document")


async def test_what_could_run_is_given_as_unknown_bytes(site: Site) -> None:
    """A page that a stranger sent is saved, under another name, and never shown."""
    word = await upload(site, b"<html><script>1</script>", "a.html")
    assert await client_sends(site, word) == 200
    [bubble] = snapshot(site.show)["whatsapp"]["bubbles"]
    async with site.session.get(site.url + bubble["thing"]["url"]) as answer:
        assert answer.content_type == BYTES
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_file_is_bounded_and_declared(site: Site) -> None:
    """Too large, empty, or sent the way a foreign form could: refused, and nothing is kept."""
    assert await upload(site, io.BytesIO(bytes(LARGEST + 1)), "a.bin") == "413"
    assert await upload(site, pieces(LARGEST + 1), "a.bin") == "413"
    assert await upload(site, b"", "a.bin") == "409"
    assert await upload(site, PNG, "a.png", "text/plain") == "415"
    assert await upload(site, PNG, "a.png", "multipart/form-data") == "415"
    assert await client_sends(site, "nothing") == 409


async def test_a_strangers_page_reaches_no_file(site: Site) -> None:
    """Neither to put one nor to have one."""
    assert await client_sends(site, "sample:voice") == 200
    [bubble] = site.show.world.bubbles
    evil = {"Host": "evil.example"}
    assert (await site.get(f"/files/{bubble.id}", **evil))[0] == 403
    headers = {"Content-Type": BYTES, "Origin": "http://evil.example"}
    async with site.session.post(f"{site.url}/files", data=PNG, headers=headers) as answer:
        assert answer.status == 403


async def test_a_file_is_sent_once_and_a_few_wait(site: Site) -> None:
    """What was sent is kept no longer, and of many that were chosen the oldest give way."""
    words = [await upload(site, PNG, "a.png") for _ in range(5)]
    assert await client_sends(site, words[0]) == 409
    assert await client_sends(site, words[4]) == 200
    assert await client_sends(site, words[4]) == 409


async def test_a_recording_without_ffmpeg_is_refused_on_the_phone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone records Opus in OGG, which only ffmpeg makes here; amoCRM sends it as it is."""
    monkeypatch.setattr(recording, "ffmpeg", lambda: None)
    assert await upload(site, b"webm", "voice.webm", voice="phone") == "409"
    word = await upload(site, b"webm", "voice.webm", voice="crm")
    assert site.show.uploads.take(word) == Attachment("voice", b"webm", "voice.webm", "audio/webm")


@pytest.mark.skipif(ffmpeg() is None, reason="ffmpeg makes voice messages of recordings")
async def test_a_recording_becomes_a_voice_message(site: Site) -> None:
    """With its length and its picture; what has no sound is refused."""
    heard = sample("voice")
    assert isinstance(heard, Attachment)
    word = await upload(site, heard.data, "voice.webm", voice="phone")
    made = site.show.uploads.take(word)
    assert (made.what, made.mime, made.duration_s) == ("voice", heard.mime, 4)
    assert opus_channels(made.data[:512]) == 1
    assert len(made.waveform) == 64
    assert await upload(site, PNG, "voice.webm", voice="phone") == "409"


async def test_all_files_together_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demonstration that holds too much takes no more, and says so."""
    monkeypatch.setattr(performing, "_MOST_BYTES", 10_000)
    assert await client_sends(site, "sample:voice") == 200
    assert await client_sends(site, "sample:voice") == 503
    assert await site.act("client_writes", person="anna", channel="sales", text="hi") == 200


async def test_there_is_no_file_where_there_is_none(site: Site) -> None:
    """A message without a file, one that was taken back, and none at all."""
    assert (await site.get("/files/nothing"))[0] == 404
    assert await client_sends(site, "sample:place") == 200
    assert await client_sends(site, "sample:question") == 200
    place, photo = site.show.world.bubbles
    assert (await site.get(f"/files/{place.id}"))[0] == 404
    assert await site.act("client_takes_back", bubble=photo.id) == 200
    assert (await site.get(f"/files/{photo.id}"))[0] == 404


async def test_the_owner_sends_too(site: Site) -> None:
    """From the handset, to the client's phone."""
    fields = {"person": "anna", "channel": "sales", "thing": "sample:price", "text": "прайс"}
    assert await site.act("owner_sends", **fields) == 200
    [bubble] = site.show.world.bubbles
    assert (bubble.author, bubble.text) == ("phone", "прайс")
    assert bubble.file is not None
    assert bubble.file.name == "Прайс-лист.pdf"


async def test_amocrm_sends_files_alone(site: Site) -> None:
    """Into a chat that there is, by a user that there is; a place is no file."""
    none = {"chat": "none", "user": 17, "thing": "sample:voice"}
    assert await site.act("manager_sends", **none) == 409
    await site.show.crm.write_first("8 900 000-00-02", 17, "hi")
    chat = next(iter(site.show.crm.account.chats))
    for user, thing, status in (
        (17, "sample:place", 409),
        (99, "sample:voice", 409),
        (17, "sample:voice", 200),
        (None, "sample:price", 200),
    ):
        fields = {"chat": chat, "user": user, "thing": thing}
        assert await site.act("manager_sends", **fields) == status
    assert await site.act("manager_types", chat=chat, user=17) == 200
    assert await site.act("manager_types", chat="none", user=17) == 409
