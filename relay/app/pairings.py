"""Links numbers for pages inside amoCRM: ``relay pair`` as a child, its codes handed on.

Linking needs a process of its own (:mod:`relay.whatsapp.linked_device.pairing`). The child tells
what happens on standard output, an event a line; whatever ends it leaves the channel as it was,
unless a number was linked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from relay.delivery.ports import Clock
from relay.domain.ids import UserId
from relay.domain.phone import normalise
from relay.domain.retry import MINUTE, SECOND
from relay.widget.pairings import CannotPairError, Failure, Linked, Pairing

CODE_S: Final = 200.0
"""160 seconds for the code, and some to reach WhatsApp."""

TAKEN_S: Final = 200.0
"""Once the code is taken: a minute to connect, two for the past, and a little."""

REMEMBERED_MS: Final = 5 * MINUTE
"""For so long it can be asked how a pairing ended."""

MOST: Final = 4
"""Pairings at a time."""

_ENDING_S: Final = 15.0  # the phone may have taken the code: then the device is logged out again
_LONGEST_LINE: Final = 64 * 1024

_NOT_FOR_CHILDREN: Final = frozenset(
    {"LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}
)

_log = structlog.stdlib.get_logger("relay")

PairCommand = Callable[[str, str | None], Sequence[str]]
"""The command line that links a channel, by letters for a number or by QR code."""


def pair_command(path: Path) -> PairCommand:
    """``relay pair`` for the file at ``path``, with this very installation, telling events."""

    def command(channel: str, phone: str | None) -> Sequence[str]:
        letters = () if phone is None else (f"--code=+{phone}",)
        relay = (sys.executable, "-m", "relay", "pair", "--events", f"--config={path}")
        return (*relay, *letters, "--", channel)

    return command


@dataclass(slots=True, eq=False)
class _Run:
    """One pairing, and what its child has said so far."""

    id: str
    channel: str
    user: UserId
    state: str = "starting"
    qr: str | None = None
    letters: str | None = None
    until_ms: int | None = None
    ended_ms: int | None = None
    linked: Linked | None = None
    failure: Failure | None = None
    words: str = ""  # the last of standard error, for an end that no event tells
    taken: bool = False
    limit: asyncio.Timeout | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class ChildPairings:
    """Implements the widget's ``Pairings``; one task runs it and owns the children.

    ``command`` is None where nothing can be linked. ``channels``: those that can be.
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
            raise CannotPairError("not_here")
        if channel not in self._channels():
            raise CannotPairError("no_channel", channel)
        digits = None if phone is None else normalise(phone)
        if phone is not None and digits is None:
            raise CannotPairError("no_number", phone)
        await self._make_room(channel, user)
        run = _Run(secrets.token_urlsafe(32), channel, user)
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
                raise CannotPairError("somebody_else")
        mine = [run for run in going if run.channel == channel]
        if len(going) - len(mine) >= MOST:
            raise CannotPairError("too_many_pairings")
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
            async with asyncio.timeout(CODE_S) as run.limit:
                await self._child(run, command)
        except TimeoutError:
            why = "never_connected" if run.taken else "timeout"
            run.state, run.failure = "failed", Failure(why)
        except OSError as error:
            run.state, run.failure = "failed", Failure("other", f"relay pair: {error.strerror}")
        except asyncio.CancelledError:
            run.state = "ended"
            raise
        except Exception as error:  # noqa: BLE001 - a pairing must not take the relay with it
            run.state, run.failure = "failed", Failure("internal")
            _log.error("pairing_failed", channel=run.channel, exc_info=error)
        finally:
            run.qr, run.letters, run.until_ms = None, None, None
            run.ended_ms = self._clock.now_ms()
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
        run.state = "linked" if status == 0 and run.linked is not None else "failed"
        if run.state == "failed" and run.failure is None:
            run.failure = Failure("other", run.words)

    def _hear(self, run: _Run, line: str) -> None:
        """Standard output: what happens, an event a line."""
        match _event(line):
            case {"event": "qr", "text": str(text), "seconds": int(seconds)}:
                run.state, run.qr = "waiting", text
                run.until_ms = self._clock.now_ms() + seconds * SECOND
            case {"event": "letters", "text": str(text), "seconds": int(seconds)}:
                run.state, run.letters = "waiting", text
                run.until_ms = self._clock.now_ms() + seconds * SECOND
            case {"event": "taken"}:
                run.state, run.taken = "waiting", True
                run.qr, run.letters, run.until_ms = None, None, None
                if run.limit is not None:  # what was begun must not be torn off
                    run.limit.reschedule(asyncio.get_running_loop().time() + TAKEN_S)
            case {"event": "linked", "own": str(own), "name": str() | None as name}:
                run.linked = Linked(f"+{own}", name)
            case {"event": "failed", "why": str(why), "detail": str(detail), "words": str(words)}:
                run.failure = Failure(why, detail or words)

    def _heed(self, run: _Run, line: str) -> None:
        """Standard error: words."""
        run.words = line or run.words

    def _view(self, run: _Run) -> Pairing:
        left_ms = None if run.until_ms is None else max(0, run.until_ms - self._clock.now_ms())
        return Pairing(
            id=run.id,
            state=run.state,
            qr=_modules(run.qr) if run.qr is not None else None,
            code=run.letters,
            expires_seconds=None if left_ms is None else left_ms // SECOND,
            linked=run.linked if run.state == "linked" else None,
            failure=run.failure if run.state == "failed" else None,
        )


def _event(line: str) -> dict[str, Any]:
    """What the line tells; nothing if it is of no event."""
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _modules(text: str) -> list[str]:
    """The QR code of a text, a row of 0 and 1 for each row of modules."""
    import segno  # noqa: PLC0415  a relay that links nobody need not hold it

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
