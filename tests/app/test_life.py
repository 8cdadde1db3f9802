"""Starting, running and stopping as systemd sees it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import closing

import pytest

from relay.demo.pretended_amocrm import Identity
from tests.app import files
from tests.app.child import HEART_VARIABLE
from tests.app.nursery import Nursery
from tests.app.played_whatsapp import delivered, silence
from tests.app.site import Site, site

ANNA = "79001234567"
IVAN = "79007654321"


async def test_a_message_and_its_answer(here: Site) -> None:
    """A client's text reaches amoCRM, a manager's answer reaches the client, both once."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    await here.reply(ANNA, "Добрый день")
    sent = await here.whatsapp.until_sent(1)
    assert here.texts_of(ANNA) == ["Привет"]
    assert [(s.to, s.text) for s in sent] == [(ANNA, "Добрый день")]
    assert here.amocrm.violations == []
    assert await here.relay.stop() == 0
    here.check_log()


async def test_systemd_is_told_of_every_stage(here: Site) -> None:
    """READY with a status, the watchdog fed, STOPPING: one datagram each, in this order."""
    await here.start()
    await here.systemd.until(lambda: here.systemd.count("WATCHDOG") > 0, "WATCHDOG=1")
    await here.systemd.until(lambda: here.systemd.count("READY") > 0, "READY=1")
    assert await here.relay.stop() == 0
    await here.systemd.until(lambda: here.systemd.count("STOPPING") > 0, "STOPPING=1")
    told = here.systemd.told
    stages = [name for one in told for name in one if name in {"READY", "STOPPING"}]
    assert stages == ["READY", "STOPPING"]
    ready = next(one for one in told if "READY" in one)
    assert ready["STATUS"] == "1 of 1 channels connected"


async def test_the_status_line_follows_the_sessions(here: Site) -> None:
    """``systemctl status`` shows how many channels are connected, at each change."""
    await here.start()
    here.whatsapp.go_offline()
    wanted = "0 of 1 channels connected"
    await here.systemd.until(
        lambda: any(one.get("STATUS") == wanted for one in here.systemd.told), wanted
    )


async def test_ready_means_that_every_session_is_started(here: Site) -> None:
    """The door opens first; readiness waits for the last channel to say how it stands."""
    here.save(channels={"sales": files.SALES, "support": files.SUPPORT}, settings=_DEFAULT)
    here.whatsapp.online = {"sales"}
    here.whatsapp.mute = {"support"}
    await here.begin()
    await here.relay.until_logged("session_state", channel="sales", state="connected")
    assert await here.admin("/readyz") == (503, b"not ready\n")
    assert here.systemd.count("READY") == 0
    here.whatsapp.go_online("support")
    await here.relay.until_ready()
    assert await here.admin("/readyz") == (200, b"ready\n")
    events = [line["event"] for line in here.relay.log]
    assert events.index("listening") < events.index("session_state") < events.index("ready")


async def test_a_stop_finishes_what_is_in_hand_and_closes_the_door_last(here: Site) -> None:
    """While a send is in hand hooks are still taken; the send ends, and is not repeated later."""
    here.hold_socket()
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.whatsapp.answer = silence
    await here.reply(ANNA, "one")
    (in_hand,) = await here.whatsapp.until_sent(1)
    here.relay.signal(signal.SIGTERM)
    await here.relay.until_logged("stopping")
    assert await here.admin("/readyz") == (503, b"not ready\n")
    second = await here.reply(ANNA, "two")
    assert second.hook is not None
    assert second.hook.status == 200
    assert not here.relay.ended
    here.whatsapp.tell(in_hand, delivered(in_hand))
    assert await here.relay.until_ended() == 0
    assert here.relay.logged("drain_late") == []
    here.whatsapp.answer = delivered
    await here.start()
    await here.whatsapp.until_sent(2)
    assert here.whatsapp.texts_to(ANNA) == ["one", "two"]
    here.check_log()


async def test_every_stop_is_bounded_in_time(nursery: Nursery) -> None:
    """Neither a send that is never answered nor a session that will not stop holds a stop."""
    async with asyncio.TaskGroup() as both:
        both.create_task(_stop_with_a_silent_client(nursery))
        both.create_task(_stop_a_stubborn_session(nursery))


async def _stop_with_a_silent_client(nursery: Nursery) -> None:
    async with site(nursery) as here:
        await here.start_connected()
        await here.whatsapp.write(ANNA, "A1", "Привет")
        await here.until_in_amocrm(1)
        here.whatsapp.answer = silence
        reply = await here.reply(ANNA, "one")
        await here.whatsapp.until_sent(1)
        assert await here.relay.stop() == 0
        assert here.relay.logged("drain_late")
        await here.start()
        await here.amocrm.wait_for(lambda _: reply.status == -1)
        assert here.whatsapp.texts_to(ANNA) == ["one"], "nobody knows whether it arrived"
        here.check_log()


async def _stop_a_stubborn_session(nursery: Nursery) -> None:
    async with site(nursery) as here:
        await here.start_connected()
        here.whatsapp.session().say(stubborn=True)
        here.relay.signal(signal.SIGTERM)
        assert await here.relay.until_ended(within_s=25) == 0  # TimeoutStopSec=30s
        assert here.relay.logged("session_stop_late")
        here.save()
        await here.start()
        assert here.relay.logged("unclean_stop") == []


async def test_a_stop_while_starting(here: Site) -> None:
    """SIGTERM before the relay is ready ends it in good order all the same."""
    here.whatsapp.online, here.whatsapp.mute = set(), {"sales"}
    await here.begin()
    await here.relay.until_logged("listening")
    assert await here.relay.stop() == 0
    assert here.relay.logged("ready") == []
    here.check_log()


@pytest.mark.parametrize("heart", ["breaks", "stops"])
async def test_a_core_task_that_ends_ends_the_process(here: Site, heart: str) -> None:
    """A core task that raises, or just returns, makes the relay exit non-zero."""
    here.outfit.environment[HEART_VARIABLE] = heart
    await here.begin()
    assert await here.relay.until_ended() == 1
    assert here.relay.logged("core_task_failed", level="critical")


async def test_a_failing_channel_restarts_alone_and_ever_later(here: Site) -> None:
    """One channel breaks, twice: it comes back by itself; the other never notices."""
    here.save(channels={"sales": files.SALES, "support": files.SUPPORT}, settings=_DEFAULT)
    await here.start_connected()
    for times in (1, 2):
        here.whatsapp.session("sales").say(fail="out of order")
        failed = await here.relay.until_logged(
            "session_state", times, channel="sales", state="failed"
        )
        assert failed["reason"].startswith("RuntimeError: out of order; next start in")
        await here.whatsapp.write(ANNA, f"S{times}", f"to support {times}", channel="support")
        await here.until_in_amocrm(2 * times - 1)
        await here.whatsapp.write(IVAN, f"A{times}", f"to sales {times}")
        await here.until_in_amocrm(2 * times)
        assert here.whatsapp.comings("sales") == times + 1
    waits = [_wait(line["reason"]) for line in here.relay.logged("session_state", state="failed")]
    assert waits == sorted(waits)
    assert here.whatsapp.comings("support") == 1
    assert len(here.relay.logged("session_failed", channel="sales")) == 2
    assert not here.relay.logged("session_failed", channel="support")


def _wait(reason: str) -> int:
    return int(reason.rpartition(" in ")[2].removesuffix(" s"))


async def test_an_unclean_stop_is_owned_up_to_once(here: Site) -> None:
    """After ``kill -9`` the next start says between when and when; after SIGTERM none does."""
    await here.start()
    await here.relay.kill()
    await here.start()
    (line,) = here.relay.logged("unclean_stop")
    assert line["level"] == "warning"
    assert line["since"] <= line["until"] <= line["timestamp"]
    assert await here.relay.stop() == 0
    await here.start()
    assert here.relay.logged("unclean_stop") == []


async def test_one_relay_to_a_storage(here: Site) -> None:
    """A second relay on the same storage says so in words, exits 1 and leaves the first alone."""
    first = await here.start_connected()
    second = await here.begin()
    assert await second.until_ended() == 1
    assert f"another relay (pid {first.pid}) uses the storage directory" in second.errors
    assert "Traceback" not in second.errors
    here.lives.remove(second)
    await here.whatsapp.write(ANNA, "A1", "still here")
    await here.until_in_amocrm(1)
    assert (await here.admin("/readyz"))[0] == 200


async def test_the_storage_of_another_account(here: Site) -> None:
    """A database made for another account is refused in words, with exit 1."""
    here.save(amocrm={"account": "https://other.amocrm.ru"})
    await here.start()
    await here.relay.stop()
    here.save()
    second = await here.begin()
    assert await second.until_ended() == 1
    assert "belongs to the account https://other.amocrm.ru" in second.errors
    assert "Traceback" not in second.errors


async def test_a_token_of_another_account(here: Site) -> None:
    """An account that amoCRM itself says is another one ends the relay in words, with exit 1."""
    await here.start_connected()
    await here.relay.stop()
    here.amocrm.account.amojo_id = Identity(amojo_id="other").amojo_id
    second = await here.begin()
    assert await second.until_ended() == 1
    assert "the messages kept here belong to the account" in second.errors
    assert "Traceback" not in second.errors


async def test_the_storage_of_a_newer_relay(here: Site) -> None:
    """A database of a newer version is refused in words, with exit 1, and left as it is."""
    await here.start()
    await here.relay.stop()
    with closing(sqlite3.connect(here.storage / "relay.db")) as database:
        database.execute("PRAGMA user_version = 999")
    second = await here.begin()
    assert await second.until_ended() == 1
    assert "was written by a newer relay" in second.errors
    assert "Traceback" not in second.errors


async def test_a_bad_file_at_start(here: Site) -> None:
    """All mistakes on standard error, exit 78, nothing opened."""
    tree = files.config(here.amocrm, settings={"blacklst": []}, log={"level": "loud"})
    files.save(here.outfit.config, tree)
    relay = await here.begin()
    assert await relay.until_ended() == 78
    assert "settings.blacklst" in relay.errors
    assert "log.level" in relay.errors
    assert not here.storage.exists()


async def test_an_address_in_use(here: Site) -> None:
    """An address somebody else listens on: said with its key and a way out, exit 1."""
    here.save(server={"listen": here.amocrm.url.removeprefix("http://")})
    relay = await here.begin()
    assert await relay.until_ended() == 1
    assert relay.errors.startswith("server.listen: cannot listen on 127.0.0.1:")
    assert "Traceback" not in relay.errors


async def test_a_storage_path_too_long_for_a_socket(here: Site) -> None:
    """A control socket that cannot be opened is said in words, not as a traceback."""
    here.save(storage={"directory": "x" * 120})
    relay = await here.begin()
    assert await relay.until_ended() == 1
    assert "Traceback" not in relay.errors
    assert "x" * 120 in relay.errors


_DEFAULT = {"default_channel": "sales"}
