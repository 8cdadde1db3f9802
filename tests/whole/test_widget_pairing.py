"""A number is linked from a page inside amoCRM: a real relay, its real child, a phone."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.app import files
from tests.whatsapp_server import WhatsAppServer
from tests.whole.daemon import relay_run
from tests.widget.test_tokens import made

OWN = "74950000001"
_SECRET = "secret-of-the-integration"
_PATIENCE_S = 60.0


class Page:
    """A page of the account, with Olga, an administrator, before it."""

    def __init__(self, amocrm: PretendedAmoCRM, session: aiohttp.ClientSession, url: str) -> None:
        self._amocrm = amocrm
        self._session = session
        self._url = url

    async def call(self, method: str, path: str, data: object = None) -> dict[str, Any]:
        now, identity = int(time.time()), self._amocrm.identity
        token = made(
            _SECRET,
            iss=self._amocrm.url,
            aud="https://relay.example.com",
            jti=str(uuid4()),
            iat=now,
            nbf=now,
            exp=now + 1800,
            account_id=identity.account_id,
            user_id=17,
            client_uuid=identity.integration_id,
        )
        headers = {"X-Auth-Token": token, "Origin": self._amocrm.url}
        async with self._session.request(
            method, self._url + path, headers=headers, json=data
        ) as answer:
            said: dict[str, Any] = json.loads(await answer.read())
        assert answer.status == 200, said
        return said

    async def until(self, id_: str, *states: str, code: bool = False) -> dict[str, Any]:
        """The pairing, once it stands so: asked for twice a second, as the page does."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                said = await self.call("GET", f"/widget/pairings/{id_}")
                if said["state"] in states and (not code or said["code"] or said["qr"]):
                    return said
                assert said["state"] in ("starting", "waiting"), said
                await asyncio.sleep(0.5)


async def test_a_number_is_linked_from_inside_amocrm(tmp_path: Path) -> None:
    """Letters shown on the page link the number, and the running relay connects at once.

    The QR code before them was a real one, and ending it has left the channel as it was.
    """
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        phone, config = whatsapp.phone(OWN, "Sales"), tmp_path / "config.yaml"
        integration = {"id": amocrm.identity.integration_id, "secret": _SECRET}
        files.save(config, files.config(amocrm, amocrm={"integration": integration}))
        async with (
            relay_run(config, whatsapp.environment()) as relay,
            aiohttp.ClientSession() as session,
        ):
            await relay.logged("session_state", state="unpaired")
            await relay.logged("users_learned")
            url = f"http://{(await relay.logged('listening'))['hooks']}"
            page = Page(amocrm, session, url)
            first = await page.call("POST", "/widget/pairings", {"channel": "sales"})
            shown = await page.until(first["id"], "waiting", code=True)
            assert len(shown["qr"]) == len(shown["qr"][0]) >= 21
            ended = await page.call("DELETE", f"/widget/pairings/{first['id']}")
            assert ended["state"] == "ended"
            wish = {"channel": "sales", "phone": f"+{OWN}"}
            second = await page.call("POST", "/widget/pairings", wish)
            shown = await page.until(second["id"], "waiting", code=True)
            device = await phone.enter_code(shown["code"])
            await device.online()
            await phone.share_names()
            await page.until(second["id"], "linked")
            await relay.logged("session_state", state="connected")
            channels = (await page.call("GET", "/widget/settings"))["channels"]
            assert [(each["state"], each["own"]) for each in channels] == [("connected", f"+{OWN}")]
            log = json.dumps(relay.log)
            assert shown["code"] not in log
            assert await relay.terminate() == 0
        assert relay.strange == []
