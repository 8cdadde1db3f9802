"""Links numbers for pages inside amoCRM: ``relay pair`` as a child, its codes handed on.

Linking needs a process of its own (:mod:`relay.whatsapp.linked_device.pairing`). The child prints
codes on standard output and everything else on standard error; whatever ends it leaves the channel
as it was, unless a number was linked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import segno
import structlog

from relay.delivery.ports import Clock
from relay.domain.ids import UserId
from relay.domain.phone import normalise
from relay.domain.retry import MINUTE, SECOND
from relay.widget.pairings import CannotPairError, Pairing

LIMIT_S: Final = 230.0
"""160 seconds for the code, a minute to connect, and a little."""

REMEMBERED_MS: Final = 5 * MINUTE
"""For so long it can be asked how a pairing ended."""

MOST: Final = 4
"""Pairings at a time."""

_ENDING_S: Final = 15.0  # the phone may have taken the code: then the device is logged out again
_LONGEST_LINE: Final = 64 * 1024
_SECONDS = re.compile(r"(\d+) s\)?$")
_FIRST_CODE_S: Final = 60

_NOT_FOR_CHILDREN: Final = frozenset(
    {"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
)

_log = structlog.stdlib.get_logger("relay")

PairCommand = Callable[[str, str | None], Sequence[str]]
"""The command line that links a channel, by letters for a number or by QR code."""


def pair_command(path: Path) -> PairCommand:
    """``relay pair`` for the file at ``path``, with this very installation."""

    def command(channel: str, phone: str | None) -> Sequence[str]:
        letters = () if phone is None else (f"--code=+{phone}",)
        relay = (sys.executable, "-m", "relay", "pair", f"--config={path}")
        return (*relay, *letters, "--", channel)

    return command


@dataclass(slots=True, eq=False)
class _Run:
    """One pairing, and what its child has said so far."""

    id: str
    channel: str
    user: UserId
    by_letters: bool
    state: str = "starting"
    code: str | None = None
    until_ms: int | None = None
    ended_ms: int | None = None
    trouble: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class ChildPairings:
    """Implements the widget's ``Pairings``; one task runs it and owns the children.

    ``command`` is None where nothing real can be linked. ``channels``: those that can be.
    """

    def __init__(
        self, command: PairCommand | None, clock: Clock, channels: Callable[[], Sequence[str]]
    ) -> None:
        self._command = command
        self._clock = clock
        self._channels = channels
        self._runs: dict[str, _Run] = {}
        self._owner: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Own the children; cancelled, it ends them."""
        async with asyncio.TaskGroup() as self._owner:
            await asyncio.Event().wait()

    async def begin(self, channel: str, phone: str | None, user: UserId) -> Pairing:
        """Begin to link a number.

        Raises:
            CannotPairError: it cannot be.
        """
        if self._command is None or self._owner is None:
            raise CannotPairError("no number can be linked here")
        if channel not in self._channels():
            raise CannotPairError(f"{channel}: no such channel to be linked")
        digits = None if phone is None else normalise(phone)
        if phone is not None and digits is None:
            raise CannotPairError("not a telephone number")
        await self._make_room(channel, user)
        run = _Run(secrets.token_urlsafe(32), channel, user, digits is not None)
        self._runs[run.id] = run
        work = self._follow(run, self._command(channel, digits))
        run.task = self._owner.create_task(work, name=f"pairing of {channel}")
        _log.info("pairing_begun", channel=channel, user=user)
        return self._view(run)

    def find(self, id_: str, user: UserId) -> Pairing | None:
        """A pairing that he began."""
        self._forget()
        run = self._runs.get(id_)
        return self._view(run) if run is not None and run.user == user else None

    async def end(self, id_: str, user: UserId) -> Pairing | None:
        """End it."""
        run = self._runs.get(id_)
        if run is None or run.user != user:
            return None
        await self._stop(run)
        return self._view(run)

    async def _make_room(self, channel: str, user: UserId) -> None:
        """His own former pairing of the channel gives way: he has left that page."""
        self._forget()
        going = [run for run in self._runs.values() if run.ended_ms is None]
        for run in going:
            if run.channel == channel and run.user != user:
                raise CannotPairError(f"{channel}: somebody else is linking it now")
        mine = [run for run in going if run.channel == channel]
        if len(going) - len(mine) >= MOST:
            raise CannotPairError("too many numbers are being linked now")
        for run in mine:
            await self._stop(run)

    async def _stop(self, run: _Run) -> None:
        if run.task is not None and not run.task.done():
            run.task.cancel()
            await asyncio.wait([run.task])
        if run.ended_ms is None:  # it was ended before it had begun
            run.state, run.ended_ms = "ended", self._clock.now_ms()

    def _forget(self) -> None:
        before = self._clock.now_ms() - REMEMBERED_MS
        old = [run.id for run in self._runs.values() if (run.ended_ms or before + 1) <= before]
        for id_ in old:
            del self._runs[id_]

    async def _follow(self, run: _Run, command: Sequence[str]) -> None:
        """The child's life; whatever ends it, the pairing is over then."""
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._child(run, command)
        except TimeoutError:
            run.state, run.trouble = "failed", "Nobody took a code in time."
        except OSError as error:
            run.state, run.trouble = "failed", f"relay pair: {error.strerror}"
        except asyncio.CancelledError:
            run.state, run.trouble = "ended", ""
            raise
        except Exception as error:  # noqa: BLE001 - a pairing must not take the relay with it
            run.state, run.trouble = "failed", "internal error"
            _log.error("pairing_failed", channel=run.channel, exc_info=error)
        finally:
            run.code, run.until_ms, run.ended_ms = None, None, self._clock.now_ms()
            _log.info("pairing_ended", channel=run.channel, user=run.user, state=run.state)

    async def _child(self, run: _Run, command: Sequence[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=_environment(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        try:
            out, words = process.stdout, process.stderr
            if out is None or words is None:
                raise TypeError("the child's output was asked for")
            async with asyncio.TaskGroup() as reading:
                reading.create_task(_lines(out, lambda line: self._hear(run, line)))
                reading.create_task(_lines(words, lambda line: self._heed(run, line)))
            status = await process.wait()
        finally:
            await _end(process)
        run.state = "linked" if status == 0 else "failed"

    def _hear(self, run: _Run, line: str) -> None:
        """Standard output: a code is one word; sentences tell that it is done."""
        if " " in line or not line:
            return
        run.state, run.code = "waiting", line
        run.until_ms = self._clock.now_ms() + _FIRST_CODE_S * SECOND

    def _heed(self, run: _Run, line: str) -> None:
        """Standard error: how long the code lasts, that it was taken, or what went wrong."""
        seconds = _SECONDS.search(line)
        if seconds is not None:
            run.until_ms = self._clock.now_ms() + int(seconds[1]) * SECOND
        elif "has taken it" in line:
            run.code, run.until_ms = None, None
        elif line:
            run.trouble = line.removeprefix(f"{run.channel}: ").removeprefix("Error: ")

    def _view(self, run: _Run) -> Pairing:
        left_ms = None if run.until_ms is None else max(0, run.until_ms - self._clock.now_ms())
        return Pairing(
            id=run.id,
            state=run.state,
            qr=_modules(run.code) if run.code is not None and not run.by_letters else None,
            code=run.code if run.by_letters else None,
            expires_seconds=None if left_ms is None else left_ms // SECOND,
            detail=run.trouble or None if run.state == "failed" else None,
        )


def _modules(text: str) -> list[str]:
    """The QR code of a text, a row of 0 and 1 for each row of modules."""
    code = segno.make(text, error="l", micro=False, boost_error=False)
    return ["".join("1" if module else "0" for module in row) for row in code.matrix]


async def _lines(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    with contextlib.suppress(ValueError):  # a line beyond all bounds: nothing of ours
        async for raw in stream:
            take(raw.decode("utf-8", "replace").strip())


async def _end(process: asyncio.subprocess.Process) -> None:
    """It cleans up if it is asked to; if it takes too long, it is killed."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_ENDING_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What the child gets: nothing of what systemd has handed to us alone."""
    return {name: value for name, value in ours.items() if name not in _NOT_FOR_CHILDREN}
