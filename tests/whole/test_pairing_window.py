"""A number is linked in a terminal window, by somebody at a keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from relay.demo.pretended_amocrm import PretendedAmoCRM
from tests.app import files
from tests.whatsapp_server import Phone, WhatsAppServer
from tests.whole.window import Window, window

OWN = "74950000001"
_CORNER = ("█▀▀▀▀▀█", "█ ███ █", "█ ▀▀▀ █", "▀▀▀▀▀▀▀")


@dataclass
class Room:
    """A phone, and a file whose channel is not linked."""

    whatsapp: WhatsAppServer
    phone: Phone
    config: Path


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    """Everything but the window."""
    async with WhatsAppServer() as whatsapp, PretendedAmoCRM() as amocrm:
        config = tmp_path / "config.yaml"
        files.save(config, files.config(amocrm))
        yield Room(whatsapp, whatsapp.phone(OWN, "Sales"), config)


def code_of(seen: Window) -> list[str]:
    """The lines of the code in the window, without its white border; none if there is no code."""
    lines = [line[2:-2] for line in seen.page() if line.strip(" █▀▄") == "" and line]
    return [line for line in lines if line.strip()]


def is_whole(code: list[str]) -> bool:
    """Whether three corners of a QR code are where they belong."""
    corners = list(zip(code[:4], code[-4:], strict=False))
    return len(code) >= 8 and all(
        top.startswith(mark) and top.endswith(mark)
        for (top, _), mark in zip(corners, _CORNER, strict=False)
    )


async def ended(process: asyncio.subprocess.Process) -> int:
    """Its exit status."""
    async with asyncio.timeout(60):
        return await process.wait()


async def test_the_code_is_drawn_and_drawn_again(room: Room) -> None:
    """Whole, or not at all in a window that is too small; its seconds run; Ctrl-C leaves no trace.

    The page it was drawn on is gone afterwards, and what stands below is why nothing was linked.
    """
    environment = room.whatsapp.environment()
    async with window(room.config, environment, "pair", "sales") as (seen, process):
        await seen.until(lambda: is_whole(code_of(seen)))
        first = code_of(seen)
        await seen.until(lambda: "59 s left" in seen.written)
        seen.resize(80, 24)
        await seen.until(lambda: "has 80 and 24" in " ".join(seen.page()))
        assert code_of(seen) == []
        seen.resize(100, 40)
        await seen.until(lambda: code_of(seen) == first)
        seen.press(b"\x03")
        assert await ended(process) == 1
    assert "█" not in seen.after()
    assert "Interrupted" in seen.after()


async def test_letters_are_typed_into_the_phone(room: Room) -> None:
    """They stand in the window alone; the end is told below, on the page that was there before."""
    environment = room.whatsapp.environment()
    command = ("pair", "sales", "--code", f"+{OWN}")
    async with window(room.config, environment, *command) as (seen, process):
        await seen.until(lambda: len(seen.page()) == 5)
        device = await room.phone.enter_code(seen.page()[2].strip())
        await device.online()
        await room.phone.share_names()
        assert await ended(process) == 0
    assert f"sales: linked to +{OWN} (Sales)" in seen.after()
    assert "Ctrl" not in seen.after()


async def test_letting_go_asks_first(room: Room) -> None:
    """Only a "y" logs the number out."""
    sessions = room.config.parent / "storage" / "sessions"
    await asyncio.to_thread(sessions.mkdir, parents=True, mode=0o700)
    device = await room.whatsapp.pair_store(sessions / "sales.db", room.phone)
    environment = room.whatsapp.environment()
    for keys, status in ((b"n\r", 1), (b"y\r", 0)):
        async with window(room.config, environment, "unpair", "sales") as (seen, process):
            await seen.asked(f"Log +{OWN} out")
            assert not device.removed
            seen.press(keys)
            assert await ended(process) == status
    assert device.removed
