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

from relay.app import pairings
from relay.app.pairings import ChildPairings, pair_command
from relay.domain.ids import UserId
from relay.whatsapp.linked_device import pairing
from relay.whatsapp.linked_device.pairing_terms import Why
from relay.widget.pairing_words import KNOWN
from relay.widget.pairings import CannotPairError, Failure, Linked, Pairing
from tests.clock import HandClock

OLGA, BORIS = UserId(17), UserId(18)
CODE = "2@abc,def,ghi,1"

_SHOWING = """
import json, signal, sys, time, os
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGUSR1}})
open({pid!r}, "w").write(str(os.getpid()))
def tell(**keys): print(json.dumps(keys), flush=True)
print("a word of the library", flush=True)
tell(event={kind!r}, text={code!r}, seconds=60)
"""
_WAITS = "time.sleep(600)\n"
_UNTIL_TOLD = "signal.sigwait({signal.SIGUSR1})\n"
_TAKEN = "tell(event='taken')\n"
_LINKED = "tell(event='linked', own='74950000001', name='Sales')\n"
_FAILED = "tell(event='failed', why='wrong_number', detail='+7495', words='Wrong.'); sys.exit(1)\n"
_CRASHED = "sys.exit('config.yaml:1:1: x')\n"


class Scene:
    """Pairings whose child is a script of the test's."""

    def __init__(self, directory: Path) -> None:
        self.pid = directory / "pid"
        self.script = _WAITS
        self.commands: list[tuple[str, str | None]] = []
        self.pairings = ChildPairings(self._command, HandClock(), lambda: ["sales", "help"])

    def _command(self, channel: str, phone: str | None) -> Sequence[str]:
        self.commands.append((channel, phone))
        kind = "letters" if phone else "qr"
        shows = _SHOWING.format(pid=str(self.pid), code=CODE, kind=kind)
        return (sys.executable, "-c", shows + self.script)

    async def until(self, id_: str, state: str, *, code: bool | None = None) -> Pairing:
        """The pairing, once it stands so."""
        return await until(self.pairings, id_, state, code=code)


async def until(of: ChildPairings, id_: str, state: str, *, code: bool | None = None) -> Pairing:
    """The pairing, once it stands so, with a code or without: looked at again and again."""
    async with asyncio.timeout(60):
        while True:
            found = of.find(id_, OLGA)
            shows = found is not None and bool(found.qr or found.code)
            if found is not None and found.state == state and code in (None, shows):
                return found
            await asyncio.sleep(0.01)  # a busy wait would starve the child


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
    """The modules of the very code until it is taken, then the end, which can be asked for."""
    async with running(tmp_path) as scene:
        scene.script = _UNTIL_TOLD + _TAKEN + _UNTIL_TOLD + _LINKED
        begun = await scene.pairings.begin("sales", None, OLGA)
        assert begun.state == "starting"
        shown = await scene.until(begun.id, "waiting")
        matrix = segno.make(CODE, error="l", micro=False, boost_error=False).matrix
        assert shown.qr == ["".join(map(str, row)) for row in matrix]
        assert shown.expires_seconds == 60
        assert shown.code is None
        child = int(scene.pid.read_text())
        os.kill(child, signal.SIGUSR1)
        taken = await scene.until(begun.id, "waiting", code=False)
        assert (taken.qr, taken.expires_seconds) == (None, None)
        os.kill(child, signal.SIGUSR1)
        done = await scene.until(begun.id, "linked")
        assert (done.qr, done.failure) == (None, None)
        assert done.linked == Linked("+74950000001", "Sales")
        assert len(begun.id) >= 40


async def test_letters_are_shown_as_they_are(tmp_path: Path) -> None:
    """For a number, in whatever notation it was given."""
    async with running(tmp_path) as scene:
        begun = await scene.pairings.begin("sales", "+7 (495) 000-00-01", OLGA)
        shown = await scene.until(begun.id, "waiting")
        assert (shown.qr, shown.code) == (None, CODE)
        assert scene.commands == [("sales", "74950000001")]


async def test_how_it_failed_is_told(tmp_path: Path) -> None:
    """By the child's event, else by its last words; also where there is no child to be had."""
    async with running(tmp_path) as scene:
        scene.script = _FAILED
        begun = await scene.pairings.begin("sales", None, OLGA)
        failed = await scene.until(begun.id, "failed")
        assert failed.failure == Failure("wrong_number", "+7495")
        scene.script = _CRASHED
        begun = await scene.pairings.begin("sales", None, OLGA)
        failed = await scene.until(begun.id, "failed")
        assert failed.failure == Failure("other", "config.yaml:1:1: x")
    nothing = ChildPairings(lambda *_: ("/nowhere/relay",), HandClock(), lambda: ["sales"])
    task = asyncio.create_task(nothing.run())
    await asyncio.sleep(0)
    begun = await nothing.begin("sales", None, OLGA)
    assert "No such file" in str((await until(nothing, begun.id, "failed")).failure)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that does not end by itself is ended, and that is told as nobody's coming in time."""
    monkeypatch.setattr("relay.app.pairings.CODE_S", 0.5)
    async with running(tmp_path) as scene:
        begun = await scene.pairings.begin("sales", None, OLGA)
        assert (await scene.until(begun.id, "failed")).failure == Failure("timeout")


async def test_a_code_that_was_taken_has_its_own_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From then on, and enough to let the device in and to hand the past over."""
    assert pairings.TAKEN_S > pairing.CONNECT_S + pairing.NAME_S + pairing.PAST_S
    assert pairings.CODE_S > pairing.LETTERS_S + pairing.SILENCE_S
    monkeypatch.setattr("relay.app.pairings.TAKEN_S", 0.5)
    async with running(tmp_path) as scene:
        scene.script = _TAKEN + _WAITS
        begun = await scene.pairings.begin("sales", None, OLGA)
        assert (await scene.until(begun.id, "failed")).failure == Failure("never_connected")


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
        with pytest.raises(CannotPairError, match="somebody_else"):
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
        "-m", "relay", "pair", "--events", "--config=/etc/relay/config.yaml", "--", "-x",
    ]  # fmt: skip
    assert "--code=+74950000001" in command("sales", "74950000001")


@pytest.mark.parametrize("why", Why)
def test_every_end_of_the_child_has_words_for_the_page(why: Why) -> None:
    """Whatever ends a linking is told in the page's language."""
    assert why.name.lower() in KNOWN
