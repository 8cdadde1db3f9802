"""``relay phone``: the question over the control socket and its answer for a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.app.listen import control_path
from relay.app.phones import phone_routes
from relay.cli.control import StatusError
from relay.cli.phone import PhoneWish, ask_phone, phone_text
from relay.web.server import Server, bind_unix
from tests.delivery.test_phones import ANNA, Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Two channels behind a control socket in ``tmp_path``."""
    office = Office()
    routes = phone_routes(office.phones, office.clock.now_ms)
    async with Server(bind_unix(control_path(tmp_path)), routes):
        yield office


async def test_the_answer_has_state_time_and_age(office: Office, tmp_path: Path) -> None:
    """What WhatsApp says, when it said it, and nothing of trouble."""
    office.sales.there = {ANNA: True}
    answer = await asyncio.to_thread(ask_phone, tmp_path, PhoneWish("8 (900) 123-45-67"))
    assert answer == {
        "phone": f"+{ANNA}",
        "state": "registered",
        "checked": "2026-02-02T02:40:00+00:00",
        "age_seconds": 0,
        "trouble": None,
    }
    office.clock.jump_ms(90_000)
    again = await asyncio.to_thread(ask_phone, tmp_path, PhoneWish(f"+{ANNA}"))
    assert again["age_seconds"] == 90
    assert office.sales.asked == [[ANNA]]


async def test_the_channel_and_the_insisting_reach_the_relay(
    office: Office, tmp_path: Path
) -> None:
    """``--channel`` and ``--check`` do what they say."""
    await office.know(ANNA, there=False, age_ms=1)
    office.support.there = {ANNA: True}
    wish = PhoneWish(f"+{ANNA}", channel="support", again=True)
    assert (await asyncio.to_thread(ask_phone, tmp_path, wish))["state"] == "registered"
    assert (office.sales.asked, office.support.asked) == ([], [[ANNA]])


async def test_what_cannot_be_found_out_is_told_with_its_reason(
    office: Office, tmp_path: Path
) -> None:
    """The last known state, and why there is nothing newer."""
    office.online.clear()
    answer = await asyncio.to_thread(ask_phone, tmp_path, PhoneWish(f"+{ANNA}"))
    assert (answer["state"], answer["age_seconds"]) == ("unknown", None)
    assert answer["trouble"] == "no channel that can check numbers is connected"


@pytest.mark.parametrize("written", ["hello", "", "12", "+7 900"])
async def test_what_is_no_number_is_refused(office: Office, tmp_path: Path, written: str) -> None:
    """Nobody is asked."""
    with pytest.raises(StatusError, match="not a telephone number"):
        await asyncio.to_thread(ask_phone, tmp_path, PhoneWish(written))
    assert office.sales.asked == []


async def test_an_answer_that_could_not_be_kept_is_no_answer(
    office: Office, tmp_path: Path
) -> None:
    """The disk refuses: that is said, not the state."""
    office.sales.there = {ANNA: True}
    office.store.refuse = True
    with pytest.raises(StatusError, match="journal cannot be written"):
        await asyncio.to_thread(ask_phone, tmp_path, PhoneWish(f"+{ANNA}"))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (None, "+79001234567: unknown"),
        (0, "+79001234567: registered, found out 0 seconds ago"),
        (1, "+79001234567: registered, found out 1 second ago"),
        (3_599, "+79001234567: registered, found out 59 minutes ago"),
        (7_200, "+79001234567: registered, found out 2 hours ago"),
        (86_400, "+79001234567: registered, found out 1 day ago"),
    ],
)
def test_the_answer_for_a_person(age: int | None, words: str) -> None:
    """One line: number, state, and the age in its largest unit."""
    state = "unknown" if age is None else "registered"
    assert phone_text({"phone": "+79001234567", "state": state, "age_seconds": age}) == words
