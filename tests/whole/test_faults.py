"""Bad input and faults, through everything that is real."""

from __future__ import annotations

import asyncio
import json
import shutil
from itertools import groupby
from pathlib import Path

import aiohttp

from relay.demo.pretended_amocrm import Slow
from tests.app import files
from tests.whatsapp_server.node import node
from tests.whole.daemon import Daemon, relay_run
from tests.whole.test_texts import ANNA, CHAT, OWN, Town, town  # noqa: F401 - town is a fixture

# ruff: noqa: F811 - the fixture is meant
STORE = Path("storage") / "sessions" / "sales.db"


async def channel_in_health(relay: Daemon) -> dict[str, str]:
    """What ``/healthz`` tells of the channel."""
    admin = (await relay.logged("listening"))["admin"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{admin}/healthz") as answer,
    ):
        told: dict[str, str] = json.loads(await answer.read())["channels"]["sales"]
        return told


def change_channel(town: Town, **keys: str) -> None:
    """Write the file with other keys for the channel."""
    files.save(town.config, files.config(town.amocrm, channels={"sales": files.SALES | keys}))


async def test_garbage_on_the_line_costs_no_message(town: Town) -> None:
    """Frames that are no stanza, damaged ones, stanzas nobody knows: what comes next arrives."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    device = town.whatsapp.session(town.phone)
    async with town.relay():
        await device.online()
        assert device.connection is not None
        await device.connection.send_garbage(b"\x00\xff\xfe garbage")
        await device.say(node("nonsense", from_=anna.lid))
        await anna.send(town.phone, "после мусора")
        await town.until_in_amocrm(1)
        await device.online()
        line = device.connection
        assert line is not None
        await line.send_garbage(b"\x00\xf8\x00", sealed=False)
        await anna.send(town.phone, "после обрыва")
        await town.until_in_amocrm(2)
    assert town.texts() == ["после мусора", "после обрыва"]


async def test_a_fault_that_kills_the_library_loses_nothing_that_was_taken_in(town: Town) -> None:
    """An empty frame ends the whole process; the next one delivers all that had been accepted."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    device = town.whatsapp.session(town.phone)
    async with town.relay() as relay:
        slow = town.amocrm.faults.add(Slow(seconds=0.2), where="messages")
        await device.online()
        said = [f"{number}" for number in range(100)]
        for text in said:
            await anna.send(town.phone, text)
        await relay.logged_times("accepted", len(said))
        assert len(town.texts()) < len(said)
        await device.crash()
        async with asyncio.timeout(60):
            assert await relay.process.wait() != 0
    town.amocrm.faults.remove(slow)
    async with town.relay() as relay:
        await relay.logged("unclean_stop")
        await town.until_in_amocrm(len(said))
    assert town.texts() == said


async def test_a_megabyte_keeps_its_place(town: Town) -> None:
    """A text larger than the spool arrives whole, between those before and after it."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    large = "я" * 500_000
    async with town.relay():
        for text in ("до", large, "после"):
            await anna.send(town.phone, text)
        await town.until_in_amocrm(3)
    assert town.texts() == ["до", large, "после"]


async def test_no_network_at_the_start(town: Town) -> None:
    """The relay is ready and says why the channel is not; it connects when the network is there."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    town.whatsapp.go_down()
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        await relay.logged("session_state", state="reconnecting")
        await relay.logged("ready")
        assert (await channel_in_health(relay))["state"] == "reconnecting"
        await anna.send(town.phone, "дождался")
        town.whatsapp.come_back()
        await relay.logged("session_state", state="connected")
        await town.until_in_amocrm(1)
        told = [line["state"] for line in relay.log if line["event"] == "session_state"]
        # With a new reason for each further attempt that fails, however many there are.
        assert [state for state, _ in groupby(told)] == ["connecting", "reconnecting", "connected"]


async def test_a_damaged_session_is_told_and_left_alone(town: Town) -> None:
    """A file that is no database: the channel says what to do, and the file is not touched."""
    store = town.config.parent / STORE
    store.write_bytes(b"garbage" * 1000)
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        line = await relay.logged("session_state", state="failed")
        assert "relay pair sales" in line["reason"]
        assert (await channel_in_health(relay))["reason"] == line["reason"]
        assert await relay.terminate() == 0
    assert store.read_bytes() == b"garbage" * 1000


async def test_another_number_than_the_files_never_logs_in(town: Town) -> None:
    """With ``phone`` of another number the session stays shut; WhatsApp sees no login."""
    device = town.whatsapp.session(town.phone)
    before = device.logins
    change_channel(town, phone="+74950000009")
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        line = await relay.logged("session_state", state="failed")
        assert "another number" in line["reason"]
        assert await relay.terminate() == 0
    assert device.logins == before


async def test_a_session_file_deleted_under_a_running_relay(town: Town) -> None:
    """What it holds open works on; the next start says that the channel must be linked."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay() as relay:
        for file in (town.config.parent / STORE).parent.glob("sales.db*"):
            file.unlink()
        await anna.send(town.phone, "ещё здесь")
        await town.until_in_amocrm(1)
        assert await relay.terminate() == 0
    async with relay_run(town.config, town.whatsapp.environment()) as relay:
        line = await relay.logged("session_state", state="unpaired")
        assert "relay pair sales" in line["reason"]


async def test_two_relays_on_one_storage(town: Town) -> None:
    """The second does not start and says whose the directory is; the first does not notice."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    async with town.relay():
        async with relay_run(town.config, town.whatsapp.environment()) as second:
            async with asyncio.timeout(60):
                assert await second.process.wait() == 1
        await anna.send(town.phone, "первому")
        await town.until_in_amocrm(1)


async def test_a_copy_of_a_session_used_elsewhere(town: Town) -> None:
    """A restored copy logs in: the first relay says "replaced", in health too, and stays away."""
    anna = town.whatsapp.contact(ANNA, "Анна")
    device = town.whatsapp.session(town.phone)
    other = town.config.parent / "other"
    shutil.copytree(town.config.parent / "storage", other / "storage")
    files.save(other / "config.yaml", files.config(town.amocrm))
    elsewhere = relay_run(other / "config.yaml", town.whatsapp.environment())
    async with town.relay() as first, elsewhere as second:
        await second.logged("session_state", state="connected")
        line = await first.logged("session_state", state="replaced")
        assert "two relays" in line["reason"]
        assert (await channel_in_health(first))["state"] == "replaced"
        logins = device.logins
        await anna.send(town.phone, "второму")
        await town.until_in_amocrm(1)
        assert device.logins == logins
