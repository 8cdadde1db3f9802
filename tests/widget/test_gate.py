"""Who may call ``/widget/…``: pages of the account, with a token that was not used before."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from relay.domain.settings import Language
from relay.widget.gate import CALLS, Access, Call, Method
from relay.widget.problems import JSON, ProblemError, Trouble
from tests.widget.office import ORIGIN, Office, office_of
from tests.widget.test_tokens import INTEGRATION

PHONES = f"/widget/phones?phone={quote('+79001234567')}"


async def test_a_call_of_the_accounts_page_is_answered() -> None:
    """With a good token; nobody may keep the answer, and only that page may read it."""
    async with office_of() as office:
        answer = await office.call("GET", PHONES)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Vary"] == "Origin"
    assert "Set-Cookie" not in answer.headers


async def test_a_token_is_good_once() -> None:
    """Replayed at once, later, or after a restart: refused; every call has a token of its own."""
    office = Office()
    async with office_of(office):
        token = office.token()
        assert (await office.call("GET", PHONES, token=token)).status == 200
        assert (await office.call("GET", PHONES, token=token)).code == "token_refused"
        assert (await office.call("GET", PHONES)).status == 200
    office.store = office.store.reopen()
    async with office_of(office):
        assert (await office.call("GET", PHONES, token=token)).code == "token_refused"
        await office.clock.advance_ms(1_859_000)
        assert (await office.call("GET", PHONES, token=token)).code == "token_refused"
        await office.clock.advance_ms(1_000)
        assert (await office.call("GET", PHONES, token=token)).code == "token_refused"


async def test_without_a_good_token_nothing_is_told() -> None:
    """None, a forged, an expired one, one of another account: 401, and a line in the log."""
    async with office_of() as office:
        bad = ["", "x.y.z", office.token(account_id=5), office.token(exp=5), office.token(iss="x")]
        with capture_logs() as logs:
            for token in bad:
                answer = await office.call("GET", PHONES, token=token)
                assert (answer.status, answer.code) == (401, "token_refused")
    assert [line["event"] for line in logs] == ["widget_refused"]  # one a minute says enough
    assert not any(token in str(logs) for token in bad if token)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://demo.amocrm.ru.x"])
async def test_another_pages_call_is_refused_unread(origin: str) -> None:
    """Even with a good token, and it may not read why; the token is not used up by it."""
    async with office_of() as office:
        token = office.token()
        answer = await office.call("GET", PHONES, token=token, headers={"Origin": origin})
        assert answer.code == "origin_refused"
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert (await office.call("GET", PHONES, token=token)).status == 200


async def test_a_browser_may_ask_beforehand() -> None:
    """The preflight of the account's page is answered without a token; another's is not."""
    async with office_of() as office:
        asked = {"Access-Control-Request-Method": "POST"}
        answer = await office.call("OPTIONS", "/widget/phones", token="", headers=asked)
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
        assert "X-Auth-Token" in answer.headers["Access-Control-Allow-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        other = await office.call(
            "OPTIONS", "/widget/phones", token="", headers=asked | {"Origin": "https://a.example"}
        )
        assert other.status == 403
        assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    ("asked", "file", "told"),
    [
        (None, Language.RU, Language.RU),
        (None, Language.EN, Language.EN),
        ("en", Language.RU, Language.EN),
        ("ru-RU,ru;q=0.9,en;q=0.8", Language.EN, Language.RU),
        ("es, EN-gb;q=0.5", Language.RU, Language.EN),
        ("es", Language.RU, Language.RU),
        (";,*,q=1", Language.EN, Language.EN),
    ],
)
async def test_errors_are_told_to_the_page_in_its_language(
    asked: str | None, file: Language, told: Language
) -> None:
    """A problem is read by the account's page in the language it asks for, else in the file's."""
    async with office_of() as office:
        office.speak(file)
        headers = {} if asked is None else {"Accept-Language": asked}
        answer = await office.call("GET", PHONES, token="x", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    words = {Language.RU: "amoCRM не подтвердила", Language.EN: "amoCRM has not confirmed"}
    assert words[told] in answer.json["title"]


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_its_words_in_both_languages(trouble: Trouble) -> None:
    """A status of an error, and a title that differs between the languages."""
    problem = ProblemError(trouble)
    bodies = [problem.body(language) for language in Language]
    assert 400 <= problem.status < 600
    assert bodies[0]["title"] != bodies[1]["title"]
    assert all(body["code"] == trouble.value for body in bodies)


async def test_a_user_who_calls_too_often_waits_and_nobody_else() -> None:
    """Beyond his allowance he is told when to come back, and his token is still good then."""
    async with office_of() as office:
        for _ in range(int(CALLS.at_once)):
            assert (await office.call("GET", PHONES)).status == 200
        token = office.token()
        refused = await office.call("GET", PHONES, token=token)
        assert (refused.code, refused.headers["Retry-After"]) == ("too_often", "1")
        assert (await office.call("GET", PHONES, user=457)).status == 200
        await office.clock.advance_ms(1_000)
        assert (await office.call("GET", PHONES, token=token)).status == 200


async def test_settings_act_at_once() -> None:
    """A rotated secret, a removed integration: by the very next call."""
    async with office_of() as office:
        token = office.token()
        rotated = replace(INTEGRATION, secret="rotated")
        office.access = replace(office.access, integration=rotated)
        assert (await office.call("GET", PHONES, token=token)).code == "token_refused"
        office.access = replace(office.access, integration=None)
        gone = await office.call("GET", PHONES, token=token)
        assert (gone.status, gone.code) == (404, "not_configured")
        assert "Access-Control-Allow-Origin" not in gone.headers
        office.access = Access(INTEGRATION, ORIGIN, Language.RU)
        assert (await office.call("GET", PHONES, token=token)).status == 200


async def test_before_the_account_is_known_nobody_is_believed() -> None:
    """503 with the time to come back."""
    async with office_of() as office:
        unknown = replace(INTEGRATION, account_id=None)
        office.access = replace(office.access, integration=unknown)
        answer = await office.call("GET", PHONES)
        assert (answer.status, answer.code) == (503, "not_yet")
        assert answer.headers["Retry-After"] == "30"


async def test_a_full_disk_is_told() -> None:
    """A token that cannot be noted as used is not taken."""
    async with office_of() as office:
        office.store.refuse = True
        assert (await office.call("GET", PHONES)).code == "disk_refused"


async def test_a_fault_of_ours_says_nothing_of_itself() -> None:
    """The page gets a problem; the log has the rest."""

    async def broken(_: Call) -> JSON:
        raise RuntimeError("a secret thing")

    async with office_of(None, lambda _: [Method("GET", "/widget/broken", broken)]) as office:
        with capture_logs() as logs:
            answer = await office.call("GET", "/widget/broken")
    assert (answer.status, answer.code) == (500, "internal")
    assert b"secret thing" not in answer.body
    assert [line["event"] for line in logs] == ["widget_failed"]
