"""The whole demonstration: the relay's process between a pretended WhatsApp and amoCRM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from relay.config.watch import changes as file_changes
from relay.demo import file
from relay.demo.cast import IDENTITY, clients
from relay.demo.changes import Changes
from relay.demo.errands import Errands
from relay.demo.journal import look
from relay.demo.keeper import Doors, Keeper, Place
from relay.demo.pretended_amocrm import PretendedAmoCRM
from relay.demo.pretended_whatsapp import Exchange, World
from relay.demo.reloads import Reloads
from relay.demo.story import Story
from relay.demo.trouble import Switches
from relay.demo.uploads import Uploads
from relay.widget.archive import build_archive, version_at

_HEALTH_EVERY_S = 1.0
_HEALTH_LIMIT_S = 2.0


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _message_id() -> str:
    return "3EB0" + secrets.token_hex(8).upper()


class Show:
    """All that runs. :func:`open_show` makes one and ends it."""

    def __init__(self, place: Place, crm: PretendedAmoCRM, doors: Doors) -> None:
        self.place, self.crm = place, crm
        self.changes = Changes()
        changed = self.changes.changed
        self.world = World(clients(), now_ms, _message_id)
        self.story = Story(lambda trace: look(place.database, trace), now_ms, changed)
        self.reloads = Reloads(now_ms, changed)
        self.switches = Switches(crm)
        self.keeper = Keeper(place, doors, self.hear, changed)
        self.errands = Errands()
        self.uploads = Uploads()
        self.health: dict[str, Any] | None = None
        self.first_text = file.first_text(
            crm.identity, crm=crm.url, hooks=doors.hooks, admin=doors.admin
        )
        self.text = self.first_text
        self.titles = file.titles(self.text, place.config) or {}
        self._health_url = f"http://127.0.0.1:{doors.admin}/healthz"
        self._look_now = asyncio.Event()
        self.public_url = public = file.public_url(doors.hooks)
        crm.sender.url = f"{public}/amocrm/hook/:scope_id"
        crm.ui.token_audience = public
        crm.ui.upload_widget(build_archive(public, version_at(datetime.now(UTC))))
        crm.on_change(changed)
        self.world.on_change(changed)

    def save(self, text: str) -> None:
        """Save the file, as the page's editor does."""
        file.save(self.place.config, text)
        self._read_file()

    async def run(self) -> None:
        """Keep everything running until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.keeper.run(), name="relay process")
            tasks.create_task(self.story.run(), name="journal lookup")
            tasks.create_task(self.errands.run(), name="errands")
            tasks.create_task(self._watch_file(), name="file watch")
            tasks.create_task(self._watch_health(), name="health watch")

    def hear(self, told: dict[str, Any]) -> None:
        """The relay's process has told something."""
        match told:
            case {"told": "step"}:
                self.story.add({key: value for key, value in told.items() if key != "told"})
            case {"event": "ready"}:
                self.reloads.started()
            case {"event": "config_reloaded", "changes": list(changes)}:
                self._read_file()  # the relay may have seen the save before we did
                self.reloads.taken(changes)
            case {"event": "config_rejected", "errors": list(errors)} | {
                "told": "rejected",
                "errors": list(errors),
            }:
                self._read_file()
                self.reloads.refused(errors)
        self._look_now.set()

    async def _watch_file(self) -> None:
        """Follow the file, whoever saves it: the page, or an editor on this machine."""
        async for _ in file_changes(self.place.config):
            self._read_file()

    def _read_file(self) -> None:
        try:
            text = self.place.config.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return  # the relay itself says what is wrong with it
        if text != self.text:
            self.text = text
            self.titles = file.titles(text, self.place.config) or self.titles
            self.reloads.saved()
            self.keeper.saved()

    async def _watch_health(self) -> None:
        """Ask the relay how it is, at once after it told something, else every second."""
        limit = aiohttp.ClientTimeout(total=_HEALTH_LIMIT_S)
        async with aiohttp.ClientSession(timeout=limit) as session:
            while True:
                self._look_now.clear()
                self.health = await self._ask(session)
                if self.health is not None:
                    self.reloads.look(self.health)
                self.changes.changed()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_HEALTH_EVERY_S):
                        await self._look_now.wait()

    async def _ask(self, session: aiohttp.ClientSession) -> dict[str, Any] | None:
        if self.keeper.pid is None:
            return None
        try:
            async with session.get(self._health_url) as response:
                answer: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return None
        return answer


@asynccontextmanager
async def open_show(directory: Path) -> AsyncIterator[Show]:
    """A demonstration in this directory, running until the context is left."""
    place = Place(directory)
    doors = Doors()
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(doors.close)
        crm = await stack.enter_async_context(PretendedAmoCRM(IDENTITY))
        show = Show(place, crm, doors)
        file.save(place.config, show.first_text)
        os.chmod(place.config, 0o600)  # noqa: PTH101
        for channel in ("sales", "support"):
            show.world.line(channel)
        await stack.enter_async_context(Exchange(show.world, place.whatsapp))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(show.run(), name="show")
            try:
                yield show
            finally:
                running.cancel()
