"""Contents other than texts reach the client as what they are."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.whatsapp_server import content
from tests.whatsapp_server.addresses import Jid
from tests.whatsapp_server.harness import ClientError
from tests.whatsapp_server.history import Past
from tests.whatsapp_server.media import Kind, Sealed
from tests.whatsapp_server.node import node
from tests.whatsapp_server_tests.stage import scene


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_a_file_of_a_contact_can_be_fetched(tmp_path: Path, kind: Kind) -> None:
    """The client downloads and opens a medium of every kind, over the proxy."""
    async with scene(tmp_path) as s:
        data = b"not really a picture" * 1000
        body = s.server.media.message(kind, data, "application/test", caption="видите?")
        await s.anna.send(s.phone, body)
        heard = await s.client.message()
        assert heard["kinds"] == [f"{kind}Message"]
        assert await s.client.download(heard) == data


async def test_a_file_that_is_gone_cannot_be_fetched(tmp_path: Path) -> None:
    """A medium that the host has dropped is an error of the download."""
    async with scene(tmp_path) as s:
        body = s.server.media.message("image", b"old", "image/jpeg")
        await s.anna.send(s.phone, body)
        s.server.media.gone = 410
        with pytest.raises(ClientError, match="410"):
            await s.client.download(await s.client.message())


async def test_a_file_of_the_client_reaches_the_contact(tmp_path: Path) -> None:
    """What the client uploads opens with the key in its message."""
    async with scene(tmp_path) as s:
        data = bytes(range(256)) * 100
        encoded = base64.b64encode(data).decode()
        await s.client.command("send_media", to=s.anna.number, data=encoded, name="offer.pdf")
        document = (await s.anna.received()).message.message(7)
        assert document.text(8) == "offer.pdf"
        sealed = Sealed(document.bytes(7), s.server.media.blob(document.text(10)))
        assert sealed.opened("document") == data


async def test_messages_about_messages_name_their_target(tmp_path: Path) -> None:
    """Replies, reactions, edits and deletions arrive with the id of what they speak of."""
    async with scene(tmp_path) as s:
        first = await s.anna.send(s.phone, "Привет")
        await s.client.message("Привет")
        chat = s.phone.lid
        await s.anna.send(s.phone, content.reply("и ещё", first, s.anna.lid))
        assert (await s.client.message())["text"] == "и ещё"
        await s.anna.send(s.phone, content.reaction("👍", first, chat, own=False))
        assert (await s.client.message())["kinds"] == ["reactionMessage"]
        await s.anna.send(s.phone, content.edit("Пока", first, chat), attributes={"edit": "1"})
        assert (await s.client.message())["kinds"] == ["protocolMessage"]
        await s.anna.send(s.phone, content.revoke(first, chat), attributes={"edit": "7"})
        assert (await s.client.message())["kinds"] == ["protocolMessage"]
        await s.anna.send(s.phone, content.location(55.75, 37.61, "Кремль"))
        assert (await s.client.message())["kinds"] == ["locationMessage"]
        await s.anna.send(s.phone, content.contact_card("Пётр", "BEGIN:VCARD\nEND:VCARD"))
        assert (await s.client.message())["kinds"] == ["contactMessage"]


async def test_a_group_message_is_decrypted(tmp_path: Path) -> None:
    """Messages of a group reach the client under the group's address, every one."""
    async with scene(tmp_path) as s:
        group = s.server.group("Соседи", s.phone, s.anna)
        for text in ("раз", "два"):
            number = await group.send(s.anna, text)
            heard = await s.client.message(text)
            assert heard["group"]
            assert (heard["chat"], heard["sender"]) == (str(group.jid), str(s.anna.lid))
            await s.anna.receipt_for(number)
        await s.device.drained()


async def test_a_group_is_described_to_its_members(tmp_path: Path) -> None:
    """The client learns a group's subject and members; a group nobody made is an error."""
    async with scene(tmp_path) as s:
        group = s.server.group("Соседи", s.phone, s.anna)
        found = await s.client.command("group", jid=str(group.jid))
        assert found == {"subject": "Соседи", "members": [str(s.phone.lid), str(s.anna.lid)]}
        with pytest.raises(ClientError):
            await s.client.command("group", jid="120363999999999999@g.us")


async def test_a_status_and_a_call_are_confirmed(tmp_path: Path) -> None:
    """A status arrives as a message of its own chat; a call is acknowledged and forgotten."""
    async with scene(tmp_path) as s:
        status = {"from": Jid("status", "broadcast"), "participant": s.anna.lid}
        await s.anna.send(s.phone, "my status", attributes=status)
        assert (await s.client.message())["chat"] == "status@broadcast"
        offer = node("offer", call_id="C1", call_creator=s.anna.lid)
        call = node("call", offer, from_=s.anna.lid, id="call-1", t="1790000000")
        await s.device.deliver(call)
        await s.device.drained()


@pytest.mark.parametrize("stored", [False, True])
async def test_history_is_handed_over_after_pairing(tmp_path: Path, *, stored: bool) -> None:
    """Earlier messages of both sides come in one event, and the phone learns they arrived."""
    async with scene(tmp_path) as s:
        past = [
            Past(s.anna, "давно", 1_780_000_000),
            Past(s.anna, "отвечаю", 1_780_000_100, own=True),
        ]
        await s.phone.hand_over_history(past, s.server.media if stored else None)
        event = await s.client.event("HistorySync")
        said = base64.b64decode(event["body"])
        assert all(message.text.encode() in said for message in past)
        await s.phone.receipts.take(lambda r: r.kind == "hist_sync", what="hist_sync")
        await s.device.drained()


async def test_a_picture_is_shown_if_there_is_one(tmp_path: Path) -> None:
    """The client learns where a contact's picture lies; without one it is told so."""
    async with scene(tmp_path) as s:
        s.anna.picture_url = "http://127.0.0.1/anna.jpg"
        assert await s.client.command("picture", jid=str(s.anna.lid)) == s.anna.picture_url
        s.anna.picture_url = None
        with pytest.raises(ClientError):
            await s.client.command("picture", jid=str(s.anna.lid))


async def test_the_owners_new_name_reaches_the_client(tmp_path: Path) -> None:
    """A later change of the owner's name is fetched when the service announces it."""
    async with scene(tmp_path) as s:
        await s.phone.share_names()
        await s.device.settled()
        await s.client.command("presence")
        shown = await s.device.said.take(lambda n: n.tag == "presence", what="presence")
        assert shown.get("name") == "Sales"
        await s.phone.rename("Отдел продаж")
        await s.device.settled()
        await s.client.command("presence")
        shown = await s.device.said.take(lambda n: n.tag == "presence", what="presence")
        assert shown.get("name") == "Отдел продаж"


async def test_a_client_without_its_name_cannot_be_present(tmp_path: Path) -> None:
    """Until the owner's name was shared the library refuses to announce presence."""
    async with scene(tmp_path) as s:
        with pytest.raises(ClientError, match="PushName"):
            await s.client.command("presence")
