"""Texts pass both ways between the real client and the server."""

from __future__ import annotations

from pathlib import Path

from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.harness import RealClient


async def test_a_client_is_linked_by_qr_and_texts_pass_both_ways(tmp_path: Path) -> None:
    """A client linked by QR hears a contact and is heard by it."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001", "Sales")
        anna = server.contact("79991234567", "Анна")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            device = await phone.scan(await client.qr())
            await client.connected()
            await device.online()
            number = await anna.send(phone, "Привет")
            heard = await client.message()
            assert (heard["id"], heard["text"]) == (number, "Привет")
            sent = await client.send(anna.number, "Здравствуйте")
            got = await anna.received("Здравствуйте")
            assert got.id == sent
