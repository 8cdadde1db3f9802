"""An administrator links a number in amoCRM's settings page, before a real browser."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.whole.linking import command
from tests.whole.settings_page import BORIS, OWN, Desk, desk, seen_text

pytestmark = pytest.mark.browser

OTHER = "74950000002"


def channel(page: Page) -> Locator:
    """The row of the only channel."""
    return page.locator(".relay-wa-channel")


async def begin(page: Page, name: str = "Подключить номер") -> Locator:
    """Press the button; the dialog with the code in it."""
    await channel(page).get_by_role("button", name=name).click()
    return page.get_by_role("dialog")


async def scanned(at: Desk, dialog: Locator) -> None:
    """The phone scans what the page shows and tells its name."""
    device = await at.phone.scan(await seen_text(dialog.locator("svg")))
    await device.online()
    await at.phone.share_names()


async def test_a_number_is_linked_by_its_qr_code(tmp_path: Path) -> None:
    """The page shows the channel unlinked, a code the phone can read, the number, the new state.

    The code stands in no log, and the button is gone afterwards.
    """
    async with desk(tmp_path) as at:
        page = await at.open()
        await expect(channel(page)).to_have_attribute("data-state", "unpaired")
        await expect(channel(page)).to_contain_text("не подключён")
        dialog = await begin(page)
        await expect(dialog).to_contain_text("Связанные устройства")
        text = await seen_text(dialog.locator("svg"))
        await expect(dialog).to_contain_text("Действует ещё")
        await scanned(at, dialog)
        await expect(dialog.get_by_role("status")).to_have_text(f"Номер подключён: +{OWN}, Sales.")
        await expect(dialog.locator("svg")).to_have_count(0)
        await at.relay.logged("session_state", state="connected")
        await dialog.get_by_role("button", name="Закрыть").click()
        await expect(channel(page)).to_have_attribute("data-state", "connected")
        await expect(channel(page)).to_contain_text(f"+{OWN} · работает")
        await expect(channel(page).get_by_role("button")).to_have_count(0)
        assert text not in json.dumps(at.relay.log, ensure_ascii=False)


async def test_a_number_is_linked_by_letters(tmp_path: Path) -> None:
    """No number is not asked for; eight letters, as large as they must be, link the phone."""
    async with desk(tmp_path) as at:
        page = await at.open(language="en")
        dialog = await begin(page, "Link the number")
        await dialog.get_by_role("button", name="Type a code instead").click()
        field = dialog.get_by_label("Number of this WhatsApp")
        await expect(field).to_be_focused()
        await field.fill("12")
        await field.press("Enter")
        await expect(dialog.get_by_role("status").first).to_contain_text("no telephone number")
        await field.fill("+7 (495) 000-00-01")
        await dialog.get_by_role("button", name="Get the code").click()
        letters = dialog.locator("output")
        await expect(letters).to_be_visible()
        await expect(dialog).to_contain_text("Link with phone number instead")
        await expect(dialog).to_contain_text("Good for")
        style = await letters.evaluate("(node) => ({...getComputedStyle(node)})")
        assert (style["fontSize"], style["userSelect"]) == ("30px", "all")
        device = await at.phone.enter_code(await letters.inner_text())
        await device.online()
        await at.phone.share_names()
        await expect(dialog.get_by_role("status").first).to_have_text(
            f"The number is linked: +{OWN}, Sales."
        )
        await dialog.get_by_role("button", name="Close").click()
        await expect(channel(page)).to_have_attribute("data-state", "connected")


async def test_a_wrong_number_is_told_and_the_right_one_linked(tmp_path: Path) -> None:
    """The page says whose phone that was, its device is gone, and the next attempt links."""
    sales = {"title": "Sales", "engine": "linked_device", "phone": f"+{OWN}"}
    async with desk(tmp_path, channels={"sales": sales}) as at:
        wrong = at.whatsapp.phone(OTHER, "Other")
        page = await at.open()
        dialog = await begin(page)
        device = await wrong.scan(await seen_text(dialog.locator("svg")))
        said = dialog.get_by_role("status").first
        await expect(said).to_contain_text(f"Это был +{OTHER}, а в файле у канала записан другой")
        assert device.removed
        await dialog.get_by_role("button", name="Ввести код вместо QR").click()
        await dialog.get_by_label("Номер этого WhatsApp").fill(f"+{OTHER}")
        await dialog.get_by_role("button", name="Получить код").click()
        await expect(said).to_contain_text(f"записан другой номер: +{OWN}")
        await dialog.get_by_role("button", name="Показать QR-код").click()
        await scanned(at, dialog)
        await expect(said).to_contain_text(f"+{OWN}")
        await expect(said).to_contain_text("Номер подключён")


async def hangs_up(at: Desk) -> None:
    """WhatsApp ends the line while the code is shown."""
    await (await at.whatsapp.registration()).hang_up()


async def demands_a_passkey(at: Desk) -> None:
    """WhatsApp demands what the relay does not have."""
    await (await at.whatsapp.registration()).demand_passkey()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (hangs_up, "Связь с WhatsApp прервалась"),
        (demands_a_passkey, "требует ключ доступа"),
    ],
    ids=["the line is lost", "a passkey is demanded"],
)
async def test_what_goes_wrong_is_told(
    tmp_path: Path, trouble: Callable[[Desk], Awaitable[None]], words: str
) -> None:
    """In the page's language, with what else there is; the same page tries again."""
    async with desk(tmp_path) as at:
        page = await at.open()
        dialog = await begin(page)
        await expect(dialog.locator("svg")).to_be_visible()
        await trouble(at)
        await expect(dialog.get_by_role("status")).to_contain_text(words)
        await expect(dialog.locator("svg")).to_have_count(0)
        await expect(channel(page)).to_have_attribute("data-state", "unpaired")
        await dialog.get_by_role("button", name="Повторить").click()
        await scanned(at, dialog)
        await expect(dialog.get_by_role("status")).to_contain_text("Номер подключён")


async def test_a_closed_dialog_ends_it(tmp_path: Path) -> None:
    """The Escape key closes it: the child ends, nothing is linked, and it can be begun again."""
    async with desk(tmp_path) as at:
        page = await at.open()
        dialog = await begin(page)
        await expect(dialog.locator("svg")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await at.relay.logged("pairing_ended", state="ended")
        assert at.phone.linked_devices() == []
        dialog = await begin(page)
        await expect(dialog.locator("svg")).to_be_visible()
        await page.evaluate("location.hash = '#/'")  # the page is left without closing it
        await at.relay.logged_times("pairing_ended", 2)


async def test_a_channel_that_was_linked_meanwhile(tmp_path: Path) -> None:
    """A page that has not heard of it is told whose number it is, and nothing happens to it."""
    async with desk(tmp_path) as at:
        page = await at.open()
        await page.route("**/widget/channels", lambda route: route.abort())
        environment = at.whatsapp.environment()
        async with command(at.config, environment, "pair", "sales") as pairing:
            device = await at.phone.scan(await pairing.line())
            await device.online()
            await at.phone.share_names()
            assert (await pairing.ended()).status == 0
        await at.relay.logged("session_state", state="connected")
        dialog = await begin(page)
        await expect(dialog.get_by_role("status")).to_contain_text(f"уже подключён +{OWN}")
        await page.unroute("**/widget/channels")
        await dialog.get_by_role("button", name="Закрыть").click()
        await expect(channel(page)).to_have_attribute("data-state", "connected")
        assert at.whatsapp.session(at.phone) is device


async def test_only_administrators_link(tmp_path: Path) -> None:
    """Others are shown neither channels nor a button, and the relay refuses them the call."""
    users = {BORIS: {"channels": ["sales"], "sections": ["users", "blacklist"]}}
    async with desk(tmp_path, users=users) as at:
        page = await at.open(BORIS)
        await expect(page.get_by_role("heading", name="Чёрный список")).to_be_visible()
        await expect(page.get_by_role("heading", name="Каналы WhatsApp")).to_have_count(0)
        await expect(channel(page)).to_have_count(0)
        assert "Подключить номер" not in await page.locator("#work_area").inner_text()
        for method, path in (
            ("POST", "/widget/pairings"),
            ("GET", "/widget/pairings/x"),
            ("DELETE", "/widget/pairings/x"),
            ("GET", "/widget/channels"),
        ):
            assert await page.evaluate(_CALL, [method, path]) == [403, "forbidden"]
        assert not [line for line in at.relay.log if line["event"] == "pairing_begun"]


_CALL = """async ([method, path]) => {
    const url = (await (await fetch('widget/script.js')).text())
        .match(/const BACKEND = "([^"]+)"/)[1];
    const data = method === 'POST' ? {channel: 'sales', phone: null} : undefined;
    try {
        await world.widget.$authorizedAjax({
            url: url + path, method: method, contentType: 'application/json',
            data: data && JSON.stringify(data),
        });
    } catch (answer) {
        return [answer.status, answer.responseJSON.code];
    }
}"""
