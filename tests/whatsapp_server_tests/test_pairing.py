"""A client is linked by QR or by code, or is told why it cannot be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.harness import ClientError, RealClient
from tests.whatsapp_server.pairing import PairingError


async def test_a_qr_code_links_the_client(tmp_path: Path) -> None:
    """Scanning the QR code makes the client a device of the phone's account, under its number."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            device = await phone.scan(await client.qr())
            success = await client.event("PairStatus")
            assert success["fields"]["ID"] == "74950000001:1@s.whatsapp.net"
            await client.connected()
            await device.online()
            assert device.prekeys_left == 812
            assert server.session(phone) is device


async def test_a_code_typed_into_the_phone_links_the_client(tmp_path: Path) -> None:
    """The eight letters that the client shows link it as a QR code does."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            await client.qr()
            code = await client.command("pair_code", phone="+7 495 000-00-01")
            device = await phone.enter_code(code)
            await client.connected()
            await device.online()


async def test_a_wrong_code_does_not_link(tmp_path: Path) -> None:
    """With other letters than the client's the keys do not fit, and nothing is linked."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            await client.qr()
            await client.command("pair_code", phone=phone.number)
            with pytest.raises(PairingError, match="wrong code"):
                await phone.enter_code("AAAA-AAAA")
            assert not phone.linked


async def test_a_code_for_a_number_without_whatsapp_is_refused(tmp_path: Path) -> None:
    """The service refuses to start linking by code for a number it does not know."""
    async with (
        WhatsAppServer() as server,
        RealClient(server.environment(), tmp_path / "store.db") as client,
    ):
        await client.qr()
        with pytest.raises(ClientError, match="404"):
            await client.command("pair_code", phone="79990000000")


async def test_a_qr_code_of_another_client_is_refused(tmp_path: Path) -> None:
    """A phone does not link what it cannot prove: unknown references, exchanged keys."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            qr = await client.qr()
            parts = qr.split(",")
            with pytest.raises(PairingError, match="no client that waits"):
                await phone.scan(",".join([parts[0] + "x", *parts[1:]]))
            with pytest.raises(PairingError, match="other keys"):
                await phone.scan(",".join([parts[0], parts[2], parts[1], *parts[3:]]))


async def test_a_paired_store_is_left_on_disk_and_logs_in(tmp_path: Path) -> None:
    """``pair_store`` leaves a whole database; the copy of a second call is as good as the first."""
    for directory in ("first", "second"):
        store = tmp_path / directory / "store.db"
        store.parent.mkdir()
        async with WhatsAppServer() as server:
            phone = server.phone("74950000077")
            device = await server.pair_store(store, phone)
            with sqlite3.connect(store) as database:
                (own,) = database.execute("SELECT jid FROM whatsmeow_device").fetchone()
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            database.close()
            assert own == "74950000077:1@s.whatsapp.net"
            assert device.logins == 0
            async with RealClient(server.environment(), store) as client:
                await client.connected()
                await device.online()


async def test_a_passkey_demand_reaches_the_client(tmp_path: Path) -> None:
    """The client is told that the account wants a passkey, and confirms having heard it."""
    async with (
        WhatsAppServer() as server,
        RealClient(server.environment(), tmp_path / "store.db") as client,
    ):
        await client.qr()
        registration = await server.registration()
        await registration.demand_passkey()
        await client.printed(b"passkey-request")


async def test_an_outdated_client_is_told_so_before_the_qr(tmp_path: Path) -> None:
    """Refusing registrations with 405 makes the client say that it is outdated."""
    async with WhatsAppServer() as server:
        server.refuse_registrations(405)
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            await client.printed(b"err-client-outdated")


async def test_a_line_lost_while_the_code_is_shown_ends_the_pairing(tmp_path: Path) -> None:
    """The client calls it a timeout, and its code is worth nothing afterwards."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            qr = await client.qr()
            registration = await server.registration()
            await registration.hang_up()
            await client.printed(b"Login event: timeout")
            with pytest.raises(PairingError, match="no client that waits"):
                await phone.scan(qr)


async def test_a_cloned_store_is_an_account_of_its_own(tmp_path: Path) -> None:
    """A renamed copy logs in under its own number, beside the original, and is spoken to apart."""
    async with WhatsAppServer() as server:
        phones = [server.phone(f"7495000000{n}") for n in range(3)]
        anna = server.contact("79991234567", "Анна")
        stores = [tmp_path / f"{n}.db" for n in range(3)]
        await server.pair_store(stores[0], phones[0])
        for store, phone in zip(stores[1:], phones[1:], strict=True):
            server.clone_store(store, phone, of=phones[0])
        async with (
            RealClient(server.environment(), stores[0]) as original,
            RealClient(server.environment(), stores[1]) as first,
            RealClient(server.environment(), stores[2]) as second,
        ):
            for client, phone in zip((original, first, second), phones, strict=True):
                await client.connected()
                await anna.send(phone, f"to {phone.number}")
                assert (await client.message())["text"] == f"to {phone.number}"
                await client.send(anna.number, f"from {phone.number}")
                heard = await anna.received(f"from {phone.number}")
                assert heard.sender == server.session(phone).lid
                await phone.received(f"from {phone.number}")
