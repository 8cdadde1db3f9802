"""The buttons beside the numbers: states with their ages, and checks that never lie."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from relay.domain.phone_check import PhoneCheck
from relay.domain.retry import HOUR
from relay.widget.phones import MOST, MOST_CHECKED, PATIENCE_S
from tests.clock import settle
from tests.widget.office import Answer, Office, office_of

ANNA, BORIS = "79001234567", "79001234568"


async def states(office: Office, *phones: str) -> list[Any]:
    """What is told of the numbers, without asking."""
    query = urlencode([("phone", phone) for phone in phones])
    answer = await office.call("GET", f"/widget/phones?{query}")
    assert answer.status == 200, answer.body
    return list(answer.json["phones"])


async def check(office: Office, *phones: str, user: int = 456) -> Answer:
    """What is told after asking."""
    return await office.call("POST", "/widget/phones", {"phones": phones}, user=user)


async def know(office: Office, number: str, *, there: bool, age_ms: int = 0) -> None:
    known = PhoneCheck.answered(there, office.clock.now_ms() - age_ms)
    await office.store.transact(lambda ledger: ledger.save_phone_check(number, known))


async def test_what_is_known_is_told_with_its_age_and_nobody_is_asked() -> None:
    """Many numbers at once, in any notation, in their order; what is no number stays unknown."""
    async with office_of() as office:
        await know(office, ANNA, there=True, age_ms=2 * HOUR)
        told = await states(office, "8 (900) 123-45-67", "+79001234568", "мама", "+79001234567")
        assert [(each["asked"], each["number"], each["state"]) for each in told] == [
            ("8 (900) 123-45-67", "+79001234567", "registered"),
            ("+79001234568", "+79001234568", "unknown"),
            ("мама", None, "unknown"),
            ("+79001234567", "+79001234567", "registered"),
        ]
        assert [each["age_seconds"] for each in told] == [7200, None, None, 7200]
        assert told[0]["checked"].startswith("2026-")
        assert office.engine.asked == []


async def test_a_check_asks_now() -> None:
    """Green or red as WhatsApp says, whatever was known before."""
    async with office_of() as office:
        await know(office, ANNA, there=False, age_ms=HOUR)
        office.engine.there = {ANNA: True, BORIS: False}
        answer = await check(office, "+79001234567", "+79001234568")
        assert [each["state"] for each in answer.json["phones"]] == ["registered", "not_registered"]
        assert [each["age_seconds"] for each in answer.json["phones"]] == [0, 0]
        assert answer.json["trouble"] is None
        assert office.engine.asked == [[ANNA, BORIS]]


async def test_the_query_names_numbers_too() -> None:
    """A check may name its number in the address, without a body."""
    async with office_of() as office:
        office.engine.there = {ANNA: True}
        answer = await office.call("POST", "/widget/phones?phone=89001234567")
        assert [each["state"] for each in answer.json["phones"]] == ["registered"]


async def test_a_failure_never_becomes_red() -> None:
    """Not connected, no answer, or none in time: the state stays, and the trouble is told."""
    async with office_of() as office:
        await know(office, ANNA, there=True, age_ms=HOUR)
        office.connected = False
        answer = await check(office, "+79001234567", "+79001234568")
        assert [each["state"] for each in answer.json["phones"]] == ["registered", "unknown"]
        assert "не удалось" in answer.json["trouble"]
        office.connected = True  # and WhatsApp says nothing
        answer = await check(office, "+79001234567", "+79001234568")
        assert [each["state"] for each in answer.json["phones"]] == ["registered", "unknown"]
        assert answer.json["trouble"]


async def test_clicking_again_and_again_asks_once() -> None:
    """What WhatsApp has just said is told again without asking: mass checks cost the number."""
    async with office_of() as office:
        office.engine.there = {ANNA: True}
        for user in (456, 457, 458):
            assert (await check(office, "+79001234567", user=user)).json["trouble"] is None
        assert office.engine.asked == [[ANNA]]
        await office.clock.advance_ms(61_000)
        await check(office, "+79001234567")
        assert office.engine.asked == [[ANNA], [ANNA]]


async def test_a_user_checks_only_so_many() -> None:
    """Beyond fifty at a time he is refused; and then he has to wait."""
    async with office_of() as office:
        many = [f"+7900123{n:04}" for n in range(MOST_CHECKED + 1)]
        assert (await check(office, *many)).code == "too_large"
        assert (await check(office, *many[:-1])).status == 200
        refused = await check(office, many[-1])
        assert (refused.code, refused.headers["Retry-After"]) == ("too_often", "10")
        assert (await check(office, many[-1], user=457)).status == 200


async def test_sizes_are_bounded() -> None:
    """Too many numbers, too long ones, a body beyond bounds, no JSON, nothing at all."""
    async with office_of() as office:
        query = "&".join(["phone=1"] * (MOST + 1))
        assert (await office.call("GET", f"/widget/phones?{query}")).code == "too_large"
        assert (await office.call("GET", f"/widget/phones?phone={'1' * 65}")).code == "too_large"
        assert (await office.call("GET", "/widget/phones")).code == "bad_request"
        for body, code in (
            (b"x" * 20_000, "too_large"),
            (b"{", "bad_request"),
            (b'{"phones":[5]}', "bad_request"),
            (b"[]", "bad_request"),
            (b"", "bad_request"),
        ):
            assert (await office.call("POST", "/widget/phones", body)).code == code


async def test_switched_off_it_is_not_there() -> None:
    """``phone_check: false``: the buttons learn that they have to go, and WhatsApp is not asked."""
    async with office_of() as office:
        office.phone_check = False
        for method in ("GET", "POST"):
            answer = await office.call(method, "/widget/phones?phone=%2B79001234567")
            assert (answer.status, answer.code) == (404, "phone_check_off")
        assert office.engine.asked == []
        office.phone_check = True
        assert len(await states(office, "+79001234567")) == 1


async def test_nobody_waits_longer_than_a_proxy() -> None:
    """A check that takes too long is told as trouble, with what is known."""
    assert PATIENCE_S < 30
    await settle()
