"""The file changes under a running relay: it acts at once, or not at all."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay.demo.pretended_amocrm import Identity, PretendedAmoCRM
from tests.app import files
from tests.app.site import Site
from tests.app.traffic import Traffic

ANNA = "79001234567"
_DEFAULT = {"default_channel": "sales"}
_BOTH = {"sales": files.SALES, "support": files.SUPPORT}


def in_place(path: Path, text: str) -> None:
    """As ``cat >`` saves."""
    path.write_text(text, encoding="utf-8")


def by_rename(path: Path, text: str) -> None:
    """As vim and most editors save."""
    beside = path.with_name("config.yaml~")
    beside.write_text(text, encoding="utf-8")
    beside.rename(path)


def by_link(path: Path, text: str) -> None:
    """As Kubernetes and deployment tools save: a link is switched to another file."""
    number = len(list(path.parent.glob("version-*")))
    version = path.with_name(f"version-{number}")
    version.write_text(text, encoding="utf-8")
    link = path.with_name("link.new")
    link.symlink_to(version.name)
    link.rename(path)


Save = Callable[[Path, str], None]


def _text(here: Site, **sections: Any) -> str:
    return files.text(files.config(here.amocrm, **sections))


@pytest.mark.parametrize("save", [in_place, by_rename, by_link])
async def test_however_the_editor_saves(here: Site, save: Save) -> None:
    """A saved change is taken, told as a list of changes in words, and loses no message."""
    traffic = Traffic(here, 5, random.Random(1))
    save(here.outfit.config, _text(here))
    await here.start_connected()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run())
        for count, language in enumerate(["en", "ru"], start=1):
            save(here.outfit.config, _text(here, language=language))
            line = await here.relay.until_logged("config_reloaded", count)
            assert line["changes"] == [
                f"language is now {'en (was ru)' if language == 'en' else 'ru (was en)'}"
            ]
        traffic.end()
    traffic.check()
    assert here.whatsapp.comings("sales") == 1, "nothing of the channel's own lines changed"
    here.check_log()


async def test_sighup_reads_the_file_again(here: Site) -> None:
    """A secret that changed outside the file is found on SIGHUP."""
    credentials = here.directory / "credentials"
    credentials.mkdir()
    (credentials / "chats").write_text(here.amocrm.identity.channel_secret)
    here.outfit.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    text = _text(here).replace(here.amocrm.identity.channel_secret, "!secret chats")
    here.outfit.config.write_text(text)
    await here.start_connected()
    (credentials / "chats").write_text("another-secret-0123456789")
    here.relay.signal(signal.SIGHUP)
    line = await here.relay.until_logged("config_reloaded")
    assert line["changes"] == ["secret key of the chats channel changed"]
    assert "another-secret" not in str(here.relay.log)


async def test_a_bad_file_changes_nothing(here: Site) -> None:
    """Refused once in the log with all its errors, shown by health; then a good one is taken."""
    await here.start_connected()
    here.save(log={"level": "loud"}, settings={"blacklst": []})
    line = await here.relay.until_logged("config_rejected")
    assert line["level"] == "error"
    assert len(line["errors"]) == 2
    _, body = await here.admin("/healthz")
    reload = json.loads(body)["reload"]
    assert (reload["ok"], reload["errors"]) == (False, line["errors"])
    here.relay.signal(signal.SIGHUP)
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.save()
    await here.relay.until_logged("config_reloaded")
    assert len(here.relay.logged("config_rejected")) == 1
    assert here.whatsapp.comings("sales") == 1
    assert json.loads((await here.admin("/healthz"))[1])["reload"]["ok"] is True


async def test_a_file_that_is_gone_changes_nothing(here: Site) -> None:
    """A deleted file is a rejected one; the relay goes on, and takes the file when it is back."""
    await here.start_connected()
    here.outfit.config.unlink()
    line = await here.relay.until_logged("config_rejected")
    assert "there is no such file" in line["errors"][0]
    here.save(language="en")
    await here.relay.until_logged("config_reloaded")


async def test_only_the_changed_channel_is_restarted(here: Site) -> None:
    """Its own lines changed: a new session. Another channel's session never notices."""
    here.save(channels=_BOTH, settings=_DEFAULT)
    await here.start_connected()
    changed = {**_BOTH, "sales": {**files.SALES, "proxy": "socks5://127.0.0.1:1080"}}
    here.save(channels=changed, settings=_DEFAULT)
    await here.whatsapp.until_session("sales", 2)
    line = await here.relay.until_logged("config_reloaded")
    assert line["changes"] == ["channel sales: proxy added"]
    assert here.whatsapp.comings("support") == 1
    states = [line["state"] for line in here.relay.logged("session_state", channel="sales")]
    assert states[:2] == ["connected", "stopped"]
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.save(channels={"support": files.SUPPORT})
    await here.relay.until_logged("config_reloaded", 2)
    here.save(channels=_BOTH, settings=_DEFAULT)
    await here.whatsapp.until_session("sales", 3)
    assert here.whatsapp.comings("support") == 1


async def test_a_title_does_not_restart_its_channel(here: Site) -> None:
    """A key that the session knows nothing of acts without a new session."""
    await here.start_connected()
    here.save(channels={"sales": {**files.SALES, "title": "Другие продажи"}})
    await here.relay.until_logged("config_reloaded")
    assert here.whatsapp.comings("sales") == 1


async def test_server_and_storage_wait_for_a_restart(here: Site) -> None:
    """A change of them is said to need a restart, and nothing moves."""
    await here.start_connected()
    here.save(storage={"directory": "elsewhere"})
    line = await here.relay.until_logged("config_reloaded")
    assert "after a restart" in line["changes"][0]
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    assert not (here.directory / "elsewhere").exists()


async def test_a_right_secret_acts_at_once(here: Site) -> None:
    """With a wrong secret messages wait and health says so; corrected, they leave at once."""
    wrong = Identity(channel_secret="f" * 40)
    tree = files.config(here.amocrm)
    tree["amocrm"]["chats"]["secret"] = wrong.channel_secret
    files.save(here.outfit.config, tree)
    await here.start()
    await here.relay.until_logged("credentials_refused")
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.relay.until_logged("deferred", 3)  # the next try is five seconds away, or more
    here.save()
    await here.relay.until_logged("config_reloaded")
    await here.until_in_amocrm(1, within_s=3.9)
    await here.relay.until_logged("channel_connected")
    assert (await here.admin("/healthz"))[0] == 200


async def test_hooks_are_verified_with_the_secret_of_the_moment(here: Site) -> None:
    """After a rotation the next hook signed with the new secret is taken, the old one refused."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    rotated = PretendedAmoCRM(Identity(channel_secret="e" * 40))
    tree = files.config(here.amocrm)
    tree["amocrm"]["chats"]["secret"] = rotated.identity.channel_secret
    files.save(here.outfit.config, tree)
    await here.relay.until_logged("config_reloaded")
    old = await here.reply(ANNA, "signed with the old secret")
    assert old.hook is not None
    assert old.hook.status == 403
    rotated.sender.url = here.amocrm.sender.url
    rotated.account.connection = here.amocrm.account.connection
    rotated.sender.open()
    new = await rotated.sender.deliver(rotated.sender.prepare(old.hook.body))
    await rotated.sender.close()
    assert new.status == 200
    await here.whatsapp.until_sent(1)


async def test_a_storm_of_saves(here: Site) -> None:
    """Two hundred saves, good and bad, while messages flow: nothing is lost, the last one holds."""
    chance = random.Random(7)
    traffic = Traffic(here, 10, chance)
    await here.start_connected()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.run())
        for _ in range(200):
            save = chance.choice([in_place, by_rename, by_link])
            bad = chance.random() < 0.3
            language = "klingon" if bad else chance.choice(["ru", "en"])
            save(here.outfit.config, _text(here, language=language))
            happened = here.happened
            await here.whatsapp.until(lambda h=happened: here.happened > h, "traffic")  # type: ignore[misc]  # bound in the loop
        by_rename(
            here.outfit.config, _text(here, language="en", delivery={"keep_delivered": "31d"})
        )
        last = "how long finished messages are kept is now 31d (was 30d)"
        await here.relay.until(
            lambda: any(last in line["changes"] for line in here.relay.logged("config_reloaded")),
            "the last file",
        )
        traffic.end()
    traffic.check()
    assert here.whatsapp.comings("sales") == 1
    assert json.loads((await here.admin("/healthz"))[1])["reload"]["ok"] is True
    assert not here.relay.ended


async def test_a_sighup_is_always_answered(here: Site) -> None:
    """Who asks for a reload sees in the log that it happened, even if nothing had changed."""
    await here.start_connected()
    here.relay.signal(signal.SIGHUP)
    line = await here.relay.until_logged("config_reloaded")
    assert line["changes"] == []
