"""Receipts and repeated sending pass both ways, as between real phones."""

from __future__ import annotations

from pathlib import Path

from tests.whatsapp_server_tests.stage import scene

_DELIVERED, _READ, _READ_ON_THE_PHONE = 1, 4, 5


async def test_a_contacts_receipts_reach_the_client(tmp_path: Path) -> None:
    """Delivered and read come as receipts of the message's id, from either address."""
    async with scene(tmp_path) as s:
        sent = await s.client.send(s.anna.number, "Здравствуйте")
        got = await s.anna.received()
        await s.anna.receipt(got)
        await s.anna.receipt(got, "read", addressing="pn")
        receipts = [(await s.client.event("Receipt"))["fields"] for _ in range(2)]
        assert [r["MessageIDs"] for r in receipts] == [[sent], [sent]]
        assert [r["Type"] for r in receipts] == [_DELIVERED, _READ]
        await s.device.drained()


async def test_reading_on_the_phone_reaches_the_client(tmp_path: Path) -> None:
    """The client learns that the owner has read a contact's message on the phone."""
    async with scene(tmp_path) as s:
        number = await s.anna.send(s.phone, "read me")
        await s.client.message()
        await s.phone.read(s.anna, number)
        receipt = (await s.client.event("Receipt"))["fields"]
        assert (receipt["MessageIDs"], receipt["Type"]) == ([number], _READ_ON_THE_PHONE)
        assert receipt["MessageSource.Chat"] == str(s.anna.lid)


async def test_the_client_marks_messages_as_read(tmp_path: Path) -> None:
    """One call of the client marks several messages; their author learns each."""
    async with scene(tmp_path) as s:
        ids = [await s.anna.send(s.phone, text) for text in ("one", "two")]
        heard = await s.client.message()
        await s.client.command("mark_read", chat=heard["chat"], sender=heard["sender"], ids=ids)
        for number in ids:
            await s.anna.receipt_for(number, "read")


async def test_a_contact_that_cannot_decrypt_gets_the_message_again(tmp_path: Path) -> None:
    """The client answers a retry receipt with the same message in a new session."""
    async with scene(tmp_path) as s:
        await s.client.send(s.anna.number, "first")
        await s.anna.received("first")
        s.anna.deaf_for = 1
        sent = await s.client.send(s.anna.number, "second")
        assert (await s.anna.received("second")).id == sent
        assert s.anna.retries_asked == 1
        await s.client.send(s.anna.number, "third")
        await s.anna.received("third")


async def test_a_contact_gives_up_asking(tmp_path: Path) -> None:
    """A contact that never understands asks five times, as phones do, and stops."""
    async with scene(tmp_path) as s:
        s.anna.deaf_for = 100
        sent = await s.client.send(s.anna.number, "in vain")
        assert await s.anna.given_up.take() == sent
        s.anna.deaf_for = 0
        await s.client.send(s.anna.number, "understood")
        await s.anna.received("understood")
        assert [heard.text for heard in s.anna.messages.history] == ["understood"]


async def test_a_client_that_cannot_decrypt_asks_and_gets_the_message_again(
    tmp_path: Path,
) -> None:
    """A contact whose session is broken is asked to send again, and then understood."""
    async with scene(tmp_path) as s:
        await s.anna.send(s.phone, "before")
        await s.client.message("before")
        s.anna.garble_next()
        number = await s.anna.send(s.phone, "broken on the way")
        assert (await s.client.event("UndecryptableMessage"))["fields"]["Info.ID"] == number
        heard = await s.client.message("broken on the way")
        assert heard["id"] == number
        await s.anna.send(s.phone, "after")
        await s.client.message("after")


async def test_a_message_that_only_the_phone_has_is_asked_of_it(tmp_path: Path) -> None:
    """The client says that something is missing, asks its own phone, and gets the message."""
    async with scene(tmp_path) as s:
        # The library asks only in a session that the phone has begun, as each does at pairing.
        await s.phone.share_names()
        await s.device.settled()
        number = await s.anna.send_unavailable(s.phone, "for the phone alone")
        missing = (await s.client.event("UndecryptableMessage"))["fields"]
        assert (missing["Info.ID"], missing["IsUnavailable"]) == (number, True)
        heard = await s.client.message("for the phone alone")
        assert (heard["id"], heard["chat"]) == (number, str(s.anna.lid))


async def test_a_contact_with_a_new_phone_is_understood_and_understands(tmp_path: Path) -> None:
    """New keys under the same number are trusted: both directions go on."""
    async with scene(tmp_path) as s:
        await s.client.send(s.anna.number, "to the old phone")
        await s.anna.received()
        s.anna.reinstall()
        sent = await s.client.send(s.anna.number, "to the new phone")
        assert (await s.anna.received("to the new phone")).id == sent
        assert s.anna.retries_asked == 1
        await s.anna.send(s.phone, "from the new phone")
        await s.client.message("from the new phone")
        s.anna.reinstall()
        await s.anna.send(s.phone, "from the newest phone")
        await s.client.message("from the newest phone")


async def test_typing_and_presence_reach_the_client(tmp_path: Path) -> None:
    """The client hears that a contact types, and when it was last there."""
    async with scene(tmp_path) as s:
        await s.anna.typing(s.phone)
        assert (await s.client.event("ChatPresence"))["fields"]["State"] == 1
        await s.anna.presence(s.phone, last_s=1_790_000_000)
        assert (await s.client.event("Presence"))["fields"]["LastSeen"] == 1_790_000_000


async def test_the_client_types_and_is_present_once_it_knows_its_name(tmp_path: Path) -> None:
    """Presence and typing of the client reach the service after the owner's name was shared."""
    async with scene(tmp_path) as s:
        await s.phone.share_names({s.anna: "Анна Иванова"})
        await s.device.settled()
        await s.client.command("presence")
        await s.device.said.take(lambda node: node.tag == "presence", what="presence")
        await s.client.command("typing", chat=str(s.anna.lid))
        await s.device.said.take(lambda node: node.tag == "chatstate", what="typing")
        found = await s.client.command("contact", jid=str(s.anna.lid))
        assert found["name"] == "Анна Иванова"
