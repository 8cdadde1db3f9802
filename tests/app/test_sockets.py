"""Listening sockets that outlive the relay: no hook is refused during an upgrade."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp

from relay.demo.pretended_amocrm.signing import hook_signature_of
from relay.web.server import bind
from tests.app.relay_process import Outfit
from tests.app.site import Site
from tests.app.traffic import was_taken

ANNA = "79001234567"
_RESTARTS = 8

_LAUNCHER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "tests.app.child", "-c", sys.argv[2]])
"""
"""Does what systemd does between fork and exec."""


async def test_hooks_wait_in_the_socket_while_the_relay_is_down(here: Site) -> None:
    """Hooks sent to a killed relay are answered 200 by the next one, and reach their client."""
    here.hold_socket()
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    await here.relay.kill()
    hook = asyncio.create_task(here.reply(ANNA, "one"))
    await here.amocrm.wait_for(lambda it: len(it.hooks) == 1)
    await here.start()
    assert was_taken(await hook)
    await here.whatsapp.until_sent(1)
    assert here.relay.logged("listening")[0]["from_systemd"] == ["listen"]


async def test_no_hook_is_refused_while_the_relay_is_restarted(here: Site) -> None:
    """Hooks keep coming, each on a connection of its own, through restarts: all are taken."""
    here.hold_socket()
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    answers: list[int] = []
    over = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_keep_calling(here, over, answers))
        for _ in range(_RESTARTS):
            until = len(answers) + 10
            await here.whatsapp.until(lambda until=until: len(answers) >= until, "answers")  # type: ignore[misc]  # bound in the loop
            assert await here.relay.stop() == 0
            await here.start()
        over.set()
    assert set(answers) == {200}
    assert len(answers) >= 10 * _RESTARTS
    assert await here.relay.stop() == 0
    here.check_log()


async def _keep_calling(here: Site, over: asyncio.Event, answers: list[int]) -> None:
    secret = here.amocrm.identity.channel_secret
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        while not over.is_set():
            hook = here.amocrm.sender.prepare(b'{"account_id":"%d"}' % len(answers))
            signed = {"X-Signature": hook_signature_of(secret, hook.body)}
            async with session.post(hook.url, data=hook.body, headers=signed) as answer:
                answers.append(answer.status)
            here.whatsapp.changed()


def test_sockets_are_handed_down_through_exec(tmp_path: Path) -> None:
    """A socket that systemd opened is used even though the relay starts itself again.

    It does so where the library's environment is missing, and keeps pid and descriptors.
    """
    sock = bind("127.0.0.1", 0)
    config = tmp_path / "config.yaml"
    config.write_text(_FILE)
    environment = Outfit(config, tmp_path / "none.sock", listening={"listen": sock}).variables()
    del environment["NEONIZE_BOT_TAG"]
    with (
        sock,
        subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-c", _LAUNCHER, str(sock.fileno()), str(config)],
            env=environment,
            pass_fds=[sock.fileno()],
            stdout=subprocess.PIPE,
            cwd=Path.cwd(),
        ) as relay,
    ):
        assert relay.stdout is not None
        listening = next(line for line in relay.stdout if b'"listening"' in line).decode()
        relay.kill()
        for _ in relay.stdout:
            pass
    assert '"from_systemd": ["listen"]' in listening or '"from_systemd":["listen"]' in listening


_FILE = """\
amocrm:
  account: http://127.0.0.1:9
  token: token-for-nobody
  chats: {channel_id: 11111111-2222-4333-8444-555555555555, secret: secret-word, url: "http://127.0.0.1:9"}
server: {public_url: https://relay.example.com, listen: "127.0.0.1:1", admin_listen: "127.0.0.1:0"}
storage: {directory: storage}
channels: {sales: {title: Sales, engine: linked_device}}
"""
