"""Takes a changed file into force, or leaves everything exactly as it is.

Everything that can fail (reading, validating, building what is new) happens before anything that
runs is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from relay.app.interpreter import without_collector
from relay.app.logging import set_level
from relay.config.errors import ConfigErrors
from relay.config.load import Loaded, load
from relay.config.model import Config
from relay.config.secret import SecretSource
from relay.config.watch import changes
from relay.delivery.ports import Clock

_log = structlog.stdlib.get_logger("relay.config")


@dataclass(frozen=True, slots=True)
class LastReload:
    """The last reading of the file: when, and what was wrong with it, if anything."""

    at_ms: int
    errors: tuple[str, ...] = ()


Take = Callable[[Config], Awaitable[list[str]]]
"""Puts a configuration into force; the changes in words. Raises ConfigErrors to refuse it."""


class Reloader:
    """Reads the file again when it changes, and on demand."""

    def __init__(self, path: Path, secrets: SecretSource, clock: Clock, take: Take) -> None:
        self._path = path
        self._secrets = secrets
        self._clock = clock
        self._take = take
        self._asked = asyncio.Event()
        self._answer = False  # somebody waits for a line in the log
        self.last = LastReload(clock.now_ms())

    def ask(self) -> None:
        """Read the file again, changed or not, and say so (SIGHUP)."""
        self._answer = True
        self._asked.set()

    async def run(self) -> None:
        """Follow the file for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="config watch")
            while True:
                await self._asked.wait()
                self._asked.clear()
                await self.reload()

    async def reload(self) -> None:
        """Read the file once and take it, or say what is wrong with it."""
        try:
            loaded = await asyncio.to_thread(self._load)
            done = await self._take(loaded.config)
        except ConfigErrors as trouble:
            self._refuse(trouble)
            return
        worth_a_line = bool(done or self.last.errors or self._answer)
        self._answer = False
        self.last = LastReload(self._clock.now_ms())
        if worth_a_line:
            _log.info("config_reloaded", changes=done)
        set_level(loaded.config.log.level)  # last, so that it does not hide what was just said

    def _load(self) -> Loaded:
        with without_collector():
            return load(self._path, self._secrets)

    def _refuse(self, trouble: ConfigErrors) -> None:
        errors = tuple(str(error) for error in trouble.errors)
        known = errors == self.last.errors
        self._answer = False
        self.last = LastReload(self._clock.now_ms(), errors)
        if not known:  # errors are told once, however often the file is read
            _log.error("config_rejected", errors=list(errors))

    async def _watch(self) -> None:
        async for _ in changes(self._path):
            self._asked.set()
