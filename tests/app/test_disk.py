"""A disk that is full: what comes in is refused, never half taken, and goes on by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from relay.demo.pretended_amocrm import OLGA
from tests.app.site import Site

ANNA = "79001234567"


@contextmanager
def by_limit(here: Site) -> Iterator[None]:
    """The process may not make any file longer."""
    _, hard = resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def by_filling(here: Site) -> Iterator[None]:
    """The file system has no room left."""
    filler = here.storage / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"x" * 4096)
        except OSError:
            pass
    yield
    filler.unlink()


@pytest.fixture
def small_disk(here: Site, request: pytest.FixtureRequest) -> Iterator[None]:
    """A file system of four megabytes below the storage directory, where the test wants one."""
    if request.getfixturevalue("full") is not by_filling:
        yield
        return
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    here.storage.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(here.storage)]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603
        pytest.skip("this machine does not let us mount a file system")
    yield
    subprocess.run(["umount", "--lazy", str(here.storage)], check=True)  # noqa: S603, S607


Full = Callable[[Site], AbstractContextManager[None]]


@pytest.mark.parametrize("full", [by_limit, by_filling])
@pytest.mark.usefixtures("small_disk")
async def test_a_full_disk(here: Site, full: Full) -> None:
    """Hooks get 503, WhatsApp keeps what it has; with room again all goes on, nothing twice."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "before")
    await here.until_in_amocrm(1)
    await here.reply(ANNA, "before")
    await here.whatsapp.until_sent(1)
    await here.relay.until_logged("delivered", direction="out")
    with full(here):
        held = asyncio.create_task(here.whatsapp.write(ANNA, "A2", "meanwhile"))
        await here.whatsapp.until(lambda: here.whatsapp.refused > 0, "a refusal")
        refused = await here.amocrm.write(here.chat_of(ANNA), OLGA, "meanwhile")
        assert refused.hook is not None
        assert refused.hook.status == 503
    await held
    await here.until_in_amocrm(2)
    await here.reply(ANNA, "after")
    await here.whatsapp.until_sent(2)
    assert here.texts_of(ANNA) == ["before", "meanwhile"]
    assert here.whatsapp.texts_to(ANNA) == ["before", "after"]
    assert await here.relay.stop() == 0
    here.check_log()


async def test_a_send_in_hand_while_the_disk_fills(here: Site) -> None:
    """Its outcome is written down when there is room again: the client gets it once."""
    await here.start_connected()
    await here.whatsapp.write(ANNA, "A1", "Привет")
    await here.until_in_amocrm(1)
    here.whatsapp.answer = lambda _: None
    await here.reply(ANNA, "in hand")
    (sent,) = await here.whatsapp.until_sent(1)
    with by_limit(here):
        here.whatsapp.tell(sent, {"result": "delivered", "id": "W1"})
        held = asyncio.create_task(here.whatsapp.write(ANNA, "A2", "meanwhile"))
        await here.whatsapp.until(lambda: here.whatsapp.refused > 0, "a refusal")
    await held
    await here.relay.until_logged("delivered", direction="out")
    assert here.whatsapp.texts_to(ANNA) == ["in hand"]


async def test_a_stop_with_a_full_disk(here: Site) -> None:
    """SIGTERM ends the relay in good order though nothing can be written down any more."""
    await here.start_connected()
    _, hard = resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(here.relay.pid, resource.RLIMIT_FSIZE, (1, hard))
    here.relay.signal(signal.SIGTERM)
    assert await here.relay.until_ended() == 0
    here.check_log()


async def test_a_start_on_a_full_disk(here: Site) -> None:
    """No room at start: said in words, exit 1, no traceback."""
    await here.start()
    await here.relay.kill()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    relay = await here.begin()
    resource.prlimit(relay.pid, resource.RLIMIT_FSIZE, (1, hard))
    assert await relay.until_ended() == 1
    assert "Traceback" not in relay.errors
