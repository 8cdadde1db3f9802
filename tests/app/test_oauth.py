"""OAuth as an administrator meets it: `relay authorize`, with the relay running and without."""

from __future__ import annotations

import asyncio
import json
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from relay.web.server import address, bind
from tests.app import files
from tests.app.site import Site


def free_address() -> str:
    """An address of this machine that nobody uses now."""
    sock = bind("127.0.0.1", 0)
    try:
        return address(sock)
    finally:
        sock.close()


def use_oauth(here: Site, listen: str, secret: object = None) -> None:
    """The file names the integration instead of a token."""
    identity, oauth = here.amocrm.identity, here.amocrm.oauth
    oauth.redirect_uri = f"http://{listen}/amocrm/oauth"
    tree = files.config(here.amocrm, server={"listen": listen})
    del tree["amocrm"]["token"]
    tree["amocrm"]["oauth"] = {
        "client_id": identity.integration_id,
        "client_secret": secret or identity.integration_secret,
        "redirect_uri": oauth.redirect_uri,
    }
    files.save(here.outfit.config, tree)


class Command:
    """``relay authorize`` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def address(self) -> str:
        """The address it asks to open."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            if line.startswith(b"http"):
                return line.decode().strip()
        raise AssertionError((await self.end())[2])

    async def end(self) -> tuple[int, str, str]:
        """Its exit status, and the rest of what it said."""
        async with asyncio.timeout(60):
            out, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), errors.decode()


def _hear_interrupts() -> None:
    """As in a terminal; what a shell runs in the background is born deaf to them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@asynccontextmanager
async def authorize(here: Site) -> AsyncIterator[Command]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "relay", "authorize", "-c", str(here.outfit.config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": "", "PYTHONUNBUFFERED": "1"}, preexec_fn=_hear_interrupts,
    )  # fmt: skip
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def open_page(url: str) -> tuple[int, str]:
    """An administrator opens the address, consents, and is led back."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_with_the_relay_running(here: Site) -> None:
    """The relay takes the tokens, connects at once, and another start needs no consent."""
    use_oauth(here, free_address())
    await here.start()
    await here.relay.until_logged("credentials_refused")
    async with authorize(here) as command:
        status, page = await open_page(await command.address())
        assert (status, "Готово" in page) == (200, True)
        code, out, errors = await command.end()
        assert (code, errors) == (0, "")
        assert "uses them now" in out
    await here.relay.until_logged("channel_connected")
    await here.relay.until_logged("credentials_accepted")
    await here.relay.stop()
    await here.start_connected()
    assert len(here.amocrm.oauth.grants) == 1
    await here.whatsapp.write("79001234567", "A1", "Привет")
    await here.until_in_amocrm(1)
    here.check_log()


async def test_without_the_relay(here: Site) -> None:
    """The command listens itself, keeps the tokens for their owner alone; the relay finds them."""
    use_oauth(here, free_address())
    await here.start()
    await here.relay.stop()
    async with authorize(here) as command:
        assert (await open_page(await command.address()))[0] == 200
        code, out, _ = await command.end()
        assert (code, "when it is started" in out) == (0, True)
    kept = here.storage / "oauth.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_bytes())["refresh"] == here.amocrm.oauth.grants[0].refresh
    await here.start_connected()
    here.check_log()


async def test_tokens_are_renewed_by_the_running_relay(here: Site) -> None:
    """A token that amoCRM ended is renewed when it is needed, and kept."""
    await test_with_the_relay_running(here)
    kept = here.storage / "oauth.json"
    await here.relay.stop()
    grant = json.loads(kept.read_bytes())
    old = grant["issued_ms"] - 23 * 3_600_000
    kept.write_text(json.dumps(grant | {"issued_ms": old, "expires_ms": old + 24 * 3_600_000}))
    await here.start()
    await here.relay.until_logged("token_renewed")
    assert json.loads(kept.read_bytes())["refresh"] == here.amocrm.oauth.grants[-1].refresh
    assert len(here.amocrm.oauth.grants) == 2
    here.check_log()


async def test_a_refusal(here: Site) -> None:
    """An administrator who says no: exit 1, with the reason."""
    use_oauth(here, free_address())
    here.amocrm.oauth.consent = "refused"
    await here.start()
    async with authorize(here) as command:
        status, _ = await open_page(await command.address())
        code, _, errors = await command.end()
    assert (status, code) == (502, 1)
    assert "did not consent" in errors


async def test_a_strangers_visit(here: Site) -> None:
    """Whoever was not sent by us is refused, and the relay lives on."""
    use_oauth(here, free_address())
    await here.start()
    status, _ = await open_page(f"{here.relay.hooks_url}/amocrm/oauth?code=x&state=y")
    assert status == 403
    assert here.amocrm.oauth.grants == []


def _token(here: Site) -> None:
    here.save()


def _no_secret(here: Site) -> None:
    use_oauth(here, free_address())
    text = here.outfit.config.read_text()
    secret = here.amocrm.identity.integration_secret
    here.outfit.config.write_text(
        text.replace(f"client_secret: {secret}", "client_secret: !secret x")
    )


def _taken(here: Site) -> None:
    use_oauth(here, f"127.0.0.1:{here.amocrm.port}")


@pytest.mark.parametrize(
    ("arrange", "said"),
    [(_token, "nothing to consent to"), (_no_secret, "start the relay"), (_taken, "is taken")],
)
async def test_what_cannot_be(here: Site, arrange: Callable[[Site], None], said: str) -> None:
    """Exit 1 with what is wrong and what to do, and no traceback."""
    here.storage.mkdir()
    arrange(here)
    async with authorize(here) as command:
        code, _, errors = await command.end()
    assert code == 1
    assert said in errors
    assert "Traceback" not in errors


async def test_an_interrupt(here: Site) -> None:
    """Ctrl-C ends it in words."""
    here.storage.mkdir()
    use_oauth(here, free_address())
    async with authorize(here) as command:
        await command.address()
        command.process.send_signal(signal.SIGINT)
        code, _, errors = await command.end()
    assert (code, "Traceback" in errors) == (1, False)
    assert "no tokens" in errors
