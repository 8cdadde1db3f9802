"""Linking a number of the pretended WhatsApp: on the phone, at its door, and as a command.

The command does what ``relay pair --events`` does, in a process of its own: it shows a code for as
long as it runs. The phone takes it by a button of the page, for it has no camera.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from relay.app.pairings import PairCommand
from relay.demo.pretended_whatsapp.things import Line
from relay.demo.pretended_whatsapp.wire import Said, hear, say
from relay.demo.pretended_whatsapp.world import UnfitError, World

CODE_S = 160
_LETTERS = "ABCDEFGHJKLMNPQRSTVWXYZ123456789"  # as WhatsApp's, without those that are mistaken


def unlink(world: World, channel: str) -> None:
    """The owner removes the linked device on the phone."""
    _line(world, channel).paired = False
    world.changed()


def take_code(world: World, channel: str) -> None:
    """The phone scans the code that is shown for its channel, or its owner types the letters."""
    line = _line(world, channel)
    if line.offer is None:
        raise UnfitError("nobody shows a code for this number")
    line.paired = True
    world.changed()


def _line(world: World, channel: str) -> Line:
    if channel not in world.lines:
        raise UnfitError(f"no channel {channel!r} was ever linked")
    return world.lines[channel]


async def offer(
    world: World, wish: Said, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Have a code shown until the phone takes it, or whoever shows it has gone."""
    line, number = world.line(str(wish["link"])), wish.get("number")
    if line.paired:
        _tell(writer, "failed", why="linked_already", detail=f"+{line.number}", words="")
    elif number is not None and number != line.number:
        _tell(writer, "failed", why="not_on_whatsapp", detail=f"+{number}", words="")
    else:
        await _show(world, line, letters=number is not None, reader=reader, writer=writer)
    await writer.drain()


async def _show(
    world: World,
    line: Line,
    *,
    letters: bool,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    code = _code() if letters else f"pretended-whatsapp:{line.channel}:{secrets.token_hex(8)}"
    line.offer = code
    taken = asyncio.Event()
    forget = world.on_change(lambda: taken.set() if line.paired else None)
    _tell(writer, "letters" if letters else "qr", text=code, seconds=CODE_S)
    world.changed()
    waiting = {asyncio.create_task(taken.wait()), asyncio.create_task(reader.read())}
    try:
        await asyncio.wait(waiting, timeout=CODE_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        forget()
        if line.offer == code:  # else somebody shows another one by now
            line.offer = None
        for task in waiting:
            task.cancel()
        world.changed()
    if taken.is_set():
        _tell(writer, "linked", own=line.number, name=None)
    else:
        _tell(writer, "failed", why="timeout", detail="", words="")


def _code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def _tell(writer: asyncio.StreamWriter, event: str, **keys: object) -> None:
    say(writer, {"event": event, **keys})


# --- The command ----------------------------------------------------------------------------------


def linking_command(whatsapp: Path) -> PairCommand:
    """What links a channel, with the pretended WhatsApp behind that socket."""

    def command(channel: str, phone: str | None) -> Sequence[str]:
        number = () if phone is None else (f"--number={phone}",)
        module = (sys.executable, "-m", "relay.demo.pretended_whatsapp.linking")
        return (*module, f"--whatsapp={whatsapp}", *number, "--", channel)

    return command


def main() -> int:
    """Pass on what WhatsApp tells until it is done; interrupted, leave."""
    parser = argparse.ArgumentParser(prog="relay.demo.pretended_whatsapp.linking")
    parser.add_argument("--whatsapp", type=Path, required=True)
    parser.add_argument("--number")
    parser.add_argument("channel")
    arguments = parser.parse_args()
    wish: Said = {"link": arguments.channel, "number": arguments.number}
    try:
        return asyncio.run(_pass_on(arguments.whatsapp, wish))
    except (KeyboardInterrupt, OSError):
        return 1


async def _pass_on(whatsapp: Path, wish: Said) -> int:
    reader, writer = await asyncio.open_unix_connection(whatsapp)
    say(writer, wish)
    last: Said = {}
    while (said := await hear(reader)) is not None:
        last = said
        print(json.dumps(said), flush=True)  # noqa: T201 - for whoever has started this
    writer.close()
    return 0 if last.get("event") == "linked" else 1


if __name__ == "__main__":
    sys.exit(main())
