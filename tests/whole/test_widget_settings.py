"""Several people, the administrator's own editor and a relay that stops, around one file."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Locator, Page, expect

from relay.demo.pretended_amocrm import BORIS, OLGA, Identity
from tests.whole.daemon import relay_run
from tests.whole.settings_page import desk

pytestmark = pytest.mark.browser

SAVED = "Сохранено, уже действует."


def status(page: Page) -> Locator:
    """Where the page tells how it went."""
    return page.locator(".relay-wa-status")


async def save(page: Page) -> None:
    """Press the button."""
    await page.get_by_role("button", name="Сохранить", exact=True).click()


async def add_number(page: Page, number: str) -> None:
    """Into the blacklist, not saved yet."""
    await page.get_by_label("Добавить номера").fill(number)
    await page.get_by_role("button", name="Добавить", exact=True).click()


def said(config: Path) -> dict[str, dict[str, object]]:
    """What the file says."""
    tree: dict[str, dict[str, object]] = yaml.safe_load(config.read_text())
    return tree


def edit(config: Path, old: str, new: str) -> None:
    """By hand, on the server."""
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


async def test_two_pages_at_once(tmp_path: Path) -> None:
    """Who saves second is shown what the first has changed, and puts his own on top of it."""
    boris = {"channels": ["sales"], "sections": ["blacklist"]}
    async with desk(tmp_path, users={BORIS.id: boris}) as at:
        first, second = await at.open(OLGA.id), await at.open(BORIS.id)
        await add_number(first, "+79001234567")
        await add_number(second, "8 (900) 765-43-21")
        await save(first)
        await expect(status(first)).to_have_text(SAVED)
        await save(second)
        await expect(status(second)).to_contain_text("тем временем изменил кто-то другой")
        await expect(status(second)).to_contain_text("Чёрный список: 0 → 1")
        assert said(at.config)["settings"] == {"blacklist": ["+79001234567"]}
        await second.get_by_role("button", name="Сохранить мои изменения поверх").click()
        await expect(status(second)).to_have_text(SAVED)
        assert said(at.config)["settings"] == {"blacklist": ["+79001234567", "+79007654321"]}
        for user in (OLGA, BORIS):
            await at.relay.logged("settings_changed", user=user.id, name=user.name)


async def test_theirs_may_be_taken_instead(tmp_path: Path) -> None:
    """Somebody edits the file by hand: nothing is overwritten, and his words can be taken."""
    async with desk(tmp_path, settings={"error_label": "[A]"}) as at:
        page = await at.open()
        await page.get_by_label("Начало такого ответа").fill("[C]")
        edit(at.config, "error_label: '[A]'", "error_label: '[B]'  # Anna")
        await at.relay.logged("config_reloaded")
        await save(page)
        await expect(status(page)).to_contain_text("Начало такого ответа: [A] → [B]")
        await page.get_by_role("button", name="Взять как есть сейчас").click()
        await expect(page.get_by_label("Начало такого ответа")).to_have_value("[B]")
        await expect(page.get_by_text("Изменений:")).to_be_hidden()
        assert "error_label: '[B]'  # Anna" in at.config.read_text()


async def test_a_right_that_is_gone_meanwhile(tmp_path: Path) -> None:
    """The page still shows the section; the relay takes nothing for it any more."""
    boris = {"channels": ["sales"], "sections": ["blacklist"]}
    async with desk(tmp_path, users={BORIS.id: boris}) as at:
        page = await at.open(BORIS.id)
        await add_number(page, "+79001234567")
        edit(at.config, "    sections:\n    - blacklist\n", "")
        await at.relay.logged("config_reloaded")
        before = at.config.read_bytes()
        await save(page)
        await expect(status(page)).to_contain_text("Этот раздел вам не открыт")
        assert at.config.read_bytes() == before
        assert not [line for line in at.relay.log if line["event"] == "settings_changed"]


async def test_a_mistake_by_hand_is_not_written_over(tmp_path: Path) -> None:
    """A file that somebody is just spoiling is left alone, and the page tells its mistake."""
    async with desk(tmp_path) as at:
        page = await at.open()
        await page.get_by_label("Кнопка WhatsApp у каждого номера").uncheck()
        edit(at.config, "channels:", "chanels:")
        await at.relay.logged("config_rejected")
        before = at.config.read_bytes()
        await save(page)
        await expect(status(page)).to_contain_text("В файле настроек ошибка")
        await expect(status(page)).to_contain_text("chanels")
        assert at.config.read_bytes() == before


HOSTILE = "<img src=x onerror=\"document.title='bad'\">'&amp;{{n}}"


async def test_names_are_never_read_as_html(tmp_path: Path) -> None:
    """Titles, users' names here and there, signatures, labels: each is shown to the letter."""
    channels = {"sales": {"title": f"T {HOSTILE}", "engine": "linked_device"}}
    user = {"name": f"N {HOSTILE}", "channels": ["sales"], "signature": f"S {HOSTILE}"}
    label = {"error_label": f"L {HOSTILE}"}
    people = Identity(users=(OLGA, replace(BORIS, name=f"B {HOSTILE}")))
    sections: dict[str, Any] = {"channels": channels, "users": {4711: user}, "settings": label}
    async with desk(tmp_path, identity=people, **sections) as at:
        page = await at.open()
        await expect(page.locator(".relay-wa-channel")).to_contain_text(f"T {HOSTILE}")
        row = page.locator("details")
        await expect(row.locator("summary")).to_have_text(f"N {HOSTILE} — T {HOSTILE}")
        await row.locator("summary").click()
        signature = page.get_by_label("Подпись под каждым сообщением")
        await expect(signature).to_have_value(f"S {HOSTILE}")
        field = page.get_by_role("textbox", name="Начало такого ответа")
        await expect(field).to_have_value(f"L {HOSTILE}")
        await page.get_by_label("Добавить сотрудника…").select_option(f"B {HOSTILE}")
        await expect(row.first.locator("b")).to_have_text(f"B {HOSTILE}")
        await page.locator(".relay-wa-channel").get_by_role("button").click()
        await expect(page.get_by_role("dialog").get_by_role("heading")).to_have_text(f"T {HOSTILE}")
        assert await page.locator("#work_area img").count() == 0
        assert await page.title() == "CRM понарошку"


async def test_a_relay_that_is_down_for_a_while(tmp_path: Path) -> None:
    """The open page says so, keeps what was typed, and saves it once the relay is back."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    async with desk(tmp_path, server={"listen": listen}) as at:
        page = await at.open()
        section = page.locator(".relay-wa-away")
        await page.get_by_label("Начало такого ответа").fill("[C]")
        assert await at.relay.terminate() == 0
        away = "Реле не отвечает. Попробуйте позже."
        await expect(section).to_contain_text(away)
        await save(page)
        await expect(status(page)).to_have_text(away)
        await expect(page.get_by_text("Изменений: 1")).to_be_visible()
        environment = at.whatsapp.environment()
        async with relay_run(at.config, environment) as again:
            await again.logged("ready")
            await expect(section).to_have_count(0)
            await save(page)
            await expect(status(page)).to_have_text(re.compile(SAVED))
            assert said(at.config)["settings"] == {"error_label": "[C]"}
            assert await again.terminate() == 0
