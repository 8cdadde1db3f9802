"""Linking a pretended number: the command, the door, and the phone that takes the code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from relay.demo.pretended_whatsapp import Exchange, World
from relay.demo.pretended_whatsapp.linking import linking_command, take_code, unlink
from relay.demo.pretended_whatsapp.world import UnfitError
from tests.demo.pretended_whatsapp.samples import a_world

OWN = "74950000001"


@dataclass
class Command:
    """The command at work."""

    process: asyncio.subprocess.Process

    async def told(self) -> dict[str, Any]:
        """The next event."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            said: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return said


@asynccontextmanager
async def linking(
    directory: Path, world: World, phone: str | None = None
) -> AsyncIterator[Command]:
    """The command for a number that is not linked, or for one that is."""
    path = directory / "whatsapp"
    async with Exchange(world, path):
        process = await asyncio.create_subprocess_exec(
            *linking_command(path)("sales", phone), stdout=asyncio.subprocess.PIPE
        )
        yield Command(process)
        if process.returncode is None:
            process.kill()
        await process.wait()


def an_unlinked_world() -> World:
    """Its number knows no device."""
    world = a_world()
    world.line("sales")
    unlink(world, "sales")
    return world


@pytest.mark.parametrize(("phone", "event"), [(None, "qr"), (OWN, "letters")])
async def test_the_phone_takes_the_code(tmp_path: Path, phone: str | None, event: str) -> None:
    """While it is shown, and only then; the command tells whose number it is."""
    world = an_unlinked_world()
    async with linking(tmp_path, world, phone) as command:
        shown = await command.told()
        assert (shown["event"], shown["text"]) == (event, world.line("sales").offer)
        take_code(world, "sales")
        assert await command.told() == {"event": "linked", "own": OWN, "name": None}
        assert await command.process.wait() == 0
    assert world.line("sales").paired
    with pytest.raises(UnfitError):
        take_code(world, "sales")


async def test_a_code_that_nobody_shows_any_more_is_none(tmp_path: Path) -> None:
    """Whoever showed it has gone: the phone cannot take it, and is not linked."""
    world = an_unlinked_world()
    gone = asyncio.Event()
    async with linking(tmp_path, world) as command:
        await command.told()

        def look() -> None:
            if world.line("sales").offer is None:
                gone.set()

        forget = world.on_change(look)
        command.process.terminate()
        async with asyncio.timeout(30):
            await gone.wait()
        forget()
    assert not world.line("sales").paired


@pytest.mark.parametrize(
    ("linked", "phone", "why"),
    [(True, None, "linked_already"), (False, "79990000000", "not_on_whatsapp")],
)
async def test_what_cannot_be_linked_is_told(
    tmp_path: Path, linked: bool, phone: str | None, why: str
) -> None:
    """A number that has its device, and letters for a number that nobody has."""
    world = an_unlinked_world()
    world.line("sales").paired = linked
    async with linking(tmp_path, world, phone) as command:
        assert (await command.told())["why"] == why
        assert await command.process.wait() == 1
