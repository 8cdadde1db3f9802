"""Files both ways through everything that is real: library, relay process, disk, HTTP."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from relay.demo.pretended_amocrm import OLGA, Message, PretendedAmoCRM
from tests.app import files
from tests.media.test_finishing import wav
from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.media import Kind
from tests.whole.test_texts import ANNA, CHAT, OWN, Town

BORIS = "79161112233"
PUBLIC = "https://relay.example.com"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + os.urandom(700_000)
PDF = b"%PDF-1.7\n" + os.urandom(400_000)
SECONDS = 7


def ogg_page(granule: int, body: bytes) -> bytes:
    sizes = bytes([255] * (len(body) // 255) + [len(body) % 255])
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 2, granule, 1, 0, 0, len(sizes))
    return head + sizes + body


VOICE = ogg_page(0, b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 48_000, 0, 0)) + ogg_page(
    312 + SECONDS * 48_000, os.urandom(20_000)
)


def _ticked(message: Message, _: PretendedAmoCRM) -> bool:
    return len(message.reports) == 1


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything but the relay, whose number Anna has written to."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone = whatsapp.phone(OWN, "Sales")
        sessions = tmp_path / "storage" / "sessions"
        sessions.mkdir(parents=True, mode=0o700)
        await whatsapp.pair_store(sessions / "sales.db", phone)
        files.save(tmp_path / "config.yaml", files.config(amocrm))
        yield Town(whatsapp, amocrm, phone, tmp_path / "config.yaml")
        assert amocrm.violations == []


def pass_on(town: Town) -> None:
    """The reverse proxy: what amoCRM asks of the public address, the relay's door answers."""
    hooks = str(town.amocrm.sender.url).partition("/amocrm/")[0]
    town.amocrm.attachments.through = lambda link: link.replace(PUBLIC, hooks)


async def test_a_clients_picture_is_amocrms_byte_for_byte(town: Town) -> None:
    """Sealed by the client, fetched from WhatsApp's host, kept, linked, fetched, in order."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        pass_on(town)
        picture = town.whatsapp.media.message("image", JPEG, "text/html", name="")
        await anna.send(town.phone, picture)
        await anna.send(town.phone, "видно?")
        await town.until_in_amocrm(2)
        first, second = town.amocrm.account.messages
        assert (first.kind, second.text) == ("picture", "видно?")
        came = await town.amocrm.attachments.fetch(first)
        assert came is not None
        assert came.sha256 == hashlib.sha256(JPEG).hexdigest()
        assert came.content_type == "image/jpeg"


async def test_a_new_client_has_his_own_picture_in_amocrm(town: Town) -> None:
    """It comes with his first message, behind our link; who shows none has none, without delay."""
    anna, boris = town.whatsapp.contact(ANNA, "Анна"), town.whatsapp.contact(BORIS, "Борис")
    anna.picture_url = town.whatsapp.media.picture(JPEG)
    async with town.relay() as relay:
        pass_on(town)
        await anna.send(town.phone, "здравствуйте")
        await town.until_in_amocrm(1)
        await boris.send(town.phone, "добрый день")
        await town.until_in_amocrm(2)
        people = {p.client_id: p for p in town.amocrm.account.people.values()}
        link = town.amocrm.attachments.through(people[f"wa-{ANNA}"].avatar)
        async with aiohttp.ClientSession() as session, session.get(link) as answer:
            assert (answer.status, answer.content_type) == (200, "image/jpeg")
            assert await answer.read() == JPEG
        assert not [line for line in relay.log if line["event"] == "avatar_not_had"]
    assert people[f"wa-{BORIS}"].avatar == ""


async def test_a_picture_that_whatsapp_no_longer_has_is_a_line(town: Town) -> None:
    """At once, with what to do; and its text is not lost."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        town.whatsapp.media.gone = 410
        await anna.send(town.phone, town.whatsapp.media.message("image", JPEG, "image/jpeg"))
        await town.until_in_amocrm(1)
    [text] = town.texts()
    assert text.startswith("Изображение")
    assert "Попросите клиента прислать ещё раз." in text


async def test_a_managers_file_reaches_the_clients_phone(town: Town) -> None:
    """Fetched with the account's token, kept, sealed, uploaded, opened; with name and words."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        await anna.send(town.phone, "прайс?")
        await town.until_in_amocrm(1)
        link = town.amocrm.url + town.amocrm.attachments.attach(PDF, "Прайс.pdf", guarded=True)
        content = {"type": "file", "media": link, "file_name": "Прайс.pdf", "file_size": len(PDF)}
        await town.amocrm.write(CHAT, OLGA, "вот", content=content)
        await town.amocrm.write(CHAT, OLGA, "дальше")
        seen = town.whatsapp.media.file_of((await anna.received()).message)
        assert (seen.kind, seen.data) == ("document", PDF)
        assert (seen.part.text(8), seen.part.text(20)) == ("Прайс.pdf", "вот")
        assert (await anna.received()).text == "дальше"


@pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="apt-get install ffmpeg brings what is missing"
)
async def test_a_managers_voice_is_a_voice_message_on_the_phone(town: Town) -> None:
    """Whatever amoCRM recorded: Opus in OGG, pressed to talk, with its length and picture."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        await anna.send(town.phone, "?")
        await town.until_in_amocrm(1)
        link = town.amocrm.url + town.amocrm.attachments.attach(wav(2.2), "v.wav", "audio/x-wav")
        await town.amocrm.write(CHAT, OLGA, "", content={"type": "voice", "media": link})
        seen = town.whatsapp.media.file_of((await anna.received()).message)
        assert seen.kind == "audio"
        assert seen.data.startswith(b"OggS")
        assert (seen.part.text(2), seen.part.number(5), seen.part.number(6)) == (
            "audio/ogg; codecs=opus", 2, 1,
        )  # fmt: skip
        assert len(seen.part.bytes(19)) == 64


async def test_the_files_of_a_client_are_in_amocrm_with_all_their_bytes(town: Town) -> None:
    """In order, each as its kind, with words, name and length; also after a restart."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    media = town.whatsapp.media
    async with town.relay() as relay:
        await anna.send(town.phone, media.message("image", JPEG, "image/jpeg", caption="вот"))
        voice = media.message("audio", VOICE, "audio/ogg; codecs=opus", voice=True, seconds=SECONDS)
        await anna.send(town.phone, voice)
        document = media.message("document", PDF, "application/pdf", name="Договор №1.pdf")
        await anna.send(town.phone, document)
        await anna.send(town.phone, "подпишете?")
        await town.until_in_amocrm(4)
        assert await relay.terminate() == 0
    photo, voice_in, file, text = [m for m in town.amocrm.account.messages if m.direction == "in"]
    assert [m.kind for m in (photo, voice_in, file, text)] == ["picture", "voice", "file", "text"]
    assert (photo.text, text.text) == ("вот", "подпишете?")
    assert voice_in.content["media_duration"] == SECONDS
    assert file.content["file_name"] == "Договор №1.pdf"
    async with town.relay():  # amoCRM fetches in its own time
        pass_on(town)
        for message, data in ((photo, JPEG), (voice_in, VOICE), (file, PDF)):
            came = await town.amocrm.attachments.fetch(message)
            assert came is not None
            assert (came.size, came.sha256) == (len(data), _sha(data))


async def test_the_files_of_a_manager_reach_the_client_with_all_their_bytes(town: Town) -> None:
    """A photo with words, a voice message as voice, a document with its name; ticks follow."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    attach = town.amocrm.attachments.attach
    async with town.relay():
        await anna.send(town.phone, "пришлите договор")
        await town.until_in_amocrm(1)
        sent: tuple[tuple[str, bytes, str, str, Kind], ...] = (
            ("picture", JPEG, "схема.jpg", "image/jpeg", "image"),
            ("voice", VOICE, "voice.ogg", "audio/ogg", "audio"),
            ("file", PDF, "Договор №1.pdf", "application/pdf", "document"),
        )
        for type_, data, name, mime, kind in sent:
            link = town.amocrm.url + attach(data, name, mime)
            content = {"type": type_, "media": link, "file_name": name, "file_size": len(data)}
            words = "" if type_ == "voice" else "прошу"
            message = await town.amocrm.write(CHAT, OLGA, words, content=content)
            heard = await anna.received()
            seen = town.whatsapp.media.file_of(heard.message)
            assert (seen.kind, _sha(seen.data)) == (kind, _sha(data))
            if kind == "audio":
                assert (seen.part.number(6), seen.part.number(5)) == (1, SECONDS)
            else:
                assert seen.part.text({"image": 3, "document": 20}[kind]) == words
            if kind == "document":
                assert seen.part.text(8) == name
            await anna.receipt(heard, "delivered")
            await town.amocrm.wait_for(partial(_ticked, message), 30)
            assert [report.status for report in message.reports] == [1]
