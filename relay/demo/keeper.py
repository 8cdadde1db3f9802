"""Keeps the relay's process: starts it, hears it, kills it on request, starts it again.

It stands for systemd: it owns the listening sockets, restarts what died, and leaves a relay alone
that ended because of its configuration until the file is saved again.
"""

from __future__ import annotations

import asyncio
import enum
import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.app.exits import EXIT_CONFIGURATION
from relay.web.server import bind

RESTART_AFTER_S = 0.5
"""As ``RestartSec=`` of a service: seen by a person, yet within amoCRM's patience with a hook."""

_STOPPING_S = 15.0
_LONGEST_TOLD = 1024 * 1024


class Life(enum.StrEnum):
    """Where the process stands."""

    STARTING = "starting"
    RUNNING = "running"
    KILLED = "killed"  # by kill -9; soon to be started again
    REFUSED = "refused"  # by its configuration; started again when the file is saved
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demonstration keeps its things: all in one temporary directory."""

    directory: Path

    @property
    def config(self) -> Path:
        """The file that the relay runs on."""
        return self.directory / "config.yaml"

    @property
    def log(self) -> Path:
        """The relay's log."""
        return self.directory / "relay.log"

    @property
    def whatsapp(self) -> Path:
        """The socket of the pretended WhatsApp."""
        return self.directory / "whatsapp.sock"

    @property
    def database(self) -> Path:
        """The relay's database."""
        return self.directory / "storage" / "relay.db"


class Doors:
    """The relay's listening sockets, which outlive its process."""

    def __init__(self) -> None:
        self._hooks = bind("127.0.0.1", 0)
        self._admin = bind("127.0.0.1", 0)

    @property
    def hooks(self) -> int:
        """The port for hooks."""
        return _port(self._hooks)

    @property
    def admin(self) -> int:
        """The port for health and metrics."""
        return _port(self._admin)

    @property
    def descriptors(self) -> tuple[int, int]:
        """To be handed down."""
        return self._hooks.fileno(), self._admin.fileno()

    def close(self) -> None:
        """Let the ports go."""
        self._hooks.close()
        self._admin.close()


class Keeper:
    """One relay process at a time. ``hear`` is given all that it tells."""

    def __init__(
        self,
        place: Place,
        doors: Doors,
        hear: Callable[[dict[str, Any]], None],
        changed: Callable[[], None],
    ) -> None:
        self.life = Life.STOPPED
        self.starts = 0
        self._place = place
        self._doors = doors
        self._hear = hear
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._saved = asyncio.Event()

    @property
    def process(self) -> asyncio.subprocess.Process | None:
        """The process, if there is one."""
        return self._process

    @property
    def pid(self) -> int | None:
        """The id of the process, if there is one."""
        return self._process.pid if self._process else None

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def saved(self) -> None:
        """The file was saved: a relay that refused it may look again."""
        self._saved.set()

    async def run(self) -> None:
        """Keep the relay running until cancelled; then it is stopped in good order."""
        try:
            while True:
                code = await self._live()
                if code == EXIT_CONFIGURATION:
                    self._become(Life.REFUSED)
                    await self._saved.wait()
                else:
                    self._become(Life.KILLED)
                    await asyncio.sleep(RESTART_AFTER_S)
        finally:
            await self._stop()

    async def _live(self) -> int:
        """One life of the process; its exit status."""
        self._saved.clear()
        self._become(Life.STARTING)
        self.starts += 1
        process = self._process = await self._spawn()
        assert process.stdout is not None  # noqa: S101  it was asked for a pipe
        while line := await process.stdout.readline():
            self._take(line)
        code = await process.wait()
        self._process = None
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        place, sockets = self._place, self._doors.descriptors
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "relay.demo.relay_process"),
            *("--config", str(place.config)),
            *("--log", str(place.log)),
            *("--whatsapp", str(place.whatsapp)),
            *("--sockets", *map(str, sockets)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
            pass_fds=sockets,
            limit=_LONGEST_TOLD,
            start_new_session=True,  # Ctrl-C is for the demonstration, which stops the relay itself
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return  # something printed, not told
        if told.get("event") == "ready":
            self._become(Life.RUNNING)
        self._hear(told)

    async def _stop(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_STOPPING_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._become(Life.STOPPED)

    def _become(self, life: Life) -> None:
        self.life = life
        self._changed()


def _port(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port
