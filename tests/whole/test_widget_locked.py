"""The settings page of a relay that may read its file and not write it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import expect

import relay
from tests.whole.settings_page import desk

pytestmark = pytest.mark.browser

SERVICE = 61_234
"""A user that owns nothing here but the storage directory, as the service's does."""


@pytest.fixture
def etc() -> Iterator[Path]:
    """The administrator's directory, in a place that everybody may enter."""
    base = Path(tempfile.mkdtemp(prefix="relay-locked-"))
    base.chmod(0o755)
    (base / "etc").mkdir(mode=0o755)
    (base / "var").mkdir(mode=0o700)
    yield base / "etc"
    (base / "etc").chmod(0o755)
    shutil.rmtree(base)


def as_service(var: Path) -> Sequence[str]:
    """Starts a command as the service's user, which owns its storage directory."""
    if os.geteuid() != 0:
        return ()
    os.chown(var, SERVICE, SERVICE)
    drop = ("setpriv", f"--reuid={SERVICE}", f"--regid={SERVICE}", "--clear-groups")
    if not all(map(_is_open, (Path(sys.executable).resolve(), Path(relay.__file__).resolve()))):
        return (*drop, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    return drop


def forbid(directory: Path) -> None:
    """Nothing is made in it any more."""
    directory.chmod(0o555)


def names(directory: Path) -> list[str]:
    """What is in it."""
    return [path.name for path in directory.iterdir()]


def _is_open(path: Path) -> bool:
    """Whether everybody may enter all that leads there: Python, or the relay itself."""
    return all(parent.stat().st_mode & 0o001 for parent in path.parents)


async def test_a_file_that_may_not_be_written(etc: Path) -> None:
    """The page says so when it is opened and when one saves, with the one command that helps.

    Nothing is written before; after that very command the same page saves, and it is in force.
    """
    var = etc.with_name("var")
    under = as_service(var)
    async with desk(etc, under=under, storage={"directory": str(var)}) as at:
        if not under:  # the directory is ours, so we take the right away
            forbid(etc)
        before = at.config.read_bytes()
        page = await at.open()
        status = page.locator(".relay-wa-status")
        await expect(status).to_contain_text("Служба не может записать файл настроек.")
        await page.get_by_label("Кнопка WhatsApp у каждого номера").uncheck()
        async with page.expect_response(lambda answer: answer.request.method == "PATCH") as tried:
            await page.get_by_role("button", name="Сохранить", exact=True).click()
        assert not (await tried.value).ok
        await expect(page.get_by_text("Изменений: 1")).to_be_visible()
        await expect(status).to_contain_text("Выполните на сервере:")
        assert at.config.read_bytes() == before
        assert names(etc) == ["config.yaml"]
        said = await status.inner_text()
        command = said.partition("Выполните на сервере:")[2].strip()
        assert re.fullmatch(r"(chown|chmod) [^;&|]+", command)
        ran = await asyncio.create_subprocess_exec(*command.split())
        assert await ran.wait() == 0
        await page.get_by_role("button", name="Сохранить", exact=True).click()
        await expect(status).to_have_text("Сохранено, уже действует.")
        await at.relay.logged("settings_changed", user=17)
        await at.relay.logged("config_reloaded")
        assert b"phone_check: false" in at.config.read_bytes()
