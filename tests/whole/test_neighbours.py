"""Channels of one relay do not feel each other's troubles."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from relay.demo.pretended_amocrm import OLGA
from tests.app import files
from tests.whatsapp_server import LinkedDevice
from tests.whole.daemon import Daemon, relay_run
from tests.whole.stalling import Stalling, stalling_proxy
from tests.whole.test_texts import ANNA, CHAT, Town, town  # noqa: F401 - town is a fixture

# ruff: noqa: F811 - the fixture is meant
STOP_S = 10.0


@pytest.fixture
async def stalling(town: Town) -> AsyncIterator[Stalling]:
    async with stalling_proxy(town.whatsapp.environment()["HTTPS_PROXY"]) as proxy:
        yield proxy


def add_support(town: Town, **keys: Any) -> LinkedDevice:
    """A second channel with a paired session."""
    phone = town.whatsapp.phone("74950000002", "Support")
    store = town.config.parent / "storage" / "sessions" / "support.db"
    device = town.whatsapp.clone_store(store, phone, town.phone)
    save(town, **keys)
    return device


def save(town: Town, **keys: Any) -> None:
    """The file, with these keys of the second channel."""
    # The second one comes first: whoever is first in the file is mostly the first to dial.
    channels = {"support": files.SUPPORT | keys, "sales": files.SALES}
    settings = {"default_channel": "sales"}
    files.save(town.config, files.config(town.amocrm, channels=channels, settings=settings))


async def at_work(town: Town, relay: Daemon) -> None:
    """The first channel and amoCRM are connected, and hooks find the relay."""
    await relay.logged("session_state", channel="sales", state="connected")
    await relay.logged("channel_connected")
    hooks = (await relay.logged("listening"))["hooks"]
    town.amocrm.sender.url = f"http://{hooks}/amocrm/hook/:scope_id"


async def test_a_channel_that_dials_for_ever_holds_nobody(town: Town, stalling: Stalling) -> None:
    """Its messages apart, everything goes on; and it cannot keep the relay from stopping in time.

    The thread of the library that dials is in the hands of nobody.
    """
    anna = town.whatsapp.contact(ANNA, "Анна")
    add_support(town, proxy=stalling.url)
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        await at_work(town, relay)
        await stalling.swallowed.wait()
        await anna.send(town.phone, "Здравствуйте")
        await town.until_in_amocrm(1)
        await town.amocrm.write(CHAT, OLGA, "Добрый день")
        await anna.received("Добрый день")
        states = [line["state"] for line in relay.log if line["event"] == "session_state"]
        assert states.count("connected") == 1
        since = time.monotonic()
        assert await relay.terminate() == 0
        assert time.monotonic() - since < STOP_S


async def test_a_channel_is_started_again_alone(town: Town) -> None:
    """Another line of the file for one channel: only its session is stopped and started."""
    device = add_support(town)
    sales = town.whatsapp.session(town.phone)
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        await at_work(town, relay)
        await relay.logged("session_state", channel="support", state="connected")
        before = len(relay.log)
        save(town, phone="+74950000002")
        await device.until(lambda: device.logins == 2, "log in again")
        await device.online()
        assert sales.logins == 1
        changes = [line for line in relay.log[before:] if line["event"] == "session_state"]
        assert {line["channel"] for line in changes} == {"support"}
        assert await relay.terminate() == 0
