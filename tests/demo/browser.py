"""Debian's Chromium, the demonstration as its user starts it, and what a person does there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    TimeoutError,  # noqa: A004  its own, that of no answer
    expect,
    sync_playwright,
)

INSTALL = "apt-get install chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that beeps
    "--use-fake-ui-for-media-stream",
)
_PATIENCE_S = 60
_MOMENT_MS = 3_000
_FOLLOWED = 15  # times

LONG_MS = 60_000
"""For what must happen, but in the time of a recording, on a machine that is out of breath."""


def find_chromium() -> str | None:
    """The browser of this machine, if it has one; nothing is downloaded."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def a_browser(path: str) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def a_demonstration() -> Iterator[str]:
    """``relay demo`` in a process of its own; its address. It must end in good order."""
    with subprocess.Popen(
        [sys.executable, "-m", "relay", "demo", "--no-open", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.terminate()
            assert process.wait(_PATIENCE_S) == 0


@contextmanager
def fresh_page(browser: Browser, url: str) -> Iterator[Page]:
    """The page of a running demonstration, ready; it must not complain in the console."""
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ru-RU")
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.extend(_complaints(said)))
    page.goto(url)
    expect(page.locator("body[data-ready=true]")).to_be_attached()
    yield page
    assert complaints == [], complaints
    page.close()


def _complaints(said: ConsoleMessage) -> Iterator[str]:
    if said.type in {"error", "warning"}:
        yield f"{said.text} ({said.location['url']})"


# --- What a person does on the page ---------------------------------------------------------------


def client_writes(page: Page, text: str) -> None:
    """On the phone that is shown."""
    page.get_by_label("Сообщение").and_(page.locator("#phone-text")).fill(text)
    page.locator("#phone-form").get_by_role("button", name="Отправить").click()


def manager_writes(page: Page, text: str) -> None:
    """In the chat that is shown."""
    page.locator("#crm-text").fill(text)
    page.locator("#crm-form").get_by_role("button", name="Отправить").click()


def attach(page: Page, side: str, sample: str) -> None:
    """On the ``phone`` or in the ``crm``: take a sample from the menu of the clip."""
    page.locator(f"#{side}-form").get_by_role("button", name="Прикрепить").click()
    page.locator(f"#{side}-menu").get_by_role("button", name=sample, exact=True).click()


def choose(page: Page, side: str, name: str, data: bytes, mime: str = "") -> None:
    """Take a file from the disk."""
    with page.expect_file_chooser() as chooser:
        attach(page, side, "Файл с диска…")
    file = FilePayload(name=name, mimeType=mime or "application/octet-stream", buffer=data)
    chooser.value.set_files(file)


def send(page: Page, side: str, caption: str = "") -> None:
    """Send what was taken, with these words."""
    page.locator(f"#{side}-text").fill(caption)
    page.locator(f"#{side}-form").get_by_role("button", name="Отправить").click()


def press(bubble: Locator, deed: str) -> None:
    """What may be done with a message is shown when the pointer is over it.

    What arrives in that moment moves it away from there: then the pointer follows, as a person's.
    """
    button = bubble.get_by_role("button", name=deed)
    for _ in range(_FOLLOWED):
        bubble.hover()
        with suppress(TimeoutError):
            button.click(timeout=_MOMENT_MS)
            return
    raise AssertionError(f"{deed} was never under the pointer")


def write_first(page: Page, phone: str, text: str) -> None:
    """A manager begins a conversation."""
    page.get_by_role("button", name="Написать первым").click()
    form = page.locator("#first-form")
    form.get_by_label("Номер").fill(phone)
    form.get_by_label("Сообщение").fill(text)
    form.get_by_role("button", name="Отправить").click()


def save(page: Page, old: str, new: str) -> None:
    """Edit the file and save it."""
    field = page.get_by_role("textbox", name="Файл настроек")
    text = field.input_value()
    assert old in text
    field.fill(text.replace(old, new))
    page.get_by_role("button", name="Сохранить").click()


def in_crm(page: Page) -> list[str]:
    """The texts of amoCRM's chat, in order."""
    return page.locator("#crm-chat .said").all_text_contents()


# --- What is seen there -----------------------------------------------------------------------


def phone(page: Page, inside: str) -> Locator:
    """That part of the latest message on the phone."""
    return page.locator("#phone-chat .bubble").last.locator(inside)


def crm(page: Page, inside: str) -> Locator:
    """That part of the latest message in amoCRM."""
    return page.locator("#crm-chat .bubble").last.locator(inside)


def width_of(picture: Locator) -> int:
    """Of the picture itself, once it has come."""
    return int(once(picture, "(img) => img.complete && img.naturalWidth"))


def once(node: Locator, holds: str) -> Any:
    """What the function says of the element, as soon as that is true."""
    handle = node.element_handle()
    return node.page.wait_for_function(holds, arg=handle, timeout=LONG_MS).json_value()


def bytes_behind(page: Page, link: Locator) -> bytes:
    """What a click on it saves."""
    with page.expect_download() as waited:
        link.click()
    return Path(waited.value.path()).read_bytes()
