"""The widget's calls to a running relay."""

from __future__ import annotations

import base64
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
    here: Site,
    method: str,
    path: str,
    key: str | None = None,
    data: object = None,
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


async def test_a_bad_token_opens_nothing(here: Site) -> None:
    """Forged, unsigned, expired, of the future, of another account, page or integration: 401."""
    here.save(amocrm=widget_section(here))
    await here.start_connected()
    now = int(time.time())
    head, _, rest = token(here).partition(".")
    unsigned = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"none"}').decode().rstrip("=")
    bad = {
        "": "none at all",
        "x.y.z": "garbage",
        token(here, "another secret"): "forged",
        f"{unsigned}.{rest.partition('.')[0]}.": "alg none, no signature",
        f"{unsigned}.{rest}": "alg none, the signature of HS256",
        f"{head}.{rest[:-6]}AAAAAA": "a broken signature",
        token(here, exp=now - 3600, iat=now - 5400, nbf=now - 5400): "expired",
        token(here, nbf=now + 3600): "not valid yet",
        token(here, account_id=4711): "another account's",
        token(here, iss="https://evil.amocrm.ru"): "another account's page",
        token(here, aud="https://evil.example"): "for another relay",
        token(here, client_uuid=str(uuid4())): "another integration's",
    }
    calls = [
        ("GET", "/widget/settings"),
        ("PATCH", "/widget/settings"),
        ("GET", "/widget/channels"),
        ("GET", "/widget/blacklist"),
        ("POST", "/widget/pairings"),
        ("GET", "/widget/phones?phone=%2B79001234567"),
    ]
    for method, path in calls:
        for each, what in bad.items():
            status, said = await call(here, method, path, each)
            assert (status, said["code"]) == (401, "token_refused"), (what, path)
            assert said.keys() == {"type", "title", "status", "code", "detail"}, what
    assert (await call(here, *calls[0]))[0] == 200
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


async def test_a_setting_is_changed_in_the_file_and_acts(here: Site) -> None:
    """By an administrator of the account; the file keeps its form, the log tells who it was."""
    here.save(amocrm=widget_section(here))
    file = here.outfit.config
    text = "# by hand\n" + file.read_text() + "settings:\n  phone_check: true   # the buttons\n"
    file.write_text(text)
    await here.start_connected()
    await here.relay.until_logged("users_learned")
    status, shown = await call(here, "GET", "/widget/settings")
    assert status == 200, shown
    assert shown["administrator"]
    assert shown["settings"]["phone_check"] is True
    assert {"id": 18, "name": "Boris", "administrator": False} in shown["account_users"]
    assert [each["state"] for each in shown["channels"]] == ["connected"]
    wish = {
        "version": shown["version"],
        "settings": {"phone_check": False, "blacklist": {"add": ["+7 900 555-*"], "remove": []}},
        "users": {"18": {"channels": ["sales"], "name": "Boris: #1", "sections": ["blacklist"]}},
    }
    status, after = await call(here, "PATCH", "/widget/settings", data=wish)
    assert status == 200, after
    assert after["settings"]["phone_check"] is False
    boris = '  18:\n    name: "Boris: #1"\n    channels: [sales]\n    sections: [blacklist]\n'
    before, settings = text.split("settings:\n")
    settings = settings.replace("phone_check: true ", "phone_check: false ")
    settings += '  blacklist: ["+7900555*"]\n'
    assert file.read_text() == f"{before}{boris}settings:\n{settings}"
    line = await here.relay.until_logged("settings_changed", user=17, name="Olga")
    assert "blacklist: +1 pattern" in str(line["changes"])
    await here.relay.until_logged("config_reloaded")
    assert (await call(here, "GET", "/widget/phones?phone=%2B79001234567"))[0] == 404
    status, said = await call(here, "PATCH", "/widget/settings", data=wish)
    assert (status, said["code"]) == (409, "stale")
    assert said["current"]["version"] == after["version"]
    boris = token(here, user=18)
    status, shown = await call(here, "GET", "/widget/settings", boris)
    assert shown["settings"] == {"blacklist": {"total": 1}}
    wish = {"version": shown["version"], "settings": {"phone_check": True}}
    status, said = await call(here, "PATCH", "/widget/settings", token(here, user=18), wish)
    assert (status, said["code"]) == (403, "forbidden")
    here.check_log()


async def test_mistakes_of_the_file_and_of_a_wish_change_nothing(here: Site) -> None:
    """Told with their places; what a hand has spoilt meanwhile is not touched."""
    here.save(amocrm=widget_section(here))
    await here.start_connected()
    await here.relay.until_logged("users_learned")
    file = here.outfit.config
    shown = (await call(here, "GET", "/widget/settings"))[1]
    wish = {"version": shown["version"], "settings": {"default_channel": "nowhere"}}
    status, said = await call(here, "PATCH", "/widget/settings", data=wish)
    assert (status, said["code"]) == (422, "invalid")
    assert said["errors"][0]["path"] == "settings.default_channel"
    text = file.read_text() + "settigs: {}\n"
    file.write_text(text)
    await here.relay.until_logged("config_rejected")
    shown = (await call(here, "GET", "/widget/settings"))[1]
    assert "settigs" in shown["trouble"]
    wish = {"version": shown["version"], "settings": {"phone_check": False}}
    status, said = await call(here, "PATCH", "/widget/settings", data=wish)
    assert (status, said["code"]) == (422, "invalid")
    assert file.read_text() == text
    here.check_log()
