"""amoCRM's settings page in a real Chromium, before a real relay with a real WhatsApp client."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error, Locator, Page, async_playwright, expect

from relay.demo.pretended_amocrm import Identity, PretendedAmoCRM
from relay.widget.archive import build_archive
from tests.app import files
from tests.demo.browser import ARGUMENTS, INSTALL, find_chromium
from tests.whatsapp_server import Phone, WhatsAppServer
from tests.whole.daemon import Daemon, relay_run
from tests.widget.qr_reader import read

OWN = "74950000001"
OLGA, BORIS = 17, 18  # an administrator of the account, and a manager
PATIENCE_MS = 60_000
_PICTURES = 20

expect.set_options(timeout=PATIENCE_MS)

_PIXELS = """async ([png, side]) => {
    const picture = await createImageBitmap(await (await fetch(png)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const paper = canvas.getContext('2d');
    paper.drawImage(picture, 0, 0);
    const at = (unit, length) => Math.floor((unit + 0.5) * length / side);
    const units = [...Array(side).keys()];
    return units.map((y) => units.map((x) => {
        const place = [at(x, picture.width), at(y, picture.height), 1, 1];
        const [r, g, b] = paper.getImageData(...place).data;
        return r + g + b < 384 ? 1 : 0;
    }));
}"""


@dataclass
class Desk:
    """Who sits before amoCRM, and everything behind it."""

    whatsapp: WhatsAppServer
    amocrm: PretendedAmoCRM
    phone: Phone
    config: Path
    browser: Browser
    relay: Daemon

    async def open(self, user: int = OLGA, language: str = "ru") -> Page:
        """The settings page as a user has it; whatever throws on it fails the test."""
        page = await self.browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        await page.goto(f"{self.amocrm.url}/ui/?user={user}&lang={language}#/settings")
        await expect(page.locator("body[data-ready=true]")).to_be_attached()
        status = page.locator(".relay-wa-status")
        await expect(status).not_to_have_text(re.compile("Загружаем|Loading"))
        return page


def configured(amocrm: PretendedAmoCRM, **sections: Any) -> files.Tree:
    """A file with the widget in it."""
    integration = {
        "id": amocrm.identity.integration_id,
        "secret": amocrm.identity.integration_secret,
    }
    return files.config(amocrm, amocrm={"integration": integration}, **sections)


@asynccontextmanager
async def desk(
    directory: Path,
    *,
    under: Sequence[str] = (),
    identity: Identity | None = None,
    **sections: Any,
) -> AsyncIterator[Desk]:
    """A relay with one channel that nobody has linked, as the file's ``sections`` change it.

    Once the file is written, ``under`` starts the relay.
    """
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium here; it is installed by: {INSTALL}")
    async with (
        WhatsAppServer() as whatsapp,
        PretendedAmoCRM(identity) as amocrm,
        async_playwright() as playwright,
    ):
        config = directory / "config.yaml"
        files.save(config, configured(amocrm, **sections))
        environment = whatsapp.environment()
        environment.pop("INVOCATION_ID", None)  # it is no service, even if the tests are
        async with relay_run(config, environment, under=under) as relay:
            url = f"http://{(await relay.logged('listening'))['hooks']}"
            await relay.logged("users_learned")
            amocrm.ui.token_audience = "https://relay.example.com"
            amocrm.ui.upload_widget(build_archive(url, "1.0.0"))
            browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            phone = whatsapp.phone(OWN, "Sales")
            yield Desk(whatsapp, amocrm, phone, config, browser, relay)
            await browser.close()
            assert await relay.terminate() == 0
        assert relay.strange == []


async def seen_text(code: Locator) -> str:
    """What the QR code says whose pixels the browser shows."""
    await expect(code).to_be_visible()
    side = int((await code.get_attribute("viewBox") or "").rpartition(" ")[2])
    png = base64.b64encode(await _picture(code)).decode()
    pixels = await code.page.evaluate(_PIXELS, [f"data:image/png;base64,{png}", side])
    assert not any(map(any, [*pixels[:4], *pixels[-4:]]))  # the quiet zone
    return read([row[4:-4] for row in pixels[4:-4]])


async def _picture(code: Locator) -> bytes:
    """A page that draws the code anew may do so in the middle of a picture."""
    for _ in range(_PICTURES):
        try:
            return await code.screenshot()
        except Error as error:
            if "not attached" not in str(error):
                raise
    raise AssertionError("the code is drawn anew all the time")
