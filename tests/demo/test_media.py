"""Files both ways through the real relay, between a strict amoCRM and a pretended WhatsApp."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from relay.demo.actions import Kill, Save, SwitchLine
from relay.demo.pretended_amocrm import Message
from relay.demo.pretended_whatsapp import Attachment
from relay.demo.reloads import Outcome
from relay.demo.show import Show
from tests.demo.test_demo import do, in_crm, on_phone, running, until, writes

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + os.urandom(300_000)
PDF = b"%PDF-1.7\n" + os.urandom(200_000)
EVIL = "../\u202efdp.\n" + "ы" * 300 + ".pdf"


def imported(show: Show) -> list[Message]:
    return [message for message in show.crm.account.messages if message.imported]


async def test_a_clients_files_are_amocrms_with_all_their_bytes(tmp_path: Path) -> None:
    """In order, as their own kinds, whatever they are called; amoCRM fetches them in its time."""
    async with running(tmp_path) as show:
        files = [
            Attachment("image", JPEG, "", "image/jpeg"),
            Attachment("document", PDF, EVIL, "text/html"),
            Attachment("document", b"<html><script>1</script>", "x.html", "text/html"),
        ]
        for file in files:
            show.world.client_writes("anna", "sales", "вот", file)
        await do(show, writes("видно?"))
        await until(show, lambda: len(imported(show)) == 4)
        kinds = [(message.kind, message.text) for message in imported(show)]
        assert kinds == [("picture", "вот"), ("file", "вот"), ("file", "вот"), ("text", "видно?")]
        names = [message.content.get("file_name", "") for message in imported(show)]
        assert names[0] == "image.jpg"
        assert names[1].endswith("ы.pdf")
        assert not set("/\n\u202e") & set(names[1])
        for message, file in zip(imported(show), files, strict=False):
            came = await show.crm.attachments.fetch(message)
            assert came is not None
            assert came.sha256 == hashlib.sha256(file.data).hexdigest()
        assert show.crm.violations == []


async def test_a_managers_file_reaches_the_client_byte_for_byte(tmp_path: Path) -> None:
    """Also if amoCRM gives it to the token alone; one that it does not have fails with a reason."""
    async with running(tmp_path) as show:
        await do(show, writes("прайс?"))
        await until(show, lambda: in_crm(show) == ["прайс?"])
        chat = next(iter(show.crm.account.chats))
        for guarded in (False, True):
            path = show.crm.attachments.attach(PDF, "Прайс.pdf", "application/pdf", guarded=guarded)
            content = {"type": "file", "media": show.crm.url + path, "file_name": "Прайс.pdf"}
            await show.crm.write(chat, 17, "вот", content=content)
        evil = {"type": "picture", "media": "http://127.0.0.1:1/latest", "file_name": "a.jpg"}
        refused = await show.crm.write(chat, 17, "", content=evil)
        await show.crm.write(chat, 17, "и текст")
        await until(show, lambda: len(on_phone(show)) == 3)
        sent = [bubble for bubble in show.world.bubbles if bubble.author == "relay"]
        whole = Attachment("document", PDF, "Прайс.pdf", "application/pdf")
        assert [bubble.file for bubble in sent] == [whole, whole, None]
        await until(show, lambda: refused.status == -1)
        assert "a.jpg" in (refused.reports[-1].error or "")


async def test_a_file_survives_a_kill_and_a_cut(tmp_path: Path) -> None:
    """What was not brought before ``kill -9`` is brought after it, once, in its place."""
    async with running(tmp_path) as show:
        cut = SwitchLine(channel="sales", on=False)
        show.world.client_writes("anna", "sales", "", Attachment("image", JPEG))
        await until(show, lambda: not show.world.line("sales").held)
        await do(show, cut, Kill())
        await until(show, lambda: show.keeper.starts == 2)
        await do(show, SwitchLine(channel="sales", on=True))
        await until(show, lambda: imported(show))
        [message] = imported(show)
        assert message.kind == "picture"
        came = await show.crm.attachments.fetch(message)
        assert came is not None
        assert came.size == len(JPEG)
        assert not list((tmp_path / "storage" / "media" / "incoming").iterdir())


async def test_a_file_over_the_limit_is_a_line(tmp_path: Path) -> None:
    """With its name, its size and the limit; the limit of the file as it is now."""
    async with running(tmp_path) as show:
        text = show.text.replace("limit: 16MB", "limit: 1MB")
        await do(show, Save(text=text))
        await until(show, lambda: show.reloads.verdict.outcome is Outcome.TAKEN)
        large = Attachment("video", bytes(1_500_000), "свадьба.mp4", "video/mp4")
        show.world.client_writes("anna", "sales", "смотрите", large)
        await until(show, lambda: imported(show))
        assert in_crm(show) == [
            "Видео «свадьба.mp4» (1,5 МБ): больше допустимых 1 МБ. Откройте на телефоне.\nсмотрите"
        ]
