"""A child that links a number: what it says is handed on, and it never outlives its pairing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import segno

from relay.app.pairings import ChildPairings, pair_command
from relay.domain.ids import UserId
from relay.widget.pairings import CannotPairError, Pairing
from tests.clock import HandClock

OLGA, BORIS = UserId(17), UserId(18)
CODE = "2@abc,def,ghi,1"

_SHOWING = f"""
import signal, sys, time, os
signal.pthread_sigmask(signal.SIG_BLOCK, {{{{signal.SIGUSR1}}}})
open({{pid!r}}, "w").write(str(os.getpid()))
print("to be shown as QR code, 60 s", file=sys.stderr, flush=True)
print({CODE!r}, flush=True)
"""
_WAITS = "time.sleep(600)\n"
_UNTIL_TAKEN = "signal.sigwait({signal.SIGUSR1})\n"
_LINKED = "print('sales: linked to +74950000001 (Sales)\\nThe running relay connects now')\n"
_FAILED = "sys.exit('sales: Nobody took a code in time.')\n"


class Scene:
    """Pairings whose child is a script of the test's."""

    def __init__(self, directory: Path) -> None:
        self.pid = directory / "pid"
        self.script = _WAITS
        self.commands: list[tuple[str, str | None]] = []
        self.pairings = ChildPairings(self._command, HandClock(), lambda: ["sales", "help"])

    def _command(self, channel: str, phone: str | None) -> Sequence[str]:
        self.commands.append((channel, phone))
        shows = _SHOWING.format(pid=str(self.pid))
        return (sys.executable, "-c", shows + self.script)

    async def until(self, id_: str, state: str) -> Pairing:
        """The pairing, once it stands so."""
        return await until(self.pairings, id_, state)


async def until(pairings: ChildPairings, id_: str, state: str) -> Pairing:
    """The pairing, once it stands so: looked at as a page does, again and again."""
    async with asyncio.timeout(30):
        while True:
            found = pairings.find(id_, OLGA)
            if found is not None and found.state == state:
                return found
            await asyncio.sleep(0)


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Scene]:
    scene = Scene(directory)
    task = asyncio.create_task(scene.pairings.run())
    await asyncio.sleep(0)
    try:
        yield scene
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if scene.pid.exists():
            with pytest.raises(ProcessLookupError):
                os.kill(int(scene.pid.read_text()), 0)


async def test_the_code_is_shown_and_the_number_linked(tmp_path: Path) -> None:
    """The modules of the very code, then the end, which can still be asked for."""
    async with running(tmp_path) as scene:
        scene.script = _UNTIL_TAKEN + _LINKED
        begun = await scene.pairings.begin("sales", None, OLGA)
        assert begun.state == "starting"
        shown = await scene.until(begun.id, "waiting")
        matrix = segno.make(CODE, error="l", micro=False, boost_error=False).matrix
        assert shown.qr == ["".join(map(str, row)) for row in matrix]
        assert shown.expires_seconds == 60
        assert shown.code is None
        os.kill(int(scene.pid.read_text()), signal.SIGUSR1)
        done = await scene.until(begun.id, "linked")
        assert (done.qr, done.detail) == (None, None)
        assert len(begun.id) >= 40


async def test_letters_are_shown_as_they_are(tmp_path: Path) -> None:
    """For a number, in whatever notation it was given."""
    async with running(tmp_path) as scene:
        begun = await scene.pairings.begin("sales", "+7 (495) 000-00-01", OLGA)
        shown = await scene.until(begun.id, "waiting")
        assert (shown.qr, shown.code) == (None, CODE)
        assert scene.commands == [("sales", "74950000001")]


async def test_how_it_failed_is_told(tmp_path: Path) -> None:
    """In the child's own last words; also where there is no child to be had."""
    async with running(tmp_path) as scene:
        scene.script = _FAILED
        begun = await scene.pairings.begin("sales", None, OLGA)
        assert (await scene.until(begun.id, "failed")).detail == "Nobody took a code in time."
    nothing = ChildPairings(lambda *_: ("/nowhere/relay",), HandClock(), lambda: ["sales"])
    task = asyncio.create_task(nothing.run())
    await asyncio.sleep(0)
    begun = await nothing.begin("sales", None, OLGA)
    assert "No such file" in str((await until(nothing, begun.id, "failed")).detail)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_ended_the_child_is_gone(tmp_path: Path) -> None:
    """By whoever began it; the relay's own end takes it too (see ``running``)."""
    async with running(tmp_path) as scene:
        begun = await scene.pairings.begin("sales", None, OLGA)
        await scene.until(begun.id, "waiting")
        assert await scene.pairings.end(begun.id, BORIS) is None
        assert scene.pairings.find(begun.id, BORIS) is None
        ended = await scene.pairings.end(begun.id, OLGA)
        assert ended is not None
        assert (ended.state, ended.qr) == ("ended", None)


async def test_one_channel_is_linked_once_at_a_time(tmp_path: Path) -> None:
    """His own next attempt replaces the former; somebody else's is refused."""
    async with running(tmp_path) as scene:
        first = await scene.pairings.begin("sales", None, OLGA)
        with pytest.raises(CannotPairError, match="somebody else"):
            await scene.pairings.begin("sales", None, BORIS)
        second = await scene.pairings.begin("sales", None, OLGA)
        assert (await scene.until(first.id, "ended")).id != second.id
        await scene.until(second.id, "waiting")


async def test_what_cannot_be_linked(tmp_path: Path) -> None:
    """A channel that is not there, a number that is none, a relay without a way to."""
    async with running(tmp_path) as scene:
        for channel, phone in (("nowhere", None), ("--help", None), ("sales", "мама")):
            with pytest.raises(CannotPairError):
                await scene.pairings.begin(channel, phone, OLGA)
    without = ChildPairings(None, HandClock(), lambda: ["sales"])
    with pytest.raises(CannotPairError):
        await without.begin("sales", None, OLGA)


def test_the_command_is_this_installations() -> None:
    """A channel or number can never pass for an option."""
    command = pair_command(Path("/etc/relay/config.yaml"))
    assert list(command("-x", None))[1:] == [
        "-m", "relay", "pair", "--config=/etc/relay/config.yaml", "--", "-x",
    ]  # fmt: skip
    assert "--code=+74950000001" in command("sales", "74950000001")
