"""A browser, and the page of a fresh demonstration in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.demo.browser import (
    INSTALL,
    a_browser,
    a_demonstration,
    client_writes,
    find_chromium,
    fresh_page,
)

PATIENCE_MS = 60_000
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
    with a_demonstration() as url, fresh_page(browser, url) as page:
        yield page


@pytest.fixture(scope="module")
def shared_url(browser: Browser) -> Iterator[str]:
    """One demonstration for all of a module: each test speaks of its own messages alone."""
    with a_demonstration() as url:
        yield url


@pytest.fixture
def shared(browser: Browser, shared_url: str) -> Iterator[Page]:
    """A page of it in which everything has come that was sent before."""
    with fresh_page(browser, shared_url) as page:
        client_writes(page, "Начнём")
        expect(page.locator("#crm-chat .said").last).to_have_text("Начнём")
        yield page
