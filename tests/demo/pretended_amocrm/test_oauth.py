"""Laws of OAuth: a code once, a refresh token once, each in its time."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.demo.pretended_amocrm.peers import Answered, Client, Clock

REDIRECT = "https://relay.example.com/amocrm/oauth"
DAY = 86_400_000


@pytest.fixture
def asked(bare: PretendedAmoCRM) -> PretendedAmoCRM:
    bare.oauth.redirect_uri = REDIRECT
    return bare


async def consent(client: Client, **changes: str) -> dict[str, str]:
    """What the administrator's browser brings to the redirect address."""
    query = {"client_id": client.server.identity.integration_id, "state": "s", "mode": "popup"}
    params = query | changes
    url = client.server.url + "/oauth"
    async with client.session.get(url, params=params, allow_redirects=False) as answer:
        assert answer.status == 302
        where = answer.headers["Location"]
    assert where.startswith(REDIRECT + "?")
    return {key: value for key, [value] in parse_qs(urlsplit(where).query).items()}


async def exchange(client: Client, kind: str, key: str, value: str, **changes: Any) -> Answered:
    identity = client.server.identity
    body = {
        "client_id": identity.integration_id,
        "client_secret": identity.integration_secret,
        "grant_type": kind,
        "redirect_uri": REDIRECT,
        key: value,
    } | changes
    headers = {"Content-Type": "application/json"}
    return await client.send("POST", "/oauth2/access_token", json.dumps(body).encode(), headers)


async def by_code(client: Client, code: str, **changes: Any) -> Answered:
    return await exchange(client, "authorization_code", "code", code, **changes)


async def by_refresh(client: Client, token: str) -> Answered:
    return await exchange(client, "refresh_token", "refresh_token", token)


async def test_consent_leads_to_tokens_that_open(asked: PretendedAmoCRM, client: Client) -> None:
    """The code comes with state and account; its tokens open the REST API for a day."""
    back = await consent(client, state="abc")
    assert (back["state"], back["referer"]) == ("abc", f"127.0.0.1:{asked.port}")
    tokens = (await by_code(client, back["code"])).json
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 86_400)
    assert (await client.rest("GET", "account", token=tokens["access_token"])).status == 200


async def test_an_access_token_lives_a_day(
    asked: PretendedAmoCRM, client: Client, clock: Clock
) -> None:
    """After 24 hours it is 401."""
    tokens = (await by_code(client, (await consent(client))["code"])).json
    clock.ms += DAY
    assert (await client.rest("GET", "account", token=tokens["access_token"])).status == 401
    assert asked.violations[-1].code == "Unauthorized"


async def test_a_code_is_good_once_and_for_twenty_minutes(
    asked: PretendedAmoCRM, client: Client, clock: Clock
) -> None:
    """A second use, or a late one, is refused."""
    code = (await consent(client))["code"]
    assert (await by_code(client, code)).status == 200
    assert (await by_code(client, code)).status == 400
    late = (await consent(client))["code"]
    clock.ms += 20 * 60_000
    assert (await by_code(client, late)).status == 400


async def test_a_refresh_token_is_good_once(asked: PretendedAmoCRM, client: Client) -> None:
    """Each refresh gives a new one, and ends both tokens of the pair before."""
    first = (await by_code(client, (await consent(client))["code"])).json
    second = (await by_refresh(client, first["refresh_token"])).json
    assert (await by_refresh(client, first["refresh_token"])).status == 401
    assert (await client.rest("GET", "account", token=first["access_token"])).status == 401
    assert (await client.rest("GET", "account", token=second["access_token"])).status == 200
    asked.oauth.old_access_lives = True
    assert (await client.rest("GET", "account", token=first["access_token"])).status == 200


async def test_an_unused_refresh_token_lives_three_months(
    asked: PretendedAmoCRM, client: Client, clock: Clock
) -> None:
    """Then a new consent is needed; and at once if the administrator takes his back."""
    first = (await by_code(client, (await consent(client))["code"])).json
    clock.ms += 90 * DAY
    assert (await by_refresh(client, first["refresh_token"])).status == 401
    again = (await by_code(client, (await consent(client))["code"])).json
    asked.oauth.revoke()
    assert (await by_refresh(client, again["refresh_token"])).status == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_id": "x"}, 401),
        ({"client_secret": "x"}, 401),
        ({"redirect_uri": "https://evil.example"}, 400),
        ({"grant_type": "password"}, 400),
        ({"scope": "all"}, 400),
        ({"redirect_uri": 5}, 400),
    ],
)
async def test_a_wrong_exchange_is_refused(
    asked: PretendedAmoCRM, client: Client, changes: dict[str, Any], status: int
) -> None:
    """And the code stays good for the right one."""
    code = (await consent(client))["code"]
    assert (await by_code(client, code, **changes)).status == status
    assert (await by_code(client, code)).status == 200


async def test_a_refusal_comes_back_without_a_code(asked: PretendedAmoCRM, client: Client) -> None:
    """An administrator who says no is led back with an error."""
    asked.oauth.consent = "refused"
    back = await consent(client)
    assert (back["error"], back.get("code")) == ("access_denied", None)


async def test_the_page_knows_its_integration(asked: PretendedAmoCRM, client: Client) -> None:
    """A client_id nobody has, or no mode, leads nowhere."""
    for query in ("client_id=x&state=s&mode=popup", f"client_id={asked.oauth.client_id}&state=s"):
        answer = await client.send("GET", f"/oauth?{query}", b"", {})
        assert answer.status in (404, 400)
