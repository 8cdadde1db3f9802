"""Debian's Chromium on the demonstration as its user starts it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

INSTALL = "apt-get install chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_S = 20


def find_chromium() -> str | None:
    """The browser of this machine, if it has one; nothing is downloaded."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def a_browser(path: str) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
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
