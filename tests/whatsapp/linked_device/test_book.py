"""Names of the phone's address book."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from relay.domain.message import Origin, Received
from relay.whatsapp.linked_device.book import read_contacts
from relay.whatsapp.linked_device.events import Code
from relay.whatsapp.linked_device.payload import RawEvent, wrap
from relay.whatsapp.linked_device.reading import read_payload
from tests.whatsapp.linked_device import samples
from tests.whatsapp.linked_device.scene import connected


def called(name: str | None, *, from_me: bool = False) -> Received:
    where = samples.source(samples.PHONE, from_me=from_me)
    data = samples.message(where, name="Аня")
    *_, said = read_payload(wrap(RawEvent(Code.MESSAGE, samples.OWN, data, name)))
    assert isinstance(said, Received)
    return said


def test_the_name_of_the_address_book_goes_before_the_clients_own() -> None:
    """That is how the owner knows him; of a message typed on the phone there is no other."""
    assert called("Анна Сервис").client.name == "Анна Сервис"
    assert called(None).client.name == "Аня"
    typed = called("Анна Сервис", from_me=True)
    assert (typed.origin, typed.client.name) == (Origin.PHONE, "Анна Сервис")
    assert called(None, from_me=True).client.name is None


def test_names_are_found_by_number_and_by_hidden_address() -> None:
    """Groups and the nameless are left out."""
    book = {
        samples.PHONE: " Анна \n Сервис ",
        samples.LID: "Анна",
        ("1-2", "g.us"): "Группа",
        ("79000000000", "s.whatsapp.net"): "",
    }
    names = read_contacts(samples.contacts(book))
    assert names == {samples.PHONE[0]: "Анна Сервис", samples.LID[0]: "Анна"}


def test_an_answer_that_tells_an_error_is_one() -> None:
    """Not an empty book."""
    with pytest.raises(ValueError, match="cannot read its contacts"):
        read_contacts(b"\x12\x05error")


async def test_a_client_has_the_name_that_the_phone_has_for_him(tmp_path: Path) -> None:
    """Shared by the phone over WhatsApp, looked up in the library's file."""
    async with connected(tmp_path) as (there, engine):
        await there.phone.share_names({there.anna: "Анна Сервис"})
        async with asyncio.timeout(60):
            name = None
            while name != "Анна Сервис":  # the book is looked through after a few seconds
                await there.anna.send(there.phone, "это я")
                name = (await engine.message()).client.name
