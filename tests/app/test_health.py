"""``/readyz``, ``/healthz``, ``/metrics`` and ``relay status`` of a running relay."""

from __future__ import annotations

import asyncio
import json
import resource
from typing import Any

from click.testing import CliRunner, Result

from relay.cli import main as cli
from relay.demo.pretended_amocrm import Answer
from tests.app import files
from tests.app.site import Site

ANNA = "79001234567"
_WATCHED_S = 15.0  # a heartbeat comes every five seconds


async def test_health_of_a_healthy_relay(here: Site) -> None:
    """200, with exactly the keys of the contract, and every number a number."""
    await here.start_connected()
    status, health = await _health(here)
    assert status == 200
    assert health["status"] == "ok"
    assert health["channels"].keys() == {"sales"}
    sales = health["channels"]["sales"]
    assert (sales["state"], sales["reason"]) == ("connected", "connected")
    assert sales["since"].endswith("+00:00")
    empty = {"waiting": 0, "oldest_seconds": 0, "dead": 0}
    assert health["queue"] == {"amocrm": empty, "whatsapp": empty}
    assert health["reload"].keys() == {"at", "ok", "errors"}
    assert (health["reload"]["ok"], health["reload"]["errors"]) == (True, [])


async def test_queues_are_told(here: Site) -> None:
    """What waits is counted, in its own queue; what was given up is counted as dead."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.whatsapp.go_offline()
    await here.relay.until_logged("session_state", state="reconnecting")
    await here.reply(ANNA, "waits")
    await here.relay.until_logged("deferred", direction="out")
    here.amocrm.faults.add(Answer(500))
    _, health = await _health(here)
    assert health["queue"]["whatsapp"]["waiting"] == 1
    here.whatsapp.answer = lambda _: {"result": "nobody"}
    here.whatsapp.go_online()
    await here.relay.until_logged("dead", direction="out")
    _, health = await _health(here)
    assert health["queue"]["whatsapp"] == {"waiting": 0, "oldest_seconds": 0, "dead": 1}
    assert health["queue"]["amocrm"]["waiting"] == 2, "neither status nor chat can be told"


async def test_no_channel_connected_is_a_trouble(here: Site) -> None:
    """503 while no channel is connected; one of two is enough for 200."""
    here.save(
        channels={"sales": files.SALES, "support": files.SUPPORT},
        settings={"default_channel": "sales"},
    )
    await here.start_connected()
    here.whatsapp.go_offline("sales")
    await here.relay.until_logged("session_state", channel="sales", state="reconnecting")
    assert (await _health(here))[0] == 200
    here.whatsapp.go_offline("support")
    await here.relay.until_logged("session_state", channel="support", state="reconnecting")
    status, health = await _health(here)
    assert (status, health["status"]) == (503, "failing")
    assert health["troubles"] == ["no channel is connected"]
    assert health["channels"]["sales"]["reason"] == "the network is gone"
    assert (await here.admin("/readyz"))[0] == 200, "hooks are still accepted"
    here.whatsapp.go_online("support")
    await here.relay.until_logged("session_state", 2, channel="support", state="connected")
    assert (await _health(here))[0] == 200


async def test_refused_credentials_are_a_trouble(here: Site) -> None:
    """503 while amoCRM refuses our signature, 200 again after it has accepted one."""
    await here.start_connected()
    fault = here.amocrm.faults.add(Answer(403), where="messages")
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.relay.until_logged("credentials_refused")
    status, health = await _health(here)
    assert status == 503
    assert health["troubles"][0].startswith("amoCRM refuses our chats credentials")
    here.amocrm.faults.remove(fault)
    await here.until_in_amocrm(1)
    await here.relay.until_logged("credentials_accepted")
    assert (await _health(here))[0] == 200


async def test_an_unwritable_journal_is_a_trouble(here: Site) -> None:
    """503 while the disk refuses; the watchdog is fed all the same; 200 when it takes again."""
    await here.start_connected()
    await here.systemd.until(lambda: here.systemd.count("WATCHDOG") == 1, "the first beat")
    _, hard = resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE, (1, hard))
    await here.relay.until(lambda: bool(here.relay.logged("journal_refused")), "it", _WATCHED_S)
    status, health = await _health(here)
    assert (status, health["troubles"]) == (503, ["the journal cannot be written"])
    resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await here.systemd.until(lambda: here.systemd.count("WATCHDOG") >= 3, "it", _WATCHED_S)
    assert (await _health(here))[0] == 200
    assert await here.relay.stop() == 0


async def test_metrics_speak_prometheus(here: Site) -> None:
    """Steps are counted, gauges show what health shows, nothing personal is a label."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    await here.relay.until_logged("delivered")
    status, body = await here.admin("/metrics")
    lines = body.decode().splitlines()
    assert status == 200
    assert 'relay_steps_total{channel="sales",direction="in",event="delivered"} 1.0' in lines
    assert 'relay_channel_connected{channel="sales"} 1.0' in lines
    assert 'relay_queue_waiting{queue="amocrm"} 0.0' in lines
    assert "relay_healthy 1.0" in lines
    assert "relay_reload_ok 1.0" in lines
    assert ANNA not in body.decode()


async def test_status_over_the_control_socket(here: Site) -> None:
    """``relay status`` tells a person what ``--json`` and ``/healthz`` tell a program."""
    await here.start_connected()
    text = await _status(here)
    assert text.exit_code == 0
    assert "status: ok" in text.stdout
    assert "  sales: connected since " in text.stdout
    assert "  to amocrm: 0 waiting, oldest 0 s, 0 dead" in text.stdout
    assert "last reload: " in text.stdout
    told = await _status(here, "--json")
    assert json.loads(told.stdout) == (await _health(here))[1]
    assert (here.storage / "relay.sock").stat().st_mode & 0o777 == 0o600


async def test_status_of_a_failing_relay_is_an_answer(here: Site) -> None:
    """A relay that is not healthy is described all the same, with its troubles."""
    here.whatsapp.online = set()
    await here.start_connected()
    text = await _status(here)
    assert text.exit_code == 0
    assert "status: failing\n  no channel is connected" in text.stdout


async def test_status_without_a_relay(here: Site) -> None:
    """Nobody there: said on standard error, exit 1; also when a killed relay left its socket."""
    nobody = await _status(here)
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "no relay answers there" in nobody.stderr
    await here.start()
    await here.relay.kill()
    assert (await _status(here)).exit_code == 1


async def _health(here: Site) -> tuple[int, Any]:
    status, body = await here.admin("/healthz")
    return status, json.loads(body)


async def _status(here: Site, *options: str) -> Result:
    arguments = ["status", "-c", str(here.outfit.config), *options]
    return await asyncio.to_thread(CliRunner().invoke, cli.main, arguments)
