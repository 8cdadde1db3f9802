"""Failures on demand do to the client what their names say."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.harness import ClientError, RealClient
from tests.whatsapp_server.node import node
from tests.whatsapp_server_tests.stage import scene


async def test_a_dropped_client_comes_back_and_misses_nothing(tmp_path: Path) -> None:
    """After a cut line the client reconnects and gets what came meanwhile."""
    async with scene(tmp_path) as s:
        s.device.drop()
        await s.client.event("Disconnected")
        await s.anna.send(s.phone, "meanwhile")
        await s.client.message("meanwhile")
        assert s.device.logins > 1  # the library may need several attempts


async def test_a_send_cut_before_its_ack_is_repeated_under_the_same_id(tmp_path: Path) -> None:
    """The client sends the same stanza again after reconnecting; the contact sees one message."""
    async with scene(tmp_path) as s:
        s.device.drop_before_next_ack()
        sent = await s.client.send(s.anna.number, "once")
        assert (await s.anna.received("once")).id == sent
        assert s.anna.repeated == [sent]
        assert len(s.anna.messages.history) == 1


async def test_a_send_lost_before_delivery_is_repeated(tmp_path: Path) -> None:
    """What the service never took reaches the contact after the client has come back."""
    async with scene(tmp_path) as s:
        s.device.drop_before_next_ack(delivered=False)
        sent = await s.client.send(s.anna.number, "once")
        assert (await s.anna.received("once")).id == sent
        assert s.anna.repeated == []


async def test_a_refused_send_fails_with_its_code(tmp_path: Path) -> None:
    """An ack with an error makes the client's call fail; the next one works."""
    async with scene(tmp_path) as s:
        s.device.refuse_next_send(463)
        with pytest.raises(ClientError, match="463"):
            await s.client.send(s.anna.number, "cold")
        await s.client.send(s.anna.number, "warm")
        await s.anna.received("warm")


async def test_a_refused_request_fails_in_the_client(tmp_path: Path) -> None:
    """A number check that the service refuses is an error, not an answer."""
    async with scene(tmp_path) as s:
        s.device.refuse_next_request("usync", 429)
        with pytest.raises(ClientError, match="429"):
            await s.client.command("is_on_whatsapp", numbers=["+79991234567"])
        assert await s.client.command("is_on_whatsapp", numbers=["+79991234567"])


async def test_a_busy_service_is_tried_again(tmp_path: Path) -> None:
    """503 at login is answered by another login."""
    async with scene(tmp_path) as s:
        s.device.fail_next_login(503)
        s.device.drop()
        await s.device.until(lambda: s.device.logins == 2, "log in again")
        await s.device.online()


@pytest.mark.parametrize(
    ("reason", "attributes", "event"),
    [
        (402, {"code": "101", "expire": "3600"}, "TemporaryBan"),
        (405, {}, "ClientOutdated"),
        (400, {}, "ConnectFailure"),
    ],
)
async def test_a_refused_login_is_reported(
    tmp_path: Path, reason: int, attributes: dict[str, str], event: str
) -> None:
    """Each reason of a failed login becomes its own event of the client."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        device = await server.pair_store(tmp_path / "store.db", phone)
        device.fail_next_login(reason, **attributes)
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            await client.event(event)


@pytest.mark.parametrize("reason", [401, 403, 406])
async def test_a_refused_device_is_forgotten(tmp_path: Path, reason: int) -> None:
    """The client gives its keys up. It may tell of that in its log alone (see goodbye.py)."""
    async with WhatsAppServer() as server:
        phone = server.phone("74950000001")
        device = await server.pair_store(tmp_path / "store.db", phone)
        device.fail_next_login(reason)
        async with RealClient(server.environment(), tmp_path / "store.db") as client:
            await client.printed(b"Got %d" % reason)


async def test_a_running_connection_can_be_refused_as_well(tmp_path: Path) -> None:
    """A failure said in the midst of a session does what it does at login."""
    async with scene(tmp_path) as s:
        await s.device.fail(401)
        await s.client.event("LoggedOut")


async def test_a_send_that_is_never_acknowledged_is_repeated_after_a_cut(tmp_path: Path) -> None:
    """While the service is silent the client waits; on a new line it says the same again."""
    async with scene(tmp_path) as s:
        s.device.silent = True
        sending = asyncio.create_task(s.client.send(s.anna.number, "heard, not answered"))
        heard = await s.anna.received("heard, not answered")
        assert not sending.done()
        s.device.silent = False
        s.device.drop()
        assert await sending == heard.id
        assert s.anna.repeated == [heard.id]


async def test_word_for_nobody_fails_the_test(tmp_path: Path) -> None:
    """What a client says to somebody who does not exist is remembered, and fails the check."""
    async with scene(tmp_path) as s:
        nobody = "100000000000000@lid"
        await s.client.command("mark_read", chat=nobody, sender=nobody, ids=["3A00"])
        await s.anna.send(s.phone, "later")
        await s.client.message("later")
        await s.device.drained()
        with pytest.raises(AssertionError, match="does not exist"):
            s.server.check()
        s.server.service.router.lost.clear()


async def test_a_device_removed_on_the_phone_is_logged_out(tmp_path: Path) -> None:
    """Unlinking on the phone logs the client out, and it stays out."""
    async with scene(tmp_path) as s:
        await s.phone.unlink(s.device)
        await s.client.event("LoggedOut")
        assert s.phone.linked_devices() == []


async def test_a_second_login_replaces_the_first(tmp_path: Path) -> None:
    """The same store connected elsewhere ends the first connection for good."""
    async with scene(tmp_path) as s:
        other = tmp_path / "copy.db"
        other.write_bytes(s.store.read_bytes())
        async with RealClient(s.server.environment(), other) as second:
            await second.connected()
            await s.client.event("StreamReplaced")
            await s.anna.send(s.phone, "to the newer")
            await second.message("to the newer")


async def test_a_client_that_logs_out_is_gone(tmp_path: Path) -> None:
    """Logging out in the client removes the device from the account."""
    async with scene(tmp_path) as s:
        await s.client.command("logout")
        assert s.phone.linked_devices() == []


async def test_a_service_that_is_down_lets_nobody_in_until_it_comes_back(tmp_path: Path) -> None:
    """While the service is down clients try in vain; afterwards they are back by themselves."""
    async with scene(tmp_path) as s:
        s.server.go_down()
        await s.client.event("Disconnected")
        await s.device.offline()
        await s.anna.send(s.phone, "in the dark")
        s.server.come_back()
        await s.client.message("in the dark")


async def test_an_unknown_request_fails_the_test(tmp_path: Path) -> None:
    """What the server cannot answer is refused, remembered, and fails the check."""
    async with scene(tmp_path) as s:
        with pytest.raises(ClientError):
            await s.client.command("blocklist")
        with pytest.raises(AssertionError, match="blocklist"):
            s.server.check()
        s.server.unanswered.clear()


async def test_garbage_on_the_line_is_survived(tmp_path: Path) -> None:
    """Frames that are no stanza, damaged frames and unknown stanzas leave the client alive."""
    async with scene(tmp_path) as s:
        connection = s.device.connection
        assert connection
        await connection.send_garbage(b"\x00\xf8\xff")
        await connection.send_garbage(b"anything", sealed=False)
        await s.device.say(node("weather", city="Москва"))
        await s.anna.send(s.phone, "still there?")
        await s.client.message("still there?")
        assert s.device.logins == 1


async def test_a_fault_of_the_library_ends_the_process(tmp_path: Path) -> None:
    """An empty frame is a fault that the library does not survive: its whole process dies."""
    async with scene(tmp_path) as s:
        await s.device.crash()
        assert await s.client.died() != 0
        await s.client.printed(b"panic: runtime error")


async def test_a_client_with_few_prekeys_uploads_more(tmp_path: Path) -> None:
    """When new people use up the prekeys the client is told, and delivers new ones."""
    async with scene(tmp_path) as s:
        s.device.use_up_prekeys(left=2)
        await s.anna.send(s.phone, "one of the last")
        await s.client.message("one of the last")
        await s.device.until(lambda: s.device.prekeys_left > 5, "upload prekeys")


async def test_without_one_time_prekeys_a_session_still_begins(tmp_path: Path) -> None:
    """The signed prekey alone is enough to write to a client for the first time."""
    async with scene(tmp_path) as s:
        s.device.use_up_prekeys()
        await s.anna.send(s.phone, "without")
        await s.client.message("without")
