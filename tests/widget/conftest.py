"""A browser with the demonstration's page, and beside it the CRM's page with the widget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo.browser import client_writes
from tests.demo.conftest import browser, page, shared, shared_url

__all__ = ["browser", "page", "shared", "shared_url"]


@pytest.fixture
def card(page: Page, browser: Browser) -> Iterator[Page]:
    """The card of Anna, who has just written to the company; it must not throw."""
    client_writes(page, "Здравствуйте")
    expect(page.locator("#crm-chat").get_by_text("Здравствуйте")).to_be_visible()
    with _card(page, browser) as card:
        yield card


@pytest.fixture
def shared_card(shared: Page, browser: Browser) -> Iterator[Page]:
    """The same in the module's one demonstration, for a test that leaves it as it is."""
    with _card(shared, browser) as card:
        yield card


@contextmanager
def _card(page: Page, browser: Browser) -> Iterator[Page]:
    thrown: list[str] = []
    crm = browser.new_page(viewport={"width": 1200, "height": 800}, locale="ru-RU")
    crm.on("pageerror", lambda error: thrown.append(str(error)))
    crm.goto(page.locator("#cards").get_attribute("href") or "")
    expect(crm.locator("body[data-ready=true]")).to_be_attached()
    crm.get_by_role("link", name="Анна").click()
    expect(crm.locator(".linked-form__field").first).to_be_visible()
    yield crm
    assert thrown == []
    crm.close()
