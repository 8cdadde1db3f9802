"""A browser, and the page of a fresh demonstration in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo.browser import INSTALL, a_browser, a_demonstration, find_chromium

PATIENCE_MS = 15_000
"""For what takes a retry or a restart of the relay."""

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium here; it is installed by: {INSTALL}")
    with a_browser(path) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """The page of a fresh demonstration, ready; it must not complain in the console."""
    complaints: list[str] = []
    with a_demonstration() as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ru-RU")
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in {"error", "warning"} else None
            ),
        )
        page.goto(url)
        expect(page.locator("body[data-ready=true]")).to_be_attached()
        yield page
        assert complaints == []
        page.close()
