"""The past that a phone hands over at linking, from the phone into amoCRM."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.whatsapp_server import WhatsAppServer
from tests.whatsapp_server.history import Past
from tests.whole.test_pairing import ANNA, OWN, Town

BORIS = "79991111111"
DAY_S = 24 * 3600


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything but the relay; nothing is linked, and two weeks of the past are wanted."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone, anna = whatsapp.phone(OWN, "Sales"), whatsapp.contact(ANNA, "Анна")
        town = Town(whatsapp, amocrm, phone, anna, tmp_path)
        town.say(import_history="14d")
        yield town
        assert amocrm.violations == []


def in_amocrm(town: Town, number: str) -> list[tuple[str, bool]]:
    """What amoCRM has of a client: the text, and whether it came without a sound."""
    chat = town.amocrm.account.in_chat(f"wa-{OWN}-{number}")
    return [(message.text, message.silent) for message in chat]


@pytest.mark.parametrize("stored", [False, True])
async def test_the_past_enters_amocrm_in_order_and_without_a_sound(
    town: Town, stored: bool
) -> None:
    """Handed over to the command that links; imported by the relay, with its own time.

    Each chat from its oldest message, and only the newest one rings; what is too old stays out.
    """
    boris = town.whatsapp.contact(BORIS, "Борис")
    now = int(time.time())
    past = [
        Past(town.anna, "слишком давно", now - 15 * DAY_S),
        *(Past(town.anna, f"Анна {number}", now - 900 + number) for number in range(4)),
        Past(boris, "Борис 0", now - 13 * DAY_S),
        Past(boris, "Борис 1", now - 500),
    ]
    async with town.command("pair", "sales") as pairing:
        device = await town.phone.scan(await pairing.line())
        await device.online()
        await town.phone.share_names()
        media = town.whatsapp.media if stored else None
        await town.phone.hand_over_history(past, media)
        assert (await pairing.ended()).status == 0
    async with town.relay() as relay:
        await relay.logged("history_imported", done=6, total=6)
        await town.until_in_amocrm("Анна 3")
        await town.until_in_amocrm("Борис 1")
    assert in_amocrm(town, ANNA) == [
        ("Анна 0", True), ("Анна 1", True), ("Анна 2", True), ("Анна 3", False)
    ]  # fmt: skip
    assert in_amocrm(town, BORIS) == [("Борис 0", True), ("Борис 1", False)]
    first = next(m for m in town.amocrm.account.messages if m.text == "Анна 0")
    assert first.timestamp_ms == (now - 900) * 1000
    assert not list(town.sessions.glob("*.early"))


async def test_a_message_of_now_stands_behind_the_past_of_its_chat(town: Town) -> None:
    """Handed over to the running relay; whoever writes meanwhile gets his past in before it."""
    async with town.relay() as relay:
        assert (await town.link()).status == 0
        await relay.logged("session_state", state="connected")
        await relay.logged("channel_connected")
        device = town.whatsapp.session(town.phone)
        await device.online()
        now = int(time.time())
        past = [Past(town.anna, f"раньше {number}", now - 900 + number) for number in range(9)]
        await town.phone.hand_over_history(past)
        await town.anna.send(town.phone, "сейчас")
        await town.until_in_amocrm("сейчас")
        await town.until_in_amocrm("раньше 8")
    texts = [text for text, _ in in_amocrm(town, ANNA)]
    assert texts == [*(f"раньше {number}" for number in range(9)), "сейчас"]
