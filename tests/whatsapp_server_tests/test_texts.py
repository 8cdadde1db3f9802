"""Texts pass both ways between the real client and the server, however they are addressed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.contact import Addressing
from tests.whatsapp_server.harness import ClientError, RealClient
from tests.whatsapp_server_tests.stage import scene


async def test_texts_pass_both_ways_and_every_request_is_answered(tmp_path: Path) -> None:
    """A client linked by QR hears a contact and is heard by it, in the exact words."""
    async with scene(tmp_path) as s:
        number = await s.anna.send(s.phone, "Привет, это Анна 🙂")
        heard = await s.client.message()
        assert (heard["id"], heard["text"]) == (number, "Привет, это Анна 🙂")
        assert heard["name"] == "Анна"
        assert (await s.anna.receipt_for(number)).kind == "inactive"
        sent = await s.client.send(s.anna.number, "Здравствуйте\n\nАнна")
        got = await s.anna.received()
        assert (got.id, got.text) == (sent, "Здравствуйте\n\nАнна")
        assert (await s.phone.received("Здравствуйте\n\nАнна")).chat == s.anna.lid
        assert s.anna.repeated == s.phone.repeated == []


@pytest.mark.parametrize("addressing", ["lid", "pn", "lid_alone", "pn_alone"])
async def test_a_contact_is_heard_in_every_addressing(
    tmp_path: Path, addressing: Addressing
) -> None:
    """The client sees the chat under the address used, with the other address beside it if told."""
    async with scene(tmp_path) as s:
        await s.anna.send(s.phone, "Привет", addressing=addressing)
        heard = await s.client.message()
        lid, number = str(s.anna.lid), str(s.anna.jid)
        chat, beside = {
            "lid": (lid, number),
            "pn": (number, lid),
            "lid_alone": (lid, ""),
            "pn_alone": (number, ""),
        }[addressing]
        assert (heard["chat"], heard["sender_alt"]) == (chat, beside)
        await s.device.drained()


async def test_one_contact_may_change_its_addressing(tmp_path: Path) -> None:
    """One Signal session serves a contact through all its addresses, in order."""
    async with scene(tmp_path) as s:
        turns: tuple[Addressing, ...] = ("pn", "lid", "pn", "lid")
        for index, addressing in enumerate(turns):
            await s.anna.send(s.phone, str(index), addressing=addressing)
        assert [(await s.client.message())["text"] for _ in range(4)] == ["0", "1", "2", "3"]
        await s.client.send(s.anna.number, "answer")
        await s.anna.received("answer")


async def test_what_the_owner_types_on_the_phone_reaches_the_client(tmp_path: Path) -> None:
    """A message sent from the phone reaches the contact, and the client as its own."""
    async with scene(tmp_path) as s:
        styles: tuple[Literal["lid", "pn"], ...] = ("lid", "pn")
        for addressing in styles:
            number = await s.phone.send(s.anna, "typed on the phone", addressing=addressing)
            assert (await s.anna.received()).id == number
            heard = await s.client.message("typed on the phone")
            assert heard["from_me"]
            assert heard["chat"] == str(s.anna.lid if addressing == "lid" else s.anna.jid)
            assert (await s.phone.receipt_for(number)).kind == "sender"


async def test_messages_wait_while_the_client_is_away(tmp_path: Path) -> None:
    """What comes while no client is there is delivered in order, with its time, and once."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        anna = server.contact("79991234567", "Анна")
        store = tmp_path / "store.db"
        device = await server.pair_store(store, phone)
        for index in range(5):
            await anna.send(phone, f"text {index}", at_s=1_790_000_000 + index)
        await phone.send(anna, "from the phone", at_s=1_790_000_010)
        async with RealClient(server.environment(), store) as client:
            heard = [await client.message() for _ in range(6)]
            assert [h["text"] for h in heard] == [
                *(f"text {i}" for i in range(5)),
                "from the phone",
            ]
            assert [h["at_ms"] for h in heard[:2]] == [1_790_000_000_000, 1_790_000_001_000]
            assert (await client.event("OfflineSyncCompleted"))["fields"] == {"Count": 6}
            await device.drained()
        await device.offline()
        async with RealClient(server.environment(), store) as client:
            await anna.send(phone, "live")
            assert (await client.message())["text"] == "live"


async def test_many_clients_live_at_once(tmp_path: Path) -> None:
    """Several phones have a linked client each, and write to one another."""
    async with WhatsAppServer() as server:
        phones = [server.phone(f"7495000000{n}", f"Phone {n}") for n in range(3)]
        stores = [tmp_path / f"{n}.db" for n in range(3)]
        await server.pair_stores(dict(zip(stores, phones, strict=True)))
        async with (
            RealClient(server.environment(), stores[0]) as one,
            RealClient(server.environment(), stores[1]) as two,
            RealClient(server.environment(), stores[2]) as three,
        ):
            await asyncio.gather(*(server.session(phone).online() for phone in phones))
            await one.send(phones[1].number, "one to two")
            await two.send(phones[2].number, "two to three")
            await three.send(phones[0].number, "three to one")
            assert (await two.message())["text"] == "one to two"
            assert (await three.message())["text"] == "two to three"
            assert (await one.message())["text"] == "three to one"
            assert (await phones[1].received()).text == "one to two"


async def test_a_burst_keeps_its_order(tmp_path: Path) -> None:
    """Two hundred messages arrive in the order they were sent, each once."""
    async with scene(tmp_path) as s:
        texts = [f"text {index}" for index in range(200)]
        for text in texts:
            await s.anna.send(s.phone, text)
        assert [(await s.client.message())["text"] for _ in texts] == texts
        await s.device.drained()


async def test_a_number_without_whatsapp_cannot_be_written_to(tmp_path: Path) -> None:
    """Sending to a number the service does not know fails in the client."""
    async with scene(tmp_path) as s:
        with pytest.raises(ClientError, match="no LID found"):
            await s.client.send("79990000000", "anybody?")


async def test_a_number_check_tells_who_is_there(tmp_path: Path) -> None:
    """The client learns which numbers are on WhatsApp, and by which address."""
    async with scene(tmp_path) as s:
        asked = ["+79991234567", "+79990000000"]
        found = await s.client.command("is_on_whatsapp", numbers=asked)
        answers = {f["query"]: (f["is_in"], f["jid"]) for f in found}
        assert answers["+79991234567"] == (True, str(s.anna.lid))
        assert answers["+79990000000"][0] is False
        assert await s.client.command("number_of", lid=str(s.anna.lid)) == str(s.anna.jid)


async def test_two_clients_of_one_phone_see_what_the_other_sends(tmp_path: Path) -> None:
    """What one linked client sends reaches its sister as the account's own message."""
    async with (
        scene(tmp_path) as s,
        RealClient(s.server.environment(), tmp_path / "sister.db") as sister,
    ):
        second = await s.phone.scan(await sister.qr())
        await sister.connected()
        await second.online()
        assert str(second.jid) == "74950000001:2@s.whatsapp.net"
        sent = await s.client.send(s.anna.number, "from the first")
        heard = await sister.message("from the first")
        assert (heard["id"], heard["from_me"], heard["chat"]) == (sent, True, str(s.anna.lid))
        await s.anna.send(s.phone, "to both")
        await s.client.message("to both")
        await sister.message("to both")


async def test_a_long_text_passes_whole(tmp_path: Path) -> None:
    """A megabyte of text arrives as it was sent, both ways."""
    async with scene(tmp_path) as s:
        text = "Я" * 524_288
        await s.anna.send(s.phone, text)
        assert (await s.client.message())["text"] == text
        await s.client.send(s.anna.number, text)
        assert (await s.anna.received()).text == text
