"""The widget's calls to a running relay."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import aiohttp

from relay.demo.pretended_amocrm import Answer
from tests.app.site import Site
from tests.widget.test_tokens import made

_SECRET = "secret-of-the-integration"


def widget_section(here: Site) -> dict[str, Any]:
    """The part of the file that the widget needs."""
    return {"integration": {"id": here.amocrm.identity.integration_id, "secret": _SECRET}}


def token(here: Site, secret: str = _SECRET, user: int = 17, **claims: object) -> str:
    """A fresh one-time token, as amoCRM gives one to its page."""
    now = int(time.time())
    ours: dict[str, object] = {
        "iss": here.amocrm.url,
        "aud": "https://relay.example.com",
        "jti": str(uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + 1800,
        "account_id": here.amocrm.identity.account_id,
        "user_id": user,
        "client_uuid": here.amocrm.identity.integration_id,
    }
    return made(secret, **(ours | claims))


async def call(
    here: Site, method: str, path: str, key: str | None = None, data: object = None
) -> tuple[int, Any]:
    """What a page of the account is answered."""
    headers = {"Origin": here.amocrm.url, "X-Auth-Token": token(here) if key is None else key}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, here.relay.hooks_url + path, headers=headers, json=data) as answer,
    ):
        body: Mapping[str, Any] = json.loads(await answer.read())
        return answer.status, body


async def test_a_client_who_writes_is_green_for_free(here: Site) -> None:
    """The button tells it; a used token does not, and a restart does not forget that."""
    here.save(amocrm=widget_section(here))
    await here.start_connected()
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.until_in_amocrm(1)
    used = token(here)
    path = "/widget/phones?phone=8%20900%20123-45-67&phone=%2B79001234568"
    status, said = await call(here, "GET", path, used)
    assert status == 200, said
    assert [each["state"] for each in said["phones"]] == ["registered", "unknown"]
    assert (await call(here, "GET", path, used))[0] == 401
    await here.relay.stop()
    here.amocrm.faults.add(Answer(502), "account")
    await here.start()  # amoCRM's word of the account's number is remembered
    assert (await call(here, "GET", path, used))[0] == 401
    assert (await call(here, "GET", path))[0] == 200
    here.check_log()


async def test_saving_the_file_acts_at_once(here: Site) -> None:
    """Without an integration there is no widget; secret and ``phone_check`` act by being saved."""
    await here.start_connected()
    path = "/widget/phones?phone=%2B79001234567"
    assert (await call(here, "GET", path))[1]["code"] == "not_configured"
    here.save(amocrm=widget_section(here))
    await here.relay.until_logged("config_reloaded")
    assert (await call(here, "GET", path))[0] == 200
    rotated = {"integration": {**widget_section(here)["integration"], "secret": "rotated"}}
    here.save(amocrm=rotated, settings={"phone_check": False}, language="en")
    await here.relay.until_logged("config_reloaded", 2)
    assert (await call(here, "GET", path))[0] == 401
    status, said = await call(here, "GET", path, token(here, "rotated"))
    assert (status, said["code"]) == (404, "phone_check_off")
    assert said["title"].startswith("The check")
    here.check_log()
